//! `etcdctl snapshot save`: the whole database of a member, brought home into a file.
//!
//! Models etcdctl/ctlv3/command/snapshot_command.go and client/v3/snapshot/v3_snapshot.go.

use std::rc::Rc;

use etcd::{ReplyBody, Request};
use machine::{Errno, Io};
use net::Shared;

use super::client::Conf;
use super::report::{self, duration, fail, log, quoted};

/// `etcdctl snapshot save FILE`. Unless told otherwise it waits for the member as long as it takes.
pub(super) async fn save(io: &Io, conf: &Conf, words: &[Rc<str>]) -> i32 {
    let [path] = words else {
        return fail(io, 128, "snapshot save expects one argument").await;
    };
    let [endpoint] = &conf.endpoints[..] else {
        let all = conf.endpoints.join(" ");
        let why = format!("snapshot must be requested to one selected node, not multiple [{all}]");
        return fail(io, 5, &why).await;
    };
    let part = format!("{path}.part");
    if let Err(errno) = io.write_file(&part, b"").await {
        let why = errno.go_message();
        return fail(
            io,
            5,
            &format!("could not open {part} (open {part}: {why})"),
        )
        .await;
    }
    let mode = part.clone();
    let _ = io.sys(move |sys| sys.chmod(&mode, 0o600)).await;
    let saver = |at: u32| format!("snapshot/v3_snapshot.go:{at}");
    let library = |at: u32| format!("client v3@v{}/maintenance.go:{at}", etcd::VERSION);
    let field = [("path", quoted(&part))];
    log(io, "info", &saver(83), "created temporary db file", &field).await;
    let begun = io.now().await;
    let by = match conf.timeout {
        Some(_) => conf.deadline(io).await,
        None => None,
    };
    let reply = match conf.call(io, endpoint, Request::Snapshot, by).await {
        Ok(reply) => reply,
        Err(failure) => return fail(io, 5, failure.message()).await,
    };
    let ReplyBody::Snapshot(snapshot) = &reply.body else {
        return fail(io, 5, "not a snapshot").await;
    };
    let opened = "opened snapshot stream; downloading";
    log(io, "info", &library(236), opened, &[]).await;
    let field = [("endpoint", quoted(endpoint))];
    log(io, "info", &saver(96), "fetching snapshot", &field).await;
    let sealed = Rc::new(snapshot.sealed());
    let size = sealed.size();
    let (from, to) = (part, path.clone());
    let written = io.sys(move |sys| {
        sys.write_object(&from, sealed)?;
        sys.rename(&from, &to)
    });
    if let Err(errno) = written.await {
        // Go looks first, and never renames over a directory.
        let why = match errno {
            Errno::EISDIR => Errno::EEXIST,
            other => other,
        };
        let why = format!("rename {path}.part {path}: {}", why.go_message());
        let why = format!("could not rename {path}.part to {path} ({why})");
        return fail(io, 5, &why).await;
    }
    let done = "completed snapshot read; closing";
    log(io, "info", &library(302), done, &[]).await;
    let fields = [
        ("endpoint", quoted(endpoint)),
        ("size", quoted(&report::size(size))),
        ("took", quoted(&duration(io.now().await.since(begun)))),
        ("etcd-version", quoted(&super::endpoint::storage_version())),
    ];
    log(io, "info", &saver(111), "fetched snapshot", &fields).await;
    log(io, "info", &saver(121), "saved", &[("path", quoted(path))]).await;
    let version = super::endpoint::storage_version();
    io.print(&format!(
        "Snapshot saved at {path}\nServer version {version}\n"
    ))
    .await;
    0
}
