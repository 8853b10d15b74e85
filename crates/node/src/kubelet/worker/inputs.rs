//! What a worker makes of what it is told.

use api::Value;

use crate::cri::{ContainerState, ContainerStatus, Reply};
use crate::kubelet::probe::ProbeKind;
use crate::kubelet::worker::{Act, Cx, Hook, Input, LEAST_GRACE, Phase, Stage, Unit, Worker};

impl Worker {
    /// Takes what happened, and goes on as far as it can.
    pub(crate) fn on(&mut self, input: Input, cx: &mut Cx<'_>) {
        match input {
            Input::Start | Input::Time => self.wanted = true,
            Input::Updated(object) => self.updated(object, cx),
            Input::Gone => self.gone(cx),
            Input::Sandbox(step, result) => self.sandbox_made(step, result, cx),
            Input::Answer(step, answer) => match (self.phase(step), answer) {
                (Some((unit, Phase::Image)), Ok(Reply::Image(image))) => {
                    self.image_looked_up(unit, image, cx);
                }
                (Some((unit, Phase::Create)), answer) => self.created(unit, answer, cx),
                (Some((unit, Phase::Start)), answer) => self.start_answered(unit, answer, cx),
                (Some((unit, Phase::Image)), Err(error)) => {
                    self.failed(unit, "ImageInspectError", error.to_string(), cx);
                }
                (Some((_, Phase::Stop)), _) => self.sandbox_stopped(),
                // The answer to a step that was given up.
                (None, Ok(Reply::Created(id))) => {
                    cx.acts
                        .push(Act::Tell(crate::cri::Request::RemoveContainer(id)));
                }
                _ => {}
            },
            Input::Pulled(step, result) => {
                if let Some((unit, Phase::Pull)) = self.phase(step) {
                    self.pulled(unit, result, cx);
                }
            }
            Input::Configured(step, result) => {
                if let Some((unit, Phase::Configure)) = self.phase(step) {
                    self.configured(unit, result, cx);
                }
            }
            Input::Mounted(result) => self.mounted(result, cx),
            Input::HookDone(unit, Hook::PostStart, result) => self.post_started(unit, result, cx),
            Input::HookDone(unit, Hook::PreStop, result) => self.pre_stopped(unit, result, cx),
            Input::Runtime(status) => self.runtime_told(status, cx),
            Input::SandboxLost(id) => {
                if let Some(sandbox) = self.sandbox.as_mut().filter(|sandbox| sandbox.id == id) {
                    std::rc::Rc::make_mut(sandbox).ready = false;
                    self.wanted = true;
                }
            }
            Input::Probed(unit, kind, passed) => self.probed(unit, kind, passed),
        }
        self.advance(cx);
    }

    /// The unit and phase of the step of this number, if it is the one under way.
    fn phase(&self, number: u64) -> Option<(usize, Phase)> {
        let step = self.step.as_ref().filter(|_| number == self.step_number)?;
        Some((step.unit, step.phase))
    }

    fn updated(&mut self, object: Value, cx: &mut Cx<'_>) {
        let before = self.pod.deletion_grace();
        let spec = self.pod.spec.clone();
        self.pod = self.pod.updated(object);
        if !std::rc::Rc::ptr_eq(&spec, &self.pod.spec) {
            self.spec_changed();
        }
        if self.stage == Stage::Ending && self.pod.deletion_grace() < before {
            self.hurry(cx);
        }
        if self.pod.object.is_terminating() && self.stage == Stage::Active {
            self.begin_end(self.pod.deletion_grace(), cx);
        }
    }

    /// Takes over a changed spec: new ephemeral containers, new images.
    fn spec_changed(&mut self) {
        let spec = self.pod.spec.clone();
        for container in &spec.containers {
            match self
                .units
                .iter_mut()
                .find(|unit| unit.container.name == container.name)
            {
                Some(unit) => {
                    if unit.container.image != container.image && unit.is_running() {
                        let name = &container.name;
                        let why = format!("Container {name} definition changed, will be restarted");
                        unit.condemned = Some((why.into(), None));
                    }
                    unit.container = container.clone();
                }
                None => self.units.push(Unit::new(container.clone())),
            }
        }
        self.wanted = true;
    }

