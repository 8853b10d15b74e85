//! Beginning a watch: what is told at once, and from where on the watcher hears of changes.
//!
//! Models apiserver/pkg/endpoints/handlers/watch.go and the beginning of storage/cacher's watches.

use std::rc::Rc;

use api::kinds::Kind;
use api::{FieldError, Status, Str, status};
use net::http::{Body, Response};
use sim::Duration;

use crate::cache::in_namespace;
use crate::effect::{Action, Cx};
use crate::fields::Filter;
use crate::list::{version, warn_deprecated};
use crate::reply::Transform;
use crate::request::Query;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::watchers::{Bodies, Format, Happened, Watcher, bookmark, error_event, event, seen_by};

/// A watch that asks for no time of its own lasts at least this long, and up to twice as long.
const MIN_TIMEOUT_SECS: u64 = 1800;

impl ApiServer {
    /// Begins a watch.
    pub(crate) fn watch(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let query = &ask.query;
        check_options(query)?;
        let filter = Filter::of(kind, query, &ask.info.name)?;
        let from = match query.resource_version.as_str() {
            "" | "0" => None,
            text => Some(version(text)?),
        };
        let secs = match query.timeout_secs {
            0 => MIN_TIMEOUT_SECS + self.random.below(MIN_TIMEOUT_SECS),
            secs => secs,
        };
        let mut watcher = Watcher {
            stream: ask.from,
            resource,
            namespace: Str::from(ask.info.namespace.as_str()),
            filter: Rc::new(filter),
            format: match ask.accept.transform {
                Transform::Table => Format::Table(ask.accept.include),
                Transform::Metadata | Transform::MetadataList => Format::Metadata,
                Transform::None | Transform::Discovery | Transform::BetaDiscovery => Format::Object,
            },
            bookmarks: query.allow_bookmarks,
            until: cx.now + Duration::from_secs(secs),
            columns_sent: false,
        };
        let mut response =
            Response::new(200, Body::Empty).with_header("Content-Type", "application/json");
        warn_deprecated(&mut response, kind);
        cx.act(Action::Respond(ask.from, response.streaming()));
        let told = match (query.send_initial_events, from) {
            (Some(true), _) | (None, None) => self.tell_all(cx, &mut watcher),
            (_, Some(from)) => self.tell_since(cx, &mut watcher, from),
            (Some(false), None) => Ok(()),
        };
        if let Err(status) = told {
            // Once a watch has begun, what goes wrong is an event of it.
            cx.act(Action::Data(ask.from, error_event(status.to_value())));
            cx.act(Action::End(ask.from));
            return Ok(());
        }
        if query.send_initial_events == Some(true) && query.allow_bookmarks {
            let body = bookmark(&watcher, self.backend.revision, true);
            cx.act(Action::Data(ask.from, body));
        }
        self.watchers.add(watcher);
        Ok(())
    }

    /// Everything there is, as added.
    fn tell_all(&self, cx: &mut Cx<'_>, watcher: &mut Watcher) -> Result<(), Status> {
        let cache = &self.resources.get(watcher.resource).cache;
        for entry in in_namespace(cache.objects(), &watcher.namespace, "") {
            if watcher.filter.matches(&entry.value) {
                let kind = watcher.filter.kind;
                let sent = std::mem::replace(&mut watcher.columns_sent, true);
                let body = event(kind, Happened::Added, entry, watcher.format, sent, cx.now);
                cx.act(Action::Data(watcher.stream, body));
            }
        }
        Ok(())
    }

    /// What happened after a revision.
    fn tell_since(&self, cx: &mut Cx<'_>, watcher: &mut Watcher, from: i64) -> Result<(), Status> {
        let cache = &self.resources.get(watcher.resource).cache;
        let forgotten = cache.forgotten();
        // A revision still to come is one of a state that etcd was restored from: it is as useless
        // as one that is too old.
        let changes = cache.since(from).filter(|_| from <= self.backend.revision);
        let Some(changes) = changes else {
            return Err(status::too_old(
                from.cast_unsigned(),
                forgotten.cast_unsigned(),
            ));
        };
        let prefix = format!("{}/", watcher.namespace);
        for change in changes {
            if !watcher.namespace.is_empty() && !change.entry.key.starts_with(&prefix) {
                continue;
            }
            if let Some(happened) = seen_by(&watcher.filter, change) {
                let mut bodies = Bodies::new(change, cx.now);
                let kind = watcher.filter.kind;
                let body = bodies.get(kind, happened, watcher.format, watcher.columns_sent);
                watcher.columns_sent = true;
                cx.act(Action::Data(watcher.stream, body));
            }
        }
        Ok(())
    }

    /// Ends all watches: what they knew of revisions no longer holds.
    pub(crate) fn end_all_watches(&mut self, cx: &mut Cx<'_>) {
        self.watchers.end_all(cx);
    }
}

/// Refuses combinations of options that make no sense.
fn check_options(query: &Query) -> Result<(), Status> {
    let error = match (
        query.send_initial_events,
        query.resource_version_match.as_str(),
    ) {
        (None, "") | (Some(_), "NotOlderThan") => return Ok(()),
        (None, _) => FieldError::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
        (Some(_), "") => FieldError::forbidden(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (Some(_), other) => {
            FieldError::not_supported("resourceVersionMatch", other, &["NotOlderThan"])
        }
    };
    Err(status::invalid("meta.k8s.io", "ListOptions", "", &[error]))
}
