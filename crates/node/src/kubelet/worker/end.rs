//! The end of a pod: its containers are asked to end, sidecars last, then its sandbox goes.
//! Models kuberuntime_container.go, `killContainersWithSyncResult`, and
//! kuberuntime_termination_order.go.

use sim::Duration;

use crate::cri::Request;
use crate::kubelet::pod::Role;
use crate::kubelet::worker::{
    Act, Cx, Hook, Kill, LEAST_GRACE, Phase, Stage, TURN, Volumes, Worker,
};

impl Worker {
    /// Begins to end the pod: its containers get so long.
    pub(super) fn begin_end(&mut self, grace: Duration, cx: &mut Cx<'_>) {
        if self.stage != Stage::Active {
            return;
        }
        self.stage = Stage::Ending;
        self.queue.clear();
        self.in_pass = false;
        self.next_pass = None;
        self.end_by = Some(cx.now + grace);
        // What only prepares is given up; what makes something is waited for, then unmade.
        let gives_up = |phase: Phase| {
            matches!(
                phase,
                Phase::Image | Phase::Pull | Phase::Configure | Phase::Hook
            )
        };
        if self.step.as_ref().is_some_and(|step| gives_up(step.phase)) {
            self.step = None;
        }
        self.tell_status(cx);
    }

    /// Less time is left than was granted at first.
    pub(super) fn hurry(&mut self, cx: &mut Cx<'_>) {
        let grace = self.pod.deletion_grace();
        let end_by = cx.now + grace;
        if self.end_by.is_some_and(|by| by <= end_by) {
            return;
        }
        self.end_by = Some(end_by);
        for number in 0..self.units.len() {
            if let Some(kill) = &mut self.units[number].kill {
                kill.hook = false;
                self.stop(number, grace.max(LEAST_GRACE), cx);
            }
        }
    }

    pub(super) fn advance_end(&mut self, cx: &mut Cx<'_>) {
        if self.step.is_some() {
            return;
        }
        let runs_by_itself = |role: Role| role != Role::Sidecar;
        let mut running = false;
        for number in 0..self.units.len() {
            let unit = &self.units[number];
            if unit.is_running() && runs_by_itself(unit.container.role) {
                running = true;
                self.kill_for_end(number, cx);
            }
        }
        if !running {
            // Sidecars outlive what they serve, and end in reverse order.
            let last = (0..self.units.len())
                .rev()
                .find(|number| self.units[*number].is_running());
            if let Some(number) = last {
                running = true;
                self.kill_for_end(number, cx);
            }
        }
        if running {
            return;
        }
        if let Some(sandbox) = self.sandbox.as_ref().filter(|sandbox| sandbox.ready) {
            let id = sandbox.id.clone();
            let step = self.begin_step(usize::MAX, Phase::Stop);
            cx.acts.push(Act::Call(step, Request::StopPodSandbox(id)));
            return;
        }
        self.finish_in_turn(cx);
    }

    /// Lets go of a pod of which nothing runs, when its turn comes.
    fn finish_in_turn(&mut self, cx: &mut Cx<'_>) {
        let turn = match self.end_turn {
            Some(turn) => turn,
            None => {
                // Whoever waits for what became of it is told now.
                if !self.pod.object.is_terminating() {
                    self.tell_status(cx);
                }
                cx.within(TURN)
            }
        };
        self.end_turn = Some(turn);
        if turn > cx.now {
            self.next_pass = Some(turn);
            return;
        }
        self.next_pass = None;
        self.finish(cx);
    }

    fn kill_for_end(&mut self, number: usize, cx: &mut Cx<'_>) {
        if self.units[number].kill.is_some() {
            return;
        }
        let left = self
            .end_by
            .map_or(self.pod.spec.grace, |by| by.since(cx.now));
        let message = format!("Stopping container {}", self.units[number].container.name);
        self.kill(number, &message, left, cx);
    }

    pub(super) fn sandbox_stopped(&mut self) {
        self.step = None;
        if let Some(sandbox) = &mut self.sandbox {
            std::rc::Rc::make_mut(sandbox).ready = false;
        }
    }

    fn finish(&mut self, cx: &mut Cx<'_>) {
        self.stage = Stage::Ended;
        if self.volumes != Volumes::Unmounted {
            self.volumes = Volumes::Unmounted;
            cx.acts.push(Act::Unmount);
        }
        self.tell_status(cx);
        cx.acts.push(Act::Ended);
    }

    /// Asks a running container to end, giving it so long, its hook included.
    pub(super) fn kill(&mut self, number: usize, message: &str, grace: Duration, cx: &mut Cx<'_>) {
        cx.event(number, false, "Killing", message);
        let unit = &mut self.units[number];
        let hook = !unit.container.object.at("lifecycle.preStop").is_null() && !grace.is_zero();
        unit.kill = Some(Kill {
            grace,
            began: cx.now,
            hook,
        });
        if hook {
            cx.acts.push(Act::Hook {
                unit: number,
                hook: Hook::PreStop,
                limit: grace,
            });
        } else {
            self.stop(number, grace.max(LEAST_GRACE), cx);
        }
    }

    pub(super) fn stop(&mut self, number: usize, timeout: Duration, cx: &mut Cx<'_>) {
        if let Some(life) = &self.units[number].current {
            let id = life.id.clone();
            cx.acts
                .push(Act::Tell(Request::StopContainer { id, timeout }));
        }
    }
}
