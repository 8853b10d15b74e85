//! Keeps as many replicas as the metrics of a HorizontalPodAutoscaler ask for, between the least and
//! the most it allows. A round asks for the scale of the target, then for metrics, then writes; it
//! comes round every fifteen seconds.
//! Models pkg/controller/podautoscaler/horizontal.go.

use std::collections::BTreeMap;

use api::Value;
use client::{Delta, Error, Index, Involved, Key, POD_AUTOSCALERS, PODS, Resource, request};
use net::http::Request;
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx, Saying};

mod metrics;
mod normalize;
mod replicas;
mod status;
#[cfg(test)]
mod tests;

use metrics::Proposal;
use normalize::History;

/// `--horizontal-pod-autoscaler-sync-period`
const PERIOD: Duration = Duration::from_secs(15);

/// The controller. Keys are autoscalers.
#[derive(Clone, Debug)]
pub struct HorizontalController {
    /// Resources with a scale.
    scalable: Vec<Resource>,
    memory: BTreeMap<Key, Memory>,
}

/// What is remembered of an autoscaler.
#[derive(Clone, Debug, Default)]
struct Memory {
    step: Step,
    /// When the next round begins.
    due: Instant,
    history: History,
}

/// How far a round has come.
#[derive(Clone, Debug, Default)]
enum Step {
    #[default]
    Idle,
    /// The scale was asked for.
    Scale,
    /// Metrics were asked for.
    Metrics(Value),
    /// Another scale was asked for: how many there were, and are to be, and why.
    Rescale(Box<Rescale>),
}

#[derive(Clone, Debug)]
struct Rescale {
    current: i64,
    desired: i64,
    reason: String,
    metrics: Value,
    status: Value,
}

/// One sync of an autoscaler.
struct Round<'a> {
    scaler: &'a Value,
    involved: Involved,
    /// The autoscaler with the status it is to have.
    changed: Value,
}

impl HorizontalController {
    /// A controller for targets of these resources.
    #[must_use]
    pub fn new(scalable: Vec<Resource>) -> HorizontalController {
        HorizontalController {
            scalable,
            memory: BTreeMap::new(),
        }
    }

    fn target(&self, scaler: &Value) -> Option<&Resource> {
        let reference = scaler.at("spec.scaleTargetRef");
        let (version, kind) = (reference.str("apiVersion"), reference.str("kind"));
        let mut known = self.scalable.iter();
        known.find(|resource| resource.is_of(version, kind))
    }
}

