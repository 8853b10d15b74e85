//! The world's table of programs: the name in an executable file to the program it is.

use machine::Constructor;

use crate::gateway;

/// Finds a program: the shell, a tool, a node's daemon, or what an image brings.
pub(crate) fn program(name: &str) -> Option<Constructor> {
    match name {
        "bash" => Some(shell::bash),
        "dash" => Some(shell::dash),
        gateway::PROGRAM => Some(gateway::program),
        _ => commands::program(name)
            .or_else(|| node::program(name))
            .or_else(|| images::program(name)),
    }
}
