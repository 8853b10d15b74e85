//! Rules at work: what passes, what is refused, and who talks to whom behind translated addresses.

use net::netfilter::{Invocation, Restore, TableName, split};
use net::{Errno, IcmpError, Ipv4Net, NetnsId, Payload, Route, Verdict};
use sim::{Duration, MachineId};

use crate::world::{Cluster, World, add_netns_on, at, cluster, ip};

/// What kube-proxy writes for a Service 10.96.0.80:80 with node port 30080 and these endpoints.
fn service(endpoints: &[&str]) -> String {
    let mut text = "*filter
:KUBE-FORWARD - [0:0]
-A FORWARD -j KUBE-FORWARD
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-EXT-WEB - [0:0]
:KUBE-SVC-WEB - [0:0]
"
    .to_owned();
    for n in 0..endpoints.len() {
        text += &format!(":KUBE-SEP-{n} - [0:0]\n");
    }
    text += "-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A POSTROUTING -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
-A KUBE-SERVICES -d 10.96.0.80/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-WEB
-A KUBE-SERVICES -d 10.96.0.80/32 -p udp -m udp --dport 53 -j KUBE-SVC-WEB
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j KUBE-EXT-WEB
-A KUBE-EXT-WEB -j KUBE-MARK-MASQ
-A KUBE-EXT-WEB -j KUBE-SVC-WEB
-A KUBE-SVC-WEB ! -s 10.244.0.0/16 -d 10.96.0.80/32 -j KUBE-MARK-MASQ
";
    for (n, endpoint) in endpoints.iter().enumerate() {
        let left = endpoints.len() - n;
        let chance = match left {
            1 => String::new(),
            left => format!(
                " -m statistic --mode random --probability {:.10}",
                1.0 / left as f64
            ),
        };
        text += &format!(
            "-A KUBE-SVC-WEB{chance} -j KUBE-SEP-{n}\n\
             -A KUBE-SEP-{n} -s {endpoint}/32 -j KUBE-MARK-MASQ\n\
             -A KUBE-SEP-{n} -p tcp -m tcp -j DNAT --to-destination {endpoint}:8080\n\
             -A KUBE-SEP-{n} -p udp -m udp -j DNAT --to-destination {endpoint}:8053\n"
        );
    }
    text + "COMMIT\n"
}

/// Two nodes that route to Services, with the Service above.
fn with_service(endpoints: &[&str]) -> Cluster {
    let mut c = cluster();
    for node in &c.nodes {
        let route = Route::via(Ipv4Net::DEFAULT, ip("172.30.9.9"), node.card);
        c.world.net.route_add(node.host, route).expect("reachable");
        let tables = c.world.net.netfilter_mut(node.host).expect("there");
        tables
            .restore(&service(endpoints), Restore::default())
            .expect("fine");
    }
    c
}

fn iptables(world: &mut World, ns: NetnsId, line: &str) {
    let command = Invocation::parse(&split(line), TableName::Filter).expect(line);
    let tables = world.net.netfilter_mut(ns).expect("there");
    tables.execute(&command).expect(line);
}

fn addr(text: &str) -> String {
    text.split(':').next().unwrap_or_default().to_owned()
}

/// From namespace `from` to `to`: the address a server of pod `server` on 8080 sees, after a
/// message each way and a goodbye.
#[track_caller]
fn check_reaches(c: &mut Cluster, from: NetnsId, to: &str, server: usize) -> String {
    let ns = c.pods[server].0;
    let listener = c.world.listen(ns, "0.0.0.0:8080");
    let (client, served) = c.world.connection(from, listener, to);
    c.world.send(client, "question").expect("connected");
    c.world.settle();
    assert_eq!(c.world.recv(served), Ok("question".into()));
    c.world.send(served, "answer").expect("connected");
    c.world.settle();
    assert_eq!(c.world.recv(client), Ok("answer".into()));
    assert_eq!(
        c.world.net.peer_addr(client),
        Ok(at(to)),
        "the client knows nothing"
    );
    let seen = c
        .world
        .net
        .peer_addr(served)
        .expect("connected")
        .to_string();
    c.world.close(client);
    c.world.settle();
    assert_eq!(
        c.world.recv(served),
        Ok(String::new()),
        "the end arrives too"
    );
    c.world.close(served);
    c.world.close(listener);
    c.world.settle();
    assert_eq!(c.world.net.socket_count(), 0, "both sides are done");
    addr(&seen)
}

