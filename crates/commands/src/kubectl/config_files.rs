//! The kubeconfig files of a command line: which they are, what they say together, and which of them
//! says what.
//!
//! Models client-go/tools/clientcmd/{loader,config}.go.

use api::{Value, object, yaml};
use machine::Io;

use super::failure::{Failure, Outcome};
use super::flags::Line;

/// What lists hold, and under which key each entry has it.
pub(super) const LISTS: [(&str, &str); 3] = [
    ("clusters", "cluster"),
    ("contexts", "context"),
    ("users", "user"),
];
/// Fields that name files; a relative name is meant from where the kubeconfig lies.
const PATHS: [&str; 4] = [
    "certificate-authority",
    "client-certificate",
    "client-key",
    "tokenFile",
];

/// What becomes of a file that was named on the command line and does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is refused.
    IsAnError,
    /// It will be written.
    IsEmpty,
}

/// The files, the one that counts most first. One that does not exist says nothing.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFiles {
    files: Vec<(String, Value)>,
}

/// The files' paths: of `--kubeconfig`, else those of `KUBECONFIG`, else `~/.kube/config`.
fn paths(io: &Io, line: &Line) -> (Vec<String>, bool) {
    if let Some(path) = line.get("kubeconfig").filter(|path| !path.is_empty()) {
        return (vec![path.to_owned()], true);
    }
    let listed = io.env("KUBECONFIG").unwrap_or_default();
    let mut paths: Vec<String> = Vec::new();
    for path in listed.split(':').filter(|path| !path.is_empty()) {
        if !paths.iter().any(|known| known == path) {
            paths.push(path.to_owned());
        }
    }
    if paths.is_empty() {
        let home = io.env("HOME").unwrap_or_else(|| "/root".into());
        paths.push(format!("{home}/.kube/config"));
    }
    (paths, false)
}

impl ConfigFiles {
    /// Reads the files a command line asks for.
    pub(crate) async fn read(io: &Io, line: &Line, missing: Missing) -> Outcome<ConfigFiles> {
        let (paths, explicit) = paths(io, line);
        let mut files = Vec::new();
        for path in paths {
            let config = match io.read_to_string(&path).await {
                Ok(text) => parse(&path, &text)?,
                Err(errno) if explicit && missing == Missing::IsAnError => {
                    let why = errno.message().to_lowercase();
                    return Err(Failure::message(format!("stat {path}: {why}")));
                }
                Err(_) => Value::Null,
            };
            files.push((path, config));
        }
        Ok(ConfigFiles { files })
    }

    /// The files that exist.
    pub(crate) fn read_paths(&self) -> Vec<&str> {
        let exist = self.files.iter().filter(|(_, config)| !config.is_null());
        exist.map(|(path, _)| path.as_str()).collect()
    }

    /// The file that new entries go to: the first that exists, else the last.
    pub(super) fn default_path(&self) -> &str {
        let exists = self.files.iter().find(|(_, config)| !config.is_null());
        let (path, _) = exists.or(self.files.last()).expect("there is a file");
        path
    }

    /// All files as one: what an earlier file says stands; entries in the order of their names, paths
    /// absolute.
    pub(crate) fn merged(&self) -> Value {
        let mut merged = object!({
            "apiVersion": "v1",
            "clusters": null,
            "contexts": null,
            "current-context": "",
            "kind": "Config",
            "users": null,
        });
        for (path, config) in &self.files {
            if merged.str("current-context").is_empty() {
                merged.set("current-context", config.str("current-context"));
            }
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            for (list, inner) in LISTS {
                for entry in config.list_at(list) {
                    if find(&merged, list, entry.str("name")).is_none() {
                        let entry = rooted(entry.clone(), inner, folder);
                        merged.list_mut(list).push(entry);
                    }
                }
            }
        }
        for (list, _) in LISTS {
            if merged.get(list).is_list() {
                let by_name = |a: &Value, b: &Value| a.str("name").cmp(b.str("name"));
                merged.list_mut(list).sort_by(by_name);
            }
        }
        merged
    }

    /// Changes an entry where it stands, or makes it.
    pub(super) fn edit(&mut self, list: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let inner = LISTS.iter().find(|(known, _)| *known == list);
        let inner = inner.map_or("", |(_, inner)| inner);
        let config = self.holder(list, name);
        if find(config, list, name).is_none() {
            let mut entry = object!({ "name": (name) });
            entry.set(inner, object!({}));
            config.list_mut(list).push(entry);
            let by_name = |a: &Value, b: &Value| a.str("name").cmp(b.str("name"));
            config.list_mut(list).sort_by(by_name);
        }
        let mut entries = config.list_mut(list).iter_mut();
        if let Some(entry) = entries.find(|entry| entry.str("name") == name) {
            change(entry);
        }
    }

