//! Who watches what, and telling them. A change costs the watchers whose resource, namespace, node
//! or name it concerns; one encoded event is shared by all who get it.
//!
//! Models apiserver/pkg/storage/cacher/{cacher,cache_watcher}.go.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::kinds::Kind;
use api::{Map, Measured, Str, Value, object};
use net::http::Body;
use sim::{Duration, Instant};

use crate::cache::{Change, Entry};
use crate::effect::{Action, Cx, StreamId};
use crate::fields::Filter;
use crate::list::shown;
use crate::resources::ResourceId;
use crate::table;

/// Those who want bookmarks get one this often.
const BOOKMARK_INTERVAL: Duration = Duration::from_secs(60);

/// In which shape a watcher wants objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// As they are.
    Object,
    /// Only their metadata.
    Metadata,
    /// As rows of a table.
    Table(table::Include),
}

/// A watcher.
#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    pub(crate) stream: StreamId,
    pub(crate) resource: ResourceId,
    /// Empty for all namespaces.
    pub(crate) namespace: Str,
    pub(crate) filter: Rc<Filter>,
    pub(crate) format: Format,
    pub(crate) bookmarks: bool,
    pub(crate) until: Instant,
    /// A table's column definitions go out with the first event only.
    pub(crate) columns_sent: bool,
}

/// All watchers.
#[derive(Clone, Debug)]
pub(crate) struct Watchers {
    all: BTreeMap<u64, Watcher>,
    by_stream: BTreeMap<StreamId, u64>,
    /// One index a resource, found by its number.
    index: Vec<Index>,
    timeouts: BTreeSet<(Instant, u64)>,
    next_id: u64,
    next_bookmark: Instant,
}

/// Where a watcher stands in the index of its resource: under the narrowest thing it asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Everything,
    Namespace(Str),
    Node(Str),
    /// The key of one object.
    One(Str),
}

type Index = BTreeMap<Place, Vec<u64>>;

/// What happened to an object, as one watcher sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Added,
    Modified,
    Deleted,
}

impl Happened {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Happened::Added => "ADDED",
            Happened::Modified => "MODIFIED",
            Happened::Deleted => "DELETED",
        }
    }
}

impl Watchers {
    pub(crate) fn new(now: Instant) -> Watchers {
        Watchers {
            all: BTreeMap::new(),
            by_stream: BTreeMap::new(),
            index: Vec::new(),
            timeouts: BTreeSet::new(),
            next_id: 1,
            next_bookmark: now + BOOKMARK_INTERVAL,
        }
    }

    /// Adds a watcher, which has been told already of everything up to now.
    pub(crate) fn add(&mut self, watcher: Watcher) {
        let id = self.next_id;
        self.next_id += 1;
        let at = watcher.resource.index();
        if self.index.len() <= at {
            self.index.resize(at + 1, Index::new());
        }
        self.index[at].entry(place(&watcher)).or_default().push(id);
        self.timeouts.insert((watcher.until, id));
        self.by_stream.insert(watcher.stream, id);
        self.all.insert(id, watcher);
    }

