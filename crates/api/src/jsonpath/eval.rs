//! Walks a value along a template. Models client-go/util/jsonpath/jsonpath.go.

use std::cmp::Ordering;

use crate::jsonpath::{Node, Param};
use crate::{Value, go};

type Step<T> = Result<T, String>;

/// How far ranges are open.
struct State {
    allow_missing: bool,
    begin: usize,
    open: usize,
    end: usize,
    /// Which node ended a range last, counted from the start of the template.
    last_end: usize,
}

pub(super) fn find(nodes: &[Node], data: &Value, allow_missing: bool) -> Step<Vec<Vec<Value>>> {
    let mut state = State {
        allow_missing,
        begin: 0,
        open: 0,
        end: 0,
        last_end: 0,
    };
    state.results(nodes, 0, Some(data))
}

impl State {
    /// The results of the nodes from `from` on: to the end, or to the end of the range.
    fn results(
        &mut self,
        nodes: &[Node],
        from: usize,
        data: Option<&Value>,
    ) -> Step<Vec<Vec<Value>>> {
        let input: Vec<Value> = data.into_iter().cloned().collect();
        let mut out = Vec::new();
        let mut i = from;
        while i < nodes.len() {
            let results = self.walk(&input, &nodes[i])?;
            if self.end > 0 && self.end <= self.open {
                self.end -= 1;
                self.last_end = i;
                break;
            }
            if self.begin == 0 {
                out.push(results);
                i += 1;
                continue;
            }
            self.begin -= 1;
            self.open += 1;
            for value in &results {
                out.extend(self.results(nodes, i + 1, Some(value))?);
            }
            if results.is_empty() {
                // Walked with nothing, only to learn where the range ends.
                self.results(nodes, i + 1, None)?;
            }
            self.open -= 1;
            i = if self.last_end > i {
                self.last_end + 1
            } else {
                i + 1
            };
        }
        Ok(out)
    }

    fn walk(&mut self, input: &[Value], node: &Node) -> Step<Vec<Value>> {
        let constant = |value: Value| Ok(input.iter().map(|_| value.clone()).collect());
        match node {
            Node::List(nodes) => self.list(input, nodes),
            Node::Text(text) => Ok(vec![Value::from(text)]),
            Node::Field(name) => self.field(input, name),
            Node::Array(params) => array(input, params),
            Node::Filter {
                left,
                operator,
                right,
            } => self.filter(input, left, operator, right),
            Node::Int(n) => constant(Value::Int(*n)),
            Node::Float(n) => constant(Value::from(*n)),
            Node::Bool(b) => constant(Value::Bool(*b)),
            Node::Wildcard => Ok(input.iter().flat_map(children).collect()),
            Node::Recursive => Ok(recursive(input)),
            Node::Union(lists) => {
                let mut out = Vec::new();
                for nodes in lists {
                    out.extend(self.list(input, nodes)?);
                }
                Ok(out)
            }
            Node::Identifier(name) => match name.as_str() {
                "range" => {
                    self.begin += 1;
                    Ok(input.to_vec())
                }
                "end" if self.open > 0 => {
                    self.end += 1;
                    Ok(Vec::new())
                }
                "end" => Err("not in range, nothing to end".into()),
                _ => Err(format!("unrecognized identifier {name}")),
            },
        }
    }

    fn list(&mut self, input: &[Value], nodes: &[Node]) -> Step<Vec<Value>> {
        let mut values = input.to_vec();
        for node in nodes {
            values = self.walk(&values, node)?;
        }
        Ok(values)
    }

    fn field(&self, input: &[Value], name: &str) -> Step<Vec<Value>> {
        let found = input.iter().filter_map(|value| match value {
            // A path that ends here, `{.}`, is the object itself.
            _ if name.is_empty() => Some(value.clone()),
            Value::Map(map) => map.get(name).cloned(),
            _ => None,
        });
        let found: Vec<Value> = found.collect();
        if found.is_empty() && !input.is_empty() && !self.allow_missing {
            return Err(format!("{name} is not found"));
        }
        Ok(found)
    }

