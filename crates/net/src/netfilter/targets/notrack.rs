//! `-j NOTRACK`: the packet's connection is not tracked. Models extensions/libxt_CT.c (notrack).

use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::table::TableName;
use crate::netfilter::view::View;

pub(super) static KIND: TargetKind = TargetKind {
    name: "NOTRACK",
    options: &[],
    build: |_| Ok(Rc::new(NoTrack)),
};

#[derive(Debug)]
struct NoTrack;

impl Action for NoTrack {
    fn name(&self) -> &'static str {
        "NOTRACK"
    }

    fn act(&self, _view: &mut View<'_>) -> Outcome {
        Outcome::NoTrack
    }

    fn table(&self) -> Option<TableName> {
        Some(TableName::Raw)
    }
}
