//! Empties a namespace that is being deleted, pods first, and then lets it go.
//! Models pkg/controller/namespace/deletion/namespaced_resources_deleter.go.

use std::collections::BTreeMap;

use api::kinds::Kind;
use api::{Value, object};
use client::{
    DeleteOptions, Delta, Error, Index, Key, ListOptions, NAMESPACES, PODS, Resource, request,
};
use imbl::OrdMap;
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx};

/// Time for other API servers to hear of the deletion before the contents go.
const GRACE: Duration = Duration::from_secs(5);
/// How long finalizers are given before another look.
const FINALIZER_ESTIMATE_SECS: u64 = 15;
const FINALIZER: &str = "kubernetes";

/// The controller. Keys are namespaces.
#[derive(Clone, Debug)]
pub struct NamespaceController {
    /// What a namespace can hold, pods included.
    resources: Vec<Resource>,
    steps: OrdMap<Key, Step>,
}

/// What was last asked for. Each step is asked for in one sync and answered in the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    DeletePods,
    ListPods,
    DeleteRest,
    ListRest,
    Finalize,
}

/// What is still there, and what went wrong.
#[derive(Debug, Default)]
struct Remains {
    /// How many objects of each resource.
    objects: BTreeMap<String, usize>,
    /// How many objects each finalizer holds.
    finalizers: BTreeMap<String, usize>,
    errors: Vec<Error>,
    /// The longest that pods may take to terminate.
    grace_secs: u64,
}

/// A condition: type, whether it holds, reason and message.
type Told = (&'static str, bool, &'static str, String);

impl NamespaceController {
    /// A controller that empties namespaces of these resources.
    #[must_use]
    pub fn new(resources: Vec<Resource>) -> NamespaceController {
        NamespaceController {
            resources,
            steps: OrdMap::new(),
        }
    }
}

