//! `kubectl describe namespace`.

use api::Value;

use super::{annotations, labels, quotas};
use crate::kubectl::failure::Outcome;
use crate::kubectl::session::{Call, Session};

/// A Namespace, with its quotas and limits.
pub(super) async fn text(session: &Session, value: &Value) -> Outcome<String> {
    let mut text = format!("Name:\t{}\n", value.name());
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    text.push_str(&format!("Status:\t{}\n", value.str_at("status.phase")));
    let conditions = value.list_at("status.conditions");
    if !conditions.is_empty() {
        text.push_str(
            "Conditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage\n  \
             ----\t------\t------------------\t------\t-------\n",
        );
        for condition in conditions {
            text.push_str(&format!(
                "  {}\t{}\t{}\t{}\t{}\n",
                condition.str_at("type"),
                condition.str_at("status"),
                super::date(condition.str_at("lastTransitionTime")),
                condition.str_at("reason"),
                condition.str_at("message")
            ));
        }
    }
    for (plural, tell) in [
        (
            "resourcequotas",
            quotas::of_namespace as fn(&[Value]) -> String,
        ),
        ("limitranges", quotas::limits_of_namespace),
    ] {
        let path = format!("/api/v1/namespaces/{}/{plural}", value.name());
        match session.call(Call::get(path)).await {
            Ok(list) => text.push_str(&format!("\n{}", tell(list.list_at("items")))),
            // Servers need not have them.
            Err(failure) if failure.is_not_found() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(text)
}
