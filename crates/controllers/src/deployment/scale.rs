//! Scaling in the middle of a rollout: what is added or taken away is shared out among the
//! ReplicaSets in proportion to their size.
//! Models pkg/controller/deployment/sync.go (`scale`) and util (`GetReplicaSetProportion`).

use std::cmp::Reverse;

use super::ReplicaSet;
use super::replica_set::MAX;
use super::rollout::Rollout;

impl Rollout {
    /// Brings the ReplicaSets to the number of replicas asked for.
    pub(super) fn scale_proportionally(&mut self) {
        if let Some(only) = self.active_or_latest() {
            self.set_replicas(only, self.replicas);
        } else if self.is_saturated() {
            self.scale_old_to_zero();
        } else if self.is_rolling() {
            self.share_out();
        }
    }

    /// The one ReplicaSet that has replicas; if none has, the new one, or the latest.
    fn active_or_latest(&self) -> Option<usize> {
        let active: Vec<usize> = (0..self.sets.len())
            .filter(|at| self.sets[*at].is_active())
            .collect();
        match active[..] {
            [] => self.new.or(self.sets.len().checked_sub(1)),
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether the new ReplicaSet has all the replicas asked for, and they are available.
    fn is_saturated(&self) -> bool {
        self.new_set().is_some_and(|new| {
            let all = self.replicas;
            new.replicas == all && new.desired() == Some(all) && new.available == all
        })
    }

    fn share_out(&mut self) {
        let mut active: Vec<usize> = (0..self.sets.len())
            .filter(|at| self.sets[*at].is_active())
            .collect();
        let allowed = if self.replicas > 0 { self.most() } else { 0 };
        let to_add = allowed - self.total();
        // The largest first; of equals the newest when adding, the oldest when taking away.
        active.sort_by_key(|at| {
            let rs = &self.sets[*at];
            let (newer, older) = (Reverse(rs.created), rs.created);
            let age = if to_add > 0 {
                (Some(newer), None)
            } else {
                (None, Some(older))
            };
            (Reverse(rs.replicas), age)
        });
        let mut added = 0;
        let mut sizes = Vec::new();
        for at in &active {
            let rs = &self.sets[*at];
            let share = self.share(rs, to_add, added);
            added += share;
            sizes.push(rs.replicas + share);
        }
        if let Some(first) = sizes.first_mut() {
            *first = (*first + to_add - added).max(0);
        }
        let (desired, most) = (self.replicas, self.most());
        for (at, size) in active.into_iter().zip(sizes) {
            self.sets[at].replicas = size;
            self.sets[at].annotate(desired, most);
        }
    }

    /// What a ReplicaSet gets of `to_add`, of which `added` is given away.
    fn share(&self, rs: &ReplicaSet, to_add: i64, added: i64) -> i64 {
        let left = to_add - added;
        if rs.replicas == 0 || left == 0 {
            return 0;
        }
        let fraction = self.fraction(rs);
        if to_add > 0 {
            fraction.min(left)
        } else {
            fraction.max(left)
        }
    }

    /// How much a ReplicaSet would grow if it grew as the whole does.
    fn fraction(&self, rs: &ReplicaSet) -> i64 {
        if self.replicas == 0 {
            return -rs.replicas;
        }
        let before = rs.object.annotation(MAX).parse::<i64>().ok();
        let before = before
            .or(self.deployment.i64_at("status.replicas"))
            .filter(|n| *n > 0);
        let Some(before) = before else { return 0 };
        // Rounded to the nearest.
        let grown = (2 * rs.replicas * self.most() + before) / (2 * before);
        grown - rs.replicas
    }
}
