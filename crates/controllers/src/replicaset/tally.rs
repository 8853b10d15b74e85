//! The pods of one ReplicaSet, counted. A change of a pod changes the counts; nobody goes through
//! the pods to know how many there are.

use api::selector::LabelSelector;
use api::{Map, Str, Value};
use client::Key;
use imbl::OrdSet;
use sim::{Duration, Instant};

use crate::pods;

/// What one pod counts as, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Uid of its controller; empty if it has none.
    pub(super) owner: Str,
    pub(super) owner_kind: Str,
    pub(super) owner_name: Str,
    pub(super) labels: Map,
    /// It runs or will run, and is not terminating.
    pub(super) active: bool,
    pub(super) terminating: bool,
    /// Since when it is ready.
    pub(super) ready: Option<Instant>,
}

/// The counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// How many active pods have these labels.
    groups: Vec<(Map, i64)>,
    pub(super) terminating: i64,
    /// Active pods that are ready, by when they became so.
    ready: OrdSet<(Instant, Key)>,
}

impl Share {
    pub(super) fn of(pod: &Value) -> Share {
        let owner = pod.controller();
        let text = |field: &str| {
            owner
                .and_then(|o| o.get(field).as_shared_str())
                .cloned()
                .unwrap_or_default()
        };
        let active = pods::is_active(pod);
        Share {
            owner: text("uid"),
            owner_kind: text("kind"),
            owner_name: text("name"),
            labels: pod.labels().clone(),
            active,
            terminating: pod.is_terminating() && !pods::is_finished(pod),
            ready: if active { pods::ready_since(pod) } else { None },
        }
    }
}

impl Tally {
    pub(super) fn count(&mut self, share: &Share, key: &Key, add: bool) {
        let one = if add { 1 } else { -1 };
        if share.terminating {
            self.terminating += one;
        }
        if share.active {
            match self
                .groups
                .iter()
                .position(|(labels, _)| *labels == share.labels)
            {
                Some(at) => {
                    self.groups[at].1 += one;
                    if self.groups[at].1 == 0 {
                        self.groups.remove(at);
                    }
                }
                None => self.groups.push((share.labels.clone(), one)),
            }
        }
        if let Some(since) = share.ready {
            if add {
                self.ready.insert((since, key.clone()));
            } else {
                self.ready.remove(&(since, key.clone()));
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.terminating == 0 && self.ready.is_empty()
    }

    pub(super) fn active(&self) -> i64 {
        self.groups.iter().map(|(_, count)| count).sum()
    }

    pub(super) fn ready(&self) -> i64 {
        i64::try_from(self.ready.len()).unwrap_or(i64::MAX)
    }

    /// How many active pods have all these labels.
    pub(super) fn labelled(&self, template: &Map) -> i64 {
        let selector = LabelSelector::from_map(template);
        self.groups
            .iter()
            .filter(|(labels, _)| selector.matches(labels))
            .map(|(_, n)| n)
            .sum()
    }

    /// Whether a selector picks every active pod.
    pub(super) fn all_match(&self, selector: &LabelSelector) -> bool {
        self.groups
            .iter()
            .all(|(labels, _)| selector.matches(labels))
    }

    /// How many pods have been ready for so long, and when there will be one more.
    pub(super) fn available(&self, now: Instant, least: Duration) -> (i64, Option<Duration>) {
        if least.is_zero() {
            return (self.ready(), None);
        }
        let waiting = self
            .ready
            .iter()
            .rev()
            .take_while(|(since, _)| *since + least > now);
        let (mut young, mut next) = (0, None);
        for (since, _) in waiting {
            young += 1;
            next = Some((*since + least).since(now));
        }
        (self.ready() - young, next)
    }
}
