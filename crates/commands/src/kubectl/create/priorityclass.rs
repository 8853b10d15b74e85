//! `kubectl create priorityclass`.
//!
//! Models kubectl/pkg/cmd/create/create_priorityclass.go.

use api::object;

use super::{exactly_one_name, generated_as, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, switch, value};
use crate::kubectl::session::Session;

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create priorityclass",
    summary: "Create a priority class with the specified name",
    usage: "kubectl create priorityclass NAME --value=VALUE --global-default=BOOL \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(
        value("value"),
        value("description"),
        value("preemption-policy"),
        switch("global-default"),
    ),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line)),
};

/// `kubectl create pc`.
pub(super) const SHORT: Verb = Verb {
    name: "create pc",
    ..VERB
};

async fn create(session: &Session, line: &Line) -> Outcome {
    let value = line.number("value")?.unwrap_or(0);
    if i32::try_from(value).is_err() {
        let why = format!(
            "invalid argument \"{value}\" for \"--value\" flag: strconv.ParseInt: parsing \
             \"{value}\": value out of range"
        );
        return Err(Failure::Usage(why, line.command.clone()));
    }
    let policy = line
        .get("preemption-policy")
        .unwrap_or("PreemptLowerPriority");
    let mut class = object!({
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": { "name": (exactly_one_name(line)?) },
        "preemptionPolicy": (policy),
        "value": (value),
    });
    if line.on("global-default") {
        class.set("globalDefault", true);
    }
    if !line.text("description").is_empty() {
        class.set("description", line.text("description"));
    }
    generated_as(session, line, class, "priorityclass").await
}
