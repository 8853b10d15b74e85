//! Namespaces and interfaces that come, go, move and multiply while connections run.

use net::{Errno, NeighState, Route};
use sim::{Duration, MachineId};

use crate::world::{World, add_node, add_pod, cluster, ip, join, subnet};

#[test]
fn a_removed_namespace_resets_its_peers_and_takes_its_veth_along() {
    let mut c = cluster();
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:80");
    let addr = format!("{}:80", c.pods[2].1);
    let (client, server) = c.world.connection(c.pods[0].0, listener, &addr);
    let gone = c.pods[2].0;
    c.world.call(|net, ctx| net.remove_netns(ctx, gone));
    assert_eq!(c.world.net.status(server), Err(Errno::ECONNRESET));
    assert_eq!(c.world.net.accept(listener), Err(Errno::EBADF));
    c.world.close(server);
    assert_eq!(c.world.net.status(server), Err(Errno::EBADF));
    assert!(c.world.net.link_by_name(c.nodes[1].host, "veth1").is_none());
    c.world.settle();
    assert_eq!(c.world.recv(client), Err(Errno::ECONNRESET));
    let socket = c.world.connect(c.pods[0].0, &addr).expect("a route");
    c.world.run_for(Duration::from_secs(4));
    assert_eq!(c.world.net.status(socket), Err(Errno::EHOSTUNREACH));
}

#[test]
fn an_address_may_move_to_another_namespace() {
    let mut c = cluster();
    let old = c.pods[1].0;
    assert!(c.world.ping(c.pods[0].0, "10.244.1.3", 64).is_ok());
    c.world.call(|net, ctx| net.remove_netns(ctx, old));
    let (heir, _) = add_pod(&mut c.world, &mut c.nodes[0]);
    let eth0 = c.world.net.link_by_name(heir, "eth0").expect("there").id;
    c.world
        .net
        .addr_add(eth0, subnet("10.244.1.3/24"))
        .expect("new");
    // The neighbour remembers the old hardware address, and asks again when it leads nowhere.
    assert!(c.world.ping(c.pods[0].0, "10.244.1.3", 64).is_ok());
    assert!(c.world.ping(c.nodes[0].host, "10.244.1.3", 64).is_ok());
}

#[test]
fn neighbours_have_states() {
    let mut c = cluster();
    let states = |c: &crate::world::Cluster| -> Vec<(String, NeighState)> {
        let entries = c.world.net.neighbours(c.pods[0].0, c.world.now());
        entries
            .iter()
            .map(|entry| (entry.addr.to_string(), entry.state))
            .collect()
    };
    assert!(c.world.ping(c.pods[0].0, "10.244.1.1", 64).is_ok());
    assert_eq!(
        states(&c),
        [("10.244.1.1".to_owned(), NeighState::Reachable)]
    );
    let socket = c
        .world
        .connect(c.pods[0].0, "10.244.1.88:80")
        .expect("a route");
    c.world.run_for(Duration::from_secs(1));
    assert_eq!(
        states(&c)[1],
        ("10.244.1.88".to_owned(), NeighState::Incomplete)
    );
    c.world.run_for(Duration::from_secs(60));
    assert_eq!(c.world.net.status(socket), Err(Errno::EHOSTUNREACH));
    assert_eq!(
        states(&c),
        [
            ("10.244.1.1".to_owned(), NeighState::Stale),
            ("10.244.1.88".to_owned(), NeighState::Failed)
        ]
    );
}

#[test]
fn a_pod_that_appears_within_three_seconds_is_reached() {
    let mut c = cluster();
    let socket = c
        .world
        .connect(c.pods[0].0, "10.244.1.4:80")
        .expect("a route");
    c.world.run_for(Duration::from_millis(1500));
    let (late, addr) = add_pod(&mut c.world, &mut c.nodes[0]);
    assert_eq!(addr, "10.244.1.4");
    c.world.listen(late, "0.0.0.0:80");
    c.world.run_for(Duration::from_secs(1));
    assert_eq!(c.world.net.status(socket), Ok(()));
}

