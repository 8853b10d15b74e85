//! Servers whose protocol is not modelled: they listen where they should and answer as a web server
//! would.

use machine::fs::Node;

use crate::definition::{Definition, Tags, Versions};
use crate::stand_in::PROGRAM;
use crate::userland::{Userland, put};

/// `docker.io/library/httpd`
pub(crate) static HTTPD: Definition = Definition {
    repository: "docker.io/library/httpd",
    tags: Tags {
        words: &["latest", "alpine"],
        versions: &[Versions::of(2, 4..=4)],
        suffixes: &["alpine", "trixie", "bookworm"],
    },
    userland: Userland::Debian,
    layers: &[("httpd {tag}", 15_300_000)],
    cmd: &["httpd-foreground", "httpd", "80"],
    ports: &[80],
    stop_signal: "SIGTERM",
    files: |tree, _| {
        put(
            tree,
            "/usr/local/bin/httpd-foreground",
            Node::binary(PROGRAM),
        )
    },
    ..Definition::PLAIN
};
