//! Server-side apply: a configuration is laid over the object, what its manager applied before and
//! does not apply any more goes, and fields that others manage are not changed unless forced.
//!
//! Models structured-merge-diff's merge/update.go and
//! apimachinery/pkg/util/managedfields/internal/{lastappliedmanager,lastappliedupdater}.go.

use super::compare::{set_of as fields_of, with_named_fields};
use super::conflict::{conflicts, refusal};
use super::entries::{list_of, set_of, with_set};
use super::merge::{merged, without};
use super::set::{difference, intersection, stripped, union, without_trees};
use super::update::{Diffs, touched};
use super::{Write, check, update};
use crate::{Map, Status, Value, object, status};

/// Where kubectl keeps the configuration that was applied last by a client.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The manager that looks after this annotation.
const KUBECTL: &str = "kubectl";
/// Who manages what was there before anything was tracked.
const BEFORE: &str = "before-first-apply";

/// Applies a configuration to an object, `None` if there is none yet. Both have the shape of the
/// request's version. The result has its `managedFields`, but is yet to be decoded: fields that were
/// taken out are null.
pub fn apply(
    write: &Write<'_>,
    live: Option<&Value>,
    config: &Value,
    force: bool,
) -> Result<Value, Box<Status>> {
    let refuse = |why: &str| Err(Box::new(status::bad_request(why)));
    if config.api_version() != write.api_version {
        let (given, wanted) = (config.api_version(), write.api_version);
        return refuse(&format!(
            "Incorrect version specified in apply patch. Specified patch version: {given}, \
             expected: {wanted}"
        ));
    }
    if !config.at("metadata.managedFields").is_null() {
        return refuse("metadata.managedFields must be nil");
    }
    let wrong = check::errors(write.schemas, write.node, config);
    if !wrong.is_empty() {
        let why = format!(
            "failed to create typed patch object ({}): {wrong}",
            who(config)
        );
        return Err(Box::new(Status::new(500, status::Reason::Unknown, why)));
    }
    let zero;
    let live = match live {
        Some(live) => live,
        None => {
            zero = write.zero();
            &zero
        }
    };
    let untracked = live.at("metadata.managedFields").list().is_empty();
    let before;
    let source = if untracked && !live.uid().is_empty() {
        let first = Write {
            manager: BEFORE,
            ..*write
        };
        before = update(&first, None, live);
        before.list()
    } else {
        live.at("metadata.managedFields").list()
    };
    let object = match forced_or_not(write, live, source, config, force) {
        Ok(object) => object,
        Err(met) => {
            let left = remaining(write, live, met);
            if !left.is_empty() {
                return Err(Box::new(refusal(&conflicts(&left))));
            }
            let forced = forced_or_not(write, live, source, config, true);
            forced.unwrap_or_else(|_| live.clone())
        }
    };
    Ok(with_last_applied(write, object, config))
}

/// `default/web; apps/v1, Kind=Deployment`
fn who(config: &Value) -> String {
    let (namespace, name) = (config.namespace(), config.name());
    let (version, kind) = (config.api_version(), config.kind());
    let version = match version.contains('/') {
        true => version.to_owned(),
        false => format!("/{version}"),
    };
    format!("{namespace}/{name}; {version}, Kind={kind}")
}

/// The conflicts that are left when a client's last applied configuration allows its own.
fn remaining(write: &Write<'_>, live: &Value, found: Vec<(Value, Map)>) -> Vec<(Value, Map)> {
    if write.manager != KUBECTL {
        return found;
    }
    let allowed = last_applied_set(write, live);
    let left = found
        .into_iter()
        .map(|(entry, set)| (entry, difference(&set, &allowed)));
    left.filter(|(_, set)| !set.is_empty()).collect()
}

/// The fields that were applied by a client and still have that value.
fn last_applied_set(write: &Write<'_>, live: &Value) -> Map {
    let text = live.annotation(LAST_APPLIED);
    let Ok(last) = Value::from_json(text.as_bytes()) else {
        return Map::new();
    };
    let set = fields_of(write.schemas, write.node, &last);
    let differs = super::compare::diff(write.schemas, write.node, &last, live);
    difference(&difference(&set, &differs.changed), &differs.removed)
}

