//! Why a command failed, and how kubectl says it.
//!
//! Models kubectl/pkg/cmd/util/helpers.go (checkErr) and apimachinery's StatusError.

use api::Value;
use net::Errno;

/// What ends a command.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The API server answered with a Status.
    Status(Value),
    /// The API server could not be reached.
    Connection {
        /// `172.30.1.2:6443`.
        host: String,
        /// `https://172.30.1.2:6443/api?timeout=32s`
        url: String,
        /// Why.
        errno: Errno,
    },
    /// A sentence to print after `error: `.
    Message(String),
    /// A sentence to print as it is.
    Plain(String),
    /// The line was wrong: the sentence, and the usage hint of the command after it.
    Usage(String, String),
    /// A sentence to print as it is, if any, and the exit code of what ran elsewhere.
    Exit(String, i32),
    /// What was made for standard output before it failed, and why it failed.
    Printed(String, Box<Failure>),
}

/// Where a Status keeps its message together with what was being done.
const WITHIN: &str = "messageWithin";

/// The message of a Status together with what was being done.
fn within(status: &Value) -> &str {
    match status.str(WITHIN) {
        "" => status.str("message"),
        text => text,
    }
}

/// What a command gives back.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// `error: …`
    pub(crate) fn message(text: impl Into<String>) -> Failure {
        Failure::Message(text.into())
    }

    /// `error: …`, and where to read how the command is used.
    pub(crate) fn hint(line: &super::flags::Line, text: &str) -> Failure {
        let command = &line.command;
        Failure::Plain(format!(
            "error: {text}\nSee '{command} -h' for help and examples"
        ))
    }

    /// The reason of a Status: `NotFound`.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Failure::Status(status) => status.str_at("reason"),
            _ => "",
        }
    }

    /// Whether the server said that there is no such object.
    pub(crate) fn is_not_found(&self) -> bool {
        self.reason() == "NotFound"
    }

    /// The same with what was being done in front: `error when creating "STDIN": …`.
    pub(crate) fn context(self, doing: &str) -> Failure {
        match self {
            // A list of causes speaks for itself, unless it is one failure of many.
            Failure::Status(mut status) if status.str_at("reason") == "Invalid" => {
                let message = format!("{doing}: {}", within(&status));
                status.set(WITHIN, message);
                Failure::Status(status)
            }
            Failure::Status(mut status) => {
                let message = format!("{doing}: {}", status.str_at("message"));
                status.set("message", message);
                Failure::Status(status)
            }
            Failure::Message(text) => Failure::Message(format!("{doing}: {text}")),
            other => other,
        }
    }

    /// What is printed to standard error, newline included.
    pub(crate) fn text(&self) -> String {
        match self {
            Failure::Status(status) => status_text(status),
            Failure::Connection {
                host,
                errno: Errno::ECONNREFUSED,
                ..
            } => format!(
                "The connection to the server {host} was refused - did you specify the right host \
                 or port?\n"
            ),
            Failure::Connection {
                url,
                errno: Errno::ECONNRESET,
                ..
            } => {
                format!("Unable to connect to the server: Get \"{url}\": EOF\n")
            }
            Failure::Connection {
                host,
                errno: Errno::ETIMEDOUT,
                ..
            } => {
                format!("Unable to connect to the server: dial tcp {host}: i/o timeout\n")
            }
            Failure::Connection { host, errno, .. } => {
                let why = errno.message().to_lowercase();
                format!("Unable to connect to the server: dial tcp {host}: connect: {why}\n")
            }
            Failure::Message(text) => format!("error: {text}\n"),
            Failure::Exit(text, _) if text.is_empty() => String::new(),
            Failure::Plain(text) | Failure::Exit(text, _) => format!("{text}\n"),
            Failure::Printed(_, failure) => failure.text(),
            Failure::Usage(text, command) => {
                format!("error: {text}\nSee '{command} --help' for usage.\n")
            }
        }
    }

    /// The same as one of several failures, which are printed without the ado of a single one.
    fn text_among_others(&self) -> String {
        match self {
            Failure::Status(status) => {
                let from = match status.str("reason") {
                    "" => "Error from server".to_owned(),
                    reason => format!("Error from server ({reason})"),
                };
                format!("{from}: {}\n", within(status))
            }
            Failure::Message(text) => format!("{text}\n"),
            other => other.text(),
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Failure::Exit(_, code) => *code,
            Failure::Printed(_, failure) => failure.code(),
            _ => 1,
        }
    }
}

