//! The provider's router, at the edge of the world: it answers pings and questions for the names of
//! the machines. Whatever is to go further it drops without a word, since there is nothing beyond.
//! Models dnsmasq as providers run it: names of /etc/hosts, over UDP.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::fs::{Node, Tree};
use machine::{Fd, HostSpec, Poll, Program, Sys, Wake};
use net::dns::{self, Data, Message, Name, Rcode, Record, RecordType};

use crate::files;

/// Its address: the way to everything that is not on the wire.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(172, 30, 0, 1);
/// Its name; the dot keeps it apart from every machine's.
pub(crate) const NAME: &str = "gateway.provider";
/// The name in its executable.
pub(crate) const PROGRAM: &str = "dnsmasq";
/// How long an answer may be kept, in seconds.
const TTL: u32 = 60;

/// The machine; `hosts` are the names it knows.
pub(crate) fn spec(hosts: &[(Rc<str>, Ipv4Addr)]) -> HostSpec {
    let mut files = Tree::new();
    let exec = "/usr/sbin/dnsmasq";
    files::put(&mut files, exec, Node::binary(PROGRAM));
    files::put(&mut files, "/proc", Node::dir(0o755));
    files::hosts(&mut files, NAME, hosts);
    files::unit(
        &mut files,
        "dnsmasq",
        "A lightweight DHCP and caching DNS server",
        exec,
        "on-failure",
    );
    HostSpec {
        name: NAME.into(),
        cpus: 1,
        memory: 1 << 30,
        disk: 1 << 30,
        kernel: "6.8.0-111-generic".into(),
        os_image: "router".into(),
        files,
    }
}

/// The name server.
pub(crate) fn program() -> Box<dyn Program> {
    Box::new(Dnsmasq::default())
}

#[derive(Clone, Debug, Default)]
struct Dnsmasq {
    /// The names it knows, in lower case.
    hosts: Rc<[(Rc<str>, Ipv4Addr)]>,
}

impl Dnsmasq {
    fn start(&mut self, sys: &mut Sys<'_>) -> Result<(), String> {
        let text = sys
            .read_to_string("/etc/hosts")
            .map_err(|errno| format!("dnsmasq: failed to load names from /etc/hosts: {errno}\n"))?;
        let lines = text.lines().filter_map(|line| {
            let (addr, names) = line.split_once(' ')?;
            Some((addr.parse::<Ipv4Addr>().ok()?, names))
        });
        self.hosts = lines
            .filter(|(addr, _)| !addr.is_loopback())
            .flat_map(|(addr, names)| names.split(' ').map(move |name| (name.into(), addr)))
            .collect();
        let any = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, dns::PORT);
        let socket = sys
            .udp_bind(any)
            .map_err(|errno| format!("dnsmasq: failed to create listening socket: {errno}\n"))?;
        // A socket tells of what comes after one has found it empty.
        self.serve(sys, socket);
        Ok(())
    }

    /// Answers what has come.
    fn serve(&self, sys: &mut Sys<'_>, socket: Fd) {
        while let Ok((from, payload)) = sys.recv_from(socket) {
            // What is no question is not answered.
            let Ok(query) = Message::decode(&payload.bytes()) else {
                continue;
            };
            let bytes = self.answer(&query).encode_within(query.udp_size());
            // Whoever cannot be reached asks again.
            let _ = sys.send_to(socket, from, bytes.into());
        }
    }

    fn answer(&self, query: &Message) -> Message {
        let Some(question) = query.questions.first() else {
            return query.reply(Rcode::FORMERR);
        };
        let wanted = question.name.as_str().trim_end_matches('.');
        let wanted = wanted.to_ascii_lowercase();
        let mut known = self.hosts.iter().filter(|(name, _)| **name == *wanted);
        let Some((_, addr)) = known.next() else {
            // There is nobody further out who could know it.
            let mut reply = query.reply(Rcode::NXDOMAIN);
            reply.recursion_available = true;
            return reply;
        };
        let mut reply = query.reply(Rcode::NOERROR);
        reply.recursion_available = true;
        if question.qtype == RecordType::A {
            let name: Name = question.name.clone();
            reply.answers.push(Record::new(name, TTL, Data::A(*addr)));
        }
        reply
    }
}

impl Program for Dnsmasq {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => {
                if let Err(why) = self.start(sys) {
                    // Its log is its standard error, and nobody minds if that is closed.
                    let _ = sys.write(Fd::STDERR, why.as_bytes());
                    return Poll::Exit(2);
                }
            }
            Wake::Ready(fd) => self.serve(sys, fd),
            _ => {}
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Input, Lab, WorldSpec};
    use sim::Duration;

    #[track_caller]
    fn check(command: &str, expected: &str) {
        let mut lab = Lab::new(WorldSpec::with_workers(1, 1)).expect("a sound world");
        lab.advance(lab.now() + Duration::from_secs(5), u64::MAX);
        let input = Input::Run {
            machine: "controlplane".into(),
            command: command.into(),
        };
        let run = lab.apply(input).expect("it is on").expect("a run");
        lab.step_run(run, lab.now() + Duration::from_secs(60), u64::MAX);
        let result = lab.run_result(run).expect("a run has a result");
        let told = String::from_utf8_lossy(&result.stdout);
        assert!(told.contains(expected), "{command}: {told}");
    }

    #[test]
    fn it_knows_the_machines_and_nobody_else() {
        check("dig +short node01", "172.30.2.2");
        check("dig kubernetes.io", "status: NXDOMAIN");
        check("ping -c 1 -W 1 172.30.0.1", " 0% packet loss");
        check("ping -c 1 -W 1 8.8.8.8", " 100% packet loss");
    }
}
