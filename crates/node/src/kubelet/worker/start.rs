//! Starting one container: back-off, image, configuration, creation, start, hook. Each step waits
//! for its answer; what fails leaves its reason and is tried again in a later pass.
//! Models kuberuntime_container.go, `startContainer`, and images/image_manager.go.

use std::rc::Rc;

use sim::Duration;

use crate::cri::{self, ContainerConfig, ImageStatus, Reply, Request};
use crate::kubelet::pod::PullPolicy;
use crate::kubelet::worker::{Act, Cx, Hook, Phase, Pulled, Stage, Worker};
use crate::reference::Reference;

impl Worker {
    pub(super) fn start_unit(&mut self, number: usize, cx: &mut Cx<'_>) {
        if self.units[number].is_running() || self.is_in_crash_backoff(number, cx) {
            return;
        }
        let unit = &self.units[number];
        let image = unit.container.image.clone();
        if let Err(error) = Reference::parse(&image) {
            let message = format!(
                "Failed to apply default image tag \"{image}\": couldn't parse image name \
                 \"{image}\": {error}"
            );
            cx.event(number, true, "InspectFailed", message.clone());
            return self.failed(number, "InvalidImageName", message, cx);
        }
        if unit.container.pull == PullPolicy::Always {
            return self.pull(number, cx);
        }
        let step = self.begin_step(number, Phase::Image);
        cx.acts.push(Act::Call(step, Request::ImageStatus(image)));
    }

    /// A container that ended is started again at once the first time, later after a pause.
    fn is_in_crash_backoff(&mut self, number: usize, cx: &mut Cx<'_>) -> bool {
        let full_name = self.pod.full_name();
        let unit = &mut self.units[number];
        let life = match std::mem::take(&mut unit.replaced) {
            true => unit.last.as_ref(),
            false => unit.ended(),
        };
        let Some(finished) = life.map(|life| life.finished_at.unwrap_or(cx.now)) else {
            return false;
        };
        let Some(until) = unit.crash.until(cx.now, Some(finished)) else {
            unit.crash.next(cx.now, finished);
            return false;
        };
        let name = unit.container.name.clone();
        let wait = api::time::go_duration(unit.crash.wait());
        let message = format!("back-off {wait} restarting failed container={name} pod={full_name}");
        let event = format!("Back-off restarting failed container {name} in pod {full_name}");
        cx.event(number, true, "BackOff", event);
        self.set_reason(number, "CrashLoopBackOff", &message);
        self.retry_at(until);
        true
    }

    pub(super) fn image_looked_up(
        &mut self,
        number: usize,
        image: Option<ImageStatus>,
        cx: &mut Cx<'_>,
    ) {
        let container = self.units[number].container.clone();
        let name = &container.image;
        match image {
            Some(image) => {
                let message = format!(
                    "Container image \"{name}\" already present on machine and can be accessed by \
                     the pod"
                );
                cx.event(number, false, "Pulled", message);
                self.configure(number, Some(image), cx);
            }
            None if container.pull == PullPolicy::Never => {
                let message =
                    format!("Container image \"{name}\" is not present with pull policy of Never");
                cx.event(number, true, "ErrImageNeverPull", message.clone());
                self.failed(number, "ErrImageNeverPull", message, cx);
            }
            None => self.pull(number, cx),
        }
    }

    fn pull(&mut self, number: usize, cx: &mut Cx<'_>) {
        let unit = &self.units[number];
        let name = unit.container.image.clone();
        if unit.pull.until(cx.now, None).is_some() {
            let event = format!("Back-off pulling image \"{name}\"");
            let message = format!("{event}: ErrImagePull: {}", unit.pull_error);
            cx.event(number, false, "BackOff", event);
            return self.failed(number, "ImagePullBackOff", message, cx);
        }
        cx.event(
            number,
            false,
            "Pulling",
            format!("Pulling image \"{name}\""),
        );
        let step = self.begin_step(number, Phase::Pull);
        cx.acts.push(Act::Pull { step, unit: number });
    }

    pub(super) fn pulled(
        &mut self,
        number: usize,
        result: Result<Pulled, String>,
        cx: &mut Cx<'_>,
    ) {
        let unit = &mut self.units[number];
        let name = unit.container.image.clone();
        match result {
            Ok(pulled) => {
                let (took, waited) = (whole_millis(pulled.took), whole_millis(pulled.waited));
                let size = pulled.image.size;
                let message = format!(
                    "Successfully pulled image \"{name}\" in {took} ({waited} including waiting). \
                     Image size: {size} bytes."
                );
                cx.event(number, false, "Pulled", message);
                self.configure(number, Some(pulled.image), cx);
            }
            Err(why) => {
                unit.pull.next(cx.now, cx.now);
                unit.pull_error = why.as_str().into();
                let message = format!("Failed to pull image \"{name}\": {why}");
                cx.event(number, true, "Failed", message);
                self.failed(number, "ErrImagePull", why, cx);
            }
        }
    }

