//! `kubectl create rolebinding` and `clusterrolebinding`.

use api::{Value, object};

use super::{exactly_one_name, generated_as, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, value, values};
use crate::kubectl::session::Session;

/// The generator of role bindings.
pub(super) const ROLE_BINDING: Verb = Verb {
    name: "create rolebinding",
    summary: "Create a role binding for a particular role or cluster role",
    usage: "kubectl create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] \
            [--group=groupname] [--serviceaccount=namespace:serviceaccountname] \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(
        value("clusterrole"),
        value("role"),
        values("user"),
        values("group"),
        values("serviceaccount"),
    ),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line, "RoleBinding")),
};

/// The generator of cluster role bindings.
pub(super) const CLUSTER_ROLE_BINDING: Verb = Verb {
    name: "create clusterrolebinding",
    summary: "Create a cluster role binding for a particular cluster role",
    usage: "kubectl create clusterrolebinding NAME --clusterrole=NAME [--user=username] \
            [--group=groupname] [--serviceaccount=namespace:serviceaccountname] \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(
        value("clusterrole"),
        values("user"),
        values("group"),
        values("serviceaccount"),
    ),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line, "ClusterRoleBinding")),
};

const GROUP: &str = "rbac.authorization.k8s.io";

async fn create(session: &Session, line: &Line, kind: &'static str) -> Outcome {
    let name = exactly_one_name(line)?;
    let given = |flag: &str| line.get(flag).filter(|name| !name.is_empty());
    let (role_kind, role) = match (given("clusterrole"), given("role"), kind) {
        (Some(role), None, _) => ("ClusterRole", role),
        (None, Some(role), "RoleBinding") => ("Role", role),
        (_, _, "RoleBinding") => {
            return Err(Failure::message(
                "exactly one of clusterrole or role must be specified",
            ));
        }
        _ => {
            return Err(Failure::message(
                "exactly one clusterrole must be specified",
            ));
        }
    };
    let mut binding = object!({
        "apiVersion": (format!("{GROUP}/v1")),
        "kind": (kind),
        "metadata": { "name": (name) },
        "roleRef": { "apiGroup": GROUP, "kind": (role_kind), "name": (role) },
    });
    let subjects = subjects(line)?;
    if !subjects.is_empty() {
        binding.set("subjects", Value::list_of(subjects));
    }
    generated_as(session, line, binding, &kind.to_lowercase()).await
}

/// The subjects that `--user`, `--group` and `--serviceaccount` name.
pub(in crate::kubectl) fn subjects(line: &Line) -> Outcome<Vec<Value>> {
    let mut all = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        for name in line.all(flag) {
            all.push(object!({ "apiGroup": GROUP, "kind": (kind), "name": (name.as_str()) }));
        }
    }
    for account in line.all("serviceaccount") {
        let parts: Vec<&str> = account.split(':').collect();
        let (&[namespace, name], false) = (parts.as_slice(), parts.contains(&"")) else {
            return Err(Failure::message(
                "serviceaccount must be <namespace>:<name>",
            ));
        };
        all.push(object!({
            "kind": "ServiceAccount",
            "name": (name),
            "namespace": (namespace),
        }));
    }
    Ok(all)
}
