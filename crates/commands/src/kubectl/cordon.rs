//! `kubectl cordon` and `kubectl uncordon`.
//!
//! Models kubectl/pkg/cmd/drain/drain.go as far as it marks nodes.

use api::{Value, object};

use super::Verb;
use super::act::{self, DryRun, Found, STRATEGIC, dry_run, list};
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
    run: |session, line| Box::pin(mark(session, line, true)),
};

/// `kubectl uncordon`.
pub(super) const UNCORDON: Verb = Verb {
    name: "uncordon",
    summary: "Mark node as schedulable",
    usage: "kubectl uncordon NODE [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(mark(session, line, false)),
};

async fn mark(session: &Session, line: &Line, cordon: bool) -> Outcome {
    let what = if cordon { "cordon" } else { "uncordon" };
    if line.args.is_empty() && !line.has("selector") {
        return Err(Failure::Plain(format!(
            "error: USAGE: {what} NODE [flags]\nSee 'kubectl {what} -h' for help and examples"
        )));
    }
    let discovery = session.discovery().await?;
    let resource = discovery.resolve("nodes")?;
    let mut nodes = Vec::new();
    if line.has("selector") {
        nodes = list(session, line, resource).await?;
    }
    for name in &line.args {
        let name = name.strip_prefix("node/").unwrap_or(name);
        let value = session.call(Call::get(resource.path("", name))).await?;
        nodes.push(Found {
            resource: resource.clone(),
            value,
        });
    }
    let dry = dry_run(line)?;
    for node in nodes {
        let name = node.value.name();
        let state = format!("{what}ed");
        if node.value.bool_at("spec.unschedulable") == cordon {
            session
                .io
                .print(&format!("node/{name} already {state}\n"))
                .await;
            continue;
        }
        if dry != DryRun::Client {
            let value = if cordon {
                Value::Bool(true)
            } else {
                Value::Null
            };
            let body = object!({ "spec": { "unschedulable": (value) } });
            act::patch(session, line, &node, STRATEGIC, body, "kubectl-cordon").await?;
        }
        let suffix = if dry == DryRun::None {
            ""
        } else {
            " (dry run)"
        };
        session
            .io
            .print(&format!("node/{name} {state}{suffix}\n"))
            .await;
    }
    Ok(())
}
