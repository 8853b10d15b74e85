//! kubectl: the command line of a cluster. One file per verb; what verbs share is in `session`
//! (requests), `discovery` (what words mean), `target` (which objects), `print` (formats).
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd.

pub(crate) mod act;
mod apply;
mod attaching;
mod auth;
mod autoscale;
mod certificate;
mod cluster;
mod complete;
mod completion;
mod config;
mod config_files;
mod cordon;
mod cp;
mod create;
mod debug;
mod delete;
mod describe;
mod diff;
mod discovery;
mod drain;
mod dump;
mod edit;
mod events;
mod exec;
mod explain;
mod expose;
pub(crate) mod failure;
pub(crate) mod flags;
mod get;
mod groups;
mod help;
mod kuberc;
mod kustomize;
mod label;
mod logs;
mod options;
mod overrides;
mod patch;
mod plugin;
mod pods;
mod port_forward;
mod ports;
mod print;
mod proxy;
mod replace;
mod rollout;
mod rules;
mod run;
mod scale;
pub(crate) mod session;
mod set;
mod streams;
mod subject;
mod taint;
mod target;
mod top;
mod trace;
mod unreachable;
mod wait;
mod watching;

use std::future::Future;
use std::pin::Pin;

use machine::Io;

pub(crate) use completion::BASH as COMPLETION;
use failure::{Failure, Outcome};
use flags::{Flag, Line};
use session::Session;

use sim::Duration;

use crate::Tool;

/// The tool.
pub(crate) const TOOL: Tool = Tool {
    name: "kubectl",
    summary: "controls the Kubernetes cluster manager",
    usage: "kubectl [flags] [options]",
    examples: &[],
    run: |io| Box::pin(main(io)),
    program: || machine::tool_starting_in(START_UP, |io| Box::pin(main(io))),
};

/// A binary of 58 MB that sets up every verb before it looks at its arguments.
const START_UP: Duration = Duration::from_millis(40);

type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// A verb of kubectl.
pub(crate) struct Verb {
    /// `get`; of a group of verbs the path: `rollout status`.
    pub(crate) name: &'static str,
    /// One sentence for the list of verbs.
    pub(crate) summary: &'static str,
    /// `kubectl get [(-o|--output=)…] (TYPE[.VERSION][.GROUP] …) [flags] [options]`
    pub(crate) usage: &'static str,
    /// Flags besides the global ones.
    pub(crate) flags: &'static [Flag],
    /// Whether flags may follow arguments; not so where a command line is passed on (`exec`).
    pub(crate) interspersed: bool,
    /// What it does.
    pub(crate) run: for<'a> fn(&'a Session, &'a Line) -> Running<'a>,
}

/// Every verb, in the order of the help text; groups of verbs follow.
const VERBS: &[&Verb] = &[
    &create::VERB,
    &expose::VERB,
    &run::VERB,
    &set::IMAGE,
    &set::ENV,
    &set::RESOURCES,
    &set::SELECTOR,
    &set::SERVICE_ACCOUNT,
    &subject::VERB,
    &explain::VERB,
    &get::VERB,
    &edit::VERB,
    &delete::VERB,
    &scale::VERB,
    &autoscale::VERB,
    &cluster::CLUSTER_INFO,
    &cordon::CORDON,
    &cordon::UNCORDON,
    &drain::VERB,
    &taint::VERB,
    &describe::VERB,
    &events::VERB,
    &logs::VERB,
    &exec::ATTACH,
    &exec::EXEC,
    &port_forward::VERB,
    &proxy::VERB,
    &cp::VERB,
    &debug::VERB,
    &diff::VERB,
    &apply::VERB,
    &patch::VERB,
    &replace::VERB,
    &wait::VERB,
    &kustomize::VERB,
    &label::LABEL,
    &label::ANNOTATE,
    &cluster::API_RESOURCES,
    &cluster::API_VERSIONS,
    &completion::VERB,
    &options::ALPHA,
    &options::VERB,
    &cluster::VERSION,
];

/// Verbs that come in groups.
const GROUPS: &[&[&Verb]] = &[
    create::GENERATORS,
    &rollout::VERBS,
    &config::VERBS,
    &auth::VERBS,
    &plugin::VERBS,
    &top::VERBS,
    &certificate::VERBS,
    apply::VERBS,
    edit::VERBS,
    &dump::VERBS,
    &kuberc::VERBS,
];

/// The heads of groups that are no verbs themselves.
const HEADS: &[(&str, &str)] = &[
    ("set", "Set specific features on objects"),
    ("help", "Help about any command"),
    ("kuberc", "Manage kuberc configuration files"),
    ("rollout", "Manage the rollout of a resource"),
    ("config", "Modify kubeconfig files"),
    ("top", "Display resource (CPU/memory) usage"),
    ("certificate", "Modify certificate resources"),
    ("auth", "Inspect authorization"),
    ("plugin", "Provides utilities for interacting with plugins"),
];

