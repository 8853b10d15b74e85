//! The kubelet: keeps the pods of its machine as the API server and the manifests on disk say.
//!
//! The decisions about one pod are its worker's; what a worker asks for is carried out here, with
//! system calls, the runtime and the API server. Nothing here waits: every answer is a wake.
//! Models pkg/kubelet/kubelet.go.

mod backoff;
mod configure;
mod due;
mod env;
mod forwards;
mod hooks;
mod iptables;
mod link;
mod logs;
mod mounts;
mod node;
mod node_sync;
mod objects;
mod pod;
mod pods;
mod probe;
mod prober;
mod pulls;
mod request;
mod runtime;
mod server;
mod settings;
mod static_pods;
mod status;
mod status_sync;
mod streams;
mod volumes;
mod watching;
mod worker;

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use api::Str;
use client::{Env, EventRecorder, Notes, Severity, Style, klog_line};
use machine::{Fd, Poll, Program, Sys, Wake};
use sim::{Arg, EntryId, Kind, Stream};

use crate::kubelet::due::{Due, Timetable};
use crate::kubelet::link::{ApiLink, Heard, RuntimeLink};
use crate::kubelet::pods::Entry;
use crate::kubelet::runtime::Purpose;
use crate::kubelet::settings::Settings;
use crate::kubelet::watching::{Tag, Watching};
use crate::kubelet::worker::{Cx, Input};

static SYNCED: Kind = Kind {
    name: "kubelet.sync",
    says: "the kubelet works on pod {0}/{1}",
};

/// The kubelet, as a program.
pub fn kubelet() -> Box<dyn Program> {
    Box::new(Kubelet { state: None })
}

/// Nothing until it is started, then its state.
#[derive(Clone, Debug)]
struct Kubelet {
    state: Option<Box<State>>,
}

/// Everything the kubelet knows.
#[derive(Clone, Debug)]
pub(crate) struct State {
    settings: Settings,
    facts: node::Facts,
    host_ips: Rc<[Rc<str>]>,
    random: Stream,
    api: ApiLink<Tag>,
    watching: Watching,
    recorder: EventRecorder,
    runtime: RuntimeLink<Purpose>,
    heard: Vec<Heard<Purpose>>,
    found: runtime::Found,
    pods: BTreeMap<Str, Entry>,
    sandboxes: BTreeMap<Rc<str>, Str>,
    statics: static_pods::StaticPods,
    inputs: VecDeque<(Str, Input)>,
    timetable: Timetable,
    pulls: pulls::PullQueue,
    objects: objects::ObjectCache,
    prober: prober::Prober,
    hooks: hooks::Hooks,
    requests: request::Requests,
    server: server::Server,
    node: node_sync::NodeState,
}

impl State {
    fn start(sys: &mut Sys<'_>) -> Result<State, String> {
        let settings = Settings::read(sys)?;
        let facts = node::Facts::gather(sys, &settings);
        let seed = sys.random().next_u64();
        let api = ApiLink::new(settings.identity.clone(), settings.server);
        let recorder = EventRecorder::new("kubelet", &*settings.node, Style::Counted);
        let mut state = State {
            host_ips: settings
                .node_ip
                .iter()
                .map(|ip| ip.to_string().into())
                .collect(),
            watching: Watching::new(&settings.node),
            random: Stream::new(seed, "kubelet"),
            facts,
            api,
            recorder,
            runtime: RuntimeLink::new(),
            heard: Vec::new(),
            found: runtime::Found::default(),
            pods: BTreeMap::new(),
            sandboxes: BTreeMap::new(),
            statics: static_pods::StaticPods::default(),
            inputs: VecDeque::new(),
            timetable: Timetable::default(),
            pulls: pulls::PullQueue::default(),
            objects: objects::ObjectCache::default(),
            prober: prober::Prober::default(),
            hooks: hooks::Hooks::default(),
            requests: request::Requests::default(),
            server: server::Server::default(),
            node: node_sync::NodeState::default(),
            settings,
        };
        state.listen(sys)?;
        state.guard_rules(sys);
        state.watch_manifests(sys);
        state.runtime.connect(sys, &mut state.heard);
        state.begin_node(sys);
        Ok(state)
    }

    fn wake(&mut self, sys: &mut Sys<'_>, why: Wake) {
        match why {
            Wake::Ready(fd) => self.ready(sys, fd),
            Wake::Timer(timer) => {
                if self.timetable.is_timer(timer) {
                    while let Some(due) = self.timetable.take(sys.now()) {
                        self.come_due(sys, due);
                    }
                } else {
                    self.runtime.on_timer(sys, timer, &mut self.heard);
                }
            }
            Wake::Changed(watch) => {
                if self.statics.is_watch(watch) {
                    self.read_manifests(sys);
                } else {
                    self.log_changed(sys, watch);
                }
            }
            _ => {}
        }
    }

    fn ready(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        if self.runtime.on_ready(sys, fd, &mut self.heard) {
            return;
        }
        if let Some(answers) = self.api.on_ready(sys, fd) {
            for (call, incoming) in answers {
                self.answered(sys, call, &incoming);
            }
            return;
        }
        if !self.serve(sys, fd) {
            self.request_ready(sys, fd);
        }
    }

