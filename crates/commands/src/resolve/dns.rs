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
        let Ok(candidate) = candidate.parse::<Name>() else {
            continue;
        };
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

/// Asks each server for one name, as often as the configuration says.
async fn query(io: &Io, conf: &Conf, name: &Name) -> Said {
    let mut said = Said::Nothing;
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
            match ask(io, *server, name, patience.max(Duration::from_secs(1))).await {
                Said::Nothing => {}
                Said::Failure => said = Said::Failure,
                known => return known,
            }
        }
    }
    said
}

/// Asks one server once.
async fn ask(io: &Io, server: Ipv4Addr, name: &Name, patience: Duration) -> Said {
    let server = SocketAddrV4::new(server, dns::PORT);
    let (name, asked) = (name.clone(), name.clone());
    let sent = io.sys(move |sys| send(sys, server, &name, patience)).await;
    let Ok((fd, ids, end)) = sent else {
        return Said::Nothing;
    };
    let mut answers: [Option<Message>; 2] = [None, None];
    while answers.iter().any(Option::is_none) {
        let received = io
            .until(move |sys| match sys.recv_from(fd) {
                Err(Errno::EAGAIN) if sys.now() >= end => Some(Err(Errno::ETIMEDOUT)),
                Err(Errno::EAGAIN) => None,
                received => Some(received.map(|(_, payload)| payload.bytes())),
            })
            .await;
        let Ok(bytes) = received else {
            break;
        };
        let Ok(answer) = Message::decode(&bytes) else {
            continue;
        };
        let of = ids.iter().position(|id| *id == answer.id);
        let mut questions = answer.questions.iter();
        if let Some(of) = of.filter(|_| questions.all(|q| q.name.same(&asked))) {
            answers[of] = Some(answer);
        }
    }
    io.close(fd).await;
    let [Some(four), Some(_)] = answers else {
        return Said::Nothing;
    };
    read(&four)
}

/// Sends both questions; the socket, their numbers, and until when to wait.
fn send(
    sys: &mut Sys<'_>,
    server: SocketAddrV4,
    name: &Name,
    patience: Duration,
) -> Result<(Fd, [u16; 2], Instant), Errno> {
    let fd = sys.udp_bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))?;
    let ids = [0, 1].map(|_| (sys.random().next_u64() & 0xffff) as u16);
    let sent = sys.udp_connect(fd, server).and_then(|()| {
        let types = [RecordType::A, RecordType::AAAA];
        ids.iter().zip(types).try_for_each(|(id, qtype)| {
            let query = Message::query(*id, name.clone(), qtype);
            sys.send_to(fd, server, query.encode().into())
        })
    });
    if let Err(errno) = sent {
        sys.close(fd);
        return Err(errno);
    }
    let end = sys.now() + patience;
    sys.timer_at(end);
    Ok((fd, ids, end))
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
