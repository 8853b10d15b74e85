//! `kubectl config`: contexts, clusters and users of the kubeconfig file.
//!
//! Models kubectl/pkg/cmd/config.

use api::{Value, object, yaml};

use super::Verb;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::print::align;
use super::session::{Session, config_path};

const FLAGS: &[Flag] = &[
    value("output").short('o'),
    switch("no-headers"),
    switch("minify"),
    switch("raw"),
    switch("flatten"),
    switch("merge"),
    switch("current"),
];

type Run = for<'a> fn(&'a Session, &'a Line) -> super::Running<'a>;

const fn verb(name: &'static str, summary: &'static str, usage: &'static str, run: Run) -> Verb {
    Verb {
        name,
        summary,
        usage,
        flags: FLAGS,
        interspersed: true,
        run,
    }
}

/// `kubectl config …`, in the order of the help text.
pub(super) const VERBS: [&Verb; 9] = [
    &verb(
        "config current-context",
        "Display the current-context",
        "kubectl config current-context [flags] [options]",
        |s, l| Box::pin(current(s, l)),
    ),
    &verb(
        "config delete-context",
        "Delete the specified context from the kubeconfig",
        "kubectl config delete-context NAME [options]",
        |s, l| Box::pin(delete(s, l)),
    ),
    &verb(
        "config get-clusters",
        "Display clusters defined in the kubeconfig",
        "kubectl config get-clusters [flags] [options]",
        |s, l| Box::pin(names(s, l, "clusters")),
    ),
    &verb(
        "config get-contexts",
        "Describe one or many contexts",
        "kubectl config get-contexts [(-o|--output=)name)] [options]",
        |s, l| Box::pin(contexts(s, l)),
    ),
    &verb(
        "config get-users",
        "Display users defined in the kubeconfig",
        "kubectl config get-users [flags] [options]",
        |s, l| Box::pin(names(s, l, "users")),
    ),
    &verb(
        "config rename-context",
        "Rename a context from the kubeconfig file",
        "kubectl config rename-context CONTEXT_NAME NEW_NAME [options]",
        |s, l| Box::pin(rename(s, l)),
    ),
    &verb(
        "config set-context",
        "Set a context entry in kubeconfig",
        "kubectl config set-context [NAME | --current] [--cluster=cluster_nickname] \
         [--user=user_nickname] [--namespace=namespace] [options]",
        |s, l| Box::pin(set(s, l)),
    ),
    &verb(
        "config use-context",
        "Set the current-context in a kubeconfig file",
        "kubectl config use-context CONTEXT_NAME [options]",
        |s, l| Box::pin(use_context(s, l)),
    ),
    &verb(
        "config view",
        "Display merged kubeconfig settings or a specified kubeconfig file",
        "kubectl config view [flags] [options]",
        |s, l| Box::pin(view(s, l)),
    ),
];

async fn load(session: &Session, line: &Line) -> Outcome<(String, Value)> {
    let path = config_path(&session.io, line);
    let text = session.io.read_to_string(&path).await.unwrap_or_default();
    let config = yaml::parse_all(&text)
        .map_err(|why| Failure::message(format!("error loading config file {path:?}: {why}")))?
        .into_iter()
        .next()
        .map(|document| document.value)
        .unwrap_or_default();
    let blank = || object!({ "apiVersion": "v1", "kind": "Config", "current-context": "" });
    Ok((path, if config.is_null() { blank() } else { config }))
}

async fn save(session: &Session, path: &str, config: &Value) -> Outcome {
    let text = yaml::to_string(config);
    session
        .io
        .write_file(path, text.as_bytes())
        .await
        .map_err(|errno| {
            Failure::message(format!("open {path}: {}", errno.message().to_lowercase()))
        })
}

fn find<'a>(config: &'a Value, list: &str, name: &str) -> Option<&'a Value> {
    config
        .get(list)
        .list()
        .iter()
        .find(|entry| entry.str_at("name") == name)
}

