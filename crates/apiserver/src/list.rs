//! Reading: one object, or a list by selectors, in pages, of now or of a moment ago.
//!
//! Models apiserver/pkg/endpoints/handlers/get.go and the list side of storage/cacher.

use std::rc::Rc;

use api::kinds::Kind;
use api::{FieldError, Map, Measured, Status, Str, Value, base64, object, status};
use net::http::Response;

use crate::cache::{Entry, Objects, in_namespace};
use crate::effect::{Action, Cx};
use crate::fields::Filter;
use crate::reply::{self, Transform};
use crate::request::Query;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::table;
use crate::write::deprecated;

/// The object as clients of this kind see it: in another version's shape where that is a view.
pub(crate) fn shown(kind: &Kind, stored: &Value) -> Value {
    kind.load(stored)
}

/// The key of an object in the caches.
pub(crate) fn key_of(namespace: &str, name: &str) -> Str {
    match namespace {
        "" => Str::from(name),
        namespace => Str::from(format!("{namespace}/{name}")),
    }
}

impl ApiServer {
    /// The object a request names, if it is there.
    pub(crate) fn find(
        &self,
        resource: ResourceId,
        kind: &Kind,
        namespace: &str,
        name: &str,
    ) -> Result<&Rc<Entry>, Status> {
        let namespace = if kind.namespaced { namespace } else { "" };
        let cache = &self.resources.get(resource).cache;
        let found = cache.get(&key_of(namespace, name));
        found.ok_or_else(|| status::not_found(kind.group, kind.plural, name))
    }

    /// Answers a get.
    pub(crate) fn get(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let info = &ask.info;
        if info.name.is_empty() {
            return Err(status::bad_request("resource name may not be empty"));
        }
        let entry = self.find(resource, kind, &info.namespace, &info.name)?;
        let mut response = if ask.accept.transform == Transform::None && !kind.is_view() {
            reply::entry(200, entry, ask.accept)
        } else {
            let object = shown(kind, &entry.value);
            one(cx, kind, &object, ask)
        };
        warn_deprecated(&mut response, kind);
        cx.act(Action::Respond(ask.from, response));
        Ok(())
    }

    /// Answers a list.
    pub(crate) fn list(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let query = &ask.query;
        check_options(query)?;
        let filter = Filter::of(kind, query, &ask.info.name)?;
        let page = self.page_of(resource, &ask.info.namespace, &filter, query)?;
        let mut response = match ask.accept.transform {
            Transform::Table => {
                let shown: Vec<Value> = page
                    .entries
                    .iter()
                    .map(|entry| shown(kind, &entry.value))
                    .collect();
                let table = table::of(
                    kind,
                    shown.iter(),
                    page.metadata,
                    ask.accept.include,
                    true,
                    cx.now,
                );
                reply::object(200, &table, ask.accept)
            }
            Transform::MetadataList | Transform::Metadata => {
                let items: Vec<Value> = page
                    .entries
                    .iter()
                    .map(|entry| table::partial_metadata(&entry.value))
                    .collect();
                let list = object! {
                    "kind": "PartialObjectMetadataList",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": page.metadata,
                    "items": Value::list_of(items),
                };
                reply::object(200, &list, ask.accept)
            }
            Transform::None | Transform::Discovery | Transform::BetaDiscovery => {
                full_list(kind, &page, ask)
            }
        };
        warn_deprecated(&mut response, kind);
        cx.act(Action::Respond(ask.from, response));
        Ok(())
    }

