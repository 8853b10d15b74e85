//! Keeps the status of quotas: what they limit, and how much of it is used. The API server adds to
//! what is used when it lets something in; this controller counts anew when a quota changes, when
//! something that was charged for is gone, and every now and then.
//! Models pkg/controller/resourcequota.

use api::kinds::Kind;
use api::kinds::support::quota::{self, Amounts};
use api::{Map, Quantity, Value};
use client::{Delta, Index, Key, RESOURCE_QUOTAS, Resource};
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx};

/// All is counted anew so often.
const RESYNC: Duration = Duration::from_secs(5 * 60);

/// The controller. Keys are quotas.
#[derive(Clone, Debug)]
pub struct ResourceQuotaController {
    /// What quotas limit, themselves included.
    resources: Vec<(Resource, &'static Kind)>,
}

impl ResourceQuotaController {
    /// A controller that counts objects of these resources.
    #[must_use]
    pub fn new(resources: Vec<(Resource, &'static Kind)>) -> ResourceQuotaController {
        ResourceQuotaController { resources }
    }

    /// What a quota limits is used so much.
    fn count(&self, cx: &Cx<'_>, quota: &Value, hard: &Map) -> Amounts {
        let mut used = quota::amounts(quota.map_at("status.used"));
        used.retain(|name, _| hard.contains_key(name));
        for name in hard.keys().filter(|name| quota::is_charged(name)) {
            used.insert(name.clone(), Quantity::ZERO);
        }
        for (resource, kind) in &self.resources {
            let charged = |name: &str| hard.contains_key(name) && quota::charges(kind, name);
            if !hard.keys().any(|name| charged(name)) {
                continue;
            }
            for name in hard.keys().filter(|name| charged(name)) {
                used.insert(name.clone(), Quantity::ZERO);
            }
            for (_, object) in cx.cache(resource).in_namespace(quota.namespace()) {
                if quota::applies(kind, quota, hard, object) {
                    let mut one = quota::usage(kind, object, cx.now);
                    one.retain(|name, _| charged(name));
                    quota::add(&mut used, &one);
                }
            }
        }
        used
    }
}

impl Controller for ResourceQuotaController {
    fn name(&self) -> &'static str {
        "resourcequota-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        let watch = |(resource, _): &(Resource, _)| (resource.clone(), &[] as &[Index]);
        self.resources.iter().map(watch).collect()
    }

    fn follows_customs(&self) -> bool {
        true
    }

    fn learn(&mut self, resource: &Resource, kind: &'static Kind) -> bool {
        self.forget(resource);
        if quota::is_countable(kind) {
            self.resources.push((resource.clone(), kind));
        }
        quota::is_countable(kind)
    }

