//! `etcdutl`: works on etcd's files, without a member.
//!
//! Models etcdutl/etcdutl and etcdutl/snapshot/v3_snapshot.go.

use std::rc::Rc;

use etcd::{Config, Restore, Snapshot};
use machine::{Errno, Io, Sys};

use crate::Tool;
use crate::etcdctl::endpoint::storage_version;
use crate::etcdctl::line::{Line, Spec};
use crate::etcdctl::report::{self, fail};
use crate::etcdctl::{example, version};

pub(crate) const TOOL: Tool = Tool {
    name: "etcdutl",
    summary: "An administrative command line tool for etcd3",
    usage: "etcdutl [flags] COMMAND",
    examples: &[
        example(
            "etcdutl version",
            "etcdutl version: 3.6.8\nAPI version: 3.6\n",
        ),
        example(
            "etcdutl snapshot status /opt/nope.db",
            "Error: stat /opt/nope.db: no such file or directory\n",
        ),
        example(
            "printf garbage > bad.db; etcdutl snapshot status bad.db",
            "Error: invalid database\n",
        ),
        example(
            "touch x; etcdutl snapshot restore x --data-dir /etc",
            "Error: data-dir \"/etc\" not empty or could not be read\n",
        ),
        example(
            "touch x; etcdutl snapshot restore x --data-dir /opt/y --bump-revision 10",
            "Error: --mark-compacted required if --bump-revision\n",
        ),
        example(
            "touch x; etcdutl snapshot restore x --data-dir /opt/y --name other",
            "Error: couldn't find local name \"other\" in the initial cluster configuration\n",
        ),
    ],
    run: |io| Box::pin(main(io)),
    program: || machine::tool(|io| Box::pin(main(io))),
};

const FLAGS: &[Spec] = &[
    ("bump-revision", ' ', true),
    ("data-dir", ' ', true),
    ("help", 'h', false),
    ("initial-advertise-peer-urls", ' ', true),
    ("initial-cluster", ' ', true),
    ("initial-cluster-token", ' ', true),
    ("initial-memory-map-size", ' ', true),
    ("mark-compacted", ' ', false),
    ("name", ' ', true),
    ("skip-hash-check", ' ', false),
    ("wal-dir", ' ', true),
    ("write-out", 'w', true),
];

/// The length of the hash at the end of a snapshot.
const HASH_BYTES: u64 = 32;

async fn main(io: Io) -> i32 {
    let line = match Line::read(&[FLAGS], io.args()) {
        Ok(line) => line,
        Err(why) => {
            let words: Vec<&str> = io.args().iter().skip(1).map(|word| &**word).collect();
            return fail(&io, 1, &format!("{why}\n{}", page(&words))).await;
        }
    };
    let words: Vec<&str> = line.words.iter().map(|word| &**word).collect();
    match words[..] {
        _ if line.on("help") => {
            io.print(page(&words)).await;
            0
        }
        ["version"] => {
            io.print(&version("etcdutl")).await;
            0
        }
        ["snapshot", "status", path] => status(&io, &line, path).await,
        ["snapshot", "status", ..] => {
            fail(&io, 128, "snapshot status requires exactly one argument").await
        }
        ["snapshot", "restore", ..] if line.get("data-dir").is_none() => {
            let why = "required flag(s) \"data-dir\" not set";
            fail(&io, 1, &format!("{why}\n{RESTORE}")).await
        }
        ["snapshot", "restore", path] => restore(&io, &line, path).await,
        ["snapshot", "restore", ..] => {
            fail(&io, 128, "snapshot restore requires exactly one argument").await
        }
        ["help", ..] => {
            io.print(page(&words[1..])).await;
            0
        }
        [] | ["snapshot", ..] => {
            io.print(page(&words)).await;
            0
        }
        [
            known @ ("backup" | "completion" | "defrag" | "hashkv" | "migrate"),
            ..,
        ] => {
            let why = sim::unmodelled!("this command of etcdutl");
            fail(&io, 1, &format!("{known}: {why}")).await
        }
        [other, ..] => {
            let why = format!("unknown command \"{other}\" for \"etcdutl\"");
            let hint = "Run 'etcdutl --help' for usage.";
            fail(&io, 1, &format!("{why}\n{hint}")).await
        }
    }
}

