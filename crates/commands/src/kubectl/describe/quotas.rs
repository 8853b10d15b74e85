//! `kubectl describe` for ResourceQuotas and LimitRanges, which are a part of a namespace's
//! description too.

use std::collections::BTreeSet;

use api::{Quantity, Value};

/// A ResourceQuota.
pub(super) fn quota(value: &Value) -> String {
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\n",
        value.name(),
        value.namespace()
    );
    text.push_str(&scopes(value, "", " * "));
    text.push_str("Resource\tUsed\tHard\n--------\t----\t----\n");
    text + &amounts(value, "")
}

/// A LimitRange.
pub(super) fn limits(value: &Value) -> String {
    format!(
        "Name:\t{}\nNamespace:\t{}\n{}{}",
        value.name(),
        value.namespace(),
        limit_head(""),
        limit_rows(value, "")
    )
}

/// The quotas of a namespace.
pub(super) fn of_namespace(quotas: &[Value]) -> String {
    if quotas.is_empty() {
        return "No resource quota.\n".to_owned();
    }
    let mut text = "Resource Quotas\n".to_owned();
    for quota in quotas {
        text.push_str(&format!("  Name:\t{}\n", quota.name()));
        text.push_str(&scopes(quota, "  ", "  * "));
        text.push_str("  Resource\tUsed\tHard\n  --------\t---\t---\n");
        text.push_str(&amounts(quota, "  "));
    }
    text
}

/// The limits of a namespace.
pub(super) fn limits_of_namespace(ranges: &[Value]) -> String {
    if ranges.is_empty() {
        return "No LimitRange resource.\n".to_owned();
    }
    let rows: String = ranges.iter().map(|range| limit_rows(range, " ")).collect();
    format!("Resource Limits\n{}{rows}", limit_head(" "))
}

fn scopes(quota: &Value, indent: &str, bullet: &str) -> String {
    let mut names: Vec<&str> = quota
        .list_at("spec.scopes")
        .iter()
        .map(Value::as_str)
        .collect();
    if names.is_empty() {
        return String::new();
    }
    names.sort_unstable();
    let mut text = format!("{indent}Scopes:\t{}\n", names.join(", "));
    for name in names {
        let help = match name {
            "Terminating" => {
                "Matches all pods that have an active deadline. These pods have a limited lifespan \
                 on a node before being actively terminated by the system."
            }
            "NotTerminating" => {
                "Matches all pods that do not have an active deadline. These pods usually include \
                 long running pods whose container command is not expected to terminate."
            }
            "BestEffort" => {
                "Matches all pods that do not have resource requirements set. These pods have a \
                 best effort quality of service."
            }
            "NotBestEffort" => {
                "Matches all pods that have at least one resource requirement set. These pods have \
                 a burstable or guaranteed quality of service."
            }
            _ => continue,
        };
        text.push_str(&format!("{bullet}{help}\n"));
    }
    text
}

fn amounts(quota: &Value, indent: &str) -> String {
    let used = quota.map_at("status.used");
    let row = |(name, hard): (&api::Str, &Value)| {
        let used = match used.str(name) {
            "" => "0",
            used => used,
        };
        format!("{indent}{name}\t{used}\t{}\n", hard.as_str())
    };
    quota.map_at("status.hard").iter().map(row).collect()
}

fn limit_head(indent: &str) -> String {
    format!(
        "{indent}Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n\
         {indent}----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n"
    )
}

fn limit_rows(range: &Value, indent: &str) -> String {
    const FIELDS: [&str; 5] = [
        "min",
        "max",
        "defaultRequest",
        "default",
        "maxLimitRequestRatio",
    ];
    let mut text = String::new();
    for limit in range.list_at("spec.limits") {
        let names: BTreeSet<&str> = FIELDS
            .iter()
            .flat_map(|field| limit.map_at(field).keys())
            .map(api::Str::as_str)
            .collect();
        for name in names {
            text.push_str(&format!("{indent}{}\t{name}", limit.str("type")));
            for field in FIELDS {
                let amount = limit.map_at(field).get(name).and_then(Quantity::of);
                let shown = amount.map_or("-".to_owned(), |amount| amount.to_string());
                text.push_str(&format!("\t{shown}"));
            }
            text.push('\n');
        }
    }
    text
}
