//! `kubectl port-forward`: connections here become connections into a pod.
//!
//! Models kubectl/pkg/cmd/portforward/portforward.go and client-go/tools/portforward. Each
//! connection is an exchange of its own, upgraded by the API server: see the kubelet's `forwards`.

use std::net::SocketAddrV4;
use std::rc::Rc;

use api::Value;
use machine::{Fd, Io};
use net::http::{Body, Frame, Message, Method};
use net::{Errno, Payload};

use super::Verb;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, value, values};
use super::pods::{For, GET_POD_TIMEOUT, pods, timeout};
use super::ports::{Address, Pair, addresses, pairs};
use super::session::{Call, Session};

const FLAGS: &[Flag] = &[values("address"), value("pod-running-timeout")];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "port-forward",
    summary: "Forward one or more local ports to a pod",
    usage: "kubectl port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT \
            [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(port_forward(session, line)),
};

/// Ports that a system gives to those that ask for any.
const EPHEMERAL: (u64, u64) = (32_768, 60_999);

async fn port_forward(session: &Session, line: &Line) -> Outcome {
    let [word, ports @ ..] = line.args.as_slice() else {
        return Err(Failure::hint(line, NEEDED));
    };
    if ports.is_empty() {
        return Err(Failure::hint(line, NEEDED));
    }
    let mut hosts = line.list("address");
    if hosts.is_empty() {
        hosts.push("localhost".to_owned());
    }
    let limit = timeout(line, GET_POD_TIMEOUT).map_err(|failure| match &failure {
        Failure::Message(why) => Failure::hint(line, why),
        _ => failure,
    })?;
    let found = pods(session, word, For::Joining, limit).await?;
    let service = found.object.as_ref().filter(|o| o.kind() == "Service");
    let pod = &found.pods[0];
    let pairs = pairs(ports, service, pod)?;
    let phase = pod.str_at("status.phase");
    if phase != "Running" {
        return Err(Failure::message(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        )));
    }
    let listeners = listen(&session.io, &pairs, &addresses(&hosts)?).await?;
    Forwarder {
        session,
        pod,
        listeners,
        open: Vec::new(),
    }
    .run()
    .await
}

const NEEDED: &str = "TYPE/NAME and list of ports are required for port-forward";

/// A socket that is listened on.
#[derive(Clone, Copy, Debug)]
struct Listener {
    fd: Fd,
    pair: Pair,
}

/// Listens on each port at each address, and says so. One port that can be had is enough.
async fn listen(io: &Io, pairs: &[Pair], addresses: &[Address]) -> Outcome<Vec<Listener>> {
    let mut all = Vec::new();
    let mut missed = Vec::new();
    for pair in pairs {
        let mut pair = *pair;
        let mut why = Vec::new();
        let mut heard = 0;
        for Address { ip, shown, v6 } in addresses {
            if *v6 {
                // There is no IPv6 here; who asks for `localhost` gets both of its addresses.
                if heard > 0 {
                    told(io, shown, pair).await;
                }
                continue;
            }
            match listen_at(io, SocketAddrV4::new(*ip, pair.local)).await {
                Ok((fd, port)) => {
                    pair.local = port;
                    heard += 1;
                    told(io, shown, pair).await;
                    all.push(Listener { fd, pair });
                }
                Err(errno) => why.push(format!(
                    "unable to create listener: Error listen tcp4 {shown}:{}: bind: {}",
                    pair.local,
                    errno.go_message()
                )),
            }
        }
        if heard == 0 {
            let text = format!(
                "Unable to listen on port {}: Listeners failed to create with the following \
                 errors: [{}]\n",
                pair.local,
                why.join(" ")
            );
            io.eprint(&text).await;
            missed.push(format!("{{{} {}}}", pair.local, pair.remote));
        }
    }
    if all.is_empty() {
        return Err(Failure::message(format!(
            "unable to listen on any of the requested ports: [{}]",
            missed.join(" ")
        )));
    }
    Ok(all)
}

async fn told(io: &Io, shown: &str, Pair { local, remote }: Pair) {
    io.print(&format!("Forwarding from {shown}:{local} -> {remote}\n"))
        .await;
}

/// Listens at an address; port 0 stands for any that is free.
pub(super) async fn listen_at(io: &Io, addr: SocketAddrV4) -> Result<(Fd, u16), Errno> {
    io.sys(move |sys| {
        if addr.port() != 0 {
            return sys.listen(addr).map(|fd| (fd, addr.port()));
        }
        let (first, last) = EPHEMERAL;
        for _ in first..=last {
            let port = first + sys.random().below(last - first + 1);
            let port = u16::try_from(port).unwrap_or(addr.port());
            match sys.listen(SocketAddrV4::new(*addr.ip(), port)) {
                Err(Errno::EADDRINUSE) => {}
                result => return result.map(|fd| (fd, port)),
            }
        }
        Err(Errno::EADDRINUSE)
    })
    .await
}