/// `etcdutl snapshot status FILE`.
async fn status(io: &Io, line: &Line, path: &str) -> i32 {
    let from = path.to_owned();
    let read = io.sys(move |sys| {
        sys.stat(&from)?;
        Ok(open(sys, &from))
    });
    let read: Result<Option<Rc<Snapshot>>, Errno> = read.await;
    let snapshot = match read {
        Ok(Some(snapshot)) => snapshot,
        Ok(None) => return fail(io, 1, "invalid database").await,
        Err(errno) => {
            let why = errno.go_message();
            return fail(io, 1, &format!("stat {path}: {why}")).await;
        }
    };
    let status = snapshot.status();
    let row = vec![
        format!("{:x}", status.hash),
        status.revision.to_string(),
        status.total_key.to_string(),
        report::size(status.total_size),
        storage_version(),
    ];
    let head = ["hash", "revision", "total keys", "total size", "version"];
    let text = match line.get("write-out").as_deref() {
        Some("table") => report::table(&head, &[row]),
        Some("json") => format!(
            "{{\"hash\":{},\"revision\":{},\"totalKey\":{},\"totalSize\":{},\"version\":\"{}\"}}\n",
            status.hash,
            status.revision,
            status.total_key,
            status.total_size,
            storage_version()
        ),
        _ => row.join(", ") + "\n",
    };
    io.print(&text).await;
    0
}

/// The database that a file holds, if it is one.
fn open(sys: &mut Sys<'_>, path: &str) -> Option<Rc<Snapshot>> {
    match sys.read_object(path) {
        Ok(object) => Snapshot::of(&object),
        Err(_) => Snapshot::from_bytes(&sys.read_file(path).ok()?).map(Rc::new),
    }
}

/// Where the parts of a restored data directory go.
#[derive(Clone)]
struct Plan {
    source: String,
    data: String,
    wal: String,
    skip_hash: bool,
    restore: Restore,
}

/// `etcdutl snapshot restore FILE --data-dir DIR`.
async fn restore(io: &Io, line: &Line, path: &str) -> i32 {
    let plan = match plan(line, path) {
        Ok(plan) => plan,
        Err(why) => return fail(io, 1, &why).await,
    };
    let (data, wal) = (plan.data.clone(), line.get("wal-dir"));
    let taken = io.sys(move |sys| {
        let used = sys.exists(&data) && sys.read_dir(&data).is_ok_and(|found| !found.is_empty());
        (used, wal.filter(|wal| sys.exists(wal)))
    });
    match taken.await {
        (true, _) => {
            let why = format!("data-dir \"{}\" not empty or could not be read", plan.data);
            return fail(io, 1, &why).await;
        }
        (_, Some(wal)) => return fail(io, 1, &format!("wal-dir \"{wal}\" exists")).await,
        _ => {}
    }
    let paths = format!(
        "{{\"path\": \"{path}\", \"wal-dir\": \"{}\", \"data-dir\": \"{}\", \"snap-dir\": \
         \"{}/member/snap\", \"initial-memory-map-size\": 10737418240}}",
        plan.wal, plan.data, plan.data
    );
    info(
        io,
        "snapshot/v3_snapshot.go:305",
        "restoring snapshot",
        &paths,
    )
    .await;
    let work = plan.clone();
    let done = match io.sys(move |sys| write(sys, &work)).await {
        Ok(snapshot) => snapshot,
        Err(why) => return fail(io, 1, &why).await,
    };
    let trim = "Trimming membership information from the backend...";
    info(io, "schema/membership.go:138", trim, "").await;
    for member in &done.cluster.members {
        let urls: Vec<String> = member
            .peer_urls
            .iter()
            .map(|url| format!("\"{url}\""))
            .collect();
        let fields = format!(
            "{{\"cluster-id\": \"{:x}\", \"local-member-id\": \"0\", \"added-peer-id\": \
             \"{:x}\", \"added-peer-peer-urls\": [{}], \"added-peer-is-learner\": false}}",
            done.cluster.id,
            member.id,
            urls.join(", ")
        );
        info(io, "membership/cluster.go:424", "added member", &fields).await;
    }
    info(
        io,
        "snapshot/v3_snapshot.go:333",
        "restored snapshot",
        &paths,
    )
    .await;
    0
}

