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
    if !line.has("image") {
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
    let port = line.number("port")?;
    let labels = object!({ "app": (name) });
    let mut containers = Vec::new();
    for image in &images {
        let mut container = object!({
            "image": (image.as_str()),
            "name": (container_name(session, image).await),
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
        containers.push(container);
    }
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

/// The image's last part without tag or digest; what a name may not hold becomes a dash, and a
/// suffix keeps such names apart.
async fn container_name(session: &Session, image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let base = last.split([':', '@']).next().unwrap_or(last);
    if !base.contains(['_', '.']) {
        return base.to_owned();
    }
    let suffix = super::super::debug::suffix(session).await;
    format!("{}-{suffix}", base.replace(['_', '.'], "-"))
}
