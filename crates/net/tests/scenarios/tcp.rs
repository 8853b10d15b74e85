//! The life of TCP connections, and their many deaths.

use net::Errno;
use sim::Duration;

use crate::world::{Cluster, at, cluster};

/// The time a connection attempt takes to fail, in seconds, and how.
fn fails(c: &mut Cluster, from: usize, dst: &str) -> (u64, Errno) {
    let start = c.world.now();
    let socket = c.world.connect(c.pods[from].0, dst).expect("a route");
    loop {
        match c.world.net.status(socket) {
            Err(Errno::EAGAIN) => c.world.run_for(Duration::from_millis(100)),
            Err(errno) => return (c.world.now().since(start).as_secs(), errno),
            Ok(()) => panic!("{dst} accepted"),
        }
        assert!(
            c.world.now().since(start).as_secs() < 600,
            "{dst} neither fails nor succeeds"
        );
    }
}

#[test]
fn messages_arrive_whole_and_in_order_and_the_end_is_seen() {
    let mut c = cluster();
    for (client, server) in [(0, 1), (0, 2), (3, 0), (1, 1)] {
        let addr = format!("{}:8080", c.pods[server].1);
        let listener = c.world.listen(c.pods[server].0, "0.0.0.0:8080");
        let (a, b) = c.world.connection(c.pods[client].0, listener, &addr);
        // A long message must not be overtaken by a short one.
        let long = "x".repeat(200_000);
        for text in [&*long, "", "three"] {
            c.world.send(a, text).expect("connected");
        }
        c.world.send(b, "answer").expect("connected");
        c.world.settle();
        assert_eq!(c.world.recv(a), Ok("answer".into()));
        c.world.close(a);
        c.world.settle();
        assert!(c.world.recv(b) == Ok(long), "the long message comes first");
        assert_eq!(c.world.recv(b), Ok(String::new()));
        assert_eq!(c.world.recv(b), Ok("three".into()));
        assert_eq!(c.world.net.recv(b).map(|end| end.is_none()), Ok(true));
        c.world.close(b);
        c.world.close(listener);
        c.world.settle();
        assert_eq!(c.world.net.socket_count(), 0, "{client} to {server}");
    }
    assert!(!c.world.kinds().contains(&"net.drop"));
}

#[test]
fn addresses_and_listings_are_those_of_ss() {
    let mut c = cluster();
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:80");
    let addr = format!("{}:80", c.pods[2].1);
    let (client, server) = c.world.connection(c.pods[0].0, listener, &addr);
    let local = c.world.net.local_addr(client).expect("there");
    assert_eq!(c.world.net.peer_addr(server), Ok(local));
    assert_eq!(local.ip().to_string(), c.pods[0].1);
    assert!((32768..61000).contains(&local.port()));
    c.world.send(client, "12345").expect("connected");
    c.world.settle();
    let listed: Vec<_> = c.world.net.sockets_of(c.pods[2].0);
    let lines: Vec<_> = listed
        .iter()
        .map(|s| format!("{} {} {} {}", s.state, s.recv_q, s.send_q, s.local))
        .collect();
    assert_eq!(
        lines,
        [
            "LISTEN 0 128 0.0.0.0:80".to_owned(),
            format!("ESTAB 5 0 {addr}")
        ]
    );
    c.world
        .call(|net, ctx| net.shutdown(ctx, client))
        .expect("connected");
    c.world.settle();
    assert_eq!(c.world.net.sockets_of(c.pods[0].0)[0].state, "FIN-WAIT-2");
    assert_eq!(c.world.send(client, "more"), Err(Errno::EPIPE));
    c.world
        .send(server, "still here")
        .expect("one side is open");
    c.world.settle();
    assert_eq!(c.world.recv(client), Ok("still here".into()));
}

