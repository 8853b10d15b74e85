//! kubectl's JSONPath templates: `{range .items[*]}{.metadata.name}{"\n"}{end}`.
//! Models k8s.io/client-go/util/jsonpath, whose sentences the errors are.

mod eval;
mod parse;

use crate::{Value, go};

/// A template that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    nodes: Vec<Node>,
    /// Whether a key that is not there is no error: so it is for output, not for sorting.
    allow_missing: bool,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(String),
    List(Vec<Node>),
    Field(String),
    Identifier(String),
    Array([Param; 3]),
    Union(Vec<Vec<Node>>),
    Filter {
        left: Vec<Node>,
        operator: String,
        right: Vec<Node>,
    },
    Int(i64),
    Float(f64),
    Bool(bool),
    Wildcard,
    Recursive,
}

/// A part of `[from:to:step]`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Param {
    value: i64,
    known: bool,
    /// Made from another part: `[2]` is `[2:3]`.
    derived: bool,
}

impl JsonPath {
    /// Reads a template; keys that are not there are no error. kubectl says
    /// `error parsing jsonpath <template>, <error>`.
    pub fn parse(template: &str) -> Result<JsonPath, String> {
        Ok(JsonPath {
            nodes: parse::template(template)?,
            allow_missing: true,
        })
    }

    /// The same template, for which keys that are not there are an error: `x is not found`.
    pub fn strict(self) -> JsonPath {
        JsonPath {
            allow_missing: false,
            ..self
        }
    }

    /// What each part of the template found.
    pub fn find(&self, data: &Value) -> Result<Vec<Vec<Value>>, String> {
        eval::find(&self.nodes, data, self.allow_missing)
    }

    /// What the template prints for an object. kubectl says
    /// `error executing jsonpath "<template>": Error executing template: <error>. …`.
    pub fn print(&self, data: &Value) -> Result<String, String> {
        let mut out = String::new();
        for results in self.find(data)? {
            for (i, result) in results.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                out.push_str(&text(result));
            }
        }
        Ok(out)
    }

    /// The same as `-o jsonpath-as-json` prints it: a list for each part.
    pub fn print_json(&self, data: &Value) -> Result<String, String> {
        let lists = self.find(data)?;
        let lists = lists
            .into_iter()
            .map(|results| Value::list_of(results).to_json_pretty() + "\n");
        Ok(lists.collect())
    }
}

/// A result as it is printed: text as it is, collections as JSON.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Str(text) => text.to_string(),
        Value::Float(n) => go::float(n.get()),
        other => other.to_json(),
    }
}

