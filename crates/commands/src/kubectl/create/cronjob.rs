//! `kubectl create cronjob`.
//!
//! Models kubectl/pkg/cmd/create/create_cronjob.go.

use api::object;

use super::job::{container, required, split_command};
use super::{exactly_one_name, generated_as, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, value};
use crate::kubectl::session::Session;

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create cronjob",
    summary: "Create a cron job with the specified name",
    usage: "kubectl create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] \
            [args...] [options]",
    flags: generator_flags!(value("image"), value("schedule"), value("restart")),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line)),
};

/// `kubectl create cj`.
pub(super) const SHORT: Verb = Verb {
    name: "create cj",
    ..VERB
};

async fn create(session: &Session, line: &Line) -> Outcome {
    required(line, &["image", "schedule"])?;
    let (own, command) = split_command(line);
    let name = exactly_one_name(&own)?;
    for (flag, value) in [
        ("image", line.text("image")),
        ("schedule", line.text("schedule")),
    ] {
        if value.is_empty() {
            return Err(Failure::message(format!("--{flag} must be specified")));
        }
    }
    let restart = match line.text("restart") {
        "" => "OnFailure",
        policy => policy,
    };
    let cron = object!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": { "name": (name) },
        "spec": {
            "jobTemplate": {
                "metadata": { "name": (name) },
                "spec": {
                    "template": {
                        "spec": {
                            "containers": [(container(name, line.text("image"), &command))],
                            "restartPolicy": (restart),
                        },
                    },
                },
            },
            "schedule": (line.text("schedule")),
        },
        "status": {},
    });
    generated_as(session, line, cron, "cronjob").await
}
