//! `kubectl kuberc set`.
//!
//! Models kubectl/pkg/cmd/kuberc/set.go.

use api::{Value, object};

use super::{GROUP, default_path, read, write};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::Line;
use crate::kubectl::session::Session;

pub(super) async fn set(session: &Session, line: &Line) -> Outcome {
    check(line)?;
    let io = &session.io;
    let path = match line.text("kuberc") {
        "" => default_path(io),
        path => path.to_owned(),
    };
    let before = io.read_to_string(&path).await.ok();
    let mut preferences = before.as_deref().and_then(read).unwrap_or_else(|| {
        object!({
            "aliases": null,
            "apiVersion": (format!("{GROUP}v1beta1")),
            "defaults": null,
            "kind": "Preference",
        })
    });
    match line.text("section") {
        "defaults" => {
            let entry = object!({
                "command": (line.text("command")),
                "options": (options(line)?),
            });
            put(&mut preferences, line, "defaults", "command", entry)?;
        }
        "aliases" => put(&mut preferences, line, "aliases", "name", alias(line)?)?,
        _ => plugins(&mut preferences, line)?,
    }
    write(io, &path, &preferences).await
}

fn check(line: &Line) -> Outcome {
    let refuse = |why: &str| Err(Failure::message(why));
    if !line.has("section") {
        return refuse("required flag(s) \"section\" not set");
    }
    let section = line.text("section");
    let args = line.has("prependarg") || line.has("appendarg");
    match section {
        "defaults" | "aliases" if line.text("command").is_empty() => {
            refuse("--command is required when --section=aliases or --section=defaults")
        }
        "aliases" if line.text("name").is_empty() => {
            refuse("--name is required when --section=aliases")
        }
        "defaults" if args => {
            refuse("--prependarg and --appendarg are only valid for --section=aliases")
        }
        "credentialplugin" => match line.text("policy") {
            "" => refuse("--policy is required when --section=credentialplugin"),
            "AllowAll" | "DenyAll" | "Allowlist" => Ok(()),
            other => Err(Failure::message(format!(
                " --policy must be  \"AllowAll\", \"DenyAll\", or \"Allowlist\", got: {other}"
            ))),
        },
        "defaults" | "aliases" => Ok(()),
        other => Err(Failure::message(format!(
            "--section must be \"defaults\", \"aliases\", or \"credentialplugin\", got: {other}"
        ))),
    }
}

/// `flag=value` of each `--option`.
fn options(line: &Line) -> Outcome<Vec<Value>> {
    let all = line.all("option").iter();
    all.map(|text| match text.split_once('=') {
        Some((name, value)) => Ok(object!({ "default": (value), "name": (name) })),
        None => Err(Failure::message(format!(
            "invalid option format {text:?}, expected flag=value"
        ))),
    })
    .collect()
}

fn alias(line: &Line) -> Outcome<Value> {
    let mut entry = object!({ "command": (line.text("command")), "name": (line.text("name")) });
    let options = options(line)?;
    if !options.is_empty() {
        entry.set("options", options);
    }
    for (flag, field) in [("prependarg", "prependArgs"), ("appendarg", "appendArgs")] {
        let args: Vec<Value> = line
            .all(flag)
            .iter()
            .map(|arg| arg.as_str().into())
            .collect();
        if !args.is_empty() {
            entry.set(field, args);
        }
    }
    Ok(entry)
}

/// Adds an entry, or puts it in the place of the one with its key.
fn put(preferences: &mut Value, line: &Line, list: &str, key: &str, entry: Value) -> Outcome {
    let mut entries = preferences.list_at(list).to_vec();
    let is = |one: &Value| one.str(key) == entry.str(key);
    match entries.iter().position(is) {
        None => entries.push(entry),
        Some(at) if line.on("overwrite") => entries[at] = entry,
        Some(_) => {
            let what = match list {
                "defaults" => format!("defaults for command {:?}", entry.str(key)),
                _ => format!("alias {:?}", entry.str(key)),
            };
            let verb = if list == "defaults" {
                "exist"
            } else {
                "exists"
            };
            return Err(Failure::message(format!(
                "{what} already {verb}, use --overwrite to replace"
            )));
        }
    }
    preferences.set(list, entries);
    Ok(())
}

/// Which programs may log in for a user.
fn plugins(preferences: &mut Value, line: &Line) -> Outcome {
    preferences.set("credentialPluginPolicy", line.text("policy"));
    let mut list = Vec::new();
    for text in line.all("allowlist-entry") {
        let Some((field, value)) = text.split_once('=') else {
            return Err(Failure::message(format!(
                "invalid allowlist entry format {text:?}, expected field=value"
            )));
        };
        let mut entry = Value::empty_map();
        entry.set_path(&[field], value);
        list.push(entry);
    }
    match list.is_empty() {
        true => drop(preferences.remove("credentialPluginAllowlist")),
        false => preferences.set("credentialPluginAllowlist", list),
    }
    Ok(())
}
