//! What `--help` prints, and what can be learnt from it: which options a command has, of which type
//! a value is, and which commands there are.
//!
//! Models kubectl/pkg/util/templates. The texts are what the commands themselves print.

use super::failure::Failure;
use super::flags::{Flag, GLOBAL, Line, Takes};

/// The texts, each under a line `=== COMMAND`.
const TEXTS: &str = include_str!("texts.txt");

/// What `COMMAND --help` prints: `kubectl rollout status`.
pub(crate) fn of(command: &str) -> Option<&'static str> {
    let start = TEXTS.find(&format!("=== {command}\n"))?;
    let (_, text) = TEXTS[start..].split_once('\n')?;
    if text.starts_with("=== ") {
        return Some("");
    }
    let end = text.find("\n=== ").map_or(text.len(), |end| end + 1);
    Some(&text[..end])
}

/// The commands that `kubectl --help` lists, in that order.
pub(crate) fn commands() -> impl Iterator<Item = &'static str> {
    let usage = |line: &&str| *line != "Usage:";
    let indented = |line: &'static str| line.strip_prefix("  ")?.split_whitespace().next();
    let text = of("kubectl").unwrap_or_default();
    text.lines().take_while(usage).filter_map(indented)
}

/// The commands below a group, and what they do, as its text lists them.
pub(crate) fn below(group: &str) -> Vec<(&'static str, &'static str)> {
    let text = of(group).unwrap_or_default();
    let (_, text) = text
        .split_once("\nAvailable Commands:\n")
        .unwrap_or_default();
    let lines = text.lines().take_while(|line| !line.is_empty());
    let entry = |line: &'static str| line.trim().split_once(' ');
    lines
        .filter_map(entry)
        .map(|(name, text)| (name, text.trim()))
        .collect()
}

/// An option as a text tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    /// `-o`
    pub(crate) short: Option<char>,
    /// `output`
    pub(crate) name: &'static str,
    /// `''`, `[]`, `false`, `0s`
    pub(crate) default: &'static str,
}

/// The options of a command's own.
pub(crate) fn options(command: &str) -> impl Iterator<Item = Described> {
    let text = of(command).unwrap_or_default();
    let text = text.split_once("\nOptions:\n").map_or("", |(_, text)| text);
    text.lines().filter_map(|line| {
        let line = line.strip_prefix("    ")?.strip_suffix(':')?;
        let (short, line) = match line.strip_prefix('-')?.split_once(", --") {
            Some((short, line)) => (short.chars().next(), line),
            None => (None, line.strip_prefix("--")?),
        };
        let (name, default) = line.split_once('=')?;
        Some(Described {
            short,
            name,
            default,
        })
    })
}

/// What an option of a command is for, as its text says.
pub(crate) fn purpose(command: &str, name: &str) -> &'static str {
    let text = of(command).unwrap_or_default();
    let is = |line: &str| {
        let line = line.strip_prefix("    -").unwrap_or_default();
        let long = line.split_once("--").or(line.split_once('-'));
        long.and_then(|(_, rest)| rest.split_once('='))
            .is_some_and(|(known, _)| known == name)
    };
    let mut lines = text.lines().skip_while(|line| !is(line));
    lines.nth(1).unwrap_or_default().trim()
}

/// The options without which a command does not begin.
pub(crate) fn required(verb: &str) -> &'static [&'static str] {
    let needed = REQUIRED.iter().find(|(name, _)| *name == verb);
    needed.map_or(&[], |(_, flags)| flags)
}

/// The formats that `-o` of a command may be, as the sentence of a wrong one lists them; none where
/// its text does not say.
pub(crate) fn formats(command: &str) -> Option<String> {
    let mut formats = listed_formats(command);
    formats.sort_unstable();
    (!formats.is_empty()).then(|| formats.join(","))
}

