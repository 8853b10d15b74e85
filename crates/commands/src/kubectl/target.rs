//! Which objects a command line means: `TYPE`, `TYPE NAME…`, `TYPE/NAME…`, `TYPE,TYPE`, and files.
//!
//! Models cli-runtime/pkg/resource.Builder.

use api::{Value, yaml};
use machine::{Fd, Io};
use net::http::Request;

use super::discovery::{Discovery, Resource};
use super::failure::{Failure, Outcome};
use super::flags::Line;
use super::kustomize;
use super::session::Session;
use crate::resolve;

/// Objects of one resource that are meant.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) resource: Resource,
    /// `None`: all of them, or those the selectors match.
    pub(crate) name: Option<String>,
}

/// What the arguments name, in order.
pub(crate) fn targets(discovery: &Discovery, args: &[String]) -> Outcome<Vec<Target>> {
    let slashes = args.iter().filter(|arg| arg.contains('/')).count();
    if slashes > 0 {
        return slashed(discovery, args);
    }
    let Some((types, names)) = args.split_first() else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for word in types.split(',').filter(|word| !word.is_empty()) {
        let category = discovery.category(word);
        let resources: Vec<&Resource> = if category.is_empty() {
            vec![discovery.resolve(word)?]
        } else {
            category
        };
        if resources.len() > 1 && !names.is_empty() {
            return Err(Failure::message("you must specify only one resource"));
        }
        for resource in resources {
            if names.is_empty() {
                found.push(Target {
                    resource: resource.clone(),
                    name: None,
                });
            }
            found.extend(names.iter().map(|name| Target {
                resource: resource.clone(),
                name: Some(name.clone()),
            }));
        }
    }
    Ok(found)
}

fn slashed(discovery: &Discovery, args: &[String]) -> Outcome<Vec<Target>> {
    let mut found = Vec::new();
    for arg in args {
        let Some((word, name)) = arg.split_once('/') else {
            return Err(Failure::message(
                "there is no need to specify a resource type as a separate argument when passing \
                 arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' \
                 instead of 'kubectl get resource resource/<resource_name>'",
            ));
        };
        if name.contains('/') {
            return Err(Failure::message(
                "arguments in resource/name form may not have more than one slash",
            ));
        }
        if word.is_empty() || name.is_empty() {
            return Err(Failure::message(
                "arguments in resource/name form must have a single resource and name",
            ));
        }
        let resource = discovery.resolve(word)?.clone();
        found.push(Target {
            resource,
            name: Some(name.to_owned()),
        });
    }
    Ok(found)
}

/// An object of a file or of standard input.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// The file's name, or `STDIN`.
    pub(crate) source: String,
    pub(crate) value: Value,
    /// It stood in a list.
    pub(crate) listed: bool,
}

/// The objects of `-f` (files, directories, `-`) and `-k` in order; the items of lists apart.
pub(crate) async fn manifests(io: &Io, line: &Line) -> Outcome<Vec<Manifest>> {
    let (found, failures) = read_all(io, line).await?;
    match failures.into_iter().next() {
        Some(failure) => Err(failure),
        None => Ok(found),
    }
}

/// The same, with the failures of files that cannot be read beside what the others hold.
pub(crate) async fn read_all(io: &Io, line: &Line) -> Outcome<(Vec<Manifest>, Vec<Failure>)> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    if line.has("kustomize") {
        found = kustomized(io, line).await?;
    }
    let recursive = line.on("recursive");
    for name in line.list("filename") {
        if name == "-" {
            let bytes = io.read_all(Fd::STDIN).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            failures.extend(parse("STDIN", &text, &mut found).err());
            continue;
        }
        if name.starts_with("http://") || name.starts_with("https://") {
            let text = download(io, &name).await?;
            failures.extend(parse(&name, &text, &mut found).err());
            continue;
        }
        for path in files(io, &name, recursive).await? {
            let text = io.read_to_string(&path).await.map_err(|errno| {
                Failure::message(format!("open {path}: {}", errno.message().to_lowercase()))
            })?;
            failures.extend(parse(&path, &text, &mut found).err());
        }
    }
    Ok((found, failures))
}

/// What is behind a URL.
async fn download(io: &Io, url: &str) -> Outcome<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (authority, None),
    };
    let Ok(ip) = resolve::name(io, host).await else {
        let conf = resolve::conf(io).await;
        let server = conf.servers.first().map(|ip| format!(" on {ip}:53"));
        return Err(Failure::Plain(format!(
            "Unable to connect to the server: dial tcp: lookup {host}{}: no such host",
            server.unwrap_or_default()
        )));
    };
    let port = port.unwrap_or(if scheme == "https" { 443 } else { 80 });
    let addr = std::net::SocketAddrV4::new(ip, port);
    let failed = |errno: net::Errno| {
        let why = errno.message().to_lowercase();
        Failure::Plain(format!(
            "Unable to connect to the server: dial tcp {addr}: connect: {why}"
        ))
    };
    let fd = io.connect(addr, None).await.map_err(failed)?;
    let request = Request::get(format!("/{path}")).with_header("Host", authority);
    let answered = io.http_on(fd, 1, request).await;
    io.close(fd).await;
    let response = answered.map_err(failed)?;
    if response.status != 200 {
        return Err(Failure::message(format!(
            "unable to read URL {url:?}, server reported {}, status code={}",
            response.status, response.status
        )));
    }
    Ok(response.body.text())
}

