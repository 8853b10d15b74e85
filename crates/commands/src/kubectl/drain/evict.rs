//! Taking pods away: all at once, each tried again every five seconds while its budget forbids it,
//! then asked for every second until it is gone.
//!
//! Models evictPods, deletePods and waitForDelete of kubectl/pkg/drain/drain.go.

use api::{Value, object, time};
use net::http::Method;
use sim::Duration;

use super::filter;
use crate::kubectl::act::{DryRun, dry_run};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::Line;
use crate::kubectl::session::{Call, Session};

const RETRY: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_secs(1);

/// How pods are taken away.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) dry: DryRun,
    /// Seconds; the pods' own if there is none.
    grace: Option<i64>,
    /// How long it may take in all.
    timeout: Option<Duration>,
    /// Pods are deleted, whatever budgets say.
    deletes: bool,
    skip_after: Option<Duration>,
}

impl Options {
    /// Reads the flags.
    pub(super) fn read(line: &Line) -> Outcome<Options> {
        Ok(Options {
            dry: dry_run(line)?,
            grace: line.number("grace-period")?.filter(|secs| *secs >= 0),
            timeout: line.duration("timeout")?.filter(|limit| !limit.is_zero()),
            deletes: line.on("disable-eviction"),
            skip_after: skip_after(line)?,
        })
    }
}

/// Reads `--skip-wait-for-delete-timeout`.
pub(super) fn skip_after(line: &Line) -> Outcome<Option<Duration>> {
    let secs = line.number("skip-wait-for-delete-timeout")?;
    let secs = secs.and_then(|secs| u64::try_from(secs).ok());
    Ok(secs.filter(|secs| *secs > 0).map(Duration::from_secs))
}

/// How far one pod has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Evict,
    Wait,
    Done,
}

/// Takes the pods away; gives what went wrong.
pub(super) async fn all(
    session: &Session,
    pods: &[Value],
    options: &Options,
) -> Result<(), Vec<String>> {
    let start = session.io.now().await;
    let end = options.timeout.map(|limit| start + limit);
    let mut stages = vec![(Stage::Evict, start); pods.len()];
    let mut errors = Vec::new();
    if options.deletes {
        delete(session, pods, options).await?;
        let stage = match options.dry {
            DryRun::None => Stage::Wait,
            _ => Stage::Done,
        };
        stages.fill((stage, start));
    }
    loop {
        let waiting = stages.iter().enumerate();
        let waiting = waiting.filter(|(_, (stage, _))| *stage != Stage::Done);
        let Some((index, (stage, at))) = waiting.min_by_key(|(_, (_, at))| *at) else {
            break;
        };
        let (pod, stage, at) = (&pods[index], *stage, *at);
        let now = session.io.now().await;
        if at > now {
            session.io.sleep(at.since(now)).await;
        }
        let is_late = end.is_some_and(|end| at.max(now) >= end);
        let step = match stage {
            Stage::Evict => evict(session, pod, options, is_late).await,
            _ => wait(session, pod, options, is_late).await,
        };
        let (next, pause) = step.unwrap_or_else(|why| {
            errors.push(why);
            (Stage::Done, Duration::ZERO)
        });
        stages[index] = (next, session.io.now().await + pause);
    }
    match errors.is_empty() {
        true => Ok(()),
        false => Err(errors),
    }
}

