//! `etcdctl`: the client of etcd, over the network, with certificates.
//!
//! Models etcdctl/ctlv3.

mod client;
pub(crate) mod endpoint;
mod keys;
pub(crate) mod line;
pub(crate) mod report;
mod snapshot;

use std::rc::Rc;

use machine::Io;

use crate::help::tool;
use client::Conf;
use line::Line;
use report::fail;

tool!(
    "etcdctl",
    "A simple command line client for etcd3",
    "etcdctl [flags] COMMAND",
    main,
    [
        (
            "etcdctl version",
            "etcdctl version: 3.6.8\nAPI version: 3.6\n"
        ),
        (
            "etcdctl snapshot save",
            "Error: snapshot save expects one argument\n"
        ),
        (
            "etcdctl --cacert=/nope/ca.crt get foo",
            "Error: open /nope/ca.crt: no such file or directory\n"
        ),
        (
            "etcdctl bogus",
            "Error: unknown command \"bogus\" for \"etcdctl\"\nRun 'etcdctl --help' for usage.\n\
             Error: unknown command \"bogus\" for \"etcdctl\"\n"
        ),
        ("etcdctl get --wrong", "Error: unknown flag: --wrong\n"),
        (
            "etcdctl get",
            "Error: get command needs one argument as key and an optional argument as range_end\n"
        ),
    ]
);

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

/// Formats that are there in bytes nobody reads.
const FORMATS: [&str; 4] = ["simple", "json", "table", "fields"];

async fn main(io: Io) -> i32 {
    let specs = [client::GLOBAL, endpoint::FLAGS, keys::FLAGS];
    let line = match Line::read(&specs, io.args()) {
        Ok(line) => line,
        Err(why) => return fail(&io, 128, &why).await,
    };
    let format = line.format(&io);
    if !FORMATS.contains(&&*format) {
        let why = sim::unmodelled!("this output format");
        return fail(&io, 128, &format!("--write-out={format}: {why}")).await;
    }
    let words = line.words.clone();
    let Some(command) = words.first() else {
        io.print(HELP).await;
        return 0;
    };
    match (&**command, words.get(1).map(|word| &**word)) {
        ("help", _) => {
            io.print(HELP).await;
            0
        }
        ("version", _) => {
            let text = version("etcdctl");
            io.print(&text).await;
            0
        }
        ("snapshot", Some("save")) if words.len() != 3 => snapshot_usage(&io).await,
        ("snapshot", Some("save")) => with(&io, &line, &words).await,
        ("snapshot", _) => {
            io.print(snapshot::HELP).await;
            0
        }
        ("endpoint", Some("health" | "status" | "hashkv")) | ("member", Some("list")) => {
            with(&io, &line, &words).await
        }
        ("get" | "put" | "del" | "watch" | "compaction" | "compact" | "defrag" | "alarm", _) => {
            with(&io, &line, &words).await
        }
        ("endpoint" | "member", _) => unmodelled(&io, &words.join(" ")).await,
        (known, _) if UNMODELLED.contains(&known) => unmodelled(&io, known).await,
        (other, _) => {
            let why = format!("unknown command \"{other}\" for \"etcdctl\"");
            io.eprint(&format!("Error: {why}\nRun 'etcdctl --help' for usage.\n"))
                .await;
            fail(&io, 1, &why).await
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
    let minor = etcd::VERSION
        .rsplit_once('.')
        .map_or("", |(minor, _)| minor);
    format!("{name} version: {}\nAPI version: {minor}\n", etcd::VERSION)
}

const HELP: &str = "NAME:
	etcdctl - A simple command line client for etcd3.

USAGE:
	etcdctl [flags]

VERSION:
	3.6.8

API VERSION:
	3.6


COMMANDS:
	alarm disarm		Disarms all alarms
	alarm list		Lists all alarms
	compaction		Compacts the event history in etcd
	defrag			Defragments the storage of the etcd members with given endpoints
	del			Removes the specified key or range of keys [key, range_end)
	endpoint hashkv		Prints the KV history hash for each endpoint in --endpoints
	endpoint health		Checks the healthiness of endpoints specified in `--endpoints` flag
	endpoint status		Prints out the status of endpoints specified in `--endpoints` flag
	get			Gets the key or a range of keys
	help			Help about any command
	member list		Lists all members in the cluster
	put			Puts the given key into the store
	snapshot save		Stores an etcd node backend snapshot to a given file
	version			Prints the version of etcdctl
	watch			Watches events stream on keys or prefixes

OPTIONS:
      --cacert=\"\"				verify certificates of TLS-enabled secure servers using this CA bundle
      --cert=\"\"					identify secure client using this TLS certificate file
      --command-timeout=5s			timeout for short running command (excluding dial timeout)
      --endpoints=[127.0.0.1:2379]		gRPC endpoints
  -h, --help[=false]				help for etcdctl
      --insecure-skip-tls-verify[=false]	skip server certificate verification (CAUTION: this option should be enabled only for testing purposes)
      --key=\"\"					identify secure client using this TLS key file
  -w, --write-out=\"simple\"			set the output format (fields, json, protobuf, simple, table)

";
