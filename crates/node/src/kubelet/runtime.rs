//! What the runtime says, and whom it concerns.
//! Models pkg/kubelet/pleg/evented.go and kubelet.go (`updateRuntimeUp`).

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Str;
use machine::Sys;
use sim::Duration;

use crate::cri::{ContainerState, ContainerStatus, Error, Event, Reply, Request, SandboxStatus};
use crate::kubelet::State;
use crate::kubelet::configure::{MESSAGE_PATH, MESSAGE_POLICY, POD_UID};
use crate::kubelet::due::Due;
use crate::kubelet::link::Heard;
use crate::kubelet::prober::ProbeId;
use crate::kubelet::pulls;
use crate::kubelet::worker::{Hook, Input};
use crate::runtime::log;

/// Between questions for the runtime's status (`updateRuntimeUp`).
const ASK_EVERY: Duration = Duration::from_secs(5);
/// Longest termination message, and longest one taken from the log.
const MESSAGE_MOST: usize = 4096;
const LOG_MESSAGE_MOST: usize = 2048;
const LOG_MESSAGE_LINES: u64 = 80;

/// What an answer of the runtime is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// Nobody waits for it.
    Nothing,
    /// A step of a pod.
    Pod(Str, u64),
    /// A pod's sandbox.
    Sandbox(Str, u64),
    /// A pull.
    Pull(pulls::Job),
    /// The runtime's status.
    Status,
    /// The network was configured.
    Configured,
    /// All images.
    Images,
    /// All sandboxes.
    Sandboxes,
    /// All containers.
    Containers,
    /// A probe.
    Probe(ProbeId),
    /// A hook of a unit of a pod.
    Hook(Str, usize, Hook),
    /// A stream of the server.
    Stream(super::streams::StreamId),
    /// A forwarded port of the server.
    Forward(super::streams::StreamId, u16, Rc<str>),
}

/// What the runtime ran when the kubelet was started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Whether it has been told.
    pub(crate) is_known: bool,
    sandboxes: BTreeMap<Str, Vec<Rc<SandboxStatus>>>,
    containers: BTreeMap<Str, Vec<ContainerStatus>>,
}

impl Found {
    /// What was found of a pod: its newest sandbox and its containers.
    #[allow(clippy::type_complexity, reason = "told once, taken apart at once")]
    pub(crate) fn take(
        &mut self,
        uid: &Str,
    ) -> Option<(Option<Rc<SandboxStatus>>, Vec<ContainerStatus>)> {
        let mut sandboxes = self.sandboxes.remove(uid)?;
        sandboxes.sort_by_key(|sandbox| sandbox.config.attempt);
        Some((
            sandboxes.pop(),
            self.containers.remove(uid).unwrap_or_default(),
        ))
    }
}

impl State {
    pub(crate) fn heard(&mut self, sys: &mut Sys<'_>, heard: Heard<Purpose>) {
        match heard {
            Heard::Connected => {
                let questions = [
                    (Request::GetContainerEvents, Purpose::Nothing),
                    (Request::ListPodSandbox, Purpose::Sandboxes),
                    (Request::ListContainers, Purpose::Containers),
                    (Request::ListImages, Purpose::Images),
                ];
                for (request, purpose) in questions {
                    self.runtime.call(sys, request, purpose, &mut self.heard);
                }
                self.ask_runtime_status(sys);
            }
            Heard::Lost => {
                self.node.runtime = None;
                self.node_changed(sys);
            }
            Heard::Answer(purpose, answer) => self.runtime_answered(sys, purpose, answer),
            Heard::Event(Event::Container(status)) => self.container_event(sys, status),
            Heard::Event(Event::SandboxStopped(id)) => {
                if let Some(uid) = self.sandboxes.get(&id) {
                    self.inputs.push_back((uid.clone(), Input::SandboxLost(id)));
                }
            }
            Heard::Part(call, part) => self.stream_part(sys, call, part),
            Heard::Forwarded(call, payload) => self.forward_output(sys, call, payload),
        }
    }

    fn runtime_answered(
        &mut self,
        sys: &mut Sys<'_>,
        purpose: Purpose,
        answer: Result<Reply, Error>,
    ) {
        match (purpose, answer) {
            (Purpose::Pod(uid, step), answer) => {
                self.inputs.push_back((uid, Input::Answer(step, answer)));
            }
            (Purpose::Sandbox(uid, step), answer) => self.sandbox_answered(sys, uid, step, answer),
            (Purpose::Pull(job), answer) => self.pull_ended(sys, job, answer),
            (Purpose::Status, Ok(Reply::Status(status))) => {
                let changed = self.node.runtime.as_ref() != Some(&status);
                self.node.runtime = Some(status);
                if changed {
                    self.node_changed(sys);
                }
            }
            (Purpose::Configured, Ok(_)) => self.ask_runtime_status(sys),
            (Purpose::Images, Ok(Reply::Images(images))) => self.node.images = images,
            (Purpose::Sandboxes, Ok(Reply::Sandboxes(sandboxes))) => {
                self.sandboxes_listed(&sandboxes);
            }
            (Purpose::Containers, Ok(Reply::Containers(containers))) => {
                self.containers_listed(sys, containers);
            }
            (Purpose::Probe(id), answer) => self.probe_answered(sys, id, answer),
            (Purpose::Hook(uid, unit, hook), answer) => {
                self.hook_answered(&uid, unit, hook, answer);
            }
            (Purpose::Stream(stream), answer) => self.stream_answered(sys, stream, answer),
            (Purpose::Forward(to, port, sandbox), answer) => {
                self.forward_answered(sys, to, (port, &sandbox), answer);
            }
            _ => {}
        }
    }

