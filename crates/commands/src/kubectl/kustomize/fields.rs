//! Places in an object: `spec/template/spec/containers[]/image`.
//!
//! Models kustomize/api/filters/fieldspec.

use api::Value;

/// A place, and in which kinds it is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    /// The kind; empty for all.
    pub(super) kind: &'static str,
    /// The group; empty for all.
    pub(super) group: &'static str,
    pub(super) path: &'static str,
    /// Made where it is not there.
    pub(super) create: bool,
}

/// A place in a kind.
pub(super) const fn spec(kind: &'static str, path: &'static str, create: bool) -> Spec {
    Spec {
        kind,
        group: "",
        path,
        create,
    }
}

impl Spec {
    /// Calls `change` with what is at the place.
    pub(super) fn visit(&self, object: &mut Value, change: &mut impl FnMut(&mut Value)) {
        let fits = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        let kind = fits(self.kind, object.kind()) && fits(self.group, object.api_group());
        if kind {
            at(object, self.path, self.create, change);
        }
    }
}

/// Calls `change` with what is at a path; `x[]` is every item of a list.
pub(super) fn at(value: &mut Value, path: &str, create: bool, change: &mut impl FnMut(&mut Value)) {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let (name, items) = match first.strip_suffix("[]") {
        Some(name) => (name, true),
        None => (first, false),
    };
    let there = !value.get(name).is_null();
    if !there && (!create || items || !(value.is_map() || value.is_null())) {
        return;
    }
    let below = value.map_mut().get_or_insert(name);
    let mut inner = |one: &mut Value| match rest {
        "" => change(one),
        rest => at(one, rest, create, change),
    };
    // Lists are gone through whether the path says so or not.
    if below.is_list() && (items || !rest.is_empty()) {
        for item in below.vec_mut() {
            inner(item);
        }
    } else {
        inner(below);
    }
}
