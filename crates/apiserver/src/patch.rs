//! Changing objects by patches: JSON patch, merge patch, strategic merge patch.
//!
//! Models apiserver/pkg/endpoints/handlers/patch.go.

use api::kinds::Kind;
use api::patch::{
    apply_json_patch, apply_merge_patch, apply_strategic_patch, json_patch_strict_errors,
};
use api::schema::Schemas;
use api::{FieldError, Status, Value, body_value, status};

use crate::decode::Validation;
use crate::effect::Cx;
use crate::list::shown;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, Write, deprecated};

/// The media types of patches.
const ACCEPTED: [&str; 3] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
];

/// How a patch is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Lists merge by their keys.
    Strategic,
}

/// A patch.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    form: Form,
    document: Value,
    validation: Validation,
}

impl Patch {
    /// Reads a request's patch.
    pub(crate) fn of(ask: &Ask) -> Result<Patch, Status> {
        let header = ask.request.headers.get("Content-Type").unwrap_or("");
        let form = match header.split(';').next().unwrap_or("").trim() {
            "application/json-patch+json" => Form::Json,
            "application/merge-patch+json" => Form::Merge,
            "application/strategic-merge-patch+json" => Form::Strategic,
            "application/apply-patch+yaml" | "application/apply-patch+cbor" => {
                let what = sim::unmodelled!("server-side apply");
                let mut status = status::unsupported_media_type(&ACCEPTED);
                status.message = format!("{what}; {}", status.message);
                return Err(status);
            }
            _ => return Err(status::unsupported_media_type(&ACCEPTED)),
        };
        let document = body_value(&ask.request.body)
            .map_err(|error| status::bad_request(error.message.to_string()))?;
        if form == Form::Json && !document.is_list() {
            return Err(status::bad_request(format!(
                "error decoding patch: json: cannot unmarshal {} into Go value of type \
                 []handlers.jsonPatchOp",
                document.type_name()
            )));
        }
        if form != Form::Json && !document.is_map() {
            return Err(status::bad_request(format!(
                "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                document.type_name()
            )));
        }
        Ok(Patch {
            form,
            document,
            validation: Validation::of(&ask.query)?,
        })
    }
}

impl ApiServer {
    /// A client wants an object patched, or the part of it that a subresource covers.
    pub(crate) fn begin_patch(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
        subresource: &'static str,
    ) -> Result<(), Status> {
        let patch = Patch::of(ask)?;
        let mut write = Write::of(cx, ask, kind, resource, Deed::Patch(patch));
        write.subresource = subresource;
        self.attempt(cx, write);
        Ok(())
    }

    /// The object with the patch applied, in its stored shape.
    pub(crate) fn patched(
        &mut self,
        write: &mut Write,
        patch: &Patch,
        old: &Value,
    ) -> Result<Value, Status> {
        let kind = write.kind;
        let schemas = self.schemas.clone();
        let merged = patched_tree(&schemas, patch, &shown(kind, old))?;
        let decoded = kind.decode(&schemas, &merged);
        if let Some(why) = decoded.error {
            return Err(misfit(patch, &merged, &why));
        }
        let mut strict = Vec::new();
        if patch.form == Form::Json {
            strict.extend(json_patch_strict_errors(&patch.document));
        }
        strict.extend(decoded.strict);
        // A patch that is planned again says everything again.
        write.warnings = deprecated(kind);
        match patch.validation {
            Validation::Strict if !strict.is_empty() => {
                let why = format!("strict decoding error: {}", strict.join(", "));
                return Err(status::bad_request(why));
            }
            Validation::Warn => write.warnings.extend(strict),
            Validation::Strict | Validation::Ignore => {}
        }
        let mut new = decoded.value;
        kind.default(&mut new);
        Ok(kind.store(new))
    }
}

/// A tree with the patch applied; nothing is checked but that it can be.
pub(crate) fn patched_tree(schemas: &Schemas, patch: &Patch, old: &Value) -> Result<Value, Status> {
    let patched = match (patch.form, schemas.by_kind(old.api_version(), old.kind())) {
        (Form::Json, _) => apply_json_patch(old, &patch.document),
        (Form::Strategic, Some(id)) => apply_strategic_patch(schemas, id, old, &patch.document),
        (Form::Strategic, None) => return Err(status::unsupported_media_type(&ACCEPTED[..2])),
        (Form::Merge, _) => apply_merge_patch(old, &patch.document),
    };
    patched.map_err(|error| error.status())
}

/// The patched object does not fit its type. Strategic patches go through another decoder than the
/// others, with words of its own.
fn misfit(patch: &Patch, merged: &Value, why: &str) -> Status {
    let (shown, why) = match patch.form {
        Form::Strategic => (go_map(&patch.document), restoring(why)),
        Form::Json | Form::Merge => (merged.to_json(), why.to_owned()),
    };
    status::invalid("", "", "", &[FieldError::invalid("patch", shown, why)])
}

/// What the converter from trees says where encoding/json says that it `cannot unmarshal string into
/// … of type int32`.
fn restoring(why: &str) -> String {
    let Some((_, rest)) = why.split_once("cannot unmarshal ") else {
        return why.to_owned();
    };
    let from = match rest.split(' ').next().unwrap_or("") {
        "number" => "int64",
        "object" => "map",
        "array" => "slice",
        other => other,
    };
    let to = rest.rsplit(' ').next().unwrap_or("");
    match to {
        to if to.starts_with("[]") => format!("cannot restore slice from {from}"),
        to if to.starts_with("map[") => format!("cannot restore map from {from}"),
        to if !to.contains('.') => format!("unrecognized type: {to}"),
        // A type with a name: a struct, unless that is what was given.
        _ if from == "map" => "unrecognized type: string".to_owned(),
        _ => format!("cannot restore struct from: {from}"),
    }
}

/// A tree as Go prints maps and slices with `%v`.
fn go_map(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Str(text) => text.to_string(),
        Value::List(items) => {
            format!(
                "[{}]",
                items.iter().map(go_map).collect::<Vec<_>>().join(" ")
            )
        }
        Value::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| format!("{key}:{}", go_map(value)));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
        other => other.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn decoders_word_it_differently() {
        let json = |what: &str, to: &str| {
            restoring(&format!(
                "json: cannot unmarshal {what} into Go struct field A.b of type {to}"
            ))
        };
        assert_eq!(json("string", "int32"), "unrecognized type: int32");
        assert_eq!(
            json("object", "[]v1.Container"),
            "cannot restore slice from map"
        );
        assert_eq!(
            json("number", "map[string]string"),
            "cannot restore map from int64"
        );
        assert_eq!(
            json("string", "v1.PodSpec"),
            "cannot restore struct from: string"
        );
        assert_eq!(restoring("illegal base64"), "illegal base64");
        let patch = object! { "a": { "b": "c" }, "d": [1, "e"], "f": {} };
        assert_eq!(go_map(&patch), "map[a:map[b:c] d:[1 e] f:map[]]");
    }
}
