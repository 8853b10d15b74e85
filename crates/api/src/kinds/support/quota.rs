//! What objects use of a quota: one file per sort of object that is charged for more than being
//! there. The API server charges by it, the quota controller counts anew by it.
//!
//! Models k8s.io/apiserver/pkg/quota/v1 and pkg/quota/v1/evaluator/core.

use std::collections::BTreeMap;

use sim::Instant;

use crate::kinds::Kind;
use crate::{Map, Quantity, Str, Value};

mod claims;
mod objects;
mod pods;
mod services;

/// Amounts by resource: `pods`, `requests.cpu`, `count/deployments.apps`.
pub type Amounts = BTreeMap<Str, Quantity>;

/// How objects of one resource are charged.
struct Evaluator {
    group: &'static str,
    plural: &'static str,
    /// Whether they are charged for the resource of this name, `count/…` aside.
    charges: fn(&str) -> bool,
    /// What one of them uses.
    usage: fn(&Value, &mut Amounts),
    /// Whether it counts no longer, but for being there.
    is_done: fn(&Value, Instant) -> bool,
    /// Whether a change can use more.
    on_update: bool,
    /// Which of the resources a container does not say it wants, if it must.
    missing: fn(&Value, &[&str]) -> Vec<String>,
    /// Whether an object is within a scope.
    in_scope: fn(&Value, &Value) -> bool,
}

impl Evaluator {
    const PLAIN: Evaluator = Evaluator {
        group: "",
        plural: "",
        charges: |_| false,
        usage: |_, _| {},
        is_done: |_, _| false,
        on_update: false,
        missing: |_, _| Vec::new(),
        in_scope: |_, _| false,
    };
}

const EVALUATORS: &[&Evaluator] = &[
    &pods::EVALUATOR,
    &services::EVALUATOR,
    &claims::EVALUATOR,
    &objects::CONFIG_MAPS,
    &objects::RESOURCE_QUOTAS,
    &objects::REPLICATION_CONTROLLERS,
    &objects::SECRETS,
];

/// A plain object: all that counts is that it is there.
const ANY: Evaluator = Evaluator::PLAIN;

fn evaluator(kind: &Kind) -> &'static Evaluator {
    let fits = |one: &&&Evaluator| one.group == kind.group && one.plural == kind.plural;
    EVALUATORS.iter().find(fits).copied().unwrap_or(&ANY)
}

/// The name under which objects of a kind are counted: `count/deployments.apps`.
fn count_name(kind: &Kind) -> String {
    format!("count/{}", kind.qualified())
}

/// Whether objects of a kind can be charged at all.
pub fn is_countable(kind: &Kind) -> bool {
    kind.namespaced && kind.kind != "Event" && !kind.storage.is_empty() && kind.view.is_none()
}

/// Whether a change of an object of this kind is charged, not its creation alone.
pub fn charges_updates(kind: &Kind) -> bool {
    evaluator(kind).on_update
}

/// Whether objects of a kind are charged for the resource of this name.
pub fn charges(kind: &Kind, resource: &str) -> bool {
    match resource.starts_with("count/") {
        true => resource == count_name(kind),
        false => (evaluator(kind).charges)(resource),
    }
}

/// Whether a quota limits anything by this name that somebody is charged for, whether or not the
/// kind is served.
pub fn is_charged(resource: &str) -> bool {
    EVALUATORS.iter().any(|one| (one.charges)(resource))
}

/// What an object uses.
pub fn usage(kind: &Kind, object: &Value, now: Instant) -> Amounts {
    let evaluator = evaluator(kind);
    let mut amounts = Amounts::new();
    if !(evaluator.is_done)(object, now) {
        (evaluator.usage)(object, &mut amounts);
    }
    amounts.insert(count_name(kind).as_str().into(), ONE);
    amounts
}

/// Whether a quota has a say in an object: it limits what the object is charged for, and the object
/// is within all its scopes.
pub fn applies(kind: &Kind, quota: &Value, hard: &Map, object: &Value) -> bool {
    let evaluator = evaluator(kind);
    hard.keys().any(|name| charges(kind, name))
        && scopes(quota).all(|scope| (evaluator.in_scope)(&scope, object))
}

/// The scopes of a quota, each as a requirement of a selector.
fn scopes(quota: &Value) -> impl Iterator<Item = Value> {
    let plain = quota.list_at("spec.scopes").iter().map(|name| {
        let mut scope = Value::Null;
        scope.set("scopeName", name);
        scope.set("operator", "Exists");
        scope
    });
    let selected = quota.list_at("spec.scopeSelector.matchExpressions");
    plain.chain(selected.iter().cloned())
}

/// What an object must say to be created under a quota that limits these resources.
///
/// # Errors
/// What it does not say: `must specify requests.cpu for: nginx`.
pub fn constraints(kind: &Kind, hard: &Map, object: &Value) -> Result<(), String> {
    let charged: Vec<&str> = hard
        .keys()
        .map(Str::as_str)
        .filter(|name| charges(kind, name))
        .collect();
    match (evaluator(kind).missing)(object, &charged) {
        missing if missing.is_empty() => Ok(()),
        missing => Err(format!("must specify {}", missing.join("; "))),
    }
}

/// The amounts an object names.
pub fn amounts(map: &Map) -> Amounts {
    let read = |(name, amount): (&Str, &Value)| Some((name.clone(), Quantity::of(amount)?));
    map.iter().filter_map(read).collect()
}

/// Adds amounts to others.
pub fn add(sum: &mut Amounts, amounts: &Amounts) {
    for (name, amount) in amounts {
        *sum.entry(name.clone()).or_default() += *amount;
    }
}

/// The amounts as an object.
pub fn to_value(amounts: &Amounts) -> Value {
    let entries = amounts.iter();
    Value::Map(Map::from_entries(
        entries
            .map(|(name, amount)| (name.clone(), Value::from(*amount)))
            .collect(),
    ))
}

const ONE: Quantity = Quantity::from_milli(1000);

#[cfg(test)]
mod tests;
