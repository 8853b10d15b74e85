//! `agnhost crd-conversion-webhook`: makes of objects with `hostPort` such with `host` and `port`, and
//! the other way round. Models test/images/agnhost/crd-conversion-webhook.

use api::{Value, body, body_value, object};
use machine::Sys;
use net::http::{Request, Response};

use crate::site::Answer;

/// What is answered to a request.
pub(super) fn answer(_sys: &mut Sys<'_>, request: &Request) -> Answer {
    match request.path() {
        "/readyz" => return Answer::text("ok"),
        "/crdconvert" => {}
        _ => return Answer::status(404, "404 page not found\n"),
    }
    let review = match body_value(&request.body) {
        Ok(review) if review.kind() == "ConversionReview" => review,
        _ => return Answer::status(400, "failed to deserialize body\n"),
    };
    let asked = review.get("request");
    let wanted = asked.str("desiredAPIVersion");
    let mut objects = Vec::new();
    let mut result = object! { "metadata": {}, "status": "Success" };
    for object in asked.list_at("objects") {
        match converted(object, wanted) {
            Ok(object) => objects.push(object),
            Err(why) => {
                result = object! { "metadata": {}, "status": "Failure", "message": why };
                objects.clear();
                break;
            }
        }
    }
    let answer = object! {
        "kind": "ConversionReview",
        "apiVersion": review.str("apiVersion"),
        "response": {
            "uid": asked.str("uid"),
            "convertedObjects": Value::list_of(objects),
            "result": result,
        },
    };
    let response = Response::new(200, body(answer));
    Answer::Send(response.with_header("Content-Type", "application/json"))
}

/// An object in another version.
fn converted(object: &Value, wanted: &str) -> Result<Value, String> {
    let given = object.str("apiVersion");
    if given == wanted {
        return Err(format!(
            "conversion from a version to itself should not call the webhook: {wanted}"
        ));
    }
    let mut object = object.clone();
    match (given, wanted) {
        ("stable.example.com/v1", "stable.example.com/v2") => {
            if object.has("hostPort") {
                let pair = object.str("hostPort").to_owned();
                object.remove("hostPort");
                let parts: Vec<&str> = pair.split(':').collect();
                let [host, port] = parts.as_slice() else {
                    return Err(format!("invalid hostPort value `{pair}`"));
                };
                object.set("host", *host);
                object.set("port", *port);
            }
        }
        ("stable.example.com/v2", "stable.example.com/v1") => {
            if object.has("host") || object.has("port") {
                let pair = format!("{}:{}", object.str("host"), object.str("port"));
                object.set("hostPort", pair);
                object.remove("host");
                object.remove("port");
            }
        }
        (from, to) => {
            let unknown = match from {
                "stable.example.com/v1" | "stable.example.com/v2" => to,
                _ => from,
            };
            return Err(format!("unexpected conversion version {unknown:?}"));
        }
    }
    object.set("apiVersion", wanted);
    Ok(object)
}
