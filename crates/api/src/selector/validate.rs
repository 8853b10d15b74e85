//! What is wrong with a LabelSelector object.
//! Models k8s.io/apimachinery/pkg/apis/meta/v1/validation.

use crate::field::{FieldError, Path};
use crate::{Value, names};

/// What is wrong with a LabelSelector object at `path`; null and empty ones are fine here.
pub fn validate_label_selector(selector: &Value, path: &Path<'_>) -> Vec<FieldError> {
    let labels = path.child("matchLabels");
    let mut out = names::validate_labels(selector.get("matchLabels").entries(), labels);
    let expressions = path.child("matchExpressions");
    for (i, expression) in selector.get("matchExpressions").list().iter().enumerate() {
        validate_expression(expression, &expressions.index(i), &mut out);
    }
    out
}

fn validate_expression(expression: &Value, path: &Path<'_>, out: &mut Vec<FieldError>) {
    let values = expression.get("values").list();
    let values_path = path.child("values");
    match expression.str("operator") {
        "In" | "NotIn" if values.is_empty() => out.push(FieldError::required(
            values_path,
            "must be specified when `operator` is 'In' or 'NotIn'",
        )),
        "Exists" | "DoesNotExist" if !values.is_empty() => out.push(FieldError::forbidden(
            values_path,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        )),
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => out.push(FieldError::invalid(
            path.child("operator"),
            other,
            "not a valid selector operator",
        )),
    }
    let key = expression.str("key");
    for message in names::qualified_name(key) {
        out.push(FieldError::invalid(path.child("key"), key, message));
    }
    for (i, value) in values.iter().enumerate() {
        for message in names::label_value(value.as_str()) {
            out.push(FieldError::invalid(values_path.index(i), value, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn errors() {
        #[track_caller]
        fn check(expression: Value, want: &[&str]) {
            let selector = object! { "matchExpressions": [(expression)] };
            let got = validate_label_selector(&selector, &Path::new("spec.selector"));
            let got: Vec<String> = got.iter().map(ToString::to_string).collect();
            assert_eq!(got, want);
        }
        check(
            object! { "key": "a", "operator": "In", "values": ["b"] },
            &[],
        );
        check(
            object! { "key": "a", "operator": "In" },
            &[
                "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            ],
        );
        check(
            object! { "key": "a", "operator": "Exists", "values": ["b"] },
            &[
                "spec.selector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ],
        );
        check(
            object! { "key": "a", "operator": "Is" },
            &[
                "spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator",
            ],
        );
    }
}
