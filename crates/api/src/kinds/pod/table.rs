//! The row of a pod: one word for all that its status says.
//!
//! Models `printPod` of pkg/printers/internalversion/printers.go.

use sim::Instant;

use crate::kinds::support::containers::is_restartable;
use crate::kinds::support::{conditions, pods};
use crate::kinds::table::{self, Cell};
use crate::{Value, time};

/// What READY, STATUS and RESTARTS of a pod tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Containers that are ready.
    pub ready: usize,
    /// Containers that should be, sidecars counted.
    pub containers: usize,
    /// `Running`, `Init:0/2`, `CrashLoopBackOff`, `Terminating`, …
    pub status: String,
    /// How often containers were started again.
    pub restarts: i64,
    /// When the last one ended that was started again, RFC 3339; empty if none did.
    pub last_restart: String,
}

/// Counts restarts and remembers the latest end.
#[derive(Clone, Default)]
struct Restarts {
    count: i64,
    last: String,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        self.count += status.get("restartCount").as_i64().unwrap_or(0);
        let ended = status.str_at("lastState.terminated.finishedAt");
        // Times of one form compare as text.
        if ended > self.last.as_str() {
            ended.clone_into(&mut self.last);
        }
    }
}

/// Sums up a pod's state in the columns of `kubectl get pods`.
pub fn summary(pod: &Value) -> Summary {
    let (spec, status) = (pod.get("spec"), pod.get("status"));
    let mut reason = match status.str("reason") {
        "" => pods::phase(pod).to_owned(),
        reason => reason.to_owned(),
    };
    if conditions::get(pod, "PodScheduled").str("reason") == "SchedulingGated" {
        reason = "SchedulingGated".to_owned();
    }
    let init_containers = spec.list_at("initContainers");
    let sidecars = init_containers.iter().filter(|c| is_restartable(c)).count();
    let containers = spec.list_at("containers").len() + sidecars;
    let mut init = Init::default();
    init.walk(
        init_containers,
        status.list_at("initContainerStatuses"),
        &mut reason,
    );
    let mut ready = init.ready;
    let mut restarts = init.restarts;
    if !init.unfinished || conditions::is_true(pod, "Initialized") {
        restarts = init.sidecar_restarts;
        let statuses = status.list_at("containerStatuses");
        ready += main_containers(pod, statuses, &mut reason, &mut restarts);
    }
    if pod.is_terminating() {
        if status.str("reason") == "NodeLost" {
            reason = "Unknown".to_owned();
        } else if !pods::is_terminal(pod) {
            reason = "Terminating".to_owned();
        }
    }
    Summary {
        ready,
        containers,
        status: reason,
        restarts: restarts.count,
        last_restart: restarts.last,
    }
}

/// What the statuses of init containers tell.
#[derive(Default)]
struct Init {
    ready: usize,
    restarts: Restarts,
    sidecar_restarts: Restarts,
    unfinished: bool,
}

impl Init {
    /// Goes through the statuses up to the first container that holds the pod up.
    fn walk(&mut self, containers: &[Value], statuses: &[Value], reason: &mut String) {
        for (i, status) in statuses.iter().enumerate() {
            let named = containers
                .iter()
                .find(|c| c.str("name") == status.str("name"));
            let sidecar = named.is_some_and(is_restartable);
            self.restarts.add(status);
            if sidecar {
                self.sidecar_restarts.add(status);
            }
            let (terminated, waiting) = (
                status.at("state.terminated"),
                status.str_at("state.waiting.reason"),
            );
            if terminated.get("exitCode").as_i64() == Some(0) {
                continue;
            }
            if sidecar && status.bool_at("started") {
                self.ready += usize::from(status.bool_at("ready"));
                continue;
            }
            *reason = if !terminated.is_null() {
                format!("Init:{}", ended(terminated))
            } else if !matches!(waiting, "" | "PodInitializing") {
                format!("Init:{waiting}")
            } else {
                format!("Init:{i}/{}", containers.len())
            };
            self.unfinished = true;
            return;
        }
    }
}

/// Why a container ended: its reason, else its signal or exit code.
fn ended(terminated: &Value) -> String {
    let number = |key: &str| terminated.get(key).as_i64().unwrap_or(0);
    match (terminated.str("reason"), number("signal")) {
        ("", 0) => format!("ExitCode:{}", number("exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// The first container that has something to say gives the reason. Returns how many are ready.
fn main_containers(
    pod: &Value,
    statuses: &[Value],
    reason: &mut String,
    restarts: &mut Restarts,
) -> usize {
    let mut ready = 0;
    for status in statuses.iter().rev() {
        restarts.add(status);
        let waiting = status.str_at("state.waiting.reason");
        let terminated = status.at("state.terminated");
        if !waiting.is_empty() {
            waiting.clone_into(reason);
        } else if !terminated.is_null() {
            *reason = ended(terminated);
        } else if status.bool_at("ready") && status.at("state").has("running") {
            ready += 1;
        }
    }
    if reason == "Completed" && ready > 0 {
        let word = if pods::is_ready(pod) {
            "Running"
        } else {
            "NotReady"
        };
        word.clone_into(reason);
    }
    ready
}

pub(super) fn row(pod: &Value, now: Instant) -> Vec<Cell> {
    let Summary {
        ready,
        containers,
        status,
        restarts,
        last_restart,
    } = summary(pod);
    let restarts = match (restarts, last_restart.as_str()) {
        (0, _) | (_, "") => restarts.to_string(),
        (count, last) => format!("{count} ({} ago)", time::age(now, last)),
    };
    let gates = pod.list_at("spec.readinessGates");
    let open = gates
        .iter()
        .filter(|g| conditions::is_true(pod, g.str("conditionType")))
        .count();
    let gates = match gates.len() {
        0 => "<none>".to_owned(),
        all => format!("{open}/{all}"),
    };
    vec![
        table::name(pod),
        format!("{ready}/{containers}").into(),
        status.into(),
        restarts.into(),
        table::age(pod, now),
        table::or_none(pod.str_at("status.podIPs.0.ip")),
        table::or_none(pods::node_name(pod)),
        table::or_none(pod.str_at("status.nominatedNodeName")),
        gates.into(),
    ]
}