/// A line of the tool's log, on standard error.
async fn info(io: &Io, place: &str, message: &str, fields: &str) {
    let at = io.now().await.rfc3339();
    let tab = if fields.is_empty() { "" } else { "\t" };
    io.eprint(&format!("{at}\tinfo\t{place}\t{message}{tab}{fields}\n"))
        .await;
}

fn plan(line: &Line, path: &str) -> Result<Plan, String> {
    let or = |name: &str, other: &str| line.get(name).unwrap_or_else(|| other.into());
    let data = or("data-dir", "default.etcd")
        .trim_end_matches('/')
        .to_owned();
    let name = or("name", "default");
    let peers = or("initial-advertise-peer-urls", "http://localhost:2380");
    let cluster = or("initial-cluster", "default=http://localhost:2380");
    let members: Vec<(&str, &str)> = cluster
        .split(',')
        .filter_map(|member| member.split_once('='))
        .collect();
    let own = members.iter().filter(|(member, _)| *member == &*name);
    let own: Vec<&str> = own.map(|(_, url)| *url).collect();
    if own.is_empty() {
        return Err(format!(
            "couldn't find local name \"{name}\" in the initial cluster configuration"
        ));
    }
    let peer_urls: Vec<Rc<str>> = peers.split(',').map(Rc::from).collect();
    if let Some(missing) = peer_urls.iter().find(|url| !own.contains(&&***url)) {
        return Err(format!(
            "--initial-cluster must include {name}={missing} given \
             --initial-advertise-peer-urls={peers}"
        ));
    }
    if members.iter().any(|(member, _)| *member != &*name) {
        return Err(sim::unmodelled!("restoring a cluster of several members").to_string());
    }
    let config = Config {
        name,
        peer_urls,
        token: or("initial-cluster-token", "etcd-cluster"),
        client_urls: Vec::new(),
        ..Config::default()
    };
    let bump_revision = line.number("bump-revision")?;
    let mark_compacted = line.on("mark-compacted");
    if mark_compacted != (bump_revision > 0) {
        return Err("--mark-compacted required if --bump-revision".to_owned());
    }
    Ok(Plan {
        source: path.to_owned(),
        wal: match line.get("wal-dir") {
            Some(wal) => wal.to_string(),
            None => format!("{data}/member/wal"),
        },
        data,
        skip_hash: line.on("skip-hash-check"),
        restore: Restore {
            config,
            bump_revision,
            mark_compacted,
        },
    })
}