    fn remove(&mut self, id: u64) -> Option<Watcher> {
        let watcher = self.all.remove(&id)?;
        let index = &mut self.index[watcher.resource.index()];
        let place = place(&watcher);
        if let Some(ids) = index.get_mut(&place) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                index.remove(&place);
            }
        }
        self.timeouts.remove(&(watcher.until, id));
        self.by_stream.remove(&watcher.stream);
        Some(watcher)
    }

    /// The watcher on a stream is gone.
    pub(crate) fn remove_stream(&mut self, stream: StreamId) {
        if let Some(id) = self.by_stream.get(&stream) {
            self.remove(*id);
        }
    }

    /// All watchers on a connection are gone.
    pub(crate) fn remove_conn(&mut self, conn: u64) {
        let streams = StreamId { conn, stream: 0 }..=StreamId {
            conn,
            stream: u32::MAX,
        };
        let ids: Vec<u64> = self.by_stream.range(streams).map(|(_, id)| *id).collect();
        for id in ids {
            self.remove(id);
        }
    }

    /// Ends the watches of a resource.
    pub(crate) fn end_resource(&mut self, cx: &mut Cx<'_>, resource: ResourceId) {
        let of = |(id, watcher): (&u64, &Watcher)| (watcher.resource == resource).then_some(*id);
        let ids: Vec<u64> = self.all.iter().filter_map(of).collect();
        for watcher in ids.into_iter().filter_map(|id| self.remove(id)) {
            cx.act(Action::End(watcher.stream));
        }
    }

    /// Ends every watch.
    pub(crate) fn end_all(&mut self, cx: &mut Cx<'_>) {
        let ids: Vec<u64> = self.all.keys().copied().collect();
        for watcher in ids.into_iter().filter_map(|id| self.remove(id)) {
            cx.act(Action::End(watcher.stream));
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let timeout = self.timeouts.first().map(|(until, _)| *until)?;
        Some(timeout.min(self.next_bookmark))
    }

    /// Ends watches whose time is over, and sends bookmarks.
    pub(crate) fn on_timer(&mut self, cx: &mut Cx<'_>, revision: i64) {
        while let Some((until, id)) = self.timeouts.first().copied() {
            if until > cx.now {
                break;
            }
            if let Some(watcher) = self.remove(id) {
                cx.act(Action::End(watcher.stream));
            }
        }
        if self.next_bookmark <= cx.now {
            self.next_bookmark = cx.now + BOOKMARK_INTERVAL;
            for watcher in self.all.values().filter(|watcher| watcher.bookmarks) {
                let body = bookmark(watcher, revision, false);
                cx.act(Action::Data(watcher.stream, body));
            }
        }
    }

    /// Tells everyone whom a change concerns.
    pub(crate) fn tell(&mut self, cx: &mut Cx<'_>, resource: ResourceId, change: &Change) {
        let Some(index) = self
            .index
            .get(resource.index())
            .filter(|index| !index.is_empty())
        else {
            return;
        };
        let ids = concerned(index, change);
        let mut bodies = Bodies::new(change, cx.now);
        for id in ids {
            let Some(watcher) = self.all.get_mut(&id) else {
                continue;
            };
            // Who watches a node's pods may want those of one namespace alone.
            let namespace = &watcher.namespace;
            if !namespace.is_empty() && change.entry.value.namespace() != namespace.as_str() {
                continue;
            }
            if let Some(happened) = seen_by(&watcher.filter, change) {
                let kind = watcher.filter.kind;
                let body = bodies.get(kind, happened, watcher.format, watcher.columns_sent);
                watcher.columns_sent = true;
                cx.act(Action::Data(watcher.stream, body));
            }
        }
    }
}

/// The watchers that a change could concern, in the order in which they came.
fn concerned(index: &Index, change: &Change) -> Vec<u64> {
    let entry = &change.entry;
    let mut places = vec![Place::Everything, Place::One(entry.key.clone())];
    let node = |entry: &Entry| {
        entry
            .value
            .get("spec")
            .get("nodeName")
            .as_shared_str()
            .cloned()
    };
    if let Some(namespace) = entry.value.metadata().get("namespace").as_shared_str() {
        places.push(Place::Namespace(namespace.clone()));
    }
    let now = node(entry);
    let before = change
        .before
        .as_deref()
        .and_then(node)
        .filter(|node| Some(node) != now.as_ref());
    places.extend(now.into_iter().chain(before).map(Place::Node));
    let mut ids: Vec<u64> = places
        .iter()
        .filter_map(|place| index.get(place))
        .flatten()
        .copied()
        .collect();
    ids.sort_unstable();
    ids
}

fn place(watcher: &Watcher) -> Place {
    let fields = &watcher.filter.fields;
    let namespace = &watcher.namespace;
    match (fields.exact("metadata.name"), fields.exact("spec.nodeName")) {
        // The name alone does not say which key.
        (Some(_), _) if namespace.is_empty() && watcher.filter.kind.namespaced => Place::Everything,
        (Some(name), _) if namespace.is_empty() => Place::One(name.into()),
        (Some(name), _) => Place::One(format!("{namespace}/{name}").into()),
        (None, Some(node)) => Place::Node(node.into()),
        (None, None) if namespace.is_empty() => Place::Everything,
        (None, None) => Place::Namespace(namespace.clone()),
    }
}

