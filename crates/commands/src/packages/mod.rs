//! Packages of a machine: what is installed, where others come from, and what changes when one is
//! installed. The files are dpkg's and apt's own, so whoever edits them changes what the tools see.
//!
//! Models apt 2.8 and dpkg 1.22. Of the repositories there are, only that of Kubernetes holds
//! packages: those of the distribution are not modelled beyond what is installed.

pub(crate) mod container;
pub(crate) mod database;
pub(crate) mod distribution;
pub(crate) mod index;
pub(crate) mod install;
pub(crate) mod paragraph;
mod shipped;
pub(crate) mod update;

use machine::{Io, Sys};

pub use shipped::files;

/// dpkg's database of packages.
pub(crate) const STATUS: &str = "/var/lib/dpkg/status";
/// Where apt keeps what repositories said.
pub(crate) const LISTS: &str = "/var/lib/apt/lists";
/// Where the repositories are listed.
pub(crate) const SOURCES: &str = "/etc/apt/sources.list.d";

/// apt's exit status for everything that goes wrong.
pub(crate) const FAILED: i32 = 100;

/// What apt says first before it works out what to do.
pub(crate) const READING: &str = "Reading package lists... Done\nBuilding dependency tree... Done\n\
                                  Reading state information... Done\n";

/// Whether the caller may change packages; says why not.
pub(crate) async fn may_change(io: &Io) -> bool {
    if io.sys(|sys: &mut Sys<'_>| sys.uid()).await == 0 {
        return true;
    }
    io.eprint(
        "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\n\
         E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n",
    )
    .await;
    false
}

/// apt's word of warning to those who read its output with programs.
pub(crate) async fn warn_scripts(io: &Io) {
    if !io.sys(|sys| sys.is_tty(machine::Fd::STDOUT)).await {
        io.eprint(
            "\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n",
        )
        .await;
    }
}

/// What an unknown operation of apt is told.
pub(crate) async fn no_operation(io: &Io, name: &str) -> i32 {
    io.eprint(&format!("E: Invalid operation {name}\n")).await;
    FAILED
}
