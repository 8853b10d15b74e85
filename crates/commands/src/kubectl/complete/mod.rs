//! `kubectl __complete words… word`: what the last word may become. A shell asks this when Tab is
//! pressed: a candidate a line, with a description behind a tab, then `:directive`.
//!
//! Models spf13/cobra/completions.go; what is proposed is in `args` and `values`.

mod args;
mod values;

use machine::Io;

use super::failure::Outcome;
use super::flags::{Flag, GLOBAL, Line, Takes};
use super::session::Session;
use super::{HEADS, Verb, find_verb, verbs};

/// The verb's name without descriptions.
const BARE: &str = "__completeNoDesc";

/// Whether these words ask for candidates.
pub(super) fn asked(words: &[String]) -> bool {
    words
        .first()
        .is_some_and(|word| word == "__complete" || word == BARE)
}

/// What a word may become.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    text: String,
    description: &'static str,
}

impl From<String> for Candidate {
    fn from(text: String) -> Candidate {
        Candidate {
            text,
            description: "",
        }
    }
}

/// What the shell is to do with the candidates: bits, as cobra names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Directive(u32);

impl Directive {
    /// Files fit if nothing else does.
    const DEFAULT: Directive = Directive(0);
    /// No blank behind the candidate.
    const NO_SPACE: u32 = 2;
    /// Files do not fit.
    const NO_FILES: Directive = Directive(4);
    /// The candidates are endings of the files that fit.
    const FILE_ENDINGS: Directive = Directive(8);

    fn name(self) -> String {
        let names = [
            (2, "ShellCompDirectiveNoSpace"),
            (4, "ShellCompDirectiveNoFileComp"),
            (8, "ShellCompDirectiveFilterFileExt"),
        ];
        let set: Vec<&str> = names
            .iter()
            .filter(|(bit, _)| self.0 & bit != 0)
            .map(|(_, name)| *name)
            .collect();
        match set.is_empty() {
            true => "ShellCompDirectiveDefault".to_owned(),
            false => set.join(", "),
        }
    }
}

/// Candidates and what to do with them.
type Answer = (Vec<Candidate>, Directive);

/// Answers a shell.
pub(super) async fn complete(io: &Io, words: &[String]) -> Outcome {
    let bare = words[0] == BARE;
    let (word, before) = match words[1..].split_last() {
        Some((word, before)) => (word.as_str(), before),
        None => ("", words.get(1..).unwrap_or_default()),
    };
    let (candidates, directive) = answer(io, before, word).await;
    let mut text = String::new();
    for Candidate {
        text: name,
        description,
    } in candidates
    {
        text.push_str(&name);
        if !bare && !description.is_empty() {
            text.push_str(&format!("\t{description}"));
        }
        text.push('\n');
    }
    io.print(&format!("{text}:{}\n", directive.0)).await;
    let name = directive.name();
    io.eprint(&format!("Completion ended with directive: {name}\n"))
        .await;
    Ok(())
}

/// What is known of the line: its verb, or none yet.
#[derive(Clone, Copy)]
struct Known {
    name: &'static str,
    flags: &'static [Flag],
    interspersed: bool,
}

async fn answer(io: &Io, before: &[String], word: &str) -> Answer {
    let (known, rest) = match find_verb(before) {
        Some((verb, rest)) => (Known::of(verb), rest),
        None => (Known::NOTHING, before.to_vec()),
    };
    let dashes = rest.iter().any(|word| word == "--");
    if !dashes {
        if let Some((flag, value)) = word.strip_prefix("--").and_then(|w| w.split_once('=')) {
            let flag = known.long(flag).map(|flag| flag.name);
            return value_of(io, known, &rest, flag, value).await;
        }
        if let Some((flag, rest)) = known.waiting(&rest) {
            return value_of(io, known, rest, Some(flag.name), word).await;
        }
        if word.starts_with('-') {
            return flags(known, &rest, word);
        }
    }
    let Ok(line) = known.parse(&rest) else {
        return (Vec::new(), Directive::DEFAULT);
    };
    if known.name.is_empty() {
        return no_verb(&line.args, word);
    }
    let is_head = verbs().any(|other| is_below(other.name, known.name));
    if is_head && line.args.is_empty() && !dashes {
        return (subcommands(known.name, word), Directive::NO_FILES);
    }
    match Session::of_verb(io, &line, known.name).await {
        Ok(session) => args::answer(&session, &line, known.name, word).await,
        Err(_) => (Vec::new(), Directive::NO_FILES),
    }
}

