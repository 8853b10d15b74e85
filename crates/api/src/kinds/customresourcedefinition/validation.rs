//! What is wrong with a definition, its schemas aside.
//!
//! Models apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go.

use std::collections::BTreeSet;

use super::super::check::{self, Errors};
use super::{joined, schema};
use crate::Value;
use crate::field::{FieldError, Path};
use crate::names;

/// What columns may be.
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 9] = [
    "byte",
    "date",
    "date-time",
    "double",
    "float",
    "int32",
    "int64",
    "password",
    "binary",
];
/// No more fields than this can be selected by.
const MOST_SELECTABLE: usize = 8;

/// Groups that only Kubernetes itself may add kinds to.
const PROTECTED: [&str; 2] = ["k8s.io", "kubernetes.io"];
const APPROVED: &str = "api-approved.kubernetes.io";

/// What is wrong with the specification.
pub(super) fn spec(spec: &Value, out: &mut Errors) {
    let path = Path::new("spec");
    let group = spec.str("group");
    if group.is_empty() {
        out.push(FieldError::required(path.child("group"), ""));
    } else if let Some(text) = joined(names::dns1123_subdomain(group)) {
        out.push(FieldError::invalid(path.child("group"), group, text));
    } else if !group.contains('.') {
        let text = "should be a domain with at least one dot";
        out.push(FieldError::invalid(path.child("group"), group, text));
    }
    check::one_of(spec, "scope", &["Cluster", "Namespaced"], &path, out);
    let list = spec.list_at("versions");
    let at = path.child("versions");
    let shared = Shared::of(list);
    for (i, version) in list.iter().enumerate() {
        if !version.has("schema.openAPIV3Schema") {
            let at = at.index(i);
            let at = at.child("schema");
            let text = "schemas are required";
            out.push(FieldError::required(at.child("openAPIV3Schema"), text));
        }
    }
    for (i, version) in list.iter().enumerate() {
        let path = at.index(i);
        if let Some(text) = joined(names::dns1035_label(version.str("name"))) {
            out.push(FieldError::invalid(
                path.child("name"),
                version.str("name"),
                text,
            ));
        }
        self::version(version, &shared, &path, out);
    }
    let names: BTreeSet<&str> = list.iter().map(|version| version.str("name")).collect();
    if names.len() < list.len() {
        let text = "must contain unique version names";
        out.push(FieldError::invalid(at, spec.get("versions"), text));
    }
    let storage = list.iter().filter(|version| version.bool_at("storage"));
    if storage.count() != 1 {
        let text = "must have exactly one version marked as storage version";
        out.push(FieldError::invalid(at, spec.get("versions"), text));
    }
    let at = path.child("names");
    for key in ["plural", "singular", "kind", "listKind"] {
        if spec.get("names").str(key).is_empty() {
            out.push(FieldError::required(at.child(key), ""));
        }
    }
    self::names(spec.get("names"), &at, out);
    if let Some(first) = list.first() {
        shared.validate(first, &path, out);
    }
    conversion(spec.get("conversion"), &path.child("conversion"), out);
}

/// What all versions have in common is judged once, as if it stood in the specification itself.
struct Shared {
    schema: bool,
    subresources: bool,
    columns: bool,
    selectable: bool,
}

impl Shared {
    fn of(versions: &[Value]) -> Shared {
        let same = |key: &str| {
            let mut all = versions.iter().map(|version| version.get(key));
            let first = all.next().unwrap_or(crate::NULL);
            !first.is_zero() && all.all(|other| other.same(first))
        };
        Shared {
            schema: same("schema"),
            subresources: same("subresources"),
            columns: same("additionalPrinterColumns"),
            selectable: same("selectableFields"),
        }
    }

    fn validate(&self, version: &Value, path: &Path<'_>, out: &mut Errors) {
        let status = !version.at("subresources.status").is_null();
        if self.schema {
            schema::validate(
                version.get("schema"),
                status,
                &path.child("validation"),
                out,
            );
        }
        if self.subresources {
            let at = path.child("subresources");
            subresources(version.get("subresources"), &at, out);
        }
        if self.columns {
            columns(version, path, out);
        }
        if self.selectable {
            selectable(version, path, out);
        }
    }
}

fn version(version: &Value, shared: &Shared, path: &Path<'_>, out: &mut Errors) {
    let warning = version.get("deprecationWarning");
    let at = path.child("deprecationWarning");
    if let Value::Str(text) = warning {
        if !version.bool_at("deprecated") {
            let why = "can only be set for deprecated versions";
            out.push(FieldError::invalid(at, warning, why));
        } else if text.is_empty() {
            out.push(FieldError::invalid(
                at,
                warning,
                "must not be an empty string",
            ));
        } else if text.len() > 256 {
            out.push(FieldError::invalid(
                at,
                warning,
                "must be <= 256 characters long",
            ));
        }
    }
    let status = !version.at("subresources.status").is_null();
    if !shared.schema && version.has("schema") {
        schema::validate(version.get("schema"), status, &path.child("schema"), out);
    }
    if !shared.subresources {
        let at = path.child("subresources");
        subresources(version.get("subresources"), &at, out);
    }
    if !shared.columns {
        columns(version, path, out);
    }
    if !shared.selectable {
        selectable(version, path, out);
    }
}

