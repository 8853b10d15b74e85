//! Who reaches whom, what a person who pings sees, and which way packets take.

use net::{Errno, IcmpError, Ipv4Net, Packet, Payload, Route, RouteKind, Verdict};
use sim::Duration;

use crate::world::{at, cluster, ip, subnet};

#[test]
fn everybody_reaches_everybody() {
    let mut c = cluster();
    let mut places = vec![
        (c.nodes[0].host, "172.30.1.2".to_owned()),
        (c.nodes[1].host, "172.30.2.2".to_owned()),
    ];
    places.extend(c.pods.clone());
    for (from, _) in &places {
        for (_, to) in places.iter().chain([&(*from, "127.0.0.1".to_owned())]) {
            let reply = c
                .world
                .ping(*from, to, 64)
                .unwrap_or_else(|e| panic!("{to}: {e:?}"));
            assert_eq!((reply.from, reply.error, reply.len), (ip(to), None, 56));
        }
    }
}

#[test]
fn the_time_to_live_counts_routers() {
    let mut c = cluster();
    let (pod, far) = (c.pods[0].0, c.pods[2].1.clone());
    let cases = [
        (1, "10.244.1.1", Some(IcmpError::TimeExceeded)),
        (2, "172.30.2.2", Some(IcmpError::TimeExceeded)),
        (3, &*far, None),
    ];
    for (ttl, from, error) in cases {
        let reply = c.world.ping(pod, &far, ttl).expect("an answer");
        assert_eq!((reply.from, reply.error), (ip(from), error), "ttl {ttl}");
    }
    assert_eq!(c.world.ping(pod, &far, 64).expect("an answer").ttl, 62);
}

#[test]
fn what_is_unreachable_says_so_as_linux_does() {
    let mut c = cluster();
    let pod = c.pods[0].0;
    let absent = c.world.ping(pod, "10.244.1.99", 64).expect("bad news");
    assert_eq!(
        (absent.from, absent.error),
        (ip("10.244.1.2"), Some(IcmpError::HostUnreachable))
    );
    let nowhere = c.world.ping(pod, "8.8.8.8", 64).expect("bad news");
    assert_eq!(
        (nowhere.from, nowhere.error),
        (ip("10.244.1.1"), Some(IcmpError::NetUnreachable))
    );
    let host = c.nodes[0].host;
    assert_eq!(c.world.ping(host, "8.8.8.8", 64), Err(Errno::ENETUNREACH));
    for (kind, errno) in [
        (RouteKind::Blackhole, Errno::EINVAL),
        (RouteKind::Unreachable, Errno::EHOSTUNREACH),
        (RouteKind::Prohibit, Errno::EACCES),
    ] {
        let route = Route::dropping(subnet("192.0.2.0/24"), kind);
        c.world.net.route_add(host, route).expect("new");
        assert_eq!(c.world.ping(host, "192.0.2.7", 64), Err(errno));
        assert_eq!(c.world.connect(host, "192.0.2.7:80"), Err(errno));
        c.world
            .net
            .route_del(host, |route| route.kind == kind)
            .expect("there");
    }
}

#[test]
fn latency_is_that_of_the_way() {
    let mut c = cluster();
    let cases = [(c.pods[1].1.clone(), 60), (c.pods[2].1.clone(), 400)];
    for (dst, micros) in cases {
        let socket = c.world.net.ping_open(c.pods[0].0).expect("there");
        let start = c.world.now();
        c.world
            .call(|net, ctx| net.ping_send(ctx, socket, ip(&dst), 1, 64, 56))
            .expect("a route");
        while c.world.net.ping_recv(socket) == Err(Errno::EAGAIN) {
            c.world.run_for(Duration::from_micros(1));
        }
        let took = c.world.now().since(start).as_micros();
        assert!((micros..micros + 4).contains(&took), "{dst}: {took} µs");
    }
}

#[test]
fn a_forwarder_needs_forwarding_and_a_link_needs_to_be_up() {
    let mut c = cluster();
    let (pod, far) = (c.pods[0].0, c.pods[2].1.clone());
    c.world.net.set_ip_forward(c.nodes[0].host, false);
    assert_eq!(c.world.ping(pod, &far, 64), Err(Errno::EAGAIN));
    c.world.net.set_ip_forward(c.nodes[0].host, true);
    assert!(c.world.ping(pod, &far, 64).is_ok());
    let port = c
        .world
        .net
        .link_by_name(c.nodes[0].host, "veth1")
        .expect("there")
        .id;
    c.world.net.set_down(port).expect("there");
    assert_eq!(
        c.world.ping(pod, &far, 64),
        Err(Errno::EAGAIN),
        "no carrier, no answer"
    );
    c.world.net.set_up(port).expect("there");
    assert!(c.world.ping(pod, &far, 64).is_ok());
}