    fn come_due(&mut self, sys: &mut Sys<'_>, due: Due) {
        match due {
            Due::Pass(uid) => self.inputs.push_back((uid, Input::Time)),
            Due::Volumes(uid) => self.refresh_volumes(sys, &uid),
            Due::Status(uid) => self.send_status(sys, &uid),
            Due::Informers => self.watch_again(sys),
            // Whatever comes due, events that wait are sent in the end.
            Due::Events => {}
            Due::Mirrors => self.mirror_changed(sys),
            Due::Register => self.register(sys),
            Due::Lease => self.renew_lease(sys),
            Due::NodeStatus => self.report_node(sys),
            Due::Runtime => self.ask_runtime_status(sys),
            Due::Rules => self.guard_rules(sys),
            Due::Probe(id) => self.probe(sys, id),
            Due::Request(fd) => self.request_timed_out(sys, fd),
            Due::Hook(uid, unit) => self.hook_timed_out(sys, &uid, unit),
        }
    }

    /// Works until nothing is left to do, then sends what waits and sets the next timer.
    fn settle(&mut self, sys: &mut Sys<'_>) {
        loop {
            if !self.heard.is_empty() {
                for heard in std::mem::take(&mut self.heard) {
                    self.heard(sys, heard);
                }
            } else if let Some((uid, input)) = self.inputs.pop_front() {
                self.work(sys, &uid, input);
            } else {
                self.flush(sys);
                let early = self.api.take_early();
                if early.is_empty() {
                    break;
                }
                for (call, incoming) in early {
                    self.answered(sys, call, &incoming);
                }
            }
        }
        self.timetable.arm(sys);
    }

    fn flush(&mut self, sys: &mut Sys<'_>) {
        self.with_env(sys, |state, env| {
            state
                .recorder
                .flush(env, &mut state.api.client, &Tag::Event);
        });
        self.timetable
            .set(Due::Events, self.recorder.next_deadline());
        self.timetable
            .set(Due::Informers, self.watching.next_deadline());
        self.api.flush(sys);
    }

    /// Gives a pod's worker an input and carries out what it asks for.
    fn work(&mut self, sys: &mut Sys<'_>, uid: &Str, input: Input) {
        let Some(entry) = self.pods.get_mut(uid) else {
            return;
        };
        let mut acts = Vec::new();
        let mut cx = Cx {
            now: sys.now(),
            random: &mut self.random,
            acts: &mut acts,
        };
        entry.worker.on(input, &mut cx);
        let next = entry.worker.next_pass;
        self.timetable.set(Due::Pass(uid.clone()), next);
        for act in acts {
            self.act(sys, uid, act);
        }
    }

    /// Lends the context a component of `client` needs.
    fn with_env<R>(
        &mut self,
        sys: &mut Sys<'_>,
        act: impl FnOnce(&mut State, &mut Env<'_>) -> R,
    ) -> R {
        let (now, cause) = (sys.now(), sys.cause());
        let mut random = self.random.clone();
        let mut journal = Journal { sys };
        let mut env = Env {
            now,
            cause,
            random: &mut random,
            journal: &mut journal,
        };
        let result = act(self, &mut env);
        self.random = random;
        result
    }

    /// Writes a line into the unit's log.
    fn log(&self, sys: &mut Sys<'_>, severity: Severity, place: &str, text: &str) {
        let pid = sys.pid().0;
        let line = klog_line(sys.now(), severity, pid, place, text);
        // The log of a unit takes everything.
        let _ = sys.write(Fd::STDERR, format!("{line}\n").as_bytes());
    }
}

impl Program for Kubelet {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match &mut self.state {
            None if sys.args().iter().any(|arg| &**arg == "--version") => {
                let text = format!("Kubernetes {}\n", sys.version());
                let _ = sys.write(Fd::STDOUT, text.as_bytes());
                return Poll::Exit(0);
            }
            None => match State::start(sys) {
                Ok(state) => {
                    let text = format!("\"Kubelet version\" kubeletVersion=\"{}\"", sys.version());
                    state.log(sys, Severity::Info, "server.go:525", &text);
                    self.state = Some(Box::new(state));
                }
                Err(why) => {
                    let line = klog_line(
                        sys.now(),
                        Severity::Error,
                        sys.pid().0,
                        "run.go:72",
                        &format!("\"{why}\""),
                    );
                    let _ = sys.write(Fd::STDERR, format!("{line}\n").as_bytes());
                    return Poll::Exit(1);
                }
            },
            Some(state) => state.wake(sys, why),
        }
        if let Some(state) = &mut self.state {
            state.settle(sys);
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// The machine's journal and the unit's log, for components that know neither.
struct Journal<'a, 'b> {
    sys: &'a mut Sys<'b>,
}

impl Notes for Journal<'_, '_> {
    fn note(&mut self, cause: EntryId, kind: &'static Kind, args: &[Arg]) -> EntryId {
        self.sys.set_cause(cause);
        self.sys.note(kind, args)
    }

    fn log(&mut self, severity: Severity, place: &'static str, text: &str) {
        let line = klog_line(self.sys.now(), severity, self.sys.pid().0, place, text);
        let _ = self.sys.write(Fd::STDERR, format!("{line}\n").as_bytes());
    }
}
