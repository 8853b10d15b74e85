//! One scheduling cycle: which nodes can run a pod, which of them is best. Every answer of a plugin
//! is recorded on the way, so that the decision can be explained.
//! Models pkg/scheduler/schedule_one.go (`schedulePod`) and framework/runtime.

use std::collections::BTreeSet;

use api::Str;
use sim::Stream;

use crate::decision::{Score, Verdict, fit_error};
use crate::framework::{PreFilter, PreScore, Rejection, State};
use crate::preemption::{self, Help};
use crate::{Cluster, NodeInfo, Outcome, PodInfo, Profile};

/// Up to so many nodes all are looked at.
const MIN_FEASIBLE: usize = 100;

/// What a cycle came to.
#[derive(Debug)]
pub(crate) struct Cycle {
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) outcome: Outcome,
    /// How many nodes were looked at; the next cycle begins after them.
    pub(crate) looked_at: usize,
}

/// Runs a cycle for a pod. `first` is the node to begin with, where not all are looked at.
pub(crate) fn run(
    profile: &Profile,
    cluster: &Cluster,
    pod: &PodInfo,
    first: usize,
    random: &mut Stream,
) -> Cycle {
    let mut filters = Filters::new(profile);
    let nodes: Vec<&NodeInfo> = cluster.nodes().collect();
    if nodes.is_empty() {
        return no(
            "no nodes available to schedule pods".into(),
            BTreeSet::new(),
        );
    }
    if let Some((plugin, rejection)) = filters.prepare(profile, cluster, pod) {
        let why = rejection.reasons.join(", ");
        // Preemption finds that claims for devices were not looked at, and says so in two words.
        let message = format!("0/{} nodes are available: {why}. not found", nodes.len());
        return no(message, BTreeSet::from([plugin]));
    }
    let wanted = feasible_wanted(nodes.len());
    let (mut verdicts, mut feasible) = (Vec::with_capacity(nodes.len()), Vec::new());
    let promised = promised_node(&mut filters, profile, cluster, pod);
    for i in 0..nodes.len() {
        let node = promised.unwrap_or(nodes[(first + i) % nodes.len()]);
        let rejected = filters.ask_all(profile, cluster, pod, node).err();
        if rejected.is_none() {
            feasible.push((node, verdicts.len()));
        }
        verdicts.push(Verdict {
            node: node.name.clone(),
            rejected,
            scores: Vec::new(),
            total: 0,
        });
        if feasible.len() == wanted || promised.is_some() {
            break;
        }
    }
    let looked_at = verdicts.len();
    let outcome = if feasible.is_empty() {
        unschedulable(profile, cluster, pod, &mut filters, &verdicts)
    } else {
        score(profile, cluster, pod, &feasible, &mut verdicts);
        choose(&feasible, &verdicts, random)
    };
    verdicts.sort_by(|a, b| a.node.cmp(&b.node));
    Cycle {
        verdicts,
        outcome,
        looked_at,
    }
}

/// The node that others left for the pod, if it fits there now.
fn promised_node<'a>(
    filters: &mut Filters,
    profile: &Profile,
    cluster: &'a Cluster,
    pod: &PodInfo,
) -> Option<&'a NodeInfo> {
    let promised = cluster.nomination(&pod.uid)?;
    let node = cluster.node(&promised.node)?;
    let answer = filters.ask_all(profile, cluster, pod, node);
    answer.is_ok().then_some(node)
}

fn no(message: String, rejected_by: BTreeSet<&'static str>) -> Cycle {
    let outcome = Outcome::Unschedulable {
        message,
        rejected_by,
        preemption: None,
    };
    Cycle {
        verdicts: Vec::new(),
        outcome,
        looked_at: 0,
    }
}

/// How many feasible nodes are enough: all of up to 100; of more, half and less, at least 5 %.
fn feasible_wanted(nodes: usize) -> usize {
    if nodes < MIN_FEASIBLE {
        return nodes;
    }
    let percent = (50_usize.saturating_sub(nodes / 125)).max(5);
    (nodes * percent / 100).max(MIN_FEASIBLE)
}

fn unschedulable(
    profile: &Profile,
    cluster: &Cluster,
    pod: &PodInfo,
    filters: &mut Filters,
    verdicts: &[Verdict],
) -> Outcome {
    let rejections = || {
        verdicts
            .iter()
            .filter_map(|verdict| verdict.rejected.as_ref())
    };
    let rejected_by = rejections().map(|(plugin, _)| *plugin).collect();
    let mut message = fit_error(verdicts.len(), rejections().map(|(_, rejection)| rejection));
    let help = preemption::look(pod, cluster, verdicts, |node| {
        let answer = filters.ask_all(profile, cluster, pod, node);
        answer.map_err(|(_, rejection)| rejection)
    });
    let preemption = match help {
        Help::Room(preemption) => Some(preemption),
        Help::None(words) => {
            message.push_str(&words);
            None
        }
    };
    Outcome::Unschedulable {
        message,
        rejected_by,
        preemption,
    }
}

