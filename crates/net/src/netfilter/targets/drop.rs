//! `-j DROP`: the packet vanishes. Models iptables' standard target.

use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "DROP",
    options: &[],
    build: |_| Ok(Rc::new(Drop)),
};

#[derive(Debug)]
struct Drop;

impl Action for Drop {
    fn name(&self) -> &'static str {
        "DROP"
    }

    fn act(&self, _view: &mut View<'_>) -> Outcome {
        Outcome::Drop
    }
}
