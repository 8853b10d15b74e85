//! What the tools of iptables have in common: their version, who may use them, and how they
//! complain. Models iptables/xtables-standalone.c and libxtables/xtables.c (xtables_error).

use std::rc::Rc;

use machine::{Io, Sys};
use net::netfilter::{Error, ErrorStyle, Netfilter};

use crate::io::own_name;

/// What Ubuntu 24.04 has.
pub(crate) const VERSION: &str = "v1.8.10 (nf_tables)";

/// What a tool says to those who may not look at the rules.
fn forbidden() -> Error {
    Error {
        message: "Could not fetch rule set generation id: Permission denied (you must be root)"
            .to_owned(),
        style: ErrorStyle::Kernel,
    }
}

/// Calls with the tables of the process's network namespace, if it is root's.
pub(crate) fn with_tables<R>(
    sys: &mut Sys<'_>,
    act: impl FnOnce(&mut Netfilter) -> Result<R, Error>,
) -> Result<R, Error> {
    if sys.uid() != 0 {
        return Err(forbidden());
    }
    let ns = sys.netns();
    sys.with_net(|net, _| net.netfilter_mut(ns).map_or_else(|| Err(forbidden()), act))
}

/// Says what is wrong; gives the exit status. `line` is that of a text being restored.
pub(crate) async fn complain(io: &Io, error: &Error, line: Option<usize>) -> i32 {
    let name = own_name(io);
    let message = &error.message;
    let at = line.map_or(String::new(), |line| {
        format!("Error occurred at line: {line}\n")
    });
    let text = match (error.style, line) {
        (ErrorStyle::Usage, _) => format!("{name} {VERSION}: {message}\n{at}{}", hint(&name)),
        (ErrorStyle::Kernel, Some(line)) => {
            format!("{name} {VERSION}: \nline {line}: {}\n", message.trim())
        }
        (ErrorStyle::Plain, Some(line)) => format!("{name}: line {line} failed: {message}.\n"),
        (ErrorStyle::Plain, None) => format!("{name}: {message}.\n"),
        (ErrorStyle::Other | ErrorStyle::Kernel, _) => {
            format!("{name} {VERSION}: {message}\n{at}")
        }
    };
    io.eprint(&text).await;
    error.style.status()
}

/// What is said after a mistake in the command line.
pub(crate) fn hint(name: &Rc<str>) -> String {
    format!("Try `{name} -h' or '{name} --help' for more information.\n")
}

/// Prints the version.
pub(crate) async fn version(io: &Io) -> i32 {
    io.print(&format!("{} {VERSION}\n", own_name(io))).await;
    0
}
