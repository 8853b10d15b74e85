//! The API's own answers: `Status` objects with upstream's codes, reasons and sentences.
//! Models k8s.io/apimachinery/pkg/api/errors.

mod generic;

use std::fmt;

use crate::field::FieldError;
use crate::{Map, Value, go, object};

pub use generic::generic;

/// Why a request failed, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Reason {
    Unknown,
    Unauthorized,
    Forbidden,
    NotFound,
    AlreadyExists,
    Conflict,
    Gone,
    Invalid,
    ServerTimeout,
    StoreReadError,
    Timeout,
    TooManyRequests,
    BadRequest,
    MethodNotAllowed,
    NotAcceptable,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    InternalError,
    Expired,
    ServiceUnavailable,
}

const REASONS: [(Reason, &str); 20] = [
    (Reason::Unknown, ""),
    (Reason::Unauthorized, "Unauthorized"),
    (Reason::Forbidden, "Forbidden"),
    (Reason::NotFound, "NotFound"),
    (Reason::AlreadyExists, "AlreadyExists"),
    (Reason::Conflict, "Conflict"),
    (Reason::Gone, "Gone"),
    (Reason::Invalid, "Invalid"),
    (Reason::ServerTimeout, "ServerTimeout"),
    (Reason::StoreReadError, "StorageReadError"),
    (Reason::Timeout, "Timeout"),
    (Reason::TooManyRequests, "TooManyRequests"),
    (Reason::BadRequest, "BadRequest"),
    (Reason::MethodNotAllowed, "MethodNotAllowed"),
    (Reason::NotAcceptable, "NotAcceptable"),
    (Reason::RequestEntityTooLarge, "RequestEntityTooLarge"),
    (Reason::UnsupportedMediaType, "UnsupportedMediaType"),
    (Reason::InternalError, "InternalError"),
    (Reason::Expired, "Expired"),
    (Reason::ServiceUnavailable, "ServiceUnavailable"),
];

impl Reason {
    /// The word on the wire; empty for `Unknown`.
    pub fn as_str(self) -> &'static str {
        REASONS
            .iter()
            .find(|(reason, _)| *reason == self)
            .map_or("", |(_, text)| text)
    }

    /// Reads the word back; what is not known is `Unknown`.
    pub fn parse(text: &str) -> Reason {
        REASONS
            .iter()
            .find(|(_, known)| *known == text)
            .map_or(Reason::Unknown, |(r, _)| *r)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure as the API reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The HTTP status code.
    pub code: u16,
    /// The reason in one word.
    pub reason: Reason,
    /// The sentence.
    pub message: String,
    /// `details`: a map, or null where there are none.
    pub details: Value,
}

/// The sentence of a write to an outdated object.
pub const OPTIMISTIC_LOCK: &str = "the object has been modified; please apply your changes to the \
     latest version and try again";

/// `deployments.apps`, or `pods` for the core group.
pub fn qualified(group: &str, resource: &str) -> String {
    if group.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}.{group}")
    }
}

fn details(group: &str, kind: &str, name: &str) -> Value {
    let mut map = Map::new();
    for (key, text) in [("group", group), ("kind", kind), ("name", name)] {
        if !text.is_empty() {
            map.insert(key, text);
        }
    }
    Value::Map(map)
}

impl Status {
    /// A failure without details.
    pub fn new(code: u16, reason: Reason, message: impl Into<String>) -> Status {
        Status {
            code,
            reason,
            message: message.into(),
            details: Value::Null,
        }
    }

    fn about(self, group: &str, kind: &str, name: &str) -> Status {
        Status {
            details: details(group, kind, name),
            ..self
        }
    }

    /// The same with `details.retryAfterSeconds`.
    pub fn retry_after(mut self, secs: u32) -> Status {
        self.details.set("retryAfterSeconds", secs);
        self
    }

    /// The same with causes in its details.
    pub fn causes(mut self, causes: Vec<Value>) -> Status {
        self.details.set("causes", causes);
        self
    }