    fn sandbox_answered(
        &mut self,
        sys: &mut Sys<'_>,
        uid: Str,
        step: u64,
        answer: Result<Reply, Error>,
    ) {
        let result = match answer {
            Ok(Reply::Sandbox(sandbox)) => {
                if !self.pods.contains_key(&uid) {
                    let request = Request::RemovePodSandbox(sandbox.id.clone());
                    self.runtime
                        .call(sys, request, Purpose::Nothing, &mut self.heard);
                    return;
                }
                self.sandboxes.insert(sandbox.id.clone(), uid.clone());
                Ok(sandbox)
            }
            Ok(_) => return,
            Err(error) => {
                let message = format!("Failed to create pod sandbox: {error}");
                Err(("FailedCreatePodSandBox", message))
            }
        };
        self.inputs.push_back((uid, Input::Sandbox(step, result)));
    }

    fn sandboxes_listed(&mut self, sandboxes: &[Rc<SandboxStatus>]) {
        for sandbox in sandboxes {
            let uid = Str::from(&sandbox.config.uid);
            if !self.pods.contains_key(&uid) {
                self.found
                    .sandboxes
                    .entry(uid)
                    .or_default()
                    .push(sandbox.clone());
            } else if !sandbox.ready {
                self.inputs
                    .push_back((uid, Input::SandboxLost(sandbox.id.clone())));
            }
        }
    }

    fn containers_listed(&mut self, sys: &mut Sys<'_>, containers: Vec<ContainerStatus>) {
        for mut status in containers {
            let Some(uid) = pod_of(&status) else { continue };
            if self.pods.contains_key(&uid) {
                self.container_event(sys, status);
            } else {
                add_message(sys, &mut status);
                self.found.containers.entry(uid).or_default().push(status);
            }
        }
        if !std::mem::replace(&mut self.found.is_known, true) {
            self.read_manifests(sys);
            self.pods_listed(sys);
        }
    }

    fn container_event(&mut self, sys: &mut Sys<'_>, mut status: ContainerStatus) {
        let Some(uid) = pod_of(&status) else { return };
        add_message(sys, &mut status);
        if status.state == ContainerState::Exited {
            self.end_logs_of(sys, &uid, &status.id);
        }
        self.inputs.push_back((uid, Input::Runtime(status)));
    }

    /// What runs of pods that are no longer the machine's is ended.
    pub(crate) fn end_orphans(&mut self, sys: &mut Sys<'_>) {
        for (_, sandboxes) in std::mem::take(&mut self.found.sandboxes) {
            for sandbox in sandboxes {
                let request = Request::RemovePodSandbox(sandbox.id.clone());
                self.runtime
                    .call(sys, request, Purpose::Nothing, &mut self.heard);
            }
        }
        self.found.containers.clear();
    }

    pub(crate) fn ask_runtime_status(&mut self, sys: &mut Sys<'_>) {
        self.timetable
            .set(Due::Runtime, Some(sys.now() + ASK_EVERY));
        if self.runtime.is_up() {
            self.runtime
                .call(sys, Request::Status, Purpose::Status, &mut self.heard);
        }
    }
}

fn pod_of(status: &ContainerStatus) -> Option<Str> {
    status.config.labels.get(POD_UID).map(Str::from)
}

/// Adds what an ended container left to be told.
/// Models kuberuntime_container.go, `getTerminationMessage`.
fn add_message(sys: &mut Sys<'_>, status: &mut ContainerStatus) {
    if status.state != ContainerState::Exited || status.started_at.is_none() {
        return;
    }
    let config = status.config.clone();
    let Some(path) = config.annotations.get(MESSAGE_PATH) else {
        return;
    };
    let file = config
        .mounts
        .iter()
        .find(|mount| mount.container_path == *path);
    let text = file
        .and_then(|mount| sys.read_to_string(&mount.host_path).ok())
        .unwrap_or_default();
    if !text.is_empty() {
        status.message = cut(&text, MESSAGE_MOST).into();
        return;
    }
    let policy = config
        .annotations
        .get(MESSAGE_POLICY)
        .map_or("", |policy| policy);
    if policy != "FallbackToLogsOnError" || status.exit_code == 0 {
        return;
    }
    let label = |name: &str| config.labels.get(name).map_or("", |value| value);
    let directory = log::directory(
        label("io.kubernetes.pod.namespace"),
        label("io.kubernetes.pod.name"),
        label(POD_UID),
    );
    let contents = sys
        .read_file(&format!("{directory}/{}", config.log_path))
        .unwrap_or_default();
    let mut options = log::LogOptions {
        tail_lines: Some(LOG_MESSAGE_LINES),
        ..log::LogOptions::default()
    };
    let text = String::from_utf8_lossy(&log::render(&contents, &mut options)).into_owned();
    let start = text.len().saturating_sub(LOG_MESSAGE_MOST);
    let start = (start..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    status.message = text[start..].into();
}

fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    &text[..end]
}