    fn filter(
        &mut self,
        input: &[Value],
        left: &[Node],
        operator: &str,
        right: &[Node],
    ) -> Step<Vec<Value>> {
        let mut out = Vec::new();
        for value in input {
            let Value::List(items) = value else {
                let value = go::plain(value);
                return Err(format!(
                    "{value} is not array or slice and cannot be filtered"
                ));
            };
            for item in items.iter() {
                let here = std::slice::from_ref(item);
                let lefts = self.list(here, left);
                if operator == "exists" {
                    if lefts.is_ok_and(|lefts| !lefts.is_empty()) {
                        out.push(item.clone());
                    }
                    continue;
                }
                let lefts = lefts?;
                let Some(left) = single(&lefts)? else {
                    continue;
                };
                let rights = self.list(here, right)?;
                let Some(right) = single(&rights)? else {
                    continue;
                };
                if compare(left, operator, right)? {
                    out.push(item.clone());
                }
            }
        }
        Ok(out)
    }
}

fn single(values: &[Value]) -> Step<Option<&Value>> {
    match values {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err("can only compare one element at a time".into()),
    }
}

fn compare(left: &Value, operator: &str, right: &Value) -> Step<bool> {
    let ordering = match (left, right) {
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => match operator {
            "==" | "!=" => a.cmp(b),
            _ => return Err("invalid type for comparison".into()),
        },
        (Value::Null | Value::List(_) | Value::Map(_), _)
        | (_, Value::Null | Value::List(_) | Value::Map(_)) => {
            return Err("invalid type for comparison".into());
        }
        _ => return Err("incompatible types for comparison".into()),
    };
    Ok(match operator {
        "==" => ordering == Ordering::Equal,
        "!=" => ordering != Ordering::Equal,
        "<" => ordering == Ordering::Less,
        "<=" => ordering != Ordering::Greater,
        ">" => ordering == Ordering::Greater,
        ">=" => ordering != Ordering::Less,
        _ => return Err(format!("unrecognized filter operator {operator}")),
    })
}

fn array(input: &[Value], params: &[Param; 3]) -> Step<Vec<Value>> {
    let mut out = Vec::new();
    for value in input.iter().filter(|value| !value.is_null()) {
        let Value::List(items) = value else {
            return Err(format!("{} is not array or slice", go_type(value)));
        };
        let len = items.len() as i64;
        let [mut from, mut to, step] = *params;
        if from.value < 0 {
            from.value += len;
        }
        if !to.known {
            to.value = len;
        }
        if to.value < 0 || (to.value == 0 && to.derived) {
            to.value += len;
        }
        if from.value == to.value {
            return Ok(out);
        }
        let outside =
            |index: i64| format!("array index out of bounds: index {index}, length {len}");
        if from.value >= len || from.value < 0 {
            return Err(outside(from.value));
        }
        if to.value > len || to.value < 0 {
            return Err(outside(to.value - 1));
        }
        if from.value > to.value {
            let (from, to) = (from.value, to.value);
            return Err(format!(
                "starting index {from} is greater than ending index {to}"
            ));
        }
        let step = if step.known { step.value } else { 1 };
        if step <= 0 {
            return Err("step must be > 0".into());
        }
        let picked = &items[from.value as usize..to.value as usize];
        out.extend(picked.iter().step_by(step as usize).cloned());
    }
    Ok(out)
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}

fn children(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        Value::Map(map) => map.values().cloned().collect(),
        _ => Vec::new(),
    }
}

/// Every value that has something in it, from the outside in.
fn recursive(input: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    for value in input {
        let inner = children(value);
        if !inner.is_empty() || !value.as_str().is_empty() {
            out.push(value.clone());
            out.extend(recursive(&inner));
        }
    }
    out
}
