//! `kubectl create configmap`.

use api::{Value, base64, object};

use super::{
    exactly_one_name, from_env_files, from_files, generated_as, generator_flags, literal, not_a_key,
};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, switch, values};
use crate::kubectl::session::Session;

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create configmap",
    summary: "Create a config map from a local file, directory or literal value",
    usage: "kubectl create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(
        values("from-file"),
        values("from-literal"),
        values("from-env-file"),
        switch("append-hash"),
    ),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line)),
};

/// `kubectl create cm`.
pub(super) const SHORT: Verb = Verb {
    name: "create cm",
    ..VERB
};

async fn create(session: &Session, line: &Line) -> Outcome {
    let name = exactly_one_name(line)?;
    let mut map =
        object!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": (name) } });
    for text in line.all("from-literal") {
        let (key, value) = literal(text)?;
        add(&mut map, name, &key, value.into_bytes())?;
    }
    for (key, bytes) in from_files(session, line).await? {
        add(&mut map, name, &key, bytes)?;
    }
    for (key, value) in from_env_files(session, line).await? {
        add(&mut map, name, &key, value.into_bytes())?;
    }
    generated_as(session, line, map, "configmap").await
}

fn add(map: &mut Value, name: &str, key: &str, bytes: Vec<u8>) -> Outcome {
    if let Some(why) = not_a_key(key) {
        return Err(Failure::message(why));
    }
    let taken = ["data", "binaryData"]
        .iter()
        .any(|field| !map.get(field).get(key).is_null());
    if taken {
        return Err(Failure::message(format!(
            "cannot add key {key:?}, another key by that name already exists in Data for ConfigMap \
             {name:?}"
        )));
    }
    match String::from_utf8(bytes) {
        Ok(text) => map.set_path(&["data", key], text),
        Err(error) => map.set_path(&["binaryData", key], base64::encode(error.as_bytes())),
    }
    Ok(())
}
