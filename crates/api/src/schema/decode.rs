//! What a typed server makes of an object: unknown fields are reported and dropped, wrong types are
//! errors in encoding/json's words, quantities and times take their canonical form, zero values go
//! where Go's `omitempty` leaves them out and come where it does not.
//! Models sigs.k8s.io/json and the round trip through k8s.io/api.

mod special;

use crate::schema::{DefId, Definition, Field, Schemas, Special, Type};
use crate::{Map, Str, Value, base64};

/// No more unknown fields than this are reported.
const MOST_STRICT_ERRORS: usize = 100;

/// What came of decoding an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The object as the typed server has it; shares what did not change.
    pub value: Value,
    /// `unknown field "spec.foo"`, in the order of the object.
    pub strict: Vec<String>,
    /// Why it cannot be decoded at all: `json: cannot unmarshal string into Go struct field …`.
    pub error: Option<String>,
}

impl Schemas {
    /// Decodes an object of a kind. A kind that is not built in is given back as it is.
    pub fn decode(&self, api_version: &str, kind: &str, object: &Value) -> Decoded {
        match self.by_kind(api_version, kind) {
            Some(id) => self.decode_as(id, object),
            None => Decoded {
                value: object.clone(),
                strict: Vec::new(),
                error: None,
            },
        }
    }

    /// Decodes a value as a definition.
    pub fn decode_as(&self, id: DefId, value: &Value) -> Decoded {
        self.run(id, value, Wording::Json)
    }

    /// The same as the server converts an object patched strategically: errors are worded by its
    /// converter of unstructured objects (`unrecognized type: int32`).
    pub fn convert(&self, id: DefId, value: &Value) -> Decoded {
        self.run(id, value, Wording::Converter)
    }

    fn run(&self, id: DefId, value: &Value, wording: Wording) -> Decoded {
        let mut decoder = Decoder {
            schemas: self,
            wording,
            strict: Vec::new(),
            saved: None,
            fatal: None,
            fields: Vec::new(),
            owner: "",
            path: String::new(),
        };
        let definition = self.definition(id);
        let out = match (value, definition.special) {
            (Value::Map(map), Special::Struct) => match decoder.structure(definition, map) {
                Out::New(value) => value,
                _ => value.clone(),
            },
            (_, Special::Struct) => {
                let what = value.type_name();
                let ty = definition.go_name();
                decoder.saved = Some(format!(
                    "json: cannot unmarshal {what} into Go value of type {ty}"
                ));
                value.clone()
            }
            _ => value.clone(),
        };
        let Decoder {
            strict,
            saved,
            fatal,
            ..
        } = decoder;
        Decoded {
            value: out,
            strict,
            error: fatal.or(saved),
        }
    }

    /// The value a struct has when nothing is set: what is always written, with its zero.
    pub fn zero(&self, id: DefId) -> Value {
        let definition = self.definition(id);
        match definition.special {
            Special::Quantity => Value::from("0"),
            Special::IntOrString => Value::Int(0),
            Special::Struct => {
                let fields = definition
                    .fields
                    .iter()
                    .filter(|field| field.always || field.null);
                Value::Map(
                    fields
                        .map(|field| (field.name, self.zero_of(field)))
                        .collect(),
                )
            }
            Special::Time | Special::MicroTime | Special::Raw => Value::Null,
        }
    }

    fn zero_of(&self, field: &Field) -> Value {
        if field.null {
            Value::Null
        } else {
            self.zero_of_type(&field.ty)
        }
    }

    fn zero_of_type(&self, ty: &Type) -> Value {
        match ty {
            Type::String | Type::Bytes => Value::from(""),
            Type::Bool => Value::Bool(false),
            Type::Int32 | Type::Int64 | Type::Double => Value::Int(0),
            Type::Any | Type::List(_) | Type::Map(_) => Value::Null,
            Type::Ref(id) => self.zero(*id),
        }
    }
}

/// Whose sentences errors are in.
#[derive(Clone, Copy, PartialEq)]
enum Wording {
    Json,
    Converter,
}

/// What became of a value.
enum Out {
    Same,
    New(Value),
    Drop,
}

struct Decoder<'a> {
    schemas: &'a Schemas,
    wording: Wording,
    strict: Vec<String>,
    /// The first wrong type; decoding goes on after it.
    saved: Option<String>,
    /// An error of a type that decodes itself; decoding stops at it, and it wins.
    fatal: Option<String>,
    /// The names of the fields on the way here: lists and map keys are not in encoding/json's.
    fields: Vec<&'static str>,
    /// The struct whose field is being decoded.
    owner: &'static str,
    /// The path with indices and keys, of strict errors.
    path: String,
}

