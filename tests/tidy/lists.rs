//! Lists are explicit and complete: a file that declares something is named in the list beside it.
//! There is no registration behind the scenes, so forgetting the line would forget the thing.

use regex_lite::Regex;

use crate::holds;
use crate::sources::{self, Source};

/// Files of a folder that declare something, and the list that names it.
struct Rule {
    /// What is listed.
    what: &'static str,
    folder: &'static str,
    /// What a declaration looks like; its first group is the name.
    declares: &'static str,
    /// The file with the list.
    list: &'static str,
    /// How the list's part of that file begins; it ends with the first line that closes it.
    begins: &'static str,
    /// How the list names it: `{stem}` is the module's name, `{name}` the declared name.
    mention: &'static str,
}

const RULES: [Rule; 10] = [
    Rule {
        what: "API kind",
        folder: "crates/api/src/kinds",
        declares: r"pub static (KIND): Kind\b",
        list: "crates/api/src/kinds.rs",
        begins: "const KINDS:",
        mention: "&{stem}::{name}",
    },
    Rule {
        what: "admission plugin",
        folder: "crates/apiserver/src/admission",
        declares: r"pub\([a-z]+\) (?:const|static) (\w+): Plugin\b",
        list: "crates/apiserver/src/admission.rs",
        begins: "const PLUGINS:",
        mention: "&{stem}::{name}",
    },
    Rule {
        what: "scheduler plugin",
        folder: "crates/scheduler/src/plugins",
        declares: r"impl Plugin for (\w+)",
        list: "crates/scheduler/src/plugins.rs",
        begins: "fn default_plugins()",
        mention: "{stem}::{name}",
    },
    Rule {
        what: "controller",
        folder: "crates/controllers/src",
        declares: r"impl Controller for (\w+)",
        list: "crates/controllers/src/list.rs",
        begins: "pub fn all(",
        mention: "{name}",
    },
    Rule {
        what: "tool",
        folder: "crates/commands/src",
        declares: r"pub\(crate\) (?:const|static) (\w+): Tool\b",
        list: "crates/commands/src/lib.rs",
        begins: "TOOLS:",
        mention: "{stem}::{name}",
    },
    Rule {
        what: "kubectl verb",
        folder: "crates/commands/src/kubectl",
        declares: r"pub\([a-z]+\) (?:const|static) (\w+): Verb\b",
        list: "crates/commands/src/kubectl/mod.rs",
        begins: "VERBS:",
        mention: "{stem}::{name}",
    },
    Rule {
        what: "generator of kubectl create",
        folder: "crates/commands/src/kubectl/create",
        declares: r"pub\([a-z]+\) (?:const|static) (\w+): Verb\b",
        list: "crates/commands/src/kubectl/create/mod.rs",
        begins: "GENERATORS:",
        mention: "{stem}::{name}",
    },
    Rule {
        what: "shell builtin",
        folder: "crates/shell/src/builtins",
        declares: r"pub\([a-z]+\) (?:const|static) (\w+): Builtin\b",
        list: "crates/shell/src/builtins.rs",
        begins: "const ALL:",
        mention: "{stem}::{name}",
    },
    Rule {
        what: "container image",
        folder: "crates/images/src",
        declares: r"pub\([a-z]+\) static (\w+): Definition\b",
        list: "crates/images/src/lib.rs",
        begins: "CATALOGUE:",
        mention: "{stem}::{name}",
    },
    Rule {
        what: "image of the control plane",
        folder: "crates/images/src/control_plane",
        declares: r"pub\([a-z]+\) static (\w+): Definition\b",
        list: "crates/images/src/control_plane.rs",
        begins: "",
        mention: "{stem}::{name}",
    },
];

/// The module that a file of `folder` is, without the modules below it: `pod` of `kinds/pod.rs`
/// and of `kinds/pod/mod.rs`.
fn module<'a>(source: &'a Source, folder: &str) -> Option<&'a str> {
    let path = source
        .path
        .strip_prefix(folder)?
        .strip_prefix('/')?
        .strip_suffix(".rs")?;
    let name = path.strip_suffix("/mod").unwrap_or(path);
    (!name.contains('/') && name != "mod").then_some(name)
}

/// The part of a file from `begins` to the line that closes it.
fn part<'a>(text: &'a str, begins: &str) -> Option<&'a str> {
    let start = text.find(begins)?;
    let rest = &text[start..];
    let end = ["\n}", "\n];"]
        .iter()
        .filter_map(|close| rest.find(close))
        .min();
    let line = rest.find(";\n").filter(|at| !rest[..*at].contains('\n'));
    Some(&rest[..line.or(end).unwrap_or(rest.len())])
}

fn check(rule: &Rule, sources: &[Source]) -> Vec<String> {
    let declares = Regex::new(&format!("(?m)^{}", rule.declares)).expect("a pattern");
    let Some(file) = sources.iter().find(|source| source.path == rule.list) else {
        return vec![format!(
            "{}: is not there, so no {} is listed",
            rule.list, rule.what
        )];
    };
    let Some(list) = part(&file.text, rule.begins) else {
        return vec![format!(
            "{}: has no list that begins {:?}",
            rule.list, rule.begins
        )];
    };
    let mut offences = Vec::new();
    let mut declared = 0;
    for source in sources {
        let Some(module) = module(source, rule.folder) else {
            continue;
        };
        for found in declares.captures_iter(&source.text) {
            declared += 1;
            let name = found.get(1).map_or("", |name| name.as_str());
            let mention = rule
                .mention
                .replace("{stem}", module)
                .replace("{name}", name);
            let word = Regex::new(&format!(r"{mention}\b")).expect("a pattern");
            if !word.is_match(list) {
                let Source { path, .. } = source;
                offences.push(format!(
                    "{path}: {mention} is not in the list of {}",
                    rule.list
                ));
            }
        }
    }
    if declared == 0 {
        offences.push(format!("{}: declares no {} at all", rule.folder, rule.what));
    }
    offences
}

#[test]
fn lists_are_complete() {
    let sources = sources::rust();
    let offences: Vec<String> = RULES
        .iter()
        .flat_map(|rule| check(rule, &sources))
        .collect();
    holds("lists", &offences);
}

#[test]
fn an_unlisted_file_is_found() {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let sources = [
        source(
            "crates/api/src/kinds.rs",
            "const KINDS: &[&Kind] = &[\n    &pod::KIND,\n];\n",
        ),
        source(
            "crates/api/src/kinds/pod.rs",
            "pub static KIND: Kind = Kind {};",
        ),
        source(
            "crates/api/src/kinds/job.rs",
            "pub static KIND: Kind = Kind {};",
        ),
    ];
    assert_eq!(
        check(&RULES[0], &sources),
        ["crates/api/src/kinds/job.rs: &job::KIND is not in the list of crates/api/src/kinds.rs"]
    );
}
