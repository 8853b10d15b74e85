//! Which taints of a node a pod tolerates.
//!
//! Models k8s.io/component-helpers/scheduling/corev1/helpers.go.

use crate::Value;

/// Whether a toleration of a pod tolerates a taint.
pub fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let effect = toleration.str("effect");
    if !effect.is_empty() && effect != taint.str("effect") {
        return false;
    }
    let key = toleration.str("key");
    if !key.is_empty() && key != taint.str("key") {
        return false;
    }
    match toleration.str("operator") {
        "Exists" => true,
        "" | "Equal" => toleration.str("value") == taint.str("value"),
        _ => false,
    }
}

/// Whether any of these tolerations tolerates a taint.
pub fn any_tolerates(tolerations: &[Value], taint: &Value) -> bool {
    tolerations
        .iter()
        .any(|toleration| tolerates(toleration, taint))
}

/// The first taint with one of these effects that is not tolerated.
pub fn first_untolerated<'a>(
    taints: &'a [Value],
    tolerations: &[Value],
    effects: &[&str],
) -> Option<&'a Value> {
    let counts = |taint: &&Value| effects.contains(&taint.str("effect"));
    taints
        .iter()
        .filter(counts)
        .find(|taint| !any_tolerates(tolerations, taint))
}

/// `key=value:effect`, without `=` where there is no value.
pub fn to_string(taint: &Value) -> String {
    let (key, value, effect) = (taint.str("key"), taint.str("value"), taint.str("effect"));
    match (value, effect) {
        ("", "") => key.to_owned(),
        ("", effect) => format!("{key}:{effect}"),
        (value, "") => format!("{key}={value}"),
        (value, effect) => format!("{key}={value}:{effect}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn tolerations() {
        let taint = object! { "key": "a", "value": "b", "effect": "NoSchedule" };
        #[track_caller]
        fn check(toleration: Value, taint: &Value, expect: bool) {
            assert_eq!(tolerates(&toleration, taint), expect, "{toleration}");
        }
        check(object! { "operator": "Exists" }, &taint, true);
        check(object! { "key": "a", "operator": "Exists" }, &taint, true);
        check(object! { "key": "a", "value": "b" }, &taint, true);
        check(
            object! { "key": "a", "operator": "Equal", "value": "c" },
            &taint,
            false,
        );
        check(object! { "key": "x", "operator": "Exists" }, &taint, false);
        check(
            object! { "operator": "Exists", "effect": "NoExecute" },
            &taint,
            false,
        );
        let taints = [
            object! { "key": "soft", "effect": "PreferNoSchedule" },
            taint,
        ];
        let hard = ["NoSchedule", "NoExecute"];
        let found = first_untolerated(&taints, &[], &hard).map(to_string);
        assert_eq!(found.as_deref(), Some("a=b:NoSchedule"));
        let all = [object! { "operator": "Exists" }];
        assert_eq!(first_untolerated(&taints, &all, &hard), None);
    }
}
