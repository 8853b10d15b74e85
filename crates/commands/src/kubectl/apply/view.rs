//! `kubectl apply view-last-applied`.
//!
//! Models kubectl/pkg/cmd/apply/apply_view_last_applied.go.

use api::{Value, yaml};

use super::super::Verb;
use super::super::act::{self, find};
use super::super::failure::{Failure, Outcome};
use super::super::flags::{Line, switch};
use super::super::session::Session;
use super::LAST_APPLIED;

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "apply view-last-applied",
    summary: "View the latest last-applied-configuration annotations of a resource/object",
    usage: "kubectl apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME) \
            [options]",
    flags: &[
        act::FILENAME,
        act::OUTPUT,
        act::SELECTOR,
        act::ALL,
        switch("recursive").short('R'),
    ],
    interspersed: true,
    run: |session, line| Box::pin(view(session, line)),
};

async fn view(session: &Session, line: &Line) -> Outcome {
    let as_json = match line.get("output").unwrap_or("yaml") {
        "yaml" => false,
        "json" => true,
        other => {
            return Err(Failure::message(format!(
                "Unexpected -o output mode: {other}, the flag 'output' must be one of yaml|json\n\
                 See '{} -h' for help and examples",
                line.command
            )));
        }
    };
    for found in find(session, line, &line.args).await? {
        let text = found.value.annotation(LAST_APPLIED);
        if text.is_empty() {
            return Err(Failure::message(format!(
                "no last-applied-configuration annotation found on resource: {}\n",
                found.value.name()
            )));
        }
        let applied = Value::from_json(text.as_bytes()).unwrap_or_default();
        let shown = match as_json {
            true => format!("{}\n", applied.to_json_pretty()),
            false => yaml::to_string(&applied),
        };
        session.io.print(&shown).await;
    }
    Ok(())
}