#[test]
fn a_trace_names_every_hop() {
    let mut c = cluster();
    let far = format!("{}:80", c.pods[2].1);
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:80");
    let (client, server) = c.world.connection(c.pods[0].0, listener, &far);
    let trace = c.world.net.connection_trace(client).expect("a trace");
    let hops: Vec<String> = trace
        .hops
        .iter()
        .map(|hop| {
            let name = |link: &Option<std::rc::Rc<str>>| link.as_deref().unwrap_or("-").to_owned();
            format!(
                "{} {} {} {:?}",
                hop.netns,
                name(&hop.inbound),
                name(&hop.outbound),
                hop.verdict
            )
        })
        .collect();
    assert_eq!(
        hops,
        [
            "cni-1-1 - eth0 Sent",
            "node1 cni0 enp1s0 Forwarded",
            "node1 - enp1s0 OnTheWire",
            "node2 enp1s0 cni0 Forwarded",
            "cni-2-1 eth0 - Delivered",
        ]
    );
    assert_eq!(trace.hops[0].route.expect("a route").dst, Ipv4Net::DEFAULT);
    assert_eq!(
        trace.hops[1].route.expect("a route").via,
        Some(ip("172.30.2.2"))
    );
    assert_eq!(c.world.net.connection_trace(server), Some(trace));

    // On demand, for any packet, without sending it.
    let before = c.world.net.sockets_of(c.pods[1].0);
    let source = at(&format!("{}:9", c.pods[0].1));
    let near = Packet::udp(
        source,
        at(&format!("{}:53", c.pods[1].1)),
        Payload::from("?"),
    );
    let trace = c.world.net.trace(c.pods[0].0, &near, c.world.now());
    let verdicts: Vec<Verdict> = trace.hops.iter().map(|hop| hop.verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Sent, Verdict::Bridged, Verdict::Delivered]
    );
    assert_eq!(c.world.net.sockets_of(c.pods[1].0), before);
    let astray = Packet::syn(source, at("8.8.8.8:53"));
    let trace = c.world.net.trace(c.pods[0].0, &astray, c.world.now());
    assert_eq!(
        trace.outcome(),
        Some(Verdict::Dropped(net::DropReason::NoRoute))
    );
}

#[test]
fn datagrams_arrive_or_the_connected_sender_is_told() {
    let mut c = cluster();
    let server = c
        .world
        .net
        .udp_bind(c.pods[2].0, at("0.0.0.0:53"))
        .expect("free");
    let client = c
        .world
        .net
        .udp_bind(c.pods[0].0, at("0.0.0.0:0"))
        .expect("free");
    let dns = at(&format!("{}:53", c.pods[2].1));
    c.world
        .call(|net, ctx| net.send_to(ctx, client, dns, "who?".into()))
        .expect("a route");
    c.world.settle();
    let (from, question) = c.world.net.recv_from(server).expect("a datagram");
    assert_eq!(&*question.bytes(), b"who?");
    assert_eq!(*from.ip(), ip(&c.pods[0].1));
    c.world
        .call(|net, ctx| net.send_to(ctx, server, from, "me".into()))
        .expect("a route");
    c.world.settle();
    assert_eq!(c.world.net.recv_from(client).expect("an answer").0, dns);

    let closed = at(&format!("{}:54", c.pods[2].1));
    c.world
        .call(|net, ctx| net.send_to(ctx, client, closed, "?".into()))
        .expect("a route");
    c.world.settle();
    assert_eq!(
        c.world.net.recv_from(client).err(),
        Some(Errno::EAGAIN),
        "not connected, not told"
    );
    c.world
        .net
        .udp_connect(client, closed)
        .expect("a UDP socket");
    c.world
        .call(|net, ctx| net.send_to(ctx, client, closed, "?".into()))
        .expect("a route");
    c.world.settle();
    assert_eq!(
        c.world.net.recv_from(client).err(),
        Some(Errno::ECONNREFUSED)
    );
}
