//! Watches: who is told of which changes. The server keeps them; a watch knows no connection.
//!
//! Models server/storage/mvcc/{watchable_store,watcher_group}.go and the Watch messages.

use std::any::Any;
use std::rc::Rc;

use net::Shared;

use crate::kv::{Event, EventKind, Keys};
use crate::wire::Header;

/// What a client says on a watch stream.
#[derive(Clone, Debug)]
pub enum WatchRequest {
    /// Begin a watch.
    Create(Watch),
    /// End it.
    Cancel(i64),
    /// Ask how far the stream has come.
    Progress,
}

/// What to watch.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Its number on the stream; 0 lets the server choose.
    pub id: i64,
    /// Which keys.
    pub keys: Keys,
    /// The first revision to tell of; 0 for whatever comes next.
    pub start_revision: i64,
    /// Whether events carry the pair before.
    pub prev_kv: bool,
    /// Whether to say now and then how far a quiet watch has come.
    pub progress_notify: bool,
    /// Leave writes out.
    pub no_put: bool,
    /// Leave deletions out.
    pub no_delete: bool,
}

impl Watch {
    /// A watch of the keys from a revision on.
    pub fn of(id: i64, keys: Keys, start_revision: i64) -> Watch {
        Watch {
            id,
            keys,
            start_revision,
            prev_kv: false,
            progress_notify: false,
            no_put: false,
            no_delete: false,
        }
    }

    /// Whether the watch wants to know of the event.
    pub fn wants(&self, event: &Event) -> bool {
        let kind = match event.kind {
            EventKind::Put => !self.no_put,
            EventKind::Delete => !self.no_delete,
        };
        kind && event.kv.mod_revision >= self.start_revision && self.keys.contains(&event.kv.key)
    }

    /// The event as this watch is told of it.
    pub(crate) fn told(&self, event: &Event) -> Event {
        Event {
            prev: event.prev.clone().filter(|_| self.prev_kv),
            ..event.clone()
        }
    }
}

/// What the server says on a watch stream.
#[derive(Clone, Debug)]
pub struct WatchResponse {
    /// The state of the key space; with no events it is the progress of the watch.
    pub header: Header,
    /// Which watch; -1 where all of the stream are meant.
    pub watch_id: i64,
    /// The watch has begun.
    pub created: bool,
    /// The watch has ended.
    pub canceled: bool,
    /// Where not 0, the watch asked for a revision before this one, which is compacted away.
    pub compact_revision: i64,
    /// Why it ended.
    pub cancel_reason: &'static str,
    /// What happened, whole revisions at a time, oldest first.
    pub events: Rc<[Event]>,
}

impl Shared for WatchRequest {
    fn size(&self) -> u64 {
        48
    }

    fn bytes(&self) -> Vec<u8> {
        format!("{self:?}").into_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Shared for WatchResponse {
    fn size(&self) -> u64 {
        let pair = |event: &Event| {
            event.kv.stored_size() + event.prev.as_ref().map_or(0, |kv| kv.stored_size())
        };
        32 + self.events.iter().map(pair).sum::<u64>()
    }

    fn bytes(&self) -> Vec<u8> {
        format!("{self:?}").into_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
