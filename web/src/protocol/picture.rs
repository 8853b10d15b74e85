//! What the picture shows, and the difference between two pictures.
//!
//! A picture is keyed by machine name and pod uid; a change names what is new, what is different
//! and what is gone, so a quiet cluster costs nothing on the wire.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::Service;

/// How many events the app keeps.
const EVENTS_KEPT: usize = 200;

/// A machine, as its Node object and its kubelet tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The node's name.
    pub name: String,
    /// `control-plane` or `worker`.
    pub role: String,
    /// Internal address.
    pub ip: String,
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
    pub components: Vec<Component>,
}

/// A part of the cluster on a machine, as its processes tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// When its process began, in virtual nanoseconds; none while there is none.
    pub started: Option<u64>,
}

/// Where etcd stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Etcd {
    /// Its revision, 0 while there is no database.
    pub revision: i64,
    /// Its revision before it went back, if it did.
    pub fell_from: Option<i64>,
}

/// A pod, as the API server tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
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
    /// The controller, if it has one.
    pub owner: Option<Owner>,
    /// Images of its containers.
    pub images: Vec<String>,
    /// It comes from a manifest on the machine's disk.
    pub is_static: bool,
    /// Why it is as it is, a sentence; empty when there is nothing to explain.
    pub why: String,
}

/// The controller of a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// `ReplicaSet`, `Node`, ….
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// How a pod is drawn. Each has a shape, an icon and words of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// An Event of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `metadata.uid`; an event that repeats keeps it.
    pub uid: String,
    /// Virtual nanoseconds since the world began.
    pub at: u64,
    /// The machines' wall clock, seconds since 1970.
    pub unix_secs: i64,
    /// `type` is Warning.
    pub warning: bool,
    /// `reason`.
    pub reason: String,
    /// `message`.
    pub message: String,
    /// Kind of the object it is about.
    pub kind: String,
    /// Namespace of that object, empty for cluster-wide ones.
    pub namespace: String,
    /// Name of that object.
    pub name: String,
    /// How often it happened.
    pub count: u32,
}

/// All that is drawn. Parts are shared so that drawing compares pointers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// Machines by name.
    pub machines: BTreeMap<String, Rc<Machine>>,
    /// Pods by uid.
    pub pods: BTreeMap<String, Rc<Pod>>,
    /// Services by uid.
    pub services: BTreeMap<String, Rc<Service>>,
    /// The latest events, oldest first.
    pub events: VecDeque<Rc<Event>>,
    /// Where etcd stands.
    pub etcd: Etcd,
}

/// What changed between two pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureChange {
    /// Forget everything first.
    pub reset: bool,
    /// New or different.
    pub machines: Vec<Machine>,
    /// Names that are gone.
    pub machines_gone: Vec<String>,
    /// New or different.
    pub pods: Vec<Pod>,
    /// Uids that are gone.
    pub pods_gone: Vec<String>,
    /// New or different.
    pub services: Vec<Service>,
    /// Uids that are gone.
    pub services_gone: Vec<String>,
    /// New or repeated events, oldest first.
    pub events: Vec<Event>,
    /// Where etcd stands, if that is news.
    pub etcd: Option<Etcd>,
}

impl PictureChange {
    /// Nothing changed.
    pub fn is_empty(&self) -> bool {
        let Self {
            reset,
            machines,
            machines_gone,
            pods,
            pods_gone,
            services,
            services_gone,
            events,
            etcd,
        } = self;
        !reset
            && machines.is_empty()
            && machines_gone.is_empty()
            && pods.is_empty()
            && pods_gone.is_empty()
            && services.is_empty()
            && services_gone.is_empty()
            && events.is_empty()
            && etcd.is_none()
    }
}

impl Picture {
    /// What turns `self` into `new`.
    pub fn change_to(&self, new: &Picture) -> PictureChange {
        let (machines, machines_gone) = keyed_change(&self.machines, &new.machines);
        let (pods, pods_gone) = keyed_change(&self.pods, &new.pods);
        let (services, services_gone) = keyed_change(&self.services, &new.services);
        let known: BTreeMap<&str, &Rc<Event>> = self
            .events
            .iter()
            .map(|event| (event.uid.as_str(), event))
            .collect();
        let events = new
            .events
            .iter()
            .filter(|event| known.get(event.uid.as_str()).is_none_or(|old| old != event))
            .map(|event| (**event).clone())
            .collect();
        PictureChange {
            reset: false,
            machines,
            machines_gone,
            pods,
            pods_gone,
            services,
            services_gone,
            events,
            etcd: (self.etcd != new.etcd).then_some(new.etcd),
        }
    }