async fn current(session: &Session, line: &Line) -> Outcome {
    let (_, config) = load(session, line).await?;
    match config.str("current-context") {
        "" => Err(Failure::message("current-context is not set")),
        name => {
            session.io.print(&format!("{name}\n")).await;
            Ok(())
        }
    }
}

/// The names in one of the lists of the kubeconfig, in order of the alphabet.
pub(super) async fn names_of(session: &Session, line: &Line, list: &str) -> Vec<String> {
    let Ok((_, config)) = load(session, line).await else {
        return Vec::new();
    };
    let entries = config.get(list).list().iter();
    let mut names: Vec<String> = entries
        .map(|entry| entry.str_at("name").to_owned())
        .collect();
    names.sort();
    names
}

async fn names(session: &Session, line: &Line, list: &'static str) -> Outcome {
    let (_, config) = load(session, line).await?;
    let mut text = String::from("NAME\n");
    for entry in config.get(list).list() {
        text.push_str(&format!("{}\n", entry.str_at("name")));
    }
    session.io.print(&text).await;
    Ok(())
}

async fn contexts(session: &Session, line: &Line) -> Outcome {
    let (_, config) = load(session, line).await?;
    let current = config.get("current-context").as_str();
    let all = config.get("contexts").list();
    if let Some(missing) = line
        .args
        .iter()
        .find(|name| find(&config, "contexts", name).is_none())
    {
        return Err(Failure::message(format!("context {missing} not found")));
    }
    let meant = |entry: &&Value| {
        line.args.is_empty() || line.args.iter().any(|name| name == entry.str_at("name"))
    };
    if line.get("output") == Some("name") {
        let text: String = all
            .iter()
            .filter(meant)
            .map(|e| format!("{}\n", e.str_at("name")))
            .collect();
        session.io.print(&text).await;
        return Ok(());
    }
    let mut lines = Vec::new();
    if !line.on("no-headers") {
        let head = ["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"];
        lines.push(head.map(str::to_owned).to_vec());
    }
    for entry in all.iter().filter(meant) {
        let name = entry.str_at("name");
        let context = entry.get("context");
        let mark = if name == current { "*" } else { "" };
        let row = [
            mark,
            name,
            context.str_at("cluster"),
            context.str_at("user"),
            context.str_at("namespace"),
        ];
        lines.push(row.map(str::to_owned).to_vec());
    }
    session.io.print(&align(&lines, &mut Vec::new())).await;
    Ok(())
}

async fn use_context(session: &Session, line: &Line) -> Outcome {
    let [name] = line.args.as_slice() else {
        return Err(Failure::message(
            "unexpected args: exactly one context name is needed",
        ));
    };
    let (path, mut config) = load(session, line).await?;
    if find(&config, "contexts", name).is_none() {
        return Err(Failure::message(format!(
            "no context exists with the name: {name:?}"
        )));
    }
    config.set_path(&["current-context"], name.as_str());
    save(session, &path, &config).await?;
    session
        .io
        .print(&format!("Switched to context {name:?}.\n"))
        .await;
    Ok(())
}

async fn set(session: &Session, line: &Line) -> Outcome {
    let (path, mut config) = load(session, line).await?;
    let current = config.get("current-context").as_str().to_owned();
    let name = match (line.on("current"), line.args.as_slice()) {
        (true, []) if current.is_empty() => {
            return Err(Failure::message("no current context is set"));
        }
        (true, []) => current,
        (false, [name]) => name.clone(),
        _ => {
            return Err(Failure::message(
                "you must specify a non-empty context name or --current",
            ));
        }
    };
    let known = find(&config, "contexts", &name).is_some();
    if !known {
        let entry = object!({ "context": { "cluster": "", "user": "" }, "name": (name.as_str()) });
        config.list_mut("contexts").push(entry);
    }
    for entry in config
        .list_mut("contexts")
        .iter_mut()
        .filter(|e| e.str_at("name") == name)
    {
        for field in ["namespace", "cluster", "user"] {
            if let Some(text) = line.get(field) {
                entry.set_path(&["context", field], text);
            }
        }
    }
    save(session, &path, &config).await?;
    let what = if known { "modified" } else { "created" };
    session
        .io
        .print(&format!("Context {name:?} {what}.\n"))
        .await;
    Ok(())
}

