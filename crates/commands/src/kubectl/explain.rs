//! `kubectl explain`: what the fields of a kind mean, as the server's OpenAPI documents say.
//!
//! Models kubectl/pkg/cmd/explain and kubectl/pkg/explain/v2 with its template `plaintext`.

use std::fmt::Write as _;

use api::Value;

use super::Verb;
use super::discovery::{Discovery, Resource};
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::session::{Call, Session};

const FLAGS: &[Flag] = &[
    value("api-version"),
    value("output").short('o'),
    switch("recursive"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "explain",
    summary: "Get documentation for a resource",
    usage: "kubectl explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] \
            [-o|--output=plaintext|plaintext-openapiv2] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(explain(session, line)),
};

/// The widths at which descriptions are wrapped.
const WIDTH: usize = 76;
const FIELD_WIDTH: usize = 78;

async fn explain(session: &Session, line: &Line) -> Outcome {
    let word = match line.args.as_slice() {
        [] => {
            return Err(Failure::message(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" \
                 for a complete list of supported resources.",
            ));
        }
        [word] => word,
        _ => {
            return Err(Failure::message(
                "We accept only this format: explain RESOURCE",
            ));
        }
    };
    let discovery = session.discovery().await?;
    let (resource, fields) = meant(&discovery, word)?;
    match line.get("output") {
        None | Some("plaintext") => {}
        Some("plaintext-openapiv2") => {
            let why = sim::unmodelled!("kubectl explain --output=plaintext-openapiv2");
            return Err(Failure::message(why.to_string()));
        }
        Some(other) => return Err(Failure::message(format!("unrecognized format: {other}"))),
    }
    let (group, version) = match line.get("api-version").filter(|text| !text.is_empty()) {
        Some(given) => given.split_once('/').unwrap_or(("", given)),
        None => (resource.group.as_str(), resource.version.as_str()),
    };
    let document = document(session, (group, version), &resource.plural).await?;
    let kind = kind_of(&document, (group, version), &resource.plural)?;
    let mut text = String::new();
    if !kind.str("group").is_empty() {
        let _ = writeln!(text, "GROUP:      {}", kind.str("group"));
    }
    let _ = writeln!(text, "KIND:       {}", kind.str("kind"));
    let _ = writeln!(text, "VERSION:    {}\n", kind.str("version"));
    let explained = Explain {
        document: &document,
        recursive: line.on("recursive"),
    };
    let body = explained.kind(kind, &fields);
    text.push_str(body.as_deref().unwrap_or_default());
    session.io.print(&text).await;
    match (body, fields.last()) {
        (Some(_), _) => {
            session.io.print("\n").await;
            Ok(())
        }
        (None, Some(field)) => Err(Failure::message(format!("field {field:?} does not exist"))),
        (None, None) => Err(Failure::message(format!(
            "GVK {} not found in OpenAPI schema",
            kind.to_json()
        ))),
    }
}

/// The resource and the fields below it: `deploy.spec.template`, `deployments.apps.spec`.
fn meant<'a>(discovery: &'a Discovery, word: &str) -> Outcome<(&'a Resource, Vec<String>)> {
    let first = word.split('.').next().unwrap_or(word);
    if first.is_empty() {
        return Err(Failure::message(
            "invalid jsonpath syntax, first node must be field node",
        ));
    }
    let split = |rest: &str| -> Vec<String> {
        let fields = rest.split('.').filter(|field| !field.is_empty());
        fields.map(str::to_owned).collect()
    };
    let qualified = discovery.resources.iter().find_map(|resource| {
        let rest = word.strip_prefix(&resource.qualified())?;
        let whole = !resource.group.is_empty() && (rest.is_empty() || rest.starts_with('.'));
        whole.then_some((resource, rest))
    });
    if let Some((resource, rest)) = qualified {
        return Ok((resource, split(rest)));
    }
    let resource = discovery.find(first).ok_or_else(|| {
        Failure::Plain(format!("the server doesn't have a resource type {first:?}"))
    })?;
    Ok((
        resource,
        split(word.strip_prefix(first).unwrap_or_default()),
    ))
}

/// The document of a version of a group.
async fn document(
    session: &Session,
    (group, version): (&str, &str),
    plural: &str,
) -> Outcome<Value> {
    let index = session.call(Call::get("/openapi/v3")).await?;
    let path = match group {
        "" => format!("api/{version}"),
        group => format!("apis/{group}/{version}"),
    };
    let known = index.get("paths").get(&path);
    let target = known.str("serverRelativeURL");
    if target.is_empty() {
        return Err(Failure::message(format!(
            "couldn't find resource for \"{group}/{version}, Resource={plural}\""
        )));
    }
    session.call(Call::get(target)).await
}