    fn gone(&mut self, cx: &mut Cx<'_>) {
        match self.stage {
            Stage::Active => {
                let grace = if self.pod.object.is_terminating() {
                    self.pod.deletion_grace()
                } else {
                    self.pod.spec.grace
                };
                self.begin_end(grace, cx);
            }
            Stage::Ending => self.hurry(cx),
            Stage::Ended => {}
        }
    }

    fn runtime_told(&mut self, status: ContainerStatus, cx: &mut Cx<'_>) {
        let Some(number) = self.unit(&status.config.name) else {
            return;
        };
        let unit = &mut self.units[number];
        let is_new = unit.creating.as_ref() == Some(&status.id);
        if !is_new
            && unit
                .current
                .as_ref()
                .is_none_or(|current| current.id != status.id)
        {
            return;
        }
        if is_new {
            unit.creating = None;
            let old = unit
                .current
                .take()
                .filter(|old| old.state == ContainerState::Exited);
            if let Some(old) = old
                && let Some(older) = unit.last.replace(old)
            {
                cx.acts
                    .push(Act::Tell(crate::cri::Request::RemoveContainer(older.id)));
            }
        }
        let runs = status.state == ContainerState::Running;
        let had_run = unit.is_running();
        unit.renew(status);
        if runs != had_run {
            cx.acts.push(Act::Probe {
                unit: number,
                on: runs,
            });
        }
        self.wanted = true;
    }

    fn probed(&mut self, number: usize, kind: ProbeKind, passed: bool) {
        let Some(unit) = self.units.get_mut(number).filter(|unit| unit.is_running()) else {
            return;
        };
        let name = &unit.container.name;
        match (kind, passed) {
            (ProbeKind::Startup, true) => {
                unit.started = true;
                unit.ready = unit.container.probes[ProbeKind::Readiness as usize].is_none();
            }
            (ProbeKind::Readiness, passed) => unit.ready = passed,
            (ProbeKind::Liveness, true) => return,
            (ProbeKind::Liveness | ProbeKind::Startup, false) => {
                let probe = &unit.container.probes[kind as usize];
                let which = kind.title().to_lowercase();
                let why = format!("Container {name} failed {which} probe, will be restarted");
                unit.condemned = Some((why.into(), probe.as_ref().and_then(|probe| probe.grace)));
            }
        }
        self.wanted = true;
    }

    fn post_started(&mut self, number: usize, result: Result<(), String>, cx: &mut Cx<'_>) {
        let waits = self
            .step
            .as_ref()
            .is_some_and(|s| (s.unit, s.phase) == (number, Phase::Hook));
        if !waits {
            return;
        }
        self.step = None;
        match result {
            Ok(()) => self.units[number].reason = None,
            Err(why) => {
                cx.event(number, true, "FailedPostStartHook", "PostStartHook failed");
                self.units[number].reason = Some(("PostStartHookError".into(), why.into()));
                if self.stage == Stage::Active {
                    self.kill(number, "FailedPostStartHook", self.pod.spec.grace, cx);
                }
            }
        }
    }

    fn pre_stopped(&mut self, number: usize, result: Result<(), String>, cx: &mut Cx<'_>) {
        let Some(unit) = self.units.get_mut(number) else {
            return;
        };
        let Some(kill) = unit.kill.as_mut().filter(|kill| kill.hook) else {
            return;
        };
        kill.hook = false;
        let left = kill
            .grace
            .saturating_sub(cx.now.since(kill.began))
            .max(LEAST_GRACE);
        if result.is_err() {
            cx.event(number, true, "FailedPreStopHook", "PreStopHook failed");
        }
        self.stop(number, left, cx);
    }
}
