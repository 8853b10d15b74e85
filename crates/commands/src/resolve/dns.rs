//! Asking name servers for addresses: over UDP, IPv4 and IPv6 at once, one server after the other.
//! Models glibc's resolv/res_send.c and __res_context_search. An answer that does not fit a datagram
//! is used as far as it came.

use std::net::{Ipv4Addr, SocketAddrV4};

use machine::{Errno, Fd, Io, Sys};
use net::dns::{self, Data, Message, Name, Rcode, RecordType};
use sim::{Duration, Instant};

use super::NotFound;
use super::conf::Conf;

/// What a name server said of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// These addresses; none if the name has other records only.
    Addresses(Vec<Ipv4Addr>),
    /// There is no such name.
    NoName,
    /// It does not know.
    Failure,
    /// No server said anything.
    Nothing,
}

/// Asks for a name with each domain of the search list, until one is known.
pub(super) async fn search(io: &Io, conf: &Conf, name: &str) -> Result<Vec<Ipv4Addr>, NotFound> {
    let mut unsure = false;
    for candidate in conf.candidates(name) {
        match query(io, conf, &candidate).await {
            Said::Addresses(found) if !found.is_empty() => return Ok(found),
            Said::Addresses(_) | Said::NoName => {}
            Said::Failure => unsure = true,
            // A server that is away is not asked for the other names.
            Said::Nothing => return Err(NotFound::Again),
        }
    }
    Err(match unsure {
        true => NotFound::Again,
        false => NotFound::NoName,
    })
}

/// Asks for the addresses of one name, of both families at once.
async fn query(io: &Io, conf: &Conf, name: &Name) -> Said {
    let mut queries = Vec::new();
    for qtype in [RecordType::A, RecordType::AAAA] {
        queries.push(Message::query(super::id(io).await, name.clone(), qtype));
    }
    match ask_all(io, conf, queries).await {
        Ok(answers) => read(&answers[0]),
        Err(Unanswered::Failure) => Said::Failure,
        Err(Unanswered::Nothing) => Said::Nothing,
    }
}

/// Why no server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// One said that it could not.
    Failure,
    /// None said anything.
    Nothing,
}

/// Asks the servers in turn, as often as the configuration says, until one knows; the answers have
/// the order of the queries.
pub(super) async fn ask_all(
    io: &Io,
    conf: &Conf,
    queries: Vec<Message>,
) -> Result<Vec<Message>, Unanswered> {
    let mut why = Unanswered::Nothing;
    let count = u32::try_from(conf.servers.len()).unwrap_or(1);
    for _ in 0..conf.attempts {
        for (number, server) in (0..).zip(&conf.servers) {
            // The later ones are given more time, and share it.
            let patience = conf.timeout.saturating_mul(1 << number);
            let patience = if number > 0 {
                patience / count
            } else {
                patience
            };
            let patience = patience.max(Duration::from_secs(1));
            let server = SocketAddrV4::new(*server, dns::PORT);
            let Ok(answers) = ask(io, server, queries.clone(), patience).await else {
                continue;
            };
            let knows = |m: &Message| matches!(m.rcode, Rcode::NOERROR | Rcode::NXDOMAIN);
            match answers.first().is_some_and(knows) {
                true => return Ok(answers),
                false => why = Unanswered::Failure,
            }
        }
    }
    Err(why)
}

/// Why a server gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// It took too long.
    TimedOut,
    /// It cannot be reached.
    Failed(Errno),
}

/// Sends queries to a server at once, and waits for the answers to all of them, which have the
/// order of the queries.
pub(crate) async fn ask(
    io: &Io,
    server: SocketAddrV4,
    queries: Vec<Message>,
    patience: Duration,
) -> Result<Vec<Message>, Silence> {
    let sent = queries.clone();
    let sent = io.sys(move |sys| send(sys, server, &sent, patience)).await;
    let (fd, end) = sent.map_err(Silence::Failed)?;
    let mut answers: Vec<Option<Message>> = vec![None; queries.len()];
    let mut silence = None;
    while silence.is_none() && answers.iter().any(Option::is_none) {
        let received = io.until(move |sys| match sys.recv_from(fd) {
            Err(Errno::EAGAIN) if sys.now() >= end => Some(Err(Silence::TimedOut)),
            Err(Errno::EAGAIN) => None,
            Err(errno) => Some(Err(Silence::Failed(errno))),
            Ok((_, payload)) => Some(Ok(payload.bytes())),
        });
        // What is no answer to one of these questions is not for us.
        match received.await {
            Err(why) => silence = Some(why),
            Ok(bytes) => {
                let Ok(answer) = Message::decode(&bytes) else {
                    continue;
                };
                let of = queries.iter().position(|query| answers_to(&answer, query));
                if let Some(of) = of {
                    answers[of] = Some(answer);
                }
            }
        }
    }
    io.close(fd).await;
    match silence {
        Some(why) => Err(why),
        None => Ok(answers.into_iter().flatten().collect()),
    }
}

fn answers_to(answer: &Message, query: &Message) -> bool {
    let asked = |name: &Name| query.questions.iter().any(|q| q.name.same(name));
    answer.response
        && answer.id == query.id
        && answer
            .questions
            .iter()
            .all(|question| asked(&question.name))
}

/// Sends the queries; the socket, and until when to wait.
fn send(
    sys: &mut Sys<'_>,
    server: SocketAddrV4,
    queries: &[Message],
    patience: Duration,
) -> Result<(Fd, Instant), Errno> {
    let fd = sys.udp_bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))?;
    let sent = sys.udp_connect(fd, server).and_then(|()| {
        let mut queries = queries.iter();
        queries.try_for_each(|query| sys.send_to(fd, server, query.encode().into()))
    });
    if let Err(errno) = sent {
        sys.close(fd);
        return Err(errno);
    }
    let end = sys.now() + patience;
    sys.timer_at(end);
    Ok((fd, end))
}

fn read(answer: &Message) -> Said {
    match answer.rcode {
        Rcode::NOERROR => {
            let addresses = answer
                .answers
                .iter()
                .filter_map(|record| match record.data {
                    Data::A(ip) => Some(ip),
                    _ => None,
                });
            Said::Addresses(addresses.collect())
        }
        Rcode::NXDOMAIN => Said::NoName,
        _ => Said::Failure,
    }
}
