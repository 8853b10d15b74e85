//! The image of the process that holds a pod's namespaces. Models build/pause/linux/pause.c.

use machine::fs::Node;
use machine::{Poll, Program, Signal, Sys, Wake};

use crate::definition::{Definition, Tags, Versions};
use crate::userland::put;

/// `registry.k8s.io/pause`
pub(crate) static IMAGE: Definition = Definition {
    repository: "registry.k8s.io/pause",
    tags: Tags {
        words: &[],
        versions: &[Versions::of(3, 1..=10)],
        suffixes: &[],
    },
    layers: &[("pause {tag}", 318_731)],
    entrypoint: &["/pause"],
    user: Some(65_535),
    files: |tree, _| put(tree, "/pause", Node::binary("pause")),
    programs: &[("pause", || Box::new(Pause))],
    ..Definition::PLAIN
};

/// Sleeps until it is told to end; buries the orphans of its namespace.
#[derive(Clone, Debug)]
struct Pause;

impl Program for Pause {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Signal(Signal::Term | Signal::Int) => Poll::Exit(0),
            Wake::Child { pid, .. } => {
                sys.try_wait(pid);
                Poll::Pending
            }
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