fn score(
    profile: &Profile,
    cluster: &Cluster,
    pod: &PodInfo,
    feasible: &[(&NodeInfo, usize)],
    verdicts: &mut [Verdict],
) {
    // A single node needs no comparison.
    if feasible.len() == 1 {
        return;
    }
    let nodes: Vec<&NodeInfo> = feasible.iter().map(|(node, _)| *node).collect();
    let mut scores = Vec::with_capacity(nodes.len());
    for enabled in &profile.plugins {
        let PreScore::Proceed(state) = enabled.plugin.pre_score(pod, &nodes, cluster) else {
            continue;
        };
        scores.clear();
        scores.extend(
            nodes
                .iter()
                .map(|node| enabled.plugin.score(&state, pod, node)),
        );
        enabled.plugin.normalize(&state, &mut scores);
        for ((_, at), score) in feasible.iter().zip(&scores) {
            let (plugin, weight) = (enabled.plugin.name(), enabled.weight);
            verdicts[*at].scores.push(Score {
                plugin,
                score: *score,
                weight,
            });
            verdicts[*at].total += score * weight;
        }
    }
}

/// The node of the highest total. Chance decides among equals.
fn choose(feasible: &[(&NodeInfo, usize)], verdicts: &[Verdict], random: &mut Stream) -> Outcome {
    let best = feasible
        .iter()
        .map(|(_, at)| verdicts[*at].total)
        .max()
        .unwrap_or(0);
    let equals: Vec<&Str> = feasible
        .iter()
        .filter(|(_, at)| verdicts[*at].total == best)
        .map(|(node, _)| &node.name)
        .collect();
    let pick = if equals.len() > 1 {
        random.below(equals.len() as u64)
    } else {
        0
    };
    let node = equals[usize::try_from(pick).unwrap_or(0)].clone();
    Outcome::Placed {
        node,
        ties: u32::try_from(equals.len()).unwrap_or(u32::MAX),
    }
}

/// The filters with what each worked out for the pod.
struct Filters {
    /// Per plugin of the profile; none where it has nothing to say.
    states: Vec<Option<State>>,
    /// Nodes that are left, and the plugins that said so, where a plugin knows beforehand.
    only: Option<BTreeSet<Str>>,
    only_by: Vec<&'static str>,
}

impl Filters {
    fn new(profile: &Profile) -> Filters {
        let states = Vec::with_capacity(profile.plugins.len());
        Filters {
            states,
            only: None,
            only_by: Vec::new(),
        }
    }

    /// Asks every plugin what it needs to know of the pod. Returns who rejects it outright.
    fn prepare(
        &mut self,
        profile: &Profile,
        cluster: &Cluster,
        pod: &PodInfo,
    ) -> Option<(&'static str, Rejection)> {
        for enabled in &profile.plugins {
            let state = match enabled.plugin.pre_filter(pod, cluster) {
                PreFilter::Proceed(state) => Some(state),
                PreFilter::Skip => None,
                PreFilter::Only(names, state) => {
                    self.narrow(enabled.plugin.name(), names);
                    Some(state)
                }
                PreFilter::Reject(rejection) => return Some((enabled.plugin.name(), rejection)),
            };
            self.states.push(state);
        }
        None
    }

    fn narrow(&mut self, plugin: &'static str, names: Vec<Str>) {
        let names: BTreeSet<Str> = names.into_iter().collect();
        self.only = Some(match self.only.take() {
            Some(before) => &before & &names,
            None => names,
        });
        self.only_by.push(plugin);
    }

    /// The first plugin that rejects a node as it is, or as it will be when those have come that it
    /// was promised to.
    fn ask_all(
        &mut self,
        profile: &Profile,
        cluster: &Cluster,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<(), (&'static str, Rejection)> {
        if let Some(crowded) = cluster.with_nominated(node, pod) {
            self.ask(profile, pod, &crowded)?;
        }
        self.ask(profile, pod, node)
    }

    /// The first plugin that rejects a node.
    fn ask(
        &mut self,
        profile: &Profile,
        pod: &PodInfo,
        node: &NodeInfo,
    ) -> Result<(), (&'static str, Rejection)> {
        if self
            .only
            .as_ref()
            .is_some_and(|only| !only.contains(&node.name))
        {
            let names = self.only_by.join(" ");
            let why = format!("node(s) didn't satisfy plugin(s) [{names}]");
            return Err((self.only_by[0], Rejection::unresolvable(why)));
        }
        for (enabled, state) in profile.plugins.iter().zip(&self.states) {
            if let Some(state) = state {
                let answer = enabled.plugin.filter(state, pod, node);
                answer.map_err(|rejection| (enabled.plugin.name(), rejection))?;
            }
        }
        Ok(())
    }
}
