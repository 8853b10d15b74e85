//! `kubectl config view`: what all files say together, secrets aside.

use api::{Value, base64, yaml};

use super::super::config_files::{LISTS, find};
use super::super::failure::{Failure, Outcome};
use super::super::flags::Line;
use super::super::print;
use super::super::session::Session;
use super::load;

/// Fields that are not shown, and what stands there instead.
const SECRET: [(&str, &str, &str, &str); 5] = [
    ("clusters", "cluster", "certificate-authority-data", OMITTED),
    ("users", "user", "client-certificate-data", OMITTED),
    ("users", "user", "client-key-data", OMITTED),
    ("users", "user", "token", "REDACTED"),
    ("users", "user", "password", "REDACTED"),
];
const OMITTED: &str = "DATA+OMITTED";

pub(super) async fn view(session: &Session, line: &Line) -> Outcome {
    if !line.args.is_empty() {
        let given = line.args.join(" ");
        return Err(Failure::hint(
            line,
            &format!("unexpected arguments: [{given}]"),
        ));
    }
    if line.has("merge") && !line.on("merge") && line.text("kubeconfig").is_empty() {
        return Err(Failure::message(
            "if merge==false a precise file must be specified",
        ));
    }
    let (_, mut config) = load(session, line).await?;
    if line.on("minify") {
        if let Some(name) = line.get("context").filter(|name| !name.is_empty()) {
            config.set("current-context", name);
        }
        minify(&mut config, line)?;
    }
    if line.on("flatten") {
        flatten(session, &mut config).await?;
    } else if !line.on("raw") {
        for (list, inner, field, shown) in SECRET {
            for at in 0..config.list_at(list).len() {
                let entry = &mut config.list_mut(list)[at];
                if entry.get(inner).has(field) {
                    entry.set_path(&[inner, field], shown);
                }
            }
        }
    }
    let text = match print::format(line)? {
        print::Format::Table { .. } => yaml::to_string(&config),
        format => print::typed_object(&format, config)?,
    };
    session.io.print(&text).await;
    Ok(())
}

/// Keeps the current context, and what it refers to.
fn minify(config: &mut Value, line: &Line) -> Outcome {
    let name = config.str("current-context").to_owned();
    if name.is_empty() {
        let text = "current-context must exist in order to minify";
        return Err(Failure::message(text));
    }
    let Some(entry) = find(config, "contexts", &name) else {
        return Err(Failure::message(format!("cannot locate context {name}")));
    };
    let context = entry.get("context").clone();
    for (list, inner) in LISTS {
        let kept = match inner {
            "context" => name.as_str(),
            inner => line.get(inner).unwrap_or(context.str(inner)),
        };
        if config.get(list).is_list() {
            config
                .list_mut(list)
                .retain(|entry| entry.str("name") == kept);
        }
    }
    if let Some(namespace) = line.get("namespace").filter(|name| !name.is_empty()) {
        for entry in config.list_mut("contexts") {
            entry.set("context.namespace", namespace);
        }
    }
    Ok(())
}

/// Puts what files hold in the place of their names.
async fn flatten(session: &Session, config: &mut Value) -> Outcome {
    for (list, inner) in LISTS {
        for at in 0..config.list_at(list).len() {
            for field in ["certificate-authority", "client-certificate", "client-key"] {
                let path = config.list_at(list)[at].get(inner).str(field).to_owned();
                if path.is_empty() {
                    continue;
                }
                let contents = session.io.read_file(&path).await.map_err(|errno| {
                    let why = errno.message().to_lowercase();
                    Failure::message(format!("open {path}: {why}"))
                })?;
                let entry = &mut config.list_mut(list)[at];
                entry.remove_path(&[inner, field]);
                let data = format!("{field}-data");
                entry.set_path(&[inner, &data], base64::encode(&contents));
            }
        }
    }
    Ok(())
}
