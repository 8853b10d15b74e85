//! `type`, and what `command -v` knows.

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome, find};
use crate::eval::{Shell, find_executable};
use crate::quote;
use crate::state::Flavor;

pub(super) const TYPE: Builtin = Builtin {
    name: "type",
    usage: "type [-afptP] name [name ...]",
    posix: true,
    run,
};

/// Reserved words.
pub(crate) const KEYWORDS: &[&str] = &[
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for",
    "function", "if", "in", "select", "then", "time", "until", "while", "{", "}",
];

/// What a name means.
pub(super) enum Meaning {
    Alias(Rc<str>),
    Keyword,
    Function(Rc<str>),
    Builtin,
    File(String),
}

impl Meaning {
    fn word(&self) -> &'static str {
        match self {
            Meaning::Alias(_) => "alias",
            Meaning::Keyword => "keyword",
            Meaning::Function(_) => "function",
            Meaning::Builtin => "builtin",
            Meaning::File(_) => "file",
        }
    }

    /// As `command -v` says it.
    pub(super) fn short(&self, name: &str) -> String {
        match self {
            Meaning::Alias(value) => format!("alias {name}={}", quote::shell(value)),
            Meaning::File(path) => path.clone(),
            _ => name.to_owned(),
        }
    }

    /// As `type` says it.
    pub(super) fn sentence(&self, name: &str) -> String {
        match self {
            Meaning::Alias(value) => format!("{name} is aliased to `{value}'"),
            Meaning::Keyword => format!("{name} is a shell keyword"),
            Meaning::Function(body) => format!("{name} is a function\n{name} () \n{body}"),
            Meaning::Builtin => format!("{name} is a shell builtin"),
            Meaning::File(path) => format!("{name} is {path}"),
        }
    }
}

/// What a name means, first meaning first; all of them if asked to.
pub(super) fn describe(
    shell: &mut Shell,
    sys: &mut Sys<'_>,
    name: &str,
    all: bool,
) -> Vec<Meaning> {
    let mut found = Vec::new();
    let state = &shell.state;
    found.extend(state.aliases.get(name).cloned().map(Meaning::Alias));
    found.extend(KEYWORDS.contains(&name).then_some(Meaning::Keyword));
    found.extend(
        state
            .functions
            .get(name)
            .map(|body| Meaning::Function(body.text.clone())),
    );
    found.extend(find(name, state.flavor).map(|_| Meaning::Builtin));
    if all || found.is_empty() {
        let path = state.text_or("PATH", "");
        if name.contains('/') {
            let runs = sys
                .stat(name)
                .is_ok_and(|s| !s.is_dir() && s.mode & 0o111 != 0);
            found.extend(runs.then(|| Meaning::File(name.to_owned())));
        } else if all {
            let dirs = path
                .split(':')
                .filter_map(|dir| find_executable(sys, dir, name));
            found.extend(dirs.map(Meaning::File));
        } else {
            found.extend(find_executable(sys, &path, name).map(Meaning::File));
        }
    }
    found
}

fn run(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let (letters, names) = match super::options(args, "afptP") {
        Ok(parsed) => parsed,
        Err(letter) => return shell.bad_option(&TYPE, letter),
    };
    let has = |letter| letters.contains(&letter);
    let mut status = 0;
    for name in names {
        let mut found = describe(shell, sys, name, has('a') || has('P'));
        if !has('a') {
            if has('P') {
                found.retain(|meaning| matches!(meaning, Meaning::File(_)));
            }
            found.truncate(1);
        }
        if found.is_empty() {
            status = 1;
            if !has('t') && !has('p') && !has('P') {
                match shell.state.flavor {
                    Flavor::Bash => shell.complain(&format!("type: {name}: not found")),
                    _ => shell.print(&format!("{name}: not found\n")),
                }
            }
        }
        for meaning in found {
            let text = match &meaning {
                _ if has('t') => meaning.word().to_owned(),
                Meaning::File(path) if has('p') || has('P') => path.clone(),
                _ if has('p') => continue,
                _ => meaning.sentence(name),
            };
            shell.print(&format!("{text}\n"));
        }
    }
    Outcome::Status(status)
}