/// What is wrong with the names of a kind.
pub(super) fn names(of: &Value, path: &Path<'_>, out: &mut Errors) {
    for key in ["plural", "singular"] {
        let name = of.str(key);
        if let Some(text) = joined(names::dns1035_label(name)).filter(|_| !name.is_empty()) {
            out.push(FieldError::invalid(path.child(key), name, text));
        }
    }
    for key in ["kind", "listKind"] {
        let name = of.str(key);
        let wrong = joined(names::dns1035_label(&name.to_lowercase()));
        if let Some(text) = wrong.filter(|_| !name.is_empty()) {
            let text = format!("may have mixed case, but should otherwise match: {text}");
            out.push(FieldError::invalid(path.child(key), name, text));
        }
    }
    let list = |key: &'static str, out: &mut Errors| {
        let path = path.child(key);
        for (i, name) in of.list_at(key).iter().map(Value::as_str).enumerate() {
            if let Some(text) = joined(names::dns1035_label(name)) {
                out.push(FieldError::invalid(path.index(i), name, text));
            }
        }
    };
    list("shortNames", out);
    if !of.str("kind").is_empty() && of.str("kind") == of.str("listKind") {
        let text = "kind and listKind may not be the same";
        out.push(FieldError::invalid(
            path.child("listKind"),
            of.str("listKind"),
            text,
        ));
    }
    list("categories", out);
}

fn columns(version: &Value, path: &Path<'_>, out: &mut Errors) {
    let path = path.child("additionalPrinterColumns");
    for (i, column) in version
        .list_at("additionalPrinterColumns")
        .iter()
        .enumerate()
    {
        let path = path.index(i);
        if column.str("name").is_empty() {
            out.push(FieldError::required(path.child("name"), ""));
        }
        let one_of = |known: &[&str]| format!("must be one of {}", known.join(","));
        match column.str("type") {
            "" => out.push(FieldError::required(
                path.child("type"),
                one_of(&COLUMN_TYPES),
            )),
            kind if COLUMN_TYPES.contains(&kind) => {}
            kind => {
                let text = one_of(&COLUMN_TYPES);
                out.push(FieldError::invalid(path.child("type"), kind, text));
            }
        }
        let format = column.str("format");
        if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
            let text = one_of(&COLUMN_FORMATS);
            out.push(FieldError::invalid(path.child("format"), format, text));
        }
        match column.str("jsonPath") {
            "" => out.push(FieldError::required(path.child("JSONPath"), "")),
            text => {
                simple_path(text, path.child("JSONPath"), out);
            }
        }
    }
}

fn simple_path(text: &str, path: impl std::fmt::Display, out: &mut Errors) -> bool {
    let fits = text.starts_with('.');
    if !fits {
        let why = "must be a simple json path starting with .";
        out.push(FieldError::invalid(path, text, why));
    }
    fits
}

fn subresources(of: &Value, path: &Path<'_>, out: &mut Errors) {
    let scale = of.get("scale");
    if scale.is_null() {
        return;
    }
    let path = path.child("scale");
    let paths = [
        ("specReplicasPath", ".spec."),
        ("statusReplicasPath", ".status."),
    ];
    for (key, prefix) in paths {
        let (text, path) = (scale.str(key), path.child(key));
        if text.is_empty() {
            out.push(FieldError::required(path, ""));
        } else if simple_path(text, path, out) && !text.starts_with(prefix) {
            let why = format!(
                "should be a json path under {}",
                prefix.trim_end_matches('.')
            );
            out.push(FieldError::invalid(path, text, why));
        }
    }
    let (text, path) = (
        scale.str("labelSelectorPath"),
        path.child("labelSelectorPath"),
    );
    let known = text.starts_with(".spec.") || text.starts_with(".status.");
    if !text.is_empty() && simple_path(text, path, out) && !known {
        let why = "should be a json path under either .spec or .status";
        out.push(FieldError::invalid(path, text, why));
    }
}

