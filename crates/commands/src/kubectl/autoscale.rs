//! `kubectl autoscale`.
//!
//! Models kubectl/pkg/cmd/autoscale/autoscale.go.

use api::{Quantity, Value, object};

use super::Verb;
use super::act::{self, DryRun, Found, done, dry_run, find_in_order};
use super::failure::{Failure, Outcome, report, together};
use super::flags::{Flag, Line, switch, value};
use super::session::Session;
use super::target::{manifests, namespace_of, resource_of};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::MANAGER,
    value("cpu"),
    value("cpu-percent"),
    value("max"),
    value("memory"),
    value("min"),
    value("name"),
    switch("save-config"),
    switch("recursive").short('R'),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "autoscale",
    summary: "Auto-scale a deployment, replica set, stateful set, or replication controller",
    usage: "kubectl autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS \
            [--cpu=CPU] [--memory=MEMORY] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(autoscale(session, line)),
};

/// What pods should use.
enum Wanted {
    Utilization(i64),
    Average(Quantity),
}

async fn autoscale(session: &Session, line: &Line) -> Outcome {
    if line.has("cpu-percent") {
        let text = "Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource \
                    quantity format (e.g., '70%' for utilization or '500m' for milliCPU).\n";
        session.io.eprint(text).await;
    }
    let metrics = metrics(line)?;
    let (mut unread, mut failures) = (Vec::new(), Vec::new());
    for target in found(session, line).await? {
        match target {
            Ok(target) => failures.extend(one(session, line, &target, &metrics).await.err()),
            Err(failure) => unread.push(failure),
        }
    }
    report(session, together(unread, failures)).await
}

/// Reads the flags.
fn metrics(line: &Line) -> Outcome<Vec<Value>> {
    let Some(most) = line.number("max")? else {
        return Err(Failure::message("required flag(s) \"max\" not set"));
    };
    let least = line.number("min")?.unwrap_or(-1);
    if most < 1 {
        return Err(Failure::message(format!(
            "--max=MAXPODS is required and must be at least 1, max: {most}"
        )));
    }
    if most < least {
        return Err(Failure::message(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {most}, min: {least}"
        )));
    }
    let percent = line.number("cpu-percent")?.filter(|percent| *percent > 0);
    let (cpu, memory) = (line.text("cpu"), line.text("memory"));
    if percent.is_some() && !cpu.is_empty() {
        return Err(Failure::message(
            "--cpu-percent and --cpu are mutually exclusive",
        ));
    }
    let mut metrics = Vec::new();
    if let Some(percent) = percent {
        metrics.push(metric("cpu", &Wanted::Utilization(percent)));
    }
    for (resource, text, unit) in [("cpu", cpu, "m"), ("memory", memory, "Mi")] {
        if !text.is_empty() {
            metrics.push(metric(resource, &wanted(resource, text, unit)?));
        }
    }
    Ok(metrics)
}

/// `70%`, `500m`, `500`: a plain number is of the unit.
fn wanted(resource: &str, text: &str, unit: &str) -> Outcome<Wanted> {
    let text = text.trim();
    if let Some(percent) = text.strip_suffix('%') {
        let number = percent.parse::<i32>().ok().filter(|number| *number >= 0);
        return number
            .map(|number| Wanted::Utilization(number.into()))
            .ok_or_else(|| Failure::message(format!("invalid percentage value: {percent}")));
    }
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let quantity = match plain {
        true => Quantity::parse(&format!("{text}{unit}")),
        false => Quantity::parse(text),
    };
    quantity
        .map(Wanted::Average)
        .map_err(|_| Failure::message(format!("invalid resource {resource} value: {text}")))
}

fn metric(resource: &str, wanted: &Wanted) -> Value {
    let target = match wanted {
        Wanted::Utilization(percent) => {
            object! { "type": "Utilization", "averageUtilization": (*percent) }
        }
        Wanted::Average(amount) => {
            object! { "type": "AverageValue", "averageValue": (amount.to_string()) }
        }
    };
    object! { "type": "Resource", "resource": { "name": resource, "target": target } }
}

/// The targets: their names need no asking for, those of files may not even exist.
async fn found(session: &Session, line: &Line) -> Outcome<Vec<Outcome<Found>>> {
    let files = line.has("filename") || line.has("kustomize");
    if !files {
        return find_in_order(session, line, &line.args).await;
    }
    let discovery = session.discovery().await?;
    let mut found = Vec::new();
    for manifest in manifests(&session.io, line).await? {
        let resource = match resource_of(&discovery, &manifest) {
            Ok(resource) => resource.clone(),
            Err(failure) => {
                found.push(Err(failure));
                continue;
            }
        };
        namespace_of(session, &resource, &manifest.value)?;
        let value = manifest.value;
        found.push(Ok(Found { resource, value }));
    }
    Ok(found)
}

async fn one(session: &Session, line: &Line, target: &Found, metrics: &[Value]) -> Outcome {
    let Found { resource, value } = target;
    if !resource.subresources.iter().any(|one| one == "scale") {
        return Err(Failure::message(format!(
            "cannot autoscale a {}: could not find scale subresource for {}/{}, Resource={} in \
             discovery information",
            resource.kind, resource.group, resource.version, resource.plural
        )));
    }
    let name = match line.text("name") {
        "" => value.name(),
        name => name,
    };
    let mut scaler = object! {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": name },
        "spec": {
            "maxReplicas": (line.number("max")?.unwrap_or(0)),
            "scaleTargetRef": {
                "apiVersion": (resource.api_version()),
                "kind": (resource.kind.as_str()),
                "name": (value.name()),
            },
        },
        "status": { "currentMetrics": null, "desiredReplicas": 0 },
    };
    if let Some(least) = line.number("min")?.filter(|least| *least > 0) {
        scaler.set("spec.minReplicas", least);
    }
    if !metrics.is_empty() {
        scaler.set("spec.metrics", metrics.to_vec());
    }
    if session.namespace_given {
        scaler.set("metadata.namespace", session.namespace.as_str());
    }
    let dry = dry_run(line)?;
    if dry == DryRun::Client {
        return done(session, line, dry, &scaler, "created").await;
    }
    let discovery = session.discovery().await?;
    let scalers = discovery.resolve("horizontalpodautoscalers.v2.autoscaling")?;
    let manager = "kubectl-autoscale";
    let namespace = session.namespace.as_str();
    let made = act::create(session, line, scalers, namespace, &scaler, manager).await;
    done(
        session,
        line,
        dry,
        &made.map_err(|why| refused(line, why))?,
        "autoscaled",
    )
    .await
}

/// What is said of a refusal: the older version of the API is tried next, which can say less, and may
/// not be able to say this at all.
fn refused(line: &Line, why: Failure) -> Failure {
    let lead = "failed to create autoscaling/v2 HPA and the configuration is incompatible with \
                autoscaling/v1";
    let cpu = line.text("cpu").trim();
    if cpu.is_empty() {
        return Failure::message(format!("{lead}: empty input"));
    }
    match line.text("memory").is_empty() && cpu.ends_with('%') {
        true => why,
        false => Failure::message(format!("{lead}: %!w(<nil>)")),
    }
}
