//! `kubectl create namespace`.

use api::object;

use super::{exactly_one_name, generated, generator_flags};
use crate::kubectl::Verb;

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create namespace",
    summary: "Create a namespace with the specified name",
    usage: "kubectl create namespace NAME [--dry-run=server|client|none] [options]",
    flags: generator_flags!(),
    interspersed: true,
    run: |session, line| {
        Box::pin(async move {
            let name = exactly_one_name(line)?;
            let namespace = object!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": { "name": (name) },
                "spec": {},
                "status": {},
            });
            generated(session, line, namespace).await
        })
    },
};

/// `kubectl create ns`.
pub(super) const SHORT: Verb = Verb {
    name: "create ns",
    ..VERB
};
