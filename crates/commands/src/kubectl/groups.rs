//! Words that are no verb: groups of verbs, unknown ones, nothing at all.
//!
//! Models cobra's finding of commands and its suggestions, and kubectl's DefaultSubCommandRun.

use std::borrow::Cow;

use machine::Io;

use super::failure::{Failure, Outcome};
use super::flags::{self, Line};
use super::{Verb, help, plugin, verbs};

/// Groups by their words.
const GROUPS: &[&str] = &[
    "auth",
    "certificate",
    "config",
    "create secret",
    "create service",
    "kuberc",
    "plugin",
    "rollout",
    "set",
    "top",
];

/// Other names of words that stand in a group.
const ALIASES: &[(&str, &str, &str)] = &[
    ("create", "svc", "service"),
    ("set", "sa", "serviceaccount"),
    ("config", "use", "use-context"),
];

/// Words of other tools, and the commands that are suggested for them.
const MEANT: &[(&str, &str)] = &[
    ("list", "get"),
    ("ls", "get"),
    ("rm", "delete"),
    ("remove", "delete"),
];

/// A plugin that stands for a subcommand of `create` that kubectl does not have itself.
pub(super) async fn plugin_below_create(io: &Io, words: &[String]) -> Option<Outcome> {
    let [first, second, ..] = words else {
        return None;
    };
    if first != "create" || second.starts_with('-') {
        return None;
    }
    let own = |verb: &&Verb| {
        verb.name
            .strip_prefix("create ")
            .is_some_and(|rest| rest.split(' ').next() == Some(second.as_str()))
    };
    match verbs().any(|verb| own(&verb)) {
        true => None,
        false => plugin::run(io, words, 2).await,
    }
}

/// The words with the own names of commands.
pub(super) fn canonical(words: &[String]) -> Cow<'_, [String]> {
    let plain = plain(words);
    let [first, second, ..] = plain.as_slice() else {
        return Cow::Borrowed(words);
    };
    let alias = ALIASES
        .iter()
        .find(|(group, name, _)| words[*first] == *group && words[*second] == *name);
    let Some((.., own)) = alias else {
        return Cow::Borrowed(words);
    };
    let mut words = words.to_vec();
    words[*second] = (*own).to_owned();
    Cow::Owned(words)
}

/// Where the first words stand that are neither flags nor the values of flags every command has.
pub(super) fn plain(words: &[String]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut index = 0;
    while index < words.len() && words[index] != "--" {
        let word = &words[index];
        if word.starts_with('-') {
            index += usize::from(match found.is_empty() {
                true => flags::may_take_next(word),
                false => flags::takes_next(word),
            });
        } else {
            found.push(index);
        }
        index += 1;
    }
    found
}

/// Whether the words are of a group that is longer than the verb they seem to be.
pub(super) fn within(words: &[String], verb: &str) -> bool {
    group_of(words).is_some_and(|(group, _)| group.len() > verb.len())
}

/// The group that the first words name, and where words stand.
fn group_of(words: &[String]) -> Option<(&'static str, Vec<usize>)> {
    GROUPS.iter().find_map(|group| {
        let name: Vec<&str> = group.split(' ').collect();
        let plain = plain(words);
        let asked = plain.iter().take(name.len()).map(|at| words[*at].as_str());
        asked.eq(name.iter().copied()).then_some((*group, plain))
    })
}

/// Says what there is instead of what was asked for.
pub(super) async fn no_verb(io: &Io, words: &[String]) -> Outcome {
    if let Some((group, plain)) = group_of(words) {
        let own = plain.iter().take(group.split(' ').count());
        let own: Vec<usize> = own.copied().collect();
        let rest = words.iter().enumerate();
        let rest = rest.filter(|(at, _)| !own.contains(at));
        let rest: Vec<String> = rest.map(|(_, word)| word.clone()).collect();
        return in_group(io, group, &rest).await;
    }
    let Some(first) = plain(words).first().map(|at| &words[*at]) else {
        return alone(io, words).await;
    };
    if words[0].starts_with('-') {
        return Err(Failure::Plain(format!(
            "Error: flags cannot be placed before plugin name: {}",
            words[0]
        )));
    }
    if let Some(ran) = plugin::run(io, words, 1).await {
        return ran;
    }
    let meant = |name: &str| MEANT.contains(&(first.as_str(), name));
    let near: String = help::commands()
        .filter(|name| {
            distance(name, first) <= 2 || name.starts_with(first.as_str()) || meant(name)
        })
        .map(|name| format!("\t{name}\n"))
        .collect();
    let near = match near.is_empty() {
        true => near,
        false => format!("\n\nDid you mean this?\n{}", near.trim_end_matches('\n')),
    };
    Err(Failure::Plain(format!(
        "error: unknown command {first:?} for \"kubectl\"{near}"
    )))
}

/// `kubectl` without a word.
async fn alone(io: &Io, words: &[String]) -> Outcome {
    let line =
        Line::parse(words, &[], true).map_err(|why| Failure::Usage(why, "kubectl".to_owned()))?;
    help::check("kubectl", &line)?;
    io.print(help::of("kubectl").unwrap_or_default()).await;
    Ok(())
}

/// A group without a verb of it.
async fn in_group(io: &Io, group: &str, rest: &[String]) -> Outcome {
    let command = format!("kubectl {group}");
    let line = Line::parse(rest, &[], true).map_err(|why| Failure::Usage(why, command.clone()))?;
    let text = help::of(&command).unwrap_or_default();
    if line.on("help") || group == "certificate" {
        io.print(text).await;
        return Ok(());
    }
    if !line.args.is_empty() {
        return Err(Failure::Plain(format!(
            "error: unknown command {:?}\nSee '{command} -h' for help and examples",
            line.args.join(" ")
        )));
    }
    match group {
        "rollout" => io.print(text).await,
        _ => io.eprint(text).await,
    }
    Err(Failure::Exit(String::new(), 1))
}

/// Whether the first word is a command or a group, or there is none.
pub(super) fn exists(words: &[String]) -> bool {
    let first = plain(words).first().map(|at| words[*at].as_str());
    first.is_none_or(|first| help::commands().any(|command| command == first))
}

/// `kubectl help WORD` where there is no such command.
pub(super) async fn no_topic(io: &Io, words: &[String]) -> Outcome {
    let word = &words[0];
    if word == "help" {
        let own = "kubectl help";
        Line::parse(&words[1..], &[], true).map_err(|why| Failure::Usage(why, own.to_owned()))?;
        io.print(help::of(own).unwrap_or_default()).await;
        return Ok(());
    }
    let text = help::of("kubectl").unwrap_or_default();
    let listed = text.find("\nBasic Commands").map_or("", |at| &text[at..]);
    io.eprint(&format!("Unknown help topic [`{word}`]\n\n{listed}"))
        .await;
    Ok(())
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
