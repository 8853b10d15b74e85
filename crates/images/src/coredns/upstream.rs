//! Questions passed on to other name servers, over UDP, each over a socket of its own.
//! Models coredns/plugin/forward and coredns/plugin/pkg/proxy.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::{Errno, Fd, Sys};
use net::dns::{Message, Name, Question, Rcode, Record};
use sim::{Duration, Instant};

use super::config::Server;
use super::front::Client;

/// How long an answer is waited for (`readTimeout`).
const PATIENCE: Duration = Duration::from_secs(2);
/// By then the checks of health have found a server dead that does not answer.
const TRIES: u32 = 2;

/// A question somebody waits for.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Who.
    pub(super) client: Client,
    pub(super) server: Rc<Server>,
    /// What the client asked.
    pub(super) query: Message,
    pub(super) began: Instant,
    /// The name that is asked about now, and what led to it.
    pub(super) name: Name,
    pub(super) prefix: Vec<Record>,
    pub(super) to: Rc<[SocketAddrV4]>,
}

#[derive(Clone, Debug)]
struct Pending {
    waiting: Waiting,
    id: u16,
    asked: SocketAddrV4,
    until: Instant,
    tries: u32,
}

/// An answer to somebody who waits.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) waiting: Waiting,
    pub(super) reply: Message,
    /// Why there is none.
    pub(super) error: Option<String>,
}

/// All of them, by their sockets.
#[derive(Clone, Debug, Default)]
pub(super) struct Upstream {
    pending: BTreeMap<Fd, Pending>,
    next: usize,
}

impl Upstream {
    /// When the next one has waited long enough.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.pending.values().map(|pending| pending.until).min()
    }

    /// Passes a question on.
    pub(super) fn ask(&mut self, sys: &mut Sys<'_>, waiting: Waiting) -> Option<Answered> {
        self.attempt(sys, waiting, 1)
    }

    /// Gives up those whose time has come.
    pub(super) fn on_time(&mut self, sys: &mut Sys<'_>) -> Vec<Answered> {
        let now = sys.now();
        let due = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.until <= now);
        let due: Vec<Fd> = due.map(|(fd, _)| *fd).collect();
        due.into_iter()
            .filter_map(|fd| self.failed(sys, fd, "i/o timeout"))
            .collect()
    }

    /// Takes what came in; `None` if the socket is none of these.
    pub(super) fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd) -> Option<Vec<Answered>> {
        self.pending.get(&fd)?;
        let mut answered = Vec::new();
        while let Some(pending) = self.pending.get(&fd) {
            match sys.recv_from(fd) {
                Ok((_, payload)) => {
                    let message = Message::decode(&payload.bytes());
                    let Some(message) = message.ok().filter(|m| m.response && m.id == pending.id)
                    else {
                        continue;
                    };
                    answered.extend(self.take(sys, fd).map(|p| p.waiting.answered(message)));
                }
                Err(Errno::EAGAIN) => break,
                Err(errno) => {
                    let why = format!("read: {}", errno.go_message());
                    answered.extend(self.failed(sys, fd, &why));
                }
            }
        }
        Some(answered)
    }

    fn take(&mut self, sys: &mut Sys<'_>, fd: Fd) -> Option<Pending> {
        let pending = self.pending.remove(&fd)?;
        sys.close(fd);
        Some(pending)
    }

    fn failed(&mut self, sys: &mut Sys<'_>, fd: Fd, why: &str) -> Option<Answered> {
        let local = local(sys, fd);
        let Pending {
            waiting,
            asked,
            tries,
            ..
        } = self.take(sys, fd)?;
        if tries < TRIES {
            return self.attempt(sys, waiting, tries + 1);
        }
        Some(waiting.unanswered(format!("read udp {local}->{asked}: {why}")))
    }

    fn attempt(&mut self, sys: &mut Sys<'_>, waiting: Waiting, tries: u32) -> Option<Answered> {
        let asked = waiting.to[self.next % waiting.to.len()];
        self.next += 1;
        let id = (sys.random().next_u64() & 0xffff) as u16;
        let mut query = waiting.query.clone();
        query.id = id;
        query
            .questions
            .iter_mut()
            .for_each(|question| question.name = waiting.name.clone());
        let any = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
        let sent = sys.udp_bind(any).and_then(|fd| {
            let sent = sys
                .udp_connect(fd, asked)
                .and_then(|()| sys.send_to(fd, asked, query.encode().into()));
            sent.map(|()| fd).inspect_err(|_| sys.close(fd))
        });
        let fd = match sent {
            Ok(fd) => fd,
            Err(errno) => {
                let why = errno.go_message();
                return Some(waiting.unanswered(format!("dial udp {asked}: connect: {why}")));
            }
        };
        let until = sys.now() + PATIENCE;
        self.pending.insert(
            fd,
            Pending {
                waiting,
                id,
                asked,
                until,
                tries,
            },
        );
        // Nothing can have come yet: this asks to be woken when something does.
        self.on_ready(sys, fd)?.pop()
    }
}

impl Waiting {
    /// The client's only question.
    pub(super) fn question(&self) -> &Question {
        &self.query.questions[0]
    }

    fn answered(self, message: Message) -> Answered {
        let mut reply = message;
        reply.id = self.query.id;
        reply.questions = self.query.questions.clone();
        reply.answers.splice(0..0, self.prefix.iter().cloned());
        reply
            .additional
            .retain(|record| record.data.record_type() != net::dns::RecordType::OPT);
        Answered {
            waiting: self,
            reply,
            error: None,
        }
    }

    fn unanswered(self, error: String) -> Answered {
        Answered {
            reply: self.query.reply(Rcode::SERVFAIL),
            waiting: self,
            error: Some(error),
        }
    }
}

/// The address a socket sends from.
fn local(sys: &mut Sys<'_>, fd: Fd) -> SocketAddrV4 {
    let netns = sys.netns();
    let port = sys
        .socket(fd)
        .and_then(|socket| sys.net().local_addr(socket).ok())
        .map_or(0, |local| local.port());
    let mut links = sys.net().links_of(netns);
    let ip = links.find_map(|link| link.addrs.iter().map(|a| a.addr).find(|a| !a.is_loopback()));
    SocketAddrV4::new(ip.unwrap_or(Ipv4Addr::LOCALHOST), port)
}
