//! `kubectl create deployment`.

use api::{Value, object};

use super::{exactly_one_name, generated_as, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, value, values};
use crate::kubectl::session::Session;

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create deployment",
    summary: "Create a deployment with the specified name",
    usage: "kubectl create deployment NAME --image=image -- [COMMAND] [args...] [options]",
    flags: generator_flags!(values("image"), value("port"), value("replicas").short('r')),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line)),
};

/// `kubectl create deploy`.
pub(super) const SHORT: Verb = Verb {
    name: "create deploy",
    ..VERB
};

async fn create(session: &Session, line: &Line) -> Outcome {
    let images = line.list("image");
    if images.is_empty() {
        return Err(Failure::message("required flag(s) \"image\" not set"));
    }
    let mut own = line.clone();
    let command = match line.dash {
        Some(at) => own.args.split_off(at),
        None => Vec::new(),
    };
    let name = exactly_one_name(&own)?;
    if images.len() > 1 && !command.is_empty() {
        return Err(Failure::message(
            "cannot specify multiple --image options and command",
        ));
    }
    let replicas = line.number("replicas")?.unwrap_or(1);
    if replicas < 0 {
        return Err(Failure::message(
            "--replicas=COUNT must be greater than or equal to 0",
        ));
    }
    let port = line.number("port")?;
    let labels = object!({ "app": (name) });
    let containers: Vec<Value> = images
        .iter()
        .map(|image| {
            let mut container = object!({
                "image": (image.as_str()),
                "name": (container_name(image, images.len() == 1)),
                "resources": {},
            });
            if !command.is_empty() {
                let words: Vec<Value> = command.iter().map(|w| w.as_str().into()).collect();
                container.set("command", Value::from(words));
            }
            if let Some(port) = port.filter(|port| *port > 0) {
                let port = object!({ "containerPort": (port) });
                container.set("ports", Value::from(vec![port]));
            }
            container
        })
        .collect();
    let deployment = object!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "labels": (labels.clone()), "name": (name) },
        "spec": {
            "replicas": (replicas),
            "selector": { "matchLabels": (labels.clone()) },
            "strategy": {},
            "template": {
                "metadata": { "labels": (labels) },
                "spec": { "containers": (Value::from(containers)) },
            },
        },
        "status": {},
    });
    generated_as(session, line, deployment, "deployment").await
}

/// The image's last part without tag or digest; a random suffix where several could be equal is
/// left to their tags here.
fn container_name(image: &str, only: bool) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let (base, tag) = match last.split_once([':', '@']) {
        Some((base, tag)) => (base, tag),
        None => (last, ""),
    };
    let clean = |text: &str| -> String {
        text.to_lowercase()
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '-' {
                    c
                } else {
                    '-'
                }
            })
            .collect()
    };
    if only || tag.is_empty() {
        clean(base)
    } else {
        format!("{}-{}", clean(base), clean(tag))
    }
}
