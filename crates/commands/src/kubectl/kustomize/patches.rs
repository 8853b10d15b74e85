//! Patches: strategic merge patches that name their object or are told which, and JSON patches.
//!
//! Models kustomize/api/internal/builtins/Patch{,StrategicMerge,Json6902}Transformer.go.

use api::{Value, patch, yaml};
use machine::Io;
use shell::regex::Regex;

use super::file;
use super::res::{Id, Res};
use super::target::Target;

/// `patchesStrategicMerge`: files or inline.
pub(super) async fn strategic(
    io: &Io,
    target: &Target,
    objects: &mut Vec<Res>,
) -> Result<(), String> {
    for one in target.strings("patchesStrategicMerge") {
        let text = match one.contains('\n') || one.trim_start().starts_with('{') {
            true => one.to_owned(),
            false => {
                let bytes = file::text(io, &target.dir, one).await?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
        };
        for document in parsed(&text)? {
            merge_by_id(objects, &document)?;
        }
    }
    Ok(())
}

/// `patches`: of either form, for a target or for the object that they name.
pub(super) async fn patches(
    io: &Io,
    target: &Target,
    objects: &mut Vec<Res>,
) -> Result<(), String> {
    for one in target.kustomization.get("patches").list() {
        let failed = |why: String| {
            let config = yaml::to_string(one);
            format!("trouble configuring builtin PatchTransformer with config: `\n{config}`: {why}")
        };
        let (text, source) = text_of(io, target, one).await.map_err(failed)?;
        // What begins as JSON has to be JSON.
        let is_odd =
            text.trim_start().starts_with('[') && Value::from_json(text.as_bytes()).is_err();
        let Some(documents) = parsed(&text).ok().filter(|_| !is_odd) else {
            return Err(failed(format!(
                "unable to parse SM or JSON patch from [{source}]"
            )));
        };
        let selects = one.get("target");
        if let [operations @ Value::List(_)] = documents.as_slice() {
            if selects.is_null() {
                return Err(failed(format!(
                    "must specify a target for JSON patch [{source}]"
                )));
            }
            json(objects, selects, operations)?;
            continue;
        }
        let whole = |one: &Value| !one.kind().is_empty() && !one.name().is_empty();
        if documents.is_empty() || !documents.iter().all(whole) {
            return Err(failed(format!(
                "unable to parse SM or JSON patch from [{source}]"
            )));
        }
        for document in &documents {
            match selects.is_null() {
                true => merge_by_id(objects, document)?,
                false => merge_selected(objects, selects, document, one.get("options"))?,
            }
        }
    }
    Ok(())
}

/// `patchesJson6902`.
pub(super) async fn json6902(io: &Io, target: &Target, objects: &mut [Res]) -> Result<(), String> {
    for one in target.kustomization.get("patchesJson6902").list() {
        let (text, _) = text_of(io, target, one).await?;
        let documents = parsed(&text)?;
        let operations = documents.first().cloned().unwrap_or_default();
        json(objects, one.get("target"), &operations)?;
    }
    Ok(())
}

/// The text of a patch and what it is called in errors.
async fn text_of(io: &Io, target: &Target, one: &Value) -> Result<(String, String), String> {
    let (path, patch) = (one.str("path"), one.str("patch"));
    match (path, patch) {
        ("", "") => {
            let config = yaml::to_string(one);
            Err(format!(
                "must specify one of patch and path in\n{}",
                config.trim_end()
            ))
        }
        ("", patch) => Ok((patch.to_owned(), format!("patch: {patch:?}"))),
        (path, "") => {
            let read = file::text(io, &target.dir, path).await;
            let bytes = read
                .map_err(|why| format!("failed to get the patch file from path({path}): {why}"))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Ok((text, format!("path: {path:?}")))
        }
        _ => Err("patch and path can't be set at the same time".to_owned()),
    }
}

fn parsed(text: &str) -> Result<Vec<Value>, String> {
    let documents = yaml::parse_all_v3(text).map_err(|why| why.to_string())?;
    let values = documents.into_iter().map(|document| document.value);
    Ok(values.filter(|value| !value.is_null()).collect())
}

fn merge_by_id(objects: &mut Vec<Res>, patch: &Value) -> Result<(), String> {
    let id = Id::of(patch);
    let found: Vec<usize> = (0..objects.len()).filter(|i| objects[*i].is(&id)).collect();
    match found.as_slice() {
        [one] => {
            if !merge(&mut objects[*one], patch)? {
                objects.remove(*one);
            }
            Ok(())
        }
        [] => Err(format!(
            "no resource matches strategic merge patch {:?}: no matches for Id {id}; failed to \
             find unique target for patch {id}",
            id.to_string()
        )),
        _ => Err(format!(
            "multiple matches for Id {id}; failed to find unique target for patch {id}"
        )),
    }
}

fn merge_selected(
    objects: &mut Vec<Res>,
    selects: &Value,
    patch: &Value,
    options: &Value,
) -> Result<(), String> {
    let mut kept = Vec::with_capacity(objects.len());
    for mut object in objects.drain(..) {
        let mut remains = true;
        if selected(&object, selects) {
            let mut patch = patch.clone();
            // Who an object is stays, unless the patch may change it.
            if !options.bool_at("allowNameChange") {
                patch.set("metadata.name", object.value.name());
            }
            if !options.bool_at("allowKindChange") {
                patch.set("kind", object.value.kind());
                patch.set("apiVersion", object.value.api_version());
            }
            remains = merge(&mut object, &patch)?;
        }
        if remains {
            kept.push(object);
        }
    }
    *objects = kept;
    Ok(())
}

/// Merges a patch into an object; false if the patch deletes it.
fn merge(object: &mut Res, patch: &Value) -> Result<bool, String> {
    if patch.str("$patch") == "delete" {
        return Ok(false);
    }
    let schemas = api::Schemas::load();
    let id = schemas.by_kind(object.value.api_version(), object.value.kind());
    let mut plain = patch.clone();
    plain.remove("metadata.namespace");
    let merged = match id {
        Some(id) => {
            ordered(&schemas, &mut plain, &object.value, id);
            patch::apply_strategic_patch(&schemas, id, &object.value, &plain)
        }
        None => patch::apply_merge_patch(&object.value, &plain),
    };
    let merged = merged.map_err(|why| why.to_string())?;
    if merged.name() != object.value.name() || merged.kind() != object.value.kind() {
        object.before.push(object.id());
    }
    object.value = merged;
    Ok(true)
}

/// Tells a patch's lists to come first: kustomize merges so, kubectl does not.
fn ordered(schemas: &api::Schemas, patch: &mut Value, object: &Value, id: api::schema::DefId) {
    let Value::Map(map) = patch else { return };
    let keys: Vec<_> = map.keys().cloned().collect();
    for key in keys {
        let Some(field) = schemas.field(id, &key) else {
            continue;
        };
        let inner = map.get(&key).cloned().unwrap_or_default();
        match &field.ty {
            api::schema::Type::Ref(id) if inner.is_map() => {
                let mut inner = inner;
                ordered(schemas, &mut inner, object.get(&key), *id);
                map.insert(key, inner);
            }
            api::schema::Type::List(item) if field.merge && inner.is_list() => {
                let Some(merge_key) = field.merge_key else {
                    continue;
                };
                let mut items = inner.list().to_vec();
                if let api::schema::Type::Ref(id) = &**item {
                    for one in &mut items {
                        let same = |other: &&Value| other.get(merge_key).same(one.get(merge_key));
                        let old = object.get(&key).list().iter().find(same).cloned();
                        ordered(schemas, one, &old.unwrap_or_default(), *id);
                    }
                }
                let order = order_of(&items, object.get(&key).list(), merge_key);
                map.insert(key.clone(), Value::list_of(items));
                map.insert(format!("$setElementOrder/{key}"), Value::list_of(order));
            }
            _ => {}
        }
    }
}

/// The keys of a merged list: those of the patch, then the others.
fn order_of(patch: &[Value], object: &[Value], merge_key: &str) -> Vec<Value> {
    let mut order: Vec<Value> = Vec::new();
    for item in patch.iter().chain(object) {
        let deleted = item.str("$patch") == "delete";
        let key = item.get(merge_key);
        let known = order.iter().any(|one| one.get(merge_key).same(key));
        let gone = patch
            .iter()
            .any(|one| one.str("$patch") == "delete" && one.get(merge_key).same(key));
        if !deleted && !known && !gone && !key.is_null() {
            let mut one = Value::empty_map();
            one.set_path(&[merge_key], key);
            order.push(one);
        }
    }
    order
}

fn json(objects: &mut [Res], selects: &Value, operations: &Value) -> Result<(), String> {
    for object in objects
        .iter_mut()
        .filter(|object| selected(object, selects))
    {
        let patched = patch::apply_json_patch(&object.value, operations);
        let patched = patched.map_err(|why| why.to_string())?;
        if patched.name() != object.value.name() {
            object.before.push(object.id());
        }
        object.value = patched;
    }
    Ok(())
}

/// Whether a target means an object: by expressions over who it is or was, and by selectors.
pub(super) fn selected(object: &Res, selects: &Value) -> bool {
    let fits = |field: &str, text: &str| {
        let wanted = selects.str(field);
        wanted.is_empty() || matches(wanted, text)
    };
    let by_id = object.ids().iter().any(|id| {
        let namespace = match id.namespace.as_str() {
            "" => "default",
            namespace => namespace,
        };
        fits("group", &id.group)
            && fits("version", &id.version)
            && fits("kind", &id.kind)
            && fits("name", &id.name)
            && (fits("namespace", &id.namespace) || fits("namespace", namespace))
    });
    let by_labels = |field: &str, labels: &api::Map| {
        let text = selects.str(field);
        text.is_empty()
            || api::selector::LabelSelector::parse(text)
                .is_ok_and(|selector| selector.matches(labels))
    };
    by_id
        && by_labels("labelSelector", object.value.labels())
        && by_labels("annotationSelector", object.value.annotations())
}

/// Whether an expression, anchored at both ends, fits: letters as they are, `.`, `*`, `+`, `?`,
/// alternatives and brackets as everywhere.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
    let whole = format!("^({pattern})$");
    Regex::perl(&whole, false).is_ok_and(|regex| regex.is_match(text))
}
