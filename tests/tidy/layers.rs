//! Dependencies point down only, and every dependency below the shells is a decision: a crate may
//! use exactly what the table says.

use std::collections::{BTreeMap, BTreeSet};

use kubarium_tests::root;
use regex_lite::Regex;

use crate::holds;
use crate::sources::{self, Source};

/// A crate below the shells: its folder, the crates of ours it uses, and those of others. Each line
/// uses only crates of the lines above it.
const LAYERS: [(&str, &[&str], &[&str]); 15] = [
    ("sim", &[], &[]),
    ("net", &["sim"], &["imbl", "miniz_oxide"]),
    ("machine", &["sim", "net"], &["imbl"]),
    ("etcd", &["sim", "net"], &["imbl"]),
    ("api", &["sim", "net"], &["regex-lite", "saphyr-parser"]),
    ("apiserver", &["sim", "net", "api", "etcd"], &["imbl"]),
    ("client", &["sim", "net", "api"], &["imbl"]),
    ("scheduler", &["sim", "net", "api", "client"], &["imbl"]),
    ("controllers", &["sim", "net", "api", "client"], &["imbl"]),
    (
        "node",
        &["sim", "net", "machine", "api", "client"],
        &["imbl"],
    ),
    ("shell", &["sim", "machine"], &["regex-lite"]),
    (
        "commands",
        &[
            "sim", "net", "machine", "etcd", "api", "client", "node", "shell",
        ],
        &[],
    ),
    ("images", COMPONENTS, &[]),
    ("lab", PROGRAMS, &[]),
    (
        "lesson",
        &["sim", "api", "lab"],
        &["schemars", "serde", "serde_json"],
    ),
];

const COMPONENTS: &[&str] = &[
    "sim",
    "net",
    "machine",
    "api",
    "etcd",
    "apiserver",
    "client",
    "scheduler",
    "controllers",
    "node",
    "shell",
    "commands",
];
const PROGRAMS: &[&str] = &[
    "sim", "net", "machine", "api", "etcd", "client", "node", "shell", "commands", "images",
];

/// Packages that link the simulation into something people start, and what they may use of it:
/// `sim` for time, and the two doors.
const SHELLS: [(&str, &[&str]); 4] = [
    ("front", &["sim", "lab"]),
    ("cli", &["sim", "lab", "lesson"]),
    ("web", &["sim", "lab", "lesson"]),
    ("xtask", &[]),
];

/// The names below `[dependencies]` of a manifest, and `[dependencies.name]`.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut section = "";
    let mut found = BTreeSet::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = header;
            if let Some(name) = section.strip_prefix("dependencies.") {
                found.insert(name.to_owned());
            }
        } else if section == "dependencies" && !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or(line);
            found.insert(name.to_owned());
        }
    }
    found
}

fn manifest(folder: &str) -> String {
    let path = root().join(folder).join("Cargo.toml");
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path:?}: {why}"))
}

fn folder(part: &str) -> String {
    match part {
        "web" => "web".to_owned(),
        part => format!("crates/{part}"),
    }
}

#[test]
fn manifests_are_read() {
    let text = "[dependencies]\na.workspace = true\n# c = 1\nb-c = { path = \"x\" }\n\n\
                [dependencies.d]\nversion = \"1\"\n[dev-dependencies]\ne = \"1\"\n";
    assert_eq!(
        dependencies(text),
        ["a", "b-c", "d"].map(str::to_owned).into()
    );
}

#[test]
fn the_table_points_down() {
    let mut above = Vec::new();
    for (name, ours, _) in LAYERS {
        for used in ours {
            assert!(
                above.contains(used),
                "{name} uses {used}, which is not above it in the table"
            );
        }
        above.push(name);
    }
}

#[test]
fn dependencies_point_down_only() {
    let mut offences = Vec::new();
    for (name, ours, others) in LAYERS {
        let allowed: BTreeSet<String> = ours
            .iter()
            .chain(others)
            .map(|name| (*name).to_owned())
            .collect();
        let used = dependencies(&manifest(&folder(name)));
        for extra in used.difference(&allowed) {
            offences.push(format!("crates/{name}: must not use {extra}"));
        }
        for idle in allowed.difference(&used) {
            offences.push(format!(
                "crates/{name}: {idle} is not used: take it out of the table"
            ));
        }
    }
    for (name, ours) in SHELLS {
        for used in dependencies(&manifest(&folder(name))) {
            let is_ours = LAYERS.iter().any(|(layer, ..)| *layer == used);
            if is_ours && !ours.contains(&&*used) {
                offences.push(format!("{}: must not use {used}", folder(name)));
            }
        }
    }
    holds("layers (tests/tidy/layers.rs has the table)", &offences);
}

#[test]
fn every_crate_has_its_place() {
    let known: BTreeSet<&str> = LAYERS
        .iter()
        .map(|layer| layer.0)
        .chain(SHELLS.map(|shell| shell.0))
        .collect();
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("it is there");
    let mut offences = Vec::new();
    for entry in std::fs::read_dir(root().join("crates")).expect("it is there") {
        let name = entry
            .expect("readable")
            .file_name()
            .to_string_lossy()
            .into_owned();
        if !known.contains(&*name) {
            offences.push(format!("crates/{name}: is in no layer"));
        }
        if !text.contains(&format!("`{name}`")) {
            offences.push(format!("crates/{name}: is not in ARCHITECTURE.md"));
        }
        let package = if name == "cli" {
            "kubarium".to_owned()
        } else {
            format!("kubarium-{name}")
        };
        let named = manifest(&folder(&name)).contains(&format!("name = \"{package}\""));
        if !named && name != "xtask" {
            offences.push(format!(
                "crates/{name}: its package is not called {package}"
            ));
        }
    }
    holds("crates", &offences);
}

#[test]
fn what_is_declared_is_used() {
    let sources = sources::rust();
    let mut by_part: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in &sources {
        by_part.entry(source.part()).or_default().push(source);
    }
    let mut offences = Vec::new();
    for part in LAYERS
        .iter()
        .map(|layer| layer.0)
        .chain(SHELLS.map(|shell| shell.0))
    {
        for name in dependencies(&manifest(&folder(part))) {
            let word = Regex::new(&format!(r"\b{}\b", name.replace('-', "_"))).expect("a pattern");
            let files = by_part.get(part).into_iter().flatten();
            if !files.into_iter().any(|source| word.is_match(&source.text)) {
                offences.push(format!(
                    "{}: declares {name} and does not use it",
                    folder(part)
                ));
            }
        }
    }
    holds("dependencies", &offences);
}
