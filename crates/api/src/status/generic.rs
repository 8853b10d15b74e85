//! What a client says when the answer it got is no `Status`.
//! Models `NewGenericServerResponse` of k8s.io/apimachinery/pkg/api/errors.

use super::{Reason, Status, qualified};
use crate::go;

const KNOWN: [(u16, Reason, &str); 9] = [
    (
        400,
        Reason::BadRequest,
        "the server rejected our request for an unknown reason",
    ),
    (
        401,
        Reason::Unauthorized,
        "the server has asked for the client to provide credentials",
    ),
    (
        404,
        Reason::NotFound,
        "the server could not find the requested resource",
    ),
    (
        405,
        Reason::MethodNotAllowed,
        "the server does not allow this method on the requested resource",
    ),
    (409, Reason::Conflict, "the server reported a conflict"),
    (
        422,
        Reason::Invalid,
        "the server rejected our request due to an error in our request",
    ),
    (
        429,
        Reason::TooManyRequests,
        "the server has received too many requests and has asked us to try again later",
    ),
    (
        503,
        Reason::ServiceUnavailable,
        "the server is currently unable to handle the request",
    ),
    (
        504,
        Reason::Timeout,
        "the server was unable to return a response in the time allotted, but may still be \
         processing the request",
    ),
];

/// What a client makes of an answer that is no `Status`: `the server could not find the requested
/// resource (get pods.apps)`. `verb` is the method; `text` is the body.
pub fn generic(
    code: u16,
    verb: &str,
    group: &str,
    resource: &str,
    name: &str,
    text: &str,
) -> Status {
    let body = if text.is_empty() { "unknown" } else { text };
    let known = KNOWN.iter().find(|(known, _, _)| *known == code);
    let (reason, message) = match (known, code) {
        (Some((_, _, says)), 409) if verb.eq_ignore_ascii_case("post") => {
            (Reason::AlreadyExists, (*says).to_owned())
        }
        (Some((_, reason, says)), _) => (*reason, (*says).to_owned()),
        (None, 403) => (Reason::Forbidden, body.to_owned()),
        (None, 500..) => {
            let body = go::quote(body);
            let says = "has prevented the request from succeeding";
            (
                Reason::InternalError,
                format!("an error on the server ({body}) {says}"),
            )
        }
        (None, code) => {
            let says = "but did not return more information";
            let message = format!("the server responded with the status code {code} {says}");
            (Reason::Unknown, message)
        }
    };
    let verb = verb.to_lowercase();
    let message = match (resource, name) {
        ("", _) => message,
        (_, "") => format!("{message} ({verb} {})", qualified(group, resource)),
        _ => format!("{message} ({verb} {} {name})", qualified(group, resource)),
    };
    Status::new(code, reason, message).about(group, resource, name)
}