/// kubectl's annotation follows what kubectl applies through the server.
fn with_last_applied(write: &Write<'_>, mut object: Value, config: &Value) -> Value {
    if write.manager == KUBECTL && !object.annotation(LAST_APPLIED).is_empty() {
        let mut plain = config.clone();
        plain.remove_path(&["metadata", "annotations", LAST_APPLIED]);
        if plain.at("metadata.annotations").is_null() {
            plain.set("metadata.annotations", Value::empty_map());
        }
        object.set_annotation(LAST_APPLIED, &format!("{}\n", plain.to_json()));
    }
    object
}

/// The object with the configuration, or the fields in whose way others are.
fn forced_or_not(
    write: &Write<'_>,
    live: &Value,
    source: &[Value],
    config: &Value,
    force: bool,
) -> Result<Value, Vec<(Value, Map)>> {
    let own = write.id("Apply");
    let last = source.iter().find(|entry| own.is_of(entry));
    let set = without_trees(&fields_of(write.schemas, write.node, config), write.ignored);
    let mut new = merged(write.schemas, write.node, live, config);
    if let Some(last) = last {
        new = pruned(write, new, &set, last, source);
    }
    let found = write.diff(live, &new);
    let mut diffs = Diffs::new(write, (live, &new), &found);
    if !force {
        let met = touched(source, own, &mut diffs);
        if !met.is_empty() {
            return Err(met);
        }
    }
    let set = stripped(&set);
    let mut entries = Vec::with_capacity(source.len() + 1);
    for entry in source.iter().filter(|entry| !own.is_of(entry)) {
        if let Some(diff) = diffs.at(entry.str("apiVersion")) {
            let rest = difference(&difference(set_of(entry), &diff.changed), &diff.removed);
            entries.extend(with_set(entry, rest));
        }
    }
    let same_set = last
        .is_some_and(|last| *set_of(last) == set && last.str("apiVersion") == write.api_version);
    let unchanged = found.is_empty() && same_set;
    let time = match last {
        Some(last) if unchanged => last.str("time"),
        _ => write.now,
    };
    if !set.is_empty() {
        entries.push(own.entry(set, time));
    }
    let mut object = if unchanged { live.clone() } else { new };
    object.set("metadata.managedFields", list_of(entries));
    Ok(object)
}

/// Takes out what the manager applied before, does not apply now, and nobody else manages.
fn pruned(write: &Write<'_>, new: Value, set: &Map, last: &Value, source: &[Value]) -> Value {
    let version = last.str("apiVersion");
    // In another version the object would be converted there and back; only the fields of this one
    // are looked at.
    if version != write.api_version || set_of(last).is_empty() {
        return new;
    }
    let (schemas, node) = (write.schemas, write.node);
    let named = |set: &Map| with_named_fields(schemas, node, set);
    let applied = named(set_of(last));
    let first = without(schemas, node, &new, &applied);
    let all = named(&fields_of(schemas, node, &new));
    let kept = named(&fields_of(schemas, node, &first));
    let own = write.id("Apply");
    let mut managed = named(set);
    for entry in source.iter().filter(|entry| !own.is_of(entry)) {
        managed = union(&managed, &named(set_of(entry)));
    }
    let second = without(
        schemas,
        node,
        &new,
        &difference(&all, &union(&kept, &managed)),
    );
    let kept = named(&fields_of(schemas, node, &second));
    let gone = intersection(&difference(&all, &kept), &applied);
    without(schemas, node, &new, &gone)
}

/// What `Scale` configures of the object it is of, which counts its replicas at `path`: applying it
/// is applying this.
pub fn scale_config(scale: &Value, api_version: &str, kind: &str, path: &str) -> Value {
    let mut config = object! {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": { "name": scale.metadata().get("name") },
        "spec": {},
    };
    let replicas = scale.at("spec.replicas");
    if !replicas.is_null() {
        config.set(path, replicas);
    }
    config
}
