//! Preferences (`~/.kube/kuberc`): other defaults of flags, and names for command lines; `kubectl
//! kuberc set` and `view` write and show them.
//!
//! Models kubectl/pkg/kuberc and kubectl/pkg/cmd/kuberc.

mod apply;
mod set;
mod view;

use api::{Value, yaml};
use machine::Io;

use super::Verb;
use super::act;
use super::flags::{switch, value, values};

pub(super) use apply::applied;

/// The verbs of the group.
pub(super) const VERBS: [&Verb; 2] = [&SET, &VIEW];

const SET: Verb = Verb {
    name: "kuberc set",
    summary: "Set values in the kuberc configuration",
    usage: "kubectl kuberc set --section (defaults|aliases) --command COMMAND [options]",
    flags: &[
        values("allowlist-entry"),
        values("appendarg"),
        value("command"),
        value("name"),
        values("option"),
        switch("overwrite"),
        value("policy"),
        values("prependarg"),
        value("section"),
    ],
    interspersed: true,
    run: |session, line| Box::pin(set::set(session, line)),
};

const VIEW: Verb = Verb {
    name: "kuberc view",
    summary: "Display the current kuberc configuration",
    usage: "kubectl kuberc view [options]",
    flags: &[act::OUTPUT],
    interspersed: true,
    run: |session, line| Box::pin(view::view(session, line)),
};

/// The group of the versions of a file.
const GROUP: &str = "kubectl.config.k8s.io/";

/// Where the preferences of whoever runs this lie.
fn default_path(io: &Io) -> String {
    let home = io.env("HOME").unwrap_or_default();
    format!("{home}/.kube/kuberc")
}

/// Writes preferences, and says where.
async fn write(io: &Io, path: &str, preferences: &Value) -> super::failure::Outcome {
    if let Some((folder, _)) = path
        .rsplit_once('/')
        .filter(|(folder, _)| !folder.is_empty())
    {
        let folder = folder.to_owned();
        // It may exist; if it cannot be made, writing the file says so.
        let _ = io.sys(move |sys| sys.mkdir_all(&folder)).await;
    }
    let text = yaml::to_string(preferences);
    io.write_file(path, text.as_bytes())
        .await
        .map_err(|errno| {
            let why = errno.message().to_lowercase();
            super::failure::Failure::message(format!("open {path}: {why}"))
        })?;
    io.print(&format!("Updated {path}\n")).await;
    Ok(())
}

/// A file's preferences with the names that fields have in the newest version.
fn read(text: &str) -> Option<Value> {
    let document = yaml::parse_all(text).ok()?.into_iter().next()?.value;
    let version = document.api_version().strip_prefix(GROUP)?;
    let (old_defaults, old_options) = match version {
        "v1beta1" => ("defaults", "options"),
        "v1alpha1" => ("overrides", "flags"),
        _ => return None,
    };
    if document.kind() != "Preference" {
        return None;
    }
    let renamed = |list: &Value| -> Value {
        let entries = list.list().iter().map(|entry| {
            let mut entry = entry.clone();
            if old_options != "options" && entry.has(old_options) {
                let options = entry.get(old_options).clone();
                entry.remove(old_options);
                entry.set("options", options);
            }
            entry
        });
        Value::from(entries.collect::<Vec<_>>())
    };
    let mut read = document.clone();
    read.remove(old_defaults);
    read.set("apiVersion", format!("{GROUP}v1beta1"));
    read.set("aliases", renamed(document.get("aliases")));
    read.set("defaults", renamed(document.get(old_defaults)));
    Some(read)
}

/// The fields of a file that it should not have.
fn unknown(text: &str) -> Vec<String> {
    let Some(document) = yaml::parse_all(text)
        .ok()
        .and_then(|all| all.into_iter().next())
    else {
        return Vec::new();
    };
    let defaults = match document.value.api_version() {
        "kubectl.config.k8s.io/v1alpha1" => "overrides",
        _ => "defaults",
    };
    let known = [
        "aliases",
        "apiVersion",
        "credentialPluginAllowlist",
        "credentialPluginPolicy",
        "kind",
        defaults,
    ];
    let names = document
        .value
        .entries()
        .iter()
        .map(|(name, _)| name.to_string());
    names.filter(|name| !known.contains(&&**name)).collect()
}
