//! What a call came to, in the API's terms: an object, or an error with a reason. Decides nothing
//! about retries; that is for those who asked.
//! Models apimachinery/pkg/api/errors.

use std::fmt;

use api::{Str, Value, body_value};
use net::Errno;
use sim::Duration;

use crate::Incoming;

/// Why a call gave no object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// HTTP status, 0 if there was no answer.
    pub code: u16,
    /// `NotFound`, `Conflict`, …: the reason of the Status; empty if there is none.
    pub reason: Str,
    /// The Status' message, or what the connection failed with.
    pub message: Str,
    /// `Retry-After`, if the server asked for it.
    pub retry_after: Option<Duration>,
    /// How the connection failed, if there was no answer.
    pub errno: Option<Errno>,
}

/// The object a complete answer carries, or the error it is.
///
/// # Errors
/// A status other than 2xx, a body that is no JSON, a failed connection.
pub fn answer(incoming: &Incoming) -> Result<Value, Error> {
    match incoming {
        Incoming::Response(response) => {
            let object = body_value(&response.body);
            if (200..300).contains(&response.status) {
                return object.map_err(|error| Error::of_code(response.status, &error.message));
            }
            let retry_after = response
                .headers
                .get("Retry-After")
                .and_then(|secs| secs.parse().ok())
                .map(Duration::from_secs);
            let mut error = match object {
                Ok(status) => Error::of_status(response.status, &status),
                Err(_) => Error::of_code(response.status, response.body.text().trim()),
            };
            error.retry_after = retry_after;
            Err(error)
        }
        Incoming::Failed(errno) => Err(Error::of_errno(*errno)),
        Incoming::Data(_) | Incoming::End => Ok(Value::Null),
    }
}

impl Error {
    /// The error a Status object describes.
    #[must_use]
    pub fn of_status(code: u16, status: &Value) -> Error {
        let text = |field: &str| {
            status
                .get(field)
                .as_shared_str()
                .cloned()
                .unwrap_or_default()
        };
        let code = status
            .i64_at("code")
            .and_then(|code| u16::try_from(code).ok())
            .unwrap_or(code);
        let secs = status
            .i64_at("details.retryAfterSeconds")
            .and_then(|s| u64::try_from(s).ok());
        Error {
            code,
            reason: text("reason"),
            message: text("message"),
            retry_after: secs.map(Duration::from_secs),
            errno: None,
        }
    }

    fn of_code(code: u16, message: &str) -> Error {
        let (reason, message) = (Str::default(), Str::from(message));
        Error {
            code,
            reason,
            message,
            retry_after: None,
            errno: None,
        }
    }

    /// The error of a connection.
    #[must_use]
    pub fn of_errno(errno: Errno) -> Error {
        // Go prints an errno's message in lower case.
        let message = errno.message().to_lowercase();
        Error {
            errno: Some(errno),
            ..Error::of_code(0, &message)
        }
    }

    /// The object is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        &*self.reason == "NotFound"
    }

    /// An object of that name is there already.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        &*self.reason == "AlreadyExists"
    }

    /// The object changed since it was read.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        &*self.reason == "Conflict"
    }

    /// The resourceVersion asked for is no longer kept.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.code == 410 || matches!(&*self.reason, "Expired" | "Gone")
    }

    /// The resourceVersion asked for lies in the future, as it can after a restore.
    #[must_use]
    pub fn is_too_large_resource_version(&self) -> bool {
        self.code == 504 && self.message.contains("Too large resource version")
    }

    /// The namespace takes no new objects because it is going away.
    #[must_use]
    pub fn is_namespace_terminating(&self) -> bool {
        self.code == 403 && self.message.contains("because it is being terminated")
    }

    /// The server does not serve the resource, or did not answer as an API server.
    #[must_use]
    pub fn is_unserved(&self) -> bool {
        self.code == 405 || self.code == 404 && !self.message.ends_with("not found")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use api::object;
    use net::http::{Body, Response};

    #[track_caller]
    fn check(response: Response, expect: Result<&str, (u16, &str, &str)>) {
        let got = answer(&Incoming::Response(Rc::new(response)));
        let got = got.map(|object| object.name().to_owned());
        let got = got.map_err(|e| (e.code, e.reason.to_string(), e.message.to_string()));
        let expect = expect.map(str::to_owned);
        let expect = expect.map_err(|(code, reason, text)| (code, reason.into(), text.into()));
        assert_eq!(got, expect);
    }

    #[test]
    fn answers() {
        let pod = Rc::new(object! { "metadata": { "name": "p" } });
        check(Response::new(200, Body::shared(pod)), Ok("p"));
        check(Response::new(200, r#"{"metadata":{"name":"q"}}"#), Ok("q"));
        let status = object! {
            "kind": "Status", "code": 404, "reason": "NotFound", "message": "pods \"p\" not found",
        };
        check(
            Response::new(404, Body::shared(Rc::new(status))),
            Err((404, "NotFound", "pods \"p\" not found")),
        );
        check(
            Response::new(502, "bad gateway\n"),
            Err((502, "", "bad gateway")),
        );
    }

    #[test]
    fn failures() {
        let error = answer(&Incoming::Failed(Errno::ECONNREFUSED)).unwrap_err();
        assert_eq!(error.to_string(), "connection refused");
        assert_eq!(error.code, 0);
    }
}
