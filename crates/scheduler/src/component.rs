//! kube-scheduler without its process: keeps the caches, takes part in leader election, and turns
//! decisions into bindings, conditions and events.
//! Models cmd/kube-scheduler/app/server.go and the binding cycle of pkg/scheduler/schedule_one.go.

use std::rc::Rc;

use api::{Str, Value, object};
use client::{
    CallId, Candidacy, Client, Component, Delta, Env, EventRecorder, EventType, Identity, Incoming,
    Informers, Involved, Key, NAMESPACES, NODES, Occurrence, Outgoing, PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES, PODS, Patch, REPLICA_SETS, SERVICES, STORAGE_CLASSES, Severity, Style,
    answer, request,
};
use sim::{Instant, Kind};

use crate::{Decision, Outcome, Scheduler};

mod preempt;
mod volumes;

const NAME: &str = "default-scheduler";

/// A pod was given a node.
pub const PLACED: Kind = Kind {
    name: "scheduler.placed",
    says: "the scheduler chose {1} for pod {0}",
};
/// No node would do for a pod.
pub const REJECTED: Kind = Kind {
    name: "scheduler.rejected",
    says: "the scheduler found no node for pod {0}: {1}",
};

/// How kube-scheduler runs.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whose requests it sends.
    pub identity: Identity,
    /// The machine's name: events and the lease say it.
    pub hostname: Str,
    /// The holder of the lease, made unique; none to run without leader election.
    pub holder: Option<Str>,
}

/// The component.
#[derive(Clone, Debug)]
pub struct KubeScheduler {
    scheduler: Scheduler,
    client: Client<Tag>,
    informers: Informers,
    candidacy: Candidacy,
    standing: bool,
    recorder: EventRecorder,
    /// Pods whose volumes are being bound.
    awaiting: Vec<volumes::Awaiting>,
}

/// What a call is for.
#[derive(Clone, Debug)]
enum Tag {
    Informer(usize),
    Election,
    Event,
    Binding(Rc<Decision>),
    Condition,
    /// A write for a pod's claims.
    Volume(Rc<Decision>),
    /// A pod is made to go for another.
    Preempt,
}

impl KubeScheduler {
    /// A scheduler with the default profile.
    #[must_use]
    pub fn new(options: Options) -> KubeScheduler {
        let Options {
            identity,
            hostname,
            holder,
        } = options;
        let mut informers = Informers::new();
        for resource in [
            &PODS,
            &NODES,
            &SERVICES,
            &REPLICA_SETS,
            &NAMESPACES,
            &PERSISTENT_VOLUME_CLAIMS,
            &PERSISTENT_VOLUMES,
            &STORAGE_CLASSES,
        ] {
            informers.watch(resource, &[]);
        }
        let instance = Style::Series(Str::from(format!("{NAME}-{hostname}")));
        KubeScheduler {
            scheduler: Scheduler::default(),
            client: Client::new(identity),
            informers,
            candidacy: Candidacy::new("kube-scheduler", holder, "server.go:320"),
            standing: false,
            recorder: EventRecorder::new(NAME, "", instance),
            awaiting: Vec::new(),
        }
    }

    /// What it knows and has decided.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Whether it schedules.
    #[must_use]
    pub fn is_leading(&self) -> bool {
        self.candidacy.is_leading()
    }

    fn on_deltas(&mut self, now: Instant, number: usize, deltas: &[Delta]) {
        let Some(informer) = self.informers.get(number) else {
            return;
        };
        let resource = informer.resource();
        for delta in deltas {
            let (key, new) = (&delta.key, delta.new.as_ref());
            match &*resource.plural {
                "pods" => self.scheduler.on_pod(now, delta),
                "nodes" => self.scheduler.on_node(now, delta),
                "services" if delta.changed("spec.selector") => {
                    self.scheduler.cluster_mut().set_service(key, new);
                }
                "replicasets" if delta.changed("spec.selector") => {
                    self.scheduler.cluster_mut().set_replica_set(key, new);
                }
                "namespaces" => self.scheduler.cluster_mut().set_namespace(&key.name, new),
                "persistentvolumeclaims" => self.scheduler.on_claim(now, delta),
                "persistentvolumes" => self.scheduler.on_volume(now, delta),
                "storageclasses" => self.scheduler.on_storage_class(now, delta),
                _ => {}
            }
        }
    }

