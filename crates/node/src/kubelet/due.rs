//! What is to happen when: one timer of the process for everything that waits for a time.

use std::collections::{BTreeMap, BTreeSet};

use api::Str;
use machine::{Alarm, Fd, Sys, TimerId};
use sim::Instant;

use crate::kubelet::prober::ProbeId;

/// What comes due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A pass of a pod.
    Pass(Str),
    /// A look at the objects behind a pod's volumes.
    Volumes(Str),
    /// Another attempt to write a pod's status, or to delete it.
    Status(Str),
    /// Another attempt of an informer.
    Informers,
    /// Another attempt to write events.
    Events,
    /// Another attempt to make mirror pods.
    Mirrors,
    /// Another attempt to register the node.
    Register,
    /// The node's lease.
    Lease,
    /// The node's status.
    NodeStatus,
    /// The runtime's status.
    Runtime,
    /// The kubelet's own rules of netfilter.
    Rules,
    /// A probe.
    Probe(ProbeId),
    /// The end of the patience with a request of our own.
    Request(Fd),
    /// The end of the patience with a hook.
    Hook(Str, usize),
}

/// Times by what comes due then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timetable {
    order: BTreeSet<(Instant, Due)>,
    times: BTreeMap<Due, Instant>,
    alarm: Alarm,
}

impl Timetable {
    /// Sets when something comes due, in place of any time set before; none takes it out.
    pub(crate) fn set(&mut self, due: Due, at: Option<Instant>) {
        let known = self.times.get(&due).copied();
        if known == at {
            return;
        }
        if let Some(old) = known {
            self.order.remove(&(old, due.clone()));
        }
        match at {
            Some(at) => {
                self.order.insert((at, due.clone()));
                self.times.insert(due, at);
            }
            None => {
                self.times.remove(&due);
            }
        }
    }

    /// Takes the first thing that is due by now.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Due> {
        let (at, _) = self.order.first()?;
        if *at > now {
            return None;
        }
        let (_, due) = self.order.pop_first()?;
        self.times.remove(&due);
        Some(due)
    }

    /// Whether a timer is this one's; it has run out then.
    pub(crate) fn is_timer(&mut self, timer: TimerId) -> bool {
        self.alarm.rang(timer)
    }

    /// Sets the timer for what comes first.
    pub(crate) fn arm(&mut self, sys: &mut Sys<'_>) {
        let first = self.order.first().map(|(at, _)| *at);
        self.alarm.set(sys, first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_set_anew_replaces_the_old_one() {
        let at = Instant::from_nanos;
        let mut table = Timetable::default();
        table.set(Due::Lease, Some(at(5)));
        table.set(Due::Register, Some(at(3)));
        table.set(Due::Lease, Some(at(2)));
        table.set(Due::Runtime, Some(at(4)));
        table.set(Due::Runtime, None);
        assert_eq!(table.take(at(1)), None);
        assert_eq!(table.take(at(9)), Some(Due::Lease));
        assert_eq!(table.take(at(9)), Some(Due::Register));
        assert_eq!(table.take(at(9)), None);
    }
}
