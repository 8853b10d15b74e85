//! BusyBox: a shell and small tools. The applets are the machine's own tools under their names.

use std::rc::Rc;

use machine::fs::Node;
use machine::{Exec, Fd, Io, Spawn, tool};

use crate::definition::{Definition, Tags, Versions};
use crate::userland::{Userland, put};

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
    files: |tree, tag| {
        // Its nslookup was another one up to 1.28: the one that calls the C library.
        let minor = tag.strip_prefix("1.").and_then(|rest| rest.get(..2));
        if minor.is_some_and(|minor| minor <= "28") {
            let old = Node::release("nslookup", "busybox 1.28");
            put(tree, "/bin/nslookup", old);
        }
    },
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
