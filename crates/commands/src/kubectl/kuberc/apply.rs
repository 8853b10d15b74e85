//! What preferences make of a command line: a name becomes the command it stands for, and flags that
//! were not given have the values that were chosen for them.
//!
//! Models kubectl/pkg/kuberc/kuberc.go.

use api::Value;
use machine::Io;

use super::{default_path, read, unknown};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Flag, GLOBAL};
use crate::kubectl::{complete, find_verb, groups, help, path};

/// The words of a command line as they are once preferences were applied.
pub(in crate::kubectl) async fn applied(io: &Io, words: Vec<String>) -> Outcome<Vec<String>> {
    if words.is_empty() || complete::asked(&words) {
        return Ok(words);
    }
    let failed =
        |why: String| Failure::Plain(format!("error occurred while applying preferences {why}"));
    let Some(preferences) = preferences(io, &words).await.map_err(failed)? else {
        return Ok(words);
    };
    check(&preferences).map_err(failed)?;
    let (words, warnings) = rewritten(&preferences, words).map_err(failed)?;
    io.eprint(&warnings).await;
    Ok(words)
}

/// The file that counts, if there is one.
async fn preferences(io: &Io, words: &[String]) -> Result<Option<Value>, String> {
    let variable = |name: &str| io.env(name).map(|text| text.to_string());
    if variable("KUBECTL_KUBERC").as_deref() == Some("false") {
        return Ok(None);
    }
    let given = given_path(words)?;
    if variable("KUBERC").as_deref() == Some("off") {
        return match given {
            None => Ok(None),
            Some(_) => Err(
                "kuberc error disabling kuberc via KUBERC=off and passing kuberc flag \
                            are mutually exclusive"
                    .to_owned(),
            ),
        };
    }
    let path = given.clone().unwrap_or_else(|| default_path(io));
    let text = match (io.read_to_string(&path).await, &given) {
        (Ok(text), _) => text,
        (Err(errno), Some(_)) => {
            let why = errno.message().to_lowercase();
            return Err(format!("kuberc error kuberc: open {path}: {why}"));
        }
        (Err(_), None) => return Ok(None),
    };
    let found = read(&text);
    let nothing = format!("no valid preferences found in {path}, use --v=5 to see details");
    match (&found, &given) {
        (None, Some(_)) => return Err(format!("kuberc error kuberc: {nothing}")),
        (None, None) => {
            let text = format!("kuberc: no preferences loaded from {path}: {nothing}");
            io.eprint(&text).await;
        }
        (Some(_), _) => {
            let unknown: Vec<String> = unknown(&text)
                .iter()
                .map(|name| format!("unknown field {name:?}"))
                .collect();
            if !unknown.is_empty() {
                let text = format!(
                    "kuberc: ignoring strict decoding error in {path}: strict decoding error: {}",
                    unknown.join(", ")
                );
                io.eprint(&text).await;
            }
        }
    }
    Ok(found)
}

/// The file that `--kuberc` names.
fn given_path(words: &[String]) -> Result<Option<String>, String> {
    let missing = || "kuberc file is not found".to_owned();
    for (at, word) in words.iter().enumerate() {
        if word == "--" {
            break;
        }
        let path = match word.strip_prefix("--kuberc") {
            Some("") => words.get(at + 1).map(String::as_str),
            Some(rest) => rest.strip_prefix('='),
            None => continue,
        };
        let path = path.filter(|path| !path.is_empty()).ok_or_else(missing)?;
        return Ok(Some(path.to_owned()));
    }
    Ok(None)
}

