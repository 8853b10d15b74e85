//! What tables are made of, and texts that several tables share.
//!
//! Models pkg/printers/internalversion/printers.go.

use sim::Instant;

use crate::selector::LabelSelector;
use crate::{Map, Value, time};

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// `Up-to-date`; kubectl prints it in capitals.
    pub name: &'static str,
    /// `string`, `integer` or `date`.
    pub kind: &'static str,
    /// `name` for the column of names, else empty.
    pub format: &'static str,
    /// 0 for a column that is always shown, 1 for one of `-o wide`.
    pub priority: u8,
}

/// A cell of a table: a string or a number.
pub type Cell = Value;

impl Column {
    /// The column of names.
    pub(super) const NAME: Column = Column {
        name: "Name",
        kind: "string",
        format: "name",
        priority: 0,
    };
    /// The column of ages.
    pub(super) const AGE: Column = Column::text("Age");

    pub(super) const fn text(name: &'static str) -> Column {
        Column {
            name,
            kind: "string",
            format: "",
            priority: 0,
        }
    }

    pub(super) const fn integer(name: &'static str) -> Column {
        Column {
            name,
            kind: "integer",
            format: "",
            priority: 0,
        }
    }

    pub(super) const fn wide(name: &'static str) -> Column {
        Column {
            name,
            kind: "string",
            format: "",
            priority: 1,
        }
    }
}

/// The name of an object, as a cell.
pub(super) fn name(object: &Value) -> Cell {
    object.metadata().get("name").clone()
}

/// The age of an object.
pub(super) fn age(object: &Value, now: Instant) -> Cell {
    time::age(now, object.creation_timestamp()).into()
}

/// The time an object was made, for tables that print it instead of an age.
pub(super) fn created_at(object: &Value) -> Cell {
    object.metadata().get("creationTimestamp").clone()
}

/// A string, `<none>` where there is none.
pub(super) fn or_none(text: &str) -> Cell {
    if text.is_empty() {
        "<none>".into()
    } else {
        text.into()
    }
}

/// A number, 0 where there is none.
pub(super) fn number(value: &Value) -> Cell {
    value.as_i64().unwrap_or(0).into()
}

/// `a=b,c=d`, `<none>` where there are none.
pub(super) fn labels(labels: &Map) -> Cell {
    or_none(&LabelSelector::from_map(labels).to_string())
}

/// Names and images of the containers of a pod template.
pub(super) fn containers(template: &Value) -> [Cell; 2] {
    let containers = template.list_at("spec.containers");
    let joined = |key: &str| {
        let all: Vec<&str> = containers.iter().map(|c| c.str(key)).collect();
        Cell::from(all.join(","))
    };
    [joined("name"), joined("image")]
}

/// The first three of a list, and how many more there are; `empty` if there are none.
pub(super) fn at_most_three(items: impl Iterator<Item = String>, empty: &str) -> Cell {
    let mut shown = Vec::new();
    let mut count = 0;
    for item in items {
        if count < 3 {
            shown.push(item);
        }
        count += 1;
    }
    match count {
        0 => empty.into(),
        1..=3 => shown.join(",").into(),
        more => format!("{} + {} more...", shown.join(","), more - 3).into(),
    }
}
