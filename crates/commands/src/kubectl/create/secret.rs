//! `kubectl create secret generic | tls | docker-registry`.

use api::{Value, base64, object};

use super::{exactly_one_name, from_env_files, from_files, generated_as, generator_flags, literal};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, switch, value, values};
use crate::kubectl::session::Session;

/// `kubectl create secret generic`.
pub(super) const GENERIC: Verb = Verb {
    name: "create secret generic",
    summary: "Create a secret from a local file, directory, or literal value",
    usage: "kubectl create secret generic NAME [--type=string] [--from-file=[key=]source] \
            [--from-literal=key1=value1] [--dry-run=server|client|none] [options]",
    flags: generator_flags!(
        values("from-file"),
        values("from-literal"),
        values("from-env-file"),
        value("type"),
        switch("append-hash"),
    ),
    interspersed: true,
    run: |session, line| Box::pin(generic(session, line)),
};

/// `kubectl create secret tls`.
pub(super) const TLS: Verb = Verb {
    name: "create secret tls",
    summary: "Create a TLS secret",
    usage: "kubectl create secret tls NAME --cert=path/to/cert/file --key=path/to/key/file \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(value("cert"), value("key"), switch("append-hash")),
    interspersed: true,
    run: |session, line| Box::pin(tls(session, line)),
};

/// `kubectl create secret docker-registry`.
pub(super) const DOCKER_REGISTRY: Verb = Verb {
    name: "create secret docker-registry",
    summary: "Create a secret for use with a Docker registry",
    usage: "kubectl create secret docker-registry NAME --docker-username=user \
            --docker-password=password --docker-email=email [--docker-server=string] [options]",
    flags: generator_flags!(
        value("docker-server"),
        value("docker-username"),
        value("docker-password"),
        value("docker-email"),
        values("from-file"),
        switch("append-hash"),
    ),
    interspersed: true,
    run: |session, line| Box::pin(docker(session, line)),
};

async fn generic(session: &Session, line: &Line) -> Outcome {
    let mut secret = blank(exactly_one_name(line)?);
    if let Some(kind) = line.get("type") {
        secret.set("type", kind);
    }
    for text in line.all("from-literal") {
        let (key, value) = literal(text)?;
        add(&mut secret, &key, value.as_bytes())?;
    }
    for (key, bytes) in from_files(session, line).await? {
        add(&mut secret, &key, &bytes)?;
    }
    for (key, value) in from_env_files(session, line).await? {
        add(&mut secret, &key, value.as_bytes())?;
    }
    generated_as(session, line, secret, "secret").await
}

async fn tls(session: &Session, line: &Line) -> Outcome {
    let mut secret = blank(exactly_one_name(line)?);
    if line.text("cert").is_empty() || line.text("key").is_empty() {
        return Err(Failure::message("key and cert must be specified"));
    }
    for (flag, key) in [("cert", "tls.crt"), ("key", "tls.key")] {
        let path = line.text(flag).to_owned();
        let bytes = session.io.read_file(&path).await.map_err(|errno| {
            let why = errno.message().to_lowercase();
            Failure::message(format!("Cannot read file {path}, open {path}: {why}"))
        })?;
        if !String::from_utf8_lossy(&bytes).contains("-----BEGIN ") {
            let what = if flag == "cert" { "certificate" } else { "key" };
            let why = format!("tls: failed to find any PEM data in {what} input");
            return Err(Failure::message(why));
        }
        add(&mut secret, key, &bytes)?;
    }
    secret.set("type", "kubernetes.io/tls");
    generated_as(session, line, secret, "secret").await
}

async fn docker(session: &Session, line: &Line) -> Outcome {
    let mut secret = blank(exactly_one_name(line)?);
    let server = line
        .get("docker-server")
        .unwrap_or("https://index.docker.io/v1/");
    let (user, password) = (line.text("docker-username"), line.text("docker-password"));
    let files = from_files(session, line).await?;
    if files.is_empty() && (user.is_empty() || password.is_empty() || server.is_empty()) {
        return Err(Failure::message(
            "either --from-file or the combination of --docker-username, --docker-password and \
             --docker-server is required",
        ));
    }
    secret.set("type", "kubernetes.io/dockerconfigjson");
    if !files.is_empty() {
        let named = line.all("from-file").iter().all(|file| file.contains('='));
        for (key, bytes) in files {
            let key = if named { &*key } else { ".dockerconfigjson" };
            add(&mut secret, key, &bytes)?;
        }
        return generated_as(session, line, secret, "secret").await;
    }
    let auth = base64::encode(format!("{user}:{password}").as_bytes());
    // The encoder writes the fields in this order.
    let mut fields = vec![("username", user), ("password", password)];
    if let Some(email) = line.get("docker-email").filter(|email| !email.is_empty()) {
        fields.push(("email", email));
    }
    fields.push(("auth", &auth));
    let fields: Vec<String> = fields
        .into_iter()
        .map(|(key, text)| format!("{key:?}:{}", Value::from(text).to_json()))
        .collect();
    let server = Value::from(server).to_json();
    let config = format!("{{\"auths\":{{{server}:{{{}}}}}}}", fields.join(","));
    add(&mut secret, ".dockerconfigjson", config.as_bytes())?;
    generated_as(session, line, secret, "secret").await
}

fn blank(name: &str) -> Value {
    object!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": (name) } })
}

fn add(secret: &mut Value, key: &str, bytes: &[u8]) -> Outcome {
    if !secret.get("data").get(key).is_null() {
        return Err(Failure::message(format!(
            "cannot add key {key}, another key by that name already exists"
        )));
    }
    secret.set_path(&["data", key], base64::encode(bytes));
    Ok(())
}