    /// Stands for election once the caches are filled, and schedules while it leads.
    fn work(&mut self, env: &mut Env<'_>) {
        if !self.standing && self.informers.have_synced() {
            self.standing = true;
            self.candidacy.start(env, &mut self.client, Tag::Election);
        }
        if self.candidacy.is_leading() {
            let cause = env.cause;
            while let Some(decision) = self.scheduler.schedule_one(env.now, env.random) {
                env.cause = cause;
                self.act(env, decision);
            }
            env.cause = cause;
            self.go_on_binding(env);
        }
        self.recorder.flush(env, &mut self.client, &Tag::Event);
    }

    fn act(&mut self, env: &mut Env<'_>, decision: Rc<Decision>) {
        let key = &decision.pod;
        let pod = key.to_string();
        match &decision.outcome {
            Outcome::Placed { node, .. } => {
                env.note(&PLACED, &[pod.as_str().into(), (&**node).into()]);
                self.bind_volumes(env, decision);
            }
            Outcome::Unschedulable {
                message,
                preemption,
                ..
            } => {
                env.note(&REJECTED, &[pod.as_str().into(), message.as_str().into()]);
                self.tell(
                    env,
                    &decision,
                    EventType::Warning,
                    "FailedScheduling",
                    message,
                );
                self.set_condition(env, &decision, "Unschedulable", message);
                if let Some(preemption) = preemption {
                    self.preempt(env, &decision, preemption);
                }
            }
        }
    }

    /// Gives the pod its node.
    fn bind(&mut self, env: &Env<'_>, decision: Rc<Decision>) {
        let Some(node) = decision.node() else { return };
        let key = &decision.pod;
        let binding = object! {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {
                "name": &key.name, "namespace": &key.namespace, "uid": &decision.uid,
            },
            "target": { "kind": "Node", "name": node },
        };
        let request = request::create_sub(&PODS, &key.namespace, &key.name, "binding", binding);
        self.client.send(env.cause, Tag::Binding(decision), request);
    }

    fn on_bound(&mut self, env: &mut Env<'_>, decision: &Rc<Decision>, incoming: &Incoming) {
        let Some(node) = decision.node() else { return };
        let Err(error) = answer(incoming) else {
            let message = format!("Successfully assigned {} to {node}", decision.pod);
            self.tell(env, decision, EventType::Normal, "Scheduled", &message);
            self.scheduler.bound(&decision.uid);
            return;
        };
        let message = format!("binding rejected: running Bind plugin \"DefaultBinder\": {error}");
        let (pod, place) = (&decision.pod, "schedule_one.go:1100");
        let text = format!("\"Error scheduling pod; retrying\" err=\"{message}\" pod=\"{pod}\"");
        env.log(Severity::Error, place, &text);
        if !error.is_not_found() {
            self.tell(
                env,
                decision,
                EventType::Warning,
                "FailedScheduling",
                &message,
            );
            self.set_condition(env, decision, "SchedulerError", &message);
        }
        self.scheduler.bind_failed(env.now, &decision.uid);
    }

    fn tell(
        &mut self,
        env: &Env<'_>,
        decision: &Decision,
        event_type: EventType,
        reason: &str,
        message: &str,
    ) {
        let pod = self.pod(&decision.pod, &decision.uid);
        let metadata = object! {
            "metadata": {
                "name": &decision.pod.name, "namespace": &decision.pod.namespace,
                "uid": &decision.uid,
                "resourceVersion": (pod.map_or("", Value::resource_version)),
            },
        };
        let action = if reason == "Scheduled" {
            "Binding"
        } else {
            "Scheduling"
        };
        let occurrence = Occurrence {
            involved: Involved::of(&PODS, &metadata),
            event_type,
            reason: reason.into(),
            action: action.into(),
            message: message.to_owned(),
        };
        self.recorder.record(env, &occurrence);
    }