/// Group, version and kind of what is served at the path of a resource.
fn kind_of<'a>(
    document: &'a Value,
    (group, version): (&str, &str),
    plural: &str,
) -> Outcome<&'a Value> {
    let prefix = match group {
        "" => format!("/api/{version}"),
        group => format!("/apis/{group}/{version}"),
    };
    let paths = [
        format!("{prefix}/{plural}"),
        format!("{prefix}/{plural}/{{name}}"),
        format!("{prefix}/namespaces/{{namespace}}/{plural}"),
        format!("{prefix}/namespaces/{{namespace}}/{plural}/{{name}}"),
    ];
    let methods = ["get", "post", "put", "patch", "delete"];
    for path in paths {
        let served = document.get("paths").get(&path);
        for method in methods {
            let kind = served.get(method).get("x-kubernetes-group-version-kind");
            if !kind.is_null() {
                return Ok(kind);
            }
        }
    }
    Err(Failure::message(format!(
        "GVR ({group}/{version}, Resource={plural}) not found in OpenAPI schema"
    )))
}

/// Explains the schemas of a document.
struct Explain<'a> {
    document: &'a Value,
    recursive: bool,
}

impl<'a> Explain<'a> {
    /// What is said of a field of a kind; `None` where it has no such field.
    fn kind(&self, kind: &Value, fields: &[String]) -> Option<String> {
        let schemas = self.document.at("components.schemas").entries();
        let of = |schema: &&Value| {
            let kinds = schema.get("x-kubernetes-group-version-kind").list();
            kinds.iter().any(|known| known.same(kind))
        };
        let schema = schemas.values().find(of)?;
        self.output(schema, fields)
    }

    /// The schema that a reference leads to, else the schema itself.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let name = schema.str("$ref").rsplit('/').next().unwrap_or_default();
        match self.document.at("components.schemas").get(name) {
            Value::Null => schema,
            found => found,
        }
    }

    fn output(&self, schema: &'a Value, fields: &[String]) -> Option<String> {
        let resolved = self.resolve(schema);
        let Some((first, rest)) = fields.split_first() else {
            let mut description = String::new();
            self.description(schema, &mut description);
            if description.is_empty() {
                description.push_str("<empty>");
            }
            let description = indent(4, &wrap(WIDTH, &description));
            let mut text = format!("DESCRIPTION:\n{description}\n");
            let mut list = String::new();
            self.list(schema, 1, &mut Vec::new(), &mut list);
            if !list.is_empty() {
                text.push_str("FIELDS:\n");
                text.push_str(&list);
            }
            return Some(text);
        };
        let field = resolved.get("properties").get(first);
        if !field.is_null() {
            let mut text = String::new();
            if rest.is_empty() {
                let _ = writeln!(text, "FIELD: {first} <{}>", self.type_of(field));
                long_enum(field, &mut text);
                text.push_str("\n\n");
            }
            text.push_str(&self.output(field, rest)?);
            return Some(text);
        }
        if !resolved.get("items").is_null() {
            return self.output(resolved.get("items"), fields);
        }
        if resolved.get("additionalProperties").is_map() {
            return self.output(resolved.get("additionalProperties"), fields);
        }
        let mut all = resolved.get("allOf").list().iter();
        all.find_map(|one| self.output(one, fields))
    }

    /// The description of a schema and of those it is made of.
    fn description(&self, schema: &'a Value, text: &mut String) {
        let schema = self.resolve(schema);
        if !schema.str("description").is_empty() {
            text.push_str(schema.str("description"));
            text.push('\n');
        }
        for one in schema.get("allOf").list() {
            self.description(one, text);
        }
        for key in ["items", "additionalProperties"] {
            if schema.get(key).is_map() {
                self.description(schema.get(key), text);
            }
        }
    }

    /// The fields of a schema, and theirs where all are asked for.
    fn list(&self, schema: &'a Value, level: usize, seen: &mut Vec<&'a str>, text: &mut String) {
        let reference = schema.str("$ref");
        if !reference.is_empty() && seen.contains(&reference) {
            return;
        }
        seen.push(reference);
        let resolved = self.resolve(schema);
        for (name, field) in resolved.get("properties").entries() {
            self.field(resolved, name, level, text);
            if self.recursive {
                self.list(field, level + 1, seen, text);
            }
        }
        for one in resolved.get("allOf").list() {
            self.list(one, level, seen, text);
        }
        for key in ["items", "additionalProperties"] {
            if resolved.get(key).is_map() {
                self.list(resolved.get(key), level, seen, text);
            }
        }
        seen.pop();
    }

    fn field(&self, schema: &'a Value, name: &str, level: usize, text: &mut String) {
        let field = schema.get("properties").get(name);
        let depth = level * 2;
        let space = " ".repeat(depth);
        let _ = write!(text, "{space}{name}\t<{}>", self.type_of(field));
        let mut required = schema.get("required").list().iter();
        if required.any(|required| required.as_str() == name) {
            text.push_str(" -required-");
        }
        short_enum(field, depth, text);
        text.push('\n');
        if !self.recursive {
            let description = match field.str("description") {
                "" => "<no description>",
                description => description,
            };
            let description = wrap(FIELD_WIDTH - depth, description);
            let _ = writeln!(text, "{}\n", indent(depth + 2, &description));
        }
    }

    /// `string`, `[]Container`, `map[string]Quantity`, `Object`.
    fn type_of(&self, schema: &'a Value) -> String {
        let kind = |schema: &Value| match schema.str("type") {
            "" | "object" => "Object".to_owned(),
            kind => kind.to_owned(),
        };
        let all = schema.get("allOf").list();
        if !schema.get("items").is_null() {
            format!("[]{}", self.type_of(schema.get("items")))
        } else if schema.get("additionalProperties").is_map() {
            let of = self.type_of(schema.get("additionalProperties"));
            format!("map[string]{of}")
        } else if let [one] = all
            && schema.get("properties").is_null()
        {
            self.type_of(one)
        } else if !schema.str("$ref").is_empty() {
            let resolved = self.resolve(schema);
            match resolved.str("type") {
                "" | "object" => {
                    let name = schema.str("$ref").rsplit(['/', '.']).next();
                    name.unwrap_or("Object").to_owned()
                }
                kind => kind.to_owned(),
            }
        } else {
            kind(schema)
        }
    }
}

