//! Makes pods go for one of higher priority.
//! Models pkg/scheduler/framework/preemption/executor.go.

use api::object;
use client::{DeleteOptions, Env, EventType, Involved, Key, Occurrence, PODS, Patch, request};

use super::{KubeScheduler, Tag};
use crate::{Decision, Preemption};

impl KubeScheduler {
    /// Deletes the victims, tells why, and notes the node that the pod is promised.
    pub(super) fn preempt(&mut self, env: &Env<'_>, decision: &Decision, preemption: &Preemption) {
        let Preemption { node, victims } = preemption;
        for (key, uid) in victims {
            let Some(victim) = self.pod(key, uid).cloned() else {
                continue;
            };
            let condition = object! {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "PreemptionByScheduler",
                "message": "default-scheduler: preempting to accommodate a higher priority pod",
                "observedGeneration": (victim.generation()),
                "lastProbeTime": null,
                "lastTransitionTime": (env.now.rfc3339()),
            };
            let document = object! {
                "metadata": { "uid": uid }, "status": { "conditions": [condition] },
            };
            self.patch_status(env, key, document);
            let Key { namespace, name } = key;
            let request = request::delete(
                &PODS,
                namespace,
                name,
                &DeleteOptions::default().for_uid(uid),
            );
            self.client.send(env.cause, Tag::Preempt, request);
            let occurrence = Occurrence {
                involved: Involved::of(&PODS, &victim),
                event_type: EventType::Normal,
                reason: "Preempted".into(),
                action: "Preempting".into(),
                message: format!("Preempted by pod {} on node {node}", decision.uid),
            };
            self.recorder.record(env, &occurrence);
        }
        let document = object! {
            "metadata": { "uid": &decision.uid }, "status": { "nominatedNodeName": node },
        };
        self.patch_status(env, &decision.pod, document);
    }

    fn patch_status(&mut self, env: &Env<'_>, key: &Key, document: api::Value) {
        let Key { namespace, name } = key;
        let request = request::patch(&PODS, namespace, name, "status", Patch::Strategic, document);
        self.client.send(env.cause, Tag::Preempt, request);
    }
}
