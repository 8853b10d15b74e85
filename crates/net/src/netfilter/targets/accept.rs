//! `-j ACCEPT`: the packet passes this table. Models iptables' standard target.

use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "ACCEPT",
    options: &[],
    build: |_| Ok(Rc::new(Accept)),
};

#[derive(Debug)]
struct Accept;

impl Action for Accept {
    fn name(&self) -> &'static str {
        "ACCEPT"
    }

    fn act(&self, _view: &mut View<'_>) -> Outcome {
        Outcome::Accept
    }
}
