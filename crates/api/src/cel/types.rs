//! The types of the language, those of objects among them: of a built-in kind by the schema table, of
//! a custom resource by its structural schema.
//!
//! Models github.com/google/cel-go common/types/types.go and k8s.io/apiserver/pkg/cel/common.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::schema::{self, DefId, Schemas, Special};
use crate::{Str, Value};

use super::Val;
use super::time::{Timestamp, parse_duration};
use super::val::Key;

/// A type.
#[derive(Clone, Debug)]
pub enum Type {
    /// Known only when it is evaluated.
    Dyn,
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `google.protobuf.Duration`
    Duration,
    /// The type of types.
    Type,
    /// A list of these.
    List(Rc<Type>),
    /// A map from the first to the second.
    Map(Rc<(Type, Type)>),
    /// A value that may be absent.
    Optional(Rc<Type>),
    /// An object with known fields.
    Object(Rc<ObjectType>),
    /// A type of Kubernetes' libraries, by its name.
    Opaque(Str),
    /// A variable of a signature.
    Param(usize),
}

/// An object with known fields.
#[derive(Clone, Debug)]
pub struct ObjectType {
    /// How messages call it.
    pub name: Str,
    /// What is in it.
    pub fields: Fields,
}

/// The fields of an object.
#[derive(Clone, Debug)]
pub enum Fields {
    /// Any, of any type.
    Any,
    /// These.
    Listed(BTreeMap<Str, Type>),
    /// Those of a definition of the schema table.
    Definition(Rc<Schemas>, DefId),
}

impl ObjectType {
    /// The type of a field, if there is one of this name.
    pub fn field(&self, name: &str) -> Option<Type> {
        match &self.fields {
            Fields::Any => Some(Type::Dyn),
            Fields::Listed(fields) => fields.get(name).cloned(),
            Fields::Definition(schemas, id) => {
                let field = schemas.field(*id, name)?;
                Some(of_definition(schemas, &field.ty))
            }
        }
    }
}

fn of_definition(schemas: &Rc<Schemas>, ty: &schema::Type) -> Type {
    match ty {
        schema::Type::String | schema::Type::Bytes => Type::String,
        schema::Type::Bool => Type::Bool,
        schema::Type::Int32 | schema::Type::Int64 => Type::Int,
        schema::Type::Double => Type::Double,
        schema::Type::Any => Type::Dyn,
        schema::Type::List(item) => Type::list(of_definition(schemas, item)),
        schema::Type::Map(item) => Type::map(Type::String, of_definition(schemas, item)),
        schema::Type::Ref(id) => {
            let definition = schemas.definition(*id);
            match definition.special {
                Special::Struct if definition.fields.is_empty() => Type::Dyn,
                Special::Struct => Type::of_kind(schemas, *id),
                Special::Time | Special::MicroTime => Type::Timestamp,
                Special::Quantity | Special::IntOrString | Special::Raw => Type::Dyn,
            }
        }
    }
}

impl Type {
    /// A list of these.
    pub fn list(of: Type) -> Type {
        Type::List(Rc::new(of))
    }

    /// A map.
    pub fn map(key: Type, value: Type) -> Type {
        Type::Map(Rc::new((key, value)))
    }

    /// An optional of these.
    pub fn optional(of: Type) -> Type {
        Type::Optional(Rc::new(of))
    }

    /// A type of Kubernetes' libraries.
    pub fn opaque(name: &str) -> Type {
        Type::Opaque(name.into())
    }

