//! The picture: machines, the pods on them, and the latest events.
//!
//! Read from the stored objects, so it shows what `kubectl` would show, and goes on showing it when
//! the API server is down. Objects that did not change are not read again.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::kinds::pod;
use api::kinds::support::pods;
use api::{Quantity, Value};
use sim::Instant;

use super::components::{ComponentView, components};
use super::services::{ServiceReader, ServiceView};
use crate::lab::Lab;
use crate::spec::{NodeSpec, Role};

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineView {
    /// Its name.
    pub name: Rc<str>,
    /// Whether it is of the control plane.
    pub control_plane: bool,
    /// Its address.
    pub ip: String,
    /// Whether it is switched on.
    pub powered: bool,
    /// The Node's Ready condition is True.
    pub ready: bool,
    /// It takes new pods.
    pub schedulable: bool,
    /// The kubelet's version.
    pub version: String,
    /// Sum of CPU requests, in thousandths of a core.
    pub cpu_requested: u64,
    /// Allocatable CPU, in thousandths of a core.
    pub cpu_total: u64,
    /// Sum of memory requests, in bytes.
    pub memory_requested: u64,
    /// Allocatable memory, in bytes.
    pub memory_total: u64,
    /// How many pods it may hold.
    pub pods_total: u32,
    /// Taints as kubectl prints them.
    pub taints: Vec<String>,
    /// The parts of the cluster that run on it, or should.
    pub components: Vec<ComponentView>,
}

/// How a pod is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodState {
    /// No machine was chosen yet.
    Unscheduled,
    /// On a machine, containers are being made.
    Starting,
    /// Running, not all containers ready.
    NotReady,
    /// Running and ready.
    Running,
    /// All containers ended well.
    Completed,
    /// Waiting out a back-off, or failed.
    Failing,
    /// Being deleted.
    Terminating,
    /// The machine no longer answers.
    Unknown,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodView {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `spec.nodeName`, none while no machine was chosen.
    pub node: Option<String>,
    /// The STATUS column of `kubectl get pods`.
    pub status: String,
    /// The family that status belongs to.
    pub state: PodState,
    /// Containers ready.
    pub ready: u32,
    /// Containers in all.
    pub containers: u32,
    /// Restarts of all containers.
    pub restarts: u32,
    /// `status.podIP`, empty while there is none.
    pub ip: String,
    /// Kind and name of the controller, if it has one.
    pub owner: Option<(String, String)>,
    /// Images of its containers.
    pub images: Vec<String>,
    /// It comes from a manifest on the machine's disk.
    pub is_static: bool,
    /// Why it is as it is, a sentence; empty when there is nothing to explain.
    pub why: String,
    cpu: u64,
    memory: u64,
}

/// An Event of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventView {
    /// `metadata.uid`; an event that repeats keeps it.
    pub uid: String,
    /// When it happened last.
    pub at: Instant,
    /// `type` is Warning.
    pub warning: bool,
    /// `reason`.
    pub reason: String,
    /// `message`.
    pub message: String,
    /// Kind, namespace and name of the object it is about.
    pub object: (String, String, String),
    /// How often it happened.
    pub count: u32,
}

/// The whole picture; parts that did not change are the same allocation as before.
#[derive(Clone, Debug, Default)]
pub struct PictureView {
    /// The revision it shows, etcd's; 0 while there is no database.
    pub revision: i64,
    /// The revision that was there before etcd went back, if it did: a snapshot was restored.
    pub fell_from: Option<i64>,
    /// Machines in the world's order.
    pub machines: Vec<Rc<MachineView>>,
    /// Pods by namespace and name.
    pub pods: Vec<Rc<PodView>>,
    /// Services by namespace and name.
    pub services: Vec<Rc<ServiceView>>,
    /// The latest events, oldest first.
    pub events: Vec<Rc<EventView>>,
}

/// Events a picture has.
const EVENTS: usize = 100;

type Seen<T> = BTreeMap<String, (Value, Rc<T>)>;

/// Reads pictures; remembers what it read.
#[derive(Clone, Debug, Default)]
pub struct PictureReader {
    pods: Seen<PodView>,
    events: Seen<EventView>,
    services: ServiceReader,
    /// The revision and the components that were read last.
    last: Option<(i64, Vec<Vec<ComponentView>>)>,
    /// The last revision of a database that was there.
    revision: i64,
    fell_from: Option<i64>,
}

