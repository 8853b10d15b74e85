//! How many replicas a measured value asks for. Pods without a value, and those that are not ready,
//! are counted so that they make the change smaller.
//! Models pkg/controller/podautoscaler/replica_calculator.go.

use std::collections::{BTreeMap, BTreeSet};

use api::selector::LabelSelector;
use api::{Quantity, Value};
use client::PODS;
use sim::{Duration, Instant};

use crate::controller::Cx;
use crate::pods;

/// `--horizontal-pod-autoscaler-cpu-initialization-period`,
/// `--horizontal-pod-autoscaler-initial-readiness-delay`
const INITIALIZATION: Duration = Duration::from_secs(300);
const READINESS_DELAY: Duration = Duration::from_secs(30);
/// `--horizontal-pod-autoscaler-tolerance`, as one part in so many.
const TOLERANCE: i64 = 10;

/// What a pod uses, in thousandths.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub pod: String,
    pub milli: i64,
}

/// What pods should use.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// Percent of what they ask for.
    Utilization(i64),
    /// Thousandths.
    Average(i64),
}

/// What a metric comes to.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub replicas: i64,
    /// Percent.
    pub utilization: i64,
    /// Thousandths that a pod uses.
    pub milli: i64,
}

impl Found {
    /// What a pod uses; memory in whole bytes.
    pub(super) fn average(&self, bytes: bool) -> String {
        match bytes {
            true => (self.milli / 1000).to_string(),
            false => Quantity::from_milli(self.milli).to_string(),
        }
    }
}

/// A share of what there is to what there should be, without fractions.
#[derive(Clone, Copy)]
struct Ratio(i64, i64);

impl Ratio {
    /// So close to one that nothing is done.
    fn is_tolerable(self) -> bool {
        (self.0 - self.1).abs() * TOLERANCE <= self.1
    }

    fn is_above(self) -> bool {
        self.0 > self.1
    }

    /// So many times as many, rounded up.
    fn of(self, count: i64) -> i64 {
        let (whole, parts) = (self.0 * count, self.1.max(1));
        whole.div_euclid(parts) + i64::from(whole.rem_euclid(parts) != 0)
    }
}

/// By what each pod uses.
///
/// # Errors
/// In upstream's words, if no value of a ready pod is known.
pub(super) fn by_pods(
    cx: &Cx<'_>,
    scaler: &Value,
    scale: &Value,
    (resource, container): (&str, &str),
    samples: &[Sample],
    wanted: Wanted,
) -> Result<Found, String> {
    let pods = selected(cx, scaler, scale);
    if pods.is_empty() {
        return Err("no pods returned by selector while calculating replica count".to_owned());
    }
    let mut usage: BTreeMap<&str, i64> = samples
        .iter()
        .map(|one| (one.pod.as_str(), one.milli))
        .collect();
    let Groups {
        ready,
        unready,
        missing,
        ignored,
    } = group(cx.now, &pods, &usage, resource);
    usage.retain(|pod, _| !unready.contains(pod) && !ignored.contains(pod));
    let requests = match wanted {
        Wanted::Utilization(_) => requests(&pods, resource, container)?,
        Wanted::Average(_) => BTreeMap::new(),
    };
    if usage.is_empty() {
        return Err("did not receive metrics for targeted pods (pods might be unready)".to_owned());
    }
    let (ratio, utilization) = ratio(&usage, &requests, wanted);
    let average = usage.values().sum::<i64>() / i64::try_from(usage.len()).unwrap_or(1);
    let current = scale.i64_at("spec.replicas").unwrap_or(0);
    let found = |replicas: i64| Found {
        replicas,
        utilization,
        milli: average,
    };
    let rising_unready = !unready.is_empty() && ratio.is_above();
    if !rising_unready && missing.is_empty() {
        let replicas = if ratio.is_tolerable() {
            current
        } else {
            ratio.of(ready)
        };
        return Ok(found(replicas));
    }
    // Those without a value are thought to use all they may where there would be fewer, and nothing
    // where there would be more.
    for pod in &missing {
        let full = match wanted {
            Wanted::Utilization(percent) => {
                requests.get(pod).copied().unwrap_or(0) * percent.max(100) / 100
            }
            Wanted::Average(milli) => milli,
        };
        usage.insert(pod, if ratio.is_above() { 0 } else { full });
    }
    if rising_unready {
        usage.extend(unready.iter().map(|pod| (*pod, 0)));
    }
    let (new, _) = self::ratio(&usage, &requests, wanted);
    if new.is_tolerable() || new.is_above() != ratio.is_above() {
        return Ok(found(current));
    }
    let replicas = new.of(i64::try_from(usage.len()).unwrap_or(0));
    let turns = (!new.is_above() && replicas > current) || (new.is_above() && replicas < current);
    Ok(found(if turns { current } else { replicas }))
}

