//! `kubectl drain`: cordons nodes, then evicts what runs on them.
//!
//! Models kubectl/pkg/cmd/drain/drain.go and kubectl/pkg/drain.

mod evict;
mod filter;

use super::Verb;
use super::act::{self, DryRun, Found, dry_run};
use super::cordon::{mark, nodes, suffix};
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::session::Session;

const FLAGS: &[Flag] = &[
    act::DRY_RUN,
    act::SELECTOR,
    value("chunk-size"),
    value("grace-period"),
    value("pod-selector"),
    value("skip-wait-for-delete-timeout"),
    value("timeout"),
    switch("delete-emptydir-data"),
    switch("disable-eviction"),
    switch("force"),
    switch("ignore-daemonsets"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "drain",
    summary: "Drain node in preparation for maintenance",
    usage: "kubectl drain NODE [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(drain(session, line)),
};

async fn drain(session: &Session, line: &Line) -> Outcome {
    if let Some(text) = line.get("pod-selector") {
        api::selector::LabelSelector::parse(text).map_err(|_| {
            Failure::message("--pod-selector=<pod_selector> must be a valid label selector")
        })?;
    }
    let options = evict::Options::read(line)?;
    let nodes = nodes(session, line, "drain").await?;
    mark(session, line, &nodes, true).await?;
    let dry = dry_run(line)?;
    let mut pending = Vec::new();
    let mut failures = Vec::new();
    for node in &nodes {
        let name = node.value.name();
        match one(session, line, node, &options).await? {
            Ok(()) => {
                let text = format!("node/{name} drained{}\n", suffix(dry));
                session.io.print(&text).await;
            }
            Err(why) => {
                let text = format!(
                    "error: unable to drain node {name:?} due to error: {}, continuing command...\n",
                    aggregate(&why)
                );
                session.io.eprint(&text).await;
                pending.push(format!(" {name}\n"));
                failures.extend(why);
            }
        }
    }
    if pending.is_empty() {
        return Ok(());
    }
    let text = format!(
        "There are pending nodes to be drained:\n{}",
        pending.concat()
    );
    session.io.eprint(&text).await;
    Err(Failure::Plain(failures.join("\n")))
}

/// Drains one node, or says why not; what the server refuses altogether is a failure.
async fn one(
    session: &Session,
    line: &Line,
    node: &Found,
    options: &evict::Options,
) -> Outcome<Result<(), Vec<String>>> {
    let node = node.value.name();
    let found = filter::pods(session, line, node).await?;
    let errors = found.errors();
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let warnings = found.warnings();
    if !warnings.is_empty() {
        let text = format!("Warning: {warnings}\n");
        session.io.eprint(&text).await;
    }
    let pods = found.doomed();
    if options.dry == DryRun::Client {
        for pod in &pods {
            let (namespace, name) = (pod.namespace(), pod.name());
            let text = format!("evicting pod {namespace}/{name} (dry run)\n");
            session.io.print(&text).await;
        }
        return Ok(Ok(()));
    }
    let Err(why) = evict::all(session, &pods, options).await else {
        return Ok(Ok(()));
    };
    let left = filter::pods(session, line, node).await?;
    let doomed = left.doomed();
    if !doomed.is_empty() {
        let mut text = format!(
            "There are pending pods in node {node:?} when an error occurred: {}\n",
            aggregate(&why)
        );
        for pod in doomed {
            text.push_str(&format!("pod/{}\n", pod.name()));
        }
        session.io.eprint(&text).await;
    }
    let errors = left.errors();
    if !errors.is_empty() {
        let text = format!(
            "Following errors occurred while getting the list of pods to delete:\n{}",
            aggregate(&errors)
        );
        session.io.eprint(&text).await;
    }
    Ok(Err(why))
}

/// Errors in one line: several in brackets.
fn aggregate(errors: &[String]) -> String {
    match errors {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}