/// The template of a path as `--sort-by` and custom columns take it: `x`, `.x`, `{x}` and `{.x}` are
/// all `{.x}`.
pub fn relaxed(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let inner = path
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(path);
    let inner = inner.strip_prefix('.').unwrap_or(inner);
    if inner.is_empty() || inner.contains(['{', '}']) {
        return Err(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or \
                    '{name1.name2}' or '{.name1.name2}'"
                .into(),
        );
    }
    Ok(format!("{{.{inner}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{object, value};

    fn list() -> Value {
        let pod = |name: &str, image: &str, phase: &str, n: i64| {
            object! {
                "metadata": { "name": name, "labels": { "app": name, "a.b/c": "dotted" } },
                "spec": { "containers": [{ "name": "c", "image": image }], "n": n },
                "status": { "phase": phase, "image": image },
            }
        };
        object! {
            "kind": "List",
            "items": [(pod("a", "x:1", "Running", 1)), (pod("b", "y:2", "Pending", 2)), (pod("c", "z:3", "Running", 3))],
            "ratio": 0.5, "on": true, "nothing": null,
        }
    }

    #[track_caller]
    fn check(template: &str, want: &str) {
        let path = JsonPath::parse(template).expect(template);
        assert_eq!(path.print(&list()).as_deref(), Ok(want), "{template}");
    }

    #[test]
    fn templates() {
        check("{.kind} {.items[0].metadata.name}", "List a");
        check("{.items[*].metadata.name}", "a b c");
        check(
            "{range .items[*]}{.metadata.name}{\"\\t\"}{.spec.n}{\"\\n\"}{end}",
            "a\t1\nb\t2\nc\t3\n",
        );
        check("{range .items[*]}{.metadata.name}{','}{end}!", "a,b,c,!");
        check(
            "{.items[?(@.metadata.name==\"b\")].spec.containers[0].image}",
            "y:2",
        );
        check("{.items[?(@.metadata.name=='b')].spec.n}", "2");
        check(
            "{range .items[?(@.status.phase!=\"Pending\")]}{.metadata.name}{','}{end}",
            "a,c,",
        );
        check("{.items[?(@.spec.n>1)].metadata.name}", "b c");
        check("{.items[?(@.spec.n<=2)].metadata.name}", "a b");
        check("{.items[?(@.spec.none)].metadata.name}", "");
        check("{.items[?(@.spec.n)].metadata.name}", "a b c");
        check(
            "{.items[*]['metadata.name','status.phase']}",
            "a b c Running Pending Running",
        );
        check("{.items[-1:].metadata.name}", "c");
        check("{.items[-1].metadata.name}", "c");
        check("{.items[0:2].metadata.name}", "a b");
        check("{.items[::2].metadata.name}", "a c");
        check("{.items[0,2].metadata.name}", "a c");
        check("{.items[0].metadata.labels.a\\.b/c}", "dotted");
        check("{.items[0].metadata.labels['a\\.b/c']}", "dotted");
        check(
            "{.items[0].metadata.labels}",
            r#"{"a.b/c":"dotted","app":"a"}"#,
        );
        check("{.items[0]..image}", "x:1 x:1");
        check("{.items[0].metadata.labels.*}", "dotted a");
        check("{.nosuch.x}{.items[0].items[0]}", "");
        check("{.ratio} {.on} {.nothing}", "0.5 true null");
        check("{$.kind}{@.kind}", "ListList");
        check("{.items[0:0]}", "");
        check("plain", "plain");
        check(
            "{range .items[*]}{range .spec.containers[*]}{.name}{end};{end}",
            "c;c;c;",
        );
        check("{range .none[*]}{.x}{end}after", "after");
        check("{\"quote \\\" here\"}", "quote \" here");
    }

    #[test]
    fn errors_of_reading() {
        #[track_caller]
        fn check(template: &str, want: &str) {
            assert_eq!(
                JsonPath::parse(template),
                Err(want.to_owned()),
                "{template}"
            );
        }
        check("{nosuch", "unclosed action");
        check("{.items[?(@.x=]}", "unterminated filter");
        check("{.items[0}", "unterminated array");
        check("{.items[x]}", "invalid array index x");
        check("{\"x}", "unterminated quoted string");
        check("{.a....b}", "invalid multiple recursive descent");
        check("{%}", "unrecognized character in action: U+0025 '%'");
        check("{.items[?(@.x)}", "unclosed array expect ]");
    }

    #[test]
    fn errors_of_running() {
        #[track_caller]
        fn check(template: &str, want: &str) {
            let path = JsonPath::parse(template).expect(template);
            assert_eq!(path.print(&list()), Err(want.to_owned()), "{template}");
        }
        check(
            "{.items[99]}",
            "array index out of bounds: index 99, length 3",
        );
        check("{.kind[0]}", "string is not array or slice");
        check("{nosuch}", "unrecognized identifier nosuch");
        check("{end}", "not in range, nothing to end");
        check(
            "{.items[?(@.spec.n==\"1\")]}",
            "incompatible types for comparison",
        );
        check("{.items[::0]}", "step must be > 0");
        let strict = JsonPath::parse("{.nosuch}").expect("valid").strict();
        assert_eq!(strict.print(&list()), Err("nosuch is not found".to_owned()));
    }

    #[test]
    fn other_forms() {
        let path = JsonPath::parse("{.metadata.labels}").expect("valid");
        assert_eq!(
            path.print_json(&object! { "metadata": { "labels": { "app": "x" } } })
                .as_deref(),
            Ok("[\n    {\n        \"app\": \"x\"\n    }\n]\n")
        );
        for form in ["x.y", ".x.y", "{x.y}", "{.x.y}"] {
            assert_eq!(relaxed(form).as_deref(), Ok("{.x.y}"));
        }
        assert!(relaxed("{x").is_err());
        assert_eq!(text(&value!(1e6)), "1e+06");
    }
}
