//! A program that takes memory until it has what it was told to take, or the kernel ends it.

use machine::fs::Node;
use machine::{Fd, Poll, Program, Signal, Sys, Wake};
use sim::Duration;

use crate::definition::{Definition, Tags, Versions};
use crate::userland::{Userland, put};

/// `docker.io/polinux/stress`
pub(crate) static IMAGE: Definition = Definition {
    repository: "docker.io/polinux/stress",
    tags: Tags {
        words: &["latest"],
        versions: &[Versions::of(1, 0..=1)],
        suffixes: &[],
    },
    userland: Userland::Alpine,
    layers: &[("stress", 470_000)],
    cmd: &["stress"],
    files: |tree, _| put(tree, "/usr/local/bin/stress", Node::binary("stress")),
    programs: &[("stress", || Box::new(Stress))],
    ..Definition::PLAIN
};

/// Where a container sees its memory limit, and what the limit led to.
const LIMIT: &str = "/sys/fs/cgroup/memory.max";
const EVENTS: &str = "/sys/fs/cgroup/memory.events";

/// The program. Memory is not modelled: what it asks for is compared with the limit, and the rest
/// is what the kernel would do.
#[derive(Clone, Debug)]
struct Stress;

impl Program for Stress {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => {
                let args = sys.args();
                let value = |name: &str| {
                    let at = args.iter().position(|arg| &**arg == name)?;
                    args.get(at + 1).and_then(|text| bytes(text))
                };
                let wanted = value("--vm").or_else(|| value("-m")).unwrap_or(0)
                    * value("--vm-bytes").unwrap_or(256 << 20);
                let pid = sys.pid();
                let line =
                    format!("stress: info: [{pid}] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd\n");
                let _ = sys.write(Fd::STDOUT, line.as_bytes());
                let limit = sys
                    .read_to_string(LIMIT)
                    .ok()
                    .and_then(|text| text.trim().parse().ok());
                if limit.is_some_and(|limit: u64| wanted > limit) {
                    // The kernel's part: it counts, and ends the process.
                    let _ = sys.write_file(EVENTS, b"low 0\nhigh 0\nmax 1\noom 1\noom_kill 1\n");
                    let _ = sys.kill(pid, Signal::Kill);
                    return Poll::Pending;
                }
                if let Some(secs) = value("--timeout").or_else(|| value("-t")) {
                    sys.timer(Duration::from_secs(secs));
                }
                Poll::Pending
            }
            Wake::Timer(_) => Poll::Exit(0),
            Wake::Signal(_) => Poll::Exit(1),
            _ => Poll::Pending,
        }
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn handles(&self, signal: Signal) -> bool {
        matches!(signal, Signal::Term | Signal::Int)
    }
}

/// `250M`, `1G`, `10s`: a number with a unit.
fn bytes(text: &str) -> Option<u64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    Some(match text[end..].to_ascii_lowercase().as_str() {
        "k" => number << 10,
        "m" => number << 20,
        "g" => number << 30,
        _ => number,
    })
}
