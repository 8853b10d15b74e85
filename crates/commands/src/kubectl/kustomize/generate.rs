//! ConfigMaps and Secrets made of files, literals and lines of environment files; the hash of their
//! contents in their names.
//!
//! Models kustomize/api/internal/generators, api/kv and api/hasher.

use api::{Map, Value, base64, object};
use machine::Io;

use super::file;
use super::res::Res;
use super::target::{Accumulated, Target};

/// Makes what a kustomization wants generated, and merges it into what is there.
pub(super) async fn run(io: &Io, target: &Target, into: &mut Accumulated) -> Result<(), String> {
    for (field, kind) in [
        ("configMapGenerator", "ConfigMap"),
        ("secretGenerator", "Secret"),
    ] {
        for args in target.kustomization.get(field).list() {
            let made = generated(io, target, kind, args).await?;
            absorb(&mut into.objects, made, args.str("behavior"))?;
        }
    }
    Ok(())
}

async fn generated(io: &Io, target: &Target, kind: &str, args: &Value) -> Result<Res, String> {
    let pairs = pairs(io, &target.dir, args).await;
    let pairs = pairs.map_err(|why| format!("loading KV pairs: {why}"))?;
    let name = args.str("name");
    if name.is_empty() {
        return Err("a configmap must have a name".replace("configmap", &kind.to_lowercase()));
    }
    let mut value = object! {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": { "name": name },
    };
    value.set_or_remove("metadata.namespace", args.str("namespace"));
    if kind == "Secret" {
        let ty = args.str("type");
        value.set("type", if ty.is_empty() { "Opaque" } else { ty });
    }
    let (mut data, mut binary) = (Map::new(), Map::new());
    for (key, bytes) in pairs {
        if data.contains_key(&key) || binary.contains_key(&key) {
            return Err(format!(
                "configmap {name} illegally repeats the key `{key}`"
            ));
        }
        match String::from_utf8(bytes) {
            Ok(text) if kind == "ConfigMap" => data.insert(key, text),
            Ok(text) => data.insert(key, base64::encode(text.as_bytes())),
            Err(raw) if kind == "ConfigMap" => binary.insert(key, base64::encode(raw.as_bytes())),
            Err(raw) => data.insert(key, base64::encode(raw.as_bytes())),
        };
    }
    value.set_or_remove("data", Value::Map(data));
    value.set_or_remove("binaryData", Value::Map(binary));
    let general = target.kustomization.get("generatorOptions");
    let mut hashed = true;
    for options in [general, args.get("options")] {
        for field in ["labels", "annotations"] {
            for (key, text) in options.get(field).entries() {
                value.set_path(&["metadata", field, key], text);
            }
        }
        hashed &= !options.bool_at("disableNameSuffixHash");
        if options.bool_at("immutable") {
            value.set("immutable", true);
        }
    }
    let mut made = Res::new(value);
    made.hashed = hashed;
    Ok(made)
}

type Pairs = Vec<(String, Vec<u8>)>;

async fn pairs(io: &Io, dir: &str, args: &Value) -> Result<Pairs, String> {
    let strings = |field: &str| -> Vec<String> {
        let list = args.get(field).list().iter();
        list.map(|one| one.as_str().to_owned()).collect()
    };
    let mut found = Vec::new();
    let mut envs = strings("envs");
    envs.extend(Some(args.str("env").to_owned()).filter(|env| !env.is_empty()));
    for path in &envs {
        let wrap = |why| format!("env source files: [{}]: {why}", envs.join(" "));
        let bytes = file::text(io, dir, path).await.map_err(wrap)?;
        lines(&String::from_utf8_lossy(&bytes), &mut found);
    }
    let literals = strings("literals");
    for literal in &literals {
        let pair = pair_of(literal)
            .map_err(|why| format!("literal sources [{}]: {why}", literals.join(" ")))?;
        found.push(pair);
    }
    let files = strings("files");
    for source in &files {
        let wrap = |why: String| format!("file sources: [{}]: {why}", files.join(" "));
        let (key, path) = match source.split_once('=') {
            None => (source.rsplit('/').next().unwrap_or(source), source.as_str()),
            Some((key, path)) if !key.is_empty() && !path.is_empty() => (key, path),
            Some(("", path)) => {
                return Err(wrap(format!("missing key name for file path '{path}'")));
            }
            Some((key, _)) => {
                return Err(wrap(format!("missing file path for key name '{key}'")));
            }
        };
        let bytes = file::text(io, dir, path).await.map_err(wrap)?;
        found.push((key.to_owned(), bytes));
    }
    Ok(found)
}

