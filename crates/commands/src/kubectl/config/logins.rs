//! Users of a kubeconfig who log in by a command or by a provider.
//!
//! Models kubectl/pkg/cmd/config/set_credentials.go.

use api::{Value, object};

use super::super::failure::{Failure, Outcome};
use super::super::flags::Line;
use super::super::help;

/// What a command line changes of a user's way to log in.
pub(super) struct Logins {
    command: Option<String>,
    version: Option<String>,
    args: Vec<String>,
    env: Changes,
    mode: Option<&'static str>,
    cluster_info: Option<bool>,
    provider: Option<String>,
    config: Changes,
}

/// Pairs of `KEY=value`, and the keys of `KEY-`.
#[derive(Default)]
struct Changes {
    set: Vec<(String, String)>,
    gone: Vec<String>,
}

const MODES: [&str; 3] = ["IfAvailable", "Never", "Always"];

impl Logins {
    /// Reads the flags.
    pub(super) fn read(line: &Line) -> Outcome<Logins> {
        let text = |flag: &str| line.get(flag).map(str::to_owned);
        let mode = match line.get("exec-interactive-mode") {
            None => None,
            Some(given) => Some(MODES.into_iter().find(|mode| *mode == given).ok_or_else(
                || {
                    let why =
                        "invalid interactive mode type, can be only IfAvailable, Never, Always";
                    Failure::message(why)
                },
            )?),
        };
        Ok(Logins {
            command: text("exec-command"),
            version: text("exec-api-version"),
            args: line.list("exec-arg"),
            env: Changes::read(line, "exec-env")?,
            mode,
            cluster_info: line
                .has("exec-provide-cluster-info")
                .then(|| line.on("exec-provide-cluster-info")),
            provider: text("auth-provider"),
            config: Changes::read(line, "auth-provider-arg")?,
        })
    }

    /// The fields of a user that become others.
    pub(super) fn changed(&self, user: &Value) -> Vec<(String, Value)> {
        let mut fields = Vec::new();
        if let Some(exec) = self.exec(user.get("exec")) {
            fields.push(("exec".to_owned(), exec));
        }
        if let Some(provider) = self.provider(user.get("auth-provider")) {
            fields.push(("auth-provider".to_owned(), provider));
        }
        fields
    }

    /// A command for those who have one already, or get one.
    fn exec(&self, before: &Value) -> Option<Value> {
        let mut exec = match (before.is_map(), &self.command) {
            (false, None) => return None,
            (false, Some(_)) => object!({ "env": null, "provideClusterInfo": false }),
            (true, _) => before.clone(),
        };
        if let Some(command) = &self.command {
            exec.set("command", command.as_str());
            exec.set_path(&["args"], Value::Null);
        }
        if let Some(version) = &self.version {
            exec.set("apiVersion", version.as_str());
        }
        if !self.args.is_empty() {
            let args: Vec<Value> = self.args.iter().map(|arg| arg.as_str().into()).collect();
            exec.set("args", args);
        }
        let mut env = exec.list_at("env").to_vec();
        env.retain(|one| !self.env.gone.iter().any(|gone| gone == one.str("name")));
        for (name, value) in &self.env.set {
            match env.iter_mut().find(|one| one.str("name") == name) {
                Some(known) => known.set("value", value.as_str()),
                None => env.push(object!({ "name": (name.as_str()), "value": (value.as_str()) })),
            }
        }
        if !env.is_empty() || exec.get("env").is_list() {
            exec.set("env", env);
        }
        if let Some(mode) = self.mode {
            exec.set("interactiveMode", mode);
        }
        if let Some(wanted) = self.cluster_info {
            exec.set("provideClusterInfo", wanted);
        }
        Some(exec)
    }

    fn provider(&self, before: &Value) -> Option<Value> {
        let mut provider = match &self.provider {
            Some(name) if before.str("name") != name => {
                object!({ "config": null, "name": (name.as_str()) })
            }
            _ if before.is_map() => before.clone(),
            _ => return None,
        };
        for key in &self.config.gone {
            provider.remove_path(&["config", key]);
        }
        for (key, value) in &self.config.set {
            provider.set_path(&["config", key], value.as_str());
        }
        Some(provider)
    }
}

impl Changes {
    fn read(line: &Line, flag: &str) -> Outcome<Changes> {
        let mut changes = Changes::default();
        for text in line.list(flag) {
            match (text.split_once('='), text.strip_suffix('-')) {
                (Some((key, value)), _) => changes.set.push((key.to_owned(), value.to_owned())),
                (None, Some(key)) => changes.gone.push(key.to_owned()),
                (None, None) => {
                    let help = help::of(&line.command).unwrap_or_default().to_owned();
                    let why = Failure::message(format!("invalid {flag} format: {text}"));
                    return Err(Failure::Printed(help, Box::new(why)));
                }
            }
        }
        Ok(changes)
    }
}
