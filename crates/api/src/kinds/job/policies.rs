//! What is wrong with a Job's policies: which failures count, and which successes are enough.
//! Models pkg/apis/batch/validation (`validatePodFailurePolicy`, `validateSuccessPolicy`).

use crate::Value;
use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};

const MOST_RULES: usize = 20;
const MOST_CODES: usize = 255;
const MOST_INDEXES_TEXT: usize = 64 * 1024;

/// Which failures count.
pub(super) fn failure(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let path = path.child("podFailurePolicy");
    let path = path.child("rules");
    let rules = spec.list_at("podFailurePolicy.rules");
    if rules.len() > MOST_RULES {
        out.push(FieldError::too_many(path, rules.len(), MOST_RULES));
    }
    for (i, rule) in rules.iter().enumerate() {
        failure_rule(spec, rule, &path.index(i), out);
    }
}

fn failure_rule(spec: &Value, rule: &Value, path: &Path<'_>, out: &mut Errors) {
    if rule.str("action") == "FailIndex" && !spec.has("backoffLimitPerIndex") {
        let text = "requires the backoffLimitPerIndex to be set";
        out.push(FieldError::invalid(path.child("action"), "FailIndex", text));
    }
    let known = ["Count", "FailIndex", "FailJob", "Ignore"];
    word(rule, "action", &known, path, out);
    let (codes, patterns) = (rule.get("onExitCodes"), rule.list_at("onPodConditions"));
    if !codes.is_null() {
        exit_codes(spec, codes, &path.child("onExitCodes"), out);
    }
    let patterns_path = path.child("onPodConditions");
    if patterns.len() > MOST_RULES {
        let error = FieldError::too_many(patterns_path, patterns.len(), MOST_RULES);
        out.push(error);
    }
    for (i, pattern) in patterns.iter().enumerate() {
        let path = patterns_path.index(i);
        let known = ["False", "True", "Unknown"];
        word(pattern, "status", &known, &path, out);
    }
    // The rule itself is not shown.
    let text = match (codes.is_null(), patterns.is_empty()) {
        (true, true) => "specifying one of OnExitCodes and OnPodConditions is required",
        (false, false) => "specifying both OnExitCodes and OnPodConditions is not supported",
        _ => return,
    };
    out.push(FieldError {
        value: None,
        ..FieldError::invalid(path, Value::Null, text)
    });
}

/// One of some words; which they are is said where it is missing.
fn word(of: &Value, key: &str, known: &[&str], path: &Path<'_>, out: &mut Errors) {
    if of.str(key).is_empty() {
        let listed: Vec<String> = known.iter().map(|word| crate::go::quote(word)).collect();
        let text = format!("valid values: [{}]", listed.join(" "));
        out.push(FieldError::required(path.child(key), text));
    } else {
        check::one_of(of, key, known, path, out);
    }
}

fn exit_codes(spec: &Value, codes: &Value, path: &Path<'_>, out: &mut Errors) {
    word(codes, "operator", &["In", "NotIn"], path, out);
    let lists = ["template.spec.containers", "template.spec.initContainers"];
    let mut containers = lists.into_iter().flat_map(|list| spec.list_at(list));
    let name = codes.str("containerName");
    if codes.has("containerName") && !containers.any(|known| known.str("name") == name) {
        let text = "must be one of the container or initContainer names in the pod template";
        out.push(FieldError::invalid(path.child("containerName"), name, text));
    }
    let (values, path) = (codes.list_at("values"), path.child("values"));
    let shown = || Value::list_of(values.to_vec());
    if values.is_empty() {
        let text = "at least one value is required";
        out.push(FieldError::invalid(path, Value::Null, text));
    } else if values.len() > MOST_CODES {
        out.push(FieldError::too_many(path, values.len(), MOST_CODES));
    }
    let numbers: Vec<i64> = values.iter().filter_map(Value::as_i64).collect();
    for (i, code) in numbers.iter().enumerate() {
        let path = path.index(i);
        if *code == 0 && codes.str("operator") == "In" {
            let text = "must not be 0 for the In operator";
            out.push(FieldError::invalid(path, 0, text));
        }
        if numbers[..i].contains(code) {
            out.push(FieldError::duplicate(path, *code));
        }
    }
    if !numbers.is_sorted() {
        out.push(FieldError::invalid(path, shown(), "must be ordered"));
    }
}

/// Which successes are enough.
pub(super) fn success(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let (policy, path) = (spec.get("successPolicy"), path.child("successPolicy"));
    if policy.is_null() {
        return;
    }
    if spec.str("completionMode") != "Indexed" {
        let text = "requires indexed completion mode";
        out.push(FieldError::invalid(path, policy, text));
        return;
    }
    let (rules, path) = (policy.list_at("rules"), path.child("rules"));
    if rules.is_empty() {
        let text = "at least one rules must be specified when the successPolicy is specified";
        out.push(FieldError::required(path, text));
    }
    if rules.len() > MOST_RULES {
        out.push(FieldError::too_many(path, rules.len(), MOST_RULES));
    }
    let completions = spec.i64_at("completions").unwrap_or(0);
    for (i, rule) in rules.iter().enumerate() {
        success_rule(rule, completions, &path.index(i), out);
    }
}

