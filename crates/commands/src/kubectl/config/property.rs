//! `kubectl config set` and `unset`: one value by its path.
//!
//! Models kubectl/pkg/cmd/config/{set,unset,navigation_step_parser}.go.

use api::{Value, base64};

use super::super::config_files::{LISTS, find};
use super::super::failure::{Failure, Outcome};
use super::super::flags::Line;
use super::super::session::Session;
use super::{load, unexpected};

const FIELDS: [(&str, &[&str]); 3] = [
    (
        "clusters",
        &[
            "certificate-authority",
            "certificate-authority-data",
            "disable-compression",
            "insecure-skip-tls-verify",
            "proxy-url",
            "server",
            "tls-server-name",
        ],
    ),
    ("contexts", &["cluster", "namespace", "user"]),
    (
        "users",
        &[
            "as",
            "client-certificate",
            "client-certificate-data",
            "client-key",
            "client-key-data",
            "password",
            "token",
            "tokenFile",
            "username",
        ],
    ),
];
const SWITCHES: [&str; 2] = ["disable-compression", "insecure-skip-tls-verify"];

/// What a path means.
enum Property {
    Current,
    Entry {
        list: &'static str,
        inner: &'static str,
        name: String,
        /// None for the entry as a whole.
        field: Option<&'static str>,
    },
}

/// Reads a path. Names of entries may hold dots: a name goes on until a field of the entry follows.
fn parse(path: &str) -> Outcome<Property> {
    if path == "current-context" {
        return Ok(Property::Current);
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let known = FIELDS.iter().find(|(list, _)| *list == first);
    let Some((list, fields)) = known.filter(|_| !rest.is_empty()) else {
        return Err(Failure::message(format!(
            "unable to parse {path} after [] at api.Config"
        )));
    };
    let inner = LISTS.iter().find(|(known, _)| known == list);
    let parts: Vec<&str> = rest.split('.').collect();
    let is_field = |part: &&str| fields.contains(part);
    let at = parts.iter().skip(1).position(is_field).map(|at| at + 1);
    let field = at.and_then(|at| fields.iter().find(|field| **field == parts[at]).copied());
    if at.is_some_and(|at| at + 1 < parts.len()) {
        return Err(Failure::message(format!(
            "unable to parse {path} after {first}"
        )));
    }
    Ok(Property::Entry {
        list,
        inner: inner.map_or("", |(_, inner)| inner),
        name: parts[..at.unwrap_or(parts.len())].join("."),
        field,
    })
}

pub(super) async fn set(session: &Session, line: &Line) -> Outcome {
    let [path, text] = line.args.as_slice() else {
        return Err(unexpected(line, "config set"));
    };
    let (mut files, _) = load(session, line).await?;
    let before = files.clone();
    match parse(path)? {
        Property::Current => files.set_current(text),
        Property::Entry { field: None, .. } => {
            let why = "unable to set a structure to a value: name one of its fields";
            return Err(Failure::message(why));
        }
        Property::Entry {
            list,
            inner,
            name,
            field: Some(field),
        } => {
            let value = value(line, field, text)?;
            files.edit(list, &name, |entry| {
                entry.set_path(&[inner, field], value);
                // These two are always written.
                for part in ["cluster", "user"] {
                    if list == "contexts" && !entry.get(inner).has(part) {
                        entry.set_path(&[inner, part], "");
                    }
                }
            });
        }
    }
    files.save(&session.io, &before).await?;
    let text = format!("Property {path:?} set.\n");
    session.io.print(&text).await;
    Ok(())
}

fn value(line: &Line, field: &str, text: &str) -> Outcome<Value> {
    if SWITCHES.contains(&field) {
        return text.parse::<bool>().map(Value::from).map_err(|_| {
            let why = format!("strconv.ParseBool: parsing {text:?}: invalid syntax");
            Failure::message(why)
        });
    }
    if !field.ends_with("-data") {
        return Ok(text.into());
    }
    if line.on("set-raw-bytes") {
        return Ok(base64::encode(text.as_bytes()).into());
    }
    match base64::decode(text) {
        Ok(_) => Ok(text.into()),
        Err(_) => Err(Failure::message(
            "error decoding input value: illegal base64 data at input byte 0",
        )),
    }
}

pub(super) async fn unset(session: &Session, line: &Line) -> Outcome {
    let [path] = line.args.as_slice() else {
        return Err(unexpected(line, "config unset"));
    };
    let (mut files, config) = load(session, line).await?;
    let before = files.clone();
    match parse(path)? {
        Property::Current => files.set_current(""),
        Property::Entry {
            list,
            inner,
            name,
            field,
        } => {
            if field.is_some() && find(&config, list, &name).is_none() {
                let text = format!("current map key `{name}` is invalid");
                return Err(Failure::message(text));
            }
            match field {
                None => drop(files.remove(list, &name)),
                Some(field) => {
                    files.edit(list, &name, |entry| {
                        drop(entry.remove_path(&[inner, field]))
                    });
                }
            }
        }
    }
    files.save(&session.io, &before).await?;
    let text = format!("Property {path:?} unset.\n");
    session.io.print(&text).await;
    Ok(())
}