#[test]
fn a_service_reaches_its_pod_from_everywhere() {
    // Pods 0 and 1 are on node 1, pods 2 and 3 on node 2; the endpoint is pod 1.
    let cases = [
        ("a pod beside it", 0, "10.96.0.80:80", "10.244.1.2"),
        ("itself", 1, "10.96.0.80:80", "10.244.1.1"),
        ("a pod of another node", 2, "10.96.0.80:80", "10.244.2.2"),
        ("its node", 10, "10.96.0.80:80", "10.244.1.1"),
        ("another node", 11, "10.96.0.80:80", "172.30.2.2"),
        ("a pod by node port", 2, "172.30.1.2:30080", "10.244.1.1"),
        (
            "its node by node port",
            10,
            "172.30.1.2:30080",
            "10.244.1.1",
        ),
        ("its node by loopback", 10, "127.0.0.1:30080", "10.244.1.1"),
        (
            "another node by its own node port",
            11,
            "172.30.2.2:30080",
            "172.30.2.2",
        ),
    ];
    for (what, from, to, seen) in cases {
        let mut c = with_service(&["10.244.1.3"]);
        let from = match from {
            10 => c.nodes[0].host,
            11 => c.nodes[1].host,
            pod => c.pods[pod].0,
        };
        assert_eq!(check_reaches(&mut c, from, to, 1), seen, "{what}");
    }
}

#[test]
fn a_node_port_of_any_node_leads_to_the_pod_from_outside() {
    for (node, seen) in [("172.30.1.2", "10.244.1.1"), ("172.30.2.2", "172.30.2.2")] {
        let mut c = with_service(&["10.244.1.3"]);
        let outside = add_netns_on(&mut c, MachineId(7), "172.30.7.2/16");
        assert_eq!(
            check_reaches(&mut c, outside, &format!("{node}:30080"), 1),
            seen
        );
    }
}

#[test]
fn without_bridge_netfilter_a_pod_beside_answers_under_the_wrong_address() {
    let mut c = with_service(&["10.244.1.3"]);
    let host = c.nodes[0].host;
    c.world.net.set_bridge_nf_call_iptables(host, false);
    c.world.listen(c.pods[1].0, "0.0.0.0:8080");
    let socket = c
        .world
        .connect(c.pods[0].0, "10.96.0.80:80")
        .expect("a route");
    c.world.run_for(Duration::from_secs(3));
    assert_eq!(
        c.world.net.status(socket),
        Err(Errno::EAGAIN),
        "the answer is from a stranger"
    );
}

#[test]
fn endpoints_share_the_connections() {
    let mut c = with_service(&["10.244.1.3", "10.244.2.2", "10.244.2.3"]);
    let listeners: Vec<_> = [1, 2, 3]
        .map(|pod| c.world.listen(c.pods[pod].0, "0.0.0.0:8080"))
        .to_vec();
    for _ in 0..60 {
        let socket = c
            .world
            .connect(c.pods[0].0, "10.96.0.80:80")
            .expect("a route");
        c.world.settle();
        assert_eq!(c.world.net.status(socket), Ok(()));
    }
    let mut counts = listeners
        .iter()
        .map(|listener| std::iter::from_fn(|| c.world.net.accept(*listener).ok()).count())
        .collect::<Vec<_>>();
    assert_eq!(counts.iter().sum::<usize>(), 60);
    counts.sort_unstable();
    assert!(counts[0] >= 10, "{counts:?}");
}

