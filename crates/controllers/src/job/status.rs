//! How a Job ends: first it is decided, then, when its pods are gone and counted, it is over.
//! Models pkg/controller/job/job_controller.go (`enactJobFinished`).

use api::kinds::support::conditions;
use api::{Value, object};
use client::Involved;
use sim::Instant;

use crate::controller::Saying;

/// The outcome of a Job.
pub(super) struct End {
    success: bool,
    reason: String,
    message: String,
}

impl End {
    pub(super) fn complete() -> End {
        let message = "Reached expected number of succeeded pods";
        End::success("CompletionsReached", message)
    }

    pub(super) fn success(reason: &str, message: &str) -> End {
        End {
            success: true,
            ..End::failed(reason, message)
        }
    }

    pub(super) fn failed(reason: &str, message: &str) -> End {
        End {
            success: false,
            reason: reason.to_owned(),
            message: message.to_owned(),
        }
    }
}

/// `Complete` or `Failed`, if a Job is over.
pub(crate) fn ended(job: &Value) -> Option<&'static str> {
    ["Complete", "Failed"]
        .into_iter()
        .find(|kind| conditions::is_true(job, kind))
}

/// What was decided before.
pub(super) fn targeted(job: &Value) -> Option<End> {
    for (kind, success) in [("SuccessCriteriaMet", true), ("FailureTarget", false)] {
        let condition = conditions::get(job, kind);
        if condition.str("status") == "True" {
            let (reason, message) = (condition.str("reason"), condition.str("message"));
            return Some(End {
                success,
                ..End::failed(reason, message)
            });
        }
    }
    None
}

/// Every finished pod is counted.
pub(super) fn is_settled(job: &Value) -> bool {
    job.at("status.uncountedTerminatedPods")
        .entries()
        .is_empty()
}

/// Says in the status how the Job will end.
pub(super) fn target(job: &mut Value, end: &End, now: Instant) {
    let kind = if end.success {
        "SuccessCriteriaMet"
    } else {
        "FailureTarget"
    };
    condition(job, kind, "True", &end.reason, &end.message, now);
}

/// Says in the status that the Job is over, and returns the event that tells of it.
pub(super) fn finish(job: &mut Value, end: &End, involved: &Involved, now: Instant) -> Saying {
    let kind = if end.success { "Complete" } else { "Failed" };
    condition(job, kind, "True", &end.reason, &end.message, now);
    if end.success {
        job.set("status.completionTime", now.rfc3339());
        return Saying::normal(involved, "Completed", "Job completed");
    }
    Saying::warning(involved, event_reason(&end.reason), end.message.clone())
}

/// Events have reasons of their own: those a Job can fail for.
fn event_reason(reason: &str) -> &'static str {
    const KNOWN: [&str; 5] = [
        "BackoffLimitExceeded",
        "DeadlineExceeded",
        "PodFailurePolicy",
        "FailedIndexes",
        "MaxFailedIndexesExceeded",
    ];
    let known = KNOWN.into_iter().find(|known| *known == reason);
    known.unwrap_or("Failed")
}

/// Says in the status that the Job is suspended or goes on; its time begins anew then. Returns the
/// event that tells of it, if that is new.
pub(super) fn suspend(job: &mut Value, involved: &Involved, now: Instant) -> Option<Saying> {
    let suspended = job.bool_at("spec.suspend");
    let (state, reason, message, event) = match (suspended, conditions::status(job, "Suspended")) {
        (true, "True") | (false, "" | "False") => return None,
        (true, _) => ("True", "JobSuspended", "Job suspended", "Suspended"),
        (false, _) => ("False", "JobResumed", "Job resumed", "Resumed"),
    };
    condition(job, "Suspended", state, reason, message, now);
    if suspended {
        job.remove("status.startTime");
    } else {
        job.set("status.startTime", now.rfc3339());
    }
    Some(Saying::normal(involved, event, message))
}

/// Sets a condition. A Job's have a time of probing, too.
fn condition(job: &mut Value, kind: &str, state: &str, reason: &str, message: &str, now: Instant) {
    if conditions::status(job, kind) == state {
        return;
    }
    conditions::remove(job, kind);
    let now = now.rfc3339();
    job.list_mut("status.conditions").push(object! {
        "type": kind,
        "status": state,
        "lastProbeTime": &now,
        "lastTransitionTime": &now,
        "reason": reason,
        "message": message,
    });
}