/// A connection here and the exchange that carries it.
#[derive(Clone, Debug)]
struct Joined {
    fd: Fd,
    stream: u32,
    pair: Pair,
}

struct Forwarder<'a> {
    session: &'a Session,
    pod: &'a Value,
    listeners: Vec<Listener>,
    open: Vec<Joined>,
}

/// What came next.
#[derive(Clone, Debug)]
enum Next {
    Accepted(Fd, Pair),
    Local(Fd, Option<Payload>),
    Remote(Rc<Message>),
    Lost,
}

impl Forwarder<'_> {
    async fn run(mut self) -> Outcome {
        loop {
            match self.next().await {
                Next::Accepted(fd, pair) => self.accepted(fd, pair).await?,
                Next::Local(fd, payload) => self.local(fd, payload).await,
                Next::Remote(message) => self.remote(&message).await?,
                Next::Lost => return Err(Failure::message("lost connection to pod")),
            }
        }
    }

    /// Waits for a connection, or for something on one of them.
    async fn next(&self) -> Next {
        let conn = self.session.connection();
        let listeners = self.listeners.clone();
        let open: Vec<Fd> = self.open.iter().map(|joined| joined.fd).collect();
        let next = move |sys: &mut machine::Sys<'_>| {
            match conn.map(|conn| sys.recv(conn)) {
                None | Some(Err(Errno::EAGAIN)) => {}
                Some(Ok(Some(payload))) => {
                    return payload.downcast_rc::<Message>().map(Next::Remote);
                }
                Some(_) => return Some(Next::Lost),
            }
            for fd in &open {
                match sys.recv(*fd) {
                    Ok(payload) => return Some(Next::Local(*fd, payload)),
                    Err(Errno::EAGAIN) => {}
                    Err(_) => return Some(Next::Local(*fd, None)),
                }
            }
            listeners.iter().find_map(|listener| {
                let fd = sys.accept(listener.fd).ok()?;
                Some(Next::Accepted(fd, listener.pair))
            })
        };
        self.session.io.until(next).await
    }

    async fn accepted(&mut self, fd: Fd, pair: Pair) -> Outcome {
        let text = format!("Handling connection for {}\n", pair.local);
        self.session.io.print(&text).await;
        let (namespace, name) = (self.pod.namespace(), self.pod.name());
        let target = format!(
            "/api/v1/namespaces/{namespace}/pods/{name}/portforward?ports={}",
            pair.remote
        );
        let request = self.session.request(&Call {
            method: Method::Post,
            ..Call::get(target)
        });
        let (_, stream) = self.session.send(request).await?;
        self.open.push(Joined { fd, stream, pair });
        Ok(())
    }

    /// Something came from here, or the connection was closed here.
    async fn local(&mut self, fd: Fd, payload: Option<Payload>) {
        let at = self.open.iter().position(|joined| joined.fd == fd);
        let (Some(at), Some(conn)) = (at, self.session.connection()) else {
            return;
        };
        let stream = self.open[at].stream;
        let frame = match payload {
            Some(Payload::Bytes(bytes)) => Frame::Data(Body::from(bytes)),
            Some(Payload::Shared(shared)) => Frame::Data(Body::Shared(shared)),
            None => {
                self.session.io.close(fd).await;
                self.open.remove(at);
                Frame::End
            }
        };
        // A lost connection shows at the next look.
        let _ = self
            .session
            .io
            .send(conn, Message::payload(stream, frame))
            .await;
    }

    async fn remote(&mut self, message: &Message) -> Outcome {
        let found = |joined: &Joined| joined.stream == message.stream;
        let Some(at) = self.open.iter().position(found) else {
            return Ok(());
        };
        let io = &self.session.io;
        let joined = &self.open[at];
        match &message.frame {
            Frame::Response(response) if response.status >= 300 => {
                let status = api::body_value(&response.body).unwrap_or_default();
                let why = match status.kind() {
                    "Status" => status.str_at("message").to_owned(),
                    _ => response.body.text(),
                };
                let Pair { local, remote } = joined.pair;
                let why = format!("an error occurred forwarding {local} -> {remote}: {why}");
                let text = format!("\"Unhandled Error\" err={:?}", why.trim_end_matches('\n'));
                self.session.klog_error("portforward.go:424", &text).await;
                return Err(Failure::message("lost connection to pod"));
            }
            Frame::Data(body) => {
                let payload = match body {
                    Body::Empty => return Ok(()),
                    Body::Bytes(bytes) => Payload::Bytes(bytes.clone()),
                    Body::Shared(shared) => Payload::Shared(shared.clone()),
                };
                // Who has gone here shows when it is read from.
                let _ = io.send(joined.fd, payload).await;
            }
            Frame::End | Frame::Reset => {
                io.close(joined.fd).await;
                self.open.remove(at);
            }
            // The pod's side stands.
            Frame::Response(_) | Frame::Request(_) => {}
        }
        Ok(())
    }
}
