//! The tools of a machine: one file each, straight-line async functions over their `Io`.
//!
//! **Invariant:** a tool knows nothing but its `Io`; what it does works on a real machine unchanged.

mod kubectl;

use machine::{Constructor, ToolMain};

/// A tool: its name in `/usr/bin`, and what it does.
pub struct Tool {
    /// The name it is called by.
    pub name: &'static str,
    /// One line for listings.
    pub summary: &'static str,
    /// `cat [FILE]...`
    pub usage: &'static str,
    /// Examples: help, documentation and tests at once.
    pub examples: &'static [Example],
    /// What it does.
    pub run: ToolMain,
    /// The same as the program of an executable.
    pub program: Constructor,
}

/// A command and what it prints.
pub struct Example {
    /// What is typed.
    pub command: &'static str,
    /// What it prints.
    pub output: &'static str,
}

/// Every tool, by name.
const TOOLS: &[&Tool] = &[&kubectl::TOOL];

/// Every tool, by name.
#[must_use]
pub fn all() -> &'static [&'static Tool] {
    TOOLS
}

/// The program of the tool called `name`.
#[must_use]
pub fn program(name: &str) -> Option<Constructor> {
    TOOLS.iter().find(|tool| tool.name == name).map(|tool| tool.program)
}