/// By a value that all pods share: as many as it takes for each to have its part.
pub(super) fn by_share(scale: &Value, total: i64, part: i64) -> Found {
    let current = scale.i64_at("status.replicas").unwrap_or(0);
    let ratio = Ratio(total, part * current.max(1));
    let replicas = match ratio.is_tolerable() {
        true => current,
        false => Ratio(total, part).of(1),
    };
    Found {
        replicas,
        utilization: 0,
        milli: total / replicas.max(1),
    }
}

/// By a value that is to be as large as another.
pub(super) fn by_value(
    cx: &Cx<'_>,
    scaler: &Value,
    scale: &Value,
    total: i64,
    target: i64,
) -> Found {
    let current = scale.i64_at("spec.replicas").unwrap_or(0);
    let ratio = Ratio(total, target);
    let pods = selected(cx, scaler, scale);
    let ready = pods.iter().filter(|pod| pods::is_ready(pod)).count();
    let replicas = match ratio.is_tolerable() {
        true => current,
        false => ratio.of(i64::try_from(ready).unwrap_or(0)),
    };
    Found {
        replicas,
        utilization: 0,
        milli: total,
    }
}

fn selected(cx: &Cx<'_>, scaler: &Value, scale: &Value) -> Vec<Value> {
    let selector = LabelSelector::parse(scale.str_at("status.selector"));
    let selector = selector.unwrap_or_else(|_| LabelSelector::nothing());
    let pods = cx.cache(&PODS).in_namespace(scaler.namespace());
    pods.map(|(_, pod)| pod)
        .filter(|pod| selector.matches(pod.labels()))
        .cloned()
        .collect()
}

struct Groups<'a> {
    ready: i64,
    unready: BTreeSet<&'a str>,
    missing: BTreeSet<&'a str>,
    ignored: BTreeSet<&'a str>,
}

fn group<'a>(
    now: Instant,
    pods: &'a [Value],
    usage: &BTreeMap<&str, i64>,
    resource: &str,
) -> Groups<'a> {
    let mut groups = Groups {
        ready: 0,
        unready: BTreeSet::new(),
        missing: BTreeSet::new(),
        ignored: BTreeSet::new(),
    };
    for pod in pods {
        let set = if pod.is_terminating() || pod.str_at("status.phase") == "Failed" {
            &mut groups.ignored
        } else if pod.str_at("status.phase") == "Pending" {
            &mut groups.unready
        } else if !usage.contains_key(pod.name()) {
            &mut groups.missing
        } else if resource == "cpu" && is_starting(now, pod) {
            &mut groups.unready
        } else {
            groups.ready += 1;
            continue;
        };
        set.insert(pod.name());
    }
    groups
}

/// A pod's use of the CPU says nothing while it starts.
fn is_starting(now: Instant, pod: &Value) -> bool {
    let time = |text: &str| Instant::parse_rfc3339(text);
    let started = time(pod.str_at("status.startTime"));
    let (Some(started), Some(ready)) = (started, pods::condition(pod, "Ready")) else {
        return true;
    };
    let unready = ready.str("status") == "False";
    let turned = time(ready.str("lastTransitionTime")).unwrap_or_default();
    if started + INITIALIZATION > now {
        return unready;
    }
    unready && started + READINESS_DELAY > turned
}

/// What each pod asks for.
fn requests<'a>(
    pods: &'a [Value],
    resource: &str,
    container: &str,
) -> Result<BTreeMap<&'a str, i64>, String> {
    let mut all = BTreeMap::new();
    for pod in pods {
        let mut sum = 0;
        for one in pod.list_at("spec.containers") {
            if !container.is_empty() && one.str("name") != container {
                continue;
            }
            let asked = Quantity::of(one.at("resources.requests").get(resource));
            let Some(asked) = asked else {
                let (name, pod) = (one.str("name"), pod.name());
                return Err(format!(
                    "missing request for {resource} in container {name} of Pod {pod}"
                ));
            };
            sum += asked.milli();
        }
        all.insert(pod.name(), sum);
    }
    Ok(all)
}

/// What is used to what should be, and the percentage of what was asked for.
fn ratio(
    usage: &BTreeMap<&str, i64>,
    requests: &BTreeMap<&str, i64>,
    wanted: Wanted,
) -> (Ratio, i64) {
    let total: i64 = usage.values().sum();
    match wanted {
        Wanted::Utilization(percent) => {
            let asked: i64 = usage.keys().filter_map(|pod| requests.get(pod)).sum();
            let utilization = total * 100 / asked.max(1);
            (Ratio(utilization, percent), utilization)
        }
        Wanted::Average(milli) => {
            let count = i64::try_from(usage.len()).unwrap_or(1).max(1);
            (Ratio(total / count, milli), 0)
        }
    }
}
