//! How many pods there should be, and how many of them healthy.
//! Models getExpectedPodCount and the finders of pkg/controller/disruption/disruption.go.

use std::collections::BTreeMap;

use api::kinds;
use api::kinds::support::scaled::scaled;
use api::{Str, Value};
use client::{Key, REPLICA_SETS, Resource};

use crate::controller::Cx;

/// What a budget comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) pods: i64,
    pub(super) healthy: i64,
    /// Some pods have no controller, though a share of a controller's pods is asked for.
    pub(super) unmanaged: bool,
}

/// Counts. A budget that says neither allows no disruption at all, as upstream's zero values do.
pub(super) fn of(
    cx: &Cx<'_>,
    scalable: &[Resource],
    budget: &Value,
    pods: &[&Value],
) -> Result<Expected, String> {
    let spec = budget.get("spec");
    let (min, max) = (spec.get("minAvailable"), spec.get("maxUnavailable"));
    if !max.is_null() {
        let (count, unmanaged) = scale(cx, scalable, pods)?;
        let gone = scaled(max, count, true).unwrap_or(0);
        return Ok(Expected {
            pods: count,
            healthy: (count - gone).max(0),
            unmanaged,
        });
    }
    match min {
        Value::Null => Ok(Expected::default()),
        Value::Str(_) => {
            let (count, unmanaged) = scale(cx, scalable, pods)?;
            Ok(Expected {
                pods: count,
                healthy: scaled(min, count, true).unwrap_or(0),
                unmanaged,
            })
        }
        min => Ok(Expected {
            pods: i64::try_from(pods.len()).unwrap_or(i64::MAX),
            healthy: min.as_i64().unwrap_or(0),
            unmanaged: false,
        }),
    }
}

/// How many pods the controllers of these pods want in all, and whether a pod has none.
fn scale(cx: &Cx<'_>, scalable: &[Resource], pods: &[&Value]) -> Result<(i64, bool), String> {
    let mut wanted: BTreeMap<Str, i64> = BTreeMap::new();
    // The pods of one owner all lead to the same controller.
    let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
    let mut unmanaged = false;
    for pod in pods {
        let Some(owner) = pod.controller() else {
            unmanaged = true;
            continue;
        };
        if seen.insert(owner.str("uid"), ()).is_some() {
            continue;
        }
        let (uid, replicas) = find(cx, scalable, pod.namespace(), owner)?
            .ok_or_else(|| format!("found no controllers for pod {:?}", pod.name()))?;
        wanted.insert(uid, replicas);
    }
    Ok((wanted.values().sum(), unmanaged))
}

/// The uid of the controller that decides, and how many pods it wants.
fn find(
    cx: &Cx<'_>,
    scalable: &[Resource],
    namespace: &str,
    owner: &Value,
) -> Result<Option<(Str, i64)>, String> {
    let (version, kind) = (owner.str("apiVersion"), owner.str("kind"));
    let fits = |resource: &&Resource| resource.api_version == version && resource.kind == kind;
    let Some(resource) = scalable.iter().find(fits) else {
        return match kinds::by_kind(version, kind) {
            Some(kind) => {
                let name = kind.qualified();
                Err(format!("{name} does not implement the scale subresource"))
            }
            None => Ok(None),
        };
    };
    let key = Key::new(namespace, owner.str("name"));
    let Some(object) = cx.cache(resource).get(&key) else {
        return Ok(None);
    };
    if object.uid() != owner.str("uid") {
        return Ok(None);
    }
    if *resource == REPLICA_SETS
        && let Some(owner) = object
            .controller()
            .filter(|o| o.str("kind") == "Deployment")
    {
        return find(cx, scalable, namespace, owner);
    }
    let replicas = object.i64_at("spec.replicas").unwrap_or(1);
    Ok(Some((object.uid().into(), replicas)))
}
