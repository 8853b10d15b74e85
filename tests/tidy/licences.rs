//! Every package that is linked in has a licence that `deny.toml` allows.

use std::collections::BTreeSet;
use std::process::Command;

use kubarium_tests::root;
use serde_json::Value;

use crate::holds;

/// What people run, natively and in the browser.
const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "wasm32-unknown-unknown"];

/// The strings of the list called `name` in a TOML file.
fn list(toml: &str, name: &str) -> BTreeSet<String> {
    let head = format!("{name} = [");
    let rest = toml.split_once(&head).map_or("", |(_, rest)| rest);
    let body = rest.split(']').next().unwrap_or("");
    body.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Whether an SPDX expression can be met with allowed licences: `OR` leaves the choice, `AND`
/// binds closer; a slash is an old way to write `OR`. What is no expression is not met.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    any(&mut words, allowed) == Some(true) && words.is_empty()
}

fn any(words: &mut Vec<&str>, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut met = all(words, allowed)?;
    while words.last() == Some(&"OR") {
        words.pop();
        met |= all(words, allowed)?;
    }
    Some(met)
}

fn all(words: &mut Vec<&str>, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut met = one(words, allowed)?;
    while words.last() == Some(&"AND") {
        words.pop();
        met &= one(words, allowed)?;
    }
    Some(met)
}

fn one(words: &mut Vec<&str>, allowed: &BTreeSet<String>) -> Option<bool> {
    let word = words.pop()?;
    if word == "(" {
        let met = any(words, allowed)?;
        return (words.pop() == Some(")")).then_some(met);
    }
    // `MPL-2.0+` is that version or a later one.
    let licence = word.trim_end_matches('+');
    if words.last() == Some(&"WITH") {
        words.pop();
        let exception = words.pop()?;
        let both = format!("{licence} WITH {exception}");
        return Some(allowed.contains(&both) || allowed.contains(licence));
    }
    Some(allowed.contains(licence))
}

#[test]
fn expressions_are_understood() {
    let allowed = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"]
        .map(str::to_owned)
        .into();
    let cases = [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND Zlib", true),
        ("(MIT OR GPL-3.0) AND (GPL-2.0 OR BSL)", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT+", true),
        ("MIT OR", false),
        ("(MIT", false),
        ("", false),
    ];
    for (expression, expected) in cases {
        assert_eq!(is_met(expression, &allowed), expected, "{expression}");
    }
}

/// The packages that are linked for a target: name with version, licence.
fn packages(target: &str) -> Vec<(String, Option<String>)> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            target,
        ])
        .output()
        .expect("cargo runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata failed:\n{told}");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let resolved: BTreeSet<String> = metadata["resolve"]["nodes"]
        .as_array()
        .map(|nodes| nodes.iter().filter_map(|node| text(&node["id"])).collect())
        .unwrap_or_default();
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .filter(|package| text(&package["id"]).is_some_and(|id| resolved.contains(&id)))
        .map(|package| {
            let name = package["name"].as_str().unwrap_or("");
            let version = package["version"].as_str().unwrap_or("");
            (format!("{name} {version}"), text(&package["license"]))
        })
        .collect()
}

#[test]
fn licences_are_allowed() {
    let deny = std::fs::read_to_string(root().join("deny.toml")).expect("it is there");
    let allowed = list(&deny, "allow");
    assert!(
        allowed.contains("MIT"),
        "deny.toml is not read: {allowed:?}"
    );
    let mut offences = BTreeSet::new();
    for (name, licence) in TARGETS.into_iter().flat_map(packages) {
        match licence {
            Some(licence) if is_met(&licence, &allowed) => {}
            Some(licence) => drop(offences.insert(format!("{name}: {licence} is not allowed"))),
            None => drop(offences.insert(format!("{name}: has no licence"))),
        }
    }
    holds("licences", &offences.into_iter().collect::<Vec<_>>());
}
