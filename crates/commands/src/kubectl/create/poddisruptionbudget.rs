//! `kubectl create poddisruptionbudget`.

use api::selector::{LabelSelector, Operator, Requirement};
use api::{Value, object};

use super::{exactly_one_name, generated_as, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, value};
use crate::kubectl::session::Session;

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create poddisruptionbudget",
    summary: "Create a pod disruption budget with the specified name",
    usage: "kubectl create poddisruptionbudget NAME --selector=SELECTOR --min-available=N \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(
        value("max-unavailable"),
        value("min-available"),
        value("selector"),
    ),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line)),
};

/// `kubectl create pdb`.
pub(super) const SHORT: Verb = Verb {
    name: "create pdb",
    ..VERB
};

async fn create(session: &Session, line: &Line) -> Outcome {
    let name = exactly_one_name(line)?;
    let (min, max) = (line.text("min-available"), line.text("max-unavailable"));
    if line.text("selector").is_empty() {
        return Err(Failure::message("a selector must be specified"));
    }
    if min.is_empty() && max.is_empty() {
        return Err(Failure::message(
            "one of min-available or max-unavailable must be specified",
        ));
    }
    if !min.is_empty() && !max.is_empty() {
        return Err(Failure::message(
            "min-available and max-unavailable cannot be both specified",
        ));
    }
    let (flag, field, text) = match max {
        "" => ("min-available", "minAvailable", min),
        max => ("max-unavailable", "maxUnavailable", max),
    };
    let digits = text.strip_suffix('%').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::message(format!(
            "invalid format specified for {flag}"
        )));
    }
    let amount = match text.parse::<i64>() {
        Ok(count) => Value::from(count),
        Err(_) => Value::from(text),
    };
    let selector = LabelSelector::parse(line.text("selector")).map_err(Failure::message)?;
    let mut budget = object!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": { "name": (name) },
        "spec": { "selector": (selector_object(&selector)) },
        "status": {
            "currentHealthy": 0,
            "desiredHealthy": 0,
            "disruptionsAllowed": 0,
            "expectedPods": 0,
        },
    });
    budget.set_path(&["spec", field], amount);
    generated_as(session, line, budget, "poddisruptionbudgets").await
}

/// A selector as an object.
fn selector_object(selector: &LabelSelector) -> Value {
    let mut found = object!({});
    let mut expressions = Vec::new();
    for Requirement {
        key,
        operator,
        values,
    } in &selector.requirements
    {
        let word = match operator {
            Operator::Equals | Operator::DoubleEquals => {
                let value = values.first().cloned().unwrap_or_default();
                found.set_path(&["matchLabels", key], Value::Str(value));
                continue;
            }
            Operator::NotEquals | Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            _ => "In",
        };
        let values: Vec<Value> = values.iter().cloned().map(Value::Str).collect();
        let mut expression = object!({ "key": (Value::Str(key.clone())), "operator": (word) });
        expression.set_or_remove("values", Value::from(values));
        expressions.push(expression);
    }
    found.set_or_remove("matchExpressions", Value::from(expressions));
    found
}