/// Before a verb is known: verbs, or those of a group.
fn no_verb(args: &[String], word: &str) -> Answer {
    match args {
        [] => (subcommands("", word), Directive::NO_FILES),
        [head] if HEADS.iter().any(|(name, _)| name == head) => {
            // Help is about any of them.
            let head = if head == "help" { "" } else { head };
            (subcommands(head, word), Directive::NO_FILES)
        }
        _ => (Vec::new(), Directive::DEFAULT),
    }
}

fn is_below(name: &str, head: &str) -> bool {
    name.strip_prefix(head)
        .is_some_and(|rest| rest.starts_with(' '))
}

/// The verbs one level below a path of verbs (empty: all first words), by name.
fn subcommands(head: &str, prefix: &str) -> Vec<Candidate> {
    let rest = |name: &'static str| match head {
        "" => Some(name),
        head => name.strip_prefix(head)?.strip_prefix(' '),
    };
    let of_verbs = verbs().filter_map(|verb| Some((rest(verb.name)?, verb.summary)));
    let of_heads = HEADS.iter().filter(|_| head.is_empty()).copied();
    let mut found: Vec<Candidate> = of_verbs
        .chain(of_heads)
        // There is nothing in alpha.
        .filter(|(name, _)| !name.contains(' ') && *name != "alpha" && name.starts_with(prefix))
        .map(|(name, description)| Candidate {
            text: name.to_owned(),
            description,
        })
        .collect();
    found.sort_by(|a, b| a.text.cmp(&b.text));
    found.dedup_by(|a, b| a.text == b.text);
    found
}

impl Known {
    const NOTHING: Known = Known {
        name: "",
        flags: &[],
        interspersed: true,
    };

    fn of(verb: &'static Verb) -> Known {
        Known {
            name: verb.name,
            flags: verb.flags,
            interspersed: verb.interspersed,
        }
    }

    fn parse(self, words: &[String]) -> Result<Line, String> {
        Line::parse(words, self.flags, self.interspersed)
    }

    fn all(self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().chain(GLOBAL)
    }

    fn long(self, name: &str) -> Option<&'static Flag> {
        self.all().find(|flag| flag.name == name)
    }

    /// The flag at the end of the words whose value is still to come, and the words before it.
    fn waiting(self, words: &[String]) -> Option<(&'static Flag, &[String])> {
        let (last, rest) = words.split_last()?;
        let flag = match last.strip_prefix("--") {
            Some(name) => self.long(name)?,
            None => {
                let letter = last.strip_prefix('-')?.chars().next_back()?;
                self.all().find(|flag| flag.short == Some(letter))?
            }
        };
        matches!(flag.takes, Takes::Value | Takes::Values).then_some((flag, rest))
    }
}

/// Names of flags; a flag that was given is not proposed again unless it may be.
fn flags(known: Known, words: &[String], prefix: &str) -> Answer {
    let Ok(line) = known.parse(words) else {
        return (Vec::new(), Directive::DEFAULT);
    };
    let mut found = named(GLOBAL, &line, prefix);
    found.extend(named(known.flags, &line, prefix));
    (found, Directive::NO_FILES)
}

fn named(flags: &[Flag], line: &Line, prefix: &str) -> Vec<Candidate> {
    let mut sorted: Vec<&Flag> = flags
        .iter()
        .filter(|flag| flag.takes == Takes::Values || !line.has(flag.name))
        .collect();
    sorted.sort_by_key(|flag| flag.name);
    sorted
        .into_iter()
        .flat_map(|flag| {
            let short = flag.short.map(|short| format!("-{short}"));
            [Some(format!("--{}", flag.name)), short]
        })
        .flatten()
        .filter(|name| name.starts_with(prefix))
        .map(Candidate::from)
        .collect()
}

async fn value_of(
    io: &Io,
    known: Known,
    words: &[String],
    flag: Option<&'static str>,
    prefix: &str,
) -> Answer {
    let (Some(flag), Ok(line)) = (flag, known.parse(words)) else {
        return (Vec::new(), Directive::DEFAULT);
    };
    match Session::open(io, &line).await {
        Ok(session) => values::answer(&session, &line, known.name, flag, prefix).await,
        Err(_) => (Vec::new(), Directive::NO_FILES),
    }
}
