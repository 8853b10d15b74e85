//! The files many images share: a small BusyBox system, or the better part of a Debian one. The
//! programs in them are the machine's tools, found by name in the world's table.

use machine::fs::{Content, Device, Meta, Node, Tree};

/// What an image stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Userland {
    /// Nothing but the directories every container has.
    None,
    /// BusyBox: `ash` and its applets, in `/bin`.
    Busybox,
    /// Alpine Linux: BusyBox with a package database.
    Alpine,
    /// Debian: `bash`, `dash` and the usual tools, in `/usr/bin`.
    Debian,
}

/// Applets of BusyBox, of which those exist that the machine has as tools.
const APPLETS: [&str; 46] = [
    "[", "awk", "base64", "basename", "cat", "chmod", "cp", "cut", "date", "df", "dirname", "du",
    "echo", "env", "false", "find", "free", "grep", "head", "hostname", "id", "ip", "kill", "ln",
    "ls", "mkdir", "mv", "nc", "nslookup", "ping", "printenv", "printf", "ps", "pwd", "rm", "sed",
    "seq", "sleep", "sort", "tail", "tee", "test", "touch", "tr", "true", "wget",
];

/// More applets; one list would be too long to read.
const MORE_APPLETS: [&str; 66] = [
    "netstat",
    "nsenter",
    "cmp",
    "dd",
    "fold",
    "gunzip",
    "gzip",
    "install",
    "od",
    "sha1sum",
    "sha512sum",
    "shuf",
    "split",
    "truncate",
    "xxd",
    "zcat",
    "clear",
    "expr",
    "groups",
    "hexdump",
    "less",
    "more",
    "chown",
    "chroot",
    "diff",
    "egrep",
    "fgrep",
    "mktemp",
    "pgrep",
    "pkill",
    "reset",
    "rmdir",
    "stat",
    "sync",
    "tar",
    "uniq",
    "uname",
    "uptime",
    "vi",
    "adduser",
    "bc",
    "cksum",
    "nice",
    "rev",
    "su",
    "tree",
    "users",
    "dmesg",
    "expand",
    "lsof",
    "mkfifo",
    "mount",
    "strings",
    "umount",
    "unexpand",
    "w",
    "watch",
    "who",
    "wc",
    "which",
    "whoami",
    "xargs",
    "yes",
    "md5sum",
    "sha256sum",
    "timeout",
];

/// What a Debian image has beyond that.
const DEBIAN: [&str; 6] = ["apt", "apt-get", "curl", "getent", "nproc", "timeout"];

/// `/etc/os-release` of Alpine Linux.
pub(crate) const ALPINE_RELEASE: &str =
    "NAME=\"Alpine Linux\"\nID=alpine\nPRETTY_NAME=\"Alpine Linux v3.23\"\n";

impl Userland {
    /// Its layers: names and sizes.
    #[must_use]
    pub fn layers(self) -> &'static [(&'static str, u64)] {
        match self {
            Userland::None => &[],
            Userland::Busybox => &[("busybox", 2_222_000)],
            Userland::Alpine => &[("alpine", 3_860_000)],
            Userland::Debian => &[("debian trixie slim", 29_776_484)],
        }
    }

    /// Its files.
    #[must_use]
    pub fn tree(self) -> Tree {
        let mut tree = Tree::new();
        for dir in [
            "/dev",
            "/etc",
            "/proc",
            "/root",
            "/sys/fs/cgroup",
            "/run",
            "/var/run",
        ] {
            put(&mut tree, dir, Node::dir(0o755));
        }
        put(&mut tree, "/tmp", Node::dir(0o1777));
        for (path, device) in [
            ("/dev/null", Device::Null),
            ("/dev/random", Device::Random),
            ("/dev/urandom", Device::Random),
            ("/dev/zero", Device::Zero),
            ("/dev/tty", Device::Tty),
        ] {
            let node = Node {
                meta: Meta::root(0o666),
                content: Content::Device(device),
            };
            put(&mut tree, path, node);
        }
        machine::put_proc(&mut tree).expect("a new tree");
        match self {
            Userland::None => {}
            Userland::Busybox | Userland::Alpine => busybox(&mut tree, self),
            Userland::Debian => debian(&mut tree),
        }
        tree
    }
}

fn busybox(tree: &mut Tree, which: Userland) {
    put(tree, "/bin/busybox", Node::binary("busybox"));
    for shell in ["/bin/sh", "/bin/ash"] {
        put(tree, shell, Node::binary("ash"));
    }
    tools(tree, "/bin", &[&APPLETS, &MORE_APPLETS]);
    users(tree, "/bin/sh");
    if which == Userland::Alpine {
        tools(tree, "/sbin", &[&["apk"]]);
        text(tree, "/etc/os-release", ALPINE_RELEASE);
    }
}

fn debian(tree: &mut Tree) {
    put(tree, "/usr/bin/bash", Node::binary("bash"));
    put(tree, "/usr/bin/sh", Node::binary("dash"));
    tools(tree, "/usr/bin", &[&APPLETS, &MORE_APPLETS, &DEBIAN]);
    put(tree, "/usr/sbin", Node::dir(0o755));
    for (link, target) in [("/bin", "usr/bin"), ("/sbin", "usr/sbin")] {
        let node = Node {
            meta: Meta::root(0o777),
            content: Content::Symlink(target.into()),
        };
        put(tree, link, node);
    }
    users(tree, "/bin/bash");
    let release =
        "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nID=debian\n";
    put(tree, "/etc/os-release", Node::file(release, 0o644));
}

/// Puts the tools of these names that the machine has.
pub(crate) fn tools(tree: &mut Tree, dir: &str, lists: &[&[&str]]) {
    for tool in commands::all() {
        if lists.iter().any(|list| list.contains(&tool.name)) {
            put(
                tree,
                &format!("{dir}/{}", tool.name),
                Node::binary(tool.name),
            );
        }
    }
}

fn users(tree: &mut Tree, shell: &str) {
    let passwd =
        format!("root:x:0:0:root:/root:{shell}\nnobody:x:65534:65534:nobody:/:/bin/false\n");
    put(tree, "/etc/passwd", Node::file(passwd, 0o644));
    put(
        tree,
        "/etc/group",
        Node::file("root:x:0:\nnogroup:x:65534:\n", 0o644),
    );
}

/// Puts a node; the files of an image do not stand in each other's way.
pub(crate) fn put(tree: &mut Tree, path: &str, node: Node) {
    tree.put_all(path, node)
        .expect("an image's files do not collide");
}

/// Puts a text file.
pub(crate) fn text(tree: &mut Tree, path: &str, text: &str) {
    put(tree, path, Node::file(text, 0o644));
}