/// The same in the order in which its text lists them.
pub(crate) fn listed_formats(command: &str) -> Vec<String> {
    let text = of(command).unwrap_or_default();
    let after = text.split_once("Output format. One of: (");
    let listed = after.and_then(|(_, text)| text.split_once(')'));
    let listed = listed.map(|(listed, _)| listed.split(", ").map(str::to_owned));
    listed.into_iter().flatten().collect()
}

/// Options that are read where objects are: from files, into formats.
const SHARED: &[&str] = &[
    "allow-missing-template-keys",
    "kustomize",
    "recursive",
    "show-managed-fields",
    "template",
    "validate",
];

/// The flags of a command: its own, and the others that its text tells of.
pub(crate) fn flags(command: &str, own: &[Flag]) -> Vec<Flag> {
    let mut all = own.to_vec();
    for option in options(command) {
        if !own
            .iter()
            .chain(GLOBAL)
            .any(|flag| flag.name == option.name)
        {
            all.push(option.flag());
        }
    }
    all
}

/// Says of an option that a command does not read that it does not.
pub(crate) fn unread(command: &str, own: &[Flag], line: &Line) -> Result<(), Failure> {
    let known = |name: &str| own.iter().chain(GLOBAL).any(|flag| flag.name == name);
    let read = |name: &str| SHARED.contains(&name) || known(name);
    let unread = options(command).find(|option| line.has(option.name) && !read(option.name));
    match unread {
        None => Ok(()),
        Some(option) => {
            let why = sim::unmodelled!("this option of kubectl");
            Err(Failure::message(format!("--{}: {why}", option.name)))
        }
    }
}

/// The options without which a command does not begin.
const REQUIRED: &[(&str, &[&str])] = &[
    ("autoscale", &["max"]),
    ("create clusterrolebinding", &["clusterrole"]),
    ("create cronjob", &["image", "schedule"]),
    ("create deployment", &["image"]),
    ("create service externalname", &["external-name"]),
    ("kuberc set", &["section"]),
    ("run", &["image"]),
    ("scale", &["replicas"]),
];

/// Whether what a command needs was given, and values are of the types that they have to be.
pub(crate) fn check(command: &str, line: &Line) -> Result<(), Failure> {
    types(command, line)?;
    logs(command, line)?;
    let name = command.strip_prefix("kubectl ").unwrap_or_default();
    let missing = required(name).iter();
    let missing: Vec<String> = missing
        .filter(|flag| !line.has(flag))
        .map(|flag| format!("{flag:?}"))
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Failure::message(format!(
            "required flag(s) {} not set",
            missing.join(", ")
        ))),
    }
}

/// What is profiled, and how often the log is written.
const PROFILES: [&str; 8] = [
    "none",
    "cpu",
    "heap",
    "goroutine",
    "threadcreate",
    "block",
    "mutex",
    "trace",
];

/// The flags of the program itself, of which nothing is seen where they are right.
fn logs(command: &str, line: &Line) -> Result<(), Failure> {
    let flush = line.get("log-flush-frequency").unwrap_or("5s");
    if not_a_duration(flush).is_some() {
        let why =
            format!("invalid argument {flush:?} for \"--log-flush-frequency\" flag: parse error");
        return Err(Failure::Usage(why, command.to_owned()));
    }
    let modules = line.get("vmodule").unwrap_or_default().split(',');
    let is_level = |part: &str| {
        part.split_once('=')
            .is_some_and(|(_, n)| n.parse::<i32>().is_ok())
    };
    if modules
        .filter(|part| !part.is_empty())
        .any(|part| !is_level(part))
    {
        let why = format!(
            "invalid argument {:?} for \"--vmodule\" flag: syntax error: expect comma-separated \
             list of filename=N",
            line.text("vmodule")
        );
        return Err(Failure::Usage(why, command.to_owned()));
    }
    let own = options(command).any(|option| option.name == "profile");
    let profile = line.get("profile").unwrap_or("none");
    match own || PROFILES.contains(&profile) {
        true => Ok(()),
        false => Err(Failure::message(format!("unknown profile '{profile}'"))),
    }
}

