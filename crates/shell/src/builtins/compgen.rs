//! `compgen`: candidates of a word list.

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;

pub(super) const COMPGEN: Builtin = Builtin {
    name: "compgen",
    usage: "compgen [-abcdefgjksuv] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [word]",
    posix: false,
    run: compgen,
};

fn compgen(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let mut words: Vec<String> = Vec::new();
    let mut prefix = "";
    let mut rest = args[1..].iter();
    let mut kinds = String::new();
    while let Some(arg) = rest.next() {
        match &**arg {
            "-W" => {
                let list = rest.next().cloned().unwrap_or_default();
                words.extend(list.split_whitespace().map(str::to_owned));
            }
            "--" => {}
            option if option.starts_with('-') => kinds.push_str(&option[1..]),
            word => prefix = word,
        }
    }
    for kind in kinds.chars() {
        match kind {
            'c' => words.extend(shell.command_names(sys)),
            'f' | 'd' => words.extend(shell.file_names(sys, prefix, kind == 'd')),
            'v' => words.extend(shell.state.vars.iter().map(|(name, _)| name.to_string())),
            'a' => words.extend(shell.state.aliases.keys().map(ToString::to_string)),
            'b' => words.extend(super::ALL.iter().map(|builtin| builtin.name.to_owned())),
            _ => {}
        }
    }
    words.retain(|word| word.starts_with(prefix));
    let text: String = words.iter().map(|word| format!("{word}\n")).collect();
    shell.print(&text);
    Outcome::Status(i32::from(words.is_empty()))
}
