//! `kubectl cordon` and `kubectl uncordon`.
//!
//! Models kubectl/pkg/cmd/drain/drain.go as far as it marks nodes.

use api::{Value, object};

use super::Verb;
use super::act::{self, DryRun, Found, STRATEGIC, dry_run, list};
use super::discovery::Resource;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line};
use super::session::{Call, Session};

const FLAGS: &[Flag] = &[act::DRY_RUN, act::SELECTOR];

/// `kubectl cordon`.
pub(super) const CORDON: Verb = Verb {
    name: "cordon",
    summary: "Mark node as unschedulable",
    usage: "kubectl cordon NODE [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(cordon(session, line, true)),
};

/// `kubectl uncordon`.
pub(super) const UNCORDON: Verb = Verb {
    name: "uncordon",
    summary: "Mark node as schedulable",
    usage: "kubectl uncordon NODE [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(cordon(session, line, false)),
};

async fn cordon(session: &Session, line: &Line, cordon: bool) -> Outcome {
    let what = if cordon { "cordon" } else { "uncordon" };
    let nodes = nodes(session, line, what).await?;
    mark(session, line, &nodes, cordon).await
}

/// The nodes a line names or selects.
pub(super) async fn nodes(session: &Session, line: &Line, verb: &str) -> Outcome<Vec<Found>> {
    let selected = line.get("selector").is_some_and(|text| !text.is_empty());
    if line.args.is_empty() && !selected {
        return Err(Failure::Plain(format!(
            "error: USAGE: {verb} NODE [flags]\nSee 'kubectl {verb} -h' for help and examples"
        )));
    }
    if !line.args.is_empty() && selected {
        return Err(Failure::hint(
            line,
            "cannot specify both a node name and a --selector option",
        ));
    }
    let discovery = session.discovery().await?;
    let resource = discovery.resolve("nodes")?;
    if selected {
        return list(session, line, resource).await;
    }
    let mut nodes = Vec::new();
    for name in &line.args {
        let name = match name.split_once('/') {
            Some(("node" | "nodes" | "no", name)) => name,
            Some((other, _)) => {
                let Resource {
                    group,
                    version,
                    plural,
                    ..
                } = discovery.resolve(other)?;
                let got = format!("{group}/{version}, Resource={plural}");
                return Err(Failure::message(format!(
                    "expected resource of type node, got {got:?}"
                )));
            }
            None => name,
        };
        let value = session.call(Call::get(resource.path("", name))).await?;
        let resource = resource.clone();
        nodes.push(Found { resource, value });
    }
    Ok(nodes)
}

/// What follows a sentence about something that was not really done.
pub(super) fn suffix(dry: DryRun) -> &'static str {
    match dry {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    }
}

/// Marks nodes, and says of each what became of it.
pub(super) async fn mark(session: &Session, line: &Line, nodes: &[Found], cordon: bool) -> Outcome {
    let dry = dry_run(line)?;
    let (state, suffix) = match cordon {
        true => ("cordoned", suffix(dry)),
        false => ("uncordoned", suffix(dry)),
    };
    for node in nodes {
        let name = node.value.name();
        let already = node.value.bool_at("spec.unschedulable") == cordon;
        if !already && dry != DryRun::Client {
            let value = if cordon {
                Value::Bool(true)
            } else {
                Value::Null
            };
            let body = object!({ "spec": { "unschedulable": (value) } });
            act::patch(session, line, node, STRATEGIC, body, "kubectl").await?;
        }
        let already = if already { "already " } else { "" };
        let text = format!("node/{name} {already}{state}{suffix}\n");
        session.io.print(&text).await;
    }
    Ok(())
}
