//! Changing objects by patches: JSON patch, merge patch, strategic merge patch.
//!
//! Models apiserver/pkg/endpoints/handlers/patch.go.

use api::kinds::Kind;
use api::patch::{
    apply_json_patch, apply_merge_patch, apply_strategic_patch, json_patch_strict_errors,
    spent_strategic_patch, undecodable,
};
use api::schema::Schemas;
use api::{Status, Value, body_value, go, status};
use net::http::Body;

use crate::create::match_namespace;
use crate::decode::{Validation, repeated};
use crate::effect::Cx;
use crate::list::shown;
use crate::managed::check_options;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, Write, deprecated};

/// The media types of patches.
const ACCEPTED: [&str; 5] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/apply-patch+cbor",
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
    /// A configuration is applied.
    Apply,
}

/// A patch.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    pub(crate) form: Form,
    pub(crate) document: Value,
    validation: Validation,
    /// What is wrong with its text, though it can be read.
    strict: Vec<String>,
    /// Takes fields from others.
    pub(crate) force: bool,
}

impl Patch {
    /// Reads a request's patch.
    pub(crate) fn of(ask: &Ask) -> Result<Patch, Status> {
        let header = ask.request.headers.get("Content-Type").unwrap_or("");
        let form = match header.split(';').next().unwrap_or("").trim() {
            "application/json-patch+json" => Form::Json,
            "application/merge-patch+json" => Form::Merge,
            "application/strategic-merge-patch+json" => Form::Strategic,
            "application/apply-patch+yaml" => Form::Apply,
            _ => return Err(status::unsupported_media_type(&ACCEPTED)),
        };
        check_options(ask, "PatchOptions", Some(form))?;
        let (document, strict) = match form {
            Form::Apply => configuration(&ask.request.body)?,
            _ => {
                let read = body_value(&ask.request.body);
                let read = read.map_err(|error| status::bad_request(error.message.to_string()))?;
                (read, Vec::new())
            }
        };
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
            strict,
            force: ask.query.force,
        })
    }
}

/// A configuration to apply, YAML, which JSON is as well; and what a strict reader says of it.
fn configuration(body: &Body) -> Result<(Value, Vec<String>), Status> {
    let wrong = |why: String| status::bad_request(format!("error decoding YAML: {why}"));
    if let Body::Shared(_) = body {
        let read = body_value(body).map_err(|error| wrong(error.message.to_string()))?;
        return Ok((read, Vec::new()));
    }
    let documents = api::yaml::parse_all(&body.text()).map_err(|error| wrong(error.to_string()))?;
    let first = documents.into_iter().next();
    Ok(first.map_or_else(
        || (Value::empty_map(), Vec::new()),
        |document| (document.value, document.repeated),
    ))
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
        cx: &Cx<'_>,
        write: &mut Write,
        patch: &Patch,
        old: Option<&Value>,
    ) -> Result<Value, Status> {
        let kind = write.kind;
        let schemas = self.schemas.clone();
        let merged = match (patch.form, old) {
            (Form::Apply, old) => {
                let applied = self.applied(cx, write, patch, old)?;
                if patch.validation == Validation::Strict && !patch.strict.is_empty() {
                    let why = repeated(&patch.strict);
                    let why =
                        format!("error strict decoding YAML: error converting YAML to JSON: {why}");
                    return Err(status::bad_request(why));
                }
                applied
            }
            (_, Some(old)) => patched_tree(&schemas, patch, &shown(kind, old))?,
            (_, None) => return Err(write.not_found()),
        };
        let id = schemas.by_kind(&kind.api_version(), kind.kind);
        // Strategic patches go through another decoder than the others, with words of its own.
        let decoded = match id.filter(|_| patch.form == Form::Strategic) {
            Some(id) => schemas.convert(id, &merged),
            None => kind.decode(&schemas, &merged),
        };
        if let Some(why) = decoded.error {
            let shown = match patch.form {
                Form::Strategic => go::plain(&spent_strategic_patch(&patch.document)),
                _ => merged.to_json(),
            };
            return Err(undecodable(&shown, &why));
        }
        let mut strict = patch.strict.clone();
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
        match_namespace(kind, &mut new, &write.namespace)?;
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
        (Form::Apply, _) => return Err(status::unsupported_media_type(&ACCEPTED[..3])),
    };
    let mut patched = patched.map_err(|error| error.status())?;
    let changed = ["apiVersion", "kind"].map(|field| patched.str(field) != old.str(field));
    if changed == [false, false] {
        return Ok(patched);
    }
    // Into a type that is known, another type's name makes no difference; text is read as what it says
    // it is.
    if patch.form != Form::Strategic && !patched.kind().is_empty() {
        return Err(undecodable(
            &patched.to_json(),
            &converted(schemas, &patched, old),
        ));
    }
    for field in ["apiVersion", "kind"] {
        patched.set(field, old.get(field).clone());
    }
    Ok(patched)
}

/// Why an object of another type cannot be read as one of this.
fn converted(schemas: &Schemas, given: &Value, wanted: &Value) -> String {
    let (version, kind) = (given.api_version(), given.kind());
    if schemas.by_kind(version, kind).is_none() {
        return format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \
             \"pkg/api/legacyscheme/scheme.go:30\""
        );
    }
    let group = match wanted.api_group() {
        "" => "core",
        group => group.split('.').next().unwrap_or(group),
    };
    let version = version.rsplit('/').next().unwrap_or(version);
    let wanted = wanted.kind();
    format!("converting ({version}.{kind}) to ({group}.{wanted}): unknown conversion")
}
