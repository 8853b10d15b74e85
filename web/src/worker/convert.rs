//! From what `lab` calls things to what the wire calls them.

use std::rc::Rc;

use lab::views::{EventView, MachineView, PictureView, PodState as LabState, PodView, ServiceView};
use sim::Instant;

use crate::protocol::{
    Component, Endpoint, Etcd, Event, Machine, Owner, Picture, Pod, PodState, Port, Service, Slice,
};

/// A picture for the wire. Parts that are the same allocation as in `before` are not made again.
pub fn picture(view: &PictureView, before: &mut Parts) -> Picture {
    Picture {
        machines: reuse(&mut before.machines, &view.machines, machine, |m| {
            m.name.clone()
        }),
        pods: reuse(&mut before.pods, &view.pods, pod, |p| p.uid.clone()),
        services: reuse(&mut before.services, &view.services, service, |s| {
            s.uid.clone()
        }),
        etcd: Etcd {
            revision: view.revision,
            fell_from: view.fell_from,
        },
        events: {
            let events = reuse(&mut before.events, &view.events, event, |e| e.uid.clone());
            view.events
                .iter()
                .filter_map(|event| events.get(&event.uid).cloned())
                .collect()
        },
    }
}

/// What was converted last, beside what it was converted from.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    machines: Vec<(Rc<MachineView>, Rc<Machine>)>,
    pods: Vec<(Rc<PodView>, Rc<Pod>)>,
    services: Vec<(Rc<ServiceView>, Rc<Service>)>,
    events: Vec<(Rc<EventView>, Rc<Event>)>,
}

type ByKey<T> = std::collections::BTreeMap<String, Rc<T>>;

/// `before` keeps the old views alive while the new ones are made, so an address means one view.
fn reuse<V, T>(
    before: &mut Vec<(Rc<V>, Rc<T>)>,
    now: &[Rc<V>],
    convert: impl Fn(&V) -> T,
    key: impl Fn(&T) -> String,
) -> ByKey<T> {
    let mut old: std::collections::BTreeMap<*const V, Rc<T>> = std::mem::take(before)
        .into_iter()
        .map(|(view, made)| (Rc::as_ptr(&view), made))
        .collect();
    *before = now
        .iter()
        .map(|view| {
            let made = old
                .remove(&Rc::as_ptr(view))
                .unwrap_or_else(|| Rc::new(convert(view)));
            (view.clone(), made)
        })
        .collect();
    before
        .iter()
        .map(|(_, made)| (key(made), made.clone()))
        .collect()
}

fn machine(view: &MachineView) -> Machine {
    Machine {
        name: view.name.to_string(),
        role: if view.control_plane {
            "control-plane"
        } else {
            "worker"
        }
        .to_owned(),
        ip: view.ip.clone(),
        ready: view.ready && view.powered,
        schedulable: view.schedulable,
        version: view.version.clone(),
        cpu_requested: view.cpu_requested,
        cpu_total: view.cpu_total,
        memory_requested: view.memory_requested,
        memory_total: view.memory_total,
        pods_total: view.pods_total,
        taints: view.taints.clone(),
        components: view
            .components
            .iter()
            .map(|part| Component {
                name: part.name.to_owned(),
                started: part.started.map(|at| at.as_nanos()),
            })
            .collect(),
    }
}

fn service(view: &ServiceView) -> Service {
    let port = |port: &lab::views::PortView| Port {
        port: port.port,
        node_port: port.node_port,
        protocol: port.protocol.clone(),
    };
    let endpoint = |endpoint: &lab::views::EndpointView| Endpoint {
        address: endpoint.address.clone(),
        ready: endpoint.ready,
        pod: endpoint.pod.clone(),
        node: endpoint.node.clone(),
    };
    let slice = |slice: &lab::views::SliceView| Slice {
        name: slice.name.clone(),
        endpoints: slice.endpoints.iter().map(endpoint).collect(),
    };
    Service {
        uid: view.uid.clone(),
        namespace: view.namespace.clone(),
        name: view.name.clone(),
        kind: view.kind.clone(),
        cluster_ip: view.cluster_ip.clone(),
        selector: view.selector.clone(),
        ports: view.ports.iter().map(port).collect(),
        slices: view.slices.iter().map(slice).collect(),
    }
}

fn pod(view: &PodView) -> Pod {
    Pod {
        uid: view.uid.clone(),
        namespace: view.namespace.clone(),
        name: view.name.clone(),
        node: view.node.clone(),
        status: view.status.clone(),
        state: match view.state {
            LabState::Unscheduled => PodState::Unscheduled,
            LabState::Starting => PodState::Starting,
            LabState::NotReady => PodState::NotReady,
            LabState::Running => PodState::Running,
            LabState::Completed => PodState::Completed,
            LabState::Failing => PodState::Failing,
            LabState::Terminating => PodState::Terminating,
            LabState::Unknown => PodState::Unknown,
        },
        ready: view.ready,
        containers: view.containers,
        restarts: view.restarts,
        ip: view.ip.clone(),
        owner: view.owner.clone().map(|(kind, name)| Owner { kind, name }),
        images: view.images.clone(),
        is_static: view.is_static,
        why: view.why.clone(),
    }
}

fn event(view: &EventView) -> Event {
    let (kind, namespace, name) = view.object.clone();
    Event {
        uid: view.uid.clone(),
        at: view.at.since(Instant::ZERO).as_nanos() as u64,
        unix_secs: view.at.unix_secs(),
        warning: view.warning,
        reason: view.reason.clone(),
        message: view.message.clone(),
        kind,
        namespace,
        name,
        count: view.count,
    }
}