async fn delete(session: &Session, line: &Line) -> Outcome {
    let (path, mut config) = load(session, line).await?;
    let [name] = line.args.as_slice() else {
        return Err(Failure::message("exactly one context name is needed"));
    };
    if find(&config, "contexts", name).is_none() {
        return Err(Failure::message(format!(
            "cannot delete context {name}, not in {path}"
        )));
    }
    config
        .list_mut("contexts")
        .retain(|entry| entry.str_at("name") != name);
    save(session, &path, &config).await?;
    session
        .io
        .print(&format!("deleted context {name} from {path}\n"))
        .await;
    Ok(())
}

async fn rename(session: &Session, line: &Line) -> Outcome {
    let (path, mut config) = load(session, line).await?;
    let [old, new] = line.args.as_slice() else {
        return Err(Failure::message(
            "the old and the new name of the context are needed",
        ));
    };
    if find(&config, "contexts", old).is_none() {
        return Err(Failure::message(format!(
            "cannot rename the context {old:?}, it's not in {path}"
        )));
    }
    if find(&config, "contexts", new).is_some() {
        return Err(Failure::message(format!(
            "cannot rename the context {old:?}, the context {new:?} already exists in {path}"
        )));
    }
    for entry in config
        .list_mut("contexts")
        .iter_mut()
        .filter(|e| e.str_at("name") == old)
    {
        entry.set("name", new.as_str());
    }
    if config.str("current-context") == old {
        config.set_path(&["current-context"], new.as_str());
    }
    save(session, &path, &config).await?;
    session
        .io
        .print(&format!("Context {old:?} renamed to {new:?}.\n"))
        .await;
    Ok(())
}

async fn view(session: &Session, line: &Line) -> Outcome {
    let (_, mut config) = load(session, line).await?;
    if line.on("minify") {
        let name = config.get("current-context").as_str().to_owned();
        let context = find(&config, "contexts", &name).map(|e| e.get("context").clone());
        let context = context.unwrap_or_default();
        let keep = [
            ("contexts", name),
            ("clusters", context.str_at("cluster").to_owned()),
            ("users", context.str_at("user").to_owned()),
        ];
        for (list, name) in keep {
            config
                .list_mut(list)
                .retain(|entry| entry.str_at("name") == name);
        }
    }
    if !line.on("raw") {
        for (list, inner, fields) in [
            ("clusters", "cluster", &["certificate-authority-data"][..]),
            (
                "users",
                "user",
                &["client-certificate-data", "client-key-data", "token"][..],
            ),
        ] {
            for entry in config.list_mut(list).iter_mut() {
                for field in fields {
                    if !entry.get(inner).get(field).is_null() {
                        let text = if *field == "token" {
                            "REDACTED"
                        } else {
                            "DATA+OMITTED"
                        };
                        entry.set_path(&[inner, field], text);
                    }
                }
            }
        }
    }
    let text = match line.get("output") {
        Some("json") => format!("{}\n", config.to_json_pretty()),
        None | Some("yaml") => yaml::to_string(&config),
        Some(template) => match template.strip_prefix("jsonpath=") {
            Some(path) => {
                let format = super::print::Format::JsonPath(path.to_owned());
                super::print::objects(&format, &[config], true)?
            }
            None => {
                return Err(Failure::message(format!(
                    "output {template:?} is not available"
                )));
            }
        },
    };
    session.io.print(&text).await;
    Ok(())
}