impl PictureReader {
    /// The picture as it is now; none if nothing changed since the last one.
    pub fn read(&mut self, lab: &Lab) -> Option<PictureView> {
        let objects = lab.objects();
        let nodes = || {
            let nodes = lab.spec().nodes.iter();
            nodes.filter(|node| node.role != Role::Plain)
        };
        let now = (
            objects.revision(),
            nodes().map(|node| components(lab, node)).collect(),
        );
        if self.last.as_ref() == Some(&now) {
            return None;
        }
        let (revision, parts) = now.clone();
        self.last = Some(now);
        self.note_revision(revision);
        let pods = refresh(&mut self.pods, objects.list("pods"), pod_view);
        let mut events = refresh(&mut self.events, objects.list("events"), event_view);
        events.sort_by(|a, b| (a.at, &a.uid).cmp(&(b.at, &b.uid)));
        events.drain(..events.len().saturating_sub(EVENTS));
        let machine = |(node, parts): (&NodeSpec, Vec<ComponentView>)| {
            let object = objects.get("nodes", "", &node.name).unwrap_or_default();
            let host = lab.world.find(&node.name).map(|id| lab.world.host(id));
            Rc::new(MachineView {
                control_plane: node.role == Role::ControlPlane,
                powered: host.is_some_and(|host| host.powered),
                components: parts,
                ..machine_view(&node.name, &object, &pods)
            })
        };
        Some(PictureView {
            revision,
            fell_from: self.fell_from,
            machines: nodes().zip(parts).map(machine).collect(),
            services: self.services.read(&objects),
            pods,
            events,
        })
    }

    /// The next picture is read even if nothing changed.
    pub fn read_again(&mut self) {
        self.last = None;
    }

    /// What changes is read from now on as if it had always been so: the world went back in time.
    pub fn forget(&mut self) {
        *self = PictureReader::default();
    }

    fn note_revision(&mut self, revision: i64) {
        if revision == 0 {
            return;
        }
        if revision < self.revision {
            self.fell_from = Some(self.revision);
        }
        self.revision = revision;
    }
}

/// Views of the objects; made anew only for those that changed.
fn refresh<T>(seen: &mut Seen<T>, objects: Vec<Value>, view: impl Fn(&Value) -> T) -> Vec<Rc<T>> {
    let mut old = std::mem::take(seen);
    objects
        .into_iter()
        .map(|object| {
            let key = format!("{}/{}", object.namespace(), object.name());
            // What is stored carries no resourceVersion; unchanged objects are the same allocation.
            let known = old.remove(&key).filter(|(before, _)| before.same(&object));
            let made = known.map_or_else(|| Rc::new(view(&object)), |(_, made)| made);
            seen.insert(key, (object, made.clone()));
            made
        })
        .collect()
}

/// What a Node object and the pods on it tell of a machine.
fn machine_view(name: &Rc<str>, node: &Value, pods: &[Rc<PodView>]) -> MachineView {
    let total = |resource: &str| {
        let text = node.at("status.allocatable").str(resource);
        Quantity::parse(text)
            .map(|quantity| quantity.milli())
            .unwrap_or(0)
    };
    let here = || {
        pods.iter()
            .filter(|pod| pod.node.as_deref() == Some(name))
            .filter(|pod| holds(pod))
    };
    let addresses = node.list_at("status.addresses");
    let ip = addresses
        .iter()
        .find(|address| address.str_at("type") == "InternalIP");
    let taints = node.list_at("spec.taints").iter().map(|taint| {
        let (key, value, effect) = (
            taint.str_at("key"),
            taint.str_at("value"),
            taint.str_at("effect"),
        );
        if value.is_empty() {
            format!("{key}:{effect}")
        } else {
            format!("{key}={value}:{effect}")
        }
    });
    MachineView {
        name: name.clone(),
        ip: ip
            .map(|address| address.str_at("address").to_owned())
            .unwrap_or_default(),
        ready: node
            .list_at("status.conditions")
            .iter()
            .any(|c| c.str_at("type") == "Ready" && c.str_at("status") == "True"),
        schedulable: !node.is_null() && !node.bool_at("spec.unschedulable"),
        version: node.str_at("status.nodeInfo.kubeletVersion").to_owned(),
        cpu_requested: here().map(|pod| pod.cpu).sum(),
        cpu_total: unsigned(total("cpu")),
        memory_requested: here().map(|pod| pod.memory).sum(),
        memory_total: unsigned(total("memory")) / 1000,
        pods_total: u32::try_from(unsigned(total("pods")) / 1000).unwrap_or(0),
        taints: taints.collect(),
        ..MachineView::default()
    }
}

