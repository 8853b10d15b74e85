//! Has a pod's claims bound that waited for it, and then binds the pod.
//! Models plugins/volumebinding/binder.go (`BindPodVolumes`).

use std::rc::Rc;

use api::kinds::support::volumes::{BOUND_BY_CONTROLLER, SELECTED_NODE};
use api::{Value, object};
use client::{
    Env, EventType, Incoming, Key, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, answer, request,
};
use sim::{Duration, Instant};

use super::{KubeScheduler, Tag};
use crate::Decision;
use crate::plugins::{Bind, is_bound};

/// `bindTimeoutSeconds`
const PATIENCE: Duration = Duration::from_secs(600);

/// A pod whose claims are not bound yet.
#[derive(Clone, Debug)]
pub(super) struct Awaiting {
    decision: Rc<Decision>,
    claims: Vec<Key>,
    /// When it is given up.
    pub(super) until: Instant,
}

impl KubeScheduler {
    /// Writes what the pod's claims need, and binds the pod at once if they need nothing.
    pub(super) fn bind_volumes(&mut self, env: &Env<'_>, decision: Rc<Decision>) {
        let binds = self.scheduler.take_binds(&decision.uid);
        if binds.is_empty() {
            return self.bind(env, decision);
        }
        let mut claims = Vec::new();
        for bind in binds {
            let (claim, request) = match bind {
                Bind::Volume(mut volume, claim) => {
                    volume.set("spec.claimRef", reference(&claim));
                    volume.set_annotation(BOUND_BY_CONTROLLER, "yes");
                    (claim, request::update(&PERSISTENT_VOLUMES, volume, ""))
                }
                Bind::Provision(mut claim) => {
                    let node = decision.node().map_or("", |node| &**node);
                    claim.set_annotation(SELECTED_NODE, node);
                    let request = request::update(&PERSISTENT_VOLUME_CLAIMS, claim.clone(), "");
                    (claim, request)
                }
            };
            claims.push(Key::of(&claim));
            let tag = Tag::Volume(decision.clone());
            self.client.send(env.cause, tag, request);
        }
        self.awaiting.push(Awaiting {
            decision,
            claims,
            until: env.now + PATIENCE,
        });
    }

    /// Binds the pods whose claims are bound by now, and gives up those that have waited too long.
    pub(super) fn go_on_binding(&mut self, env: &Env<'_>) {
        let cluster = self.scheduler.cluster();
        let ready = |one: &Awaiting| {
            let mut claims = one.claims.iter();
            claims.all(|key| cluster.claim(key).is_some_and(is_bound))
        };
        let (done, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.awaiting)
            .into_iter()
            .partition(ready);
        let (late, waiting): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|one| one.until <= env.now);
        self.awaiting = waiting;
        for one in done {
            self.bind(env, one.decision);
        }
        for one in late {
            self.fail(env, &one.decision, "context deadline exceeded");
        }
    }

    /// A write was answered.
    pub(super) fn on_volume_written(
        &mut self,
        env: &Env<'_>,
        decision: &Rc<Decision>,
        incoming: &Incoming,
    ) {
        if let Err(error) = answer(incoming) {
            self.awaiting.retain(|one| one.decision.uid != decision.uid);
            self.fail(env, decision, &error.to_string());
        }
    }

    fn fail(&mut self, env: &Env<'_>, decision: &Decision, why: &str) {
        let message = format!("running PreBind plugin \"VolumeBinding\": binding volumes: {why}");
        self.tell(
            env,
            decision,
            EventType::Warning,
            "FailedScheduling",
            &message,
        );
        self.set_condition(env, decision, "SchedulerError", &message);
        self.scheduler.bind_failed(env.now, &decision.uid);
    }
}

fn reference(claim: &Value) -> Value {
    object! {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": claim.name(),
        "namespace": claim.namespace(),
        "resourceVersion": claim.resource_version(),
        "uid": claim.uid(),
    }
}
