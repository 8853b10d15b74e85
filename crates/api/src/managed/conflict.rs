//! Fields that others manage and an apply would change.
//!
//! Models apimachinery/pkg/util/managedfields/internal/conflict.go and structured-merge-diff's
//! merge/conflict.go.

use super::set::paths;
use crate::{Map, Status, Value, object, status};

/// A field that somebody else manages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Who: `"kubectl-create" using apps/v1`.
    pub manager: String,
    /// The field: `.spec.replicas`.
    pub path: String,
}

/// Who an entry is of, as a person reads it.
fn shown(entry: &Value) -> String {
    let mut out = format!("{:?}", entry.str("manager"));
    let subresource = entry.str("subresource");
    if !subresource.is_empty() {
        out.push_str(&format!(" with subresource {subresource:?}"));
    }
    if entry.str("operation") == "Update" {
        out.push_str(&format!(" using {}", entry.str("apiVersion")));
    }
    out
}

/// The conflicts with these managers over these fields of theirs.
pub(super) fn conflicts(found: &[(Value, Map)]) -> Vec<Conflict> {
    let mut found: Vec<(String, &Map)> = found.iter().map(|(e, set)| (shown(e), set)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = Vec::new();
    for (manager, set) in found {
        out.extend(paths(set).into_iter().map(|path| Conflict {
            manager: manager.clone(),
            path,
        }));
    }
    out
}

/// The answer to an apply that meets conflicts.
pub(super) fn refusal(conflicts: &[Conflict]) -> Status {
    let causes = conflicts.iter().map(|conflict| {
        object! {
            "reason": "FieldManagerConflict",
            "message": format!("conflict with {}", conflict.manager),
            "field": conflict.path.as_str(),
        }
    });
    status::apply_conflict(causes.collect(), message(conflicts))
}

fn message(conflicts: &[Conflict]) -> String {
    if let [Conflict { manager, path }] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {manager}: {path}");
    }
    let mut lines = Vec::new();
    let mut last = "";
    for Conflict { manager, path } in conflicts {
        if manager != last {
            lines.push(format!("conflicts with {manager}:"));
            last = manager;
        }
        lines.push(format!("- {path}"));
    }
    let (count, lines) = (conflicts.len(), lines.join("\n"));
    format!("Apply failed with {count} conflicts: {lines}")
}
