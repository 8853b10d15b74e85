//! Files of the distribution: users, names, devices, commands, shell start-up, unit files.

use std::net::Ipv4Addr;
use std::rc::Rc;

use machine::fs::{Content, Device, Node, Tree};

use super::{link, put, text};
use crate::gateway;

/// The files of a machine called `name`; `known` are all machines of the world, `release` the version
/// of Kubernetes whose packages it has.
pub(crate) fn base(name: &str, known: &[(Rc<str>, Ipv4Addr)], release: &str) -> Tree {
    let mut tree = Tree::new();
    let t = &mut tree;
    for dir in [
        "/boot",
        "/etc/apt/keyrings",
        "/etc/cron.d",
        "/etc/default",
        "/etc/modules-load.d",
        "/etc/sysctl.d",
        "/home",
        "/media",
        "/mnt",
        "/opt",
        "/proc",
        "/run",
        "/srv",
        "/sys",
        "/usr/local/bin",
        "/usr/local/sbin",
        "/usr/share/keyrings",
        "/var/lib",
    ] {
        put(t, dir, Node::dir(0o755));
    }
    put(t, "/root", Node::dir(0o700));
    put(t, "/tmp", Node::dir(0o1777));
    put(t, "/var/log", Node::dir(0o755));
    devices(t);
    machine::put_proc(t).expect("a new tree");
    machine::put_proc_sys(t).expect("a new tree");
    commands(t, release);
    packages(t, release);
    hosts(t, name, known);
    let server = format!("nameserver {}\n", gateway::ADDRESS);
    text(t, "/etc/resolv.conf", server, 0o644);
    text(t, "/etc/passwd", PASSWD, 0o644);
    text(
        t,
        "/etc/group",
        "root:x:0:\ndaemon:x:1:\nadm:x:4:\nsudo:x:27:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n",
        0o644,
    );
    text(t, "/etc/fstab", "/dev/vda1 / ext4 defaults 0 1\n", 0o644);
    text(t, "/etc/os-release", OS_RELEASE, 0o644);
    text(t, "/root/.bashrc", BASHRC, 0o644);
    text(
        t,
        "/root/.profile",
        "if [ -f ~/.bashrc ]; then\n  . ~/.bashrc\nfi\n",
        0o644,
    );
    unit(
        t,
        "ssh",
        "OpenBSD Secure Shell server",
        "/usr/sbin/sshd -D",
        "on-failure",
    );
    tree
}

/// Puts the machine's own name and those of others.
pub(crate) fn hosts(t: &mut Tree, name: &str, known: &[(Rc<str>, Ipv4Addr)]) {
    text(t, "/etc/hostname", format!("{name}\n"), 0o644);
    let mut lines = format!("127.0.0.1 localhost\n127.0.1.1 {name}\n");
    for (host, ip) in known {
        lines.push_str(&format!("{ip} {host}\n"));
    }
    text(t, "/etc/hosts", lines, 0o644);
}

/// What dpkg and apt know: the packages that are installed, and where others come from.
fn packages(t: &mut Tree, release: &str) {
    for (path, content) in commands::packages::files(release) {
        text(t, &path, content, 0o644);
    }
}

/// Puts a service that is started at boot.
pub(crate) fn unit(t: &mut Tree, name: &str, description: &str, exec: &str, restart: &str) {
    let file = format!("/usr/lib/systemd/system/{name}.service");
    let unit = format!(
        "[Unit]\nDescription={description}\nAfter=network.target\n\n[Service]\nExecStart={exec}\n\
         Restart={restart}\nRestartSec=10\n\n[Install]\nWantedBy=multi-user.target\n"
    );
    text(t, &file, unit, 0o644);
    link(
        t,
        &format!("/etc/systemd/system/multi-user.target.wants/{name}.service"),
        &file,
    );
}

fn devices(t: &mut Tree) {
    for (path, device) in [
        ("/dev/null", Device::Null),
        ("/dev/random", Device::Random),
        ("/dev/urandom", Device::Random),
        ("/dev/zero", Device::Zero),
        ("/dev/tty", Device::Tty),
    ] {
        let mut node = Node::file("", 0o666);
        node.content = Content::Device(device);
        put(t, path, node);
    }
}

/// Every tool as an executable in `/usr/bin`, the shell among them; not those of another
/// distribution, and not etcd's, which only a control plane has.
fn commands(t: &mut Tree, release: &str) {
    let others = ["apk", "etcdctl", "etcdutl"];
    for tool in commands::all()
        .iter()
        .filter(|tool| !others.contains(&tool.name))
    {
        let node = match tool.name {
            "kubeadm" | "kubectl" => Node::release(tool.name, release),
            name => Node::binary(name),
        };
        put(t, &format!("/usr/bin/{}", tool.name), node);
    }
    for shell in ["bash", "dash"] {
        put(t, &format!("/usr/bin/{shell}"), Node::binary(shell));
    }
    link(t, "/usr/bin/sh", "dash");
    put(t, "/usr/sbin/sshd", Node::binary("sshd"));
    for (tool, script) in commands::COMPLETIONS {
        let file = format!("/usr/share/bash-completion/completions/{tool}");
        text(t, &file, *script, 0o644);
    }
    link(t, "/bin", "usr/bin");
    link(t, "/sbin", "usr/sbin");
    link(t, "/lib", "usr/lib");
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
";

const OS_RELEASE: &str = "PRETTY_NAME=\"Ubuntu 24.04.4 LTS\"
NAME=\"Ubuntu\"
VERSION_ID=\"24.04\"
VERSION=\"24.04.4 LTS (Noble Numbat)\"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
";

const BASHRC: &str = "PS1='\\u@\\h:\\w\\$ '
alias ll='ls -alF'
alias la='ls -A'
alias k=kubectl
complete -o default -F __start_kubectl k
";
