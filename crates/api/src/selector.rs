//! Which objects a selector picks: by labels (the string form and the LabelSelector object) and by
//! fields. Models k8s.io/apimachinery/pkg/labels and pkg/fields.

mod fields;
mod parse;
mod validate;

use std::fmt;

use crate::{Map, Str, Value, go};

pub use fields::{FieldSelector, FieldTerm};
pub use validate::validate_label_selector;

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The value is one of these.
    In,
    /// The key is absent or its value none of these.
    NotIn,
    /// `=`
    Equals,
    /// `==`, the same.
    DoubleEquals,
    /// `!=`: the key is absent or its value another.
    NotEquals,
    /// The key is present.
    Exists,
    /// The key is absent.
    DoesNotExist,
    /// The value is a number greater than this.
    GreaterThan,
    /// The value is a number less than this.
    LessThan,
}

/// One condition on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The key.
    pub key: Str,
    /// The comparison.
    pub operator: Operator,
    /// What to compare with, sorted, without repetition.
    pub values: Vec<Str>,
}

impl Requirement {
    /// Whether the labels meet this condition.
    pub fn matches(&self, labels: &Map) -> bool {
        let value = labels.get(&self.key).map(Value::as_str);
        let among = |value: &str| self.values.iter().any(|v| v.as_str() == value);
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => value.is_some_and(among),
            Operator::NotIn | Operator::NotEquals => !value.is_some_and(among),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => self.compare(value).is_some_and(|(a, b)| a > b),
            Operator::LessThan => self.compare(value).is_some_and(|(a, b)| a < b),
        }
    }

    fn compare(&self, value: Option<&str>) -> Option<(i64, i64)> {
        Some((value?.parse().ok()?, self.values.first()?.parse().ok()?))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values.join(",");
        let key = &self.key;
        match self.operator {
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}

/// Conditions on labels that must all be met, or the selector that picks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    /// The conditions in the order of their keys.
    pub requirements: Vec<Requirement>,
    /// Whether nothing is picked, whatever the conditions say.
    pub nothing: bool,
}

impl LabelSelector {
    /// Picks every object.
    pub fn everything() -> Self {
        LabelSelector::default()
    }

    /// Picks no object.
    pub fn nothing() -> Self {
        LabelSelector {
            requirements: Vec::new(),
            nothing: true,
        }
    }

    fn of(mut requirements: Vec<Requirement>) -> Self {
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        LabelSelector {
            requirements,
            nothing: false,
        }
    }

    /// Reads the string form: `a=b,c in (d,e),!f,g>5`. The error is upstream's sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::parse(text).map(LabelSelector::of)
    }

    /// Picks what has all these labels: the selector of a Service or ReplicationController.
    pub fn from_map(labels: &Map) -> Self {
        LabelSelector::of(equalities(labels).collect())
    }

    /// Reads a LabelSelector object. Null picks nothing, an empty one everything.
    pub fn from_object(selector: &Value) -> Result<Self, String> {
        if selector.is_null() {
            return Ok(LabelSelector::nothing());
        }
        let mut requirements: Vec<_> = equalities(selector.get("matchLabels").entries()).collect();
        for expression in selector.get("matchExpressions").list() {
            let operator = match expression.str("operator") {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => {
                    let quoted = go::quote(other);
                    return Err(format!("{quoted} is not a valid label selector operator"));
                }
            };
            requirements.push(expression_requirement(expression, operator));
        }
        Ok(LabelSelector::of(requirements))
    }

    /// Reads `matchExpressions` of a node selector term, which may also say `Gt` and `Lt`.
    pub fn from_node_expressions(expressions: &[Value]) -> Result<Self, String> {
        let mut requirements = Vec::with_capacity(expressions.len());
        for expression in expressions {
            let operator = match expression.str("operator") {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                "Gt" => Operator::GreaterThan,
                "Lt" => Operator::LessThan,
                other => {
                    return Err(format!(
                        "{} is not a valid node selector operator",
                        go::quote(other)
                    ));
                }
            };
            requirements.push(expression_requirement(expression, operator));
        }
        Ok(LabelSelector::of(requirements))
    }

    /// Whether the labels meet every condition.
    pub fn matches(&self, labels: &Map) -> bool {
        !self.nothing && self.requirements.iter().all(|r| r.matches(labels))
    }

    /// Whether every object is picked.
    pub fn is_everything(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }

    /// The value a key must have, where the selector says so: lets a store go by an index.
    pub fn exact(&self, key: &str) -> Option<&str> {
        let one = self.requirements.iter().find(|r| {
            r.key == key
                && r.values.len() == 1
                && matches!(
                    r.operator,
                    Operator::In | Operator::Equals | Operator::DoubleEquals
                )
        })?;
        Some(&one.values[0])
    }
}

