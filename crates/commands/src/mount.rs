//! `mount`: what is mounted, and mounts of directories and of memory. Models util-linux
//! sys-utils/mount.c; disks beside the machine's own and network file systems are not modelled.

use machine::{Errno, Io, Sys};

use crate::args::{self, Args, flag, value};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "mount",
    "Mount a file system",
    "mount [-t TYPE] [-o OPTIONS] [--bind] [SOURCE DIRECTORY]",
    main,
    [
        (
            "mkdir a b; echo hi > a/f; mount --bind a b; cat b/f; umount b; ls b",
            "hi\n"
        ),
        (
            "mkdir t; mount -t tmpfs tmpfs t; touch t/f; ls t; umount t; ls t",
            "f\n"
        ),
        (
            "mkdir m; mount /dev/sdz m",
            "mount: m: special device /dev/sdz does not exist.\n       dmesg(1) may have more information after failed mount system call.\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('B', "bind"),
    flag('R', "rbind"),
    flag('r', "read-only"),
    flag('w', "rw"),
    flag('l', "show-labels"),
    flag('v', "verbose"),
    flag('n', "no-mtab"),
    flag('\u{1}', "mkdir"),
    flag('\u{2}', "make-shared"),
    flag('\u{3}', "make-rshared"),
    value('o', "options"),
    value('t', "types"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    match &args.operands[..] {
        _ if args.has('a') => 0,
        [] => {
            list(&io, args.value('t').map(|kind| &**kind)).await;
            0
        }
        [_] if args.has('\u{2}') || args.has('\u{3}') => 0,
        [at] => {
            complain(&io, &format!("{at}: can't find in /etc/fstab.")).await;
            1
        }
        [source, at] => match put(&io, source, at, &args).await {
            Ok(()) => 0,
            Err(why) => {
                complain(&io, &format!("{at}: {why}")).await;
                32
            }
        },
        _ => usage_error(&io, "bad usage", 1).await,
    }
}

/// What `/proc/mounts` tells, in the words of `mount`.
async fn list(io: &Io, kind: Option<&str>) {
    let text = io.read_to_string("/proc/mounts").await.unwrap_or_default();
    let mut out = String::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [device, at, own, options, ..] = fields[..] else {
            continue;
        };
        if kind.is_none_or(|kind| kind.split(',').any(|kind| kind == own)) {
            out.push_str(&format!("{device} on {at} type {own} ({options})\n"));
        }
    }
    io.print(&out).await;
}

async fn put(io: &Io, source: &str, at: &str, args: &Args) -> Result<(), String> {
    const HINT: &str =
        "\n       dmesg(1) may have more information after failed mount system call.";
    let options = args.value('o').map_or("", |options| options).to_owned();
    let has = |name: &str| options.split(',').any(|own| own == name);
    let bind = args.has('B') || args.has('R') || has("bind") || has("rbind");
    let read_only = args.has('r') || has("ro");
    let kind = args.value('t').map_or("", |kind| kind);
    let (source, at) = (source.to_owned(), at.to_owned());
    if args.has('\u{1}') {
        let at = at.clone();
        let made = io.sys(move |sys| sys.mkdir_all(&at)).await;
        made.map_err(|errno| format!("mount point cannot be created: {}.", errno.message()))?;
    }
    if has("remount") {
        return Err(sim::unmodelled!("mounting again with other options").to_string());
    }
    let mounted = match (bind, kind) {
        (true, _) => {
            io.sys(move |sys: &mut Sys<'_>| {
                let place = sys.place_of(&source).map_err(|_| source.clone());
                place.map(|place| {
                    let read_only = read_only || place.read_only;
                    sys.mount(&at, place.fs, &place.path, read_only)
                })
            })
            .await
        }
        (false, "tmpfs" | "ramfs") => {
            io.sys(move |sys: &mut Sys<'_>| {
                let there = sys.stat(&at).map(|stat| stat.is_dir());
                if there != Ok(true) {
                    return Ok(Err(Errno::ENOENT));
                }
                let fs = sys.new_fs(machine::fs::Tree::new());
                Ok(sys.mount(&at, fs, "/", read_only))
            })
            .await
        }
        (false, "proc" | "sysfs" | "cgroup2" | "devtmpfs" | "overlay" | "nfs" | "nfs4") => {
            let what = sim::unmodelled!("mounting file systems of this kind");
            return Err(format!("{what}: {kind}"));
        }
        (false, _) => Err(source),
    };
    match mounted {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Errno::EPERM)) => Err("must be superuser to use mount.".to_owned() + HINT),
        Ok(Err(Errno::ENOENT)) => Err("mount point does not exist.".to_owned() + HINT),
        Ok(Err(errno)) => Err(format!("mount failed: {}.", errno.message())),
        Err(source) => Err(format!("special device {source} does not exist.{HINT}")),
    }
}