impl Controller for HorizontalController {
    fn name(&self) -> &'static str {
        "horizontal-pod-autoscaler"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(POD_AUTOSCALERS, &[]), (PODS, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource != POD_AUTOSCALERS {
            return;
        }
        if delta.new.is_none() {
            self.memory.remove(&delta.key);
        } else if delta.old.is_none() {
            // Whatever is new waits for its first round like any other.
            let memory = self.memory.entry(delta.key.clone()).or_default();
            memory.due = agenda.now + PERIOD;
            agenda.add_after(delta.key.clone(), PERIOD);
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(scaler) = cx.cache(&POD_AUTOSCALERS).get(key) else {
            return;
        };
        let target = self.target(scaler).cloned();
        let memory = self.memory.entry(key.clone()).or_default();
        let answers = std::mem::take(&mut cx.outcome.answers);
        let step = std::mem::take(&mut memory.step);
        if matches!(step, Step::Idle) {
            if cx.now < memory.due {
                return cx.requeue_after(memory.due.since(cx.now));
            }
            memory.due = cx.now + PERIOD;
            cx.requeue_after(PERIOD);
        }
        let mut round = Round {
            scaler,
            involved: Involved::of(&POD_AUTOSCALERS, scaler),
            changed: scaler.clone(),
        };
        let Some(target) = target else {
            return round.no_scale(cx, &unknown_kind(scaler));
        };
        match step {
            Step::Idle => {
                cx.ask(&target, scale_request(&target, scaler));
                memory.step = Step::Scale;
            }
            Step::Scale => match answers.into_iter().next() {
                Some(Ok(scale)) => round.with_scale(cx, memory, &target, scale),
                Some(Err(error)) => round.no_scale(cx, &error.to_string()),
                None => {}
            },
            Step::Metrics(scale) => round.with_metrics(cx, memory, &target, &scale, &answers),
            Step::Rescale(rescale) => {
                let error = answers.into_iter().next().and_then(Result::err);
                round.rescaled(cx, memory, &rescale, error.as_ref());
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

fn unknown_kind(scaler: &Value) -> String {
    let reference = scaler.at("spec.scaleTargetRef");
    let version = reference.str("apiVersion");
    let group = version.split_once('/').map_or("", |(group, _)| group);
    format!(
        "no matches for kind {:?} in group {group:?}",
        reference.str("kind")
    )
}

fn scale_request(target: &Resource, scaler: &Value) -> Request {
    let name = scaler.str_at("spec.scaleTargetRef.name");
    Request::get(target.object_path(scaler.namespace(), name, "scale"))
        .with_header("Accept", "application/json")
}

impl Round<'_> {
    fn least(&self) -> i64 {
        self.scaler.i64_at("spec.minReplicas").unwrap_or(1)
    }

    fn most(&self) -> i64 {
        self.scaler.i64_at("spec.maxReplicas").unwrap_or(1)
    }

    /// The target's scale is not to be had.
    fn no_scale(&mut self, cx: &mut Cx<'_>, why: &str) {
        cx.event(Saying::warning(&self.involved, "FailedGetScale", why));
        let text =
            format!("the HPA controller was unable to get the target's current scale: {why}");
        self.condition(cx.now, "AbleToScale", false, "FailedGetScale", &text);
        self.write(cx);
    }

    fn with_scale(
        &mut self,
        cx: &mut Cx<'_>,
        memory: &mut Memory,
        target: &Resource,
        scale: Value,
    ) {
        let current = scale.i64_at("spec.replicas").unwrap_or(0);
        self.able(cx.now);
        memory.history.begin(cx.now, current);
        let (least, most) = (self.least(), self.most());
        let (desired, reason) = if current == 0 && least != 0 {
            let text = "scaling is disabled since the replica count of the target is zero";
            self.condition(cx.now, "ScalingActive", false, "ScalingDisabled", text);
            (0, "")
        } else if current > most {
            (most, "Current number of replicas above Spec.MaxReplicas")
        } else if current < least {
            (least, "Current number of replicas below Spec.MinReplicas")
        } else {
            for metric in self.scaler.list_at("spec.metrics") {
                let request = metrics::request_for(self.scaler, metric, &scale);
                cx.ask(&PODS, request);
            }
            memory.step = Step::Metrics(scale);
            return;
        };
        self.scale_to(cx, memory, target, &scale, (desired, reason), Value::Null);
    }

    fn with_metrics(
        &mut self,
        cx: &mut Cx<'_>,
        memory: &mut Memory,
        target: &Resource,
        scale: &Value,
        answers: &[Result<Value, Error>],
    ) {
        self.able(cx.now);
        let current = scale.i64_at("spec.replicas").unwrap_or(0);
        let Proposal {
            replicas,
            name,
            statuses,
        } = match metrics::propose(cx, self.scaler, scale, answers) {
            Ok(proposal) => proposal,
            Err(failure) => {
                for (reason, text) in &failure.events {
                    cx.event(Saying::warning(&self.involved, reason, text.as_str()));
                }
                let text = format!(
                    "the HPA was unable to compute the replica count: {}",
                    failure.first
                );
                self.condition(cx.now, "ScalingActive", false, failure.reason, &text);
                self.changed.set("status.currentReplicas", current);
                self.changed.set("status.currentMetrics", failure.statuses);
                let reason = "FailedComputeMetricsReplicas";
                cx.event(Saying::warning(&self.involved, reason, failure.text));
                return self.write(cx);
            }
        };
        let text =
            format!("the HPA was able to successfully calculate a replica count from {name}");
        self.condition(cx.now, "ScalingActive", true, "ValidMetricFound", &text);
        let limited =
            normalize::replicas(&mut memory.history, cx.now, self.scaler, current, replicas);
        for (kind, status, reason, text) in &limited.conditions {
            self.condition(cx.now, kind, *status, reason, text);
        }
        let reason = match limited.replicas.cmp(&current) {
            std::cmp::Ordering::Greater => format!("{name} above target"),
            _ => "All metrics below target".to_owned(),
        };
        let wanted = (limited.replicas, reason.as_str());
        self.scale_to(cx, memory, target, scale, wanted, statuses);
    }

    /// Asks for another number of replicas, or notes that there are as many as there should be.
    fn scale_to(
        &mut self,
        cx: &mut Cx<'_>,
        memory: &mut Memory,
        target: &Resource,
        scale: &Value,
        (desired, reason): (i64, &str),
        metrics: Value,
    ) {
        let current = scale.i64_at("spec.replicas").unwrap_or(0);
        if desired == current {
            self.replicas(current, desired, metrics);
            return self.write(cx);
        }
        let mut wanted = scale.clone();
        wanted.set("spec.replicas", desired);
        wanted.set("metadata.name", self.scaler.at("spec.scaleTargetRef.name"));
        cx.ask(target, request::update(target, wanted, "scale"));
        memory.step = Step::Rescale(Box::new(Rescale {
            current,
            desired,
            reason: reason.to_owned(),
            metrics,
            status: self.changed.get("status").clone(),
        }));
    }

    fn rescaled(
        &mut self,
        cx: &mut Cx<'_>,
        memory: &mut Memory,
        rescale: &Rescale,
        error: Option<&Error>,
    ) {
        let Rescale {
            current,
            desired,
            reason,
            metrics,
            status,
        } = rescale;
        self.changed.set("status", status.clone());
        if let Some(error) = error {
            let text = format!("New size: {desired}; reason: {reason}; error: {error}");
            cx.event(Saying::warning(&self.involved, "FailedRescale", text));
            let text = format!("the HPA controller was unable to update the target scale: {error}");
            self.condition(cx.now, "AbleToScale", false, "FailedUpdateScale", &text);
            self.changed.set("status.currentReplicas", *current);
            return self.write(cx);
        }
        let text = format!("the HPA controller was able to update the target scale to {desired}");
        self.condition(cx.now, "AbleToScale", true, "SucceededRescale", &text);
        let text = format!("New size: {desired}; reason: {reason}");
        cx.event(Saying::normal(&self.involved, "SuccessfulRescale", text));
        memory.history.scaled(cx.now, *current, *desired);
        self.replicas(*current, *desired, metrics.clone());
        let now = cx.now.rfc3339();
        self.changed.set("status.lastScaleTime", now);
        self.write(cx);
    }
}