/// `key=value`; quotes around the value go.
fn pair_of(literal: &str) -> Result<(String, Vec<u8>), String> {
    let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
        return Err(format!(
            "invalid literal source {literal}, expected key=value"
        ));
    };
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        let inner = value.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(inner)
    });
    Ok((key.to_owned(), quoted.unwrap_or(value).as_bytes().to_vec()))
}

/// The lines of an environment file.
fn lines(text: &str, found: &mut Pairs) {
    for line in text.lines().map(str::trim_start) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        found.push((key.to_owned(), value.as_bytes().to_vec()));
    }
}

/// Adds a generated object, or merges it with the one there is.
fn absorb(objects: &mut Vec<Res>, made: Res, behavior: &str) -> Result<(), String> {
    let id = made.id();
    let at = objects.iter().position(|one| one.is(&id));
    let who = || {
        format!(
            "id resid.ResId{{Gvk:resid.Gvk{{Group:{:?}, Version:{:?}, Kind:{:?}, \
             isClusterScoped:false}}, Name:{:?}, Namespace:{:?}}}",
            id.group, id.version, id.kind, id.name, id.namespace
        )
    };
    let wrap = |why: String| format!("merging from generator &{{0xc00003b6c0 <nil>}}: {why}");
    match (at, behavior) {
        (None, "merge" | "replace") => {
            let who = who();
            Err(wrap(format!(
                "{who} does not exist; cannot merge or replace"
            )))
        }
        (None, _) => {
            objects.push(made);
            Ok(())
        }
        (Some(at), "merge" | "replace") => {
            let old = &mut objects[at];
            let mut value = made.value.clone();
            value.set("metadata.name", old.value.name());
            value.set_or_remove("metadata.namespace", old.value.namespace());
            let kept: &[&[&str]] = match behavior {
                "merge" => &[
                    &["data"],
                    &["binaryData"],
                    &["metadata", "labels"],
                    &["metadata", "annotations"],
                ],
                _ => &[&["metadata", "labels"], &["metadata", "annotations"]],
            };
            for path in kept {
                let mut merged = old.value.at_path(path).entries().clone();
                for (key, text) in value.at_path(path).entries() {
                    merged.insert(key, text);
                }
                if !merged.is_empty() {
                    value.set_path(path, Value::Map(merged));
                }
            }
            old.value = value;
            old.hashed = made.hashed;
            Ok(())
        }
        (Some(_), _) => {
            let who = who();
            Err(wrap(format!(
                "{who} exists; behavior must be merge or replace"
            )))
        }
    }
}

/// Puts the hash of their contents behind the names of what was generated.
pub(super) fn add_hashes(objects: &mut [Res]) {
    for object in objects.iter_mut().filter(|object| object.hashed) {
        let name = format!("{}-{}", object.value.name(), hash(&object.value));
        object.rename(&name);
    }
}

/// Ten letters that stand for an object's contents, none of which could make a word.
pub(crate) fn hash(value: &Value) -> String {
    let mut contents = object! {
        "kind": value.kind(),
        "name": "",
        "data": value.get("data"),
    };
    if value.get("data").is_null() {
        contents.set("data", "");
    }
    if value.kind() == "Secret" {
        contents.set("type", value.get("type"));
    }
    for field in ["binaryData", "stringData"] {
        if value.get(field).is_map() {
            contents.set(field, value.get(field));
        }
    }
    let digest = sim::sha256::hex(contents.to_json().as_bytes());
    let letter = |c| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        c => c,
    };
    digest.chars().take(10).map(letter).collect()
}
