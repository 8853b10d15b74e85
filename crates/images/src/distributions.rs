//! Images that are little more than a distribution's files.

use crate::definition::{Definition, Tags, Versions};
use crate::userland::Userland;

/// `docker.io/library/alpine`
pub(crate) static ALPINE: Definition = Definition {
    repository: "docker.io/library/alpine",
    tags: Tags {
        words: &["latest", "edge"],
        versions: &[Versions {
            major: 3,
            minors: 8..=23,
        }],
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
        versions: &[
            Versions {
                major: 7,
                minors: 70..=88,
            },
            Versions {
                major: 8,
                minors: 0..=17,
            },
        ],
        suffixes: &[],
    },
    userland: Userland::Alpine,
    layers: &[("curl {tag}", 7_400_000)],
    entrypoint: &["curl"],
    files: |tree, _| {
        if let Some(tool) = commands::all().iter().find(|tool| tool.name == "curl") {
            crate::userland::put(tree, "/usr/bin/curl", machine::fs::Node::binary(tool.name));
        }
    },
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
            Versions {
                major: 11,
                minors: 0..=11,
            },
            Versions {
                major: 12,
                minors: 0..=12,
            },
            Versions {
                major: 13,
                minors: 0..=2,
            },
        ],
        suffixes: &["slim"],
    },
    userland: Userland::Debian,
    layers: &[("debian {tag}", 19_400_000)],
    cmd: &["bash"],
    ..Definition::PLAIN
};

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
    ..Definition::PLAIN
};
