//! How many replicas there are and shall be, in the same form for every kind that has them.
//!
//! Models the ScaleREST of pkg/registry/apps and pkg/apis/autoscaling.

use api::kinds::Kind;
use api::managed::scale_config;
use api::schema::Schemas;
use api::selector::LabelSelector;
use api::{FieldError, Status, Value, body_value, object, status};

use crate::cache::Entry;
use crate::effect::{Action, Cx};
use crate::list::version;
use crate::patch::{Form, Patch, patched_tree};
use crate::reply;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, ScaleBy, Write};

impl ApiServer {
    /// A client reads or sets a scale.
    pub(crate) fn scale(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let by = match ask.info.verb {
            "get" => {
                let entry = self.find(resource, kind, &ask.info.namespace, &ask.info.name)?;
                if let Some(paths) = kind.custom.and_then(|custom| custom.scale.as_ref())
                    && !entry.value.has(&paths.spec)
                {
                    let path = &paths.spec;
                    return Err(status::internal(format!(
                        "the spec replicas field \".{path}\" does not exist"
                    )));
                }
                let response = reply::object(200, &of(kind, &entry.value), ask.accept);
                cx.act(Action::Respond(ask.from, response));
                return Ok(());
            }
            "patch" => {
                let patch = Patch::of(ask)?;
                if patch.form == Form::Apply {
                    return self.apply_scale(cx, ask, kind, resource, patch);
                }
                ScaleBy::Patch(patch)
            }
            _ => {
                let body = body_value(&ask.request.body);
                ScaleBy::Object(
                    body.map_err(|error| status::bad_request(error.message.to_string()))?,
                )
            }
        };
        let mut write = Write::of(cx, ask, kind, resource, Deed::Scale(by));
        write.subresource = "scale";
        self.attempt(cx, write);
        Ok(())
    }
}

impl ApiServer {
    /// Applying a scale is applying the part of the object that it shows.
    fn apply_scale(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
        mut patch: Patch,
    ) -> Result<(), Status> {
        let custom = kind.custom.and_then(|custom| custom.scale.as_ref());
        let path = custom.map_or("spec.replicas", |paths| &paths.spec);
        patch.document = scale_config(&patch.document, &kind.api_version(), kind.kind, path);
        let mut write = Write::of(cx, ask, kind, resource, Deed::Patch(patch));
        write.subresource = "scale";
        self.attempt(cx, write);
        Ok(())
    }
}

/// The scale of an object.
pub(crate) fn of(kind: &Kind, object: &Value) -> Value {
    let selector = object.at("spec.selector");
    let custom = kind.custom.and_then(|custom| custom.scale.as_ref());
    let text = if let Some(paths) = custom {
        match paths.selector.as_str() {
            "" => String::new(),
            path => object.str_at(path).to_owned(),
        }
    } else if object.api_group().is_empty() {
        // A ReplicationController's selector is a plain map.
        LabelSelector::from_map(selector.entries()).to_string()
    } else {
        LabelSelector::from_object(selector).map_or_else(|_| String::new(), |s| s.to_string())
    };
    let metadata = object.metadata();
    let (spec, status) = match custom {
        Some(paths) => (paths.spec.as_str(), paths.status.as_str()),
        None => ("spec.replicas", "status.replicas"),
    };
    let mut scale = object! {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": metadata.get("name"),
            "namespace": metadata.get("namespace"),
            "uid": metadata.get("uid"),
            "resourceVersion": metadata.get("resourceVersion"),
            "creationTimestamp": metadata.get("creationTimestamp"),
        },
        "spec": {},
        "status": { "replicas": object.i64_at(status).unwrap_or(0) },
    };
    scale.set_or_remove("spec.replicas", object.at(spec));
    scale.set_or_remove("status.selector", text);
    scale
}

/// The object with the scale that is asked for.
pub(crate) fn scaled(
    schemas: &Schemas,
    write: &Write,
    by: &ScaleBy,
    old: &Entry,
) -> Result<Value, Status> {
    let before = of(write.kind, &old.value);
    let scale = match by {
        ScaleBy::Object(scale) => scale.clone(),
        ScaleBy::Patch(patch) => patched_tree(schemas, patch, &before)?,
    };
    let invalid = |error| {
        Err(status::invalid(
            "autoscaling",
            "Scale",
            &write.name,
            &[error],
        ))
    };
    let given = scale.resource_version();
    if !given.is_empty() && version(given)? != old.revision {
        return Err(status::outdated(
            write.kind.group,
            write.kind.plural,
            &write.name,
        ));
    }
    if !scale.name().is_empty() && scale.name() != write.name.as_str() {
        let error = FieldError::invalid("metadata.name", scale.name(), "field is immutable");
        return invalid(error);
    }
    let replicas = match scale.at("spec.replicas") {
        Value::Null => 0,
        Value::Int(replicas) => *replicas,
        other => {
            return Err(status::bad_request(format!(
                "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal {} \
                 into Go struct field ScaleSpec.spec.replicas of type int32",
                other.type_name()
            )));
        }
    };
    if replicas < 0 {
        let why = "must be greater than or equal to 0";
        return invalid(FieldError::invalid("spec.replicas", replicas, why));
    }
    let mut object = old.value.clone();
    let custom = write.kind.custom.and_then(|custom| custom.scale.as_ref());
    object.set(
        custom.map_or("spec.replicas", |paths| &paths.spec),
        replicas,
    );
    Ok(object)
}