fn equalities(labels: &Map) -> impl Iterator<Item = Requirement> + '_ {
    labels.iter().map(|(key, value)| Requirement {
        key: key.clone(),
        operator: Operator::Equals,
        values: vec![Str::from(value.as_str())],
    })
}

fn expression_requirement(expression: &Value, operator: Operator) -> Requirement {
    let values = expression.get("values").list();
    let mut values: Vec<Str> = values
        .iter()
        .filter_map(|v| v.as_shared_str().cloned())
        .collect();
    values.sort();
    values.dedup();
    Requirement {
        key: Str::from(expression.str("key")),
        operator,
        values,
    }
}

impl fmt::Display for LabelSelector {
    /// The string form, as `describe` shows it and `-l` takes it; empty for everything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, requirement) in self.requirements.iter().enumerate() {
            f.write_str(if i > 0 { "," } else { "" })?;
            requirement.fmt(f)?;
        }
        Ok(())
    }
}

/// A LabelSelector object as `kubectl describe` writes it; `<none>` if it is empty.
pub fn format_label_selector(selector: &Value) -> String {
    match LabelSelector::from_object(selector) {
        Ok(parsed) if parsed.requirements.is_empty() => "<none>".to_owned(),
        Ok(parsed) => parsed.to_string(),
        Err(_) => "<error>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[track_caller]
    fn check(selector: &str, labels: Value, want: bool) {
        let parsed = LabelSelector::parse(selector).expect(selector);
        assert_eq!(
            parsed.matches(labels.entries()),
            want,
            "{selector} on {labels}"
        );
    }

    #[test]
    fn matching() {
        let web = || object! { "app": "web", "tier": "front", "n": "5" };
        check("", web(), true);
        check("app=web", web(), true);
        check("app==web,tier=back", web(), false);
        check("app!=web", web(), false);
        check("nope!=web", web(), true);
        check("app in (api,web)", web(), true);
        check("app notin (api)", web(), true);
        check("app", web(), true);
        check("!app", web(), false);
        check("!nope,n>4,n<6", web(), true);
        check("n>5", web(), false);
        check("app>5", web(), false);
        check("empty=", object! { "empty": "" }, true);
    }

    #[test]
    fn objects() {
        #[track_caller]
        fn check(selector: Value, text: &str, matches: bool) {
            let parsed = LabelSelector::from_object(&selector).expect("valid");
            assert_eq!(parsed.to_string(), text);
            assert_eq!(parsed.matches(object! { "app": "web" }.entries()), matches);
        }
        check(Value::Null, "", false);
        check(object! {}, "", true);
        check(object! { "matchLabels": { "app": "web" } }, "app=web", true);
        check(
            object! { "matchExpressions": [
                { "key": "x", "operator": "DoesNotExist" },
                { "key": "app", "operator": "In", "values": ["web", "api"] },
            ] },
            "app in (api,web),!x",
            true,
        );
        let bad = object! { "matchExpressions": [{ "key": "x", "operator": "Is" }] };
        assert_eq!(
            LabelSelector::from_object(&bad),
            Err("\"Is\" is not a valid label selector operator".to_owned())
        );
        assert_eq!(format_label_selector(&object! {}), "<none>");
        let terms = [object! { "key": "n", "operator": "Gt", "values": ["4"] }];
        let gt = LabelSelector::from_node_expressions(&terms).expect("valid");
        assert!(gt.matches(object! { "n": "5" }.entries()));
        assert_eq!(LabelSelector::parse("a=b,c").unwrap().exact("a"), Some("b"));
    }
}
