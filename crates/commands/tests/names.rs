//! Tools that ask a name server, and one that answers.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use kubarium_commands::{all, program};
use machine::testing::TestBox;
use machine::{Constructor, Io, tool};
use net::dns::{Data, Message, PORT, Rcode, Record, RecordType};
use sim::{Duration, EntryId};

/// A server that knows a Service of a cluster and its address' name.
async fn serve(io: Io) -> i32 {
    let any = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT);
    let fd = io.sys(move |sys| sys.udp_bind(any)).await.expect("free");
    loop {
        let heard = io.retry(move |sys| {
            let (from, payload) = sys.recv_from(fd)?;
            Ok((from, payload.bytes()))
        });
        let (from, bytes) = heard.await.expect("a datagram");
        let reply = answer(&Message::decode(&bytes).expect("a query"));
        let sent = io.sys(move |sys| sys.send_to(fd, from, reply.encode().into()));
        sent.await.expect("a way back");
    }
}

fn answer(query: &Message) -> Message {
    let question = &query.questions[0];
    let data = match (question.name.as_str(), question.qtype) {
        ("web.shop.svc.cluster.local.", RecordType::A) => {
            Some(Data::A(Ipv4Addr::new(127, 0, 0, 7)))
        }
        ("7.0.0.127.in-addr.arpa.", RecordType::PTR) => {
            let name = "web.shop.svc.cluster.local.".parse().expect("a name");
            Some(Data::Ptr(name))
        }
        ("web.shop.svc.cluster.local.", _) => None,
        _ => return query.reply(Rcode::NXDOMAIN),
    };
    let mut reply = query.reply(Rcode::NOERROR);
    reply.authoritative = true;
    let records = data.map(|data| Record::new(question.name.clone(), 30, data));
    reply.answers = records.into_iter().collect();
    reply
}

fn programs(name: &str) -> Option<Constructor> {
    match name {
        "bash" => Some(shell::bash),
        "nameserver" => Some(|| tool(|io| Box::pin(serve(io)))),
        _ => program(name),
    }
}

#[track_caller]
fn check(busybox: bool, command: &str, expected: &str) {
    let mut names: Vec<&'static str> = all().iter().map(|tool| tool.name).collect();
    names.extend(["bash", "nameserver"]);
    let mut test = TestBox::new(programs, &names);
    let prepared = test.world.enter(test.machine, EntryId::NONE, |sys| {
        let text = b"search shop.svc.cluster.local svc.cluster.local\nnameserver 127.0.0.1\noptions ndots:5\n";
        sys.write_file("/etc/resolv.conf", text)?;
        if busybox {
            sys.write_file("/usr/bin/busybox", b"")?;
        }
        Ok::<(), machine::Errno>(())
    });
    assert_eq!(prepared.expect("it is on"), Ok(()));
    let script: Rc<str> = format!("nameserver & sleep 0.1; {command}").into();
    let pid = test.start(&["bash", "-c", &script]);
    let (shown, _) = test.finish(pid, Duration::from_secs(60));
    assert_eq!(shown.replace("\r\n", "\n"), expected, "{command}");
}

#[test]
fn names_are_asked_for_and_found() {
    check(
        false,
        "nslookup web",
        "Server:\t\t127.0.0.1\nAddress:\t127.0.0.1#53\n\nName:\tweb.shop.svc.cluster.local\nAddress: 127.0.0.7\n\n",
    );
    check(
        false,
        "nslookup nope.svc.cluster.local",
        "Server:\t\t127.0.0.1\nAddress:\t127.0.0.1#53\n\n** server can't find nope.svc.cluster.local: NXDOMAIN\n\n",
    );
    check(
        false,
        "dig +short web.shop.svc.cluster.local; dig +short web; dig +short +search web; dig +short -x 127.0.0.7",
        "127.0.0.7\n127.0.0.7\nweb.shop.svc.cluster.local.\n",
    );
    check(
        false,
        "dig web.shop.svc.cluster.local | sed 's/id: .*/id: N/'",
        "\n; <<>> DiG 9.18.39-0ubuntu0.24.04.2-Ubuntu <<>> web.shop.svc.cluster.local\n;; global options: +cmd\n;; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: N\n;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0\n;; WARNING: recursion requested but not available\n\n;; QUESTION SECTION:\n;web.shop.svc.cluster.local.\tIN\tA\n\n;; ANSWER SECTION:\nweb.shop.svc.cluster.local. 30 IN\tA\t127.0.0.7\n\n;; Query time: 0 msec\n;; SERVER: 127.0.0.1#53(127.0.0.1) (UDP)\n;; WHEN: Mon Jan 05 09:00:01 UTC 2026\n;; MSG SIZE  rcvd: 60\n\n",
    );
    check(
        false,
        "ping -c1 web | head -2; curl -sS web; ping nope",
        "PING web (127.0.0.7) 56(84) bytes of data.\n64 bytes from web.shop.svc.cluster.local (127.0.0.7): icmp_seq=1 ttl=64 time=0.071 ms\ncurl: (7) Failed to connect to web port 80 after 0 ms: Couldn't connect to server\nping: nope: Name or service not known\n",
    );
}

#[test]
fn busybox_has_its_own_words() {
    check(
        true,
        "nslookup web",
        "Server:\t\t127.0.0.1\nAddress:\t127.0.0.1:53\n\nName:\tweb.shop.svc.cluster.local\nAddress: 127.0.0.7\n\n** server can't find web.svc.cluster.local: NXDOMAIN\n\n\n** server can't find web.svc.cluster.local: NXDOMAIN\n\n",
    );
    check(
        true,
        "ping -c1 web; wget -O- web; nc -zv web 80",
        "PING web (127.0.0.7): 56 data bytes\n64 bytes from 127.0.0.7: seq=0 ttl=64 time=0.071 ms\n\n--- web ping statistics ---\n1 packets transmitted, 1 packets received, 0% packet loss\nround-trip min/avg/max = 0.071/0.071/0.071 ms\nConnecting to web (127.0.0.7:80)\nwget: can't connect to remote host (127.0.0.7): Connection refused\nnc: web (127.0.0.7:80): Connection refused\n",
    );
}
