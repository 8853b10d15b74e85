//! `kubectl auth reconcile`: roles get the rules and bindings the subjects that files say they have.
//!
//! Models component-helpers/auth/rbac/reconciliation.

use api::Value;
use net::http::Method;

use crate::kubectl::Verb;
use crate::kubectl::act::{self, DryRun, done, dry_run};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, switch};
use crate::kubectl::rules::{Rule, missing};
use crate::kubectl::session::{Call, Session};
use crate::kubectl::target::{manifests, namespace_of, resource_of};

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "auth reconcile",
    summary: "Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding \
              objects",
    usage: "kubectl auth reconcile -f FILENAME [options]",
    flags: &[
        act::FILENAME,
        act::OUTPUT,
        act::DRY_RUN,
        switch("recursive").short('R'),
        switch("remove-extra-permissions"),
        switch("remove-extra-subjects"),
    ],
    interspersed: true,
    run: |session, line| Box::pin(reconcile(session, line)),
};

async fn reconcile(session: &Session, line: &Line) -> Outcome {
    if !line.has("filename") {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    if !line.args.is_empty() {
        return Err(Failure::message("no arguments are allowed"));
    }
    if dry_run(line)? == DryRun::Server {
        return Err(Failure::message(
            "--dry-run=server for command reconcile is not supported yet",
        ));
    }
    let dry = dry_run(line)?;
    let discovery = session.discovery().await?;
    for manifest in manifests(&session.io, line).await? {
        let resource = resource_of(&discovery, &manifest)?;
        let namespace = namespace_of(session, resource, &manifest.value)?;
        let mut wanted = manifest.value.clone();
        if resource.namespaced {
            wanted.set("metadata.namespace", namespace.as_str());
        }
        if resource.group != "rbac.authorization.k8s.io" {
            continue;
        }
        let path = resource.path(&namespace, wanted.name());
        let existing = match session.call(Call::get(path.as_str())).await {
            Ok(existing) => Some(existing),
            Err(failure) if failure.is_not_found() => None,
            Err(failure) => return Err(failure),
        };
        let (object, told) = merged(line, existing.as_ref(), &wanted);
        let mut shown = object.clone();
        if dry == DryRun::None && !told.is_empty() {
            let replaced = existing.filter(|existing| is_other_role(existing, &wanted));
            if replaced.is_some() {
                let call = Call::send(Method::Delete, path.as_str(), Value::empty_map());
                session.call(call).await?;
            }
            let (method, target) = match is_new(&told) {
                false => (Method::Put, path),
                true => (Method::Post, resource.collection(Some(&namespace))),
            };
            shown = session.call(Call::send(method, target, object)).await?;
        }
        done(session, line, dry, &shown, "reconciled").await?;
        session.io.eprint(&told).await;
    }
    Ok(())
}

/// A binding cannot be given another role: another one takes its place.
fn is_other_role(existing: &Value, wanted: &Value) -> bool {
    existing.get("roleRef") != wanted.get("roleRef")
}

/// Whether what is told is of an object that is to be created.
fn is_new(told: &str) -> bool {
    !told.contains("required update")
}

/// What is to be written, and what is to be told of it; nothing where all is well.
fn merged(line: &Line, existing: Option<&Value>, wanted: &Value) -> (Value, String) {
    let Some(existing) = existing else {
        let mut told = "\treconciliation required create\n".to_owned();
        told.push_str(&additions(&Value::Null, wanted));
        return (wanted.clone(), told);
    };
    if is_other_role(existing, wanted) {
        return (
            wanted.clone(),
            "\treconciliation required recreate\n".to_owned(),
        );
    }
    let mut object = existing.clone();
    let mut told = additions(existing, wanted);
    if wanted.get("roleRef").is_null() {
        let (held, asked) = (rules(existing), rules(wanted));
        let lacking = missing(&held, &asked);
        let extra = missing(&asked, &held);
        let removes = line.on("remove-extra-permissions") && !extra.is_empty();
        if removes {
            told.push_str("\textra rules removed:\n");
            for rule in &extra {
                told.push_str(&format!("\t\t{}\n", rule.as_in_go()));
            }
            object.set("rules", wanted.get("rules"));
        } else if !lacking.is_empty() {
            let all = held.iter().chain(&lacking).map(Rule::to_value);
            object.set("rules", Value::list_of(all.collect()));
        }
    } else {
        let asked = wanted.list_at("subjects");
        let (kept, extra): (Vec<Value>, Vec<Value>) = existing
            .list_at("subjects")
            .iter()
            .cloned()
            .partition(|subject| asked.iter().any(|other| same_subject(subject, other)));
        let removes = line.on("remove-extra-subjects") && !extra.is_empty();
        let mut subjects = match removes {
            true => kept,
            false => existing.list_at("subjects").to_vec(),
        };
        if removes {
            told.push_str("\textra subjects removed:\n");
            extra
                .iter()
                .for_each(|subject| told.push_str(&subject_line(subject)));
        }
        for subject in asked {
            if !subjects.iter().any(|held| same_subject(held, subject)) {
                subjects.push(subject.clone());
            }
        }
        object.set("subjects", Value::list_of(subjects));
    }
    if !told.is_empty() {
        told.insert_str(0, "\treconciliation required update\n");
    }
    (object, told)
}

fn rules(role: &Value) -> Vec<Rule> {
    role.list_at("rules").iter().map(Rule::of).collect()
}

fn same_subject(a: &Value, b: &Value) -> bool {
    ["kind", "name", "namespace"]
        .into_iter()
        .all(|key| a.str(key) == b.str(key))
}

fn subject_line(subject: &Value) -> String {
    format!(
        "\t\t{{Kind:{} APIGroup:{} Name:{} Namespace:{}}}\n",
        subject.str("kind"),
        subject.str("apiGroup"),
        subject.str("name"),
        subject.str("namespace")
    )
}

/// The lines about what an object lacks.
fn additions(existing: &Value, wanted: &Value) -> String {
    let mut text = String::new();
    let lacking = missing(&rules(existing), &rules(wanted));
    if !lacking.is_empty() {
        text.push_str("\tmissing rules added:\n");
        for rule in lacking {
            text.push_str(&format!("\t\t{}\n", rule.as_in_go()));
        }
    }
    let held = existing.list_at("subjects");
    let new = wanted.list_at("subjects").iter();
    let new: Vec<&Value> = new
        .filter(|subject| !held.iter().any(|other| same_subject(other, subject)))
        .collect();
    if !new.is_empty() {
        text.push_str("\tmissing subjects added:\n");
        new.into_iter()
            .for_each(|subject| text.push_str(&subject_line(subject)));
    }
    text
}
