//! A pod on its way: one state machine per pod that says what to do next and is told what came of
//! it. Makes no system call and no request of its own, so that a table can drive it.
//!
//! As upstream, a pod is worked on in passes: a pass begins by telling the pod's status, then does
//! one thing after another; what happens meanwhile leads to another pass.
//! Models pkg/kubelet/pod_workers.go and kuberuntime_manager.go.

mod end;
mod inputs;
mod pass;
mod start;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::rc::Rc;

use api::Value;
use sim::{Duration, Instant, Stream};

use crate::cri::{
    self, ContainerConfig, ContainerState, ContainerStatus, ImageStatus, SandboxStatus,
};
use crate::kubelet::backoff::Backoff;
use crate::kubelet::pod::{Container, Pod, Role};
use crate::kubelet::probe::ProbeKind;

/// Time a container gets to end even if none was granted (`minimumGracePeriodInSeconds`).
const LEAST_GRACE: Duration = Duration::from_secs(2);
/// Between passes while something is wrong (`backOffPeriod`), up to half as much again at random.
const RETRY: Duration = Duration::from_secs(10);
/// What the runtime reports of a new sandbox leads to a pass (`plegRelistPeriod`).
const RELIST: Duration = Duration::from_secs(1);
/// Work that is put off to the next turn of the kubelet's loop waits at most so long
/// (`syncLoop`'s ticker).
const TURN: Duration = Duration::from_secs(1);

/// A pod being worked on.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    /// The pod as its source has it now.
    pub pod: Pod,
    /// How far along it is.
    pub stage: Stage,
    /// Its containers, in the order of its spec.
    pub units: Vec<Unit>,
    /// Its newest sandbox.
    pub sandbox: Option<Rc<SandboxStatus>>,
    /// When it was first seen here.
    pub started: Instant,
    /// Why it was refused or cut short: reason and message of its status.
    pub verdict: Option<(Rc<str>, Rc<str>)>,
    /// The status as last told; at first the one its object had.
    pub status: Value,
    volumes: Volumes,
    mount_failures: u32,
    mount_again: Instant,
    in_pass: bool,
    step: Option<Step>,
    step_number: u64,
    queue: VecDeque<usize>,
    wanted: bool,
    /// When the next pass begins by itself.
    pub next_pass: Option<Instant>,
    /// Until when a container that crashed has to wait.
    retry_at: Option<Instant>,
    /// Something else went wrong.
    failing: bool,
    fresh_failure: bool,
    /// The runtime has still to report of the sandbox.
    unreported: bool,
    /// When the turn comes to let go of it, once nothing of it runs.
    end_turn: Option<Instant>,
    /// When it has to be gone: counted from when its end began.
    end_by: Option<Instant>,
}

/// How far along a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its containers are to run.
    Active,
    /// Its containers are being ended.
    Ending,
    /// Nothing of it runs, nothing will.
    Ended,
}

/// A container of a pod, over all its lives.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// What the spec says of it.
    pub container: Rc<Container>,
    /// Its newest life.
    pub current: Option<ContainerStatus>,
    /// The life before, if that has ended.
    pub last: Option<ContainerStatus>,
    /// Why it does not run: reason and message.
    pub reason: Option<(Rc<str>, Rc<str>)>,
    /// The same as it was when the status was last told: what a pass comes to is told by the next.
    pub told: Option<(Rc<str>, Rc<str>)>,
    /// It has come up: its startup probe succeeded, or it has none.
    pub started: bool,
    /// It can serve: its readiness probe succeeds, or it has none.
    pub ready: bool,
    crash: Backoff,
    pull: Backoff,
    pull_error: Rc<str>,
    creating: Option<Rc<str>>,
    kill: Option<Kill>,
    /// A probe, or a change of its spec, asks for its end, in these words.
    condemned: Option<(Rc<str>, Option<Duration>)>,
    /// The pass that ended its newest life starts the next one, too: as far as that pass knows,
    /// the life before was the last to end.
    replaced: bool,
}

/// A container on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kill {
    grace: Duration,
    began: Instant,
    hook: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Volumes {
    Unmounted,
    Mounting,
    Mounted,
}

/// What a pass is waiting for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    unit: usize,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Sandbox,
    Image,
    Pull,
    Configure,
    Create,
    Start,
    Hook,
    Stop,
}

