//! `kubectl rollout history` and `undo`: the templates a workload has had.
//!
//! Models kubectl/pkg/cmd/rollout/{rollout_history,rollout_undo}.go and
//! polymorphichelpers/{history,rollback}.go.

use api::{Value, object};
use net::http::Method;

use super::{group_kind, rollouts};
use crate::kubectl::act::{self, DryRun, Found, done, dry_run};
use crate::kubectl::apply::LAST_APPLIED;
use crate::kubectl::describe::template_text;
use crate::kubectl::failure::{Failure, Outcome, report};
use crate::kubectl::flags::Line;
use crate::kubectl::print::{self, Format};
use crate::kubectl::session::{Call, JSON, Session};
use crate::kubectl::target::or;

/// The number of a Deployment's revision.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
const HASH: &str = "pod-template-hash";

/// A template a workload has had.
struct Revision {
    number: i64,
    /// The ReplicaSet or ControllerRevision that keeps it.
    keeper: Value,
}

/// The revisions of a workload, the oldest first. `what` is not known of other kinds.
async fn revisions(session: &Session, found: &Found, what: &str) -> Outcome<Vec<Revision>> {
    let kind = group_kind(found);
    let keepers = match (found.resource.group.as_str(), found.resource.kind.as_str()) {
        ("apps", "Deployment") => "replicasets",
        ("apps", "DaemonSet" | "StatefulSet") => "controllerrevisions",
        ("", "Pod" | "ReplicationController") | ("apps", "ReplicaSet") | ("batch", _) => {
            let text = format!("no {what} has been implemented for {kind:?}");
            return Err(Failure::message(text));
        }
        (group, kind) => {
            let verb = match what {
                "rollbacker" => "rollbacker",
                _ => "history",
            };
            let shown = group_kind(found);
            let text = format!(
                "error retrieving {verb} for {shown:?}, no visitor method exists for {{{group} \
                 {kind}}}"
            );
            return Err(Failure::message(text));
        }
    };
    let discovery = session.discovery().await?;
    let path = discovery
        .resolve(keepers)?
        .collection(Some(found.value.namespace()));
    let list = session.call(Call::get(path)).await?;
    let mut all: Vec<Revision> = list
        .list_at("items")
        .iter()
        .filter(|keeper| keeper.is_controlled_by(found.value.uid()))
        .filter_map(|keeper| {
            let number = match keeper.i64_at("revision") {
                Some(number) => number,
                None => keeper.annotation(REVISION).parse().ok()?,
            };
            let keeper = keeper.clone();
            Some(Revision { number, keeper })
        })
        .collect();
    all.sort_by_key(|revision| revision.number);
    Ok(all)
}

impl Revision {
    fn is_deployment(&self) -> bool {
        !self.keeper.has("revision")
    }

    fn template(&self) -> Value {
        if self.is_deployment() {
            return self.keeper.at("spec.template").clone();
        }
        let mut template = self.keeper.at("data.spec.template").clone();
        template.remove_path(&["$patch"]);
        template
    }

    fn cause(&self) -> &str {
        self.keeper.annotation(CHANGE_CAUSE)
    }

    /// The object that `-o` prints: a ReplicaSet, or the workload as it was.
    fn shown(&self, workload: &Value) -> Value {
        if self.is_deployment() {
            let mut keeper = self.keeper.clone();
            keeper.set("apiVersion", "apps/v1");
            keeper.set("kind", "ReplicaSet");
            return keeper;
        }
        let mut workload = workload.clone();
        workload.set("spec.template", self.template());
        workload
    }
}

pub(super) async fn history(session: &Session, line: &Line) -> Outcome {
    let wanted = line.number("revision")?.unwrap_or(0);
    if wanted < 0 {
        return Err(Failure::message(format!(
            "revision must be a positive integer: {wanted}"
        )));
    }
    let mut failures = Vec::new();
    for found in rollouts(session, line).await? {
        let done = match found {
            Ok(found) => history_of(session, line, &found, wanted).await,
            Err(failure) => Err(failure),
        };
        failures.extend(done.err());
    }
    report(session, failures).await
}

