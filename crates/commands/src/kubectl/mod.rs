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
];

/// The heads of groups that are no verbs themselves.
const HEADS: &[(&str, &str)] = &[
    ("set", "Set specific features on objects"),
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
    match run(&io, &words).await {
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
    let Some((verb, rest)) = find_verb(words) else {
        return no_verb(io, words).await;
    };
    let command = path(verb);
    let mut line = Line::parse(&rest, verb.flags, verb.interspersed)
        .map_err(|why| Failure::Usage(why, command.clone()))?;
    line.command = command;
    if line.on("help") {
        io.print(&help(verb)).await;
        return Ok(());
    }
    print::read_template(io, &mut line).await?;
    let session = Session::of_verb(io, &line, verb.name).await?;
    (verb.run)(&session, &line).await
}

/// `help get` is `get --help`.
fn asked_for_help(words: &[String]) -> Option<Vec<String>> {
    let (first, rest) = words.split_first()?;
    (first == "help").then(|| rest.iter().cloned().chain(["--help".to_owned()]).collect())
}

/// The words that call a verb, by its own name where it has others too.
fn path(verb: &Verb) -> String {
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
            index += if flags::takes_next(word) { 2 } else { 1 };
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

async fn no_verb(io: &Io, words: &[String]) -> Outcome {
    let Some(first) = words.iter().find(|word| !word.starts_with('-')) else {
        io.print(&overview()).await;
        return Ok(());
    };
    let prefix = format!("{first} ");
    let mut group: Vec<&Verb> = verbs()
        .filter(|verb| verb.name.starts_with(&prefix))
        .collect();
    // A verb's other names have its usage.
    group.dedup_by_key(|verb| verb.usage);
    let mut plain = words.iter().filter(|word| !word.starts_with('-'));
    if let Some(unknown) = plain.nth(1).filter(|_| !group.is_empty()) {
        return Err(Failure::Plain(format!(
            "error: unknown command {unknown:?}\nSee 'kubectl {first} -h' for help and examples"
        )));
    }
    if !group.is_empty() {
        let mut text = String::from("Available Commands:\n");
        for verb in group {
            text.push_str(&format!(
                "  {:15} {}\n",
                &verb.name[prefix.len()..],
                verb.summary
            ));
        }
        text.push_str(&format!("\nUsage:\n  kubectl {first} [flags] [options]\n"));
        io.print(&text).await;
        return Ok(());
    }
    if let Some(ran) = plugin::run(io, words).await {
        return ran;
    }
    let mut text = format!("error: unknown command {first:?} for \"kubectl\"\n");
    let near: Vec<&str> = VERBS
        .iter()
        .map(|verb| verb.name)
        .filter(|name| distance(name, first) <= 2 || name.starts_with(first.as_str()))
        .collect();
    if !near.is_empty() {
        text.push_str("\nDid you mean this?\n");
        near.iter()
            .for_each(|name| text.push_str(&format!("\t{name}\n")));
    }
    Err(Failure::Plain(text.trim_end_matches('\n').to_owned()))
}

fn overview() -> String {
    let mut text = String::from("kubectl controls the Kubernetes cluster manager.\n\nCommands:\n");
    for verb in VERBS {
        text.push_str(&format!("  {:20} {}\n", verb.name, verb.summary));
    }
    text.push_str(
        "\nUsage:\n  kubectl [flags] [options]\n\nUse \"kubectl <command> --help\" for more \
         information about a given command.\n",
    );
    text
}

fn help(verb: &Verb) -> String {
    let mut text = format!("{}\n\nOptions:\n", verb.summary);
    verb.flags
        .iter()
        .for_each(|flag| text.push_str(&flag_line(flag)));
    text.push_str(&format!("\nUsage:\n  {}\n", verb.usage));
    text
}

fn flag_line(flag: &Flag) -> String {
    let short = flag
        .short
        .map_or(String::new(), |short| format!("-{short}, "));
    format!("    {short}--{}\n", flag.name)
}

/// The number of edits between two words (Levenshtein), as cobra suggests commands.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let cost = before + usize::from(x != y);
            before = row[j + 1];
            row[j + 1] = cost.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