/// A field and how deep in its lists and maps a value of it lies.
#[derive(Clone, Copy)]
struct Place<'f> {
    owner: &'f Definition,
    field: &'f Field,
    depth: usize,
}

impl<'a> Decoder<'a> {
    fn structure(&mut self, definition: &'a Definition, map: &Map) -> Out {
        let mut out: Vec<(Str, Value)> = Vec::with_capacity(map.len() + 2);
        let mut changed = false;
        let mut fields = definition.fields.iter().peekable();
        for (key, value) in map {
            // Both are sorted: fields before this key are absent from the object.
            while let Some(field) = fields.next_if(|field| *field.name < **key) {
                changed |= self.absent(field, &mut out);
            }
            let Some(field) = fields.next_if(|field| field.name == &**key) else {
                self.unknown(key);
                changed = true;
                continue;
            };
            if value.is_null() {
                let at = out.len();
                self.absent(field, &mut out);
                changed |= out.len() == at || !field.null;
                continue;
            }
            match self.field(definition, field, key, value) {
                Out::Same => out.push((key.clone(), value.clone())),
                Out::New(value) => {
                    changed = true;
                    out.push((key.clone(), value));
                }
                Out::Drop => changed = true,
            }
            if self.fatal.is_some() {
                return Out::Same;
            }
        }
        for field in fields {
            changed |= self.absent(field, &mut out);
        }
        if changed {
            Out::New(Value::Map(Map::from_entries(out)))
        } else {
            Out::Same
        }
    }

    /// Writes a field that is not there, if its absence is written.
    fn absent(&self, field: &Field, out: &mut Vec<(Str, Value)>) -> bool {
        if !field.always && !field.null {
            return false;
        }
        out.push((Str::from(field.name), self.schemas.zero_of(field)));
        true
    }

    fn unknown(&mut self, key: &str) {
        if self.strict.len() < MOST_STRICT_ERRORS {
            let dot = if self.path.is_empty() { "" } else { "." };
            self.strict
                .push(format!("unknown field \"{}{dot}{key}\"", self.path));
        }
    }

    fn field(
        &mut self,
        definition: &'a Definition,
        field: &'a Field,
        key: &str,
        value: &Value,
    ) -> Out {
        let (owner, len) = (self.owner, self.path.len());
        self.owner = definition.struct_name();
        self.fields.push(field.name);
        if len > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        let out = self.value(
            Place {
                owner: definition,
                field,
                depth: 0,
            },
            &field.ty,
            value,
        );
        let keep_zero = field.always || field.pointer;
        let out = match (&out, &field.ty) {
            (_, Type::Ref(_) | Type::Any) => out,
            (Out::Same, Type::List(_)) if value.is_zero() && !field.required => Out::Drop,
            (Out::Same, _) if value.is_zero() && !keep_zero && !field.required => Out::Drop,
            (Out::New(new), _) if new.is_zero() && !keep_zero && !field.required => Out::Drop,
            _ => out,
        };
        self.path.truncate(len);
        self.fields.pop();
        self.owner = owner;
        out
    }

    fn value(&mut self, place: Place<'a>, ty: &'a Type, value: &Value) -> Out {
        match (ty, value) {
            (Type::Any, _) => Out::Same,
            (Type::String, Value::Str(_)) | (Type::Bool, Value::Bool(_)) => Out::Same,
            (Type::Int64, Value::Int(_)) | (Type::Double, Value::Int(_) | Value::Float(_)) => {
                Out::Same
            }
            (Type::Int32, Value::Int(n)) if i32::try_from(*n).is_ok() => Out::Same,
            (Type::Bytes, Value::Str(text)) => self.bytes(text),
            (Type::List(item), Value::List(items)) => self.list(place, item, items),
            (Type::Map(item), Value::Map(map)) => self.map(place, item, map),
            (Type::Ref(id), _) => {
                let definition = self.schemas.definition(*id);
                match (definition.special, value) {
                    (Special::Struct, Value::Map(map)) => self.structure(definition, map),
                    (Special::Struct, _) => self.wrong(place, ty, value),
                    (special, _) => self.special(special, value),
                }
            }
            _ => self.wrong(place, ty, value),
        }
    }

