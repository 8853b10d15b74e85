//! Keeps the status of PodDisruptionBudgets: how many of their pods are healthy, and how many may go.
//! The API server takes from that number when it evicts; this controller counts anew.
//! Models pkg/controller/disruption/disruption.go.

use api::Value;
use api::selector::LabelSelector;
use client::{Delta, Index, Involved, Key, POD_DISRUPTION_BUDGETS, PODS, Resource};
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx, Saying};
use crate::pods;

mod expected;
mod status;

#[cfg(test)]
mod tests;

/// A pod whose eviction was granted counts as gone for so long; then it is thought to stay.
const DELETION_TIMEOUT: Duration = Duration::from_secs(2 * 60);

/// The controller. Keys are budgets.
#[derive(Clone, Debug)]
pub struct DisruptionController {
    /// Resources with a scale: what pods belong to.
    scalable: Vec<Resource>,
    /// Pods that several budgets match, with the one that was taken: to be told at its next sync.
    crowded: Vec<(Key, Key)>,
}

impl DisruptionController {
    /// A controller that asks these resources how many pods they want.
    #[must_use]
    pub fn new(scalable: Vec<Resource>) -> DisruptionController {
        let crowded = Vec::new();
        DisruptionController { scalable, crowded }
    }
}

impl Controller for DisruptionController {
    fn name(&self) -> &'static str {
        "controllermanager"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        let budgets: (Resource, &'static [Index]) = (POD_DISRUPTION_BUDGETS, &[]);
        let mut all = vec![budgets, (PODS, &[])];
        all.extend(
            self.scalable
                .iter()
                .map(|resource| (resource.clone(), &[] as &[Index])),
        );
        all
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == POD_DISRUPTION_BUDGETS {
            agenda.add(delta.key.clone());
        } else if *resource == PODS
            && counts_otherwise(delta)
            && let Some(chosen) = on_pod(agenda, delta)
        {
            self.crowded.push((delta.key.clone(), chosen));
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        self.tell_crowded(cx, key);
        let Some(budget) = cx.cache(&POD_DISRUPTION_BUDGETS).get(key).cloned() else {
            return;
        };
        let selector = selector(&budget);
        let pods: Vec<&Value> = cx
            .cache(&PODS)
            .in_namespace(&key.namespace)
            .map(|(_, pod)| pod)
            .filter(|pod| selector.matches(pod.labels()))
            .collect();
        let involved = Involved::of(&POD_DISRUPTION_BUDGETS, &budget);
        if pods.is_empty() {
            cx.event(Saying::normal(
                &involved,
                "NoPods",
                "No matching pods found",
            ));
        }
        match expected::of(cx, &self.scalable, &budget, &pods) {
            Ok(expected) => {
                if expected.unmanaged {
                    let text = status::unmanaged(budget.at("spec.selector"));
                    cx.event(Saying::warning(&involved, "UnmanagedPods", text));
                }
                let disrupted = still_disrupted(cx, &budget, &pods);
                let healthy = pods
                    .iter()
                    .filter(|pod| is_healthy(pod, &disrupted))
                    .count();
                status::update(cx, &budget, expected, healthy, disrupted);
            }
            Err(why) => {
                let text = format!("Failed to calculate the number of expected pods: {why}");
                let reason = "CalculateExpectedPodCountFailed";
                cx.event(Saying::warning(&involved, reason, text));
                status::fail(cx, &budget, &why);
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl DisruptionController {
    fn tell_crowded(&mut self, cx: &mut Cx<'_>, budget: &Key) {
        let all = std::mem::take(&mut self.crowded);
        let (mine, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(_, chosen)| chosen == budget);
        self.crowded = others;
        for (pod, chosen) in mine {
            let Some(object) = cx.cache(&PODS).get(&pod) else {
                continue;
            };
            let text = format!(
                "Pod {:?}/{:?} matches multiple PodDisruptionBudgets.  Chose {:?} arbitrarily.",
                &*pod.namespace, &*pod.name, &*chosen.name
            );
            let (involved, reason) = (Involved::of(&PODS, object), "MultiplePodDisruptionBudgets");
            cx.event(Saying::warning(&involved, reason, text));
        }
    }
}

/// What a budget selects: nothing, if it has no selector.
fn selector(budget: &Value) -> LabelSelector {
    let selector = budget.at("spec.selector");
    match selector.is_null() {
        true => LabelSelector::nothing(),
        false => LabelSelector::from_object(selector).unwrap_or_else(|_| LabelSelector::nothing()),
    }
}

/// Whether what budgets look at has changed.
fn counts_otherwise(delta: &Delta) -> bool {
    let (Some(old), Some(new)) = (&delta.old, &delta.new) else {
        return true;
    };
    pods::is_ready(old) != pods::is_ready(new)
        || old.is_terminating() != new.is_terminating()
        || delta.changed("metadata.labels")
        || delta.changed("metadata.ownerReferences")
}

/// A pod belongs to one budget; where it matches more, the first is taken, and given back to be told.
fn on_pod(agenda: &mut Agenda<'_>, delta: &Delta) -> Option<Key> {
    let mut crowded = None;
    for pod in [&delta.old, &delta.new].into_iter().flatten() {
        let budgets = agenda.cache(&POD_DISRUPTION_BUDGETS);
        let mut matching = budgets
            .in_namespace(&delta.key.namespace)
            .filter(|(_, budget)| selector(budget).matches(pod.labels()));
        if let Some((key, _)) = matching.next() {
            agenda.add(key.clone());
            crowded = matching.next().map(|_| key.clone());
        }
    }
    crowded
}

/// The pods whose eviction was granted and that have not begun to go, and since when. Those that
/// should have gone by now are given up, and that is told.
fn still_disrupted<'a>(
    cx: &mut Cx<'_>,
    budget: &'a Value,
    pods: &[&Value],
) -> Vec<(&'a str, Instant)> {
    let mut found = Vec::new();
    for (name, since) in budget.map_at("status.disruptedPods") {
        let Some(pod) = pods.iter().find(|pod| pod.name() == name.as_str()) else {
            continue;
        };
        if pod.is_terminating() {
            continue;
        }
        let since = Instant::parse_rfc3339(since.as_str()).unwrap_or_default();
        if since + DELETION_TIMEOUT > cx.now {
            found.push((name.as_str(), since));
            cx.requeue_after((since + DELETION_TIMEOUT).since(cx.now));
            continue;
        }
        let text = format!(
            "Pod was expected by PDB {}/{} to be deleted but it wasn't",
            budget.namespace(),
            budget.name()
        );
        let involved = Involved::of(&PODS, pod);
        cx.event(Saying::warning(&involved, "NotDeleted", text));
    }
    found
}

fn is_healthy(pod: &Value, disrupted: &[(&str, Instant)]) -> bool {
    let granted = disrupted.iter().any(|(name, _)| *name == pod.name());
    !pod.is_terminating() && !granted && pods::is_ready(pod)
}
