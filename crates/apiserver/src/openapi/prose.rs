//! What definitions and fields are for, in the words of the published API (see `build.rs`).

use api::schema::{DefId, Schemas};

const TEXTS: &str = include_str!(concat!(env!("OUT_DIR"), "/descriptions.txt"));

/// The texts, found by definition and field.
pub(crate) struct Prose {
    lines: Vec<&'static str>,
    /// The line of each definition.
    starts: Vec<usize>,
}

impl Prose {
    /// Finds the lines.
    pub(crate) fn read(schemas: &Schemas) -> Prose {
        let mut at = 0;
        let starts = schemas.definitions().map(|(_, definition)| {
            let start = at;
            at += 1 + definition.fields.len();
            start
        });
        Prose {
            starts: starts.collect(),
            lines: TEXTS.lines().collect(),
        }
    }

    /// What a definition is for; empty where nobody says.
    pub(crate) fn definition(&self, id: DefId) -> String {
        self.line(self.starts[id.index()])
    }

    /// What the field of this number is for.
    pub(crate) fn field(&self, id: DefId, number: usize) -> String {
        self.line(self.starts[id.index()] + 1 + number)
    }

    /// What the field of this name is for.
    pub(crate) fn field_named(&self, schemas: &Schemas, id: DefId, name: &str) -> String {
        let fields = &schemas.definition(id).fields;
        let number = fields.iter().position(|field| field.name == name);
        number.map_or_else(String::new, |number| self.field(id, number))
    }

    fn line(&self, at: usize) -> String {
        let line = self.lines.get(at).copied().unwrap_or_default();
        let before = line.strip_prefix('=').and_then(|rest| rest.parse().ok());
        let text = match before {
            Some(before) => self.lines.get::<usize>(before).copied().unwrap_or_default(),
            None => line,
        };
        let mut out = String::with_capacity(text.len());
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match (c, c == '\\') {
                (_, true) => out.push(match rest.next() {
                    Some('n') => '\n',
                    Some(other) => other,
                    None => '\\',
                }),
                (c, false) => out.push(c),
            }
        }
        out
    }
}
