//! Builds a world: machines with their files, the wires between them, and power.
//!
//! Nothing is told to any component: it is all in the files that a person would find there.

use std::net::Ipv4Addr;
use std::rc::Rc;

use machine::{HostSpec, World};
use net::{Ipv4Net, LinkId, Net, NetnsId, Route, SegmentId};
use sim::{Duration, EntryId, MachineId};

use crate::files;
use crate::gateway;
use crate::programs::program;
use crate::spec::{NodeSpec, Role, WorldSpec, node_ip, pod_network};

/// The network card of every machine.
pub const NIC: &str = "enp1s0";
/// Workers are switched on this long after the machine before them, so that nodes register, and
/// get their pod networks, in order.
const BOOT_GAP: Duration = Duration::from_secs(8);
/// The control plane needs this long before the first worker is switched on.
const CONTROL_PLANE_LEAD: Duration = Duration::from_secs(12);

/// Builds the world; the control plane is switched on, workers follow by themselves.
///
/// # Errors
/// [`WorldSpec::problem`].
pub(crate) fn build(spec: &WorldSpec) -> Result<World, String> {
    if let Some(problem) = spec.problem() {
        return Err(problem);
    }
    let mut world = World::new(spec.seed, program);
    world.queue.advance_to(spec.begins);
    let segment = world.net.add_segment();
    let hosts: Vec<(Rc<str>, Ipv4Addr)> = spec
        .nodes
        .iter()
        .enumerate()
        .map(|(n, node)| (node.name.clone(), node_ip(n)))
        .collect();
    for (index, node) in spec.nodes.iter().enumerate() {
        let mut files = files::base(&node.name, &hosts, &spec.version);
        if node.role != Role::Plain {
            files::kubernetes(&mut files, spec, index);
        }
        let id = world.add_machine(host_spec(node, files));
        wire(&mut world, spec, index, id, segment);
    }
    let router = world.add_machine(gateway::spec(&hosts));
    let nic = plug_in(&mut world, router, segment, gateway::ADDRESS);
    let ns = world.host(router).netns;
    for (index, node) in spec.nodes.iter().enumerate() {
        if node.role != Role::Plain {
            pods_route(&mut world.net, ns, nic, index);
        }
    }
    world.boot(router, EntryId::NONE);
    let mut delay = Duration::ZERO;
    for (index, node) in spec.nodes.iter().enumerate() {
        let id = MachineId(u32::try_from(index + 1).expect("few machines"));
        if index == 0 || node.role == Role::Plain {
            world.boot(id, EntryId::NONE);
            continue;
        }
        delay += if delay.is_zero() {
            CONTROL_PLANE_LEAD
        } else {
            BOOT_GAP
        };
        let at = world.now() + delay;
        world.queue.push(
            at,
            id,
            machine::Event::Power(machine::Step::Boot, EntryId::NONE),
        );
    }
    Ok(world)
}

fn host_spec(node: &NodeSpec, files: machine::fs::Tree) -> HostSpec {
    HostSpec {
        name: node.name.clone(),
        cpus: node.cpus,
        memory: node.memory_mib << 20,
        disk: 19_662_688 << 10,
        kernel: "6.8.0-111-generic".into(),
        os_image: "Ubuntu 24.04.4 LTS".into(),
        files,
    }
}

/// Plugs the machine in, gives it its address, and routes to the other machines' pods as the
/// network of a cloud provider would.
fn wire(world: &mut World, spec: &WorldSpec, index: usize, id: MachineId, segment: SegmentId) {
    let nic = plug_in(world, id, segment, node_ip(index));
    let ns = world.host(id).netns;
    let net = &mut world.net;
    for (other, node) in spec.nodes.iter().enumerate() {
        if other != index && node.role != Role::Plain {
            pods_route(net, ns, nic, other);
        }
    }
    net.route_add(ns, Route::via(Ipv4Net::DEFAULT, gateway::ADDRESS, nic))
        .expect("the only default route");
    net.set_ip_forward(ns, spec.nodes[index].role != Role::Plain);
}

/// Gives a machine a network card on the wire, and that its address.
fn plug_in(world: &mut World, id: MachineId, segment: SegmentId, addr: Ipv4Addr) -> LinkId {
    let ns = world.host(id).netns;
    let net = &mut world.net;
    let nic = net
        .add_uplink(ns, NIC, segment)
        .expect("a new machine has no such link");
    net.set_up(nic).expect("it was just made");
    net.addr_add(nic, Ipv4Net::new(addr, 16))
        .expect("it has no address yet");
    nic
}

/// The way to the pods of the machine at `index`.
fn pods_route(net: &mut Net, ns: NetnsId, nic: LinkId, index: usize) {
    let pods = Ipv4Net::new(pod_network(index), 24);
    net.route_add(ns, Route::via(pods, node_ip(index), nic))
        .expect("a route of its own");
}
