//! A pass: what of a pod is missing now, and which container is started next.
//! Models kuberuntime_manager.go, `computePodActions` and `SyncPod`.

use std::rc::Rc;

use sim::{Duration, Instant};

use crate::cri::{Request, SandboxStatus};
use crate::kubelet::pod::Role;
use crate::kubelet::worker::{Act, Cx, Phase, RELIST, RETRY, Stage, Step, TURN, Volumes, Worker};

/// First and longest wait before volumes are tried again (`exponential_backoff.go`).
const MOUNT_FIRST: Duration = Duration::from_millis(500);
const MOUNT_MOST: Duration = Duration::from_secs(122);

/// What is to be done about a pod's containers.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Start these, in order.
    Start(Vec<usize>),
    /// All have run to their end.
    Complete,
}

impl Worker {
    /// Goes on as far as it can.
    pub(super) fn advance(&mut self, cx: &mut Cx<'_>) {
        loop {
            match self.stage {
                Stage::Ended => return,
                Stage::Ending => return self.advance_end(cx),
                Stage::Active => {}
            }
            if self.step.is_some() {
                return;
            }
            if let Some(unit) = self.queue.pop_front() {
                self.start_unit(unit, cx);
            } else if self.in_pass {
                self.in_pass = false;
                self.end_pass(cx);
            } else if self.wanted {
                (self.wanted, self.in_pass) = (false, true);
                self.begin_pass(cx);
            } else {
                return;
            }
        }
    }

    fn begin_pass(&mut self, cx: &mut Cx<'_>) {
        (self.next_pass, self.retry_at) = (None, None);
        (self.failing, self.fresh_failure) = (false, false);
        if self.is_overdue(cx) {
            return self.begin_end(self.pod.spec.grace, cx);
        }
        self.tell_status(cx);
        if !self.volumes_stand(cx) {
            return;
        }
        let next = self.next();
        if next == Next::Complete {
            return self.begin_end(self.pod.spec.grace, cx);
        }
        if !self.has_ready_sandbox() {
            return self.make_sandbox(cx);
        }
        self.kill_condemned(cx);
        if let Next::Start(units) = next {
            self.queue = units.into();
        }
    }

    /// A pod may only be active for so long.
    fn is_overdue(&mut self, cx: &mut Cx<'_>) -> bool {
        let Some(deadline) = self.pod.spec.deadline else {
            return false;
        };
        if cx.now.since(self.started) < deadline {
            return false;
        }
        let message = "Pod was active on the node longer than the specified deadline";
        self.verdict = Some(("DeadlineExceeded".into(), message.into()));
        cx.event(None, false, "DeadlineExceeded", message);
        true
    }

    fn volumes_stand(&mut self, cx: &mut Cx<'_>) -> bool {
        match self.volumes {
            Volumes::Mounted => return true,
            Volumes::Mounting => {}
            Volumes::Unmounted if self.mount_again > cx.now => {
                self.next_pass = Some(self.mount_again);
            }
            Volumes::Unmounted => {
                self.volumes = Volumes::Mounting;
                cx.acts.push(Act::Mount);
            }
        }
        false
    }

    pub(super) fn mounted(&mut self, result: Result<(), Vec<String>>, cx: &mut Cx<'_>) {
        if self.volumes != Volumes::Mounting {
            return;
        }
        self.wanted = true;
        match result {
            Ok(()) => self.volumes = Volumes::Mounted,
            Err(failures) => {
                for message in failures {
                    cx.event(None, true, "FailedMount", message);
                }
                let wait = MOUNT_FIRST * 2_u32.saturating_pow(self.mount_failures.min(16));
                self.mount_failures += 1;
                self.volumes = Volumes::Unmounted;
                self.mount_again = cx.now + wait.min(MOUNT_MOST);
            }
        }
    }

    fn make_sandbox(&mut self, cx: &mut Cx<'_>) {
        let attempt = match &self.sandbox {
            Some(old) => {
                let message = "Pod sandbox changed, it will be killed and re-created.";
                cx.event(None, false, "SandboxChanged", message);
                cx.acts
                    .push(Act::Tell(Request::StopPodSandbox(old.id.clone())));
                old.config.attempt + 1
            }
            None => 0,
        };
        let step = self.begin_step(usize::MAX, Phase::Sandbox);
        cx.acts.push(Act::RunSandbox { step, attempt });
    }

