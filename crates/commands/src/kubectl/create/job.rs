//! `kubectl create job`: of an image, or as a CronJob would.
//!
//! Models kubectl/pkg/cmd/create/create_job.go.

use api::{Value, object};

use super::{exactly_one_name, generated_as, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::act::{self, Found};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, value};
use crate::kubectl::session::{Call, Session};
use crate::kubectl::target::{Target, targets};

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create job",
    summary: "Create a job with the specified name",
    usage: "kubectl create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...] \
            [options]",
    flags: generator_flags!(value("image"), value("from")),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line)),
};

/// A command line's arguments without what follows `--`, and that.
pub(super) fn split_command(line: &Line) -> (Line, Vec<String>) {
    let mut own = line.clone();
    let command = match line.dash {
        Some(at) => own.args.split_off(at),
        None => Vec::new(),
    };
    (own, command)
}

/// Flags without which there is nothing to do.
pub(super) fn required(line: &Line, flags: &[&str]) -> Outcome {
    let missing = flags.iter().filter(|flag| !line.has(flag));
    let missing: Vec<String> = missing.map(|flag| format!("{flag:?}")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    Err(Failure::message(format!(
        "required flag(s) {missing} not set"
    )))
}

/// The one container of a generated pod.
pub(super) fn container(name: &str, image: &str, command: &[String]) -> Value {
    let mut container = object!({ "image": (image), "name": (name), "resources": {} });
    if !command.is_empty() {
        let words: Vec<Value> = command.iter().map(|word| word.as_str().into()).collect();
        container.set("command", Value::from(words));
    }
    container
}

async fn create(session: &Session, line: &Line) -> Outcome {
    let (own, command) = split_command(line);
    let name = exactly_one_name(&own)?;
    let (image, from) = (line.text("image"), line.text("from"));
    if image.is_empty() == from.is_empty() {
        return Err(Failure::message(
            "either --image or --from must be specified",
        ));
    }
    if !from.is_empty() && !command.is_empty() {
        return Err(Failure::message("cannot specify --from and command"));
    }
    let job = if from.is_empty() {
        object!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": { "name": (name) },
            "spec": {
                "template": {
                    "spec": {
                        "containers": [(container(name, image, &command))],
                        "restartPolicy": "Never",
                    },
                },
            },
            "status": {},
        })
    } else {
        as_cron_job(session, line, name, from).await?
    };
    generated_as(session, line, job, "job").await
}

/// The Job that a CronJob would start.
async fn as_cron_job(session: &Session, line: &Line, name: &str, from: &str) -> Outcome<Value> {
    let discovery = session.discovery().await?;
    let mut found = Vec::new();
    for Target { resource, name } in targets(&discovery, &[from.to_owned()])? {
        match name {
            None => found.extend(act::list(session, line, &resource).await?),
            Some(name) => {
                let path = resource.path(&session.namespace, &name);
                let value = session.call(Call::get(path)).await?;
                found.push(Found { resource, value });
            }
        }
    }
    let [Found { value: cron, .. }] = found.as_slice() else {
        return Err(Failure::message("from must be an existing cronjob"));
    };
    if cron.kind() != "CronJob" {
        let (_, version) = cron.api_version().split_once('/').unwrap_or(("", "v1"));
        let kind = cron.kind();
        return Err(Failure::message(format!(
            "unknown object type *{version}.{kind}"
        )));
    }
    let template = cron.at("spec.jobTemplate");
    let mut job = object!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "annotations": { "cronjob.kubernetes.io/instantiate": "manual" },
            "name": (name),
            "ownerReferences": [{
                "apiVersion": "batch/v1",
                "controller": true,
                "kind": "CronJob",
                "name": (cron.name()),
                "uid": (cron.uid()),
            }],
        },
        "spec": (template.get("spec")),
        "status": {},
    });
    for (key, value) in template.metadata().get("annotations").entries().iter() {
        job.set_annotation(key, value.as_str());
    }
    job.set_or_remove("metadata.labels", template.metadata().get("labels"));
    Ok(job)
}