#[test]
fn machines_join_through_a_bridge_with_a_card() {
    let mut world = World::new();
    let segment = world.net.add_segment();
    let mut hosts = Vec::new();
    for n in 1..=2_u8 {
        let net = &mut world.net;
        let host = net.add_netns(MachineId(u32::from(n)), format!("h{n}"));
        let card = net.add_uplink(host, "eth0", segment).expect("free");
        let bridge = net.add_bridge(host, "br0").expect("free");
        net.set_master(card, Some(bridge)).expect("a bridge");
        let guest = net.add_netns(MachineId(u32::from(n)), format!("g{n}"));
        let (outer, inner) = net.add_veth(host, "v", guest, "eth0").expect("free");
        net.set_master(outer, Some(bridge)).expect("a bridge");
        for link in [card, bridge, outer, inner] {
            net.set_up(link).expect("there");
        }
        net.addr_add(bridge, subnet(&format!("10.0.0.{n}/24")))
            .expect("new");
        net.addr_add(inner, subnet(&format!("10.0.0.1{n}/24")))
            .expect("new");
        hosts.push((host, guest));
    }
    for (from, to) in [
        (hosts[0].1, "10.0.0.12"),
        (hosts[0].1, "10.0.0.2"),
        (hosts[1].0, "10.0.0.11"),
    ] {
        let reply = world
            .ping(from, to, 64)
            .unwrap_or_else(|errno| panic!("{to}: {errno:?}"));
        assert_eq!(
            (reply.from, reply.ttl),
            (ip(to), 64),
            "no router on the way"
        );
    }
}

#[test]
fn an_address_on_a_port_of_a_bridge_reaches_nobody() {
    let mut world = World::new();
    let host = world.net.add_netns(MachineId(1), "host");
    let guest = world.net.add_netns(MachineId(1), "guest");
    let bridge = world.net.add_bridge(host, "br0").expect("free");
    let (outer, inner) = world.net.add_veth(host, "v", guest, "eth0").expect("free");
    world.net.set_master(outer, Some(bridge)).expect("a bridge");
    for link in [bridge, outer, inner] {
        world.net.set_up(link).expect("there");
    }
    let inside = subnet("10.0.0.2/24");
    world.net.addr_add(inner, inside).expect("new");
    let outside = subnet("10.0.0.1/24");
    world.net.addr_add(outer, outside).expect("new");
    let answered = |world: &mut World, from, to| {
        let reply = world.ping(from, to, 64);
        reply.is_ok_and(|reply| reply.error.is_none())
    };
    assert!(!answered(&mut world, host, "10.0.0.2"));
    assert!(!answered(&mut world, guest, "10.0.0.1"));
    world.net.addr_del(outer, outside).expect("there");
    world.net.addr_add(bridge, outside).expect("new");
    assert!(answered(&mut world, host, "10.0.0.2"));
    assert!(answered(&mut world, guest, "10.0.0.1"));
}

#[test]
fn bridges_in_a_circle_drop_rather_than_spin() {
    let mut world = World::new();
    let net = &mut world.net;
    let ns = net.add_netns(MachineId(1), "a");
    let bridges = [
        net.add_bridge(ns, "b0").expect("free"),
        net.add_bridge(ns, "b1").expect("free"),
    ];
    for n in 0..2 {
        let names = (format!("x{n}"), format!("y{n}"));
        let (x, y) = net.add_veth(ns, &names.0, ns, &names.1).expect("free");
        net.set_master(x, Some(bridges[0])).expect("a bridge");
        net.set_master(y, Some(bridges[1])).expect("a bridge");
        net.set_up(x).expect("there");
        net.set_up(y).expect("there");
    }
    for bridge in bridges {
        net.set_up(bridge).expect("there");
    }
    net.addr_add(bridges[0], subnet("10.0.0.1/24"))
        .expect("new");
    assert!(
        world.ping(ns, "10.0.0.9", 64).is_ok(),
        "host unreachable is an answer"
    );
}