#[test]
fn ports_are_bound_once() {
    let mut c = cluster();
    let ns = c.pods[0].0;
    c.world.listen(ns, "127.0.0.1:80");
    let cases = [
        ("127.0.0.1:80", Some(Errno::EADDRINUSE)),
        ("0.0.0.0:80", Some(Errno::EADDRINUSE)),
        ("10.244.1.2:80", None),
        ("10.244.1.3:80", Some(Errno::EADDRNOTAVAIL)),
        ("0.0.0.0:81", None),
        ("10.244.1.2:81", Some(Errno::EADDRINUSE)),
    ];
    for (addr, errno) in cases {
        let result = c.world.call(|net, ctx| net.listen(ctx, ns, at(addr), 1));
        assert_eq!(result.err(), errno, "{addr}");
    }
}

#[test]
fn attempts_fail_as_linux_lets_them_fail() {
    let mut c = cluster();
    let closed = format!("{}:81", c.pods[2].1);
    assert_eq!(fails(&mut c, 0, &closed), (0, Errno::ECONNREFUSED));
    assert_eq!(fails(&mut c, 0, "10.244.1.77:80"), (3, Errno::EHOSTUNREACH));
    assert_eq!(fails(&mut c, 0, "10.244.2.77:80"), (3, Errno::EHOSTUNREACH));
    assert_eq!(fails(&mut c, 0, "10.244.9.9:80"), (0, Errno::ENETUNREACH));
    // Nobody says a word: 131 s since Linux 6.5.
    c.world.net.set_ip_forward(c.nodes[0].host, false);
    let silent = format!("{}:80", c.pods[2].1);
    assert_eq!(fails(&mut c, 0, &silent), (131, Errno::ETIMEDOUT));
    assert_eq!(
        c.world
            .kinds()
            .iter()
            .filter(|kind| **kind == "net.resend")
            .count(),
        10
    );
}

#[test]
fn a_machine_that_is_off_is_first_silent_then_absent() {
    let mut c = cluster();
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:80");
    let addr = format!("{}:80", c.pods[2].1);
    let (client, _) = c.world.connection(c.pods[0].0, listener, &addr);
    c.world.net.set_machine_up(c.nodes[1].machine, false);
    c.world.send(client, "lost").expect("nobody knows yet");
    c.world.run_for(Duration::from_secs(60));
    assert_eq!(c.world.net.status(client), Ok(()), "still trying");
    assert_eq!(fails(&mut c, 0, &addr), (3, Errno::EHOSTUNREACH));
    c.world.run_for(Duration::from_secs(1000));
    assert_eq!(c.world.net.recv(client).err(), Some(Errno::EHOSTUNREACH));

    // It comes back with a fresh kernel that knows no connection.
    c.world.net.set_machine_up(c.nodes[1].machine, true);
    assert_eq!(fails(&mut c, 0, &addr), (0, Errno::ECONNREFUSED));
}

#[test]
fn what_is_lost_is_sent_again_in_order() {
    let mut c = cluster();
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:80");
    let addr = format!("{}:80", c.pods[2].1);
    let (client, server) = c.world.connection(c.pods[0].0, listener, &addr);
    let card = c.nodes[1].card;
    let down_while_on_the_wire = |c: &mut Cluster| {
        c.world.run_for(Duration::from_micros(100));
        c.world.net.set_down(card).expect("there");
        c.world.run_for(Duration::from_millis(1));
    };
    c.world.send(client, "one").expect("connected");
    down_while_on_the_wire(&mut c);
    c.world.send(client, "two").expect("connected");
    c.world.run_for(Duration::from_millis(300));
    c.world.send(client, "three").expect("connected");
    assert_eq!(c.world.recv(server), Err(Errno::EAGAIN));
    let net = &mut c.world.net;
    net.set_up(card).expect("there");
    let dst = crate::world::subnet("10.244.1.0/24");
    let back = net::Route::via(dst, crate::world::ip("172.30.1.2"), card);
    net.route_add(c.nodes[1].host, back)
        .expect("lost when the card went down");
    c.world.run_for(Duration::from_secs(2));
    for text in ["one", "two", "three"] {
        assert_eq!(c.world.recv(server), Ok(text.into()));
    }
    c.world.send(server, "fine").expect("connected");
    c.world.settle();
    assert_eq!(c.world.recv(client), Ok("fine".into()));
}

