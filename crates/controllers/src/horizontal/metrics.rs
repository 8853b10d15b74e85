//! What each metric of an autoscaler proposes: which request tells its value, and what is said where
//! that is not to be had.
//! Models pkg/controller/podautoscaler/horizontal.go (`computeReplicasForMetrics`) and metrics/client.go.

use api::{Quantity, Value, object};
use client::{Error, ListOptions, Resource, request};
use net::http::Request;

use super::replicas::{self, Sample, Wanted};
use crate::controller::Cx;

const POD_METRICS: Resource = Resource::fixed("metrics.k8s.io/v1beta1", "pods", "PodMetrics", true);

/// How many replicas there should be, by the metric that asks for the most.
pub(super) struct Proposal {
    pub replicas: i64,
    /// The metric, in words.
    pub name: String,
    /// `status.currentMetrics`
    pub statuses: Value,
}

/// No number can be worked out.
pub(super) struct Failure {
    /// Reasons and messages, one for each metric that is not to be had.
    pub events: Vec<(&'static str, String)>,
    /// The reason of the first.
    pub reason: &'static str,
    /// What went wrong with the first.
    pub first: String,
    /// All of it in one sentence.
    pub text: String,
    /// `status.currentMetrics`
    pub statuses: Value,
}

/// What a metric comes to.
struct Answer {
    replicas: i64,
    name: String,
    status: Value,
}

/// Why a metric is not to be had, and what that means for its autoscaler.
struct Trouble {
    reason: &'static str,
    why: String,
    told: String,
}

/// The field of a metric that says what it measures.
fn source(metric: &Value) -> (&'static str, &Value) {
    let field = match metric.str("type") {
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => "resource",
    };
    (field, metric.get(field))
}

/// The request that tells a metric's value.
pub(super) fn request_for(scaler: &Value, metric: &Value, scale: &Value) -> Request {
    let namespace = scaler.namespace();
    let (field, source) = source(metric);
    let custom =
        |target: String| Request::get(target.as_str()).with_header("Accept", "application/json");
    let root = format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}");
    let name = source.str_at("metric.name");
    match field {
        "pods" => custom(format!("{root}/pods/*/{name}")),
        "object" => {
            let of = source.get("describedObject");
            let kind = format!("{}s", of.str("kind").to_lowercase());
            custom(format!("{root}/{kind}/{}/{name}", of.str("name")))
        }
        "external" => custom(format!(
            "/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{name}"
        )),
        _ => {
            let options = ListOptions {
                label_selector: scale.str_at("status.selector").to_owned(),
                ..ListOptions::default()
            };
            request::list(&POD_METRICS, namespace, &options)
        }
    }
}

/// The largest number of replicas that a metric asks for.
pub(super) fn propose(
    cx: &Cx<'_>,
    scaler: &Value,
    scale: &Value,
    answers: &[Result<Value, Error>],
) -> Result<Proposal, Failure> {
    let metrics = scaler.list_at("spec.metrics");
    let current = scale.i64_at("spec.replicas").unwrap_or(0);
    let (mut best, mut troubles) = (None::<(i64, String)>, Vec::new());
    let mut statuses = Vec::new();
    for (at, metric) in metrics.iter().enumerate() {
        let none = Ok(Value::Null);
        match evaluate(cx, scaler, metric, scale, answers.get(at).unwrap_or(&none)) {
            Ok(answer) => {
                statuses.push(answer.status);
                if best
                    .as_ref()
                    .is_none_or(|(most, _)| answer.replicas > *most)
                {
                    best = Some((answer.replicas, answer.name));
                }
            }
            Err(trouble) => {
                statuses.push(object! { "type": "" });
                troubles.push(trouble);
            }
        }
    }
    let statuses = Value::list_of(statuses);
    // With some metrics missing, nothing is taken away.
    let enough = |replicas: i64| troubles.is_empty() || replicas >= current;
    match best.filter(|(replicas, _)| enough(*replicas)) {
        Some((replicas, name)) => Ok(Proposal {
            replicas,
            name,
            statuses,
        }),
        None => Err(failure(metrics.len(), troubles, statuses)),
    }
}