/// The objects of `-k`.
async fn kustomized(io: &Io, line: &Line) -> Outcome<Vec<Manifest>> {
    if line.has("filename") {
        return Err(Failure::message("only one of -f or -k can be specified"));
    }
    let root = line.text("kustomize");
    let objects = kustomize::build(io, root).await?;
    let manifest = |value| Manifest {
        source: root.to_owned(),
        value,
        listed: false,
    };
    Ok(objects.into_iter().map(manifest).collect())
}

/// A file itself, or the manifests in a directory.
async fn files(io: &Io, name: &str, recursive: bool) -> Outcome<Vec<String>> {
    let asked = name.to_owned();
    let stat = io.sys(move |sys| sys.stat(&asked)).await;
    let stat = stat.map_err(|_| Failure::message(format!("the path {name:?} does not exist")))?;
    if !stat.is_dir() {
        return Ok(vec![name.to_owned()]);
    }
    let mut found = Vec::new();
    let mut directories = vec![name.trim_end_matches('/').to_owned()];
    while let Some(directory) = directories.pop() {
        let asked = directory.clone();
        let entries = io
            .sys(move |sys| sys.read_dir(&asked))
            .await
            .unwrap_or_default();
        for entry in entries {
            let path = match directory.as_str() {
                "." => entry.name.to_string(),
                directory => format!("{directory}/{}", entry.name),
            };
            let manifest = [".yaml", ".yml", ".json"]
                .iter()
                .any(|end| path.ends_with(end));
            if entry.stat.is_dir() && recursive {
                directories.push(path);
            } else if manifest && !entry.stat.is_dir() {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(Failure::message(format!(
            "error reading [{name}]: recognized file extensions are [.json .yaml .yml]"
        )));
    }
    Ok(found)
}

fn parse(source: &str, text: &str, found: &mut Vec<Manifest>) -> Outcome {
    let documents = yaml::decode_stream(text)
        .map_err(|why| Failure::message(format!("error parsing {source}: {why}")))?;
    for document in documents {
        if document.value.is_null() {
            continue;
        }
        if document.value.kind().ends_with("List") && document.value.get("items").is_list() {
            for item in document.value.list_at("items") {
                found.push(Manifest {
                    source: source.to_owned(),
                    value: item.clone(),
                    listed: true,
                });
            }
        } else {
            found.push(Manifest {
                source: source.to_owned(),
                value: document.value,
                listed: false,
            });
        }
    }
    Ok(())
}

/// The resource of a manifest, checked as kubectl checks before it asks the server for anything.
pub(crate) fn resource_of<'a>(
    discovery: &'a Discovery,
    manifest: &Manifest,
) -> Outcome<&'a Resource> {
    let Manifest { source, value, .. } = manifest;
    let invalid = |what: &str| {
        Failure::message(format!(
            "error validating {source:?}: error validating data: {what}; if you choose to ignore \
             these errors, turn validation off with --validate=false"
        ))
    };
    if !value.is_map() {
        return Err(invalid("invalid object to validate"));
    }
    let missing: Vec<&str> = [("apiVersion", value.api_version()), ("kind", value.kind())]
        .iter()
        .filter(|(_, text)| text.is_empty())
        .map(|(what, _)| *what)
        .collect();
    match missing.as_slice() {
        [] => {}
        [one] => return Err(invalid(&format!("{one} not set"))),
        _ => return Err(invalid("[apiVersion not set, kind not set]")),
    }
    if let Some((field, kind)) = wrong_metadata(value) {
        return Err(Failure::message(format!(
            "unable to decode {source:?}: json: cannot unmarshal {kind} into Go struct field \
             ObjectMeta.metadata.{field} of type string"
        )));
    }
    let (api_version, kind) = (value.api_version(), value.kind());
    discovery.of(api_version, kind).ok_or_else(|| {
        if manifest.listed {
            return Failure::Plain(format!(
                "unable to recognize no matches for kind {kind:?} in version {api_version:?}"
            ));
        }
        Failure::message(format!(
            "resource mapping not found for name: {:?} namespace: {:?} from {source:?}: no matches \
             for kind {kind:?} in version {api_version:?}\nensure CRDs are installed first",
            value.name(),
            value.namespace(),
        ))
    })
}

/// A field of the metadata that is no text where it has to be one, and what it is.
fn wrong_metadata(value: &Value) -> Option<(&'static str, &'static str)> {
    let metadata = value.get("metadata");
    let plain = [
        "name",
        "namespace",
        "generateName",
        "uid",
        "resourceVersion",
    ];
    let plain = plain.into_iter().map(|field| (field, metadata.get(field)));
    let maps = ["labels", "annotations"].into_iter().flat_map(|field| {
        let entries = metadata.get(field).entries().iter();
        entries.map(move |(_, entry)| (field, entry))
    });
    plain
        .chain(maps)
        .find_map(|(field, value)| Some((field, not_text(value)?)))
}

fn not_text(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null | Value::Str(_) => None,
        Value::Bool(_) => Some("bool"),
        Value::Int(_) | Value::Float(_) => Some("number"),
        Value::List(_) => Some("array"),
        Value::Map(_) => Some("object"),
    }
}

/// The namespace an object of a manifest goes to.
pub(crate) fn namespace_of(
    session: &Session,
    resource: &Resource,
    value: &Value,
) -> Outcome<String> {
    let own = value.namespace();
    if !resource.namespaced {
        return Ok(String::new());
    }
    if own.is_empty() {
        return Ok(session.namespace.clone());
    }
    if session.namespace_given && own != session.namespace {
        return Err(Failure::message(format!(
            "the namespace from the provided object {own:?} does not match the namespace {:?}. You \
             must pass '--namespace={own}' to perform this operation.",
            session.namespace
        )));
    }
    Ok(own.to_owned())
}

/// `text`, or `other` where it is empty.
pub(crate) fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}