    /// An object with these fields.
    pub fn object<'n>(name: &str, fields: impl IntoIterator<Item = (&'n str, Type)>) -> Type {
        let fields = fields.into_iter().map(|(name, ty)| (name.into(), ty));
        Type::Object(Rc::new(ObjectType {
            name: name.into(),
            fields: Fields::Listed(fields.collect()),
        }))
    }

    /// An object of which only the name is known.
    pub fn open_object(name: &str) -> Type {
        Type::Object(Rc::new(ObjectType {
            name: name.into(),
            fields: Fields::Any,
        }))
    }

    /// The type of a definition of the schema table: of a whole kind or a part of one.
    pub fn of_kind(schemas: &Rc<Schemas>, id: DefId) -> Type {
        Type::Object(Rc::new(ObjectType {
            name: schemas.definition(id).full_name().into(),
            fields: Fields::Definition(schemas.clone(), id),
        }))
    }

    /// The type of what a structural schema describes; of the root of an object, which has a kind and
    /// a name, where `root` says so. Nothing for what no expression can reach.
    pub fn of_structural(schema: &Value, name: &str, root: bool) -> Option<Type> {
        let truth = |key: &str| schema.get(key).as_bool() == Some(true);
        if truth("x-kubernetes-int-or-string") {
            return Some(Type::Dyn);
        }
        let ty = match schema.str("type") {
            "array" => {
                let items = schema.get("items");
                Type::list(Type::of_structural(items, &format!("{name}.@idx"), false)?)
            }
            "object" => {
                let values = schema.get("additionalProperties");
                if values.is_map() {
                    let values = Type::of_structural(values, &format!("{name}.@elem"), false)?;
                    return Some(Type::map(Type::String, values));
                }
                let root = root || truth("x-kubernetes-embedded-resource");
                of_properties(schema, name, root)?
            }
            scalar => Type::of_scalar(scalar, schema.str("format"))?,
        };
        Some(ty)
    }

    /// The type of a structural schema's scalar: its `type` and `format`.
    pub fn of_scalar(scalar: &str, format: &str) -> Option<Type> {
        Some(match (scalar, format) {
            ("string", "byte") => Type::Bytes,
            ("string", "duration") => Type::Duration,
            ("string", "date" | "date-time") => Type::Timestamp,
            ("string", _) => Type::String,
            ("boolean", _) => Type::Bool,
            ("number", _) => Type::Double,
            ("integer", _) => Type::Int,
            _ => return None,
        })
    }

    /// Whether values of this type have to be read otherwise than as JSON shows them.
    fn is_read_anew(&self) -> bool {
        match self {
            Type::Double | Type::Bytes | Type::Timestamp | Type::Duration => true,
            Type::List(of) => of.is_read_anew(),
            Type::Map(of) => of.1.is_read_anew(),
            Type::Object(of) => match &of.fields {
                Fields::Listed(fields) => fields.values().any(Type::is_read_anew),
                Fields::Any | Fields::Definition(..) => false,
            },
            _ => false,
        }
    }

    /// A value as its type has it: a string of the format date-time becomes a timestamp, and so on.
    pub fn read(&self, value: &Value) -> Val {
        if value.is_null() || !self.is_read_anew() {
            return Val::from(value);
        }
        let read = match (self, value) {
            (Type::Double, Value::Int(n)) => Some(Val::Double(*n as f64)),
            (Type::Bytes, Value::Str(text)) => {
                let bytes = crate::base64::decode(text).ok();
                bytes.map(|bytes| Val::Bytes(bytes.into()))
            }
            (Type::Timestamp, Value::Str(text)) => {
                let whole = Timestamp::parse(text);
                let day = || Timestamp::parse(&format!("{text}T00:00:00Z"));
                whole.or_else(day).map(Val::Timestamp)
            }
            (Type::Duration, Value::Str(text)) => parse_duration(text).map(Val::Duration),
            (Type::List(of), Value::List(items)) => {
                Some(Val::list(items.iter().map(|item| of.read(item)).collect()))
            }
            (Type::Map(of), Value::Map(map)) => {
                let entry = |(k, v): (&Str, &Value)| (Key::Str(k.clone()), of.1.read(v));
                Some(Val::Map(Rc::new(map.iter().map(entry).collect())))
            }
            (Type::Object(of), Value::Map(map)) => {
                let entry = |(k, v): (&Str, &Value)| {
                    let val = of.field(k).map_or_else(|| Val::from(v), |ty| ty.read(v));
                    (Key::Str(k.clone()), val)
                };
                Some(Val::Map(Rc::new(map.iter().map(entry).collect())))
            }
            _ => None,
        };
        read.unwrap_or_else(|| Val::from(value))
    }

    /// Whether both are one type, for sure.
    pub(super) fn same(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => a.same(b),
            (Type::Map(a), Type::Map(b)) => a.0.same(&b.0) && a.1.same(&b.1),
            (Type::Object(a), Type::Object(b)) => a.name == b.name,
            (Type::Opaque(a), Type::Opaque(b)) => a == b,
            (Type::Param(a), Type::Param(b)) => a == b,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b) && a.is_plain(),
        }
    }

    fn is_plain(&self) -> bool {
        !matches!(
            self,
            Type::List(_)
                | Type::Optional(_)
                | Type::Map(_)
                | Type::Object(_)
                | Type::Opaque(_)
                | Type::Param(_)
        )
    }
}

/// The fields of a structural schema of type object; no object if there is none to reach, unless it
/// is a root.
fn of_properties(schema: &Value, name: &str, root: bool) -> Option<Type> {
    let mut fields = BTreeMap::new();
    for (key, of) in schema.map_at("properties") {
        if let Some(ty) = Type::of_structural(of, &format!("{name}.{key}"), false) {
            fields.insert(key.clone(), ty);
        }
    }
    if root {
        fields.insert("apiVersion".into(), Type::String);
        fields.insert("kind".into(), Type::String);
        let meta = [("name", Type::String), ("generateName", Type::String)];
        let meta = Type::object(&format!("{name}.metadata"), meta);
        fields.insert("metadata".into(), meta);
    }
    Some(Type::Object(Rc::new(ObjectType {
        name: name.into(),
        fields: Fields::Listed(fields),
    })))
}

impl fmt::Display for Type {
    /// As cel-go prints types in messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dyn => f.write_str("dyn"),
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Uint => f.write_str("uint"),
            Type::Double => f.write_str("double"),
            Type::String => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Duration => f.write_str("duration"),
            Type::Type => f.write_str("type"),
            Type::List(of) => write!(f, "list({of})"),
            Type::Map(of) => write!(f, "map({}, {})", of.0, of.1),
            Type::Optional(of) => write!(f, "optional_type({of})"),
            Type::Object(of) => f.write_str(&of.name),
            Type::Opaque(name) => f.write_str(name),
            Type::Param(_) => f.write_str("dyn"),
        }
    }
}