fn selectable(version: &Value, path: &Path<'_>, out: &mut Errors) {
    let fields = version.list_at("selectableFields");
    let path = path.child("selectableFields");
    let mut seen = BTreeSet::new();
    for (i, field) in fields.iter().enumerate() {
        let at = path.index(i);
        let at = at.child("jsonPath");
        let text = field.str("jsonPath");
        if text.is_empty() {
            out.push(FieldError::required(at, ""));
            continue;
        }
        let names: Vec<&str> = text.trim_start_matches('.').split('.').collect();
        let mut found = version.at("schema.openAPIV3Schema");
        let mut missing = None;
        for name in &names {
            found = found.get("properties").get(name);
            if found.is_null() {
                missing = Some(*name);
                break;
            }
        }
        if !text.starts_with('.') || missing.is_some() {
            let why = match missing.filter(|_| text.starts_with('.')) {
                Some(_) => "is an invalid path: does not refer to a valid field".to_owned(),
                None => format!(
                    "is an invalid path: expected [ or . but got: {}",
                    names.first().copied().unwrap_or_default()
                ),
            };
            out.push(FieldError::invalid(at, text, why));
            continue;
        }
        if names.first() == Some(&"metadata") {
            let why = "must not point to fields in metadata";
            out.push(FieldError::invalid(at, text, why));
        }
        if !["string", "boolean", "integer"].contains(&found.str("type")) {
            let why = "must point to a field of type string, boolean or integer. Enum string \
                       fields and strings with formats are allowed.";
            out.push(FieldError::invalid(at, text, why));
        }
        if !seen.insert(text) {
            out.push(FieldError::duplicate(at, text));
        }
    }
    if seen.len() > MOST_SELECTABLE {
        out.push(FieldError::too_many(path, seen.len(), MOST_SELECTABLE));
    }
}

fn conversion(of: &Value, path: &Path<'_>, out: &mut Errors) {
    check::one_of(of, "strategy", &["None", "Webhook"], path, out);
    let webhook = of.get("webhook");
    let config = webhook.get("clientConfig");
    let (client, reviews) = (
        path.child("webhookClientConfig"),
        path.child("conversionReviewVersions"),
    );
    let versions = webhook.list_at("conversionReviewVersions");
    if of.str("strategy") != "Webhook" {
        let text = "should not be set when strategy is not set to Webhook";
        if !config.is_null() {
            out.push(FieldError::forbidden(client, text));
        }
        if !versions.is_empty() {
            out.push(FieldError::forbidden(reviews, text));
        }
        return;
    }
    if config.is_null() {
        let text = "required when strategy is set to Webhook";
        out.push(FieldError::required(client, text));
    } else if config.has("url") == config.has("service") {
        let text = "exactly one of url or service is required";
        out.push(FieldError::required(client, text));
    }
    if versions.is_empty() {
        out.push(FieldError::required(reviews, ""));
    } else if !versions
        .iter()
        .any(|v| ["v1", "v1beta1"].contains(&v.as_str()))
    {
        let text = "must include at least one of v1, v1beta1";
        out.push(FieldError::invalid(
            reviews,
            Value::list_of(versions.to_vec()),
            text,
        ));
    }
}

/// Every version that was ever stored must stay, until somebody says that nothing of it is left.
pub(super) fn stored_versions(definition: &Value, out: &mut Errors) {
    let stored = definition.at("status.storedVersions");
    let path = Path::new("status");
    let path = path.child("storedVersions");
    if stored.list().is_empty() {
        let text = "must have at least one stored version";
        out.push(FieldError::invalid(path, Value::list_of(Vec::new()), text));
        return;
    }
    let versions = definition.list_at("spec.versions");
    for (i, name) in stored.list().iter().map(Value::as_str).enumerate() {
        if !versions.iter().any(|version| version.str("name") == name) {
            let text = format!(
                "missing from spec.versions; {name} was previously a storage version, and must \
                 remain in spec.versions until a storage migration ensures no data remains \
                 persisted in {name} and removes {name} from status.storedVersions"
            );
            out.push(FieldError::invalid(path.index(i), name, text));
        }
    }
}

/// Kinds of the groups of Kubernetes need its approval.
pub(super) fn approval(definition: &Value, old: Option<&Value>, out: &mut Errors) {
    let group = definition.str_at("spec.group");
    let protected = |domain: &&str| {
        group
            .strip_suffix(*domain)
            .is_some_and(|r| r.ends_with('.'))
    };
    if !PROTECTED.iter().any(protected) {
        return;
    }
    let approval = definition.annotation(APPROVED);
    if old.is_some_and(|old| old.annotation(APPROVED) == approval) {
        return;
    }
    let path = format!("metadata.annotations[{APPROVED}]");
    let is_url = approval.starts_with("https://") || approval.starts_with("http://");
    if approval.is_empty() {
        let text = "protected groups must have approval annotation \"api-approved.kubernetes.io\", \
                    see https://github.com/kubernetes/enhancements/pull/1111";
        out.push(FieldError::required(path, text));
    } else if !is_url && !approval.starts_with("unapproved") {
        let text = "protected groups must have approval annotation \"api-approved.kubernetes.io\" \
                    with either a URL or a reason starting with \"unapproved\", see \
                    https://github.com/kubernetes/enhancements/pull/1111";
        out.push(FieldError::invalid(path, approval, text));
    }
}

/// Fields that no schema names are kept by schemas alone.
pub(super) fn preserving(spec: &Value, out: &mut Errors) {
    if spec.bool_at("preserveUnknownFields") {
        let text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in \
                    spec.versions[*].schema instead";
        let path = "spec.preserveUnknownFields";
        out.push(FieldError::invalid(path, true, text));
    }
}