#[test]
fn a_full_backlog_makes_clients_wait() {
    let mut c = cluster();
    let ns = c.pods[1].0;
    let listener = c
        .world
        .call(|net, ctx| net.listen(ctx, ns, at("0.0.0.0:80"), 1))
        .expect("free");
    let addr = format!("{}:80", c.pods[1].1);
    let clients: Vec<_> = (0..3)
        .map(|_| c.world.connect(c.pods[0].0, &addr).expect("a route"))
        .collect();
    // One after the other arrives; the third finds two waiting, one more than the backlog.
    c.world.settle();
    let connected: Vec<_> = clients
        .iter()
        .map(|id| c.world.net.status(*id).is_ok())
        .collect();
    assert_eq!(
        connected.iter().filter(|ok| **ok).count(),
        3,
        "all SYNs came before any ACK"
    );
    let fourth = c.world.connect(c.pods[0].0, &addr).expect("a route");
    c.world.settle();
    assert_eq!(c.world.net.status(fourth), Err(Errno::EAGAIN));
    for _ in 0..3 {
        c.world.net.accept(listener).expect("a connection");
    }
    c.world.run_for(Duration::from_secs(1));
    assert_eq!(c.world.net.status(fourth), Ok(()));
}

#[test]
fn closing_unread_or_aborting_resets() {
    let mut c = cluster();
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:80");
    let addr = format!("{}:80", c.pods[2].1);
    let (client, server) = c.world.connection(c.pods[0].0, listener, &addr);
    c.world.send(client, "never read").expect("connected");
    c.world.settle();
    c.world.close(server);
    c.world.settle();
    assert_eq!(c.world.recv(client), Err(Errno::ECONNRESET));
    assert_eq!(c.world.recv(client), Ok(String::new()));
    assert_eq!(c.world.send(client, "x"), Err(Errno::EPIPE));

    // Data for a socket whose program is gone.
    let (client, server) = c.world.connection(c.pods[0].0, listener, &addr);
    c.world.close(server);
    c.world.settle();
    assert_eq!(c.world.recv(client), Ok(String::new()));
    c.world.send(client, "anybody?").expect("half open");
    c.world.settle();
    assert_eq!(c.world.send(client, "x"), Err(Errno::ECONNRESET));

    // Connections nobody accepted end with their listener.
    let waiting = c.world.connect(c.pods[0].0, &addr).expect("a route");
    c.world.settle();
    c.world.close(listener);
    c.world.settle();
    assert_eq!(c.world.recv(waiting), Err(Errno::ECONNRESET));
}

#[test]
fn woken_are_those_with_something_to_do() {
    let mut c = cluster();
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:80");
    let addr = format!("{}:80", c.pods[2].1);
    let (client, server) = c.world.connection(c.pods[0].0, listener, &addr);
    assert_eq!(c.world.woken, [client, listener]);
    c.world.woken.clear();
    c.world.send(client, "hi").expect("connected");
    c.world.close(client);
    c.world.settle();
    assert_eq!(c.world.woken, [server, server]);
}

#[test]
fn the_cause_of_what_arrives_is_what_was_sent() {
    let mut c = cluster();
    let listener = c.world.listen(c.pods[2].0, "0.0.0.0:80");
    let addr = format!("{}:80", c.pods[2].1);
    let (client, server) = c.world.connection(c.pods[0].0, listener, &addr);
    c.world.send(client, "hi").expect("connected");
    c.world.settle();
    assert_eq!(c.world.recv(server), Ok("hi".into()));
    let cause = c.world.net.last_cause(server);
    let entry = c.world.journal.get(cause).expect("an entry");
    let port = c.world.net.local_addr(client).expect("there").port();
    assert_eq!(
        entry.to_string(),
        format!("10.244.1.2:{port} sends 2 bytes to 10.244.2.2:80")
    );
}
