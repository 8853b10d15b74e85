//! `kubectl proxy`: serves the API here, with the rights of whoever started it.
//!
//! Models kubectl/pkg/cmd/proxy and kubectl/pkg/proxy/proxy_server.go.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::{Errno, Fd, Sys};
use net::http::{Body, Frame, Message, Request, Response};

use super::Verb;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::port_forward::listen_at;
use super::session::Session;

const FLAGS: &[Flag] = &[
    value("accept-hosts"),
    value("accept-paths"),
    value("address"),
    value("api-prefix"),
    value("keepalive"),
    value("port").short('p'),
    value("reject-methods"),
    value("reject-paths"),
    value("unix-socket").short('u'),
    value("www").short('w'),
    value("www-prefix").short('P'),
    switch("append-server-path"),
    switch("disable-filter"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "proxy",
    summary: "Run a proxy to the Kubernetes API server",
    usage: "kubectl proxy [--port=PORT] [--www=static-dir] [--www-prefix=prefix] \
            [--api-prefix=prefix] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(proxy(session, line)),
};

const PORT: i64 = 8001;

async fn proxy(session: &Session, line: &Line) -> Outcome {
    let io = &session.io;
    let (listener, shown) = match line.get("unix-socket").filter(|path| !path.is_empty()) {
        Some(_) if line.has("port") => {
            return Err(Failure::hint(
                line,
                "Don't specify both --unix-socket and --port",
            ));
        }
        Some(path) => {
            let own = path.to_owned();
            let listened = io.sys(move |sys| sys.unix_listen(&own)).await;
            let fd = listened.map_err(|errno| {
                let why = errno.go_message();
                Failure::message(format!("listen unix {path}: bind: {why}"))
            })?;
            (fd, path.to_owned())
        }
        None => {
            let host = line.get("address").unwrap_or("127.0.0.1");
            let ip: Ipv4Addr = host.parse().map_err(|_| {
                Failure::message(format!("listen tcp: lookup {host}: no such host"))
            })?;
            let port = line.number("port")?.unwrap_or(PORT);
            let number = u16::try_from(port).map_err(|_| {
                Failure::message(format!("listen tcp: address {port}: invalid port"))
            })?;
            let listened = listen_at(io, SocketAddrV4::new(ip, number)).await;
            let (fd, port) = listened.map_err(|errno| {
                let why = errno.go_message();
                Failure::message(format!("listen tcp {ip}:{number}: bind: {why}"))
            })?;
            (fd, format!("{ip}:{port}"))
        }
    };
    if line.on("disable-filter") {
        let note = "Request filter disabled, your proxy is vulnerable to XSRF attacks, please be \
                    cautious";
        session.klog_warning("proxy.go:177", note).await;
    }
    io.print(&format!("Starting to serve on {shown}\n")).await;
    Proxy {
        session,
        line,
        listener,
        clients: Vec::new(),
        open: Vec::new(),
    }
    .run()
    .await
}

/// A request under way: whose it is here, and its number at the API server.
#[derive(Clone, Copy, Debug)]
struct Open {
    client: Fd,
    theirs: u32,
    ours: u32,
}

struct Proxy<'a> {
    session: &'a Session,
    line: &'a Line,
    listener: Fd,
    clients: Vec<Fd>,
    open: Vec<Open>,
}

/// What came next.
#[derive(Clone, Debug)]
enum Next {
    Accepted(Fd),
    Client(Fd, Option<Rc<Message>>),
    Server(Rc<Message>),
    Lost,
}

