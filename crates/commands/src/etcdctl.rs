//! `etcdctl`: the client of etcd, over the network, with certificates.
//!
//! Models etcdctl/ctlv3.

mod client;
pub(crate) mod endpoint;
mod keys;
pub(crate) mod line;
mod pages;
pub(crate) mod report;
mod snapshot;

use std::rc::Rc;

use machine::Io;

use crate::{Example, Tool};
use client::Conf;
use line::Line;
use report::fail;

pub(crate) const TOOL: Tool = Tool {
    name: "etcdctl",
    summary: "A simple command line client for etcd3",
    usage: "etcdctl [flags] COMMAND",
    examples: &[
        example(
            "etcdctl version",
            "etcdctl version: 3.6.8\nAPI version: 3.6\n",
        ),
        example(
            "etcdctl snapshot save",
            "Error: snapshot save expects one argument\n",
        ),
        example(
            "etcdctl --cacert=/nope/ca.crt get foo",
            "Error: open /nope/ca.crt: no such file or directory\n",
        ),
        example(
            "etcdctl bogus",
            "Error: unknown command \"bogus\" for \"etcdctl\"\nRun 'etcdctl --help' for usage.\n",
        ),
        example(
            "etcdctl get --wrong >/dev/null",
            "Error: unknown flag: --wrong\n",
        ),
        example(
            "etcdctl get",
            "Error: get command needs one argument as key and an optional argument as range_end\n",
        ),
        example(
            "etcdctl endpoint health -h | head -n 9",
            "NAME:\n\tendpoint health - Checks the healthiness of endpoints specified in \
             `--endpoints` flag\n\nUSAGE:\n\tetcdctl endpoint health [flags]\n\nOPTIONS:\n      \
             --cluster[=false]\tuse all endpoints from the cluster member list\n  -h, \
             --help[=false]\thelp for health\n",
        ),
    ],
    run: |io| Box::pin(main(io)),
    program: || machine::tool(|io| Box::pin(main(io))),
};

pub(crate) const fn example(command: &'static str, output: &'static str) -> Example {
    Example { command, output }
}

/// Commands that exist and do more than is modelled.
const UNMODELLED: [&str; 14] = [
    "auth",
    "check",
    "completion",
    "downgrade",
    "elect",
    "lease",
    "lock",
    "make-mirror",
    "move-leader",
    "role",
    "txn",
    "user",
    "migrate",
    "options",
];

/// Flags that exist and would change what comes out.
const UNMODELLED_FLAGS: [&str; 6] = [
    "discovery-srv",
    "hex",
    "ignore-lease",
    "ignore-value",
    "password",
    "user",
];

/// Formats that are there in bytes nobody reads.
const FORMATS: [&str; 4] = ["simple", "json", "table", "fields"];

async fn main(io: Io) -> i32 {
    let specs = [client::GLOBAL, endpoint::FLAGS, keys::FLAGS];
    let line = match Line::read(&specs, io.args()) {
        Ok(line) => line,
        Err(why) => {
            fail(&io, 1, &why).await;
            let words = io.args().iter().skip(1);
            let words = words.take_while(|word| !word.starts_with('-')).cloned();
            io.print(&pages::of(&words.collect::<Vec<_>>())).await;
            return 1;
        }
    };
    let refused = UNMODELLED_FLAGS
        .iter()
        .find(|flag| line.get(flag).is_some());
    if let Some(flag) = refused {
        let why = sim::unmodelled!("this flag of etcdctl");
        return fail(&io, 1, &format!("--{flag}: {why}")).await;
    }
    let format = line.format(&io);
    if !FORMATS.contains(&&*format) {
        let why = sim::unmodelled!("this output format");
        return fail(&io, 128, &format!("--write-out={format}: {why}")).await;
    }
    let words = line.words.clone();
    let Some(command) = words.first() else {
        io.print(&pages::of(&[])).await;
        return 0;
    };
    match (&**command, words.get(1).map(|word| &**word)) {
        ("help", _) => {
            io.print(&pages::of(&words[1..])).await;
            0
        }
        _ if line.on("help") => {
            io.print(&pages::of(&words)).await;
            0
        }
        ("version", _) => {
            let text = version("etcdctl");
            io.print(&text).await;
            0
        }
        ("snapshot", Some("save")) if words.len() != 3 => snapshot_usage(&io).await,
        ("snapshot", Some("save")) => with(&io, &line, &words).await,
        ("endpoint", Some("health" | "status" | "hashkv")) | ("member", Some("list")) => {
            with(&io, &line, &words).await
        }
        ("get" | "put" | "del" | "watch" | "compaction" | "compact" | "defrag", _)
        | ("alarm", Some(_)) => with(&io, &line, &words).await,
        ("alarm" | "endpoint" | "member", None) | ("snapshot", _) => {
            io.print(&pages::of(&words)).await;
            0
        }
        ("endpoint" | "member", _) => unmodelled(&io, &words.join(" ")).await,
        (known, _) if UNMODELLED.contains(&known) => unmodelled(&io, known).await,
        (other, _) => {
            let why = format!("unknown command \"{other}\" for \"etcdctl\"");
            let hint = "Run 'etcdctl --help' for usage.";
            fail(&io, 1, &format!("{why}\n{hint}")).await
        }
    }
}

async fn snapshot_usage(io: &Io) -> i32 {
    fail(io, 128, "snapshot save expects one argument").await
}

async fn unmodelled(io: &Io, command: &str) -> i32 {
    let why = sim::unmodelled!("this command of etcdctl");
    fail(io, 1, &format!("{command}: {why}")).await
}

/// A command that talks to a member.
async fn with(io: &Io, line: &Line, words: &[Rc<str>]) -> i32 {
    let conf = match Conf::read(io, line).await {
        Ok(conf) => conf,
        Err(why) => return fail(io, 128, &why).await,
    };
    match &*words[0] {
        "get" => keys::get(io, line, &conf, &words[1..]).await,
        "put" => keys::put(io, line, &conf, &words[1..]).await,
        "del" => keys::del(io, line, &conf, &words[1..]).await,
        "watch" => keys::watch(io, line, &conf, &words[1..]).await,
        "snapshot" => snapshot::save(io, &conf, &words[2..]).await,
        "endpoint" => endpoint::endpoint(io, line, &conf, &words[1]).await,
        "member" => endpoint::members(io, line, &conf).await,
        _ => keys::housekeeping(io, &conf, words).await,
    }
}

/// What `version` prints.
pub(crate) fn version(name: &str) -> String {
    let minor = pages::minor();
    format!("{name} version: {}\nAPI version: {minor}\n", etcd::VERSION)
}
