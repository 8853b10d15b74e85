//! `kubectl top node` and `top pod`: they ask the metrics API, which a cluster has once a metrics
//! server was installed.
//!
//! Models kubectl/pkg/cmd/top.

use super::Verb;
use super::act;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::session::{Call, Session};

const NODE_FLAGS: &[Flag] = &[
    act::SELECTOR,
    value("sort-by"),
    switch("no-headers"),
    switch("show-capacity"),
    switch("show-swap"),
    switch("use-protocol-buffers"),
];

const POD_FLAGS: &[Flag] = &[
    act::SELECTOR,
    act::ALL_NAMESPACES,
    value("field-selector"),
    value("sort-by"),
    switch("containers"),
    switch("no-headers"),
    switch("show-swap"),
    switch("sum"),
    switch("use-protocol-buffers"),
];

/// The verbs of the group.
pub(super) const VERBS: [&Verb; 6] = [&NODE, &NODES, &NO, &POD, &PODS, &PO];

const NODE: Verb = Verb {
    name: "top node",
    summary: "Display resource (CPU/memory) usage of nodes",
    usage: "kubectl top node [NAME | -l label] [options]",
    flags: NODE_FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(top(session, line)),
};

const NODES: Verb = Verb {
    name: "top nodes",
    ..NODE
};

const NO: Verb = Verb {
    name: "top no",
    ..NODE
};

const POD: Verb = Verb {
    name: "top pod",
    summary: "Display resource (CPU/memory) usage of pods",
    usage: "kubectl top pod [NAME | -l label] [options]",
    flags: POD_FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(top(session, line)),
};

const PODS: Verb = Verb {
    name: "top pods",
    ..POD
};

const PO: Verb = Verb {
    name: "top po",
    ..POD
};

async fn top(session: &Session, line: &Line) -> Outcome {
    if line.args.len() > 1 {
        let kind = line.command.rsplit(' ').next().unwrap_or_default();
        return Err(Failure::hint(line, &format!("{kind} [NAME | -l label]")));
    }
    if !line.args.is_empty() && !line.text("selector").is_empty() {
        return Err(Failure::message(match line.command.ends_with("node") {
            true => "only one of NAME or --selector can be provided",
            false => "only one of NAME or selector can be provided",
        }));
    }
    match line.text("sort-by") {
        "" | "cpu" | "memory" | "swap" => {}
        _ => {
            return Err(Failure::message("--sort-by accepts only cpu or memory"));
        }
    }
    let groups = session.call(Call::get("/apis")).await?;
    let mut groups = groups.list_at("groups").iter();
    if groups.any(|group| group.str("name") == "metrics.k8s.io") {
        let why = sim::unmodelled!("kubectl top with a metrics server");
        return Err(Failure::message(why.to_string()));
    }
    Err(Failure::message("Metrics API not available"))
}
