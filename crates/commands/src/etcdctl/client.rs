//! etcdctl's way to a member: flags and files say who it is and whom it trusts, a connection is made
//! and made again until the time is up.
//!
//! Models client/v3/{client,retry_interceptor}.go and etcdctl/ctlv3/command/global.go.

use std::net::SocketAddrV4;
use std::rc::Rc;

use client::certificate::{Certificate, key_fits};
use etcd::{Reply, Request, read_reply};
use machine::{Errno, Fd, Io};
use net::http::{Body, Frame, Message, Method, Request as HttpRequest, Response};
use net::tls::{ClientHello, ServerHello};
use sim::{Duration, Instant};

use super::line::{Line, Spec};
use super::report;
use crate::fetch::{self, Fault};

/// The flags every command of etcdctl has.
pub(super) const GLOBAL: &[Spec] = &[
    ("cacert", ' ', true),
    ("cert", ' ', true),
    ("command-timeout", ' ', true),
    ("debug", ' ', false),
    ("dial-timeout", ' ', true),
    ("discovery-srv", 'd', true),
    ("endpoints", ' ', true),
    ("help", 'h', false),
    ("hex", ' ', false),
    ("insecure-discovery", ' ', false),
    ("insecure-skip-tls-verify", ' ', false),
    ("insecure-transport", ' ', false),
    ("keepalive-time", ' ', true),
    ("keepalive-timeout", ' ', true),
    ("key", ' ', true),
    ("max-request-bytes", ' ', true),
    ("password", ' ', true),
    ("user", ' ', true),
    ("write-out", 'w', true),
];

/// How long a command may take unless told otherwise.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause after the first attempt that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Who the tool is, and whom it talks to.
#[derive(Clone, Debug)]
pub(super) struct Conf {
    /// `--endpoints`.
    pub(super) endpoints: Vec<Rc<str>>,
    /// `--command-timeout`, where it was given.
    pub(super) timeout: Option<Duration>,
    /// `--cert`: the file's text and the subject in it.
    own: Option<(Rc<str>, Rc<str>)>,
    /// `--cacert`: whose signature is trusted.
    trusted: Option<Rc<str>>,
    skip_verify: bool,
}

/// Why a command failed.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The time was up; what the last connection failed of.
    Deadline(Option<String>),
    /// The member refused: gRPC's code and a sentence.
    Refused(u32, Rc<str>),
}

impl Failure {
    /// The sentence behind `Error: `.
    pub(super) fn message(&self) -> &str {
        match self {
            Failure::Deadline(_) => "context deadline exceeded",
            Failure::Refused(_, message) => message,
        }
    }

    fn grpc(&self) -> String {
        match self {
            Failure::Deadline(None) => "code = DeadlineExceeded desc = context deadline exceeded \
                                        while waiting for connections to become ready"
                .to_owned(),
            Failure::Deadline(Some(last)) => format!(
                "code = DeadlineExceeded desc = latest balancer error: connection error: desc = \
                 {}",
                report::quoted(last)
            ),
            Failure::Refused(code, message) => {
                format!("code = {} desc = {message}", code_name(*code))
            }
        }
    }
}

fn code_name(code: u32) -> &'static str {
    match code {
        3 => "InvalidArgument",
        5 => "NotFound",
        8 => "ResourceExhausted",
        9 => "FailedPrecondition",
        11 => "OutOfRange",
        12 => "Unimplemented",
        14 => "Unavailable",
        _ => "Unknown",
    }
}

/// What became of one attempt.
enum Attempt {
    Failed(String),
    TimedOut,
}

impl Conf {
    /// Reads the flags and the files they name; the error is what stands behind `Error: `.
    pub(super) async fn read(io: &Io, line: &Line) -> Result<Conf, String> {
        let endpoints = line.get_or_env(io, "endpoints");
        let endpoints = endpoints.unwrap_or_else(|| "127.0.0.1:2379".into());
        let timeout = match line.get_or_env(io, "command-timeout") {
            Some(text) => Some(seconds(&text).ok_or_else(|| {
                format!(
                    "invalid argument \"{text}\" for \"--command-timeout\" flag: time: invalid \
                     duration \"{text}\""
                )
            })?),
            None => None,
        };
        let path = |name: &str| line.get_or_env(io, name).filter(|path| !path.is_empty());
        let (cert, key) = (path("cert"), path("key"));
        let own = match (&cert, &key) {
            (Some(cert), Some(key)) => Some(identity(io, cert, key).await?),
            (None, None) => None,
            (cert, key) => {
                let or_not = |path: &Option<Rc<str>>| path.clone().unwrap_or_else(|| "".into());
                return Err(format!(
                    "KeyFile and CertFile must both be present[key: {}, cert: {}]",
                    or_not(key),
                    or_not(cert)
                ));
            }
        };
        let trusted = match path("cacert") {
            Some(path) => {
                let text = read(io, &path).await?;
                let found = Certificate::from_pem(&text).map(|authority| authority.subject);
                Some(found.unwrap_or_else(|| "".into()))
            }
            None => None,
        };
        Ok(Conf {
            endpoints: endpoints.split(',').map(|one| one.trim().into()).collect(),
            timeout,
            own,
            trusted,
            skip_verify: line.on("insecure-skip-tls-verify"),
        })
    }

