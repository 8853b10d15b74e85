//! Which objects a list, a watch or the deletion of a collection picks: by labels and by the fields
//! that their kind can be selected by.
//!
//! Models apiserver/pkg/storage/selection_predicate.go.

use api::kinds::Kind;
use api::selector::{FieldSelector, LabelSelector};
use api::{Status, Value, status};

use crate::request::Query;

/// What picks objects.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) kind: &'static Kind,
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
}

impl Filter {
    /// Reads a query's selectors. `name` is the one in the path, empty for none.
    pub(crate) fn of(kind: &'static Kind, query: &Query, name: &str) -> Result<Filter, Status> {
        let labels = LabelSelector::parse(&query.label_selector).map_err(status::bad_request)?;
        let mut fields =
            FieldSelector::parse(&query.field_selector).map_err(status::bad_request)?;
        for term in &fields.terms {
            if kind.selectable(api::NULL, &term.field).is_none() {
                let field = &term.field;
                return Err(status::bad_request(match kind.fields {
                    [] if kind.custom.is_none() => format!(
                        "{field:?} is not a known field selector: only \"metadata.name\", \
                         \"metadata.namespace\""
                    ),
                    _ => format!("field label not supported: {field}"),
                }));
            }
        }
        if !name.is_empty() {
            fields.terms.push(api::selector::FieldTerm {
                field: "metadata.name".to_owned(),
                value: name.to_owned(),
                negated: false,
            });
        }
        Ok(Filter {
            kind,
            labels,
            fields,
        })
    }

    /// Whether the filter picks everything.
    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    /// Whether the filter picks the stored object.
    pub(crate) fn matches(&self, stored: &Value) -> bool {
        if !self.labels.matches(stored.labels()) {
            return false;
        }
        if self.fields.is_everything() {
            return true;
        }
        // The fields are those of the shape that the client sees.
        let object = match self.kind.is_view() {
            true => self.kind.load(stored),
            false => stored.clone(),
        };
        self.fields.terms.iter().all(|term| {
            let found = self
                .kind
                .selectable(&object, &term.field)
                .unwrap_or_default();
            (found == term.value) != term.negated
        })
    }
}