/// Copies the file first and looks at it then: what is wrong with it leaves a directory behind.
fn write(sys: &mut Sys<'_>, plan: &Plan) -> Result<Rc<Snapshot>, String> {
    let Plan { source, data, .. } = plan;
    let size = match sys.stat(source) {
        Ok(stat) if stat.is_dir() => return Err(format!("read {source}: is a directory")),
        Ok(stat) => stat.size,
        Err(errno) => return Err(format!("open {source}: {}", errno.go_message())),
    };
    if size < HASH_BYTES {
        return Err(format!("seek {source}: invalid argument"));
    }
    let failed = |path: &str, errno: Errno| format!("mkdir {path}: {}", errno.go_message());
    let dirs = [
        data.clone(),
        format!("{data}/member"),
        format!("{data}/member/snap"),
    ];
    for dir in &dirs {
        sys.mkdir_all(dir).map_err(|errno| failed(dir, errno))?;
        let _ = sys.chmod(dir, 0o700);
    }
    let database = format!("{data}/member/snap/db");
    crate::files::copy_file(sys, source, &database)
        .map_err(|errno| format!("open {database}: {}", errno.go_message()))?;
    let _ = sys.chmod(&database, 0o600);
    let snapshot = open(sys, source);
    let sealed = match &snapshot {
        Some(snapshot) => snapshot.sealed,
        None => size % 512 == HASH_BYTES,
    };
    if !sealed && !plan.skip_hash {
        return Err("snapshot missing hash but --skip-hash-check=false".to_owned());
    }
    let snapshot = snapshot.ok_or("invalid database")?;
    let restored = Rc::new(snapshot.restore(&plan.restore));
    sys.write_object(&database, restored.clone())
        .map_err(|errno| format!("open {database}: {}", errno.go_message()))?;
    let files = [
        format!("{}/0000000000000000-0000000000000000.wal", plan.wal),
        format!("{data}/member/snap/0000000000000001-0000000000000001.snap"),
    ];
    sys.mkdir_all(&plan.wal)
        .map_err(|errno| failed(&plan.wal, errno))?;
    let _ = sys.chmod(&plan.wal, 0o700);
    for file in &files {
        let written = sys
            .write_file(file, b"")
            .and_then(|()| sys.chmod(file, 0o600));
        written.map_err(|errno| format!("open {file}: {}", errno.go_message()))?;
    }
    Ok(restored)
}

/// What a command says of itself.
fn page(words: &[&str]) -> &'static str {
    match words {
        ["snapshot", "restore", ..] => RESTORE,
        ["snapshot", "status", ..] => STATUS,
        ["snapshot", ..] => SNAPSHOT,
        _ => HELP,
    }
}

const SNAPSHOT: &str = "Manages etcd node snapshots

Usage:
  etcdutl snapshot [command]

Available Commands:
  restore     Restores an etcd member snapshot to an etcd directory
  status      Gets backend snapshot status of a given file

Flags:
  -h, --help   help for snapshot

Global Flags:
  -w, --write-out string   set the output format (fields, json, protobuf, simple, table) (default \"simple\")

Use \"etcdutl snapshot [command] --help\" for more information about a command.
";

const STATUS: &str = "Usage:
  etcdutl snapshot status <filename> [flags]

Flags:
  -h, --help   help for status

Global Flags:
  -w, --write-out string   set the output format (fields, json, protobuf, simple, table) (default \"simple\")
";

const RESTORE: &str = "Usage:
  etcdutl snapshot restore <filename> --data-dir {output dir} [options] [flags]

Flags:
      --bump-revision uint                   How much to increase the latest revision after restore
      --data-dir string                      Path to the output data directory
  -h, --help                                 help for restore
      --initial-advertise-peer-urls string   List of this member's peer URLs to advertise to the rest of the cluster (default \"http://localhost:2380\")
      --initial-cluster string               Initial cluster configuration for restore bootstrap (default \"default=http://localhost:2380\")
      --initial-cluster-token string         Initial cluster token for the etcd cluster during restore bootstrap (default \"etcd-cluster\")
      --initial-memory-map-size uint         Initial memory map size of the database in bytes. It uses the default value if not defined or defined to 0 (default 10737418240)
      --mark-compacted                       Mark the latest revision after restore as the point of scheduled compaction (required if --bump-revision > 0, disallowed otherwise)
      --name string                          Human-readable name for this member (default \"default\")
      --skip-hash-check                      Ignore snapshot integrity hash value (required if copied from data directory)
      --wal-dir string                       Path to the WAL directory (use --data-dir if none given)

Global Flags:
  -w, --write-out string   set the output format (fields, json, protobuf, simple, table) (default \"simple\")
";

const HELP: &str = "Usage:
  etcdutl [command]

Available Commands:
  help        Help about any command
  snapshot    Manages etcd node snapshots (restore, status)
  version     Prints the version of etcdutl

Flags:
  -h, --help               help for etcdutl
  -w, --write-out string   set the output format (fields, json, protobuf, simple, table) (default \"simple\")

Use \"etcdutl [command] --help\" for more information about a command.
";
