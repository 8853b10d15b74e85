//! What the schema says of a field when maps are merged.

use crate::schema::{Field, Schemas, Type};

/// The type of a field's value and how it is merged.
#[derive(Clone, Copy)]
pub(super) struct Shape<'s> {
    /// The type of the value, of its items if it is a list; `None` where the schema ends.
    pub(super) ty: Option<&'s Type>,
    /// Lists merge item by item.
    pub(super) merge: bool,
    /// The key they merge by; none for scalars.
    pub(super) merge_key: &'s str,
    /// The patch says which keys remain.
    pub(super) retain_keys: bool,
    /// The patch replaces the value.
    pub(super) replace: bool,
}

const UNKNOWN: Shape<'static> = Shape {
    ty: None,
    merge: false,
    merge_key: "",
    retain_keys: false,
    replace: false,
};

/// The shape of a key of a map of this type.
pub(super) fn shape_of<'s>(schemas: &'s Schemas, ty: Option<&'s Type>, key: &str) -> Shape<'s> {
    match ty {
        Some(Type::Ref(id)) => schemas.field(*id, key).map_or(UNKNOWN, of_field),
        Some(Type::Map(item)) => Shape {
            ty: Some(item),
            ..UNKNOWN
        },
        _ => UNKNOWN,
    }
}

fn of_field(field: &Field) -> Shape<'_> {
    let ty = match &field.ty {
        Type::List(item) => item,
        other => other,
    };
    Shape {
        ty: Some(ty),
        merge: field.merge,
        merge_key: field.merge_key.unwrap_or(""),
        retain_keys: field.retain_keys,
        replace: field.replace,
    }
}