    /// The entries of one page and the list's metadata.
    fn page_of(
        &self,
        resource: ResourceId,
        namespace: &str,
        filter: &Filter,
        query: &Query,
    ) -> Result<Page, Status> {
        let cache = &self.resources.get(resource).cache;
        let now = self.backend.revision;
        let mut after = String::new();
        let mut revision = now;
        let past: Objects;
        let mut objects = cache.objects();
        if !query.continue_token.is_empty() {
            let token = Token::read(&query.continue_token)
                .ok_or_else(|| status::bad_request("continue key is not valid"))?;
            after = match namespace {
                "" => token.start,
                namespace => format!("{namespace}/{}", token.start),
            };
            if token.revision >= 0 {
                revision = token.revision;
                // Lists that go on are etcd's to answer, which forgets more than the cache.
                past = cache
                    .at(revision)
                    .filter(|_| revision > self.backend.compacted)
                    .ok_or_else(|| token_expired(namespace, &after))?;
                objects = &past;
            }
        } else if !query.resource_version.is_empty() && query.resource_version != "0" {
            let asked = version(&query.resource_version)?;
            if asked > now {
                return Err(too_large(asked, now));
            }
            if query.resource_version_match == "Exact" {
                let expired =
                    || status::expired("The resourceVersion for the provided list is too old.");
                let known = cache.at(asked);
                past = known
                    .filter(|_| asked > self.backend.compacted)
                    .ok_or_else(expired)?;
                objects = &past;
                revision = asked;
            }
        }
        let limit = match query.limit {
            0 => usize::MAX,
            // A list from the cache at any version comes whole.
            _ if query.resource_version == "0" => usize::MAX,
            limit => limit,
        };
        Ok(collect(objects, namespace, &after, filter, limit, revision))
    }
}

struct Page {
    entries: Vec<Rc<Entry>>,
    metadata: Value,
}

fn collect(
    objects: &Objects,
    namespace: &str,
    after: &str,
    filter: &Filter,
    limit: usize,
    revision: i64,
) -> Page {
    let mut entries = Vec::new();
    let mut rest = in_namespace(objects, namespace, after);
    let everything = filter.is_everything();
    let mut next = None;
    for entry in rest.by_ref() {
        if everything || filter.matches(&entry.value) {
            if entries.len() == limit {
                next = Some(entry);
                break;
            }
            entries.push(entry.clone());
        }
    }
    let mut metadata = object! { "resourceVersion": revision.to_string() };
    if next.is_some()
        && let Some(last) = entries.last()
    {
        metadata.set(
            "continue",
            Token {
                revision,
                start: last.key.to_string(),
            }
            .write(namespace),
        );
        if everything {
            metadata.set("remainingItemCount", rest.count() as i64 + 1);
        }
    }
    Page { entries, metadata }
}

/// A list of whole objects, measured from what its items are known to measure.
fn full_list(kind: &Kind, page: &Page, ask: &Ask) -> Response {
    let items: Vec<Value> = page
        .entries
        .iter()
        .map(|entry| shown(kind, &entry.value))
        .collect();
    let items_len: u64 = page.entries.iter().map(|entry| entry.len + 1).sum();
    let no_items = items.is_empty();
    let mut head = object! {
        "kind": kind.list_kind(),
        "apiVersion": kind.api_version(),
        "metadata": page.metadata.clone(),
        "items": Value::list_of(Vec::new()),
    };
    let head_len = head.json_len() as u64;
    let Value::Map(map) = &mut head else {
        return reply::object(200, &head, ask.accept);
    };
    let map: &mut Map = map;
    map.insert("items", Value::list_of(items));
    if kind.is_view() || ask.accept.is_for_people() {
        return reply::object(200, &head, ask.accept);
    }
    let len = head_len + items_len - u64::from(!no_items);
    reply::measured(200, Measured::with_len(head, len))
}

/// One object in the form that was asked for.
pub(crate) fn one(cx: &Cx<'_>, kind: &Kind, object: &Value, ask: &Ask) -> Response {
    match ask.accept.transform {
        Transform::Table => {
            let table = table::of_one(kind, object, ask.accept.include, true, cx.now);
            reply::object(200, &table, ask.accept)
        }
        Transform::Metadata | Transform::MetadataList => {
            reply::object(200, &table::partial_metadata(object), ask.accept)
        }
        Transform::None | Transform::Discovery | Transform::BetaDiscovery => {
            reply::object(200, object, ask.accept)
        }
    }
}

