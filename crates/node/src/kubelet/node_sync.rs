//! The node: registered once, its lease renewed, its status told when it changes and every few
//! minutes.
//! Models kubelet_node_status.go and component-helpers/apimachinery/lease/controller.go.

use api::{Value, object};
use client::{
    CSI_NODES, EventType, Incoming, Involved, LEASES, NODES, Occurrence, Patch, answer, request,
};
use machine::Sys;
use sim::{Duration, Instant};

use crate::cri::{ImageStatus, Request, RuntimeStatus};
use crate::kubelet::State;
use crate::kubelet::due::Due;
use crate::kubelet::node;
use crate::kubelet::runtime::Purpose;
use crate::kubelet::watching::Tag;

/// Between renewals of the lease (a quarter of its duration).
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// Between looks at the node's status (`nodeStatusUpdateFrequency`).
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Waits between attempts to register: doubling from the first to the most.
const REGISTER_FIRST: Duration = Duration::from_millis(200);
const REGISTER_MOST: Duration = Duration::from_secs(7);

/// What is known of the node.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeState {
    /// The runtime's status, as last told.
    pub(crate) runtime: Option<RuntimeStatus>,
    /// The images the runtime has.
    pub(crate) images: Vec<ImageStatus>,
    is_registered: bool,
    wait: Duration,
    status: Value,
    reported: Option<Instant>,
    under_way: bool,
    lease: Value,
    pod_cidr: String,
    /// Whether the node takes pods, as last seen.
    is_schedulable: Option<bool>,
}

impl State {
    /// Begins to register the node.
    pub(crate) fn begin_node(&mut self, sys: &mut Sys<'_>) {
        self.node.wait = REGISTER_FIRST;
        self.node_event(
            sys,
            EventType::Normal,
            "Starting",
            "Starting kubelet.".to_owned(),
        );
        if self.settings.server.is_some() {
            self.register(sys);
        }
    }

    pub(crate) fn register(&mut self, sys: &mut Sys<'_>) {
        let mut object = self.facts.object(&self.settings);
        let (runtime, images) = (self.node.runtime.as_ref(), &self.node.images);
        let status = self.facts.status(sys.now(), api::NULL, runtime, images);
        object.set("status", status);
        let request = request::create(&NODES, "", object);
        self.api.client.send(sys.cause(), Tag::Registered, request);
    }

    pub(crate) fn registered(&mut self, sys: &mut Sys<'_>, incoming: &Incoming) {
        match answer(incoming) {
            Ok(object) => self.node.status = object.get("status").clone(),
            Err(error) if error.is_already_exists() => {}
            Err(_) => {
                self.timetable
                    .set(Due::Register, Some(sys.now() + self.node.wait));
                self.node.wait = (self.node.wait * 2).min(REGISTER_MOST);
                return;
            }
        }
        if std::mem::replace(&mut self.node.is_registered, true) {
            return;
        }
        let name = self.settings.node.clone();
        for reason in [
            "NodeHasSufficientMemory",
            "NodeHasNoDiskPressure",
            "NodeHasSufficientPID",
        ] {
            let message = format!("Node {name} status is now: {reason}");
            self.node_event(sys, EventType::Normal, reason, message);
        }
        self.watch(sys);
        self.renew_lease(sys);
    }

    /// Tells which storage drivers the node has: none so far.
    fn register_csi_node(&mut self, sys: &mut Sys<'_>, node: &Value) {
        let owner = object! {
            "apiVersion": "v1",
            "kind": "Node",
            "name": (node.name()),
            "uid": (node.uid()),
        };
        let object = object! {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "CSINode",
            "metadata": { "name": (node.name()), "ownerReferences": [owner] },
            "spec": { "drivers": null },
        };
        let request = request::create(&CSI_NODES, "", object);
        self.api.client.send(sys.cause(), Tag::CsiNode, request);
    }

    /// The node's object has changed.
    pub(crate) fn node_seen(&mut self, sys: &mut Sys<'_>) {
        let Some(node) = self.watching.node().cloned() else {
            // Somebody deleted it; the kubelet does not register twice, as upstream.
            return;
        };
        if self.node.reported.is_none() {
            self.node.status = node.get("status").clone();
            self.report_node(sys);
            self.register_csi_node(sys, &node);
        }
        let pod_cidr = node.str_at("spec.podCIDR");
        if !pod_cidr.is_empty() && self.node.pod_cidr != pod_cidr {
            self.node.pod_cidr = pod_cidr.to_owned();
            let request = Request::UpdateRuntimeConfig {
                pod_cidr: pod_cidr.into(),
            };
            self.runtime
                .call(sys, request, Purpose::Configured, &mut self.heard);
        }
    }

    /// Tells that somebody cordoned the node, or uncordoned it, since the last look.
    fn tell_schedulable(&mut self, sys: &mut Sys<'_>, now: bool) {
        let before = self.node.is_schedulable.replace(now);
        if before.is_none_or(|before| before == now) {
            return;
        }
        let reason = match now {
            true => "NodeSchedulable",
            false => "NodeNotSchedulable",
        };
        let name = self.settings.node.clone();
        let message = format!("Node {name} status is now: {reason}");
        self.node_event(sys, EventType::Normal, reason, message);
    }