/// Says that a pod is evicted, and asks for it.
async fn evict(
    session: &Session,
    pod: &Value,
    options: &Options,
    is_late: bool,
) -> Result<(Stage, Duration), String> {
    let (namespace, name) = (pod.namespace(), pod.name());
    let suffix = crate::kubectl::cordon::suffix(options.dry);
    let text = format!("evicting pod {namespace}/{name}{suffix}\n");
    session.io.print(&text).await;
    let failed = |why: String| format!("error when evicting pods/{name:?} -n {namespace:?}: {why}");
    if is_late {
        return Err(failed(late(options)));
    }
    let mut eviction = object!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": { "name": (name), "namespace": (namespace) },
    });
    eviction.set("deleteOptions", delete_options(options));
    let target = format!("/api/v1/namespaces/{namespace}/pods/{name}/eviction");
    let answer = session
        .call(Call::send(Method::Post, target, eviction))
        .await;
    let Err(failure) = answer else {
        return Ok(match options.dry {
            DryRun::None => (Stage::Wait, Duration::ZERO),
            _ => (Stage::Done, Duration::ZERO),
        });
    };
    let why = failure.sentence();
    let text = match failure.reason() {
        "NotFound" => return Ok((Stage::Done, Duration::ZERO)),
        "TooManyRequests" => format!(
            "error when evicting pods/{name:?} -n {namespace:?} (will retry after 5s): {why}\n"
        ),
        "Forbidden" if failure.has_cause("NamespaceTerminating") => {
            if pod.is_terminating() {
                return Ok((Stage::Wait, Duration::ZERO));
            }
            format!(
                "error when evicting pod {name:?} from terminating namespace {namespace:?} (will \
                 retry after 5s): {why}\n"
            )
        }
        _ => return Err(failed(why)),
    };
    session.io.eprint(&text).await;
    Ok((Stage::Evict, RETRY))
}

/// Looks whether a pod is gone.
async fn wait(
    session: &Session,
    pod: &Value,
    options: &Options,
    is_late: bool,
) -> Result<(Stage, Duration), String> {
    let (namespace, name) = (pod.namespace(), pod.name());
    let failed = |why: String| match options.deletes {
        true => why,
        false => format!(
            "error when waiting for pod {name:?} in namespace {namespace:?} to terminate: {why}"
        ),
    };
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    match session.call(Call::get(path)).await {
        Ok(found) if found.uid() == pod.uid() => {
            let now = session.io.now().await;
            if filter::skips(&found, options.skip_after, now) {
                let secs = options.skip_after.unwrap_or_default().as_secs();
                let text = format!(
                    "pod {name:?} has DeletionTimestamp older than {secs} seconds, skipping\n"
                );
                session.io.print(&text).await;
                return Ok((Stage::Done, Duration::ZERO));
            }
            if is_late {
                return Err(failed(late(options)));
            }
            return Ok((Stage::Wait, POLL));
        }
        Err(failure) if !failure.is_not_found() => return Err(failed(failure.sentence())),
        _ => {}
    }
    let what = if options.deletes {
        "deleted"
    } else {
        "evicted"
    };
    session.io.print(&format!("pod/{name} {what}\n")).await;
    Ok((Stage::Done, Duration::ZERO))
}

fn late(options: &Options) -> String {
    let limit = time::go_duration(options.timeout.unwrap_or_default());
    format!("global timeout reached: {limit}")
}

async fn delete(session: &Session, pods: &[Value], options: &Options) -> Result<(), Vec<String>> {
    for pod in pods {
        let path = format!("/api/v1/namespaces/{}/pods/{}", pod.namespace(), pod.name());
        let call = Call::send(Method::Delete, path, delete_options(options));
        match session.call(call).await {
            Err(failure) if !failure.is_not_found() => return Err(vec![failure.sentence()]),
            _ => {}
        }
    }
    Ok(())
}

fn delete_options(options: &Options) -> Value {
    let mut found = object!({ "apiVersion": "v1", "kind": "DeleteOptions" });
    if let Some(secs) = options.grace {
        found.set("gracePeriodSeconds", secs);
    }
    if options.dry == DryRun::Server {
        found.set("dryRun", Value::from(vec![Value::from("All")]));
    }
    found
}

impl Failure {
    /// What the server said, without `Error from server`.
    pub(super) fn sentence(&self) -> String {
        match self {
            Failure::Status(status) => status.str_at("message").to_owned(),
            other => other.text().trim_end().to_owned(),
        }
    }

    /// Whether the server named this cause.
    fn has_cause(&self, reason: &str) -> bool {
        let Failure::Status(status) = self else {
            return false;
        };
        let causes = status.list_at("details.causes");
        causes.iter().any(|cause| cause.str("reason") == reason)
    }
}