fn verbs() -> impl Iterator<Item = &'static Verb> {
    VERBS
        .iter()
        .chain(GROUPS.iter().copied().flatten())
        .copied()
}

async fn main(io: Io) -> i32 {
    let words: Vec<String> = io
        .args()
        .iter()
        .skip(1)
        .map(|word| word.to_string())
        .collect();
    let ran = match kuberc::applied(&io, words).await {
        Ok(words) => run(&io, &words).await,
        Err(failure) => Err(failure),
    };
    match ran {
        Ok(()) => 0,
        Err(failure) => {
            if let Failure::Printed(text, _) = &failure {
                io.print(text).await;
            }
            io.eprint(&failure.text()).await;
            failure.code()
        }
    }
}

async fn run(io: &Io, words: &[String]) -> Outcome {
    if complete::asked(words) {
        return complete::complete(io, words).await;
    }
    let asked = asked_for_help(words);
    let words = asked.as_deref().unwrap_or(words);
    let words = &*groups::canonical(words);
    if let Some(ran) = groups::plugin_below_create(io, words).await {
        return ran;
    }
    let found = find_verb(words).filter(|(verb, _)| !groups::within(words, verb.name));
    let Some((verb, rest)) = found else {
        if asked.is_some() && !groups::exists(words) {
            return groups::no_topic(io, words).await;
        }
        return groups::no_verb(io, words).await;
    };
    let command = path(verb);
    let mut flags = help::flags(&command, verb.flags);
    if act::RECORDING.contains(&verb.name) {
        flags.push(act::RECORD);
    }
    let mut line = Line::parse(&rest, &flags, verb.interspersed)
        .map_err(|why| Failure::Usage(why, command.clone()))?;
    line.command = command;
    if line.has(act::RECORD.name) {
        io.eprint("Flag --record has been deprecated, --record will be removed in the future\n")
            .await;
    }
    if line.on(act::RECORD.name) {
        line.cause = Some(line.recorded(&flags));
    }
    // A verb without a text does with `--help` what it does without.
    if let Some(text) = help::of(&line.command).filter(|_| line.on("help")) {
        io.print(text).await;
        return Ok(());
    }
    help::check(&line.command, &line)?;
    help::unread(&line.command, verb.flags, &line)?;
    print::read_template(io, &mut line).await?;
    let session = Session::of_verb(io, &line, verb.name).await?;
    act::settle_dry_run(&session, &mut line).await;
    // What changes something knows how it will say so before it begins.
    if verb.name != "delete" && help::options(&line.command).any(|one| one.name == "dry-run") {
        print::format(&line)?;
    }
    (verb.run)(&session, &line).await
}

/// `help get` is `get --help`.
fn asked_for_help(words: &[String]) -> Option<Vec<String>> {
    let (first, rest) = words.split_first()?;
    (first == "help").then(|| rest.iter().cloned().chain(["--help".to_owned()]).collect())
}

/// The words that call a verb, by its own name where it has others too.
fn path(verb: &Verb) -> String {
    let own = format!("kubectl {}", verb.name);
    if help::of(&own).is_some() {
        return own;
    }
    let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let words: Vec<&str> = verb
        .usage
        .split_whitespace()
        .take_while(|word| is_name(word) && !word.starts_with('-'))
        .collect();
    words.join(" ")
}

/// The verb and the words without it; global flags may stand in front.
fn find_verb(words: &[String]) -> Option<(&'static Verb, Vec<String>)> {
    let mut at = Vec::new();
    let mut index = 0;
    while index < words.len() && at.len() < 3 {
        let word = &words[index];
        if word == "--" {
            break;
        }
        if word.starts_with('-') {
            let takes = match at.is_empty() {
                true => flags::may_take_next(word),
                false => flags::takes_next(word),
            };
            index += if takes { 2 } else { 1 };
            continue;
        }
        at.push(index);
        index += 1;
    }
    // The longest path wins: `rollout status` before `rollout`.
    (1..=at.len()).rev().find_map(|count| {
        let name = at[..count]
            .iter()
            .map(|at| words[*at].as_str())
            .collect::<Vec<_>>()
            .join(" ");
        let verb = verbs().find(|verb| verb.name == name)?;
        let rest = words
            .iter()
            .enumerate()
            .filter(|(index, _)| !at[..count].contains(index))
            .map(|(_, word)| word.clone())
            .collect();
        Some((verb, rest))
    })
}