    /// Notes a wrong type; the field is left out and decoding goes on.
    fn wrong(&mut self, place: Place<'a>, wanted: &Type, value: &Value) -> Out {
        if self.saved.is_none() && self.wording == Wording::Converter {
            self.saved = Some(self.converter_error(wanted, value));
        } else if self.saved.is_none() {
            let what = match (wanted, value) {
                (Type::Int32 | Type::Int64, Value::Int(_) | Value::Float(_)) => {
                    format!("number {value}")
                }
                _ => value.type_name().to_owned(),
            };
            let mut ty = self.schemas.go_type_of(place.owner, place.field);
            for _ in 0..place.depth {
                let inner = ty
                    .strip_prefix("[]")
                    .or_else(|| ty.strip_prefix("map[string]"));
                ty = inner.unwrap_or(&ty).to_owned();
            }
            self.saved = Some(self.type_error(&what, &ty));
        }
        Out::Drop
    }

    fn converter_error(&self, wanted: &Type, value: &Value) -> String {
        let kind = match value {
            Value::Null => "invalid",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int64",
            Value::Float(_) => "float64",
            Value::Str(_) => "string",
            Value::List(_) => "slice",
            Value::Map(_) => "map",
        };
        let ty = self.schemas.go_type(wanted);
        match (wanted, value) {
            (Type::Map(_), _) => format!("cannot restore map from {kind}"),
            (Type::List(_) | Type::Bytes, _) => format!("cannot restore slice from {kind}"),
            (Type::Ref(_), _) => format!("cannot restore struct from: {kind}"),
            // Go converts a whole number to a string of one character, which is not meant.
            (Type::String, Value::Int(_)) | (Type::Int32 | Type::Int64, Value::Float(_)) => {
                format!("cannot convert {kind} to {ty}")
            }
            _ => format!("unrecognized type: {ty}"),
        }
    }

    fn type_error(&self, what: &str, ty: &str) -> String {
        if self.wording == Wording::Converter {
            return format!("json: cannot unmarshal {what} into Go value of type {ty}");
        }
        let field = self.fields.join(".");
        let owner = self.owner;
        format!("json: cannot unmarshal {what} into Go struct field {owner}.{field} of type {ty}")
    }

    fn bytes(&mut self, text: &str) -> Out {
        let clean: String = text.chars().filter(|c| !"\r\n".contains(*c)).collect();
        match base64::decode(&clean) {
            Ok(_) if clean.len() == text.len() => Out::Same,
            Ok(_) => Out::New(Value::from(clean)),
            Err(at) => {
                let error = format!("illegal base64 data at input byte {at}");
                self.saved.get_or_insert(error);
                Out::Drop
            }
        }
    }

    fn list(&mut self, place: Place<'a>, item: &'a Type, items: &[Value]) -> Out {
        let inner = Place {
            depth: place.depth + 1,
            ..place
        };
        let mut fresh: Option<Vec<Value>> = None;
        let len = self.path.len();
        for (i, value) in items.iter().enumerate() {
            self.path.push_str(&format!("[{i}]"));
            let out = match value.is_null() {
                true => Out::New(self.schemas.zero_of_type(item)),
                false => self.value(inner, item, value),
            };
            self.path.truncate(len);
            if self.fatal.is_some() {
                return Out::Same;
            }
            let changed = !matches!(out, Out::Same);
            if changed && fresh.is_none() {
                fresh = Some(items[..i].to_vec());
            }
            if let Some(fresh) = &mut fresh {
                match out {
                    Out::Same => fresh.push(value.clone()),
                    Out::New(value) => fresh.push(value),
                    Out::Drop => {}
                }
            }
        }
        fresh.map_or(Out::Same, |fresh| Out::New(Value::list_of(fresh)))
    }

    fn map(&mut self, place: Place<'a>, item: &'a Type, map: &Map) -> Out {
        let inner = Place {
            depth: place.depth + 1,
            ..place
        };
        let mut fresh: Option<Map> = None;
        let len = self.path.len();
        for (key, value) in map {
            if len > 0 {
                self.path.push('.');
            }
            self.path.push_str(key);
            let out = match value.is_null() {
                true => Out::New(self.schemas.zero_of_type(item)),
                false => self.value(inner, item, value),
            };
            self.path.truncate(len);
            if self.fatal.is_some() {
                return Out::Same;
            }
            match out {
                Out::Same => {}
                Out::New(value) => {
                    fresh.get_or_insert_with(|| map.clone()).insert(key, value);
                }
                Out::Drop => {
                    fresh.get_or_insert_with(|| map.clone()).remove(key);
                }
            }
        }
        fresh.map_or(Out::Same, |fresh| Out::New(Value::Map(fresh)))
    }
}

#[cfg(test)]
mod tests;