    fn forget(&mut self, resource: &Resource) {
        self.resources.retain(|(known, _)| known != resource);
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        let is_quota = *resource == RESOURCE_QUOTAS;
        if is_quota && delta.new.is_some() {
            if delta.old.is_none() || delta.changed("spec") {
                agenda.add(delta.key.clone());
            }
            return;
        }
        let quotas = agenda.cache(&RESOURCE_QUOTAS);
        let mut quotas = quotas.in_namespace(&delta.key.namespace).peekable();
        let kind = self.resources.iter().find(|(known, _)| known == resource);
        let (Some((_, kind)), true) = (kind, quotas.peek().is_some()) else {
            return;
        };
        if !gives_back(kind, delta, agenda.now) {
            return;
        }
        for (key, quota) in quotas {
            let hard = quota.map_at("spec.hard");
            if hard.keys().any(|name| quota::charges(kind, name)) {
                agenda.add(key.clone());
            }
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(quota) = cx.cache(&RESOURCE_QUOTAS).get(key).cloned() else {
            return;
        };
        cx.requeue_after(RESYNC);
        let hard = quota.at("spec.hard");
        let used = quota::to_value(&self.count(cx, &quota, hard.entries()));
        let status = quota.get("status");
        if status.get("hard").same(hard) && status.get("used").same(&used) {
            return;
        }
        let mut counted = quota.clone();
        counted.set("status.hard", hard);
        counted.set("status.used", used);
        cx.update_status(&RESOURCE_QUOTAS, counted);
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

/// Whether less is used after a change.
fn gives_back(kind: &Kind, delta: &Delta, now: Instant) -> bool {
    let Some(old) = &delta.old else {
        return false;
    };
    let Some(new) = &delta.new else {
        return true;
    };
    let left = quota::usage(kind, new, now);
    let before = quota::usage(kind, old, now);
    before
        .iter()
        .any(|(name, amount)| left.get(name).is_none_or(|left| left < amount))
}

#[cfg(test)]
mod tests {
    use api::kinds;
    use api::object;
    use client::{CONFIG_MAPS, PODS};

    use super::*;
    use crate::testing::Bench;

    fn bench() -> Bench {
        let resources = vec![
            (PODS, &kinds::pod::KIND),
            (CONFIG_MAPS, &kinds::configmap::KIND),
            (RESOURCE_QUOTAS, &kinds::resourcequota::KIND),
        ];
        Bench::new(vec![Box::new(ResourceQuotaController::new(resources))])
    }

    fn pod(name: &str, cpu: &str) -> Value {
        object!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "name": (name), "namespace": "shop" },
            "spec": { "containers": [{ "name": "c", "resources": { "requests": { "cpu": (cpu) } } }] },
        })
    }

    #[track_caller]
    fn check(bench: &Bench, expect: &str) {
        let quota = bench.get(&RESOURCE_QUOTAS, "shop", "q");
        assert_eq!(quota.at("status.used").to_json(), expect);
        assert!(quota.at("status.hard").same(quota.at("spec.hard")));
    }

    #[test]
    fn it_counts_what_is_there_and_again_when_something_goes() {
        let mut bench = bench();
        bench.put(&PODS, pod("a", "100m"));
        bench.put(&PODS, pod("b", "1"));
        bench.put(
            &RESOURCE_QUOTAS,
            object!({
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": { "name": "q", "namespace": "shop" },
                "spec": { "hard": {
                    "pods": "4",
                    "requests.cpu": "2",
                    "persistentvolumeclaims": "1",
                    "count/pods": "9",
                } },
            }),
        );
        let both =
            r#"{"count/pods":"2","persistentvolumeclaims":"0","pods":"2","requests.cpu":"1100m"}"#;
        check(&bench, both);
        bench.change(&PODS, ("shop", "b"), |pod| {
            pod.set("status.phase", "Succeeded")
        });
        let one =
            r#"{"count/pods":"2","persistentvolumeclaims":"0","pods":"1","requests.cpu":"100m"}"#;
        check(&bench, one);
        bench.vanish(&PODS, "shop", "b");
        bench.vanish(&PODS, "shop", "a");
        let none =
            r#"{"count/pods":"0","persistentvolumeclaims":"0","pods":"0","requests.cpu":"0"}"#;
        check(&bench, none);
        // What is new is the API server's to charge; what it missed is found in time.
        bench.put(&PODS, pod("c", "1"));
        check(&bench, none);
        bench.pass_secs(5 * 60);
        let found =
            r#"{"count/pods":"1","persistentvolumeclaims":"0","pods":"1","requests.cpu":"1"}"#;
        check(&bench, found);
    }

    #[test]
    fn what_is_limited_no_longer_is_forgotten() {
        let mut bench = bench();
        let quota = |hard: Value| {
            object!({
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": { "name": "q", "namespace": "shop" },
                "spec": { "hard": (hard) },
                "status": { "hard": { "pods": "1" }, "used": { "pods": "0" } },
            })
        };
        bench.put(&RESOURCE_QUOTAS, quota(object!({ "configmaps": "1" })));
        check(&bench, r#"{"configmaps":"0"}"#);
    }
}
