//! `agnhost webhook`: an admission webhook with a path for each thing that Kubernetes' tests want of
//! one. Models test/images/agnhost/webhook.

use api::{Value, base64, body, body_value, object};
use machine::Sys;
use net::http::{Request, Response};
use sim::Duration;

use crate::site::{self, Answer};

/// What is answered to a request.
pub(super) fn answer(sys: &mut Sys<'_>, request: &Request) -> Answer {
    if request.path() == "/readyz" {
        return Answer::text("ok");
    }
    let Some(judge) = judge(request.path()) else {
        return Answer::status(404, "404 page not found\n");
    };
    if request.headers.get("Content-Type") != Some("application/json") {
        return Answer::text("");
    }
    let review = match body_value(&request.body) {
        Ok(review) if review.kind() == "AdmissionReview" => review,
        Ok(other) => {
            let kind = other.kind();
            return Answer::status(400, format!("Unsupported group version kind: {kind}\n"));
        }
        Err(error) => {
            let why = error.message;
            return Answer::status(400, format!("Request could not be decoded: {why}\n"));
        }
    };
    let asked = review.get("request");
    if waits_forever(request.path(), asked) {
        return Answer::Never;
    }
    let mut response = judge(sys, asked);
    response.set("uid", asked.get("uid"));
    let answer = object! {
        "kind": "AdmissionReview",
        "apiVersion": review.str("apiVersion"),
        "response": response,
    };
    let response = Response::new(200, body(answer)).with_header("Content-Type", "application/json");
    match request.path() {
        "/always-allow-delay-5s" => Answer::Later(Duration::from_secs(5), response),
        _ => Answer::Send(response),
    }
}

type Judge = fn(&Sys<'_>, &Value) -> Value;

fn judge(path: &str) -> Option<Judge> {
    Some(match path {
        "/always-allow-delay-5s" => |_, _| allow(),
        "/always-deny" => |_, _| deny("message", "this webhook denies all requests"),
        "/add-label" => |_, asked| add_label(asked.get("object")),
        "/pods" => |_, asked| pod(asked),
        "/pods/attach" => |_, asked| attach(asked),
        "/mutating-pods" => |_, asked| init_container(asked),
        "/mutating-pods-sidecar" => |sys, asked| sidecar(sys, asked),
        "/configmaps" => |_, asked| {
            data(
                asked,
                "the configmap contains unwanted key and value",
                "the configmap cannot be deleted because it contains unwanted key and value",
            )
        },
        "/custom-resource" => |_, asked| {
            data(
                asked,
                "the custom resource contains unwanted data",
                "the custom resource cannot be deleted because it contains unwanted key and value",
            )
        },
        "/mutating-configmaps" | "/mutating-custom-resource" => |_, asked| stages(asked),
        "/crd" => |_, asked| definition(asked.get("object")),
        _ => return None,
    })
}

fn allow() -> Value {
    object! { "allowed": true }
}

/// A refusal whose status says why in this field.
fn deny(field: &str, why: &str) -> Value {
    let mut response = object! { "allowed": false };
    response.set("status.metadata", Value::empty_map());
    response.set(&format!("status.{field}"), why);
    response
}

fn patch(operations: Value) -> Value {
    let mut response = allow();
    let text = operations.to_json();
    response.set("patch", base64::encode(text.as_bytes()));
    response.set("patchType", "JSONPatch");
    response
}

/// An `add`, or another operation, of one value.
fn operation(op: &str, path: &str, value: impl Into<Value>) -> Value {
    let operation = object! { "op": op, "path": path, "value": value.into() };
    Value::list_of(vec![operation])
}

fn add_label(of: &Value) -> Value {
    let path = "/metadata/labels/added-label";
    match of.label("added-label") {
        _ if of.labels().is_empty() => {
            let labels = object! { "added-label": "yes" };
            patch(operation("add", "/metadata/labels", labels))
        }
        "yes" => allow(),
        _ if of.labels().contains_key("added-label") => patch(operation("replace", path, "yes")),
        _ => patch(operation("add", path, "yes")),
    }
}

fn containers<'o>(pod: &'o Value, list: &str) -> impl Iterator<Item = &'o str> {
    let containers = pod.at("spec").list_at(list).iter();
    containers.map(|container| container.str("name"))
}

fn pod(asked: &Value) -> Value {
    let pod = asked.get("object");
    let mut why = Vec::new();
    if pod.label("webhook-e2e-test") == "webhook-disallow" {
        why.push("the pod contains unwanted label;");
    }
    for name in containers(pod, "containers") {
        if name.contains("webhook-disallow") {
            why.push("the pod contains unwanted container name;");
        }
    }
    match why.is_empty() {
        true => allow(),
        false => deny("message", &why.join(" ")),
    }
}

fn waits_forever(path: &str, asked: &Value) -> bool {
    path == "/pods" && asked.get("object").label("webhook-e2e-test") == "wait-forever"
}

fn attach(asked: &Value) -> Value {
    let options = asked.get("object");
    let meant = asked.str("name") == "to-be-attached-pod"
        && options.get("stdin").as_bool() == Some(true)
        && options.str("container") == "container1";
    match meant {
        true => deny(
            "message",
            "attaching to pod 'to-be-attached-pod' is not allowed",
        ),
        false => allow(),
    }
}

fn init_container(asked: &Value) -> Value {
    let pod = asked.get("object");
    let name = "webhook-added-init-container";
    if pod.name() != "webhook-to-be-mutated"
        || containers(pod, "initContainers").any(|own| own == name)
    {
        return allow();
    }
    let container = object! { "image": "webhook-added-image", "name": name, "resources": {} };
    let list = Value::list_of(vec![container]);
    patch(operation("add", "/spec/initContainers", list))
}

fn sidecar(sys: &Sys<'_>, asked: &Value) -> Value {
    let Some(image) = site::flag(sys, "sidecar-image") else {
        let mut response = deny(
            "message",
            "No image specified by the sidecar-image parameter",
        );
        response.set("status.status", "Failure");
        response.set("status.code", 500);
        return response;
    };
    let name = "webhook-added-sidecar";
    if containers(asked.get("object"), "containers").any(|own| own == name) {
        return allow();
    }
    let container = object! { "image": image, "name": name, "resources": {} };
    patch(operation("add", "/spec/containers/-", container))
}

/// What the data of an object says about its own fate.
fn data(asked: &Value, unwanted: &str, kept: &str) -> Value {
    let operation = asked.str("operation");
    let object = match operation {
        "DELETE" => asked.get("oldObject"),
        _ => asked.get("object"),
    };
    match (object.at("data").str("webhook-e2e-test"), operation) {
        ("webhook-disallow", "CREATE" | "UPDATE") => deny("reason", unwanted),
        ("webhook-nondeletable", "DELETE") => deny("reason", kept),
        _ => allow(),
    }
}

fn stages(asked: &Value) -> Value {
    let data = asked.at("object.data");
    let add = |stage: &str| patch(operation("add", &format!("/data/{stage}"), "yes"));
    match (data.str("mutation-start"), data.str("mutation-stage-1")) {
        (_, "yes") => add("mutation-stage-2"),
        ("yes", _) => add("mutation-stage-1"),
        _ => allow(),
    }
}

fn definition(of: &Value) -> Value {
    match of.label("webhook-e2e-test") {
        "webhook-disallow" => deny("message", "the crd contains unwanted label"),
        _ => allow(),
    }
}
