//! Pods driven through their worker by a runtime made of answers.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Value, object};
use sim::{Duration, Instant, Stream};

use super::*;
use crate::cri::{Code, Reply, Request, SandboxConfig};
use crate::kubelet::pod::Source;
use crate::kubelet::status::status;

/// A worker, and a runtime that answers at once.
struct Bench {
    worker: Worker,
    now: Instant,
    random: Stream,
    log: Vec<String>,
    /// Containers by id.
    lives: BTreeMap<Rc<str>, ContainerStatus>,
    /// Ends by container name: code, and seconds after the start; others run on.
    ends: BTreeMap<&'static str, (i32, u64)>,
    /// What pulling, configuring or starting a container fails with, by its name.
    failures: BTreeMap<&'static str, (&'static str, &'static str)>,
    due: Vec<(Instant, ContainerStatus)>,
    mount_failures: u32,
    next_id: u32,
}

fn pod(spec: Value) -> Value {
    let mut pod = object! {
        "metadata": { "name": "p", "namespace": "ns", "uid": "u", "generation": 1 },
    };
    pod.set("spec", spec);
    pod
}

impl Bench {
    fn new(spec: Value) -> Bench {
        let now = Instant::ZERO;
        Bench {
            worker: Worker::new(Pod::new(pod(spec), Source::Api), now),
            now,
            random: Stream::new(1, "bench"),
            log: Vec::new(),
            lives: BTreeMap::new(),
            ends: BTreeMap::new(),
            failures: BTreeMap::new(),
            due: Vec::new(),
            mount_failures: 0,
            next_id: 0,
        }
    }

