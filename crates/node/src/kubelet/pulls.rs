//! Images being pulled: one at a time unless the kubelet is told otherwise.
//! Models pkg/kubelet/images/puller.go.

use std::collections::VecDeque;
use std::rc::Rc;

use api::Str;
use machine::Sys;
use sim::Instant;

use crate::cri::{Error, Reply, Request};
use crate::kubelet::State;
use crate::kubelet::runtime::Purpose;
use crate::kubelet::worker::{Input, Pulled};

/// A pull asked for by a pod.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    uid: Str,
    step: u64,
    image: Rc<str>,
    asked: Instant,
    began: Instant,
}

/// Pulls that wait for the one under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct PullQueue {
    waiting: VecDeque<Job>,
    busy: bool,
}

impl State {
    /// A pod asks for an image.
    pub(crate) fn pull(&mut self, sys: &mut Sys<'_>, uid: &Str, step: u64, unit: usize) {
        let Some(entry) = self.pods.get(uid) else {
            return;
        };
        let image = entry.worker.units[unit].container.image.clone();
        let now = sys.now();
        self.pulls.waiting.push_back(Job {
            uid: uid.clone(),
            step,
            image,
            asked: now,
            began: now,
        });
        self.next_pull(sys);
    }

    fn next_pull(&mut self, sys: &mut Sys<'_>) {
        while !(self.pulls.busy && self.settings.serialize_pulls) {
            let Some(mut job) = self.pulls.waiting.pop_front() else {
                return;
            };
            let still_wanted = self
                .pods
                .get(&job.uid)
                .is_some_and(|entry| entry.worker.awaits(job.step));
            if !still_wanted {
                continue;
            }
            job.began = sys.now();
            self.pulls.busy = true;
            let request = Request::PullImage(job.image.clone());
            self.runtime
                .call(sys, request, Purpose::Pull(job), &mut self.heard);
        }
    }

    pub(crate) fn pull_ended(&mut self, sys: &mut Sys<'_>, job: Job, answer: Result<Reply, Error>) {
        let now = sys.now();
        let result = match answer {
            Ok(Reply::Image(Some(image))) => {
                self.image_seen(sys, &image);
                Ok(Pulled {
                    image,
                    took: now.since(job.began),
                    waited: now.since(job.asked),
                })
            }
            Ok(_) => Err("the runtime gave no image".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        self.inputs
            .push_back((job.uid, Input::Pulled(job.step, result)));
        self.pulls.busy = false;
        self.next_pull(sys);
    }
}
