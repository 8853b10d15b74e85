//! `kubectl apply --prune`: what was applied before and is in no file any more goes.
//!
//! Models kubectl/pkg/cmd/apply/prune.go.

use std::collections::BTreeSet;

use net::http::{Method, percent_encode};

use super::super::act::{self, DryRun, dry_run};
use super::super::delete;
use super::super::discovery::{Discovery, Resource};
use super::super::failure::{Failure, Outcome};
use super::super::flags::Line;
use super::super::session::{Call, Session};
use super::{Done, LAST_APPLIED};
use api::{Value, object};

/// What is pruned unless said otherwise: group, version and kind.
const DEFAULT: [(&str, &str, &str); 16] = [
    ("", "v1", "ConfigMap"),
    ("", "v1", "Endpoints"),
    ("", "v1", "PersistentVolumeClaim"),
    ("", "v1", "Pod"),
    ("", "v1", "ReplicationController"),
    ("", "v1", "Secret"),
    ("", "v1", "Service"),
    ("batch", "v1", "Job"),
    ("batch", "v1", "CronJob"),
    ("networking.k8s.io", "v1", "Ingress"),
    ("apps", "v1", "DaemonSet"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "ReplicaSet"),
    ("apps", "v1", "StatefulSet"),
    ("", "v1", "Namespace"),
    ("", "v1", "PersistentVolume"),
];

const DEPRECATED: &str = "Deprecated: kubectl apply will no longer prune non-namespaced resources \
     by default when used with the --namespace flag in a future release. To preserve the current \
     behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.";

/// A kind that may be pruned.
pub(in crate::kubectl) type Allowed = (String, String, String);

/// Reads `--prune-allowlist`.
pub(in crate::kubectl) fn allowed(line: &Line) -> Outcome<Vec<Allowed>> {
    let read = |text: &String| match text.split('/').collect::<Vec<_>>()[..] {
        [group, version, kind] => {
            let group = if group == "core" { "" } else { group };
            Ok((group.to_owned(), version.to_owned(), kind.to_owned()))
        }
        _ => Err(Failure::message(format!(
            "invalid GroupVersionKind format: {text}, please follow <group/version/kind>"
        ))),
    };
    line.list("prune-allowlist").iter().map(read).collect()
}

/// Deletes what is selected, was applied, and is not among what is done.
pub(super) async fn prune(
    session: &Session,
    line: &Line,
    discovery: &Discovery,
    allowed: &[Allowed],
    done: &Done,
) -> Outcome {
    let dry = dry_run(line)?;
    let kept = (&done.namespaces, &done.uids);
    for (resource, item) in candidates(session, line, discovery, allowed, kept).await? {
        if dry != DryRun::Client {
            let mut options = object! {
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "propagationPolicy": delete::cascade(line)?,
            };
            if let Some(seconds) = line.number("grace-period")?.filter(|seconds| *seconds >= 0) {
                options.set("gracePeriodSeconds", seconds);
            }
            if dry == DryRun::Server {
                options.set("dryRun", vec!["All"]);
            }
            let path = resource.path(item.namespace(), item.name());
            session
                .call(Call::send(Method::Delete, path, options))
                .await?;
        }
        act::done(session, line, dry, &item, "pruned").await?;
    }
    Ok(())
}

/// What is selected, was applied, and is not among the objects of these uids: in the namespaces that
/// were visited, and outside of any.
pub(in crate::kubectl) async fn candidates<'a>(
    session: &Session,
    line: &Line,
    discovery: &'a Discovery,
    allowed: &[Allowed],
    (namespaces, uids): (&BTreeSet<String>, &BTreeSet<String>),
) -> Outcome<Vec<(&'a Resource, Value)>> {
    let defaults =
        DEFAULT.map(|(group, version, kind)| (group.into(), version.into(), kind.into()));
    let allowed = match allowed {
        [] => {
            session.klog_warning("prune.go:71", DEPRECATED).await;
            &defaults[..]
        }
        given => given,
    };
    let mut resources = Vec::new();
    for (group, version, kind) in allowed {
        let api_version = match group.as_str() {
            "" => version.clone(),
            group => format!("{group}/{version}"),
        };
        let found = discovery.of(&api_version, kind).ok_or_else(|| {
            Failure::message(format!(
                "error retrieving RESTMappings to prune: invalid resource {group}/{version}, \
                 Kind={kind}, Namespaced=true: no matches for kind {kind:?} in version \
                 {api_version:?}"
            ))
        })?;
        resources.push(found);
    }
    let mut found = Vec::new();
    let places = namespaces.iter().filter(|name| !name.is_empty());
    for namespace in places {
        for resource in resources.iter().filter(|resource| resource.namespaced) {
            let items = applied(session, line, resource, Some(namespace)).await?;
            found.extend(items.into_iter().map(|item| (*resource, item)));
        }
    }
    for resource in resources.iter().filter(|resource| !resource.namespaced) {
        let items = applied(session, line, resource, None).await?;
        found.extend(items.into_iter().map(|item| (*resource, item)));
    }
    found.retain(|(_, item)| !uids.contains(item.uid()));
    Ok(found)
}

/// The objects of a resource that were applied by a client.
async fn applied(
    session: &Session,
    line: &Line,
    resource: &Resource,
    namespace: Option<&String>,
) -> Outcome<Vec<Value>> {
    let selector = percent_encode(line.text("selector"));
    let path = resource.collection(namespace.map(String::as_str));
    let path = format!("{path}?labelSelector={selector}");
    let list = session.call(Call::get(path)).await?;
    let items = list.list_at("items").iter().cloned().map(|mut item| {
        item.set("apiVersion", resource.api_version());
        item.set("kind", resource.kind.as_str());
        item
    });
    Ok(items
        .filter(|item| !item.annotation(LAST_APPLIED).is_empty())
        .collect())
}