    fn configure(&mut self, number: usize, image: Option<ImageStatus>, cx: &mut Cx<'_>) {
        let attempt = self.next_attempt(number);
        let step = self.begin_step(number, Phase::Configure);
        cx.acts.push(Act::Configure {
            step,
            unit: number,
            image,
            attempt,
        });
    }

    /// The number of the life to come; counts on from what the status said where the runtime has
    /// forgotten.
    fn next_attempt(&self, number: usize) -> u32 {
        let unit = &self.units[number];
        match &unit.current {
            Some(life) => life.config.attempt + 1,
            None => 0,
        }
    }

    pub(super) fn configured(
        &mut self,
        number: usize,
        result: Result<Rc<ContainerConfig>, (&'static str, String)>,
        cx: &mut Cx<'_>,
    ) {
        let sandbox = self.sandbox.as_ref().filter(|sandbox| sandbox.ready);
        match (result, sandbox.map(|sandbox| sandbox.id.clone())) {
            (Ok(config), Some(sandbox)) => {
                let step = self.begin_step(number, Phase::Create);
                cx.acts.push(Act::Call(
                    step,
                    Request::CreateContainer { sandbox, config },
                ));
            }
            (Ok(_), None) => {
                self.step = None;
                self.wanted = true;
            }
            (Err((reason, message)), _) => {
                cx.event(number, true, "Failed", format!("Error: {message}"));
                self.fail(number, reason, &message);
            }
        }
    }

    pub(super) fn created(
        &mut self,
        number: usize,
        answer: Result<Reply, cri::Error>,
        cx: &mut Cx<'_>,
    ) {
        match answer {
            Ok(Reply::Created(id)) => {
                cx.event(number, false, "Created", "Container created");
                self.units[number].creating = Some(id.clone());
                if self.stage == Stage::Ending {
                    self.step = None;
                    return;
                }
                let step = self.begin_step(number, Phase::Start);
                cx.acts.push(Act::Call(step, Request::StartContainer(id)));
            }
            Ok(_) => self.step = None,
            Err(error) => {
                cx.event(number, true, "Failed", format!("Error: {}", error.desc));
                self.fail(number, "CreateContainerError", &error.desc);
            }
        }
    }

    pub(super) fn start_answered(
        &mut self,
        number: usize,
        answer: Result<Reply, cri::Error>,
        cx: &mut Cx<'_>,
    ) {
        if let Err(error) = answer {
            cx.event(number, true, "Failed", format!("Error: {}", error.desc));
            return self.fail(number, "RunContainerError", &error.desc);
        }
        cx.event(number, false, "Started", "Container started");
        self.step = None;
        let unit = &mut self.units[number];
        if unit.container.object.at("lifecycle.postStart").is_null() || self.stage != Stage::Active
        {
            unit.reason = None;
            return;
        }
        self.begin_step(number, Phase::Hook);
        // Upstream waits for as long as it takes.
        let limit = Duration::from_secs(3600);
        cx.acts.push(Act::Hook {
            unit: number,
            hook: Hook::PostStart,
            limit,
        });
    }

    /// The step failed as a whole: besides its own event comes one with the reason.
    pub(super) fn failed(
        &mut self,
        number: usize,
        reason: &'static str,
        message: String,
        cx: &mut Cx<'_>,
    ) {
        cx.event(number, true, "Failed", format!("Error: {reason}"));
        self.fail(number, reason, &message);
    }

    /// The step failed: the reason goes into the status at the next pass.
    fn fail(&mut self, number: usize, reason: &str, message: &str) {
        self.step = None;
        self.failing = true;
        self.set_reason(number, reason, message);
    }

    fn set_reason(&mut self, number: usize, reason: &str, message: &str) {
        let unit = &mut self.units[number];
        // What the status does not say yet is told soon; what it says already can wait.
        self.fresh_failure |= unit
            .reason
            .as_ref()
            .is_none_or(|(known, _)| &**known != reason);
        unit.reason = Some((reason.into(), message.into()));
    }
}

/// A duration as Go prints it, cut to milliseconds.
fn whole_millis(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    api::time::go_duration(Duration::from_millis(millis))
}