    /// Takes an entry away, and gives the path of the file it stood in.
    pub(super) fn remove(&mut self, list: &str, name: &str) -> Option<String> {
        let has = |(_, config): &&mut (String, Value)| find(config, list, name).is_some();
        let (path, config) = self.files.iter_mut().find(has)?;
        config
            .list_mut(list)
            .retain(|entry| entry.str("name") != name);
        if config.list_at(list).is_empty() {
            config.set(list, Value::Null);
        }
        Some(path.clone())
    }

    /// Sets the current context; an empty name unsets it.
    pub(super) fn set_current(&mut self, name: &str) {
        let at = match name {
            "" => self
                .files
                .iter()
                .position(|(_, c)| !c.str("current-context").is_empty()),
            _ => None,
        };
        let at = at.unwrap_or_else(|| self.default_index());
        let config = begun(&mut self.files[at].1);
        config.set("current-context", name);
    }

    /// Writes every file that differs from what it was.
    pub(super) async fn save(&self, io: &Io, before: &ConfigFiles) -> Outcome {
        for ((path, config), (_, old)) in self.files.iter().zip(&before.files) {
            if config == old {
                continue;
            }
            let mut text = config.clone();
            for (list, _) in LISTS {
                if text.get(list).is_null() {
                    text.set(list, Value::Null);
                }
            }
            if let Some((folder, _)) = path.rsplit_once('/').filter(|(f, _)| !f.is_empty()) {
                let folder = folder.to_owned();
                // It may exist; if it cannot be made, writing the file says so.
                let _ = io.sys(move |sys| sys.mkdir_all(&folder)).await;
            }
            let written = io.write_file(path, yaml::to_string(&text).as_bytes()).await;
            written.map_err(|errno| {
                Failure::message(format!("open {path}: {}", errno.message().to_lowercase()))
            })?;
        }
        Ok(())
    }

    fn default_index(&self) -> usize {
        let path = self.default_path();
        self.files
            .iter()
            .position(|(known, _)| known == path)
            .unwrap_or(0)
    }

    /// The file that has an entry, or that it goes to.
    fn holder(&mut self, list: &str, name: &str) -> &mut Value {
        let has = |(_, config): &(String, Value)| find(config, list, name).is_some();
        let at = self.files.iter().position(has);
        let at = at.unwrap_or_else(|| self.default_index());
        begun(&mut self.files[at].1)
    }
}

/// An entry by its name.
pub(super) fn find<'a>(config: &'a Value, list: &str, name: &str) -> Option<&'a Value> {
    let mut entries = config.get(list).list().iter();
    entries.find(|entry| entry.str("name") == name)
}

fn parse(path: &str, text: &str) -> Outcome<Value> {
    let documents = yaml::parse_all(text)
        .map_err(|why| Failure::message(format!("error loading config file {path:?}: {why}")))?;
    let config = documents.into_iter().next().map(|document| document.value);
    let kind = match &config {
        Some(Value::Str(_)) => "string",
        Some(Value::List(_)) => "array",
        Some(Value::Int(_) | Value::Float(_)) => "number",
        Some(Value::Bool(_)) => "bool",
        _ => "",
    };
    if !kind.is_empty() {
        return Err(Failure::message(format!(
            "error loading config file {path:?}: couldn't get version/kind; json parse error: \
             json: cannot unmarshal {kind} into Go value of type struct {{ APIVersion string \
             \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
             \"json:\\\"kind,omitempty\\\"\" }}"
        )));
    }
    Ok(begun(&mut config.unwrap_or_default()).clone())
}

/// A file that has at least its head.
fn begun(config: &mut Value) -> &mut Value {
    if config.is_null() {
        *config = object!({ "apiVersion": "v1", "kind": "Config", "current-context": "" });
    }
    config
}

fn rooted(mut entry: Value, inner: &str, folder: &str) -> Value {
    for field in PATHS {
        let path = entry.get(inner).str(field);
        if !path.is_empty() && !path.starts_with('/') && !folder.is_empty() {
            let path = format!("{folder}/{path}");
            entry.set_path(&[inner, field], path);
        }
    }
    entry
}
