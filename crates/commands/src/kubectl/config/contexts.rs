//! Contexts: which cluster, as whom, and in which namespace.

use super::super::config_files::find;
use super::super::failure::{Failure, Outcome};
use super::super::flags::Line;
use super::super::print::align;
use super::super::session::Session;
use super::{load, unexpected};

pub(super) async fn current(session: &Session, line: &Line) -> Outcome {
    let (_, config) = load(session, line).await?;
    match config.str("current-context") {
        "" => Err(Failure::message("current-context is not set")),
        name => {
            session.io.print(&format!("{name}\n")).await;
            Ok(())
        }
    }
}

pub(super) async fn list(session: &Session, line: &Line) -> Outcome {
    let names_only = match line.text("output") {
        "" => false,
        "name" => true,
        other => {
            return Err(Failure::message(format!(
                "--output {other} is not available in kubectl config get-contexts; resetting to \
                 default output format"
            )));
        }
    };
    let (_, config) = load(session, line).await?;
    let current = config.str("current-context");
    let unknown = |name: &&String| find(&config, "contexts", name).is_none();
    let missing: Vec<&String> = line.args.iter().filter(unknown).collect();
    let mut lines = Vec::new();
    if !names_only && !line.on("no-headers") {
        let head = ["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"];
        lines.push(head.map(str::to_owned).to_vec());
    }
    for entry in config.list_at("contexts") {
        let (name, context) = (entry.str("name"), entry.get("context"));
        if !line.args.is_empty() && !line.args.iter().any(|asked| asked == name) {
            continue;
        }
        let row = [
            if name == current { "*" } else { "" },
            name,
            context.str("cluster"),
            context.str("user"),
            context.str("namespace"),
        ];
        lines.push(match names_only {
            true => vec![name.to_owned()],
            false => row.map(str::to_owned).to_vec(),
        });
    }
    let text = match names_only {
        true => lines
            .concat()
            .iter()
            .map(|name| format!("{name}\n"))
            .collect(),
        false => align(&lines, &mut Vec::new()),
    };
    session.io.print(&text).await;
    match missing.first() {
        None => Ok(()),
        Some(name) => Err(Failure::message(format!("context {name} not found"))),
    }
}

pub(super) async fn use_context(session: &Session, line: &Line) -> Outcome {
    let [name] = line.args.as_slice() else {
        return Err(unexpected(line, "config use-context"));
    };
    let (mut files, config) = load(session, line).await?;
    if find(&config, "contexts", name).is_none() {
        let text = format!("no context exists with the name: {name:?}");
        return Err(Failure::message(text));
    }
    let before = files.clone();
    files.set_current(name);
    files.save(&session.io, &before).await?;
    let text = format!("Switched to context {name:?}.\n");
    session.io.print(&text).await;
    Ok(())
}

pub(super) async fn set(session: &Session, line: &Line) -> Outcome {
    let (mut files, config) = load(session, line).await?;
    let current = config.str("current-context");
    let name = match (line.on("current"), line.args.as_slice()) {
        (_, [_, _, ..]) => return Err(unexpected(line, "config set-context")),
        (true, [_]) => {
            let text = "you cannot specify both a context name and --current";
            return Err(Failure::message(text));
        }
        (true, []) if current.is_empty() => {
            return Err(Failure::message("no current context is set"));
        }
        (true, []) => current.to_owned(),
        (false, [name]) => name.clone(),
        (false, []) => {
            let text = "you must specify a non-empty context name or --current";
            return Err(Failure::message(text));
        }
    };
    let known = find(&config, "contexts", &name).is_some();
    let before = files.clone();
    files.edit("contexts", &name, |entry| {
        for field in ["cluster", "user", "namespace"] {
            match line.get(field) {
                Some("") => drop(entry.remove_path(&["context", field])),
                Some(text) => entry.set_path(&["context", field], text),
                None => {}
            }
            // These two are always written.
            if field != "namespace" && !entry.get("context").has(field) {
                entry.set_path(&["context", field], "");
            }
        }
    });
    files.save(&session.io, &before).await?;
    let what = if known { "modified" } else { "created" };
    let text = format!("Context {name:?} {what}.\n");
    session.io.print(&text).await;
    Ok(())
}

pub(super) async fn rename(session: &Session, line: &Line) -> Outcome {
    let [old, new] = line.args.as_slice() else {
        return Err(unexpected(line, "config rename-context"));
    };
    let (mut files, config) = load(session, line).await?;
    let path = files.default_path().to_owned();
    let Some(entry) = find(&config, "contexts", old) else {
        return Err(Failure::message(format!(
            "cannot rename the context {old:?}, it's not in {path}"
        )));
    };
    if find(&config, "contexts", new).is_some() {
        return Err(Failure::message(format!(
            "cannot rename the context {old:?}, the context {new:?} already exists in {path}"
        )));
    }
    let before = files.clone();
    files.remove("contexts", old);
    files.edit("contexts", new, |made| {
        made.set("context", entry.get("context"))
    });
    if config.str("current-context") == old {
        files.set_current(new);
    }
    files.save(&session.io, &before).await?;
    let text = format!("Context {old:?} renamed to {new:?}.\n");
    session.io.print(&text).await;
    Ok(())
}
