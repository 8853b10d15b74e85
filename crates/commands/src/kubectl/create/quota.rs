//! `kubectl create quota`.

use api::{Quantity, Value, object};

use super::{exactly_one_name, generated_as, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, value};
use crate::kubectl::session::Session;

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create quota",
    summary: "Create a quota with the specified name",
    usage: "kubectl create quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] \
            [--dry-run=server|client|none] [options]",
    flags: generator_flags!(value("hard"), value("scopes")),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line)),
};

/// `kubectl create resourcequota`.
pub(super) const LONG: Verb = Verb {
    name: "create resourcequota",
    ..VERB
};

async fn create(session: &Session, line: &Line) -> Outcome {
    let name = exactly_one_name(line)?;
    let mut quota = object!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": { "name": (name) },
        "spec": {},
        "status": {},
    });
    let hard = Some(line.text("hard")).filter(|text| !text.is_empty());
    for amount in hard.into_iter().flat_map(|text| text.split(',')) {
        let Some((resource, text)) = amount
            .split_once('=')
            .filter(|(_, text)| !text.contains('='))
        else {
            return Err(Failure::message(format!(
                "Invalid argument syntax {amount}, expected <resource>=<value>"
            )));
        };
        let read = Quantity::parse(text).map_err(|why| Failure::message(why.to_string()))?;
        quota.set_path(&["spec", "hard", resource], read);
    }
    let scopes = line.text("scopes");
    if !scopes.is_empty() {
        let scopes: Vec<Value> = scopes.split(',').map(Value::from).collect();
        quota.set("spec.scopes", scopes);
    }
    generated_as(session, line, quota, "quota").await
}
