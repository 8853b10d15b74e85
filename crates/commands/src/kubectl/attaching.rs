//! Joining a container that a command has just asked for (`run`, `debug`): waits until it runs,
//! attaches, and shows its log instead if that comes too late.
//!
//! Models handleAttachPod of kubectl/pkg/cmd/run and kubectl/pkg/cmd/debug.

use api::Value;

use super::exec::attach_to;
use super::failure::{Failure, Outcome};
use super::flags::Line;
use super::logs::{Source, print_log};
use super::session::Session;

/// Attaches to a container that runs; if that cannot be, or it has ended, prints its log.
pub(super) async fn attach_or_logs(
    session: &Session,
    line: &Line,
    pod: &Value,
    container: &str,
    has_ended: bool,
) -> Outcome {
    if !has_ended {
        let Err(failure) = attach_to(session, line, pod, container).await else {
            return Ok(());
        };
        let text = failure.text();
        let why = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
        let name = pod.name();
        let note = format!(
            "warning: couldn't attach to pod/{name}, falling back to streaming logs: {why}\n"
        );
        session.io.eprint(&note).await;
    }
    let source = Source {
        pod: pod.clone(),
        container: container.to_owned(),
    };
    print_log(session, "", &source, String::new()).await
}

/// How a pod's first container ended, as the command's own end.
pub(super) fn exit_code(pod: &Value) -> Outcome {
    let (namespace, name) = (pod.namespace(), pod.name());
    match pod.str_at("status.phase") {
        "Succeeded" => return Ok(()),
        "Failed" => {}
        phase => {
            let text = format!("pod {namespace}/{name} left in phase {phase}");
            return Err(Failure::message(text));
        }
    }
    let ended = pod.at("status.containerStatuses.0.state.terminated");
    match ended.get("exitCode").as_i64() {
        None | Some(0) => Err(Failure::message(format!(
            "pod {namespace}/{name} failed with unknown exit code"
        ))),
        Some(code) => {
            let (reason, message) = (ended.str("reason"), ended.str("message"));
            let text = format!("pod {namespace}/{name} terminated ({reason})\n{message}");
            let code = i32::try_from(code).unwrap_or(1);
            Err(Failure::Exit(text.trim_end().to_owned(), code))
        }
    }
}