/// A pod that has ended holds nothing.
fn holds(pod: &PodView) -> bool {
    !matches!(pod.state, PodState::Completed)
}

fn pod_view(pod: &Value) -> PodView {
    let statuses = pod.list_at("status.containerStatuses");
    let containers = pod.list_at("spec.containers");
    let status = pod::summary(pod).status;
    let node = Some(pod.str_at("spec.nodeName")).filter(|node| !node.is_empty());
    let ready = statuses
        .iter()
        .filter(|status| status.bool_at("ready"))
        .count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let state = pod_state(pod, &status, node.is_some(), ready == containers.len());
    let request = |resource: &str| -> u64 {
        containers
            .iter()
            .filter_map(|c| Quantity::parse(c.at("resources.requests").str(resource)).ok())
            .map(|quantity| unsigned(quantity.milli()))
            .sum()
    };
    PodView {
        uid: pod.uid().to_owned(),
        namespace: pod.namespace().to_owned(),
        name: pod.name().to_owned(),
        node: node.map(str::to_owned),
        state,
        ready: count(ready),
        containers: count(containers.len()),
        restarts: statuses
            .iter()
            .filter_map(|status| status.i64_at("restartCount"))
            .map(|restarts| u32::try_from(restarts).unwrap_or(0))
            .sum(),
        ip: pod.str_at("status.podIP").to_owned(),
        owner: pod.controller().map(|owner| {
            (
                owner.str_at("kind").to_owned(),
                owner.str_at("name").to_owned(),
            )
        }),
        images: containers
            .iter()
            .map(|c| c.str_at("image").to_owned())
            .collect(),
        is_static: pods::is_mirror(pod),
        why: why(pod),
        cpu: request("cpu"),
        memory: request("memory") / 1000,
        status,
    }
}

fn pod_state(pod: &Value, status: &str, scheduled: bool, all_ready: bool) -> PodState {
    if pod.deletion_timestamp().is_some() {
        return if status == "Unknown" {
            PodState::Unknown
        } else {
            PodState::Terminating
        };
    }
    match status {
        "Completed" | "Succeeded" => PodState::Completed,
        "Running" if all_ready => PodState::Running,
        "Running" => PodState::NotReady,
        "Unknown" => PodState::Unknown,
        "Pending" if !scheduled => PodState::Unscheduled,
        "Pending" | "ContainerCreating" | "PodInitializing" => PodState::Starting,
        text if text.starts_with("Init:")
            && !text.ends_with("Error")
            && !text.ends_with("BackOff") =>
        {
            PodState::Starting
        }
        _ => PodState::Failing,
    }
}

/// The first message that says why the pod is not as it should be.
fn why(pod: &Value) -> String {
    let waiting = pod
        .list_at("status.initContainerStatuses")
        .iter()
        .chain(pod.list_at("status.containerStatuses"))
        .map(|status| status.str_at("state.waiting.message"))
        .find(|message| !message.is_empty());
    let condition = || {
        pod.list_at("status.conditions")
            .iter()
            .filter(|condition| condition.str_at("status") == "False")
            .map(|condition| condition.str_at("message"))
            .find(|message| !message.is_empty())
    };
    let own = Some(pod.str_at("status.message")).filter(|message| !message.is_empty());
    waiting
        .or(own)
        .or_else(condition)
        .unwrap_or_default()
        .to_owned()
}

fn event_view(event: &Value) -> EventView {
    let text = |path: &str| event.str_at(path).to_owned();
    let times = [
        "lastTimestamp",
        "eventTime",
        "firstTimestamp",
        "metadata.creationTimestamp",
    ];
    let at = times
        .iter()
        .find_map(|path| Instant::parse_rfc3339(event.str_at(path)));
    EventView {
        uid: event.uid().to_owned(),
        at: at.unwrap_or(Instant::ZERO),
        warning: event.str_at("type") == "Warning",
        reason: text("reason"),
        message: text("message"),
        object: (
            text("involvedObject.kind"),
            text("involvedObject.namespace"),
            text("involvedObject.name"),
        ),
        count: event
            .i64_at("count")
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(1),
    }
}

fn unsigned(milli: i64) -> u64 {
    u64::try_from(milli).unwrap_or(0)
}