/// What a change is to a watcher with this filter: an object that comes to match is added for it,
/// one that ceases to match is deleted.
pub(crate) fn seen_by(filter: &Filter, change: &Change) -> Option<Happened> {
    let now = !change.deleted && filter.matches(&change.entry.value);
    let before = change
        .before
        .as_ref()
        .is_some_and(|before| filter.matches(&before.value));
    match (before, now) {
        (false, true) => Some(Happened::Added),
        (true, true) => Some(Happened::Modified),
        (true, false) => Some(Happened::Deleted),
        (false, false) => None,
    }
}

/// The encoded events of one change, each made when first asked for.
pub(crate) struct Bodies<'a> {
    change: &'a Change,
    now: Instant,
    made: Vec<(Shape, Body)>,
}

/// What makes two watchers' events differ.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    kind: &'static Kind,
    happened: Happened,
    format: Format,
    columns_sent: bool,
}

impl<'a> Bodies<'a> {
    pub(crate) fn new(change: &'a Change, now: Instant) -> Self {
        Bodies {
            change,
            now,
            made: Vec::new(),
        }
    }

    pub(crate) fn get(
        &mut self,
        kind: &'static Kind,
        happened: Happened,
        format: Format,
        columns_sent: bool,
    ) -> Body {
        let columns_sent = columns_sent || !matches!(format, Format::Table(_));
        let shape = Shape {
            kind,
            happened,
            format,
            columns_sent,
        };
        if let Some((_, body)) = self.made.iter().find(|(made, _)| *made == shape) {
            return body.clone();
        }
        // Who sees an object go because it no longer matches is shown what it was.
        let was = match (&self.change.before, happened) {
            (Some(before), Happened::Deleted) if !self.change.deleted => {
                Some(before.at(self.change.entry.revision))
            }
            _ => None,
        };
        let entry = was.as_ref().unwrap_or(&self.change.entry);
        let body = event(kind, happened, entry, format, columns_sent, self.now);
        self.made.push((shape, body.clone()));
        body
    }
}

/// An event of a watch.
pub(crate) fn event(
    kind: &'static Kind,
    happened: Happened,
    entry: &Entry,
    format: Format,
    columns_sent: bool,
    now: Instant,
) -> Body {
    let (value, len) = match format {
        Format::Object if !kind.is_view() => (entry.value.clone(), Some(entry.len)),
        Format::Object => (shown(kind, &entry.value), None),
        Format::Metadata => (table::partial_metadata(&entry.value), None),
        Format::Table(include) => {
            let object = shown(kind, &entry.value);
            (
                table::of_one(kind, &object, include, !columns_sent, now),
                None,
            )
        }
    };
    line(happened.name(), value, len)
}

/// A bookmark: how far the watch has come. The one that ends the initial events says so.
pub(crate) fn bookmark(watcher: &Watcher, revision: i64, initial_end: bool) -> Body {
    let kind = watcher.filter.kind;
    let mut value = object! {
        "kind": kind.kind,
        "apiVersion": kind.api_version(),
        "metadata": { "resourceVersion": revision.to_string() },
    };
    if initial_end {
        value.set_annotation("k8s.io/initial-events-end", "true");
    }
    match watcher.format {
        Format::Object => {}
        Format::Metadata => value = table::partial_metadata(&value),
        Format::Table(_) => value = table::bookmark(&value),
    }
    line("BOOKMARK", value, None)
}

/// The event that ends a watch with an error.
pub(crate) fn error_event(status: Value) -> Body {
    line("ERROR", status, None)
}

fn line(name: &'static str, value: Value, len: Option<u64>) -> Body {
    let len = len.unwrap_or_else(|| value.json_len() as u64);
    let event = Value::Map(Map::from_entries(vec![
        (Str::from("object"), value),
        (Str::from("type"), Value::from(name)),
    ]));
    // {"object":…,"type":"…"}
    let len = len + 21 + name.len() as u64;
    Body::shared(Rc::new(Measured::with_len(event, len).line()))
}