impl Controller for NamespaceController {
    fn name(&self) -> &'static str {
        "namespace-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(NAMESPACES, &[])]
    }

    fn follows_customs(&self) -> bool {
        true
    }

    fn learn(&mut self, resource: &Resource, _: &'static Kind) -> bool {
        if resource.namespaced && !self.resources.contains(resource) {
            self.resources.push(resource.clone());
        }
        false
    }

    fn forget(&mut self, resource: &Resource) {
        self.resources.retain(|known| known != resource);
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, _: &Resource, delta: &Delta) {
        match &delta.new {
            Some(namespace) if namespace.is_terminating() => {
                agenda.add_after(delta.key.clone(), GRACE);
            }
            Some(_) => {}
            None => drop(self.steps.remove(&delta.key)),
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let namespace = cx.cache(&NAMESPACES).get(key).cloned();
        let Some(namespace) = namespace.filter(|ns| ns.is_terminating() && is_held(ns)) else {
            self.steps.remove(key);
            return;
        };
        let name = &*key.name;
        let answers = std::mem::take(&mut cx.outcome.answers);
        let step = self.steps.remove(key).filter(|_| !answers.is_empty());
        let next = match step {
            None => {
                self.delete_all(cx, name, true);
                Step::DeletePods
            }
            Some(Step::DeletePods) => {
                self.list_all(cx, name, true);
                Step::ListPods
            }
            Some(Step::ListPods) => {
                let remains = self.remains(&answers, true);
                if !remains.is_empty() {
                    // Only the pods were looked at: nothing is said of the rest.
                    let quiet = Remains {
                        errors: remains.errors.clone(),
                        ..Remains::default()
                    };
                    update_conditions(cx, &namespace, &quiet);
                    remains.wait(cx);
                    return;
                }
                self.delete_all(cx, name, false);
                Step::DeleteRest
            }
            Some(Step::DeleteRest) => {
                self.list_all(cx, name, false);
                Step::ListRest
            }
            Some(Step::ListRest) => {
                let remains = self.remains(&answers, false);
                if !remains.is_empty() {
                    update_conditions(cx, &namespace, &remains);
                    remains.wait(cx);
                    return;
                }
                finalize(cx, &namespace);
                Step::Finalize
            }
            Some(Step::Finalize) => {
                // The cache is about to show that it is gone; if not, all begins anew.
                cx.requeue_after(GRACE);
                return;
            }
        };
        self.steps.insert(key.clone(), next);
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl NamespaceController {
    /// Pods, or everything else.
    fn part(&self, pods: bool) -> impl Iterator<Item = &Resource> {
        self.resources
            .iter()
            .filter(move |resource| (**resource == PODS) == pods)
    }

    fn delete_all(&self, cx: &mut Cx<'_>, namespace: &str, pods: bool) {
        for resource in self.part(pods) {
            let options = DeleteOptions::propagating(client::Propagation::Background);
            let all = ListOptions::default();
            let request = request::delete_collection(resource, namespace, &all, &options);
            cx.ask(resource, request);
        }
    }

    fn list_all(&self, cx: &mut Cx<'_>, namespace: &str, pods: bool) {
        for resource in self.part(pods) {
            cx.ask(
                resource,
                request::list(resource, namespace, &ListOptions::default()),
            );
        }
    }

    fn remains(&self, lists: &[Result<Value, Error>], pods: bool) -> Remains {
        let mut remains = Remains::default();
        for (resource, list) in self.part(pods).zip(lists) {
            let items = match list {
                Ok(list) => list.list_at("items"),
                Err(error) if error.code == 404 || error.code == 405 => continue,
                Err(error) => {
                    remains.errors.push(error.clone());
                    continue;
                }
            };
            if items.is_empty() {
                continue;
            }
            let name = format!("{}.{}", resource.plural, resource.group());
            remains.objects.insert(name, items.len());
            for item in items {
                for finalizer in item.finalizers() {
                    *remains
                        .finalizers
                        .entry(finalizer.as_str().to_owned())
                        .or_default() += 1;
                }
                remains.grace_secs = remains.grace_secs.max(grace_secs(item));
            }
        }
        remains
    }
}

impl Remains {
    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.errors.is_empty()
    }

    /// Looks again when there is hope.
    fn wait(&self, cx: &mut Cx<'_>) {
        let estimate = match (self.grace_secs, self.finalizers.is_empty()) {
            (0, true) => {
                // Someone made something meanwhile, or a deletion failed.
                cx.requeue_after(Duration::from_secs(1));
                return;
            }
            (0, false) => FINALIZER_ESTIMATE_SECS,
            (secs, _) => secs,
        };
        cx.requeue_after(Duration::from_secs(estimate / 2 + 1));
    }

    /// Each condition: type, whether it holds, reason and message.
    fn conditions(&self) -> [Told; 5] {
        [
            (
                "NamespaceDeletionDiscoveryFailure",
                false,
                "ResourcesDiscovered",
                "All resources successfully discovered".into(),
            ),
            (
                "NamespaceDeletionGroupVersionParsingFailure",
                false,
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed".into(),
            ),
            self.content_failure(),
            self.content_remaining(),
            self.finalizers_remaining(),
        ]
    }

    fn content_failure(&self) -> Told {
        let kind = "NamespaceDeletionContentFailure";
        if self.errors.is_empty() {
            let message = "All content successfully deleted, may be waiting on finalization";
            return (kind, false, "ContentDeleted", message.into());
        }
        let errors: Vec<String> = self.errors.iter().map(ToString::to_string).collect();
        let (count, errors) = (errors.len(), errors.join(", "));
        let message = format!("Failed to delete all resource types, {count} remaining: {errors}");
        (kind, true, "ContentDeletionFailed", message)
    }

    fn content_remaining(&self) -> Told {
        let kind = "NamespaceContentRemaining";
        if self.objects.is_empty() {
            return (
                kind,
                false,
                "ContentRemoved",
                "All content successfully removed".into(),
            );
        }
        let message = format!(
            "Some resources are remaining: {}",
            counted(&self.objects, "has")
        );
        (kind, true, "SomeResourcesRemain", message)
    }

    fn finalizers_remaining(&self) -> Told {
        let kind = "NamespaceFinalizersRemaining";
        if self.finalizers.is_empty() {
            let message = "All content-preserving finalizers finished";
            return (kind, false, "ContentHasNoFinalizers", message.into());
        }
        let list = counted(&self.finalizers, "in");
        let message = format!("Some content in the namespace has finalizers remaining: {list}");
        (kind, true, "SomeFinalizersRemain", message)
    }
}

/// `configmaps. has 1 resource instances, …`
fn counted(counts: &BTreeMap<String, usize>, verb: &str) -> String {
    let told = counts
        .iter()
        .map(|(name, n)| format!("{name} {verb} {n} resource instances"));
    told.collect::<Vec<_>>().join(", ")
}

fn is_held(namespace: &Value) -> bool {
    namespace
        .list_at("spec.finalizers")
        .iter()
        .any(|finalizer| finalizer.as_str() == FINALIZER)
}

/// How long a pod may take to terminate; 0 for other objects and finished pods.
fn grace_secs(object: &Value) -> u64 {
    let finished = crate::pods::is_finished(object);
    let secs = object
        .i64_at("spec.terminationGracePeriodSeconds")
        .filter(|_| !finished);
    secs.and_then(|secs| u64::try_from(secs).ok()).unwrap_or(0)
}

fn update_conditions(cx: &mut Cx<'_>, namespace: &Value, remains: &Remains) {
    let mut updated = namespace.clone();
    for (kind, holds, reason, message) in remains.conditions() {
        let status = if holds { "True" } else { "False" };
        set_condition(&mut updated, cx.now, [kind, status, reason, &message]);
    }
    if !updated.same(namespace) {
        cx.update_status(&NAMESPACES, updated);
    }
}

fn set_condition(namespace: &mut Value, now: Instant, new: [&str; 4]) {
    let [kind, status, reason, message] = new;
    let mut condition = object! {
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": (now.rfc3339()),
    };
    let conditions = namespace.list_mut("status.conditions");
    match conditions
        .iter_mut()
        .find(|known| known.str("type") == kind)
    {
        None => conditions.push(condition),
        Some(known) => {
            if known.str("status") == status {
                condition.set("lastTransitionTime", known.get("lastTransitionTime"));
            }
            *known = condition;
        }
    }
}

/// Takes the finalizer that holds the namespace away.
fn finalize(cx: &mut Cx<'_>, namespace: &Value) {
    let mut free = namespace.clone();
    let held = free.list_mut("spec.finalizers");
    held.retain(|finalizer| finalizer.as_str() != FINALIZER);
    let request = request::update(&NAMESPACES, free, "finalize");
    cx.ask(&NAMESPACES, request);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;
    use client::CONFIG_MAPS;

    fn bench() -> Bench {
        let mut bench = Bench::new(vec![Box::new(NamespaceController::new(vec![
            CONFIG_MAPS,
            PODS,
        ]))]);
        bench.put(
            &NAMESPACES,
            object! {
                "metadata": { "name": "doomed" },
                "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active" },
            },
        );
        for name in ["keep", "other"] {
            bench.put(
                &CONFIG_MAPS,
                object! { "metadata": { "name": name, "namespace": "doomed" } },
            );
        }
        bench
    }

    /// `type status reason` of each condition.
    fn conditions(bench: &Bench) -> Vec<String> {
        let namespace = bench.get(&NAMESPACES, "", "doomed");
        let told = |c: &Value| format!("{} {} {}", c.str("type"), c.str("status"), c.str("reason"));
        namespace
            .list_at("status.conditions")
            .iter()
            .map(told)
            .collect()
    }

    #[test]
    fn a_namespace_goes_with_all_it_holds() {
        let mut bench = bench();
        bench.pass_secs(60);
        assert_eq!(bench.list(&CONFIG_MAPS).len(), 2, "nobody asked for it");
        bench.delete(&NAMESPACES, "", "doomed");
        bench.pass_secs(4);
        assert_eq!(bench.list(&CONFIG_MAPS).len(), 2, "not at once");
        bench.pass_secs(1);
        assert!(bench.list(&CONFIG_MAPS).is_empty());
        assert!(bench.find(&NAMESPACES, "", "doomed").is_none());
    }

    #[test]
    fn pods_go_first_and_are_waited_for() {
        let mut bench = bench();
        bench.put(
            &PODS,
            object! {
                "metadata": { "name": "p", "namespace": "doomed" },
                "spec": { "nodeName": "node01", "terminationGracePeriodSeconds": 30 },
            },
        );
        bench.delete(&NAMESPACES, "", "doomed");
        bench.pass_secs(6);
        assert!(bench.get(&PODS, "doomed", "p").is_terminating());
        assert_eq!(bench.list(&CONFIG_MAPS).len(), 2);
        assert_eq!(
            conditions(&bench),
            [
                "NamespaceDeletionDiscoveryFailure False ResourcesDiscovered",
                "NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions",
                "NamespaceDeletionContentFailure False ContentDeleted",
                "NamespaceContentRemaining False ContentRemoved",
                "NamespaceFinalizersRemaining False ContentHasNoFinalizers",
            ]
        );
        bench.vanish(&PODS, "doomed", "p");
        bench.pass_secs(5);
        assert!(bench.find(&NAMESPACES, "", "doomed").is_none());
    }

    #[test]
    fn a_finalizer_holds_the_namespace_and_is_named() {
        let mut bench = bench();
        bench.change(&CONFIG_MAPS, ("doomed", "keep"), |map| {
            map.set("metadata.finalizers", vec!["example.com/hold"]);
        });
        bench.delete(&NAMESPACES, "", "doomed");
        bench.pass_secs(5);
        assert_eq!(bench.list(&CONFIG_MAPS).len(), 1);
        let namespace = bench.get(&NAMESPACES, "", "doomed");
        let message = |at: usize| {
            namespace.list_at("status.conditions")[at]
                .str("message")
                .to_owned()
        };
        assert_eq!(
            message(3),
            "Some resources are remaining: configmaps. has 1 resource instances"
        );
        assert_eq!(
            message(4),
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource \
             instances"
        );
        bench.change(&CONFIG_MAPS, ("doomed", "keep"), |map| {
            drop(map.remove("metadata.finalizers"));
        });
        bench.pass_secs(10);
        assert!(bench.find(&NAMESPACES, "", "doomed").is_none());
    }
}
