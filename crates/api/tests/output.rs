//! What kubectl v1.36.2 printed against a real control plane, read and written again: the same to
//! the byte. The data are answers recorded for the project, a command a section.

use api::{Value, yaml};
use kubarium_api as api;

/// The sections of a file of `$ command` lines, each followed by what the command printed.
fn sections(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let text = text.strip_prefix("$ ").expect("a command first");
    text.split("\n$ ")
        .map(|section| section.split_once('\n').expect("an output"))
}

#[test]
fn yaml_output_round_trips() {
    let mut count = 0;
    for (command, output) in sections(include_str!("data/kubectl-yaml.txt")) {
        let documents = yaml::parse_all(output).expect(command);
        let again: Vec<String> = documents
            .iter()
            .map(|d| yaml::to_string(&d.value))
            .collect();
        assert_eq!(again.concat().trim_end(), output.trim_end(), "{command}");
        count += 1;
    }
    assert!(count > 15, "only {count} outputs");
}

#[test]
fn json_output_round_trips() {
    let mut count = 0;
    for (command, output) in sections(include_str!("data/kubectl-json.txt")) {
        let value = Value::from_json(output.as_bytes()).expect(command);
        assert_eq!(value.to_json_pretty(), output.trim_end(), "{command}");
        assert_eq!(value.json_len(), value.to_json().len());
        count += 1;
    }
    assert!(count > 1, "only {count} outputs");
}

#[test]
fn kyaml_output_round_trips() {
    for (command, output) in sections(include_str!("data/kubectl-kyaml.txt")) {
        let documents = yaml::parse_all(output).expect(command);
        assert_eq!(
            yaml::to_kyaml(&documents[0].value).trim_end(),
            output.trim_end(),
            "{command}"
        );
    }
}
