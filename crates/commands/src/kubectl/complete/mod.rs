//! `kubectl __complete words… word`: what the last word may become. A shell asks this when Tab is
//! pressed: a candidate a line, with a description behind a tab, then `:directive`.
//!
//! Models spf13/cobra/completions.go; what is proposed is in `args` and `values`.

mod args;
mod values;

use machine::Io;

use super::failure::{Failure, Outcome};
use super::flags::{Flag, GLOBAL, Line, Takes};
use super::help;
use super::options;
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
    description: String,
}

impl From<String> for Candidate {
    fn from(text: String) -> Candidate {
        Candidate {
            text,
            description: String::new(),
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
    let Some((word, before)) = words[1..].split_last() else {
        return Err(Failure::message(
            "requires at least 1 arg(s), only received 0",
        ));
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
        if let Some((flag, value)) = known.short_with_value(word) {
            return value_of(io, known, &rest, Some(flag.name), value).await;
        }
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
    let line = match known.parse(&rest) {
        Ok(line) => line,
        Err(why) => {
            let words = rest.join(" ");
            let text =
                format!("[Debug] [Error] Error while parsing flags from args [{words}]: {why}\n");
            io.eprint(&text).await;
            return (Vec::new(), Directive::DEFAULT);
        }
    };
    let own = known.flags.iter().any(|flag| line.has(flag.name));
    let below = help::below(&known.command(&line));
    if !below.is_empty() && !dashes && !own {
        return (those(&below, word), Directive::NO_FILES);
    }
    if known.name.is_empty() {
        return no_verb(io, &line.args, word).await;
    }
    let mut found = required(known, &line, word);
    let (more, directive) = match Session::of_verb(io, &line, known.name).await {
        Ok(session) => args::answer(&session, &line, known.name, word).await,
        Err(_) => (Vec::new(), Directive::NO_FILES),
    };
    found.extend(more);
    (found, directive)
}

/// Options that are still needed are proposed without being asked for.
fn required(known: Known, line: &Line, word: &str) -> Vec<Candidate> {
    let command = format!("kubectl {}", known.name);
    let missing = help::required(known.name).iter();
    missing
        .filter(|name| !line.has(name) && format!("--{name}").starts_with(word))
        .map(|name| Candidate {
            text: format!("--{name}"),
            description: help::purpose(&command, name).to_owned(),
        })
        .collect()
}

/// Before a verb is known: verbs, or those of a group.
async fn no_verb(io: &Io, args: &[String], word: &str) -> Answer {
    match args {
        [] => (subcommands(word), Directive::NO_FILES),
        // Help is about any of them.
        [head] if head == "help" => (subcommands(word), Directive::NO_FILES),
        [head, path @ ..] if head == "help" => {
            let below = help::below(&format!("kubectl {}", path.join(" ")));
            (those(&below, word), Directive::NO_FILES)
        }
        _ => {
            let text = format!(
                "[Debug] Cleared global flags for plugin completion\n[Debug] [Error] unable to find a \
                 command for arguments: [{}]\n",
                args.join(" ")
            );
            io.eprint(&text).await;
            (Vec::new(), Directive::DEFAULT)
        }
    }
}

/// Of commands, those that begin with what was typed.
fn those(commands: &[(&'static str, &'static str)], prefix: &str) -> Vec<Candidate> {
    let fit = commands.iter().filter(|(name, _)| name.starts_with(prefix));
    fit.map(|(name, description)| Candidate {
        text: (*name).to_owned(),
        description: (*description).to_owned(),
    })
    .collect()
}

/// The first words of all verbs, by name.
fn subcommands(prefix: &str) -> Vec<Candidate> {
    let of_verbs = verbs().map(|verb| (verb.name, verb.summary));
    let mut found: Vec<(&str, &str)> = of_verbs
        .chain(HEADS.iter().copied())
        // There is nothing in alpha, and what else a verb is called is not proposed.
        .filter(|(name, _)| !name.contains(' ') && *name != "alpha")
        .filter(|(name, _)| help::of(&format!("kubectl {name}")).is_some())
        .collect();
    found.sort_unstable();
    found.dedup_by_key(|(name, _)| *name);
    those(&found, prefix)
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

    /// The words that call it, and those of a group below it.
    fn command(self, line: &Line) -> String {
        let own = match self.name {
            "" => "kubectl".to_owned(),
            name => format!("kubectl {name}"),
        };
        let deeper = format!("{own} {}", line.args.join(" "));
        match help::of(deeper.trim_end()).is_some() {
            true => deeper.trim_end().to_owned(),
            false => own,
        }
    }

    /// `-o=` and what was typed behind it.
    fn short_with_value(self, word: &str) -> Option<(&'static Flag, &str)> {
        let (letter, value) = word.strip_prefix('-')?.split_once('=')?;
        let flag = self.all().find(|flag| {
            let short = flag.short.map(String::from);
            short.is_some_and(|short| short == letter)
        });
        Some((flag?, value))
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
    // What has to be given is proposed first, and alone.
    let first = required(known, &line, prefix);
    if !first.is_empty() {
        return (first, Directive::NO_FILES);
    }
    let command = known.command(&line);
    let mut own: Vec<(Flag, String)> = help::options(&command)
        .map(|option| {
            (
                option.flag(),
                help::purpose(&command, option.name).to_owned(),
            )
        })
        .collect();
    let name = command.rsplit(' ').next().unwrap_or_default();
    own.push((HELP, format!("help for {name}")));
    let global = options::FLAGS.iter().filter_map(|(flag, purpose)| {
        let name = flag.split_once("--")?.1.split('=').next()?;
        let flag = GLOBAL.iter().find(|flag| flag.name == name)?;
        // Those of the configuration say it in words of their own.
        let purpose = match name {
            "kubeconfig" if command.starts_with("kubectl config") => CONFIG_FILE,
            _ => purpose,
        };
        let is_own = own.iter().any(|(flag, _)| flag.name == name);
        (!is_own).then(|| (*flag, purpose.to_owned()))
    });
    let mut global: Vec<(Flag, String)> = global.collect();
    // Those of the program itself are its own, as its help is.
    if command == "kubectl" {
        global.append(&mut own);
    }
    if command == "kubectl config" {
        let (files, others) = global
            .into_iter()
            .partition(|(flag, _)| flag.name == "kubeconfig");
        global = others;
        own.extend::<Vec<(Flag, String)>>(files);
    }
    let mut found = named(global, &line, prefix);
    found.extend(named(own, &line, prefix));
    (found, Directive::NO_FILES)
}

const CONFIG_FILE: &str = "use a particular kubeconfig file";
const HELP: Flag = super::flags::switch("help").short('h');

fn named(mut flags: Vec<(Flag, String)>, line: &Line, prefix: &str) -> Vec<Candidate> {
    flags.retain(|(flag, _)| flag.takes == Takes::Values || !line.has(flag.name));
    flags.sort_by_key(|(flag, _)| flag.name);
    let candidate = |text: String, description: &str| Candidate {
        text,
        description: description.to_owned(),
    };
    flags
        .iter()
        .flat_map(|(flag, purpose)| {
            let short = flag
                .short
                .map(|short| candidate(format!("-{short}"), purpose));
            [Some(candidate(format!("--{}", flag.name), purpose)), short]
        })
        .flatten()
        .filter(|one| one.text.starts_with(prefix))
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