/// Answers about a deprecated kind say so.
pub(crate) fn warn_deprecated(response: &mut Response, kind: &Kind) {
    reply::warn(response, &deprecated(kind));
}

/// A resource version as a number.
pub(crate) fn version(text: &str) -> Result<i64, Status> {
    text.parse()
        .ok()
        .filter(|version| *version >= 0)
        .ok_or_else(|| {
            let why = format!("strconv.ParseUint: parsing {text:?}: invalid syntax");
            let error = FieldError::invalid("resourceVersion", text, why);
            status::bad_request(error.to_string())
        })
}

fn too_large(asked: i64, now: i64) -> Status {
    let mut status = status::timeout(
        &format!("Too large resource version: {asked}, current: {now}"),
        1,
    );
    status = status.causes(vec![object! {
        "reason": "ResourceVersionTooLarge",
        "message": "Too large resource version",
    }]);
    status
}

/// Refuses combinations of options that make no sense.
fn check_options(query: &Query) -> Result<(), Status> {
    let mut errors = Vec::new();
    let path = "resourceVersionMatch";
    match query.resource_version_match.as_str() {
        "" => {}
        _ if !query.continue_token.is_empty() => errors.push(FieldError::forbidden(
            path,
            "resourceVersionMatch is forbidden when continue is provided",
        )),
        _ if query.resource_version.is_empty() => errors.push(FieldError::forbidden(
            path,
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        )),
        "Exact" if query.resource_version == "0" => errors.push(FieldError::forbidden(
            path,
            "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        )),
        "Exact" | "NotOlderThan" => {}
        other => errors.push(FieldError::not_supported(
            path,
            other,
            &["Exact", "NotOlderThan"],
        )),
    }
    if query.send_initial_events.is_some() {
        errors.push(FieldError::forbidden(
            "sendInitialEvents",
            "sendInitialEvents is forbidden for list",
        ));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(status::invalid("meta.k8s.io", "ListOptions", "", &errors))
}

/// Where a list in pages goes on: the revision of the first page, and the last key that was given,
/// below the namespace's prefix. A revision of -1 goes on with what is there now.
struct Token {
    revision: i64,
    start: String,
}

impl Token {
    fn write(&self, namespace: &str) -> String {
        let start = match namespace {
            "" => self.start.as_str(),
            namespace => self
                .start
                .strip_prefix(namespace)
                .map_or("", |rest| &rest[1..]),
        };
        let token = object! {
            "v": "meta.k8s.io/v1",
            "rv": self.revision,
            "start": format!("/{start}\0"),
        };
        base64::encode(token.to_json().as_bytes())
            .replace('+', "-")
            .replace('/', "_")
            .trim_end_matches('=')
            .to_owned()
    }

    fn read(text: &str) -> Option<Token> {
        let mut text = text.replace('-', "+").replace('_', "/");
        while !text.len().is_multiple_of(4) {
            text.push('=');
        }
        let token = Value::from_json(&base64::decode(&text).ok()?).ok()?;
        let start = token
            .str("start")
            .strip_prefix('/')?
            .trim_end_matches('\0')
            .to_owned();
        (token.str("v") == "meta.k8s.io/v1").then_some(())?;
        Some(Token {
            revision: token.i64_at("rv")?,
            start,
        })
    }
}

fn token_expired(namespace: &str, after: &str) -> Status {
    let mut status = status::expired(
        "The provided continue parameter is too old to display a consistent list result. You can \
         start a new list without the continue parameter, or use the continue token in this \
         response to retrieve the remainder of the results. Continuing with the provided token \
         results in an inconsistent list - objects that were created, modified, or deleted between \
         the time the first chunk was returned and now may show up in the list.",
    );
    let token = Token {
        revision: -1,
        start: after.to_owned(),
    };
    status.details.set("continue", token.write(namespace));
    status
}