    fn tell(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut acts = Vec::new();
            let mut cx = Cx {
                now: self.now,
                random: &mut self.random,
                acts: &mut acts,
            };
            self.worker.on(input, &mut cx);
            for act in acts {
                inputs.extend(self.carry_out(act));
            }
        }
    }

    fn carry_out(&mut self, act: Act) -> Vec<Input> {
        let name = |worker: &Worker, unit: usize| worker.units[unit].container.name.to_string();
        let failure = |bench: &Bench, unit: usize, what: &str| {
            let name = name(&bench.worker, unit);
            bench
                .failures
                .get(name.as_str())
                .filter(|(at, _)| *at == what)
                .map(|(_, why)| *why)
        };
        match act {
            Act::Call(step, request) => self.call(step, request),
            Act::Tell(request) => self.call(u64::MAX, request),
            Act::RunSandbox { step, attempt } => {
                let config = Rc::new(SandboxConfig {
                    attempt,
                    ..SandboxConfig::default()
                });
                let id = format!("sandbox-{attempt}").into();
                let (created_at, ip) = (self.now, "10.244.1.2".into());
                let made = SandboxStatus {
                    id,
                    config,
                    ready: true,
                    created_at,
                    ip,
                };
                vec![Input::Sandbox(step, Ok(Rc::new(made)))]
            }
            Act::Pull { step, unit } => {
                let image = image();
                let pulled = Pulled {
                    image,
                    took: Duration::from_micros(2_100_400),
                    waited: Duration::from_millis(3_000),
                };
                let result = failure(self, unit, "pull").map_or(Ok(pulled), |why| Err(why.into()));
                vec![Input::Pulled(step, result)]
            }
            Act::Configure {
                step,
                unit,
                attempt,
                ..
            } => {
                let name = name(&self.worker, unit).into();
                let config = ContainerConfig {
                    name,
                    attempt,
                    ..ContainerConfig::default()
                };
                let why = failure(self, unit, "configure");
                let error = why.map(|why| ("CreateContainerConfigError", why.to_owned()));
                vec![Input::Configured(
                    step,
                    error.map_or(Ok(Rc::new(config)), Err),
                )]
            }
            Act::Mount => {
                let result = if self.mount_failures > 0 {
                    self.mount_failures -= 1;
                    Err(vec!["no".to_owned()])
                } else {
                    Ok(())
                };
                vec![Input::Mounted(result)]
            }
            Act::Hook { unit, hook, .. } => {
                let what = if hook == Hook::PreStop {
                    "preStop"
                } else {
                    "postStart"
                };
                self.log
                    .push(format!("{what} {}", name(&self.worker, unit)));
                let result = failure(self, unit, what).map_or(Ok(()), |why| Err(why.into()));
                vec![Input::HookDone(unit, hook, result)]
            }
            Act::Event {
                warning,
                reason,
                message,
                ..
            } => {
                let mark = if warning { "!" } else { "" };
                self.log.push(format!("{mark}{reason}: {message}"));
                Vec::new()
            }
            Act::Status => {
                self.worker.status = status(&self.worker, self.now, &["172.30.2.2".into()]);
                Vec::new()
            }
            Act::Ended => {
                self.log.push("ended".to_owned());
                Vec::new()
            }
            Act::Unmount | Act::Probe { .. } => Vec::new(),
        }
    }

    fn call(&mut self, step: u64, request: Request) -> Vec<Input> {
        let answer = |reply| vec![Input::Answer(step, Ok(reply))];
        match request {
            Request::ImageStatus(_) => answer(Reply::Image(Some(image()))),
            Request::CreateContainer { sandbox, config } => {
                self.next_id += 1;
                let id: Rc<str> = format!("{}-{}", config.name, self.next_id).into();
                let life = ContainerStatus {
                    id: id.clone(),
                    sandbox,
                    config,
                    state: ContainerState::Created,
                    created_at: self.now,
                    started_at: None,
                    finished_at: None,
                    exit_code: 0,
                    reason: "".into(),
                    message: "".into(),
                    image: "docker.io/library/x:latest".into(),
                    image_ref: "docker.io/library/x@sha256:0".into(),
                    uid: 0,
                };
                self.lives.insert(id.clone(), life);
                answer(Reply::Created(id))
            }
            Request::StartContainer(id) => self.start(step, &id),
            Request::StopContainer { id, timeout } => {
                self.log.push(format!("stop {id} {}", timeout.as_secs()));
                if self.lives[&id].state != ContainerState::Running {
                    return Vec::new();
                }
                self.due.retain(|(_, life)| life.id != id);
                let life = self.end(&id, 137);
                vec![Input::Runtime(life)]
            }
            Request::StopPodSandbox(id) => {
                self.log.push(format!("stop {id}"));
                answer(Reply::Done)
            }
            _ => answer(Reply::Done),
        }
    }

    fn start(&mut self, step: u64, id: &Rc<str>) -> Vec<Input> {
        let now = self.now;
        let life = self.lives.get_mut(id).expect("it was created");
        let name = life.config.name.clone();
        if let Some((_, why)) = self.failures.get(&*name).filter(|(at, _)| *at == "start") {
            life.state = ContainerState::Exited;
            life.finished_at = Some(now);
            life.exit_code = 128;
            let error = cri::Error::new(Code::Unknown, *why);
            return vec![
                Input::Runtime(life.clone()),
                Input::Answer(step, Err(error)),
            ];
        }
        life.state = ContainerState::Running;
        life.started_at = Some(now);
        let running = life.clone();
        if let Some((code, secs)) = self.ends.get(&*name).copied() {
            let mut ended = running.clone();
            let at = now + Duration::from_secs(secs);
            ended.state = ContainerState::Exited;
            ended.exit_code = code;
            ended.finished_at = Some(at);
            self.due.push((at, ended));
        }
        let started = Reply::Container(running.clone());
        vec![Input::Runtime(running), Input::Answer(step, Ok(started))]
    }

    fn end(&mut self, id: &Rc<str>, code: i32) -> ContainerStatus {
        let life = self.lives.get_mut(id).expect("it exists");
        life.state = ContainerState::Exited;
        life.exit_code = code;
        life.finished_at = Some(self.now);
        life.clone()
    }

    /// Lets time pass: containers end, passes begin.
    fn pass(&mut self, secs: u64) {
        let until = self.now + Duration::from_secs(secs);
        loop {
            let end = self.due.iter().map(|(at, _)| *at).min();
            let next = [end, self.worker.next_pass].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(at);
            if end == Some(at) {
                let first = self
                    .due
                    .iter()
                    .position(|(due, _)| *due == at)
                    .expect("just found");
                let (_, life) = self.due.remove(first);
                self.lives.insert(life.id.clone(), life.clone());
                self.tell(Input::Runtime(life));
            } else {
                self.worker.next_pass = None;
                self.tell(Input::Time);
            }
        }
        self.now = until;
    }

    fn state(&self, index: usize) -> String {
        let status = self.worker.status.at(&format!("containerStatuses.{index}"));
        let restarts = status.get("restartCount").as_i64().unwrap_or(-1);
        let (kind, state) = status
            .get("state")
            .entries()
            .iter()
            .next()
            .expect("a state");
        let phase = self.worker.status.str("phase");
        format!("{phase} {kind} {} {restarts}", state.str("reason"))
    }
}

