//! Images that are little more than a distribution's files.

use machine::fs::Node;

use crate::definition::{Definition, Tags, Versions};
use crate::userland::{ALPINE_RELEASE, Userland, put, text, tools};

/// `docker.io/library/alpine`
pub(crate) static ALPINE: Definition = Definition {
    repository: "docker.io/library/alpine",
    tags: Tags {
        words: &["latest", "edge"],
        versions: &[Versions::of(3, 8..=23)],
        suffixes: &[],
    },
    userland: Userland::Alpine,
    cmd: &["/bin/sh"],
    ..Definition::PLAIN
};

/// `docker.io/curlimages/curl`
pub(crate) static CURL: Definition = Definition {
    repository: "docker.io/curlimages/curl",
    tags: Tags {
        words: &["latest"],
        versions: &[Versions::of(7, 70..=88), Versions::of(8, 0..=17)],
        suffixes: &[],
    },
    userland: Userland::Alpine,
    layers: &[("curl {tag}", 7_400_000)],
    entrypoint: &["curl"],
    files: |tree, _| tools(tree, "/usr/bin", &[&["curl"]]),
    ..Definition::PLAIN
};

/// `docker.io/library/debian`
pub(crate) static DEBIAN: Definition = Definition {
    repository: "docker.io/library/debian",
    tags: Tags {
        words: &[
            "latest",
            "stable",
            "stable-slim",
            "trixie",
            "trixie-slim",
            "bookworm",
            "bookworm-slim",
        ],
        versions: &[
            Versions::of(11, 0..=11),
            Versions::of(12, 0..=12),
            Versions::of(13, 0..=2),
        ],
        suffixes: &["slim"],
    },
    userland: Userland::Debian,
    layers: &[("debian {tag}", 19_400_000)],
    cmd: &["bash"],
    ..Definition::PLAIN
};

/// `registry.k8s.io/e2e-test-images/jessie-dnsutils`
pub(crate) static DNSUTILS: Definition = Definition {
    repository: "registry.k8s.io/e2e-test-images/jessie-dnsutils",
    tags: Tags {
        words: &[],
        versions: &[Versions::of(1, 0..=9)],
        suffixes: &[],
    },
    userland: Userland::Debian,
    layers: &[("dnsutils {tag}", 84_000_000)],
    cmd: &["sleep", "infinity"],
    files: |tree, _| tools(tree, "/usr/bin", &[&["dig", "host", "nslookup"]]),
    ..Definition::PLAIN
};

/// `docker.io/nicolaka/netshoot`: whatever one looks into a network with. It is an Alpine Linux whose
/// BusyBox has given way to the full tools, which are those of [`Userland::Debian`] here.
pub(crate) static NETSHOOT: Definition = Definition {
    repository: "docker.io/nicolaka/netshoot",
    tags: Tags {
        words: &["latest"],
        versions: &[Versions::of(0, 1..=14)],
        suffixes: &[],
    },
    userland: Userland::Debian,
    layers: &[("netshoot {tag}", 181_000_000)],
    cmd: &["zsh"],
    files: |tree, _| {
        tools(tree, "/usr/bin", &[&LOOKERS]);
        // Its shell is another; whoever opens it types the same.
        put(tree, "/usr/bin/zsh", Node::binary("bash"));
        text(tree, "/etc/os-release", ALPINE_RELEASE);
    },
    ..Definition::PLAIN
};

/// Tools to look into a network with, beyond BusyBox's.
const LOOKERS: [&str; 11] = [
    "conntrack",
    "curl",
    "dig",
    "host",
    "iptables",
    "iptables-save",
    "jq",
    "ss",
    "sysctl",
    "tcpdump",
    "vim",
];

/// `docker.io/library/ubuntu`
pub(crate) static UBUNTU: Definition = Definition {
    repository: "docker.io/library/ubuntu",
    tags: Tags {
        words: &[
            "latest", "rolling", "noble", "jammy", "focal", "24.04", "22.04", "20.04", "18.04",
        ],
        versions: &[],
        suffixes: &[],
    },
    userland: Userland::Debian,
    layers: &[("ubuntu {tag}", 1_200_000)],
    cmd: &["/bin/bash"],
    files: |tree, tag| {
        let (number, name) = match tag {
            "18.04" => ("18.04", "Bionic Beaver"),
            "20.04" | "focal" => ("20.04", "Focal Fossa"),
            "22.04" | "jammy" => ("22.04", "Jammy Jellyfish"),
            _ => ("24.04", "Noble Numbat"),
        };
        let release = format!(
            "PRETTY_NAME=\"Ubuntu {number} LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"{number}\"\n\
             VERSION=\"{number} LTS ({name})\"\nID=ubuntu\nID_LIKE=debian\n"
        );
        text(tree, "/etc/os-release", &release);
    },
    ..Definition::PLAIN
};