/// What a pod's worker asks for.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Ask the runtime; the answer comes back as [`Input::Answer`] with the same number.
    Call(u64, cri::Request),
    /// Ask the runtime; nobody waits for the answer.
    Tell(cri::Request),
    /// Make the sandbox; [`Input::Sandbox`] tells what came of it.
    RunSandbox { step: u64, attempt: u32 },
    /// Pull the image of a unit; [`Input::Pulled`] tells what came of it.
    Pull { step: u64, unit: usize },
    /// Work out how to run a unit; [`Input::Configured`] tells.
    Configure {
        step: u64,
        unit: usize,
        image: Option<ImageStatus>,
        attempt: u32,
    },
    /// Make the pod's volumes; [`Input::Mounted`] tells.
    Mount,
    /// Take the pod's volumes away.
    Unmount,
    /// Run a lifecycle hook of a running unit; [`Input::HookDone`] tells.
    Hook {
        unit: usize,
        hook: Hook,
        limit: Duration,
    },
    /// Write an event about the pod, or about a unit of it.
    Event {
        unit: Option<usize>,
        warning: bool,
        reason: &'static str,
        message: String,
    },
    /// Begin or end the probing of a unit.
    Probe { unit: usize, on: bool },
    /// The pod's status may have changed.
    Status,
    /// Nothing of the pod runs any more.
    Ended,
}

/// A lifecycle hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum Hook {
    PostStart,
    PreStop,
}

/// What a pod's worker is told.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// Begin.
    Start,
    /// The pod's object changed.
    Updated(Value),
    /// The pod is gone from its source: end it, whatever it says.
    Gone,
    /// A time it asked for has come.
    Time,
    /// What came of [`Act::RunSandbox`]: reason and message of an event if it failed.
    Sandbox(u64, Result<Rc<SandboxStatus>, (&'static str, String)>),
    /// What came of [`Act::Call`].
    Answer(u64, Result<cri::Reply, cri::Error>),
    /// What came of [`Act::Pull`].
    Pulled(u64, Result<Pulled, String>),
    /// What came of [`Act::Configure`]: reason and message if it cannot be run.
    Configured(u64, Result<Rc<ContainerConfig>, (&'static str, String)>),
    /// What came of [`Act::Mount`].
    Mounted(Result<(), Vec<String>>),
    /// What came of [`Act::Hook`].
    HookDone(usize, Hook, Result<(), String>),
    /// The runtime tells of a container of the pod.
    Runtime(ContainerStatus),
    /// The pod's sandbox is no longer ready.
    SandboxLost(Rc<str>),
    /// A probe of a unit changed its mind.
    Probed(usize, ProbeKind, bool),
}

/// A finished pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pulled {
    /// The image.
    pub image: ImageStatus,
    /// How long the pull took.
    pub took: Duration,
    /// The same with the time it waited for other pulls.
    pub waited: Duration,
}

/// What a worker borrows for a call.
pub(super) struct Cx<'a> {
    /// The time.
    pub now: Instant,
    /// The machine's random numbers.
    pub random: &'a mut Stream,
    /// What is to be done.
    pub acts: &'a mut Vec<Act>,
}

impl Worker {
    /// A pod that was just seen.
    pub(super) fn new(pod: Pod, now: Instant) -> Worker {
        let units = pod
            .spec
            .containers
            .iter()
            .map(|c| Unit::new(c.clone()))
            .collect();
        let started = pod.start_time().unwrap_or(now);
        let stage = if pod.has_ended() {
            Stage::Ended
        } else {
            Stage::Active
        };
        Worker {
            stage,
            units,
            sandbox: None,
            started,
            verdict: None,
            status: pod.object.get("status").clone(),
            volumes: Volumes::Unmounted,
            mount_failures: 0,
            mount_again: Instant::ZERO,
            in_pass: false,
            step: None,
            step_number: 0,
            queue: VecDeque::new(),
            wanted: false,
            next_pass: None,
            retry_at: None,
            failing: false,
            fresh_failure: false,
            unreported: false,
            end_turn: None,
            end_by: None,
            pod,
        }
    }

    /// Adopts what the runtime runs of this pod already, after the kubelet was restarted.
    pub(super) fn adopt(
        &mut self,
        sandbox: Option<Rc<SandboxStatus>>,
        mut containers: Vec<ContainerStatus>,
    ) {
        containers.sort_by_key(|status| status.config.attempt);
        for status in containers {
            if let Some(unit) = self
                .units
                .iter_mut()
                .find(|u| u.container.name == status.config.name)
            {
                unit.last = unit
                    .current
                    .take()
                    .filter(|old| old.state == ContainerState::Exited);
                unit.renew(status);
            }
        }
        if sandbox.as_ref().is_some_and(|sandbox| sandbox.ready) {
            self.volumes = Volumes::Mounted;
        }
        self.sandbox = sandbox;
        // What ran to its end here is still to be cleared away.
        if self.stage == Stage::Ended && self.has_ready_sandbox() {
            self.stage = Stage::Ending;
        }
    }

    /// Refuses the pod for good, with reason and message of its status.
    pub(super) fn reject(&mut self, reason: &str, message: &str) {
        self.verdict = Some((reason.into(), message.into()));
        self.stage = Stage::Ended;
    }

    /// Tells the status as it is now.
    fn tell_status(&mut self, cx: &mut Cx<'_>) {
        for unit in &mut self.units {
            unit.told.clone_from(&unit.reason);
        }
        cx.acts.push(Act::Status);
    }

    /// The unit of this name.
    pub(super) fn unit(&self, name: &str) -> Option<usize> {
        self.units
            .iter()
            .position(|unit| &*unit.container.name == name)
    }

    /// The pod's address; empty if it has none yet.
    pub(super) fn ip(&self) -> &str {
        self.sandbox.as_ref().map_or("", |sandbox| &sandbox.ip)
    }

    /// Whether it still waits for what came of this step.
    pub(super) fn awaits(&self, step: u64) -> bool {
        self.step.is_some() && self.step_number == step
    }

    /// Whether its sandbox stands.
    pub(super) fn has_ready_sandbox(&self) -> bool {
        self.sandbox.as_ref().is_some_and(|sandbox| sandbox.ready)
    }

    /// Whether its init containers have done their work in the sandbox it has.
    pub(super) fn is_initialized(&self) -> bool {
        let main_has_run = self
            .units
            .iter()
            .any(|unit| unit.container.role == Role::Main && self.in_sandbox(unit).is_some());
        main_has_run
            || self.units.iter().all(|unit| match unit.container.role {
                Role::Init => self
                    .in_sandbox(unit)
                    .is_some_and(|current| unit.has_succeeded(current)),
                Role::Sidecar => unit.is_running() && unit.started,
                Role::Main | Role::Ephemeral => true,
            })
    }

    /// A unit's newest life, if it was lived in the sandbox the pod has now.
    fn in_sandbox<'a>(&self, unit: &'a Unit) -> Option<&'a ContainerStatus> {
        let sandbox = self.sandbox.as_ref()?;
        unit.current
            .as_ref()
            .filter(|current| current.sandbox == sandbox.id)
    }
}