#[test]
fn datagrams_find_their_way_back_and_forth() {
    let mut c = with_service(&["10.244.2.2"]);
    let server = c
        .world
        .net
        .udp_bind(c.pods[2].0, at("0.0.0.0:8053"))
        .expect("free");
    let client = c
        .world
        .net
        .udp_bind(c.pods[0].0, at("0.0.0.0:0"))
        .expect("free");
    c.world
        .call(|net, ctx| net.send_to(ctx, client, at("10.96.0.80:53"), Payload::from("?")))
        .expect("sent");
    c.world.settle();
    let (from, _) = c.world.net.recv_from(server).expect("arrived");
    assert_eq!(from.ip().to_string(), "10.244.1.2");
    c.world
        .call(|net, ctx| net.send_to(ctx, server, from, Payload::from("!")))
        .expect("sent");
    c.world.settle();
    let (from, _) = c.world.net.recv_from(client).expect("arrived");
    assert_eq!(from, at("10.96.0.80:53"));
    // Nobody listens any more: the error comes back under the Service's address.
    c.world.close(server);
    c.world
        .net
        .udp_connect(client, at("10.96.0.80:53"))
        .expect("open");
    c.world
        .call(|net, ctx| net.send_to(ctx, client, at("10.96.0.80:53"), Payload::from("?")))
        .expect("sent");
    c.world.settle();
    let again = c
        .world
        .call(|net, ctx| net.send_to(ctx, client, at("10.96.0.80:53"), Payload::from("?")));
    assert_eq!(again, Err(Errno::ECONNREFUSED));
}

#[test]
fn a_refused_connection_behind_a_service_is_refused_at_once() {
    let mut c = with_service(&["10.244.2.2"]);
    let socket = c
        .world
        .connect(c.pods[0].0, "10.96.0.80:80")
        .expect("a route");
    c.world.settle();
    assert_eq!(c.world.net.status(socket), Err(Errno::ECONNREFUSED));
}

#[test]
fn rules_drop_and_reject() {
    // The rule, where: 0 the client's node, 1 the server's; and what the client sees when.
    let cases = [
        (
            "-A FORWARD -d 10.244.2.2 -p tcp -j DROP",
            1,
            200,
            Err(Errno::ETIMEDOUT),
        ),
        (
            "-A FORWARD -d 10.244.2.2 -j REJECT",
            1,
            1,
            Err(Errno::ECONNREFUSED),
        ),
        (
            "-A FORWARD -p tcp --dport 80 -j REJECT --reject-with tcp-reset",
            0,
            1,
            Err(Errno::ECONNREFUSED),
        ),
        (
            "-A FORWARD -p tcp -j REJECT --reject-with icmp-host-prohibited",
            1,
            1,
            Err(Errno::EHOSTUNREACH),
        ),
        ("-P FORWARD DROP", 0, 200, Err(Errno::ETIMEDOUT)),
        (
            "-A FORWARD -s 10.244.1.0/24 -i enp+ -o cni0 -j ACCEPT",
            1,
            1,
            Ok(()),
        ),
        ("-A INPUT -j DROP", 1, 1, Ok(())),
    ];
    for (rule, node, seconds, expected) in cases {
        let mut c = cluster();
        let host = c.nodes[node].host;
        iptables(&mut c.world, host, rule);
        c.world.listen(c.pods[2].0, "0.0.0.0:80");
        let socket = c
            .world
            .connect(c.pods[0].0, "10.244.2.2:80")
            .expect("a route");
        c.world.run_for(Duration::from_secs(seconds));
        assert_eq!(c.world.net.status(socket), expected, "{rule}");
    }
}

#[test]
fn a_rejected_service_refuses_its_own_machine_too() {
    let mut c = with_service(&[]);
    let host = c.nodes[0].host;
    iptables(
        &mut c.world,
        host,
        "-A OUTPUT -d 10.96.0.81 -p tcp --dport 80 -j REJECT",
    );
    let socket = c.world.connect(host, "10.96.0.81:80").expect("a route");
    c.world.settle();
    assert_eq!(c.world.net.status(socket), Err(Errno::ECONNREFUSED));
    let datagram = c.world.net.udp_bind(host, at("0.0.0.0:0")).expect("free");
    iptables(&mut c.world, host, "-A OUTPUT -p udp -j DROP");
    let sent = c
        .world
        .call(|net, ctx| net.send_to(ctx, datagram, at("172.30.2.2:9"), Payload::from("x")));
    assert_eq!(sent, Err(Errno::EPERM));
}