#[test]
fn clones_go_their_own_ways_and_equal_clones_the_same() {
    let mut c = cluster();
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:80");
    let addr = format!("{}:80", c.pods[2].1);
    let (client, server) = c.world.connection(c.pods[0].0, listener, &addr);
    c.world.send(client, "in flight").expect("connected");
    let mut other = c.world.clone();
    let gone = c.pods[2].0;
    other.call(|net, ctx| net.remove_netns(ctx, gone));
    other.settle();
    assert_eq!(other.recv(client), Err(Errno::ECONNRESET));
    let mut twin = c.world.clone();
    for world in [&mut c.world, &mut twin] {
        world.settle();
        assert_eq!(world.recv(server), Ok("in flight".into()));
        world.send(server, "ok").expect("connected");
        world.settle();
        assert_eq!(world.recv(client), Ok("ok".into()));
    }
    assert_eq!(c.world.journal.hash(), twin.journal.hash());
    assert_ne!(c.world.journal.hash(), other.journal.hash());
}

#[test]
fn counters_count_what_passes() {
    let mut c = cluster();
    let listener = c.world.listen(c.pods[1].0, "0.0.0.0:80");
    let addr = format!("{}:80", c.pods[1].1);
    let (client, _) = c.world.connection(c.pods[0].0, listener, &addr);
    let count = |c: &crate::world::Cluster| {
        c.world
            .net
            .link_by_name(c.pods[1].0, "eth0")
            .expect("there")
            .counters
    };
    let before = count(&c);
    c.world.send(client, "12345").expect("connected");
    c.world.settle();
    let after = count(&c);
    assert_eq!(after.rx_packets - before.rx_packets, 1);
    assert_eq!(after.rx_bytes - before.rx_bytes, 57);
    assert_eq!(
        after.tx_packets, before.tx_packets,
        "no acknowledgement on the wire"
    );
}

#[test]
fn many_nodes_with_a_default_route_through_a_router() {
    let mut world = World::new();
    let (inside, outside) = (world.net.add_segment(), world.net.add_segment());
    let mut nodes: Vec<_> = (1..=20).map(|n| add_node(&mut world, inside, n)).collect();
    let all: Vec<_> = nodes.iter().collect();
    join(&mut world, &all);
    let net = &mut world.net;
    let router = net.add_netns(MachineId(100), "router");
    let legs = [
        ("lan", inside, "172.30.0.1/16"),
        ("wan", outside, "203.0.113.1/24"),
    ];
    for (name, segment, addr) in legs {
        let leg = net.add_uplink(router, name, segment).expect("free");
        net.set_up(leg).expect("there");
        net.addr_add(leg, subnet(addr)).expect("new");
    }
    net.set_ip_forward(router, true);
    let web = net.add_netns(MachineId(101), "web");
    let card = net.add_uplink(web, "eth0", outside).expect("free");
    net.set_up(card).expect("there");
    net.addr_add(card, subnet("203.0.113.9/24")).expect("new");
    net.route_add(
        web,
        Route::via(subnet("0.0.0.0/0"), ip("203.0.113.1"), card),
    )
    .expect("near");
    for node in &nodes {
        let default = Route::via(subnet("0.0.0.0/0"), ip("172.30.0.1"), node.card);
        net.route_add(node.host, default).expect("near");
    }
    let reply = world
        .ping(nodes[7].host, "203.0.113.9", 64)
        .expect("an answer");
    assert_eq!(reply.ttl, 63);
    let (first, _) = add_pod(&mut world, &mut nodes[0]);
    let (_, last) = add_pod(&mut world, &mut nodes[19]);
    assert_eq!(world.ping(first, &last, 64).expect("an answer").ttl, 62);
}
