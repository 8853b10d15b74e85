//! `apt-get`: packages from repositories. Models apt 2.8's cmdline/apt-get.cc.

use machine::Io;

use crate::args::{self, Args, flag, value};
use crate::help::tool;
use crate::packages::container;
use crate::packages::install::{self, Wishes};
use crate::packages::{FAILED, no_operation, update};

tool!(
    "apt-get",
    "Install, upgrade and look for packages",
    "apt-get [options] command [pkg...]",
    main,
    [("apt-get frobnicate", "E: Invalid operation frobnicate\n")]
);

/// Options of `apt-get` and `apt`.
pub(crate) const FLAGS: &[args::Flag] = &[
    flag('y', "assume-yes"),
    flag('\u{1}', "yes"),
    flag('q', "quiet"),
    flag('s', "simulate"),
    flag('\u{2}', "dry-run"),
    flag('\u{3}', "allow-change-held-packages"),
    flag('\u{4}', "allow-downgrades"),
    flag('\u{5}', "only-upgrade"),
    flag('\u{6}', "no-install-recommends"),
    flag('\u{7}', "installed"),
    flag('\u{8}', "upgradable"),
    flag('a', "all-versions"),
    value('o', "option"),
];

async fn main(io: Io) -> i32 {
    match args::parse(FLAGS, io.args()) {
        Ok(args) => run(&io, &args).await,
        Err(message) => {
            io.eprint(&format!("E: {message}\n")).await;
            FAILED
        }
    }
}

/// Does what an operation says.
pub(crate) async fn run(io: &Io, args: &Args) -> i32 {
    let wishes = Wishes {
        yes: args.has('y') || args.has('\u{1}'),
        held: args.has('\u{3}'),
        downgrades: args.has('\u{4}'),
        simulate: args.has('s') || args.has('\u{2}'),
    };
    let words: Vec<&str> = args.operands.iter().map(|word| &**word).collect();
    let contained = container::is_one(io).await;
    match words.as_slice() {
        ["update", ..] if contained => container::update(io).await,
        ["install", wanted @ ..] if contained => {
            container::install(io, wanted, wishes.simulate).await
        }
        ["upgrade" | "dist-upgrade" | "autoremove", ..] if contained => {
            container::install(io, &[], true).await
        }
        [] => {
            io.print("apt 2.8.3 (amd64)\nUsage: apt-get [options] command [pkg...]\n")
                .await;
            1
        }
        ["update", ..] => update::update(io).await,
        ["install", wanted @ ..] => install::install(io, wanted, wishes).await,
        ["upgrade" | "dist-upgrade" | "full-upgrade", ..] => install::upgrade(io, wishes).await,
        [
            name @ ("remove" | "purge" | "autoremove" | "download" | "source" | "build-dep"),
            ..,
        ] => {
            let note = sim::unmodelled!("apt-get beyond update, install and upgrade");
            io.eprint(&format!("{note}: {name}\n")).await;
            FAILED
        }
        ["clean" | "autoclean" | "check", ..] => 0,
        [name, ..] => no_operation(io, name).await,
    }
}
