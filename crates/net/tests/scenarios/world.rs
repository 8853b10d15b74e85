//! A world of networks only: an event queue, a journal, and a notebook of woken sockets.

use std::net::{Ipv4Addr, SocketAddrV4};

use net::{Ctx, Errno, Ipv4Net, Net, NetEvent, NetnsId, Notice, Outbox, Payload, Route, SocketId};
use net::{LinkId, PingReply, SegmentId};
use sim::{Duration, EntryId, EventQueue, Instant, Journal, MachineId};

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) net: Net,
    pub(crate) queue: EventQueue<NetEvent>,
    pub(crate) journal: Journal,
    pub(crate) woken: Vec<SocketId>,
    pub(crate) events: u64,
}

pub(crate) fn ip(text: &str) -> Ipv4Addr {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no address"))
}

pub(crate) fn at(text: &str) -> SocketAddrV4 {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no address with a port"))
}

pub(crate) fn subnet(text: &str) -> Ipv4Net {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no network"))
}

impl World {
    pub(crate) fn new() -> World {
        World {
            net: Net::new(),
            queue: EventQueue::new(),
            journal: Journal::new(),
            woken: Vec::new(),
            events: 0,
        }
    }

    /// Calls into the network and schedules what it leaves.
    pub(crate) fn call<R>(&mut self, f: impl FnOnce(&mut Net, &mut Ctx<'_>) -> R) -> R {
        let mut out = Outbox::default();
        let now = self.queue.now();
        let mut ctx = Ctx {
            now,
            cause: EntryId::NONE,
            journal: &mut self.journal,
            out: &mut out,
        };
        let result = f(&mut self.net, &mut ctx);
        for (at, source, event) in out.events {
            self.queue.push(at, source, event);
        }
        for (Notice::Ready(socket), _) in out.notices {
            self.woken.push(socket);
        }
        result
    }

    /// Runs until nothing is scheduled any more, or `limit` has passed.
    pub(crate) fn run_for(&mut self, limit: Duration) {
        let end = self.queue.now() + limit;
        while let Some((_, _, event)) = self.queue.pop_until(end) {
            self.events += 1;
            self.call(|net, ctx| net.on_event(ctx, event));
        }
        self.queue.advance_to(end);
    }

    pub(crate) fn settle(&mut self) {
        self.run_for(Duration::from_millis(10));
    }

    pub(crate) fn now(&self) -> Instant {
        self.queue.now()
    }

    pub(crate) fn listen(&mut self, ns: NetnsId, addr: &str) -> SocketId {
        self.call(|net, ctx| net.listen(ctx, ns, at(addr), 128))
            .expect("a free port")
    }

    pub(crate) fn connect(&mut self, ns: NetnsId, addr: &str) -> Result<SocketId, Errno> {
        self.call(|net, ctx| net.connect(ctx, ns, at(addr)))
    }

    /// Connects and accepts; returns the client's and the server's socket.
    #[track_caller]
    pub(crate) fn connection(
        &mut self,
        client: NetnsId,
        listener: SocketId,
        addr: &str,
    ) -> (SocketId, SocketId) {
        let socket = self.connect(client, addr).expect("a route");
        self.settle();
        assert_eq!(self.net.status(socket), Ok(()), "{addr}");
        (socket, self.net.accept(listener).expect("a connection"))
    }

    pub(crate) fn send(&mut self, socket: SocketId, text: &str) -> Result<(), Errno> {
        let payload = Payload::from(text);
        self.call(|net, ctx| net.send(ctx, socket, payload))
    }

    /// The next message as text; "" stands for the end.
    pub(crate) fn recv(&mut self, socket: SocketId) -> Result<String, Errno> {
        let payload = self.net.recv(socket)?;
        Ok(payload.map_or(String::new(), |p| {
            String::from_utf8_lossy(&p.bytes()).into_owned()
        }))
    }

    pub(crate) fn close(&mut self, socket: SocketId) {
        self.call(|net, ctx| net.close(ctx, socket));
    }

    /// Pings once and waits up to five seconds.
    pub(crate) fn ping(&mut self, ns: NetnsId, dst: &str, ttl: u8) -> Result<PingReply, Errno> {
        let socket = self.net.ping_open(ns)?;
        self.call(|net, ctx| net.ping_send(ctx, socket, ip(dst), 1, ttl, 56))?;
        self.run_for(Duration::from_secs(5));
        let reply = self.net.ping_recv(socket);
        self.close(socket);
        reply
    }

    /// Kinds of the journal's entries from `from` on.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.journal
            .since(EntryId(1))
            .map(|entry| entry.kind.name)
            .collect()
    }
}

