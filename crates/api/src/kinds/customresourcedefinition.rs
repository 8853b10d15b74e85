//! CustomResourceDefinition: a kind that a user brings.
//!
//! Models apiextensions-apiserver/pkg/registry/customresourcedefinition and
//! pkg/apis/apiextensions/{v1/defaults,validation}.

use super::check::{self, Errors};
use super::{Kind, Subresource, table};
use crate::field::{FieldError, Path};
use crate::{Value, names};

pub mod conditions;
mod schema;
mod structural;
mod validation;

/// Holds a definition until its objects are gone.
pub const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "customresourcedefinitions",
    singular: "customresourcedefinition",
    short_names: &["crd", "crds"],
    categories: &["api-extensions"],
    namespaced: false,
    subresources: &[Subresource::status("CustomResourceDefinition")],
    schema: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    storage: "apiextensions.k8s.io/customresourcedefinitions",
    counts_generation: true,
    unconditional_update: false,
    defaults,
    prepare_for_create: |definition| {
        definition.set("status", empty_status());
        remember_storage(definition);
    },
    prepare_for_update: |new, _, subresource| {
        if subresource.is_empty() {
            remember_storage(new);
        }
    },
    prepare_for_delete: |definition, now| {
        let mut finalizers = definition.finalizers().to_vec();
        if !definition.has_finalizer(FINALIZER) {
            finalizers.push(FINALIZER.into());
        }
        definition.set("metadata.finalizers", Value::list_of(finalizers));
        conditions::set(
            definition,
            ("Terminating", true),
            (
                "InstanceDeletionPending",
                "CustomResourceDefinition marked for deletion; CustomResource deletion will begin \
                 soon",
            ),
            now,
        );
    },
    validate,
    validate_update,
    columns: &[
        table::Column::NAME,
        table::Column {
            kind: "date",
            ..table::Column::text("Created At")
        },
    ],
    row: |definition, _| vec![table::name(definition), table::created_at(definition)],
    sample: SAMPLE,
    ..Kind::plain("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
};

const SAMPLE: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  scope: Namespaced
  names:
    plural: widgets
    kind: Widget
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size:
                type: integer
";

fn empty_status() -> Value {
    crate::object! {
        "acceptedNames": { "kind": "", "plural": "" },
        "conditions": Value::Null,
        "storedVersions": Value::Null,
    }
}

fn defaults(definition: &mut Value) {
    let kind = definition.str_at("spec.names.kind").to_owned();
    let fill = |definition: &mut Value, path: &str, text: String| {
        if definition.str_at(path).is_empty() {
            definition.set(path, text);
        }
    };
    fill(definition, "spec.names.singular", kind.to_lowercase());
    fill(definition, "spec.names.listKind", format!("{kind}List"));
    if !definition.has("spec.conversion") {
        definition.set("spec.conversion.strategy", "None");
    }
    let service = "spec.conversion.webhook.clientConfig.service";
    if definition.has(service) && !definition.has(&format!("{service}.port")) {
        definition.set(&format!("{service}.port"), 443);
    }
}

/// The version that is stored from now on was stored once, which is not forgotten.
fn remember_storage(definition: &mut Value) {
    let versions = definition.list_at("spec.versions").iter();
    let storage = versions.filter(|version| version.bool_at("storage"));
    let names: Vec<Value> = storage.map(|version| version.get("name").clone()).collect();
    for name in names {
        let known = definition.list_at("status.storedVersions");
        if !known.iter().any(|known| known.same(&name)) {
            let mut all = known.to_vec();
            all.push(name);
            definition.set("status.storedVersions", Value::list_of(all));
        }
    }
}

fn validate(definition: &Value, out: &mut Errors) {
    let spec = definition.get("spec");
    let required = format!("{}.{}", spec.str_at("names.plural"), spec.str("group"));
    if definition.name() != required {
        let text = "must be spec.names.plural+\".\"+spec.group";
        out.push(FieldError::invalid(
            "metadata.name",
            definition.name(),
            text,
        ));
    }
    validation::spec(spec, out);
    accepted_names(definition, out);
    validation::approval(definition, None, out);
    validation::preserving(spec, out);
}

fn accepted_names(definition: &Value, out: &mut Errors) {
    let path = Path::new("status");
    let path = path.child("acceptedNames");
    validation::names(definition.at("status.acceptedNames"), &path, out);
}

fn validate_update(new: &Value, old: &Value, subresource: &str, out: &mut Errors) {
    if subresource == "status" {
        accepted_names(new, out);
        return;
    }
    if conditions::is_true(old, "Established") {
        for key in ["spec.scope", "spec.names.kind"] {
            check::immutable(new.at(key), old.at(key), key, out);
        }
    }
    for key in ["spec.group", "spec.names.plural"] {
        check::immutable(new.at(key), old.at(key), key, out);
    }
    validation::stored_versions(new, out);
}

/// What is wrong with several words of a name, as one text.
fn joined(messages: names::Messages) -> Option<String> {
    let texts: Vec<String> = messages.into_iter().map(|text| text.to_string()).collect();
    (!texts.is_empty()).then(|| texts.join(","))
}