impl Proxy<'_> {
    async fn run(mut self) -> Outcome {
        loop {
            match self.next().await {
                Next::Accepted(fd) => self.clients.push(fd),
                Next::Client(fd, Some(message)) => self.asked(fd, &message).await?,
                Next::Client(fd, None) => self.gone(fd).await,
                Next::Server(message) => self.answered(&message).await,
                Next::Lost => {
                    for open in std::mem::take(&mut self.open) {
                        let why = Response::new(502, "Bad Gateway");
                        self.respond(open.client, open.theirs, why).await;
                    }
                    self.session.forget().await;
                }
            }
        }
    }

    async fn next(&self) -> Next {
        let conn = self.session.connection();
        let listener = self.listener;
        let clients = self.clients.clone();
        let next = move |sys: &mut Sys<'_>| {
            match conn.map(|conn| sys.recv(conn)) {
                None | Some(Err(Errno::EAGAIN)) => {}
                Some(Ok(Some(payload))) => {
                    return Some(payload.downcast_rc().map_or(Next::Lost, Next::Server));
                }
                Some(_) => return Some(Next::Lost),
            }
            for fd in &clients {
                match sys.recv(*fd) {
                    Err(Errno::EAGAIN) => {}
                    // What is no HTTP ends the connection.
                    Ok(Some(payload)) => return Some(Next::Client(*fd, payload.downcast_rc())),
                    Ok(None) | Err(_) => return Some(Next::Client(*fd, None)),
                }
            }
            sys.accept(listener).ok().map(Next::Accepted)
        };
        self.session.io.until(next).await
    }

    /// Something came from a client.
    async fn asked(&mut self, client: Fd, message: &Message) -> Outcome {
        let open = self
            .open
            .iter()
            .find(|open| (open.client, open.theirs) == (client, message.stream));
        let frame = match (&message.frame, open) {
            (Frame::Request(request), _) => {
                return self.request(client, message.stream, request).await;
            }
            (frame, Some(_)) => frame.clone(),
            _ => return Ok(()),
        };
        if let (Some(open), Some(conn)) = (open, self.session.connection()) {
            let payload = Message::payload(open.ours, frame);
            // A lost connection shows at the next look.
            let _ = self.session.io.send(conn, payload).await;
        }
        Ok(())
    }

    async fn request(&mut self, client: Fd, theirs: u32, request: &Rc<Request>) -> Outcome {
        if let Some(response) = self.own_answer(request).await {
            self.respond(client, theirs, response).await;
            return Ok(());
        }
        let mut request = (**request).clone();
        let prefix = slashed(self.line.get("api-prefix").unwrap_or("/"));
        request.target = format!("/{}", &request.target[prefix.len()..]).into();
        self.session.identify(&mut request);
        match self.session.send(request).await {
            Ok((_, ours)) => self.open.push(Open {
                client,
                theirs,
                ours,
            }),
            Err(failure) => {
                let text = format!("{}\n", failure.text().trim_end());
                self.respond(client, theirs, Response::new(502, text)).await;
            }
        }
        Ok(())
    }

    /// What is answered here: refusals, and files of `--www`.
    async fn own_answer(&self, request: &Request) -> Option<Response> {
        let line = self.line;
        let path = request.path();
        let joins = |path: &str| {
            path.starts_with("/api/")
                && path.contains("/pods/")
                && (path.contains("/exec") || path.contains("/attach"))
        };
        let host = request.headers.get("Host").unwrap_or("localhost");
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let local = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
        let filtered = !line.on("disable-filter");
        if filtered && (joins(path) || !(local || line.has("accept-hosts"))) {
            return Some(Response::new(403, "<h3>Unauthorized</h3>"));
        }
        let www = slashed(line.get("www-prefix").unwrap_or("/static/"));
        if let (Some(dir), Some(below)) = (line.get("www"), path.strip_prefix(&www)) {
            let file = format!("{}/{below}", dir.trim_end_matches('/'));
            return Some(match self.session.io.read_file(&file).await {
                Ok(bytes) => Response::new(200, Body::from(bytes)),
                Err(_) => Response::new(404, "404 page not found\n"),
            });
        }
        let prefix = slashed(line.get("api-prefix").unwrap_or("/"));
        (!path.starts_with(&prefix)).then(|| Response::new(404, "404 page not found\n"))
    }

    async fn respond(&self, client: Fd, stream: u32, response: Response) {
        let payload = Message::payload(stream, Frame::Response(Rc::new(response)));
        // A client that is gone shows when it is read from.
        let _ = self.session.io.send(client, payload).await;
    }

    /// Something came from the API server.
    async fn answered(&mut self, message: &Message) {
        let Some(at) = self.open.iter().position(|o| o.ours == message.stream) else {
            return;
        };
        let Open { client, theirs, .. } = self.open[at];
        let over = match &message.frame {
            Frame::Response(response) => !response.more,
            Frame::End | Frame::Reset => true,
            Frame::Data(_) | Frame::Request(_) => false,
        };
        if over {
            self.open.remove(at);
        }
        let payload = Message::payload(theirs, message.frame.clone());
        let _ = self.session.io.send(client, payload).await;
    }

    async fn gone(&mut self, client: Fd) {
        self.session.io.close(client).await;
        self.clients.retain(|fd| *fd != client);
        let (gone, kept): (Vec<Open>, Vec<Open>) =
            self.open.iter().partition(|open| open.client == client);
        self.open = kept;
        for Open { ours, .. } in gone {
            self.session.cancel(ours).await;
        }
    }
}

/// A prefix with a slash at each end.
fn slashed(prefix: &str) -> String {
    match prefix.trim_matches('/') {
        "" => "/".to_owned(),
        inner => format!("/{inner}/"),
    }
}
