//! The state of a rollout as the caches show it, and what each ReplicaSet is to become.
//! Models pkg/controller/deployment/{rolling,recreate}.go and util/deployment_util.go.

use api::Value;
use client::{DEPLOYMENTS, DeleteOptions, Index, Involved, Key, PODS, REPLICA_SETS};

use super::ReplicaSet;
use crate::controller::Cx;
use crate::pods;

/// A rollout under way.
pub(super) struct Rollout {
    pub(super) key: Key,
    pub(super) involved: Involved,
    /// The Deployment as the cache has it.
    pub(super) deployment: Value,
    /// The Deployment as it is to be: annotations and status.
    pub(super) wanted: Value,
    pub(super) replicas: i64,
    pub(super) max_surge: i64,
    pub(super) max_unavailable: i64,
    /// All its ReplicaSets, the oldest first.
    pub(super) sets: Vec<ReplicaSet>,
    /// Which of them has the template.
    pub(super) new: Option<usize>,
}

impl Rollout {
    pub(super) fn new(cx: &Cx<'_>, deployment: &Value) -> Rollout {
        let owned = cx.cache(&REPLICA_SETS).by(Index::Owner, deployment.uid());
        let mut sets: Vec<ReplicaSet> = owned
            .filter(|rs| rs.is_controlled_by(deployment.uid()))
            .map(ReplicaSet::of)
            .collect();
        sets.sort_by(|a, b| {
            a.created
                .cmp(&b.created)
                .then_with(|| a.name().cmp(b.name()))
        });
        let template = deployment.at("spec.template");
        let replicas = deployment.i64_at("spec.replicas").unwrap_or(1);
        let (max_surge, max_unavailable) = bounds(deployment, replicas);
        Rollout {
            key: Key::of(deployment),
            involved: Involved::of(&DEPLOYMENTS, deployment),
            deployment: deployment.clone(),
            wanted: deployment.clone(),
            replicas,
            max_surge,
            max_unavailable,
            new: sets.iter().position(|rs| rs.has_template(template)),
            sets,
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.deployment.bool_at("spec.paused")
    }

    pub(super) fn is_rolling(&self) -> bool {
        is_rolling(&self.deployment)
    }

    /// Whether the number of replicas changed since the ReplicaSets were last scaled.
    pub(super) fn is_scaling(&self) -> bool {
        let mut active = self.sets.iter().filter(|rs| rs.is_active());
        active.any(|rs| rs.desired().is_some_and(|desired| desired != self.replicas))
    }

    pub(super) fn new_set(&self) -> Option<&ReplicaSet> {
        self.new.map(|new| &self.sets[new])
    }

    /// The numbers of the ReplicaSets of other templates, the oldest first.
    pub(super) fn old_sets(&self) -> Vec<usize> {
        (0..self.sets.len())
            .filter(|at| Some(*at) != self.new)
            .collect()
    }

    pub(super) fn total(&self) -> i64 {
        self.sets.iter().map(|rs| rs.replicas).sum()
    }

    /// The most pods there may be.
    pub(super) fn most(&self) -> i64 {
        self.replicas + self.max_surge
    }

    /// Sets how many replicas a ReplicaSet is to have. False if it has them.
    pub(super) fn set_replicas(&mut self, at: usize, replicas: i64) -> bool {
        let (desired, max) = (self.replicas, self.most());
        let rs = &mut self.sets[at];
        let changes = rs.replicas != replicas;
        if changes {
            rs.replicas = replicas;
            rs.annotate(desired, max);
        }
        changes
    }

    pub(super) fn scale_new_to(&mut self, replicas: i64) -> bool {
        self.new.is_some_and(|new| self.set_replicas(new, replicas))
    }

    /// How many replicas the new ReplicaSet may have now, if it has `current`.
    pub(super) fn new_replicas(&self, current: i64) -> i64 {
        if !self.is_rolling() {
            return self.replicas;
        }
        let room = self.most() - self.total();
        if room <= 0 {
            return current;
        }
        current + room.min(self.replicas - current)
    }

    /// Lets new pods come, as many as the surge allows. False if there is nothing to change.
    pub(super) fn scale_up_new(&mut self) -> bool {
        let Some(new) = self.new_set() else {
            return false;
        };
        let wanted = match new.replicas {
            current if current == self.replicas => return false,
            current if current > self.replicas => self.replicas,
            current => self.new_replicas(current),
        };
        self.scale_new_to(wanted)
    }

    /// Lets old pods go: first those that are of no use, then as many as availability allows.
    pub(super) fn scale_down_old(&mut self) -> bool {
        let old = self.old_sets();
        if old.iter().all(|at| self.sets[*at].replicas == 0) {
            return false;
        }
        let least = self.replicas - self.max_unavailable;
        let new_unavailable = self.new_set().map_or(0, |new| new.replicas - new.available);
        let most_gone = self.total() - least - new_unavailable;
        if most_gone <= 0 {
            return false;
        }
        let useless = self.scale_down_useless(&old, most_gone);
        let available: i64 = self.sets.iter().map(|rs| rs.available).sum();
        let spare = available - least;
        self.scale_down_in_order(&old, spare, |rs| rs.replicas) || useless
    }

    /// Old pods that are not available do not count for availability: they go first.
    fn scale_down_useless(&mut self, old: &[usize], most: i64) -> bool {
        self.scale_down_in_order(old, most, |rs| (rs.replicas - rs.available).max(0))
    }

    /// Scales down the oldest first, each by as many as it can spare, by `most` in all.
    fn scale_down_in_order(
        &mut self,
        old: &[usize],
        most: i64,
        spare: impl Fn(&ReplicaSet) -> i64,
    ) -> bool {
        let mut gone = 0;
        for at in old {
            let rs = &self.sets[*at];
            let down = spare(rs).min(rs.replicas).min(most - gone);
            if down > 0 {
                let replicas = rs.replicas - down;
                gone += down;
                self.set_replicas(*at, replicas);
            }
        }
        gone > 0
    }

    pub(super) fn scale_old_to_zero(&mut self) -> bool {
        let mut changed = false;
        for at in self.old_sets() {
            changed |= self.set_replicas(at, 0);
        }
        changed
    }

    /// Whether pods of other templates are still there, be it terminating.
    pub(super) fn has_old_pods(&self, cx: &Cx<'_>) -> bool {
        self.old_sets().into_iter().any(|at| {
            let rs = &self.sets[at];
            let mut pods = cx.cache(&PODS).by(Index::Owner, rs.object.uid());
            rs.status("replicas") > 0 || pods.any(|pod| !pods::is_finished(pod))
        })
    }

    /// Whether the status, as the cache has it, says that the rollout is over.
    pub(super) fn is_complete(&self) -> bool {
        super::status::is_complete(&self.deployment, self.deployment.get("status"))
    }

    /// Deletes ReplicaSets of old templates beyond the history limit, the oldest revisions first.
    pub(super) fn clean_up(&self, cx: &mut Cx<'_>) {
        let limit = self.deployment.i64_at("spec.revisionHistoryLimit");
        let limit = limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
        let old = self.old_sets().into_iter().map(|at| &self.sets[at]);
        let mut old: Vec<&ReplicaSet> = old.filter(|rs| !rs.object.is_terminating()).collect();
        let surplus = old.len().saturating_sub(limit);
        old.sort_by_key(|rs| rs.revision());
        for rs in old.into_iter().take(surplus) {
            let observed = rs.status("observedGeneration") >= rs.object.generation();
            if rs.status("replicas") == 0 && !rs.is_active() && observed {
                cx.delete(&REPLICA_SETS, &rs.object, DeleteOptions::default());
            }
        }
    }

    /// Writes the ReplicaSets that are to change.
    pub(super) fn write_replica_sets(&self, cx: &mut Cx<'_>) {
        for rs in &self.sets {
            rs.write(cx, &self.involved);
        }
    }
}

fn is_rolling(deployment: &Value) -> bool {
    deployment.str_at("spec.strategy.type") != "Recreate"
}

/// How many pods there may be above, and how many available pods below, the number asked for.
fn bounds(deployment: &Value, replicas: i64) -> (i64, i64) {
    if !is_rolling(deployment) {
        return (0, 0);
    }
    let rolling = deployment.at("spec.strategy.rollingUpdate");
    let surge = int_or_percent(rolling.get("maxSurge"), replicas, true);
    let mut unavailable = int_or_percent(rolling.get("maxUnavailable"), replicas, false);
    if surge == 0 && unavailable == 0 {
        unavailable = 1;
    }
    (surge, unavailable.min(replicas))
}

/// A number, or a percentage of `total`, rounded up or down. Absent means 25 %.
fn int_or_percent(value: &Value, total: i64, up: bool) -> i64 {
    if let Some(number) = value.as_i64() {
        return number;
    }
    let percent: i64 = value.as_str().trim_end_matches('%').parse().unwrap_or(25);
    let rounding = if up { 99 } else { 0 };
    (total * percent + rounding) / 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn surge_rounds_up_and_unavailability_down() {
        #[track_caller]
        fn check(surge: Value, unavailable: Value, replicas: i64, expect: (i64, i64)) {
            let rolling = object! { "maxSurge": surge, "maxUnavailable": unavailable };
            let deployment = object! { "spec": { "strategy": { "rollingUpdate": rolling } } };
            assert_eq!(bounds(&deployment, replicas), expect);
        }
        check("25%".into(), "25%".into(), 3, (1, 0));
        check("25%".into(), "25%".into(), 10, (3, 2));
        check(0.into(), "25%".into(), 3, (0, 1));
        check(2.into(), 5.into(), 3, (2, 3));
        check(Value::Null, Value::Null, 4, (1, 1));
    }
}
