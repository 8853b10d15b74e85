//! `apt-mark`: keeps packages at their version. Models apt 2.8's cmdline/apt-mark.cc.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::packages::database::{self, Installed};
use crate::packages::{FAILED, may_change, no_operation};

tool!(
    "apt-mark",
    "Show, set and unset settings of packages",
    "apt-mark [options] {auto|manual|hold|unhold|showhold} pkg...",
    main,
    [("apt-mark frobnicate", "E: Invalid operation frobnicate\n")]
);

const FLAGS: &[args::Flag] = &[flag('q', "quiet")];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => {
            io.eprint(&format!("E: {message}\n")).await;
            return FAILED;
        }
    };
    let words: Vec<&str> = args.operands.iter().map(|word| &**word).collect();
    match words.as_slice() {
        ["showhold" | "showheld", ..] => {
            let all = database::read(&io).await;
            let held = all.iter().filter(|package| package.is_held());
            let text: String = held
                .map(|package| format!("{}\n", package.name()))
                .collect();
            io.print(&text).await;
            0
        }
        ["hold" | "unhold"] => {
            io.eprint("E: No packages found\n").await;
            FAILED
        }
        ["hold", names @ ..] => mark(&io, names, true).await,
        ["unhold", names @ ..] => mark(&io, names, false).await,
        [] => {
            io.print("apt 2.8.3 (amd64)\nUsage: apt-mark [options] {markauto|unmarkauto} pkg...\n")
                .await;
            1
        }
        [name, ..] => no_operation(&io, name).await,
    }
}

async fn mark(io: &Io, names: &[&str], hold: bool) -> i32 {
    let mut all = database::read(io).await;
    let missing = names
        .iter()
        .find(|name| all.iter().all(|p| p.name() != **name));
    if let Some(name) = missing {
        io.eprint(&format!(
            "E: Unable to locate package {name}\nE: No packages found\n"
        ))
        .await;
        return FAILED;
    }
    let wanted = |package: &Installed| names.contains(&package.name());
    if all
        .iter()
        .any(|package| wanted(package) && package.is_held() != hold)
        && !may_change(io).await
    {
        return FAILED;
    }
    let mut text = String::new();
    for name in names {
        let Some(package) = all.iter_mut().find(|package| package.name() == *name) else {
            continue;
        };
        text.push_str(&match (hold, package.is_held()) {
            (true, false) => format!("{name} set on hold.\n"),
            (true, true) => format!("{name} was already set on hold.\n"),
            (false, true) => format!("Canceled hold on {name}.\n"),
            (false, false) => format!("{name} was already not on hold.\n"),
        });
        package.hold(hold);
    }
    database::write(io, &all).await;
    io.print(&text).await;
    0
}
