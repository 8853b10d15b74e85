//! Objects as a real control plane (Kubernetes v1.36.2) gave them back are in typed form already:
//! decoding them again changes nothing and complains about nothing.

use kubarium_api::{Schemas, Value, yaml};

fn check(schemas: &Schemas, object: &Value) {
    let what = format!("{} {}", object.kind(), object.name());
    let decoded = schemas.decode(object.api_version(), object.kind(), object);
    assert_eq!((decoded.error, decoded.strict), (None, vec![]), "{what}");
    let (got, want) = (yaml::to_string(&decoded.value), yaml::to_string(object));
    assert_eq!(got, want, "{what}");
}

#[test]
fn observed_objects_are_in_typed_form() {
    let schemas = Schemas::load();
    let documents = yaml::parse_all(include_str!("data/observed.yaml")).expect("valid");
    assert!(documents.len() > 50);
    documents
        .iter()
        .for_each(|document| check(&schemas, &document.value));
}

#[test]
fn printed_objects_are_in_typed_form() {
    let schemas = Schemas::load();
    for section in include_str!("data/kubectl-yaml.txt").split("\n$ ") {
        let (command, output) = section.split_once('\n').expect("a command and its output");
        // What kubectl makes itself, or an instance of a custom resource, is no typed object.
        if command.contains("dry-run") || command.contains("widgets") {
            continue;
        }
        let object = &yaml::parse_all(output).expect(command)[0].value;
        match object.kind() {
            "List" => object
                .list_at("items")
                .iter()
                .for_each(|item| check(&schemas, item)),
            _ => check(&schemas, object),
        }
    }
}