fn success_rule(rule: &Value, completions: i64, path: &Path<'_>, out: &mut Errors) {
    let count = rule.i64_at("succeededCount");
    if count.is_none() && !rule.has("succeededIndexes") {
        let text = "at least one of succeededCount or succeededIndexes must be specified";
        out.push(FieldError::required(path, text));
    }
    let mut listed = None;
    if rule.has("succeededIndexes") {
        let (text, path) = (rule.str("succeededIndexes"), path.child("succeededIndexes"));
        if text.len() > MOST_INDEXES_TEXT {
            out.push(FieldError::too_long(path, MOST_INDEXES_TEXT));
        }
        match indexes(text, completions) {
            Ok(number) => listed = Some(number),
            Err(why) => {
                listed = Some(0);
                let why = format!("error parsing succeededIndexes: {why}");
                out.push(FieldError::invalid(path, text, why));
            }
        }
    }
    check::non_negative(rule, "succeededCount", path, out);
    let Some(count) = count else { return };
    let mut at_most = |most: i64, what: &str| {
        if count > most {
            let text = format!("must be less than or equal to {most} ({what})");
            let path = path.child("succeededCount");
            out.push(FieldError::invalid(path, count, text));
        }
    };
    at_most(completions, "the number of specified completions");
    if let Some(listed) = listed {
        let what = "the number of indexes in the specified succeededIndexes field";
        at_most(listed, what);
    }
}

/// How many indexes a text such as `0-2,5` names, or what is wrong with it.
fn indexes(text: &str, completions: i64) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let (mut total, mut last): (i64, Option<i64>) = (0, None);
    for part in text.split(',') {
        let number = |text: &str| {
            let shown = crate::go::quote(text);
            text.parse::<i64>()
                .map_err(|_| format!("cannot convert string to integer for index: {shown}"))
        };
        let limits: Vec<&str> = part.split('-').collect();
        if limits.len() > 2 {
            let shown = crate::go::quote(part);
            return Err(format!(
                "the fragment {shown} violates the requirement that an index interval can have at \
                 most two parts separated by '-'"
            ));
        }
        let first = number(limits[0])?;
        let end = limits.get(1).map_or(Ok(first), |end| number(end))?;
        for index in [first, end] {
            if index >= completions {
                return Err(format!("too large index: {:?}", index.to_string()));
            }
        }
        if last.is_some_and(|last| last >= first) {
            let last = last.unwrap_or(0);
            return Err(format!(
                "non-increasing order, previous: {last}, current: {first}"
            ));
        }
        if limits.len() == 2 && first >= end {
            return Err(format!(
                "non-increasing order, previous: {first}, current: {end}"
            ));
        }
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a spec in JSON, one error a line.
    #[track_caller]
    fn check(spec: &str, expect: &[&str]) {
        let spec = Value::from_json(spec.as_bytes()).expect("JSON");
        let mut errors = Errors::default();
        failure(&spec, &Path::new("spec"), &mut errors);
        success(&spec, &Path::new("spec"), &mut errors);
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors, expect);
    }

    #[test]
    fn failures() {
        check(
            r#"{"template":{"spec":{"containers":[{"name":"c"}]}},"podFailurePolicy":{"rules":[
                {"action":"FailIndex","onExitCodes":{"operator":"In","values":[3,1,1,0],"containerName":"d"}},
                {"onPodConditions":[{"type":"DisruptionTarget","status":"Maybe"}]},
                {"action":"Ignore"}]}}"#,
            &[
                "spec.podFailurePolicy.rules[0].action: Invalid value: \"FailIndex\": requires the \
                 backoffLimitPerIndex to be set",
                "spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: \"d\": must \
                 be one of the container or initContainer names in the pod template",
                "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 1",
                "spec.podFailurePolicy.rules[0].onExitCodes.values[3]: Invalid value: 0: must not be 0 \
                 for the In operator",
                "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,1,1,0]: must be \
                 ordered",
                "spec.podFailurePolicy.rules[1].action: Required value: valid values: [\"Count\" \
                 \"FailIndex\" \"FailJob\" \"Ignore\"]",
                "spec.podFailurePolicy.rules[1].onPodConditions[0].status: Unsupported value: \
                 \"Maybe\": supported values: \"False\", \"True\", \"Unknown\"",
                "spec.podFailurePolicy.rules[2]: Invalid value: specifying one of OnExitCodes and \
                 OnPodConditions is required",
            ],
        );
    }

    #[test]
    fn successes() {
        let spec = |rules: &str| {
            format!(
                r#"{{"completionMode":"Indexed","completions":5,"successPolicy":{{"rules":[{rules}]}}}}"#
            )
        };
        check(
            &spec(r#"{"succeededIndexes":"0-2,4","succeededCount":2}"#),
            &[],
        );
        check(
            &spec(r#"{"succeededIndexes":"0-2","succeededCount":4},{"succeededIndexes":"7"},{}"#),
            &[
                "spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or \
                 equal to 3 (the number of indexes in the specified succeededIndexes field)",
                "spec.successPolicy.rules[1].succeededIndexes: Invalid value: \"7\": error parsing \
                 succeededIndexes: too large index: \"7\"",
                "spec.successPolicy.rules[2]: Required value: at least one of succeededCount or \
                 succeededIndexes must be specified",
            ],
        );
        check(
            &spec(""),
            &[
                "spec.successPolicy.rules: Required value: at least one rules must be specified when \
               the successPolicy is specified",
            ],
        );
    }
}