/// A node as a cluster has it: a card on the segment, a bridge for pods, forwarding on.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) machine: MachineId,
    pub(crate) host: NetnsId,
    pub(crate) card: LinkId,
    pub(crate) bridge: LinkId,
    index: u8,
    pods: u8,
}

/// Node `index` has 172.30.`index`.2/16 and pods in 10.244.`index`.0/24.
pub(crate) fn add_node(world: &mut World, segment: SegmentId, index: u8) -> Node {
    let machine = MachineId(u32::from(index));
    let net = &mut world.net;
    let host = net.add_netns(machine, format!("node{index}"));
    let card = net
        .add_uplink(host, "enp1s0", segment)
        .expect("a free name");
    net.set_up(card).expect("there");
    net.addr_add(card, subnet(&format!("172.30.{index}.2/16")))
        .expect("new");
    let bridge = net.add_bridge(host, "cni0").expect("a free name");
    net.set_up(bridge).expect("there");
    net.addr_add(bridge, subnet(&format!("10.244.{index}.1/24")))
        .expect("new");
    net.set_ip_forward(host, true);
    Node {
        machine,
        host,
        card,
        bridge,
        index,
        pods: 0,
    }
}

/// Routes between the pod networks of nodes.
pub(crate) fn join(world: &mut World, nodes: &[&Node]) {
    for from in nodes {
        for to in nodes.iter().filter(|to| to.index != from.index) {
            let dst = subnet(&format!("10.244.{}.0/24", to.index));
            let via = ip(&format!("172.30.{}.2", to.index));
            world
                .net
                .route_add(from.host, Route::via(dst, via, from.card))
                .expect("reachable");
        }
    }
}

/// A pod on a node: 10.244.`node`.`n`, counting from 2. Returns its namespace and address.
pub(crate) fn add_pod(world: &mut World, node: &mut Node) -> (NetnsId, String) {
    node.pods += 1;
    let addr = format!("10.244.{}.{}", node.index, node.pods + 1);
    let net = &mut world.net;
    let ns = net.add_netns(node.machine, format!("cni-{}-{}", node.index, node.pods));
    let port = format!("veth{}", node.pods);
    let (outer, inner) = net
        .add_veth(node.host, &port, ns, "eth0")
        .expect("free names");
    net.set_master(outer, Some(node.bridge)).expect("a bridge");
    net.set_up(outer).expect("there");
    net.set_up(inner).expect("there");
    net.addr_add(inner, subnet(&format!("{addr}/24")))
        .expect("new");
    let gateway = ip(&format!("10.244.{}.1", node.index));
    net.route_add(ns, Route::via(Ipv4Net::DEFAULT, gateway, inner))
        .expect("reachable");
    (ns, addr)
}

/// Two nodes with two pods each.
pub(crate) struct Cluster {
    pub(crate) world: World,
    pub(crate) nodes: [Node; 2],
    pub(crate) pods: Vec<(NetnsId, String)>,
    pub(crate) segment: SegmentId,
}

pub(crate) fn cluster() -> Cluster {
    let mut world = World::new();
    let segment = world.net.add_segment();
    let mut nodes = [
        add_node(&mut world, segment, 1),
        add_node(&mut world, segment, 2),
    ];
    join(&mut world, &[&nodes[0], &nodes[1]]);
    let mut pods = Vec::new();
    for node in &mut nodes {
        pods.push(add_pod(&mut world, node));
        pods.push(add_pod(&mut world, node));
    }
    Cluster {
        world,
        nodes,
        pods,
        segment,
    }
}

/// A machine outside the cluster, on the nodes' segment.
pub(crate) fn add_netns_on(c: &mut Cluster, machine: MachineId, addr: &str) -> NetnsId {
    let net = &mut c.world.net;
    let ns = net.add_netns(machine, "outside");
    let card = net.add_uplink(ns, "eth0", c.segment).expect("a free name");
    net.set_up(card).expect("there");
    net.addr_add(card, subnet(addr)).expect("new");
    ns
}