    /// Takes a change in.
    pub fn apply(&mut self, change: PictureChange) {
        let PictureChange {
            reset,
            machines,
            machines_gone,
            pods,
            pods_gone,
            services,
            services_gone,
            events,
            etcd,
        } = change;
        if reset {
            *self = Picture::default();
        }
        for name in machines_gone {
            self.machines.remove(&name);
        }
        for machine in machines {
            self.machines.insert(machine.name.clone(), Rc::new(machine));
        }
        for uid in pods_gone {
            self.pods.remove(&uid);
        }
        for pod in pods {
            self.pods.insert(pod.uid.clone(), Rc::new(pod));
        }
        for uid in services_gone {
            self.services.remove(&uid);
        }
        for service in services {
            self.services.insert(service.uid.clone(), Rc::new(service));
        }
        self.etcd = etcd.unwrap_or(self.etcd);
        for event in events {
            self.events.retain(|old| old.uid != event.uid);
            self.events.push_back(Rc::new(event));
        }
        while self.events.len() > EVENTS_KEPT {
            self.events.pop_front();
        }
    }
}

fn keyed_change<T: Clone + PartialEq>(
    old: &BTreeMap<String, Rc<T>>,
    new: &BTreeMap<String, Rc<T>>,
) -> (Vec<T>, Vec<String>) {
    let differs = |key: &String, value: &Rc<T>| {
        old.get(key)
            .is_none_or(|before| !Rc::ptr_eq(before, value) && before != value)
    };
    let changed = new
        .iter()
        .filter(|(key, value)| differs(key, value))
        .map(|(_, value)| (**value).clone())
        .collect();
    let gone = old
        .keys()
        .filter(|key| !new.contains_key(*key))
        .cloned()
        .collect();
    (changed, gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(uid: &str, status: &str) -> Rc<Pod> {
        Rc::new(Pod {
            uid: uid.to_owned(),
            namespace: "default".to_owned(),
            name: format!("web-{uid}"),
            node: Some("node01".to_owned()),
            status: status.to_owned(),
            state: PodState::Running,
            ready: 1,
            containers: 1,
            restarts: 0,
            ip: "10.244.1.2".to_owned(),
            owner: None,
            images: vec!["nginx".to_owned()],
            is_static: false,
            why: String::new(),
        })
    }

    fn event(uid: &str, count: u32) -> Rc<Event> {
        Rc::new(Event {
            uid: uid.to_owned(),
            at: u64::from(count),
            unix_secs: 0,
            warning: false,
            reason: "Pulled".to_owned(),
            message: String::new(),
            kind: "Pod".to_owned(),
            namespace: "default".to_owned(),
            name: "web".to_owned(),
            count,
        })
    }

    fn picture(pods: &[Rc<Pod>], events: &[Rc<Event>]) -> Picture {
        Picture {
            machines: BTreeMap::new(),
            pods: pods
                .iter()
                .map(|pod| (pod.uid.clone(), pod.clone()))
                .collect(),
            events: events.iter().cloned().collect(),
            ..Picture::default()
        }
    }

    #[test]
    fn a_change_applied_gives_the_new_picture() {
        let old = picture(
            &[pod("a", "Running"), pod("b", "Running")],
            &[event("e", 1)],
        );
        let new = picture(
            &[
                pod("a", "Running"),
                pod("b", "Terminating"),
                pod("c", "Pending"),
            ],
            &[event("e", 2), event("f", 1)],
        );
        let change = old.change_to(&new);
        assert_eq!(
            change
                .pods
                .iter()
                .map(|pod| pod.uid.as_str())
                .collect::<Vec<_>>(),
            ["b", "c"]
        );
        assert_eq!(change.events.len(), 2);
        let mut applied = old.clone();
        applied.apply(change);
        assert_eq!(applied, new);
        let back = applied.change_to(&old);
        assert_eq!(back.pods_gone, ["c"]);
    }

    #[test]
    fn nothing_changed_is_an_empty_change() {
        let one = picture(&[pod("a", "Running")], &[event("e", 1)]);
        assert!(one.change_to(&one.clone()).is_empty());
        assert!(
            !PictureChange {
                reset: true,
                ..PictureChange::default()
            }
            .is_empty()
        );
    }

    #[test]
    fn old_events_make_room() {
        let mut one = Picture::default();
        let events = (0..EVENTS_KEPT + 5)
            .map(|n| (*event(&n.to_string(), 1)).clone())
            .collect();
        one.apply(PictureChange {
            events,
            ..PictureChange::default()
        });
        assert_eq!(one.events.len(), EVENTS_KEPT);
        assert_eq!(one.events[0].uid, "5");
    }
}