#[test]
fn a_lost_packet_is_sent_again_to_the_service_not_to_the_pod() {
    let mut c = with_service(&["10.244.2.2"]);
    let host = c.nodes[1].host;
    iptables(&mut c.world, host, "-I FORWARD -d 10.244.2.2 -j DROP");
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:8080");
    let socket = c
        .world
        .connect(c.pods[0].0, "10.96.0.80:80")
        .expect("a route");
    c.world.run_for(Duration::from_millis(1500));
    assert_eq!(c.world.net.status(socket), Err(Errno::EAGAIN));
    iptables(&mut c.world, host, "-D FORWARD 1");
    c.world.run_for(Duration::from_secs(1));
    assert_eq!(c.world.net.status(socket), Ok(()));
    assert!(c.world.net.accept(listener).is_ok());
}

#[test]
fn connections_are_listed_as_conntrack_lists_them() {
    let mut c = with_service(&["10.244.2.2"]);
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:8080");
    let host = c.nodes[0].host;
    let lines = |c: &Cluster| {
        let now = c.world.now();
        let tables = c.world.net.netfilter(host).expect("there");
        tables
            .connections(now)
            .iter()
            .map(|(_, conn)| conn.line(now))
            .collect::<Vec<_>>()
    };
    let (client, _) = c.world.connection(c.pods[0].0, listener, "10.96.0.80:80");
    let port = c.world.net.local_addr(client).expect("open").port();
    assert_eq!(
        lines(&c),
        [format!(
            "tcp      6 431999 ESTABLISHED src=10.244.1.2 dst=10.96.0.80 sport={port} dport=80 \
             src=10.244.2.2 dst=10.244.1.2 sport=8080 dport={port} [ASSURED] mark=0 use=1"
        )]
    );
    assert!(c.world.ping(c.pods[1].0, "10.244.2.3", 64).is_ok());
    assert!(
        lines(&c)[1].starts_with("icmp     1 25 src=10.244.1.3 dst=10.244.2.3 type=8 code=0 id=")
    );
    c.world.close(client);
    c.world.run_for(Duration::from_secs(200));
    assert_eq!(lines(&c), [""; 0], "forgotten in time");
}

#[test]
fn time_exceeded_and_unreachable_are_related() {
    let mut c = with_service(&[]);
    for node in 0..2 {
        let host = c.nodes[node].host;
        iptables(&mut c.world, host, "-P FORWARD DROP");
        iptables(
            &mut c.world,
            host,
            "-A FORWARD -p icmp -m conntrack --ctstate NEW -j ACCEPT",
        );
        iptables(
            &mut c.world,
            host,
            "-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT",
        );
    }
    let reply = c
        .world
        .ping(c.pods[0].0, "10.244.2.2", 2)
        .expect("an error");
    assert_eq!(
        (reply.from, reply.error),
        (ip("172.30.2.2"), Some(IcmpError::TimeExceeded))
    );
}

#[test]
fn a_trace_names_the_rules() {
    let mut c = with_service(&["10.244.2.2"]);
    c.world.listen(c.pods[2].0, "0.0.0.0:8080");
    let syn = net::Packet::syn(at("10.244.1.2:40000"), at("10.96.0.80:80"));
    let now = c.world.now();
    let trace = c.world.net.trace(c.pods[0].0, &syn, now);
    assert_eq!(trace.outcome(), Some(Verdict::Delivered), "{trace}");
    let rules: Vec<String> = trace
        .hops
        .iter()
        .flat_map(|hop| &hop.rules)
        .map(ToString::to_string)
        .collect();
    let expected = [
        "nat PREROUTING 1: -A PREROUTING -j KUBE-SERVICES",
        "nat KUBE-SERVICES 1: -A KUBE-SERVICES -d 10.96.0.80/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-WEB",
        "nat KUBE-SVC-WEB 2: -A KUBE-SVC-WEB -j KUBE-SEP-0",
        "nat KUBE-SEP-0 2: -A KUBE-SEP-0 -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:8080 makes it 10.244.1.2:40000 > 10.244.2.2:8080",
        "filter FORWARD 1: -A FORWARD -j KUBE-FORWARD",
        "nat POSTROUTING 1: -A POSTROUTING -j KUBE-POSTROUTING",
        "nat KUBE-POSTROUTING 1: -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
    ];
    assert_eq!(&rules[..expected.len()], expected, "{trace}");
}