fn types(command: &str, line: &Line) -> Result<(), Failure> {
    let level = Described {
        short: Some('v'),
        name: "v",
        default: "0",
    };
    for option in options(command).chain([level]) {
        let Some(text) = line.get(option.name) else {
            continue;
        };
        let Some(why) = option.refuses(text) else {
            continue;
        };
        let shown = match option.short {
            Some(short) => format!("-{short}, --{}", option.name),
            None => format!("--{}", option.name),
        };
        let text = format!("invalid argument {text:?} for {shown:?} flag: {why}");
        return Err(Failure::Usage(text, command.to_owned()));
    }
    Ok(())
}

impl Described {
    pub(crate) fn flag(&self) -> Flag {
        let takes = match self.default {
            "true" | "false" => Takes::Switch,
            "[]" => Takes::Values,
            _ if self.name == "validate" => Takes::Optional("strict"),
            _ => Takes::Value,
        };
        Flag {
            name: self.name,
            short: self.short,
            takes,
        }
    }

    /// Why a text is no value of this option.
    fn refuses(&self, text: &str) -> Option<String> {
        let digits = self.default.trim_start_matches('-');
        let first = digits.chars().next().filter(char::is_ascii_digit);
        first?;
        if digits.chars().all(|c| c.is_ascii_digit()) {
            return not_a_number(text);
        }
        not_a_duration(text)
    }
}

fn not_a_number(text: &str) -> Option<String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    let why = match text.parse::<i64>() {
        Ok(_) => return None,
        Err(_) if number => "value out of range",
        Err(_) => "invalid syntax",
    };
    Some(format!("strconv.ParseInt: parsing {text:?}: {why}"))
}

/// Why a text is no duration of Go.
fn not_a_duration(text: &str) -> Option<String> {
    let plain = text.strip_prefix(['-', '+']).unwrap_or(text);
    if plain == "0" || api::time::parse_go_duration(plain).is_some() {
        return None;
    }
    let unit = plain.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = plain.starts_with(|c: char| c.is_ascii_digit());
    let why = match unit {
        _ if !number => "invalid duration".to_owned(),
        "" => "missing unit in duration".to_owned(),
        unit => {
            let end = unit.find(|c: char| c.is_ascii_digit() || c == '.');
            let unit = &unit[..end.unwrap_or(unit.len())];
            format!("unknown unit {unit:?} in duration")
        }
    };
    Some(format!("time: {why} {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_and_tell_of_options() {
        let text = of("kubectl rollout status").unwrap_or_default();
        assert!(
            text.starts_with("Show the status of the rollout.\n"),
            "{text}"
        );
        assert!(text.ends_with("(applies to all commands).\n"), "{text}");
        assert_eq!(of("kubectl nosuch"), None);
        assert!(commands().any(|command| command == "api-resources"));
        let output = options("kubectl get").find(|option| option.name == "output");
        let expect = Described {
            short: Some('o'),
            name: "output",
            default: "''",
        };
        assert_eq!(output, Some(expect));
    }

    #[track_caller]
    fn check_value(command: &str, name: &str, text: &str, expect: Option<&str>) {
        let option = options(command).find(|option| option.name == name);
        let refused = option.and_then(|option| option.refuses(text));
        assert_eq!(refused.as_deref(), expect);
    }

    #[test]
    fn values_are_of_the_type_of_the_default() {
        let number = "strconv.ParseInt: parsing \"x\": invalid syntax";
        check_value("kubectl get", "chunk-size", "x", Some(number));
        check_value("kubectl get", "chunk-size", "-5", None);
        check_value("kubectl get", "selector", "x", None);
        let timeout = |text, expect| check_value("kubectl wait", "timeout", text, expect);
        timeout("1m30s", None);
        timeout("-1s", None);
        timeout("0", None);
        timeout("x", Some("time: invalid duration \"x\""));
        timeout("5", Some("time: missing unit in duration \"5\""));
        timeout("5x", Some("time: unknown unit \"x\" in duration \"5x\""));
    }
}