    /// Writes why the pod is not scheduled into its status, unless that is there already.
    fn set_condition(&mut self, env: &Env<'_>, decision: &Decision, reason: &str, message: &str) {
        let Some(pod) = self.pod(&decision.pod, &decision.uid) else {
            return;
        };
        let is_scheduled = |c: &&Value| c.str("type") == "PodScheduled";
        let known = pod.list_at("status.conditions").iter().find(is_scheduled);
        let known = known.cloned().unwrap_or_default();
        let mut condition = object! {
            "type": "PodScheduled",
            "status": "False",
            "reason": reason,
            "message": message,
            "observedGeneration": (pod.generation()),
            "lastProbeTime": null,
            "lastTransitionTime": (env.now.rfc3339()),
        };
        if known.str("status") == "False" {
            condition.set("lastTransitionTime", known.get("lastTransitionTime"));
        }
        let differs = |field: &str| !known.get(field).same(condition.get(field));
        if ["status", "reason", "message", "observedGeneration"]
            .into_iter()
            .any(differs)
        {
            let document = object! {
                "metadata": { "uid": &decision.uid }, "status": { "conditions": [condition] },
            };
            let Key { namespace, name } = &decision.pod;
            let form = Patch::Strategic;
            let request = request::patch(&PODS, namespace, name, "status", form, document);
            self.client.send(env.cause, Tag::Condition, request);
        }
    }

    fn pod(&self, key: &Key, uid: &str) -> Option<&Value> {
        self.informers
            .cache(&PODS)
            .get(key)
            .filter(|pod| pod.uid() == uid)
    }

    /// The election was won, if there is an event that says so.
    fn won(&mut self, env: &Env<'_>, won: Option<Occurrence>) {
        if let Some(won) = won {
            self.recorder.record(env, &won);
        }
    }
}

impl Component for KubeScheduler {
    fn start(&mut self, env: &mut Env<'_>) {
        env.log(
            Severity::Info,
            "server.go:176",
            &format!(
                "\"Starting Kubernetes Scheduler\" version=\"{}\"",
                self.client.identity().release()
            ),
        );
        self.informers.start(env, &mut self.client, Tag::Informer);
    }

    fn on_incoming(&mut self, env: &mut Env<'_>, call: CallId, incoming: &Incoming) {
        let Some(tag) = self.client.tag(call, incoming) else {
            return;
        };
        match tag {
            Tag::Informer(number) => {
                let tag = Tag::Informer(number);
                let client = &mut self.client;
                let deltas = self
                    .informers
                    .on_incoming(env, client, tag, (number, incoming));
                self.on_deltas(env.now, number, &deltas);
            }
            Tag::Election => {
                let (client, tag) = (&mut self.client, Tag::Election);
                let won = self.candidacy.on_incoming(env, client, tag, incoming);
                self.won(env, won);
            }
            Tag::Event => {
                let part = (call, incoming);
                self.recorder
                    .on_incoming(env, &mut self.client, &Tag::Event, part);
            }
            Tag::Binding(decision) => self.on_bound(env, &decision, incoming),
            Tag::Volume(decision) => self.on_volume_written(env, &decision, incoming),
            Tag::Condition | Tag::Preempt => {}
        }
        self.work(env);
    }

    fn on_time(&mut self, env: &mut Env<'_>) {
        self.informers.on_time(env, &mut self.client, Tag::Informer);
        let client = &mut self.client;
        let won = self.candidacy.on_time(env, client, Tag::Election);
        self.won(env, won);
        self.work(env);
    }

    fn next_deadline(&self) -> Option<Instant> {
        let scheduler = self
            .is_leading()
            .then(|| self.scheduler.next_deadline())
            .flatten();
        [
            self.candidacy.next_deadline(),
            scheduler,
            self.informers.next_deadline(),
            self.recorder.next_deadline(),
            self.awaiting.iter().map(|one| one.until).min(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn next_outgoing(&mut self) -> Option<Outgoing> {
        self.client.next_outgoing()
    }

    fn stop(&mut self, env: &mut Env<'_>) {
        self.candidacy.release(env, &mut self.client, Tag::Election);
    }

    fn must_exit(&self) -> bool {
        self.candidacy.has_lost()
    }
}

#[cfg(test)]
mod tests;