async fn history_of(session: &Session, line: &Line, found: &Found, wanted: i64) -> Outcome {
    let missing = || Failure::message("unable to find the specified revision");
    let all = revisions(session, found, "history viewer").await?;
    let name = print::name(&found.value);
    let one = all.iter().find(|revision| revision.number == wanted);
    let format = print::format(line)?;
    let text = if !matches!(format, Format::Table { .. }) {
        let chosen: Vec<&Revision> = match wanted {
            0 => all.iter().collect(),
            _ => vec![one.ok_or_else(missing)?],
        };
        let printed = chosen.into_iter().map(|revision| {
            let object = print::trimmed(&revision.shown(&found.value), false);
            print::typed_object(&format, object)
        });
        let printed: Vec<String> = printed.collect::<Outcome<_>>()?;
        match format {
            Format::Yaml => printed.join("---\n"),
            _ => printed.concat(),
        }
    } else if all.is_empty() {
        format!("{name} \nNo rollout history found.\n")
    } else if wanted > 0 {
        let revision = one.ok_or_else(missing)?;
        let mut template = revision.template();
        if revision.is_deployment() && !revision.cause().is_empty() {
            let path = ["metadata", "annotations", CHANGE_CAUSE];
            template.set_path(&path, revision.cause());
        }
        let template = template_text(&template);
        format!("{name} with revision #{wanted}\n{template}\n")
    } else {
        let mut text = format!("{name} \nREVISION  CHANGE-CAUSE\n");
        for revision in &all {
            let cause = or(revision.cause(), "<none>");
            text.push_str(&format!("{:<8}  {cause}\n", revision.number));
        }
        text + "\n"
    };
    session.io.print(&text).await;
    Ok(())
}

pub(super) async fn undo(session: &Session, line: &Line) -> Outcome {
    let to = line.number("to-revision")?.unwrap_or(0);
    let mut failures = Vec::new();
    for found in rollouts(session, line).await? {
        let done = match found {
            Ok(found) => undo_one(session, line, &found, to).await,
            Err(failure) => Err(failure),
        };
        failures.extend(done.err());
    }
    report(session, failures).await
}

async fn undo_one(session: &Session, line: &Line, found: &Found, to: i64) -> Outcome {
    let all = revisions(session, found, "rollbacker").await?;
    warn(session, found).await;
    let revision = chosen(&all, found, to)?;
    let dry = dry_run(line)?;
    let mut template = revision.template();
    if dry == DryRun::Client {
        let shown = template_text(&template);
        let text = match revision.is_deployment() {
            true => shown,
            false => format!("will roll back to {shown}"),
        };
        return done(session, line, dry, &found.value, &text).await;
    }
    if found.value.bool_at("spec.paused") {
        return Err(Failure::message(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout \
             resume' and try again",
        ));
    }
    template.remove_path(&["metadata", "labels", HASH]);
    if template.same(found.value.at("spec.template")) {
        let text = format!("skipped rollback (current template already matches revision {to})");
        return done(session, line, dry, &found.value, &text).await;
    }
    let body = match revision.is_deployment() {
        true => (
            "application/json-patch+json",
            deployment_patch(&found.value, revision, template),
        ),
        false => (act::STRATEGIC, revision.keeper.get("data").clone()),
    };
    let query = act::query(line, dry, "kubectl-rollout", false);
    let call = Call {
        method: Method::Patch,
        target: format!("{}{query}", found.path()),
        accept: JSON,
        body: Some(body),
    };
    session.call(call).await?;
    done(session, line, dry, &found.value, "rolled back").await
}

/// What `kubectl apply` wrote down is not changed by going back.
async fn warn(session: &Session, found: &Found) {
    if found.value.annotation(LAST_APPLIED).is_empty() {
        return;
    }
    let (plural, name) = (&found.resource.plural, found.value.name());
    let text = format!(
        "Warning: resource {plural}/{name} was previously managed with 'kubectl apply'. Rolling \
         back will not update the {LAST_APPLIED} annotation, which may cause unexpected behavior \
         on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous \
         configuration file instead.\n"
    );
    session.io.eprint(&text).await;
}

/// The revision to go back to: the one before the last, or that of a number.
fn chosen<'a>(all: &'a [Revision], found: &Found, to: i64) -> Outcome<&'a Revision> {
    if to != 0 {
        let text = format!("unable to find specified revision {to} in history");
        let one = all.iter().find(|revision| revision.number == to);
        return one.ok_or_else(|| Failure::message(text));
    }
    let before = all.len().checked_sub(2).and_then(|at| all.get(at));
    before.ok_or_else(|| match found.resource.kind.as_str() {
        "Deployment" => {
            let name = found.value.name();
            Failure::message(format!("no rollout history found for deployment {name:?}"))
        }
        _ => Failure::message("no last revision to roll back to"),
    })
}

/// Gives a Deployment the template and the annotations of a ReplicaSet.
fn deployment_patch(deployment: &Value, revision: &Revision, template: Value) -> Value {
    const KEPT: [&str; 6] = [
        LAST_APPLIED,
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    ];
    let mut annotations = object!({});
    let own = deployment.annotations().iter();
    let others = revision.keeper.annotations().iter();
    let own = own.filter(|(key, _)| KEPT.contains(&&***key));
    let others = others.filter(|(key, _)| !KEPT.contains(&&***key));
    for (key, value) in own.chain(others) {
        annotations.set_path(&[key], value.clone());
    }
    Value::from(vec![
        object!({ "op": "replace", "path": "/spec/template", "value": (template) }),
        object!({ "op": "replace", "path": "/metadata/annotations", "value": (annotations) }),
    ])
}