fn check(preferences: &Value) -> Result<(), String> {
    for alias in preferences.list_at("aliases") {
        let name = alias.str("name");
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphabetic()) {
            let why = "invalid alias name, can only include alphabetical characters";
            return Err(why.to_owned());
        }
    }
    for list in ["aliases", "defaults"] {
        for entry in preferences.list_at(list) {
            for option in entry.list_at("options") {
                let name = option.str("name");
                if name.starts_with('-') {
                    return Err(format!(
                        "flag name {name} should be in long form without dashes"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// The words with both, and what is said of preferences that mean nothing.
fn rewritten(preferences: &Value, words: Vec<String>) -> Result<(Vec<String>, String), String> {
    let mut warnings = String::new();
    let mut words = words;
    let plain = groups::plain(&words);
    let first = plain.first().copied();
    let known = |words: &[String]| find_verb(words).is_some() || groups::exists(words);
    let alias = first.filter(|_| !known(&words)).and_then(|at| {
        let aliases = preferences.list_at("aliases").iter();
        let named = |alias: &&Value| alias.str("name") == words[at];
        Some((at, aliases.clone().find(named)?))
    });
    let is_alias = alias.is_some();
    if let Some((at, alias)) = alias {
        words = expanded(alias, &words, at)?;
    }
    for entry in preferences.list_at("defaults") {
        let command: Vec<String> = split(entry.str("command"));
        if !known(&command) {
            let name = entry.str("command");
            warnings.push_str(&format!(
                "Warning: command {name:?} not found to set kuberc override\n"
            ));
            continue;
        }
        let (Some((verb, _)), Some((meant, _))) = (find_verb(&words), find_verb(&command)) else {
            continue;
        };
        // What a name stands for has the options of that name alone.
        if is_alias || path(verb) != path(meant) {
            continue;
        }
        let known = help::flags(&path(verb), verb.flags);
        let unknown =
            |name: &str| format!("invalid flag {name} for command {}", entry.str("command"));
        let flags = chosen(entry, &known, &words, unknown)?;
        let behind = groups::plain(&words)[verb.name.split(' ').count() - 1] + 1;
        words.splice(behind..behind, flags);
    }
    Ok((words, warnings))
}

fn split(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A line that begins with a name, as what that stands for.
fn expanded(alias: &Value, words: &[String], at: usize) -> Result<Vec<String>, String> {
    let (name, text) = (alias.str("name"), alias.str("command"));
    let command = split(text);
    let Some((verb, _)) = find_verb(&command) else {
        return Err(format!(
            "command {text:?} not found to set alias {name:?}: [{}]",
            command.join(" ")
        ));
    };
    let known = help::flags(&path(verb), verb.flags);
    let unknown = |flag: &str| format!("invalid alias flag {flag} in alias kubectl");
    let flags = chosen(alias, &known, words, unknown)?;
    let args = |field: &str| -> Vec<String> {
        let args = alias.list_at(field).iter();
        args.map(|arg| arg.as_str().to_owned()).collect()
    };
    Ok([
        words[..at].to_vec(),
        command,
        flags,
        args("prependArgs"),
        words[at + 1..].to_vec(),
        args("appendArgs"),
    ]
    .concat())
}

/// The flags of an entry that the line does not give itself.
fn chosen(
    entry: &Value,
    known: &[Flag],
    words: &[String],
    unknown: impl Fn(&str) -> String,
) -> Result<Vec<String>, String> {
    let mut flags = Vec::new();
    for option in entry.list_at("options") {
        let name = option.str("name");
        let flag = known.iter().chain(GLOBAL).find(|flag| flag.name == name);
        let flag = flag.ok_or_else(|| unknown(name))?;
        if !words.iter().any(|word| gives(word, flag)) {
            flags.push(format!("--{name}={}", option.str("default")));
        }
    }
    Ok(flags)
}

/// Whether a word gives a flag a value.
fn gives(word: &str, flag: &Flag) -> bool {
    let long = format!("--{}", flag.name);
    let rest = word.strip_prefix(&long);
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('=')) {
        return true;
    }
    let Some((short, letters)) = flag.short.zip(word.strip_prefix('-')) else {
        return false;
    };
    let bundle = !letters.is_empty() && letters.chars().all(|c| c.is_ascii_alphabetic());
    letters.starts_with(short) || (bundle && letters.contains(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFERENCES: &str = "
apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
defaults:
- command: get
  options:
  - {name: output, default: wide}
- command: delete
  options:
  - {name: interactive, default: 'true'}
aliases:
- name: getn
  command: get
  prependArgs: [nodes]
  appendArgs: [--show-labels]
- name: nss
  command: create namespace
  options:
  - {name: dry-run, default: client}
";

    #[track_caller]
    fn check_line(line: &str, expect: &str) {
        let preferences = read(PREFERENCES).unwrap_or_default();
        let words = rewritten(&preferences, split(line));
        let shown = words.map(|(words, warnings)| format!("{}{warnings}", words.join(" ")));
        assert_eq!(shown.as_deref(), Ok(expect));
    }

    #[test]
    fn lines_are_rewritten() {
        check_line("get pods", "get --output=wide pods");
        check_line("get pods -o json", "get pods -o json");
        check_line("get pods -ojson", "get pods -ojson");
        check_line("-n x delete pod a", "-n x delete --interactive=true pod a");
        check_line("delete pod a -i=false", "delete pod a -i=false");
        check_line("getn a", "get nodes a --show-labels");
        check_line("nss b", "create namespace --dry-run=client b");
        check_line("describe pod a", "describe pod a");
    }
}
