//! Runs a template's nodes.
//!
//! Models text/template/exec.go.

use api::Value;

use super::functions::call;
use super::parse::{Branch, Node, Operand, Pipe, Templates, What};
use super::printf::plain;

/// Why a run stopped before its end.
enum Stop {
    Break,
    Continue,
    Failed(String),
}

type Run<T = ()> = Result<T, Stop>;

/// How deep templates may call each other; upstream lets them go deeper, on a stack that grows.
const DEEPEST: usize = 200;

struct Machine<'a> {
    template: &'a str,
    templates: &'a Templates,
    /// The templates that are running, the innermost last.
    running: Vec<&'a str>,
    strict: bool,
    variables: Vec<(String, Value)>,
    out: String,
}

/// The text of a template, as far as it came, and why it did not come further.
pub(super) fn run(
    template: &str,
    templates: &Templates,
    data: &Value,
    strict: bool,
) -> (String, Option<String>) {
    let mut machine = Machine {
        template,
        templates,
        running: vec!["output"],
        strict,
        variables: vec![("$".to_owned(), data.clone())],
        out: String::new(),
    };
    let failed = match machine.list(&templates.nodes, data) {
        Err(Stop::Failed(why)) => Some(why),
        _ => None,
    };
    (machine.out, failed)
}

/// Whether a value counts as true.
pub(super) fn truth(value: &Value) -> bool {
    !value.is_zero()
}