    /// When a command that begins now has to be done.
    pub(super) async fn deadline(&self, io: &Io) -> Option<Instant> {
        Some(io.now().await + self.timeout.unwrap_or(COMMAND_TIMEOUT))
    }

    /// Asks any of the endpoints; what goes wrong is told as the client library logs it.
    pub(super) async fn ask(&self, io: &Io, request: Request) -> Result<Rc<Reply>, Failure> {
        let endpoint = self.endpoints[0].clone();
        self.ask_one(io, &endpoint, request, "etcd-client").await
    }

    /// Asks one endpoint.
    pub(super) async fn ask_one(
        &self,
        io: &Io,
        endpoint: &str,
        request: Request,
        logger: &str,
    ) -> Result<Rc<Reply>, Failure> {
        let method = request.path();
        let by = self.deadline(io).await;
        let result = self.call(io, endpoint, request, by).await;
        if let Err(failure) = &result {
            let address = endpoint
                .split_once("://")
                .map_or(endpoint, |(_, rest)| rest);
            let number = io.sys(|sys| sys.random().below(0x1000)).await;
            let fields = [
                (
                    "target",
                    report::quoted(&format!("etcd-endpoints://0xc000{number:03x}000/{address}")),
                ),
                ("method", report::quoted(method)),
                ("attempt", "0".to_owned()),
                (
                    "error",
                    report::quoted(&format!("rpc error: {}", failure.grpc())),
                ),
            ];
            let place = format!("{logger} v3@v{}/retry_interceptor.go:65", etcd::VERSION);
            report::log(
                io,
                "warn",
                &place,
                "retrying of unary invoker failed",
                &fields,
            )
            .await;
        }
        result
    }

    /// Asks one endpoint until it answers or the time is up, without a word.
    pub(super) async fn call(
        &self,
        io: &Io,
        endpoint: &str,
        request: Request,
        by: Option<Instant>,
    ) -> Result<Rc<Reply>, Failure> {
        let mut http = HttpRequest::new(Method::Post, request.path());
        http.body = Body::shared(Rc::new(request));
        let (fd, response) = self.begin(io, endpoint, http, by).await?;
        io.close(fd).await;
        read_reply(&response).map_err(|(code, message)| Failure::Refused(code, message))
    }

    /// Sends a request over a connection of its own, trying again while there is time; gives the
    /// connection and the head of the answer.
    pub(super) async fn begin(
        &self,
        io: &Io,
        endpoint: &str,
        mut request: HttpRequest,
        by: Option<Instant>,
    ) -> Result<(Fd, Rc<Response>), Failure> {
        request.peer = self.own.as_ref().map(|(_, subject)| subject.clone());
        let (mut pause, mut last) = (FIRST_PAUSE, None);
        loop {
            match self.attempt(io, endpoint, request.clone(), by).await {
                Ok(answered) => return Ok(answered),
                Err(Attempt::TimedOut) => return Err(Failure::Deadline(last)),
                Err(Attempt::Failed(why)) => last = Some(why),
            }
            let now = io.now().await;
            let left = by.map_or(pause, |by| by.since(now.min(by)).min(pause));
            io.sleep(left).await;
            if by.is_some_and(|by| now + left >= by) {
                return Err(Failure::Deadline(last));
            }
            pause = (pause * 8 / 5).min(Duration::from_secs(120));
        }
    }