    /// Something the node's status tells of has changed.
    pub(crate) fn node_changed(&mut self, sys: &mut Sys<'_>) {
        if self.node.is_registered && self.watching.node().is_some() {
            self.report_node(sys);
        }
        let is_up = self.runtime.is_up();
        if is_up
            && !self.node.pod_cidr.is_empty()
            && node::not_ready(self.node.runtime.as_ref()).is_some()
        {
            let pod_cidr = self.node.pod_cidr.as_str().into();
            let request = Request::UpdateRuntimeConfig { pod_cidr };
            self.runtime
                .call(sys, request, Purpose::Nothing, &mut self.heard);
        }
    }

    /// An image was pulled.
    pub(crate) fn image_seen(&mut self, sys: &mut Sys<'_>, image: &ImageStatus) {
        if !self
            .node
            .images
            .iter()
            .any(|known| known.repo_tags == image.repo_tags)
        {
            self.runtime
                .call(sys, Request::ListImages, Purpose::Images, &mut self.heard);
        }
    }

    /// Tells the node's status if it has changed, or if it has not been told for long.
    pub(crate) fn report_node(&mut self, sys: &mut Sys<'_>) {
        let now = sys.now();
        self.timetable.set(Due::NodeStatus, Some(now + LOOK_EVERY));
        if self.node.under_way {
            return;
        }
        let Some(node) = self.watching.node().cloned() else {
            return;
        };
        self.tell_schedulable(sys, !node.bool_at("spec.unschedulable"));
        let known = node.get("status");
        let runtime = self.node.runtime.as_ref();
        let status = self.facts.status(now, known, runtime, &self.node.images);
        let is_due = self
            .node
            .reported
            .is_none_or(|at| now.since(at) >= self.settings.report_every);
        if !is_due && !node::differs(known, &status) {
            return;
        }
        let patch = node::status_patch(known, &status);
        let (last, boot) = (
            known.str_at("nodeInfo.bootID"),
            status.str_at("nodeInfo.bootID"),
        );
        let rebooted = (!last.is_empty() && last != boot).then(|| boot.to_owned());
        let ready = node::not_ready(runtime).is_none();
        let was_ready = node::is_ready(known);
        self.node.status = status;
        self.node.under_way = true;
        self.node.reported = Some(now);
        let name = self.settings.node.clone();
        let request = request::patch(&NODES, "", &name, "status", Patch::Strategic, patch);
        self.api.client.send(sys.cause(), Tag::NodeStatus, request);
        if let Some(boot) = rebooted {
            let message = format!("Node {name} has been rebooted, boot id: {boot}");
            self.node_event(sys, EventType::Warning, "Rebooted", message);
        }
        if was_ready.is_some_and(|was_ready| was_ready != ready) {
            let reason = if ready { "NodeReady" } else { "NodeNotReady" };
            let message = format!("Node {name} status is now: {reason}");
            self.node_event(sys, EventType::Normal, reason, message);
        }
    }

    pub(crate) fn node_reported(&mut self, sys: &mut Sys<'_>, incoming: &Incoming) {
        self.node.under_way = false;
        if answer(incoming).is_err() {
            // The next look tells it again.
            self.node.reported = None;
            return;
        }
        // What changed meanwhile is told at once.
        let Some(node) = self.watching.node() else {
            return;
        };
        let runtime = self.node.runtime.as_ref();
        let status = self
            .facts
            .status(sys.now(), node.get("status"), runtime, &self.node.images);
        if node::differs(&self.node.status, &status) {
            self.report_node(sys);
        }
    }

    pub(crate) fn renew_lease(&mut self, sys: &mut Sys<'_>) {
        let now = sys.now();
        let jitter = Duration::from_millis(self.random.below(400));
        self.timetable
            .set(Due::Lease, Some(now + RENEW_EVERY + jitter));
        let uid = self.watching.node().map_or("", |node| node.uid());
        let lease = node::lease(&self.settings.node, uid, now, &self.node.lease);
        let request = if self.node.lease.is_null() {
            request::create(&LEASES, "kube-node-lease", lease)
        } else {
            request::update(&LEASES, lease, "")
        };
        self.api.client.send(sys.cause(), Tag::Lease, request);
    }

    pub(crate) fn lease_answered(&mut self, sys: &mut Sys<'_>, incoming: &Incoming) {
        match answer(incoming) {
            Ok(lease) => self.node.lease = lease,
            Err(error) if error.is_already_exists() || error.is_conflict() => {
                let name = self.settings.node.clone();
                let request = request::get(&LEASES, "kube-node-lease", &name);
                self.api.client.send(sys.cause(), Tag::Lease, request);
            }
            Err(error) if error.is_not_found() => {
                self.node.lease = Value::Null;
                self.timetable
                    .set(Due::Lease, Some(sys.now() + Duration::from_secs(1)));
            }
            // The next renewal comes soon enough.
            Err(_) => {}
        }
    }

    fn node_event(
        &mut self,
        sys: &mut Sys<'_>,
        event_type: EventType,
        reason: &str,
        message: String,
    ) {
        let name = self.settings.node.clone();
        let involved = Involved {
            kind: "Node".into(),
            name: (&name).into(),
            uid: (&name).into(),
            ..Involved::default()
        };
        let action = api::Str::default();
        let occurrence = Occurrence {
            involved,
            event_type,
            reason: reason.into(),
            action,
            message,
        };
        self.with_env(sys, |state, env| state.recorder.record(env, &occurrence));
    }
}