    pub(super) fn sandbox_made(
        &mut self,
        step: u64,
        result: Result<Rc<SandboxStatus>, (&'static str, String)>,
        cx: &mut Cx<'_>,
    ) {
        if !self.awaits(step) {
            return;
        }
        self.step = None;
        match result {
            Ok(sandbox) => {
                self.sandbox = Some(sandbox);
                self.unreported = true;
                // The same pass goes on with the containers.
                if let Next::Start(units) = self.next() {
                    self.queue = units.into();
                }
            }
            Err((reason, message)) => {
                cx.event(None, true, reason, message);
                self.failing = true;
            }
        }
    }

    /// Which containers are to be started now.
    fn next(&self) -> Next {
        let ephemeral = |(_, unit): &(usize, &super::Unit)| {
            unit.container.role == Role::Ephemeral && unit.current.is_none()
        };
        let mut start: Vec<usize> = self
            .units
            .iter()
            .enumerate()
            .filter(ephemeral)
            .map(|(number, _)| number)
            .collect();
        let initialized = self.is_initialized();
        for (number, unit) in self.units.iter().enumerate() {
            let life = self.in_sandbox(unit);
            match unit.container.role {
                Role::Init if !initialized => match life {
                    Some(life) if unit.has_succeeded(life) => {}
                    Some(_) if unit.is_running() => return Next::Start(start),
                    Some(life) if !unit.container.restarts_after(life.exit_code) => {
                        return Next::Complete;
                    }
                    _ => {
                        start.push(number);
                        return Next::Start(start);
                    }
                },
                Role::Sidecar => {
                    let runs = life.is_some() && unit.is_running();
                    if !runs {
                        start.push(number);
                    }
                    if !(initialized || (runs && unit.started)) {
                        return Next::Start(start);
                    }
                }
                _ => {}
            }
        }
        let mut all_done = true;
        for (number, unit) in self.units.iter().enumerate() {
            if unit.container.role != Role::Main {
                continue;
            }
            match &unit.current {
                Some(_) if unit.is_running() => all_done = false,
                Some(life) if !unit.container.restarts_after(life.exit_code) => {}
                _ => {
                    all_done = false;
                    start.push(number);
                }
            }
        }
        if all_done {
            Next::Complete
        } else {
            Next::Start(start)
        }
    }

    fn kill_condemned(&mut self, cx: &mut Cx<'_>) {
        for number in 0..self.units.len() {
            let unit = &mut self.units[number];
            if unit.kill.is_none()
                && unit.is_running()
                && let Some((why, grace)) = unit.condemned.take()
            {
                unit.replaced = true;
                self.kill(number, &why, grace.unwrap_or(self.pod.spec.grace), cx);
            }
        }
    }

    pub(super) fn begin_step(&mut self, unit: usize, phase: Phase) -> u64 {
        self.step_number += 1;
        self.step = Some(Step { unit, phase });
        self.step_number
    }

    /// A container that crashed has to wait until then.
    pub(super) fn retry_at(&mut self, until: Instant) {
        self.retry_at = Some(self.retry_at.map_or(until, |at| at.min(until)));
    }

    fn end_pass(&mut self, cx: &mut Cx<'_>) {
        // What failed is told at once if there is another pass soon, else when it is tried again.
        let due = self.fresh_failure && !self.wanted;
        let reported = due && std::mem::take(&mut self.unreported);
        let retry = match self.retry_at {
            _ if reported => Some(cx.now + RELIST),
            _ if self.failing => Some(cx.jittered(RETRY)),
            Some(until) => Some(until + cx.within(TURN).since(cx.now)),
            None => None,
        };
        let deadline = self
            .pod
            .spec
            .deadline
            .map(|deadline| self.started + deadline);
        self.next_pass = [self.next_pass, retry, deadline]
            .into_iter()
            .flatten()
            .min();
    }
}
