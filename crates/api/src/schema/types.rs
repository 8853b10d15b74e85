//! What the table says of a definition and of a field.

use crate::Str;
use crate::schema::DefId;

/// A Go type by the package its definition is of: `v1.PodSpec` for `core.v1.PodSpec`, `PodSpec`.
pub(super) fn go_path(definition: &str, name: &str) -> String {
    let package = definition.rsplit('.').nth(1).unwrap_or("v1");
    format!("{package}.{name}")
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A string.
    String,
    /// A boolean.
    Bool,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A number.
    Double,
    /// Bytes, written as base64.
    Bytes,
    /// Anything.
    Any,
    /// Another definition.
    Ref(DefId),
    /// A list of these.
    List(Box<Type>),
    /// A map from strings to these.
    Map(Box<Type>),
}

/// How the items of a list are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListType {
    /// Not at all: the list is one value.
    Atomic,
    /// By themselves.
    Set,
    /// By their keys, see `Field::list_map_keys`.
    Map,
    /// The schema does not say; treated as atomic.
    Unset,
}

/// Definitions that have a form of their own on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// None: a struct of fields.
    Struct,
    /// An amount: a string or a number.
    Quantity,
    /// A time with seconds.
    Time,
    /// A time with microseconds.
    MicroTime,
    /// A whole number or a string.
    IntOrString,
    /// An object whose content is not known here.
    Raw,
}

/// A field of a definition.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name on the wire.
    pub name: &'static str,
    /// The name as an element of the paths in `managedFields`: `f:name`.
    pub element: Str,
    /// The type.
    pub ty: Type,
    /// Whether the schema says it must be there.
    pub required: bool,
    /// Whether it is written even if zero: the Go field has no `omitempty`.
    pub always: bool,
    /// Whether it is a pointer to a scalar, so that zero is kept.
    pub pointer: bool,
    /// Whether it is written as null if absent.
    pub null: bool,
    /// A default other than zero, as JSON.
    pub default: Option<&'static str>,
    /// The values allowed (of items, if it is a list); empty where any is.
    pub enumeration: Vec<String>,
    /// How items are told apart.
    pub list_type: ListType,
    /// The keys that tell items apart.
    pub list_map_keys: Vec<&'static str>,
    /// Whether a map is one value.
    pub atomic: bool,
    /// Whether a strategic merge patch merges the list.
    pub merge: bool,
    /// The key it merges by; lists of scalars have none.
    pub merge_key: Option<&'static str>,
    /// Whether a strategic merge patch says which keys remain.
    pub retain_keys: bool,
    /// Whether a strategic merge patch replaces it.
    pub replace: bool,
    /// The name of the Go type, where it is not the plain one.
    pub go_type: Option<&'static str>,
}

/// A type with a name.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The short name: `core.v1.PodSpec`.
    pub name: &'static str,
    /// `v1/Pod`, `apps/v1/Deployment` where it is a kind.
    pub kind: Option<&'static str>,
    /// Whether a value of it is one, never merged field by field.
    pub atomic: bool,
    /// Whether it has a form of its own.
    pub special: Special,
    /// The fields in the order of their names.
    pub fields: Vec<Field>,
}

impl Definition {
    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let i = self
            .fields
            .binary_search_by(|field| field.name.cmp(name))
            .ok()?;
        Some(&self.fields[i])
    }

    /// The name of the Go struct: `PodSpec`.
    pub fn struct_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// The Go type: `v1.PodSpec`.
    pub fn go_name(&self) -> String {
        go_path(self.name, self.struct_name())
    }

    /// The name in published schemas: `io.k8s.api.core.v1.PodSpec`.
    pub fn full_name(&self) -> String {
        let package = self.name.split('.').next().unwrap_or("");
        let prefix = match package {
            "meta" => "io.k8s.apimachinery.pkg.apis.",
            "intstr" => "io.k8s.apimachinery.pkg.util.",
            "runtime" | "version" => "io.k8s.apimachinery.pkg.",
            "apiextensions" => "io.k8s.apiextensions-apiserver.pkg.apis.",
            "apiregistration" => "io.k8s.kube-aggregator.pkg.apis.",
            _ if self.name == "resource.Quantity" => "io.k8s.apimachinery.pkg.api.",
            _ => "io.k8s.api.",
        };
        format!("{prefix}{}", self.name)
    }
}