    async fn attempt(
        &self,
        io: &Io,
        endpoint: &str,
        request: HttpRequest,
        by: Option<Instant>,
    ) -> Result<(Fd, Rc<Response>), Attempt> {
        let (scheme, address) = endpoint.split_once("://").unwrap_or(("", endpoint));
        let fd = dial(io, address, by).await?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => self.own.is_some() || self.trusted.is_some(),
        };
        let mut request = request;
        if !secure {
            request.peer = None;
        }
        let shaken = if secure {
            self.handshake(io, fd, by).await
        } else {
            Ok(())
        };
        let answer = match shaken {
            Ok(()) => exchange(io, fd, 3, request, by)
                .await
                .map_err(|fault| match fault {
                    Fault::TimedOut => Attempt::TimedOut,
                    _ => Attempt::Failed("error reading server preface: EOF".to_owned()),
                }),
            Err(attempt) => Err(attempt),
        };
        if answer.is_err() {
            io.close(fd).await;
        }
        answer.map(|response| (fd, response))
    }

    /// Shows the certificate, and looks at the other side's.
    async fn handshake(&self, io: &Io, fd: Fd, by: Option<Instant>) -> Result<(), Attempt> {
        let refused = |why: &str| {
            Attempt::Failed(format!("transport: authentication handshake failed: {why}"))
        };
        let unknown = "tls: failed to verify certificate: x509: certificate signed by unknown \
                       authority";
        let own = self.own.as_ref().map(|(text, _)| text.clone());
        let response = exchange(io, fd, 1, ClientHello::request(own), by).await;
        let response = response.map_err(|fault| match fault {
            Fault::TimedOut => Attempt::TimedOut,
            Fault::Closed => refused("EOF"),
            Fault::Broken(_) => refused("tls: first record does not look like a TLS handshake"),
        })?;
        // A server that does not show itself is none of etcd's, and no authority of ours knows it.
        let Some(hello) = response.body.downcast_rc::<ServerHello>() else {
            return Err(refused(unknown));
        };
        let issuer = Certificate::from_pem(&hello.certificate).map(|shown| shown.issuer);
        if !self.skip_verify && (issuer.is_none() || issuer != self.trusted) {
            return Err(refused(unknown));
        }
        match hello.alert {
            Some(alert) => Err(Attempt::Failed(format!(
                "error reading server preface: remote error: tls: {alert}"
            ))),
            None => Ok(()),
        }
    }
}

async fn dial(io: &Io, address: &str, by: Option<Instant>) -> Result<Fd, Attempt> {
    let failed =
        |why: String| Attempt::Failed(format!("transport: Error while dialing: dial tcp {why}"));
    let Some((host, port)) = address.rsplit_once(':') else {
        return Err(failed(format!(
            ": address {address}: missing port in address"
        )));
    };
    let found = crate::resolve::name(io, host).await;
    let ip = found.map_err(|_| failed(format!(": lookup {host}: no such host")))?;
    let port = port
        .parse()
        .map_err(|_| failed(format!(": address {port}: invalid port")))?;
    let addr = SocketAddrV4::new(ip, port);
    match fetch::connect(io, addr, by).await {
        Ok(fd) => Ok(fd),
        Err(Errno::ETIMEDOUT) if by.is_some() => Err(Attempt::TimedOut),
        Err(errno) => Err(failed(format!(
            "{addr}: connect: {}",
            errno.message().to_lowercase()
        ))),
    }
}

/// One request as a stream of a connection, and the head of its answer.
async fn exchange(
    io: &Io,
    fd: Fd,
    stream: u32,
    request: HttpRequest,
    by: Option<Instant>,
) -> Result<Rc<Response>, Fault> {
    if let Some(by) = by {
        io.sys(move |sys| sys.timer_at(by)).await;
    }
    let message = Message::payload(stream, Frame::Request(Rc::new(request)));
    io.send(fd, message).await.map_err(Fault::Broken)?;
    loop {
        let payload = fetch::receive(io, fd, by).await?;
        let Some(message) = payload.downcast_rc::<Message>() else {
            return Err(Fault::Broken(Errno::EPROTO));
        };
        match &message.frame {
            Frame::Response(response) if message.stream == stream => return Ok(response.clone()),
            Frame::Reset if message.stream == stream => {
                return Err(Fault::Broken(Errno::ECONNRESET));
            }
            _ => {}
        }
    }
}

async fn read(io: &Io, path: &str) -> Result<Rc<str>, String> {
    let text = io.read_to_string(path).await;
    text.map(Rc::from)
        .map_err(|errno| format!("open {path}: {}", errno.go_message()))
}

/// The certificate in a file, whose key lies in another.
async fn identity(io: &Io, cert: &str, key: &str) -> Result<(Rc<str>, Rc<str>), String> {
    let text = read(io, cert).await?;
    let key = read(io, key).await?;
    let Some(certificate) = Certificate::from_pem(&text) else {
        return Err("tls: failed to find any PEM data in certificate input".to_owned());
    };
    if !key.contains("PRIVATE KEY-----") {
        return Err("tls: failed to find any PEM data in key input".to_owned());
    }
    if !key_fits(&key, &certificate) {
        return Err("tls: private key does not match public key".to_owned());
    }
    Ok((text, certificate.subject))
}

/// A duration as Go reads it, with one unit.
fn seconds(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number * 60)),
        "h" => Some(Duration::from_secs(number * 3600)),
        _ => None,
    }
}
