//! `kubectl describe` for roles and bindings.

use api::Value;

use super::{annotations, labels, pairs};
use crate::kubectl::rules::{Rule, listed};

fn head(value: &Value) -> String {
    format!("Name:\t{}\n", value.name())
        + &labels("Labels:", value.labels())
        + &annotations("Annotations:", value.annotations())
}

/// A Role or ClusterRole.
pub(super) fn role(value: &Value) -> String {
    let rules: Vec<Rule> = value.list_at("rules").iter().map(Rule::of).collect();
    let mut text = head(value)
        + "PolicyRule:\n  Resources\tNon-Resource URLs\tResource Names\tVerbs\n  \
           ---------\t-----------------\t--------------\t-----\n";
    for rule in listed(&rules) {
        text.push_str(&format!("  {}\n", rule.cells().join("\t")));
    }
    text
}

/// A RoleBinding or ClusterRoleBinding.
pub(super) fn binding(value: &Value) -> String {
    let role = value.get("roleRef");
    let mut text = head(value);
    text.push_str(&format!(
        "Role:\n  Kind:\t{}\n  Name:\t{}\nSubjects:\n  Kind\tName\tNamespace\n  ----\t----\t---------\n",
        role.str("kind"),
        role.str("name")
    ));
    for subject in value.list_at("subjects") {
        let cells = ["kind", "name", "namespace"].map(|key| subject.str(key));
        text.push_str(&format!("  {}\n", cells.join("\t")));
    }
    text
}

/// A PriorityClass.
pub(super) fn priority_class(value: &Value) -> String {
    format!(
        "Name:\t{}\nValue:\t{}\nGlobalDefault:\t{}\nPreemptionPolicy:\t{}\nDescription:\t{}\nAnnotations:\t{}\n",
        value.name(),
        value.i64_at("value").unwrap_or(0),
        value.bool_at("globalDefault"),
        value.str("preemptionPolicy"),
        value.str("description"),
        pairs(value.annotations())
    )
}
