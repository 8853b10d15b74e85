//! `kubectl describe namespace`.

use api::Value;

use super::{annotations, labels};
use crate::kubectl::failure::Outcome;
use crate::kubectl::session::Session;

/// A Namespace. Quotas and limits have kinds of their own, which this server does not serve yet.
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
    let discovery = session.discovery().await?;
    if discovery.find("resourcequotas").is_none() {
        text.push_str("\nNo resource quota.\n\nNo LimitRange resource.\n");
    }
    Ok(text)
}
