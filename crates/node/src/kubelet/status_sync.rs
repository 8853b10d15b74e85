//! What the API server has been told of pods, and what is still to be told.
//! Models pkg/kubelet/status/status_manager.go.

use api::{Str, Value};
use client::{DeleteOptions, Incoming, PODS, Patch, answer, request};
use machine::Sys;
use sim::Duration;

use crate::kubelet::State;
use crate::kubelet::due::Due;
use crate::kubelet::pod::{Pod, Source};
use crate::kubelet::status;
use crate::kubelet::watching::Tag;
use crate::kubelet::worker::Stage;

/// Between attempts to tell what could not be told (`syncPeriod`).
const AGAIN: Duration = Duration::from_secs(10);

/// How far the API server knows a pod's status.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The status it has, at this version.
    known: Value,
    version: u64,
    /// A write that is not answered yet.
    under_way: bool,
    /// What was written last, for as long as the answer was a success.
    written: Option<Value>,
    /// The pod's deletion has been asked for.
    deleting: bool,
}

impl Told {
    pub(crate) fn new(pod: &Pod) -> Told {
        let mut told = Told {
            known: Value::Null,
            version: 0,
            under_way: false,
            written: None,
            deleting: false,
        };
        if pod.source == Source::Api {
            told.seen(&pod.object);
        }
        told
    }

    /// The API server's object was seen.
    pub(crate) fn seen(&mut self, object: &Value) {
        let version = object.resource_version().parse().unwrap_or(0);
        if version >= self.version {
            self.known = object.get("status").clone();
            self.version = version;
        }
    }
}

impl State {
    /// A pod's status may have changed.
    pub(crate) fn update_status(&mut self, sys: &mut Sys<'_>, uid: &Str) {
        let Some(entry) = self.pods.get_mut(uid) else {
            return;
        };
        let status = status::status(&entry.worker, sys.now(), &self.host_ips);
        if !entry.worker.status.same(&status) {
            entry.worker.status = status;
        }
        self.send_status(sys, uid);
    }

    /// Tells the API server what it does not know of a pod yet; then has the pod deleted, if its
    /// end was all that was waited for.
    pub(crate) fn send_status(&mut self, sys: &mut Sys<'_>, uid: &Str) {
        let Some(entry) = self.pods.get_mut(uid) else {
            return;
        };
        if entry.told.under_way || entry.gone {
            return;
        }
        let pod = &entry.worker.pod;
        let target = match pod.source {
            Source::Api => uid.clone(),
            Source::File => match self.watching.pod(&pod.namespace, &pod.name) {
                Some(mirror) => {
                    entry.told.seen(mirror);
                    mirror.uid().into()
                }
                None => return,
            },
        };
        match status::patch(&target, &entry.told.known, &entry.worker.status) {
            // It was taken and is still needed: somebody undoes it. Not at once, or two who
            // disagree keep the whole cluster busy.
            Some(patch) if entry.told.written.as_ref().is_some_and(|w| w.same(&patch)) => {
                entry.told.written = None;
                self.timetable
                    .set(Due::Status(uid.clone()), Some(sys.now() + AGAIN));
            }
            Some(patch) => {
                entry.told.under_way = true;
                entry.told.written = Some(patch.clone());
                let (namespace, name) = (&pod.namespace, &pod.name);
                let request =
                    request::patch(&PODS, namespace, name, "status", Patch::Strategic, patch);
                self.api
                    .client
                    .send(sys.cause(), Tag::Status(uid.clone()), request);
            }
            None => self.delete_if_ended(sys, uid),
        }
    }

    fn delete_if_ended(&mut self, sys: &mut Sys<'_>, uid: &Str) {
        let Some(entry) = self.pods.get_mut(uid) else {
            return;
        };
        let pod = &entry.worker.pod;
        let is_due = pod.source == Source::Api
            && pod.object.is_terminating()
            && entry.worker.stage == Stage::Ended;
        if !is_due || entry.told.deleting {
            return;
        }
        entry.told.deleting = true;
        let options = DeleteOptions::default().for_uid(uid).with_grace(0);
        let request = request::delete(&PODS, &pod.namespace, &pod.name, &options);
        self.api
            .client
            .send(sys.cause(), Tag::Deleted(uid.clone()), request);
    }

    pub(crate) fn status_answered(&mut self, sys: &mut Sys<'_>, uid: &Str, incoming: &Incoming) {
        let Some(entry) = self.pods.get_mut(uid) else {
            return;
        };
        entry.told.under_way = false;
        match answer(incoming) {
            Ok(object) => {
                entry.told.seen(&object);
                self.send_status(sys, uid);
            }
            // It is gone, or another has its name: its end will be seen.
            Err(error) if error.is_not_found() || error.is_conflict() => {}
            Err(_) => {
                entry.told.written = None;
                self.timetable
                    .set(Due::Status(uid.clone()), Some(sys.now() + AGAIN));
            }
        }
    }

    pub(crate) fn deletion_answered(&mut self, sys: &mut Sys<'_>, uid: &Str, incoming: &Incoming) {
        let Some(entry) = self.pods.get_mut(uid) else {
            return;
        };
        match answer(incoming) {
            Ok(_) => {}
            Err(error) if error.is_not_found() || error.is_conflict() => {}
            Err(_) => {
                entry.told.deleting = false;
                self.timetable
                    .set(Due::Status(uid.clone()), Some(sys.now() + AGAIN));
            }
        }
    }
}
