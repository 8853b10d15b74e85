//! `kubectl set subject`: who else has a role.
//!
//! Models kubectl/pkg/cmd/set/set_subject.go.

use api::{Value, object};

use super::Verb;
use super::act::{self, DryRun, MERGE, done, dry_run, find};
use super::create::rolebinding::subjects;
use super::failure::{Failure, Outcome};
use super::flags::{Line, switch, values};
use super::session::Session;

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "set subject",
    summary: "Update the user, group, or service account in a role binding or cluster role binding",
    usage: "kubectl set subject (-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] \
            [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] \
            [options]",
    flags: &[
        act::FILENAME,
        act::OUTPUT,
        act::DRY_RUN,
        act::SELECTOR,
        act::ALL,
        act::MANAGER,
        switch("local"),
        switch("recursive").short('R'),
        values("user"),
        values("group"),
        values("serviceaccount"),
    ],
    interspersed: true,
    run: |session, line| Box::pin(set(session, line)),
};

async fn set(session: &Session, line: &Line) -> Outcome {
    let all = find(session, line, &line.args).await?;
    let wanted = subjects(line)?;
    if wanted.is_empty() {
        return Err(Failure::message(
            "you must specify at least one value of user, group or serviceaccount",
        ));
    }
    let dry = dry_run(line)?;
    for found in all {
        if !matches!(
            found.resource.kind.as_str(),
            "RoleBinding" | "ClusterRoleBinding"
        ) {
            return Err(Failure::message(format!(
                "{}/{} setting subjects is only supported for RoleBinding/ClusterRoleBinding",
                found.resource.plural,
                found.value.name()
            )));
        }
        let mut all = found.value.list_at("subjects").to_vec();
        for subject in &wanted {
            if !all.contains(subject) {
                all.push(subject.clone());
            }
        }
        let mut object = found.value.clone();
        object.set("subjects", Value::list_of(all.clone()));
        if dry != DryRun::Client {
            let body = object!({ "subjects": (Value::list_of(all)) });
            object = act::patch(session, line, &found, MERGE, body, "kubectl-set").await?;
        }
        done(session, line, dry, &object, "subjects updated").await?;
    }
    Ok(())
}