fn image() -> ImageStatus {
    ImageStatus {
        id: "sha256:0".into(),
        repo_tags: Vec::new(),
        repo_digests: Vec::new(),
        size: 62_706_233,
        user: None,
    }
}

/// Runs a pod for `secs` with these ends and failures; what it logged.
#[track_caller]
fn check(
    spec: Value,
    ends: &[(&'static str, i32, u64)],
    failures: &[(&'static str, &'static str, &'static str)],
    secs: u64,
    expect: &[&str],
) -> Bench {
    let mut bench = Bench::new(spec);
    bench.ends = ends
        .iter()
        .map(|(name, code, secs)| (*name, (*code, *secs)))
        .collect();
    bench.failures = failures
        .iter()
        .map(|(name, at, why)| (*name, (*at, *why)))
        .collect();
    bench.tell(Input::Start);
    bench.pass(secs);
    assert_eq!(bench.log, expect);
    bench
}

const IMAGE: &str =
    "Pulled: Container image \"x:1\" already present on machine and can be accessed by the pod";
const CREATED: &str = "Created: Container created";
const STARTED: &str = "Started: Container started";

fn one(policy: &str) -> Value {
    object! { "restartPolicy": policy, "containers": [{ "name": "c", "image": "x:1" }] }
}

#[test]
fn a_container_is_run() {
    let bench = check(one("Always"), &[], &[], 60, &[IMAGE, CREATED, STARTED]);
    assert_eq!(bench.state(0), "Running running  0");
    let status = &bench.worker.status;
    assert_eq!(status.str("podIP"), "10.244.1.2");
    let conditions: Vec<String> = status
        .list_at("conditions")
        .iter()
        .map(|c| format!("{}={}", c.str("type"), c.str("status")))
        .collect();
    assert_eq!(
        conditions,
        [
            "PodReadyToStartContainers=True",
            "Initialized=True",
            "Ready=True",
            "ContainersReady=True",
            "PodScheduled=True",
        ]
    );
}

#[test]
fn images_are_pulled_and_told_of() {
    let spec = object! { "containers": [{ "name": "c", "image": "nginx" }] };
    check(
        spec,
        &[],
        &[],
        1,
        &[
            "Pulling: Pulling image \"nginx\"",
            "Pulled: Successfully pulled image \"nginx\" in 2.1s (3s including waiting). Image size: \
         62706233 bytes.",
            CREATED,
            STARTED,
        ],
    );
}

#[test]
fn a_crash_is_answered_at_once_then_ever_later() {
    let backoff = "!BackOff: Back-off restarting failed container c in pod p_ns(u)";
    let bench = check(
        one("Always"),
        &[("c", 1, 1)],
        &[],
        4,
        &[
            IMAGE, CREATED, STARTED, IMAGE, CREATED, STARTED, backoff, backoff,
        ],
    );
    assert_eq!(bench.state(0), "Running waiting CrashLoopBackOff 1");
    let status = bench.worker.status.at("containerStatuses.0");
    assert_eq!(
        status.str_at("state.waiting.message"),
        "back-off 10s restarting failed container=c pod=p_ns(u)"
    );
    assert_eq!(status.i64_at("lastState.terminated.exitCode"), Some(1));

    let mut bench = bench;
    bench.pass(10);
    assert_eq!(
        bench.worker.units[0]
            .current
            .as_ref()
            .map(|life| life.config.attempt),
        Some(2)
    );
}

#[test]
fn a_missing_image_is_asked_for_ever_later() {
    let spec = object! {
        "containers": [{ "name": "c", "image": "nginx:nope", "imagePullPolicy": "Always" }],
    };
    let pulling = "Pulling: Pulling image \"nginx:nope\"";
    let failed = "!Failed: Failed to pull image \"nginx:nope\": rpc error: no";
    let error = "!Failed: Error: ErrImagePull";
    let backoff = "BackOff: Back-off pulling image \"nginx:nope\"";
    let again = "!Failed: Error: ImagePullBackOff";
    let failures = [("c", "pull", "rpc error: no")];
    let expect = [pulling, failed, error, backoff, again];
    let mut bench = check(spec, &[], &failures, 5, &expect);
    assert_eq!(bench.state(0), "Pending waiting ErrImagePull 0");
    bench.log.clear();
    bench.pass(12);
    assert_eq!(bench.log[..3], [pulling, failed, error]);
    assert_eq!(bench.state(0), "Pending waiting ImagePullBackOff 0");
    let waiting = bench.worker.status.at("containerStatuses.0.state.waiting");
    let expect = "Back-off pulling image \"nginx:nope\": ErrImagePull: rpc error: no";
    assert_eq!(waiting.str("message"), expect);
}

#[test]
fn what_cannot_be_configured_is_tried_again() {
    let failures = [("c", "configure", "configmap \"ghost\" not found")];
    let error = "!Failed: Error: configmap \"ghost\" not found";
    let bench = check(
        one("Always"),
        &[],
        &failures,
        4,
        &[IMAGE, error, IMAGE, error],
    );
    assert_eq!(
        bench.state(0),
        "Pending waiting CreateContainerConfigError 0"
    );
}

#[test]
fn what_cannot_be_started_crashes() {
    let failures = [(
        "c",
        "start",
        "exec: \"x\": executable file not found in $PATH",
    )];
    let error = "!Failed: Error: exec: \"x\": executable file not found in $PATH";
    let mut bench = check(
        one("Always"),
        &[],
        &failures,
        0,
        &[
            IMAGE,
            CREATED,
            error,
            IMAGE,
            CREATED,
            error,
            "!BackOff: Back-off restarting failed container c in pod p_ns(u)",
        ],
    );
    bench.pass(3);
    assert_eq!(bench.state(0), "Running waiting CrashLoopBackOff 1");
}

#[test]
fn pods_end_as_their_policy_says() {
    #[track_caller]
    fn ends(policy: &str, code: i32, phase: &str) {
        let expect = [IMAGE, CREATED, STARTED, "stop sandbox-0", "ended"];
        let bench = check(one(policy), &[("c", code, 2)], &[], 5, &expect);
        let status = &bench.worker.status;
        assert_eq!(status.str("phase"), phase);
        let reason = if phase == "Failed" {
            "PodFailed"
        } else {
            "PodCompleted"
        };
        assert_eq!(status.str_at("conditions.2.reason"), reason);
        assert_eq!(status.str_at("conditions.0.status"), "False");
    }
    ends("Never", 0, "Succeeded");
    ends("Never", 7, "Failed");
    ends("OnFailure", 0, "Succeeded");
}

#[test]
fn init_containers_come_first_one_by_one() {
    let spec = object! {
        "initContainers": [{ "name": "i1", "image": "x:1" }, { "name": "i2", "image": "x:1" }],
        "containers": [{ "name": "c", "image": "x:1" }],
    };
    let mut bench = check(
        spec,
        &[("i1", 0, 2), ("i2", 0, 2)],
        &[],
        1,
        &[IMAGE, CREATED, STARTED],
    );
    assert_eq!(bench.state(0), "Pending waiting PodInitializing 0");
    let incomplete = "containers with incomplete status: [i1 i2]";
    assert_eq!(
        bench.worker.status.str_at("conditions.1.message"),
        incomplete
    );
    bench.pass(9);
    assert_eq!(bench.log.len(), 9);
    assert_eq!(bench.state(0), "Running running  0");
    assert_eq!(bench.worker.status.str_at("conditions.1.status"), "True");
    let first = bench.worker.status.at("initContainerStatuses.0");
    assert!(first.bool_at("ready") && !first.bool_at("started"));
}

#[test]
fn a_failed_init_container_fails_a_pod_that_never_restarts() {
    let spec = object! {
        "restartPolicy": "Never",
        "initContainers": [{ "name": "i", "image": "x:1" }],
        "containers": [{ "name": "c", "image": "x:1" }],
    };
    let expect = [IMAGE, CREATED, STARTED, "stop sandbox-0", "ended"];
    let bench = check(spec, &[("i", 2, 1)], &[], 5, &expect);
    assert_eq!(bench.worker.status.str("phase"), "Failed");
}

#[test]
fn sidecars_start_before_and_end_after() {
    let spec = object! {
        "restartPolicy": "Never",
        "initContainers": [{ "name": "log", "image": "x:1", "restartPolicy": "Always" }],
        "containers": [{ "name": "c", "image": "x:1" }],
    };
    let bench = check(
        spec,
        &[("c", 0, 5)],
        &[],
        10,
        &[
            IMAGE,
            CREATED,
            STARTED,
            IMAGE,
            CREATED,
            STARTED,
            "Killing: Stopping container log",
            "stop log-1 30",
            "stop sandbox-0",
            "ended",
        ],
    );
    assert_eq!(bench.worker.status.str("phase"), "Succeeded");
}

#[test]
fn deletion_asks_then_kills_then_tells() {
    let spec = object! {
        "containers": [{
            "name": "c", "image": "x:1",
            "lifecycle": { "preStop": { "exec": { "command": ["true"] } } },
        }],
    };
    let mut bench = check(spec, &[], &[], 1, &[IMAGE, CREATED, STARTED]);
    bench.log.clear();
    let mut object = bench.worker.pod.object.clone();
    object.set("metadata.deletionTimestamp", "2026-01-05T09:00:31Z");
    object.set("metadata.deletionGracePeriodSeconds", 12);
    bench.tell(Input::Updated(object));
    bench.pass(1);
    assert_eq!(
        bench.log,
        [
            "Killing: Stopping container c",
            "preStop c",
            "stop c-1 12",
            "stop sandbox-0",
            "ended",
        ]
    );
    assert_eq!(bench.worker.stage, Stage::Ended);
    assert_eq!(bench.worker.status.str("phase"), "Failed");
}

#[test]
fn a_failed_hook_ends_the_container() {
    let spec = object! {
        "containers": [{
            "name": "c", "image": "x:1",
            "lifecycle": { "postStart": { "exec": { "command": ["false"] } } },
        }],
    };
    let mut bench = check(
        spec,
        &[],
        &[("c", "postStart", "exit 1")],
        0,
        &[
            IMAGE,
            CREATED,
            STARTED,
            "postStart c",
            "!FailedPostStartHook: PostStartHook failed",
            "Killing: FailedPostStartHook",
            "stop c-1 30",
            IMAGE,
            CREATED,
            STARTED,
            "postStart c",
            "!FailedPostStartHook: PostStartHook failed",
            "Killing: FailedPostStartHook",
            "stop c-2 30",
            "!BackOff: Back-off restarting failed container c in pod p_ns(u)",
        ],
    );
    bench.pass(3);
    assert_eq!(bench.state(0), "Running waiting CrashLoopBackOff 1");
}

#[test]
fn a_failed_liveness_probe_restarts() {
    let spec = object! {
        "containers": [{
            "name": "c", "image": "x:1",
            "livenessProbe": { "exec": { "command": ["x"] }, "terminationGracePeriodSeconds": 5 },
        }],
    };
    let mut bench = check(spec, &[], &[], 1, &[IMAGE, CREATED, STARTED]);
    bench.log.clear();
    bench.tell(Input::Probed(0, ProbeKind::Liveness, false));
    assert_eq!(
        bench.log,
        [
            "Killing: Container c failed liveness probe, will be restarted",
            "stop c-1 5",
            IMAGE,
            CREATED,
            STARTED,
        ]
    );
    bench.pass(1);
    assert_eq!(bench.state(0), "Running running  1");
}

#[test]
fn probes_decide_who_is_ready() {
    let spec = object! {
        "containers": [{
            "name": "c", "image": "x:1",
            "startupProbe": { "exec": { "command": ["x"] } },
            "readinessProbe": { "exec": { "command": ["x"] } },
        }],
    };
    let mut bench = check(spec, &[], &[], 1, &[IMAGE, CREATED, STARTED]);
    let mut flags = Vec::new();
    let mut look = |bench: &Bench| {
        let status = bench.worker.status.at("containerStatuses.0");
        flags.push((status.bool_at("started"), status.bool_at("ready")));
    };
    look(&bench);
    bench.tell(Input::Probed(0, ProbeKind::Startup, true));
    look(&bench);
    bench.tell(Input::Probed(0, ProbeKind::Readiness, true));
    look(&bench);
    bench.tell(Input::Probed(0, ProbeKind::Readiness, false));
    look(&bench);
    assert_eq!(
        flags,
        [(false, false), (true, false), (true, true), (true, false)]
    );
    let message = bench.worker.status.str_at("conditions.2.message");
    assert_eq!(message, "containers with unready status: [c]");
}

#[test]
fn volumes_that_fail_are_tried_ever_later() {
    let mut bench = Bench::new(one("Always"));
    bench.mount_failures = 3;
    bench.tell(Input::Start);
    assert_eq!(bench.log, ["!FailedMount: no"]);
    bench.pass(3);
    assert_eq!(bench.log.len(), 3);
    assert_eq!(bench.state(0), "Pending waiting ContainerCreating 0");
    bench.pass(1);
    assert_eq!(bench.log.len(), 6);
}

#[test]
fn a_pod_may_be_active_only_so_long() {
    let mut spec = one("Always");
    spec.set("activeDeadlineSeconds", 5);
    let bench = check(
        spec,
        &[],
        &[],
        10,
        &[
            IMAGE,
            CREATED,
            STARTED,
            "DeadlineExceeded: Pod was active on the node longer than the specified deadline",
            "Killing: Stopping container c",
            "stop c-1 30",
            "stop sandbox-0",
            "ended",
        ],
    );
    assert_eq!(bench.worker.status.str("phase"), "Failed");
    assert_eq!(bench.worker.status.str("reason"), "DeadlineExceeded");
}

#[test]
fn a_lost_sandbox_is_made_again_and_all_starts_over() {
    let mut bench = check(one("Always"), &[], &[], 1, &[IMAGE, CREATED, STARTED]);
    bench.log.clear();
    let life = bench.end(&"c-1".into(), 255);
    if let Some(s) = bench.worker.sandbox.as_mut() {
        Rc::make_mut(s).ready = false;
    }
    bench.tell(Input::Runtime(life));
    assert_eq!(
        bench.log,
        [
            "SandboxChanged: Pod sandbox changed, it will be killed and re-created.",
            "stop sandbox-0",
            IMAGE,
            CREATED,
            STARTED,
        ]
    );
}
