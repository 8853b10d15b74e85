//! Nobody gives what he does not have: who writes a role must hold its rules, who writes a binding
//! the rules of its role, unless he may `escalate` or `bind`.
//!
//! Models pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased and
//! pkg/registry/rbac/validation/rule.go (`ConfirmNoEscalation`).

use std::collections::BTreeSet;

use api::kinds::Kind;
use api::{Status, Value, go};

use super::rbac::GROUP;
use super::rule::{Rule, missing};
use super::{Attributes, is_master};
use crate::server::ApiServer;
use crate::write::Write;

/// Refuses a role or binding that gives more than its writer has.
pub(crate) fn check(
    server: &ApiServer,
    write: &Write,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let kind = write.stored_kind();
    if kind.group != GROUP || !server.authorizer.has_rbac() || is_master(&write.user) {
        return Ok(());
    }
    let of_roles = matches!(kind.kind, "Role" | "ClusterRole");
    let same = |key: &str| old.is_some_and(|old| old.get(key).same(object.get(key)));
    let unchanged = match of_roles {
        true => same("rules") && same("aggregationRule"),
        false => same("roleRef") && same("subjects"),
    };
    if unchanged || exempt(server, write, kind, object) {
        return Ok(());
    }
    let namespace = object.namespace();
    let role = object.get("roleRef");
    let wanted = match of_roles {
        true if !object.get("aggregationRule").is_null() => Rule::everything().to_vec(),
        true => Rule::all(object),
        false => {
            let (kind, name) = (role.str("kind"), role.str("name"));
            let rules = server.authorizer.rbac().rules_of(kind, namespace, name);
            let plural = format!("{}s", kind.to_lowercase());
            rules
                .ok_or_else(|| api::status::not_found(GROUP, &plural, name))?
                .to_vec()
        }
    };
    confirm(server, write, &wanted, namespace)
}

/// Whether the writer may give what he does not have.
fn exempt(server: &ApiServer, write: &Write, kind: &Kind, object: &Value) -> bool {
    let role = object.get("roleRef");
    let plural = format!("{}s", role.str("kind").to_lowercase());
    let (verb, resource, name) = match kind.kind {
        "Role" | "ClusterRole" => ("escalate", kind.plural, object.name()),
        _ => ("bind", plural.as_str(), role.str("name")),
    };
    let asked = Attributes {
        verb,
        group: GROUP,
        resource,
        namespace: object.namespace(),
        name,
        ..Attributes::default()
    };
    server.authorizer.decide(&write.user, &asked).allowed
}

fn confirm(
    server: &ApiServer,
    write: &Write,
    wanted: &[Rule],
    namespace: &str,
) -> Result<(), Status> {
    let user = &write.user;
    let (held, errors) = server.authorizer.rbac().rules_for(user, namespace);
    let lacking = missing(&held, wanted);
    if lacking.is_empty() {
        return Ok(());
    }
    let lacking: BTreeSet<String> = lacking.iter().map(Rule::compact_string).collect();
    let lacking: Vec<String> = lacking.into_iter().collect();
    let groups: Vec<String> = user.groups.iter().map(|group| go::quote(group)).collect();
    let mut why = format!(
        "user {} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
        go::quote(&user.name),
        groups.join(" "),
        lacking.join("\n")
    );
    if !errors.is_empty() {
        why.push_str(&format!("; resolution errors: [{}]", errors.join(" ")));
    }
    Err(write.forbidden(why))
}
