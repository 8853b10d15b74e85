//! Asks containers how they are, when it is time.
//! Models pkg/kubelet/prober/{prober,worker}.go and pkg/probe/exec.

use std::collections::{BTreeMap, BTreeSet};

use api::Str;
use machine::Sys;

use crate::cri::{Code, Error, Reply, Request};
use crate::kubelet::State;
use crate::kubelet::due::Due;
use crate::kubelet::probe::{ProbeAction, ProbeKind, ProbeResult, ProbeWorker};
use crate::kubelet::request::Owner;
use crate::kubelet::runtime::Purpose;
use crate::kubelet::worker::Input;

/// A probe: of which pod, which unit, which kind.
pub(crate) type ProbeId = (Str, usize, ProbeKind);

/// Probes of running containers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prober {
    workers: BTreeMap<ProbeId, ProbeWorker>,
    busy: BTreeSet<ProbeId>,
}

impl State {
    /// Begins or ends the probing of a unit.
    pub(crate) fn probe_unit(&mut self, sys: &mut Sys<'_>, uid: &Str, unit: usize, on: bool) {
        for kind in ProbeKind::ALL {
            let id = (uid.clone(), unit, kind);
            self.prober.busy.remove(&id);
            if self.prober.workers.remove(&id).is_some() {
                self.timetable.set(Due::Probe(id), None);
            }
        }
        let Some(entry) = self.pods.get(uid).filter(|_| on) else {
            return;
        };
        let Some(unit_state) = entry.worker.units.get(unit) else {
            return;
        };
        let started = unit_state.current.as_ref().and_then(|life| life.started_at);
        let started = started.unwrap_or_else(|| sys.now());
        let waits = !unit_state.started;
        for kind in ProbeKind::ALL {
            let Some(probe) = unit_state.container.probes[kind as usize].clone() else {
                continue;
            };
            let worker = ProbeWorker::new(kind, probe, started);
            let due = worker.due;
            let id = (uid.clone(), unit, kind);
            self.prober.workers.insert(id.clone(), worker);
            // The others wait until the container has come up.
            if kind == ProbeKind::Startup || !waits {
                self.timetable.set(Due::Probe(id), Some(due));
            }
        }
    }

    /// It is time for a probe.
    pub(crate) fn probe(&mut self, sys: &mut Sys<'_>, id: ProbeId) {
        let Some(worker) = self.prober.workers.get(&id) else {
            return;
        };
        let probe = worker.probe.clone();
        self.timetable
            .set(Due::Probe(id.clone()), Some(sys.now() + probe.period));
        let Some(entry) = self.pods.get(&id.0) else {
            return;
        };
        let Some(life) = &entry.worker.units[id.1].current else {
            return;
        };
        let ip = self.ip_of(&id.0);
        if !self.prober.busy.insert(id.clone()) {
            return;
        }
        match &probe.action {
            ProbeAction::Exec(command) => {
                let (id_of, timeout) = (life.id.clone(), probe.timeout);
                let request = Request::ExecSync {
                    id: id_of,
                    command: command.clone(),
                    timeout,
                };
                self.runtime
                    .call(sys, request, Purpose::Probe(id), &mut self.heard);
            }
            ProbeAction::Http(_) | ProbeAction::Tcp(..) => {
                self.request(sys, Owner::Probe(id), &probe.action, &ip, probe.timeout);
            }
            ProbeAction::Grpc => {
                let what = sim::unmodelled!("gRPC probes");
                self.probe_done(sys, &id, ProbeResult::Error(what.to_string()));
            }
        }
    }

    /// The runtime has run a probe's command.
    pub(crate) fn probe_answered(
        &mut self,
        sys: &mut Sys<'_>,
        id: ProbeId,
        answer: Result<Reply, Error>,
    ) {
        let result = match answer {
            Ok(Reply::Exec(result)) if result.exit_code == 0 => ProbeResult::Success,
            Ok(Reply::Exec(result)) => {
                let mut output = result.stdout;
                output.extend(result.stderr);
                ProbeResult::Failure(String::from_utf8_lossy(&output).into_owned())
            }
            Ok(_) => return,
            Err(error) if error.code == Code::DeadlineExceeded => {
                let probe = self
                    .prober
                    .workers
                    .get(&id)
                    .map(|worker| worker.probe.clone());
                let Some(probe) = probe else { return };
                let secs = probe.timeout.as_secs();
                let command = match &probe.action {
                    ProbeAction::Exec(words) => words.join(" "),
                    _ => String::new(),
                };
                ProbeResult::Failure(format!(
                    "command timed out: \"{command}\" timed out after {secs}s"
                ))
            }
            Err(error) => ProbeResult::Error(format!(
                "rpc error: code = {:?} desc = {}",
                error.code, error.desc
            )),
        };
        self.probe_done(sys, &id, result);
    }

    /// A probe has its result.
    pub(crate) fn probe_done(&mut self, sys: &mut Sys<'_>, id: &ProbeId, result: ProbeResult) {
        if !self.prober.busy.remove(id) {
            return;
        }
        let (uid, unit, kind) = id;
        let Some(entry) = self.pods.get(uid) else {
            return;
        };
        let (pod, container) = (
            entry.worker.pod.clone(),
            entry.worker.units[*unit].container.clone(),
        );
        let title = kind.title();
        let success = match result {
            ProbeResult::Success => true,
            ProbeResult::Failure(why) => {
                let message = format!("{title} probe failed: {why}");
                self.record(sys, &pod, Some(&container), true, "Unhealthy", message);
                false
            }
            ProbeResult::Error(why) => {
                let message = format!("{title} probe errored and resulted in unknown state: {why}");
                return self.record(sys, &pod, Some(&container), true, "Unhealthy", message);
            }
        };
        let Some(worker) = self.prober.workers.get_mut(id) else {
            return;
        };
        if !worker.take(success) {
            return;
        }
        if *kind != ProbeKind::Readiness && !success || *kind == ProbeKind::Startup {
            // A condemned container is not asked again, nor one that has come up whether it has.
            self.prober.workers.remove(id);
            self.timetable.set(Due::Probe(id.clone()), None);
        }
        if *kind == ProbeKind::Startup && success {
            for kind in [ProbeKind::Liveness, ProbeKind::Readiness] {
                let other = (uid.clone(), *unit, kind);
                if let Some(worker) = self.prober.workers.get(&other) {
                    let due = worker.due.max(sys.now());
                    self.timetable.set(Due::Probe(other), Some(due));
                }
            }
        }
        self.inputs
            .push_back((uid.clone(), Input::Probed(*unit, *kind, success)));
    }

    /// The address at which a pod is asked.
    pub(crate) fn ip_of(&self, uid: &Str) -> String {
        let Some(entry) = self.pods.get(uid) else {
            return String::new();
        };
        let host = self.host_ips.first().map_or("", |ip| ip);
        let ip = if entry.worker.pod.spec.host_network {
            host
        } else {
            entry.worker.ip()
        };
        ip.to_owned()
    }
}