impl Unit {
    fn new(container: Rc<Container>) -> Unit {
        Unit {
            container,
            current: None,
            last: None,
            reason: None,
            told: None,
            started: false,
            ready: false,
            crash: Backoff::default(),
            pull: Backoff::default(),
            pull_error: "".into(),
            creating: None,
            kill: None,
            condemned: None,
            replaced: false,
        }
    }

    /// Whether its process runs.
    pub(super) fn is_running(&self) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.state == ContainerState::Running)
    }

    /// Its newest life, if that has ended.
    pub(super) fn ended(&self) -> Option<&ContainerStatus> {
        self.current
            .as_ref()
            .filter(|current| current.state == ContainerState::Exited)
    }

    fn has_succeeded(&self, life: &ContainerStatus) -> bool {
        life.state == ContainerState::Exited && life.exit_code == 0
    }

    /// Takes over what the runtime tells of its newest life.
    fn renew(&mut self, status: ContainerStatus) {
        let has = |kind: ProbeKind| self.container.probes[kind as usize].is_some();
        let runs = status.state == ContainerState::Running;
        if !(runs && self.is_running()) {
            self.started = runs && !has(ProbeKind::Startup);
            self.ready = self.started && !has(ProbeKind::Readiness);
        }
        if !runs {
            self.kill = None;
            self.condemned = None;
        }
        self.current = Some(status);
    }
}

impl Cx<'_> {
    fn event(
        &mut self,
        unit: impl Into<Option<usize>>,
        warning: bool,
        reason: &'static str,
        message: impl Into<String>,
    ) {
        let (unit, message) = (unit.into(), message.into());
        self.acts.push(Act::Event {
            unit,
            warning,
            reason,
            message,
        });
    }

    /// A time `wait` from now, up to half as long again.
    fn jittered(&mut self, wait: Duration) -> Instant {
        self.within(wait / 2) + wait
    }

    /// A time at most `span` from now.
    fn within(&mut self, span: Duration) -> Instant {
        let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        self.now + Duration::from_nanos(self.random.below(span.max(1)))
    }
}
