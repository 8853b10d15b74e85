//! The extension points of the scheduler and what passes through them. Runs nothing itself: `cycle`
//! calls the plugins, `queue` asks their hints.
//! Models pkg/scheduler/framework/interface.go.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;

use api::Str;
use client::Key;

use crate::{Cluster, NodeInfo, PodInfo};

/// The best a plugin can say of a node.
pub const MAX_SCORE: i64 = 100;

/// Why a plugin says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The sentences people read, as `node(s) were unschedulable`.
    pub reasons: Vec<Cow<'static, str>>,
    /// Whether removing pods from the node could change its mind (upstream's `Unschedulable` as
    /// against `UnschedulableAndUnresolvable`).
    pub resolvable: bool,
}

/// What a plugin says before nodes are looked at.
#[derive(Debug)]
pub enum PreFilter {
    /// Every node is to be asked about.
    Proceed(State),
    /// The plugin's `filter` has nothing to say about this pod.
    Skip,
    /// Only these nodes are to be asked about.
    Only(Vec<Str>, State),
    /// No node will do.
    Reject(Rejection),
}

/// What a plugin says before nodes are compared.
#[derive(Debug)]
pub enum PreScore {
    /// Each node is to be scored.
    Proceed(State),
    /// All nodes are alike to this plugin.
    Skip,
}

/// What a plugin worked out for one pod, kept for the length of a cycle.
#[derive(Default)]
pub struct State(Option<Box<dyn Any>>);

/// Something that happened in the cluster and may let a waiting pod in.
#[derive(Clone, Copy, Debug)]
pub struct ClusterEvent<'a> {
    /// What happened.
    pub kind: EventKind,
    /// The node as it is now, for events of nodes.
    pub node: Option<&'a NodeInfo>,
    /// The pod as it was, or as it is if it was added, for events of pods.
    pub pod: Option<&'a PodInfo>,
    /// The claim, for events of claims.
    pub claim: Option<&'a Key>,
}

/// Kinds of events that plugins may ask to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A node joined.
    NodeAdded,
    /// What a node offers changed.
    NodeAllocatable,
    /// A node's labels changed.
    NodeLabels,
    /// A node's taints, or whether it takes pods at all, changed.
    NodeTaints,
    /// A pod came to a node.
    AssignedPodAdded,
    /// A pod on a node changed its labels.
    AssignedPodLabels,
    /// A pod left its node.
    AssignedPodDeleted,
    /// The waiting pod itself was changed by someone.
    PodItself,
    /// A claim for a volume came or changed.
    Claim,
    /// A volume came or changed.
    Volume,
    /// A class of volumes came or changed.
    StorageClass,
}

/// A plugin. It keeps its reason sentences, the events that could change its mind, and what it
/// decides in one file. Extension points it does not override have no effect. Plugins have no
/// state of their own; what they work out for a pod goes into a `State`.
#[allow(unused_variables)]
pub trait Plugin {
    /// As upstream's configuration names it.
    fn name(&self) -> &'static str;

    /// The events after which a pod it rejected is worth another look.
    fn events(&self) -> &'static [EventKind] {
        &[]
    }

    /// Whether this very event could change its mind about a pod it rejected.
    fn could_help(&self, pod: &PodInfo, event: &ClusterEvent<'_>) -> bool {
        true
    }

    /// Whether a pod may enter the queue at all.
    ///
    /// # Errors
    /// Why it may not.
    fn pre_enqueue(&self, pod: &PodInfo) -> Result<(), Rejection> {
        Ok(())
    }

    /// Prepares to filter.
    fn pre_filter(&self, pod: &PodInfo, cluster: &Cluster) -> PreFilter {
        PreFilter::Proceed(State::default())
    }

    /// Whether a node can run the pod.
    ///
    /// # Errors
    /// Why it cannot.
    fn filter(&self, state: &State, pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        Ok(())
    }

    /// Prepares to score the nodes that passed. Plugins that do not score skip here.
    fn pre_score(&self, pod: &PodInfo, nodes: &[&NodeInfo], cluster: &Cluster) -> PreScore {
        PreScore::Skip
    }

    /// How good a node is for the pod, in the plugin's own measure.
    fn score(&self, state: &State, pod: &PodInfo, node: &NodeInfo) -> i64 {
        0
    }

    /// Brings its scores of all nodes into 0 to `MAX_SCORE`.
    fn normalize(&self, state: &State, scores: &mut [i64]) {}
}

impl Rejection {
    /// No, unless pods make room.
    #[must_use]
    pub fn unschedulable(reason: impl Into<Cow<'static, str>>) -> Rejection {
        Rejection {
            reasons: vec![reason.into()],
            resolvable: true,
        }
    }

    /// No, whatever pods there are.
    #[must_use]
    pub fn unresolvable(reason: impl Into<Cow<'static, str>>) -> Rejection {
        Rejection {
            reasons: vec![reason.into()],
            resolvable: false,
        }
    }
}

impl State {
    /// Keeps a value.
    #[must_use]
    pub fn of(value: impl Any) -> State {
        State(Some(Box::new(value)))
    }

    /// The value kept, if it is a `T`.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.as_ref()?.downcast_ref()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "State(..)"
        } else {
            "State"
        })
    }
}

/// Scales scores so that the highest becomes `MAX_SCORE`; `reverse` turns them round, so that the
/// lowest was best. Models plugins/helper/normalize_score.go.
pub fn normalize_by_highest(scores: &mut [i64], reverse: bool) {
    let highest = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        let scaled = if highest == 0 {
            0
        } else {
            *score * MAX_SCORE / highest
        };
        *score = if reverse { MAX_SCORE - scaled } else { scaled };
    }
}
