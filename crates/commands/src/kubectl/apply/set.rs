//! `kubectl apply set-last-applied`.
//!
//! Models kubectl/pkg/cmd/apply/apply_set_last_applied.go.

use api::{Value, object};
use net::http::Method;

use super::super::Verb;
use super::super::act::{self, DryRun, MERGE, done, dry_run};
use super::super::failure::{Failure, Outcome};
use super::super::flags::{Line, switch};
use super::super::session::{Call, JSON, Session};
use super::super::target::{Manifest, manifests, namespace_of, resource_of};
use super::{LAST_APPLIED, with_last_applied};

pub(super) const VERB: Verb = Verb {
    name: "apply set-last-applied",
    summary: "Set the last-applied-configuration annotation on a live object to match the contents \
              of a file",
    usage: "kubectl apply set-last-applied -f FILENAME [options]",
    flags: &[
        act::FILENAME,
        act::OUTPUT,
        act::DRY_RUN,
        switch("create-annotation"),
    ],
    interspersed: true,
    run: |session, line| Box::pin(set(session, line)),
};

async fn set(session: &Session, line: &Line) -> Outcome {
    if !line.has("filename") {
        return Err(Failure::message(
            "You must provide one or more resources by argument or filename.\nExample resource \
             specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> \
             <name>'\n   '<resource>'",
        ));
    }
    let discovery = session.discovery().await?;
    let mut changes = Vec::new();
    for manifest in manifests(&session.io, line).await? {
        let resource = resource_of(&discovery, &manifest)?;
        let Manifest { value, .. } = manifest;
        let namespace = namespace_of(session, resource, &value)?;
        let path = resource.path(&namespace, value.name());
        let current = session.call(Call::get(path.as_str())).await?;
        let had = current.annotation(LAST_APPLIED).to_owned();
        if had.is_empty() && !line.on("create-annotation") {
            return Err(Failure::message(format!(
                "no last-applied-configuration annotation found on resource: {}, to create the \
                 annotation, run the command with --create-annotation",
                value.name()
            )));
        }
        let annotated = with_last_applied(&value);
        let text = annotated.annotation(LAST_APPLIED);
        if text == had {
            let text = format!("set-last-applied {}: no changes required.\n", value.name());
            session.io.print(&text).await;
            continue;
        }
        let mut patch = object! { "metadata": { "annotations": {} } };
        patch.set_annotation(LAST_APPLIED, text);
        changes.push((path, current, patch));
    }
    for (path, current, patch) in changes {
        one(session, line, &path, &current, patch).await?;
    }
    Ok(())
}

async fn one(session: &Session, line: &Line, path: &str, current: &Value, patch: Value) -> Outcome {
    let dry = dry_run(line)?;
    if dry == DryRun::Client {
        return done(session, line, dry, current, "configured").await;
    }
    let query = if dry == DryRun::Server {
        "?dryRun=All"
    } else {
        ""
    };
    let call = Call {
        method: Method::Patch,
        target: format!("{path}{query}"),
        accept: JSON,
        body: Some((MERGE, patch)),
    };
    let patched = session.call(call).await?;
    done(session, line, dry, &patched, "configured").await
}
