//! Deletes Jobs some time after they are over, if they say when.
//! Models pkg/controller/ttlafterfinished/ttlafterfinished_controller.go.

use api::Value;
use api::kinds::support::conditions;
use client::request::Propagation;
use client::{DeleteOptions, Delta, Index, JOBS, Key, Resource};
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx};

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct TtlAfterFinishedController;

impl Controller for TtlAfterFinishedController {
    fn name(&self) -> &'static str {
        "ttl-after-finished-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(JOBS, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, _: &Resource, delta: &Delta) {
        if delta.new.as_ref().is_some_and(|job| expiry(job).is_some()) {
            agenda.add(delta.key.clone());
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(job) = cx.cache(&JOBS).get(key).cloned() else {
            return;
        };
        match expiry(&job).filter(|_| !job.is_terminating()) {
            None => {}
            Some(at) if at > cx.now => cx.requeue_after(at.since(cx.now)),
            Some(_) => {
                let options = DeleteOptions::propagating(Propagation::Foreground);
                cx.delete(&JOBS, &job, options);
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

/// When the Job is to go.
fn expiry(job: &Value) -> Option<Instant> {
    let ttl = u64::try_from(job.i64_at("spec.ttlSecondsAfterFinished")?).ok()?;
    let ended = ["Complete", "Failed"].map(|kind| conditions::get(job, kind));
    let ended = ended
        .into_iter()
        .find(|condition| condition.str("status") == "True")?;
    let at = Instant::parse_rfc3339(ended.str("lastTransitionTime"))?;
    Some(at + Duration::from_secs(ttl))
}