/// What is told of several failures that are one of many.
pub(crate) fn combined(mut failures: Vec<Failure>) -> Option<Failure> {
    if failures.len() < 2 {
        return failures.pop();
    }
    let texts: Vec<&str> = failures
        .iter()
        .map(|failure| match failure {
            Failure::Status(status) => within(status),
            Failure::Message(text) | Failure::Plain(text) => text,
            _ => "",
        })
        .collect();
    Some(Failure::Plain(format!("[{}]", texts.join(", "))))
}

/// What could not be read at all beside what failed afterwards: one failure of many.
pub(crate) fn together(unread: Vec<Failure>, mut failures: Vec<Failure>) -> Vec<Failure> {
    if failures.is_empty() {
        return unread;
    }
    failures.extend(combined(unread));
    failures
}

/// Ends a command of many parts: one failure is that of the command, several are told together.
pub(crate) async fn report(
    session: &super::session::Session,
    mut failures: Vec<Failure>,
) -> Outcome {
    match failures.len() {
        0 => Ok(()),
        1 => Err(failures.swap_remove(0)),
        _ => {
            let texts: String = failures.iter().map(Failure::text_among_others).collect();
            session.io.eprint(&texts).await;
            Err(Failure::Exit(String::new(), 1))
        }
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure::Message(text)
    }
}

fn status_text(status: &Value) -> String {
    let (reason, message) = (status.str_at("reason"), status.str_at("message"));
    match reason {
        "Invalid" => invalid_text(status),
        "Unauthorized" => {
            format!("error: You must be logged in to the server ({reason})\n")
        }
        "" => format!("Error from server: {message}\n"),
        _ => format!("Error from server ({reason}): {message}\n"),
    }
}

/// Why a text is no number, as Go's Atoi says.
pub(crate) fn atoi(text: &str) -> String {
    format!("strconv.Atoi: parsing {text:?}: invalid syntax")
}

/// `The Pod "x" is invalid: …`, one cause in the line, several as a list.
fn invalid_text(status: &Value) -> String {
    let details = status.get("details");
    let (kind, name) = (details.str_at("kind"), details.str_at("name"));
    let nobody = kind.is_empty() && name.is_empty();
    let start = match nobody {
        true => "The request is invalid".to_owned(),
        false => format!("The {kind} {name:?} is invalid"),
    };
    let mut causes: Vec<String> = Vec::new();
    for cause in details.list_at("causes") {
        let text = format!("{}: {}", cause.str_at("field"), cause.str_at("message"));
        // The same thing is said once.
        if !causes.contains(&text) {
            causes.push(text);
        }
    }
    match causes.as_slice() {
        [] if nobody => format!("{start}: {}\n", status.str_at("message")),
        [] => format!("{start}\n"),
        [one] => format!("{start}: {one}\n"),
        many => {
            let lines: Vec<String> = many.iter().map(|cause| format!("* {cause}")).collect();
            format!("{start}: \n{}\n", lines.join("\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn failures_read_as_kubectl_prints_them() {
        let missing = object!({
            "reason": "NotFound",
            "message": "pods \"x\" not found",
        });
        let failure = Failure::Status(missing);
        assert_eq!(
            failure.text(),
            "Error from server (NotFound): pods \"x\" not found\n"
        );
        let failure = failure.context("error when creating \"STDIN\"");
        assert_eq!(
            failure.text(),
            "Error from server (NotFound): error when creating \"STDIN\": pods \"x\" not found\n"
        );
        let invalid = object!({
            "reason": "Invalid",
            "details": {
                "kind": "Pod",
                "name": "x",
                "causes": [{ "field": "spec.containers", "message": "Required value" }],
            },
        });
        assert_eq!(
            Failure::Status(invalid).text(),
            "The Pod \"x\" is invalid: spec.containers: Required value\n"
        );
    }
}
