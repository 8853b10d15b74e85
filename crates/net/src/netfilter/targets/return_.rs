//! `-j RETURN`: back to the calling chain, or the policy. Models iptables' standard target.

use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "RETURN",
    options: &[],
    build: |_| Ok(Rc::new(Return)),
};

#[derive(Debug)]
struct Return;

impl Action for Return {
    fn name(&self) -> &'static str {
        "RETURN"
    }

    fn act(&self, _view: &mut View<'_>) -> Outcome {
        Outcome::Return
    }
}
