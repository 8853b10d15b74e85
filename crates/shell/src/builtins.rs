//! Builtins: commands that run inside the shell because they change it.
//!
//! One file each; to add one, write its file and its line in [`ALL`].

mod alias;
mod bg;
mod break_;
mod cd;
mod colon;
mod command;
mod compgen;
mod complete;
mod declare;
mod dirs;
mod disown;
mod echo;
mod eval;
mod exec;
mod exit;
mod export;
mod fg;
mod getopts;
mod hash;
mod help;
mod history;
mod jobs;
mod kill;
mod let_;
mod local;
mod mapfile;
mod printf;
mod pwd;
mod read;
mod return_;
mod set;
mod shift;
mod shopt;
mod source;
mod test;
mod times;
mod trap;
mod type_;
mod ulimit;
mod umask;
mod unset;
mod wait;

use std::rc::Rc;

use machine::Sys;

use crate::eval::Shell;
use crate::state::Flavor;

pub(crate) use read::Reading;
pub(crate) use test::evaluate as evaluate_test;
pub(crate) use type_::KEYWORDS;
pub(crate) use wait::Waiting;

/// What a builtin came to.
pub(crate) enum Outcome {
    /// It is done.
    Status(i32),
    /// It left frames on the stack that give the status.
    Frames,
}

/// A command inside the shell.
pub(crate) struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// What `help` shows.
    pub usage: &'static str,
    /// Whether the small shells have it too.
    pub posix: bool,
    /// Runs it; the first argument is its name.
    pub run: fn(&mut Shell, &mut Sys<'_>, &[Rc<str>]) -> Outcome,
}

/// Every builtin, in the order `help` lists them.
pub(crate) const ALL: &[Builtin] = &[
    source::DOT,
    colon::COLON,
    test::BRACKET,
    alias::ALIAS,
    bg::BG,
    break_::BREAK,
    command::BUILTIN,
    cd::CD,
    command::COMMAND,
    compgen::COMPGEN,
    complete::COMPLETE,
    complete::COMPOPT,
    break_::CONTINUE,
    declare::DECLARE,
    dirs::DIRS,
    disown::DISOWN,
    echo::ECHO,
    eval::EVAL,
    exec::EXEC,
    exit::EXIT,
    export::EXPORT,
    colon::FALSE,
    fg::FG,
    getopts::GETOPTS,
    hash::HASH,
    help::HELP,
    history::HISTORY,
    jobs::JOBS,
    kill::KILL,
    let_::LET,
    local::LOCAL,
    exit::LOGOUT,
    mapfile::MAPFILE,
    dirs::POPD,
    printf::PRINTF,
    dirs::PUSHD,
    pwd::PWD,
    read::READ,
    mapfile::READARRAY,
    export::READONLY,
    return_::RETURN,
    set::SET,
    shift::SHIFT,
    shopt::SHOPT,
    source::SOURCE,
    test::TEST,
    times::TIMES,
    trap::TRAP,
    colon::TRUE,
    type_::TYPE,
    declare::TYPESET,
    ulimit::ULIMIT,
    umask::UMASK,
    alias::UNALIAS,
    unset::UNSET,
    wait::WAIT,
];

/// The builtin with this name, as this shell has it.
pub(crate) fn find(name: &str, flavor: Flavor) -> Option<&'static Builtin> {
    let builtin = ALL.iter().find(|builtin| builtin.name == name)?;
    (builtin.posix || flavor == Flavor::Bash).then_some(builtin)
}

/// Options of a builtin: letters, and where the operands begin. The letter that is none is the
/// error.
pub(crate) fn options<'a>(
    args: &'a [Rc<str>],
    known: &str,
) -> Result<(Vec<char>, &'a [Rc<str>]), char> {
    let mut letters = Vec::new();
    let mut rest = &args[1..];
    while let Some(first) = rest.first() {
        let Some(group) = first.strip_prefix('-').filter(|group| !group.is_empty()) else {
            break;
        };
        rest = &rest[1..];
        if group == "-" {
            break;
        }
        for letter in group.chars() {
            if !known.contains(letter) {
                return Err(letter);
            }
            letters.push(letter);
        }
    }
    Ok((letters, rest))
}

impl Shell {
    /// An option that does not exist, in bash's words.
    pub(crate) fn bad_option(&mut self, builtin: &Builtin, letter: char) -> Outcome {
        let Builtin { name, usage, .. } = builtin;
        self.complain(&format!("{name}: -{letter}: invalid option"));
        self.print_error(&format!("{name}: usage: {usage}\n"));
        Outcome::Status(2)
    }
}

/// Whether a text is a variable's name.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && crate::syntax::name_length(text) == text.len()
}
