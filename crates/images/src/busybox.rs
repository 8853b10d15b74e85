//! BusyBox: a shell and small tools. The applets are the machine's own tools under their names.

use std::rc::Rc;

use machine::{Exec, Fd, Io, Spawn, tool};

use crate::definition::{Definition, Tags, Versions};
use crate::userland::Userland;

/// `docker.io/library/busybox`
pub(crate) static IMAGE: Definition = Definition {
    repository: "docker.io/library/busybox",
    tags: Tags {
        words: &["latest", "stable", "unstable", "musl", "glibc", "uclibc"],
        versions: &[Versions::of(1, 23..=37)],
        suffixes: &["musl", "glibc", "uclibc"],
    },
    userland: Userland::Busybox,
    cmd: &["sh"],
    programs: &[("busybox", || tool(|io| Box::pin(busybox(io))))],
    ..Definition::PLAIN
};

/// `busybox APPLET [ARG]...`
async fn busybox(io: Io) -> i32 {
    let args: Vec<Rc<str>> = io.args()[1..].to_vec();
    let Some(applet) = args.first().cloned() else {
        io.print("BusyBox v1.37.0 multi-call binary.\n").await;
        return 0;
    };
    let spawn = move || {
        let path: Rc<str> = format!("/bin/{}", args[0]).into();
        Spawn::new(Exec::Path(path), args.clone()).with_stdio()
    };
    match io.spawn(spawn()).await {
        Ok(child) => io.wait(child).await.shell_code(),
        Err(_) => {
            io.write_all(
                Fd::STDERR,
                format!("{applet}: applet not found\n").as_bytes(),
            )
            .await;
            127
        }
    }
}
