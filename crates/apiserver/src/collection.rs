//! Deleting a whole collection: many deletions, one answer.
//!
//! Models DeleteCollection of apiserver/pkg/registry/generic/registry/store.go.

use std::collections::BTreeMap;

use api::kinds::Kind;
use api::status::Reason;
use api::{Status, Value, object};

use crate::cache::in_namespace;
use crate::delete::DeleteOptions;
use crate::effect::{Action, Cx, StreamId};
use crate::fields::Filter;
use crate::list::shown;
use crate::reply::{self, Accept};
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, Origin, Write};

/// The deletions of collections under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collections {
    open: BTreeMap<u64, Open>,
    next: u64,
}

#[derive(Clone, Debug)]
struct Open {
    to: StreamId,
    accept: Accept,
    kind: &'static Kind,
    /// Deletions that are not done yet.
    left: usize,
    items: Vec<Value>,
    failure: Option<Status>,
}

impl ApiServer {
    /// A client wants a collection deleted.
    pub(crate) fn begin_delete_collection(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let options = DeleteOptions::of(ask)?;
        let filter = Filter::of(kind, &ask.query, "")?;
        let objects = self.resources.get(resource).cache.objects();
        let chosen: Vec<Value> = in_namespace(objects, &ask.info.namespace, "")
            .filter(|entry| filter.matches(&entry.value))
            .map(|entry| entry.value.clone())
            .collect();
        let id = self.collections.next;
        self.collections.next += 1;
        let open = Open {
            to: ask.from,
            accept: ask.accept,
            kind,
            left: chosen.len(),
            items: chosen.iter().map(|value| shown(kind, value)).collect(),
            failure: None,
        };
        self.collections.open.insert(id, open);
        if chosen.is_empty() {
            self.collection_done(cx, id);
        }
        for object in chosen {
            let mut write = Write::of(cx, ask, kind, resource, Deed::Delete(options.clone()));
            write.origin = Origin::Collection(id);
            write.namespace = object.namespace().into();
            write.name = object.name().into();
            write.dry_run |= options.dry_run;
            let cause = cx.cause;
            self.attempt(cx, write);
            cx.cause = cause;
        }
        Ok(())
    }

    /// One of a collection's deletions is done.
    pub(crate) fn one_deleted(
        &mut self,
        cx: &mut Cx<'_>,
        id: u64,
        result: Result<(u16, Value), Status>,
    ) {
        let Some(open) = self.collections.open.get_mut(&id) else {
            return;
        };
        open.left -= 1;
        match result {
            // Who is gone already is as good as deleted.
            Err(status) if !status.is(Reason::NotFound) => open.failure = Some(status),
            _ => {}
        }
        if open.left == 0 {
            self.collection_done(cx, id);
        }
    }

    fn collection_done(&mut self, cx: &mut Cx<'_>, id: u64) {
        let Some(open) = self.collections.open.remove(&id) else {
            return;
        };
        let response = match open.failure {
            Some(status) => reply::status(&status, open.accept),
            None => {
                let list = object! {
                    "kind": open.kind.list_kind(),
                    "apiVersion": open.kind.api_version(),
                    "metadata": { "resourceVersion": self.backend.revision.to_string() },
                    "items": Value::list_of(open.items),
                };
                reply::object(200, &list, open.accept)
            }
        };
        cx.act(Action::Respond(open.to, response));
    }
}