impl Machine<'_> {
    fn list(&mut self, nodes: &[Node], dot: &Value) -> Run {
        for node in nodes {
            match node {
                Node::Text(text) => self.out.push_str(text),
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        match value {
                            Value::Null => self.out.push_str("<no value>"),
                            value => self.out.push_str(&plain(&value)),
                        }
                    }
                }
                Node::Call(name, pipe, at) => self.call(name, pipe.as_ref(), *at, dot)?,
                Node::Leave(true) => return Err(Stop::Break),
                Node::Leave(false) => return Err(Stop::Continue),
                Node::Branch(branch, pipe, body, other) => {
                    let scope = self.variables.len();
                    let done = match branch {
                        Branch::Range => self.range(pipe, body, other, dot),
                        _ => self.either(*branch, pipe, body, other, dot),
                    };
                    self.variables.truncate(scope);
                    done?;
                }
            }
        }
        Ok(())
    }

    fn call(&mut self, name: &str, pipe: Option<&Pipe>, at: usize, dot: &Value) -> Run {
        let templates = self.templates;
        let Some((name, nodes)) = templates.named.get_key_value(name) else {
            let from = self.template[..at].rfind("{{").unwrap_or(at);
            let to = self.template[at..].find("}}").map_or(at, |to| at + to + 2);
            let why = format!("template {name:?} not defined");
            return Err(self.failed_at(at, &self.template[from..to], &why));
        };
        let value = match pipe {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => Value::Null,
        };
        if self.running.len() > DEEPEST {
            let why = format!("exceeded maximum template depth ({DEEPEST})");
            return Err(self.failed_at(at, name, &why));
        }
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), value.clone())]);
        self.running.push(name);
        let done = self.list(nodes, &value);
        self.variables = outer;
        // A failure is told by the template it happened in; one that is left is no failure.
        self.running.pop();
        done
    }

    fn either(
        &mut self,
        branch: Branch,
        pipe: &Pipe,
        body: &[Node],
        other: &[Node],
        dot: &Value,
    ) -> Run {
        let value = self.pipe(pipe, dot)?;
        match (truth(&value), branch) {
            (true, Branch::With) => self.list(body, &value),
            (true, _) => self.list(body, dot),
            (false, _) => self.list(other, dot),
        }
    }

    fn range(&mut self, pipe: &Pipe, body: &[Node], other: &[Node], dot: &Value) -> Run {
        let value = self.evaluate(pipe, dot)?;
        let pairs: Vec<(Value, Value)> = match &value {
            Value::List(items) => (0i64..)
                .map(Value::from)
                .zip(items.iter().cloned())
                .collect(),
            Value::Map(map) => map
                .iter()
                .map(|(key, item)| (Value::from(&**key), item.clone()))
                .collect(),
            Value::Int(n) => (0..*n).map(|n| (n.into(), n.into())).collect(),
            Value::Null => Vec::new(),
            value => {
                let why = format!("range can't iterate over {}", plain(value));
                let at = pipe.commands.first().and_then(|command| command.first());
                return Err(self.failed(at, &why));
            }
        };
        if pairs.is_empty() {
            return self.list(other, dot);
        }
        for (key, item) in pairs {
            let scope = self.variables.len();
            match pipe.variables.as_slice() {
                [only] => self.bind(only, item.clone(), pipe.assigns),
                [first, second] => {
                    self.bind(first, key, pipe.assigns);
                    self.bind(second, item.clone(), pipe.assigns);
                }
                _ => {}
            }
            let done = self.list(body, &item);
            self.variables.truncate(scope);
            match done {
                Err(Stop::Break) => break,
                Ok(()) | Err(Stop::Continue) => {}
                Err(failed) => return Err(failed),
            }
        }
        Ok(())
    }

    fn bind(&mut self, name: &str, value: Value, assigns: bool) {
        let known = self.variables.iter_mut().rev().find(|(n, _)| n == name);
        match known {
            Some((_, slot)) if assigns => *slot = value,
            _ => self.variables.push((name.to_owned(), value)),
        }
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Run<Value> {
        let value = self.evaluate(pipe, dot)?;
        for name in &pipe.variables {
            self.bind(name, value.clone(), pipe.assigns);
        }
        Ok(value)
    }

    fn evaluate(&mut self, pipe: &Pipe, dot: &Value) -> Run<Value> {
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or_default())
    }

    fn command(&mut self, words: &[Operand], dot: &Value, last: Option<Value>) -> Run<Value> {
        let Some((first, rest)) = words.split_first() else {
            return Ok(Value::Null);
        };
        let What::Function(name) = &first.what else {
            if matches!(first.what, What::Literal(Value::Null)) {
                return Err(self.failed(Some(first), "nil is not a command"));
            }
            if !rest.is_empty() || last.is_some() {
                let why = format!("can't give argument to non-function {}", first.text);
                return Err(self.failed(Some(first), &why));
            }
            return self.operand(first, dot);
        };
        let mut values = Vec::new();
        for word in rest {
            let value = self.operand(word, dot)?;
            let decided = match name.as_str() {
                "and" => !truth(&value),
                "or" => truth(&value),
                _ => false,
            };
            values.push(value.clone());
            if decided {
                return Ok(value);
            }
        }
        values.extend(last);
        let made = call(name, &values).map_err(|why| match why.starts_with("error calling") {
            true => {
                let end = self.end_of(words);
                self.failed_at(first.at, &self.template[first.at..end], &why)
            }
            false => self.failed(Some(first), &why),
        })?;
        self.fields(made, first)
    }

    fn operand(&mut self, word: &Operand, dot: &Value) -> Run<Value> {
        let base = match &word.what {
            What::Dot => dot.clone(),
            What::Literal(value) => value.clone(),
            What::Variable(name) => self
                .variables
                .iter()
                .rev()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.clone())
                .unwrap_or_default(),
            What::Pipe(pipe) => self.pipe(pipe, dot)?,
            What::Function(_) => return self.command(std::slice::from_ref(word), dot, None),
        };
        self.fields(base, word)
    }

    fn fields(&self, base: Value, word: &Operand) -> Run<Value> {
        let mut value = base;
        for field in &word.fields {
            value = match &value {
                Value::Map(map) => match map.get(field) {
                    Some(found) => found.clone(),
                    None if self.strict => {
                        let why = format!("map has no entry for key {field:?}");
                        return Err(self.failed(Some(word), &why));
                    }
                    None => Value::Null,
                },
                Value::Null if self.strict => {
                    let why = format!("nil data; no entry for key {field:?}");
                    return Err(self.failed(Some(word), &why));
                }
                Value::Null => Value::Null,
                _ => {
                    let why = format!("can't evaluate field {field} in type interface {{}}");
                    return Err(self.failed(Some(word), &why));
                }
            };
        }
        Ok(value)
    }

    /// `template: output:1:7: executing "output" at <.a.b>: why`.
    fn failed(&self, word: Option<&Operand>, why: &str) -> Stop {
        let (at, text) = word.map_or((0, ""), |word| (word.at, word.text.as_str()));
        self.failed_at(at, text, why)
    }

    /// Where the words of a command end in the template's text.
    fn end_of(&self, words: &[Operand]) -> usize {
        let Some(last) = words.last() else {
            return 0;
        };
        let rest = &self.template[last.at.min(self.template.len())..];
        let mut depth = 0;
        let mut quoted = None;
        for (at, c) in rest.char_indices() {
            match (quoted, c) {
                (Some(quote), c) if c == quote => quoted = None,
                (Some(_), _) => {}
                (None, '"' | '`' | '\'') => quoted = Some(c),
                (None, '(') => depth += 1,
                (None, ')') if depth > 0 => depth -= 1,
                (None, ')' | '}' | '|') if depth == 0 => {
                    return last.at + rest[..at].trim_end().len();
                }
                (None, _) => {}
            }
        }
        self.template.len()
    }

    fn failed_at(&self, at: usize, text: &str, why: &str) -> Stop {
        let name = self.running.last().copied().unwrap_or("output");
        let before = &self.template[..at.min(self.template.len())];
        let line = 1 + before.matches('\n').count();
        let column = before.rfind('\n').map_or(at, |newline| at - newline - 1);
        Stop::Failed(format!(
            "template: output:{line}:{column}: executing {name:?} at <{text}>: {why}"
        ))
    }
}