#[test]
fn clients_behind_one_address_keep_apart() {
    // Both pods use one source port towards one server, behind one address.
    let mut c = cluster();
    let host = c.nodes[0].host;
    iptables(
        &mut c.world,
        host,
        "-t nat -A POSTROUTING -p udp -s 10.244.1.0/24 -o enp1s0 -j SNAT --to-source 172.30.1.2:5000-5001",
    );
    let server = c
        .world
        .net
        .udp_bind(c.nodes[1].host, at("0.0.0.0:53"))
        .expect("free");
    let mut seen = Vec::new();
    for pod in 0..3 {
        let ns = if pod == 2 { c.pods[0].0 } else { c.pods[pod].0 };
        let port = if pod == 2 { 7 } else { 6 };
        let client = c
            .world
            .net
            .udp_bind(ns, at(&format!("0.0.0.0:{port}")))
            .expect("free");
        let _ = c
            .world
            .call(|net, ctx| net.send_to(ctx, client, at("172.30.2.2:53"), Payload::from("x")));
        c.world.settle();
        seen.push(
            c.world
                .net
                .recv_from(server)
                .map(|(from, _)| from.to_string()),
        );
    }
    assert_eq!(
        seen,
        [
            Ok("172.30.1.2:5000".into()),
            Ok("172.30.1.2:5001".into()),
            Err(Errno::EAGAIN),
        ],
        "two ports are two conversations"
    );
}

#[test]
fn an_affinity_lasts_its_time() {
    let mut c = with_service(&["10.244.1.3"]);
    let host = c.nodes[0].host;
    for line in [
        "-t nat -I KUBE-SVC-WEB -m recent --rcheck --seconds 60 --reap --name A --rsource -j KUBE-SEP-0",
        "-t nat -I KUBE-SEP-0 -m recent --set --name A --rsource",
    ] {
        iptables(&mut c.world, host, line);
    }
    let hits = |c: &Cluster| {
        let tables = c.world.net.netfilter(host).expect("there");
        tables
            .table(TableName::Nat)
            .expect("there")
            .tally("KUBE-SVC-WEB", 0)
            .packets
    };
    for (wait, expected) in [(0, 0), (59, 1), (61, 1), (1, 2)] {
        c.world.run_for(Duration::from_secs(wait));
        c.world
            .connect(c.pods[0].0, "10.96.0.80:80")
            .expect("a route");
        c.world.settle();
        assert_eq!(hits(&c), expected, "after {wait} s");
    }
}

#[test]
fn counters_and_limits_count() {
    let mut c = cluster();
    let host = c.nodes[0].host;
    iptables(
        &mut c.world,
        host,
        "-A INPUT -p icmp -m limit --limit 1/min --limit-burst 2 -j ACCEPT",
    );
    iptables(
        &mut c.world,
        host,
        "-A INPUT -p icmp -m statistic --mode nth --every 2 --packet 1 -j ACCEPT",
    );
    iptables(&mut c.world, host, "-P INPUT DROP");
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(c.world.ping(c.pods[0].0, "10.244.1.1", 64).is_ok());
    }
    assert_eq!(answers, [true, true, false, true, false]);
    let saved = c
        .world
        .net
        .netfilter(host)
        .expect("there")
        .save(TableName::Filter, true);
    assert!(saved.contains(":INPUT DROP [2:168]"), "{saved}");
    assert!(
        saved.contains("[2:168] -A INPUT -p icmp -m limit"),
        "{saved}"
    );
    assert!(
        saved.contains("[1:84] -A INPUT -p icmp -m statistic"),
        "{saved}"
    );
}

#[test]
fn clones_do_not_see_each_others_connections() {
    let mut c = with_service(&["10.244.1.3"]);
    let host = c.nodes[0].host;
    let mut other = c.world.clone();
    c.world.listen(c.pods[1].0, "0.0.0.0:8080");
    c.world
        .connect(c.pods[0].0, "10.96.0.80:80")
        .expect("a route");
    c.world.settle();
    let count = |world: &World| {
        let tables = world.net.netfilter(host).expect("there");
        (
            tables.connections(world.now()).len(),
            tables
                .table(TableName::Nat)
                .expect("there")
                .tally("PREROUTING", 0)
                .packets,
        )
    };
    other.settle();
    assert_eq!((count(&c.world), count(&other)), ((1, 1), (0, 0)));
}