/// A value of an enumeration; an empty text has to be seen.
fn choice(value: &Value) -> String {
    match value {
        Value::Str(text) if text.is_empty() => "\"\"".to_owned(),
        Value::Str(text) => text.to_string(),
        other => other.to_json(),
    }
}

/// The first four values in a line below the field.
fn short_enum(field: &Value, depth: usize, text: &mut String) {
    let values = field.get("enum").list();
    if values.is_empty() {
        return;
    }
    let shown: Vec<String> = values.iter().take(4).map(choice).collect();
    let more = if values.len() > 4 { ", ...." } else { "" };
    let _ = write!(
        text,
        "\n{}enum: {}{more}",
        " ".repeat(depth),
        shown.join(", ")
    );
}

/// All values, a line each.
fn long_enum(field: &Value, text: &mut String) {
    let values = field.get("enum").list();
    if values.is_empty() {
        return;
    }
    text.push_str("ENUM:");
    for value in values {
        let _ = write!(text, "\n    {}", choice(value));
    }
}

fn indent(by: usize, text: &str) -> String {
    let space = " ".repeat(by);
    format!("{space}{}", text.replace('\n', &format!("\n{space}")))
}

/// Breaks lines between words, as github.com/mitchellh/go-wordwrap does: spaces at a break go, a
/// word longer than a line stays whole.
fn wrap(limit: usize, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 40);
    let (mut word, mut space) = (String::new(), String::new());
    let (mut word_len, mut space_len, mut current) = (0, 0, 0);
    for c in text.chars() {
        if c == '\n' {
            if word.is_empty() {
                if current + space_len <= limit {
                    out.push_str(&space);
                }
            } else {
                out.push_str(&space);
                out.push_str(&word);
            }
            (word_len, space_len, current) = (0, 0, 0);
            word.clear();
            space.clear();
            out.push('\n');
        } else if c.is_whitespace() && c != '\u{a0}' {
            if space.is_empty() || !word.is_empty() {
                current += space_len + word_len;
                out.push_str(&space);
                out.push_str(&word);
                (word_len, space_len) = (0, 0);
                word.clear();
                space.clear();
            }
            space.push(c);
            space_len += 1;
        } else {
            word.push(c);
            word_len += 1;
            if current + word_len + space_len > limit && word_len < limit {
                out.push('\n');
                current = 0;
                space.clear();
                space_len = 0;
            }
        }
    }
    if !word.is_empty() || current + space_len <= limit {
        out.push_str(&space);
    }
    out.push_str(&word);
    out
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[track_caller]
    fn check(limit: usize, text: &str, expect: &str) {
        assert_eq!(wrap(limit, text), expect);
    }

    #[test]
    fn lines_break_between_words() {
        check(10, "one two three four", "one two\nthree four");
        check(5, "incomprehensible x", "incomprehensible\nx");
        check(20, "a\n\nb\n", "a\n\nb\n");
        check(20, "two  spaces stay", "two  spaces stay");
    }
}