    /// The object on the wire.
    pub fn to_value(&self) -> Value {
        let mut out = object! {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "code": self.code,
        };
        out.set_or_remove("message", &self.message);
        out.set_or_remove("reason", self.reason.as_str());
        if !self.details.is_null() {
            out.set("details", &self.details);
        }
        out
    }

    /// Reads a `Status` object that reports a failure.
    pub fn from_value(value: &Value) -> Option<Status> {
        let failed = value.kind() == "Status" && value.str("status") != "Success";
        failed.then(|| Status {
            code: value
                .i64_at("code")
                .and_then(|n| u16::try_from(n).ok())
                .unwrap_or(0),
            reason: Reason::parse(value.str("reason")),
            message: value.str("message").to_owned(),
            details: value.get("details").clone(),
        })
    }

    /// Whether this is a failure for this reason.
    pub fn is(&self, reason: Reason) -> bool {
        self.reason == reason
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Status> for Value {
    fn from(status: Status) -> Value {
        status.to_value()
    }
}

/// The `Status` that reports a success, as DELETE answers when the object is gone.
pub fn success(group: &str, resource: &str, name: &str, uid: &str) -> Value {
    let mut details = details(group, resource, name);
    details.set_or_remove("uid", uid);
    object! {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }
}

/// `pods "x" not found`
pub fn not_found(group: &str, resource: &str, name: &str) -> Status {
    let message = format!(
        "{} {} not found",
        qualified(group, resource),
        go::quote(name)
    );
    Status::new(404, Reason::NotFound, message).about(group, resource, name)
}

/// The answer to a path no resource has.
pub fn path_not_found() -> Status {
    let message = "the server could not find the requested resource";
    Status {
        details: object! {},
        ..Status::new(404, Reason::NotFound, message)
    }
}

/// `pods "x" already exists`
pub fn already_exists(group: &str, resource: &str, name: &str) -> Status {
    let message = format!(
        "{} {} already exists",
        qualified(group, resource),
        go::quote(name)
    );
    Status::new(409, Reason::AlreadyExists, message).about(group, resource, name)
}

/// The answer when every generated name is taken.
pub fn generate_name_conflict(group: &str, resource: &str, name: &str, secs: u32) -> Status {
    let what = qualified(group, resource);
    let message = format!(
        "{what} {} already exists, the server was not able to generate a unique name for the object",
        go::quote(name)
    );
    Status::new(409, Reason::AlreadyExists, message)
        .about(group, resource, name)
        .retry_after(secs)
}

/// `Operation cannot be fulfilled on pods "x": <why>`; see `OPTIMISTIC_LOCK`.
pub fn conflict(group: &str, resource: &str, name: &str, why: impl fmt::Display) -> Status {
    let what = qualified(group, resource);
    let name_quoted = go::quote(name);
    let message = format!("Operation cannot be fulfilled on {what} {name_quoted}: {why}");
    Status::new(409, Reason::Conflict, message).about(group, resource, name)
}

/// An apply that others are in the way of, with a cause for each field.
pub fn apply_conflict(causes: Vec<Value>, message: impl Into<String>) -> Status {
    Status::new(409, Reason::Conflict, message).causes(causes)
}

/// A write to an outdated object.
pub fn outdated(group: &str, resource: &str, name: &str) -> Status {
    conflict(group, resource, name, OPTIMISTIC_LOCK)
}

/// `Pod "x" is invalid: <errors>`, with a cause for each.
pub fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Status {
    let causes = errors.iter().map(|error| {
        object! {
            "reason": error.kind.reason(),
            "message": error.body(),
            "field": &error.field,
        }
    });
    let causes: Vec<Value> = causes.collect();
    let mut texts: Vec<String> = Vec::new();
    for error in errors {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let what = format!("{} {} is invalid", qualified(group, kind), go::quote(name));
    let message = match texts.as_slice() {
        [] => what,
        [one] => format!("{what}: {one}"),
        more => format!("{what}: [{}]", more.join(", ")),
    };
    let status = Status::new(422, Reason::Invalid, message).about(group, kind, name);
    if causes.is_empty() {
        status
    } else {
        status.causes(causes)
    }
}

/// `Operation` or body that cannot be understood.
pub fn bad_request(message: impl Into<String>) -> Status {
    Status::new(400, Reason::BadRequest, message)
}

/// A request without credentials, or with wrong ones.
pub fn unauthorized() -> Status {
    Status::new(401, Reason::Unauthorized, "Unauthorized")
}

/// `pods "x" is forbidden: <why>`; without a name `pods is forbidden: <why>`, without a resource
/// `forbidden: <why>`.
pub fn forbidden(group: &str, resource: &str, name: &str, why: impl fmt::Display) -> Status {
    let what = qualified(group, resource);
    let message = match (resource, name) {
        ("", _) => format!("forbidden: {why}"),
        (_, "") => format!("{what} is forbidden: {why}"),
        _ => format!("{what} {} is forbidden: {why}", go::quote(name)),
    };
    Status::new(403, Reason::Forbidden, message).about(group, resource, name)
}

/// `<verb> is not supported on resources of kind "pods"`
pub fn method_not_supported(group: &str, resource: &str, verb: &str) -> Status {
    let what = go::quote(&qualified(group, resource));
    let message = format!("{verb} is not supported on resources of kind {what}");
    Status::new(405, Reason::MethodNotAllowed, message).about(group, resource, "")
}

/// The answer to a method a path does not have.
pub fn method_not_allowed() -> Status {
    let message = "the server does not allow this method on the requested resource";
    Status {
        details: object! {},
        ..Status::new(405, Reason::MethodNotAllowed, message)
    }
}

/// The answer when no accepted media type can be had.
pub fn not_acceptable(accepted: &[&str]) -> Status {
    let message = format!(
        "only the following media types are accepted: {}",
        accepted.join(", ")
    );
    Status::new(406, Reason::NotAcceptable, message)
}

/// The answer to a body in a format that is not known.
pub fn unsupported_media_type(accepted: &[&str]) -> Status {
    let message = format!(
        "the body of the request was in an unknown format - accepted media types include: {}",
        accepted.join(", ")
    );
    Status::new(415, Reason::UnsupportedMediaType, message)
}

/// The object, or the history that was asked for, is no longer there.
pub fn gone(message: impl Into<String>) -> Status {
    Status::new(410, Reason::Gone, message)
}

/// The resourceVersion or continue token that was asked for is too old.
pub fn expired(message: impl Into<String>) -> Status {
    Status::new(410, Reason::Expired, message)
}

/// `too old resource version: <asked> (<oldest>)`, as a watch says it.
pub fn too_old(asked: u64, oldest: u64) -> Status {
    expired(format!("too old resource version: {asked} ({oldest})"))
}

/// `Internal error occurred: <why>`
pub fn internal(why: impl fmt::Display) -> Status {
    let why = why.to_string();
    let status = Status::new(
        500,
        Reason::InternalError,
        format!("Internal error occurred: {why}"),
    );
    status.causes(vec![object! { "message": why }])
}

/// `Timeout: <message>`
pub fn timeout(message: &str, retry_after_secs: u32) -> Status {
    let status = Status::new(504, Reason::Timeout, format!("Timeout: {message}"));
    let status = Status {
        details: object! {},
        ..status
    };
    if retry_after_secs > 0 {
        status.retry_after(retry_after_secs)
    } else {
        status
    }
}

/// The operation could not be done in time, but may be tried again.
pub fn server_timeout(group: &str, resource: &str, operation: &str, secs: u32) -> Status {
    let what = qualified(group, resource);
    let message = format!(
        "The {operation} operation against {what} could not be completed at this time, please try \
         again."
    );
    Status::new(500, Reason::ServerTimeout, message)
        .about(group, resource, operation)
        .retry_after(secs)
}

/// The request must wait its turn.
pub fn too_many_requests(message: impl Into<String>, retry_after_secs: u32) -> Status {
    let status = Status::new(429, Reason::TooManyRequests, message);
    let status = Status {
        details: object! {},
        ..status
    };
    if retry_after_secs > 0 {
        status.retry_after(retry_after_secs)
    } else {
        status
    }
}

/// The body is too big.
pub fn too_large(message: &str) -> Status {
    let message = format!("Request entity too large: {message}");
    Status::new(413, Reason::RequestEntityTooLarge, message)
}

/// The server, or one it relies on, cannot answer.
pub fn unavailable(message: impl Into<String>) -> Status {
    Status::new(503, Reason::ServiceUnavailable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: Status, code: u16, reason: &str, message: &str) {
        assert_eq!((status.code, status.reason.as_str()), (code, reason));
        assert_eq!(status.message, message);
        assert_eq!(Status::from_value(&status.to_value()), Some(status));
    }

    #[test]
    fn sentences() {
        check(
            not_found("", "pods", "x"),
            404,
            "NotFound",
            "pods \"x\" not found",
        );
        check(
            already_exists("apps", "deployments", "web"),
            409,
            "AlreadyExists",
            "deployments.apps \"web\" already exists",
        );
        check(
            outdated("", "configmaps", "cfg"),
            409,
            "Conflict",
            "Operation cannot be fulfilled on configmaps \"cfg\": the object has been modified; please apply your changes to the latest version and try again",
        );
        check(
            forbidden(
                "",
                "pods",
                "",
                "User \"alice\" cannot list resource \"pods\"",
            ),
            403,
            "Forbidden",
            "pods is forbidden: User \"alice\" cannot list resource \"pods\"",
        );
        check(
            method_not_supported("apps", "deployments", "delete"),
            405,
            "MethodNotAllowed",
            "delete is not supported on resources of kind \"deployments.apps\"",
        );
        check(
            internal("boom"),
            500,
            "InternalError",
            "Internal error occurred: boom",
        );
        check(
            too_old(3, 7),
            410,
            "Expired",
            "too old resource version: 3 (7)",
        );
        check(
            timeout("request did not complete", 0),
            504,
            "Timeout",
            "Timeout: request did not complete",
        );
        check(
            generic(404, "GET", "metrics.k8s.io", "pods", "", ""),
            404,
            "NotFound",
            "the server could not find the requested resource (get pods.metrics.k8s.io)",
        );
    }

    #[test]
    fn invalid_lists_its_causes() {
        let one = [FieldError::required("spec.containers", "")];
        check(
            invalid("", "Pod", "x", &one),
            422,
            "Invalid",
            "Pod \"x\" is invalid: spec.containers: Required value",
        );
        let errors = [
            FieldError::required("spec.selector", ""),
            FieldError::duplicate("a", "v"),
            FieldError::duplicate("a", "v"),
        ];
        let status = invalid("apps", "Deployment", "d", &errors);
        assert_eq!(
            status.message,
            "Deployment.apps \"d\" is invalid: [spec.selector: Required value, a: Duplicate value: \"v\"]"
        );
        let value = status.to_value();
        assert_eq!(value.list_at("details.causes").len(), 3);
        assert_eq!(
            value.at("details.causes.0").to_json(),
            r#"{"field":"spec.selector","message":"Required value","reason":"FieldValueRequired"}"#
        );
        assert_eq!(value.str_at("details.group"), "apps");
    }

    #[test]
    fn on_the_wire() {
        assert_eq!(
            not_found("", "pods", "x").to_value().to_json(),
            r#"{"apiVersion":"v1","code":404,"details":{"kind":"pods","name":"x"},"kind":"Status","message":"pods \"x\" not found","metadata":{},"reason":"NotFound","status":"Failure"}"#
        );
        let done = success("apps", "deployments", "web", "u1");
        assert_eq!(Status::from_value(&done), None);
        assert_eq!(done.str_at("details.uid"), "u1");
    }
}