fn failure(count: usize, troubles: Vec<Trouble>, statuses: Value) -> Failure {
    let (reason, first, told) = troubles.first().map_or_else(
        || ("InvalidMetricSourceType", String::new(), String::new()),
        |trouble| (trouble.reason, trouble.why.clone(), trouble.told.clone()),
    );
    let invalid = troubles.len();
    let text =
        format!("invalid metrics ({invalid} invalid out of {count}), first error is: {told}");
    Failure {
        events: troubles
            .into_iter()
            .map(|trouble| (trouble.reason, trouble.why))
            .collect(),
        reason,
        first,
        text,
        statuses,
    }
}

fn evaluate(
    cx: &Cx<'_>,
    scaler: &Value,
    metric: &Value,
    scale: &Value,
    answer: &Result<Value, Error>,
) -> Result<Answer, Trouble> {
    let (field, source) = source(metric);
    match field {
        "resource" | "containerResource" => resource(cx, scaler, (field, source), scale, answer),
        _ => other(cx, scaler, (field, source), scale, answer),
    }
}

/// The use of the CPU or memory by pods.
fn resource(
    cx: &Cx<'_>,
    scaler: &Value,
    (field, source): (&'static str, &Value),
    scale: &Value,
    answer: &Result<Value, Error>,
) -> Result<Answer, Trouble> {
    let (name, container) = (source.str("name"), source.str("container"));
    let of_container = field == "containerResource";
    let target = source.get("target");
    let utilization = target.i64_at("averageUtilization");
    let word = if utilization.is_some() {
        "utilization"
    } else {
        "usage"
    };
    let trouble = |why: String| {
        let why = format!("failed to get {name} {word}: {why}");
        let (reason, told) = match of_container {
            true => (
                "FailedGetContainerResourceMetric",
                format!("failed to get {name} container metric: {why}"),
            ),
            false => (
                "FailedGetResourceMetric",
                format!("failed to get {name} resource metric value: {why}"),
            ),
        };
        Trouble { reason, why, told }
    };
    let samples = samples(answer, name, container).map_err(trouble)?;
    let wanted = match utilization {
        Some(percent) => Wanted::Utilization(percent),
        None => Wanted::Average(milli(target.get("averageValue"))),
    };
    let found = replicas::by_pods(cx, scaler, scale, (name, container), &samples, wanted);
    let found = found.map_err(trouble)?;
    let mut now = object! { "averageValue": (found.average(name == "memory")) };
    if utilization.is_some() {
        now.set("averageUtilization", found.utilization);
    }
    let mut status = object! { "name": name, "current": now };
    let mut words = match of_container {
        true => format!("{name} container resource"),
        false => format!("{name} resource"),
    };
    if of_container {
        status.set("container", container);
    }
    if utilization.is_some() {
        words.push_str(" utilization (percentage of request)");
    }
    let kind = if of_container {
        "ContainerResource"
    } else {
        "Resource"
    };
    Ok(Answer {
        replicas: found.replicas,
        name: words,
        status: object! { "type": kind, (field): status },
    })
}

/// Metrics that somebody else measures.
fn other(
    cx: &Cx<'_>,
    scaler: &Value,
    (field, source): (&'static str, &Value),
    scale: &Value,
    answer: &Result<Value, Error>,
) -> Result<Answer, Trouble> {
    let name = source.str_at("metric.name");
    let (reason, kind, api) = match field {
        "pods" => ("FailedGetPodsMetric", "Pods", "custom"),
        "object" => ("FailedGetObjectMetric", "Object", "custom"),
        _ => ("FailedGetExternalMetric", "External", "external"),
    };
    let trouble = |why: String| {
        let told = match field {
            "external" => format!("failed to get {name} external metric value: {why}"),
            _ => format!("failed to get {field} metric value: {why}"),
        };
        Trouble { reason, why, told }
    };
    let items = answer
        .as_ref()
        .map_err(|error| trouble(unreachable(scaler, (field, source), api, error)))?;
    let values: Vec<i64> = items
        .list_at("items")
        .iter()
        .map(|item| milli(item.get("value")))
        .collect();
    if values.is_empty() {
        return Err(trouble("no metrics returned from the API".to_owned()));
    }
    let (target, total) = (source.get("target"), values.iter().sum::<i64>());
    let average = target.has("averageValue");
    let found = match (field, average) {
        ("pods", _) => {
            let samples: Vec<Sample> = items
                .list_at("items")
                .iter()
                .map(|item| Sample {
                    pod: item.str_at("describedObject.name").to_owned(),
                    milli: milli(item.get("value")),
                })
                .collect();
            let wanted = Wanted::Average(milli(target.get("averageValue")));
            replicas::by_pods(cx, scaler, scale, ("", ""), &samples, wanted).map_err(trouble)?
        }
        (_, true) => replicas::by_share(scale, total, milli(target.get("averageValue"))),
        _ => replicas::by_value(cx, scaler, scale, total, milli(target.get("value"))),
    };
    let now = match average {
        true => object! { "averageValue": (found.average(false)) },
        false => object! { "value": (Quantity::from_milli(total).to_string()) },
    };
    let mut status = source.clone();
    status.remove("target");
    status.set("current", now);
    Ok(Answer {
        replicas: found.replicas,
        name: format!("{field} metric {name}"),
        status: object! { "type": kind, (field): status },
    })
}

/// Why a metric that somebody else measures is not to be had.
fn unreachable(
    scaler: &Value,
    (field, source): (&'static str, &Value),
    api: &str,
    error: &Error,
) -> String {
    let (name, namespace) = (source.str_at("metric.name"), scaler.namespace());
    let what = match field {
        "pods" => format!("unable to get metric {name}"),
        "object" => {
            let of = source.get("describedObject");
            let (kind, object) = (of.str("kind"), of.str("name"));
            format!("unable to get metric {name}: {kind} on {namespace} {object}")
        }
        _ => format!("unable to get external metric {namespace}/{name}/nil"),
    };
    let why = match error.code == 404 {
        true => format!("no {api} metrics API ({api}.metrics.k8s.io) registered"),
        false => error.to_string(),
    };
    let glue = if field == "object" { "/" } else { ": " };
    format!("{what}{glue}unable to fetch metrics from {api} metrics API: {why}")
}

fn milli(value: &Value) -> i64 {
    Quantity::of(value).map_or(0, |quantity| quantity.milli())
}

/// What each pod uses, by the metrics API.
fn samples(
    answer: &Result<Value, Error>,
    resource: &str,
    container: &str,
) -> Result<Vec<Sample>, String> {
    let lead = format!("unable to get metrics for resource {resource}");
    let list = answer.as_ref().map_err(|error| {
        let why = match error.code == 404 {
            true => "the server could not find the requested resource (get pods.metrics.k8s.io)"
                .to_owned(),
            false => error.to_string(),
        };
        format!("{lead}: unable to fetch metrics from resource metrics API: {why}")
    })?;
    let samples: Vec<Sample> = list
        .list_at("items")
        .iter()
        .map(|item| {
            let containers = item.list_at("containers").iter();
            let counted =
                containers.filter(|one| container.is_empty() || one.str("name") == container);
            Sample {
                pod: item.name().to_owned(),
                milli: counted
                    .map(|one| milli(one.get("usage").get(resource)))
                    .sum(),
            }
        })
        .collect();
    match samples.is_empty() {
        true => Err(format!(
            "{lead}: no metrics returned from resource metrics API"
        )),
        false => Ok(samples),
    }
}
