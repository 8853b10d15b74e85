//! `kubectl create serviceaccount`.

use api::object;

use super::{exactly_one_name, generated_as, generator_flags};
use crate::kubectl::Verb;

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create serviceaccount",
    summary: "Create a service account with the specified name",
    usage: "kubectl create serviceaccount NAME [--dry-run=server|client|none] [options]",
    flags: generator_flags!(),
    interspersed: true,
    run: |session, line| {
        Box::pin(async move {
            let name = exactly_one_name(line)?;
            let account = object!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": { "name": (name) },
            });
            generated_as(session, line, account, "serviceaccount").await
        })
    },
};

/// `kubectl create sa`.
pub(super) const SHORT: Verb = Verb {
    name: "create sa",
    ..VERB
};
