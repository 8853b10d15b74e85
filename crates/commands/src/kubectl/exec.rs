//! `kubectl exec` and `kubectl attach`: streams to and from a container.
//!
//! Models kubectl/pkg/cmd/exec and client-go/tools/remotecommand, with the channels of the
//! v5.channel.k8s.io protocol: the first byte of each part names its channel.

use std::rc::Rc;

use api::Value;
use machine::{Fd, Io};
use net::http::{Body, Frame, Message, Method, percent_encode};
use net::{Errno, Payload};

use super::Verb;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value, values};
use super::pods::{container, pod};
use super::session::{Call, Session};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

const FLAGS: &[Flag] = &[
    value("container").short('c'),
    value("pod-running-timeout"),
    values("filename").short('f'),
    switch("quiet").short('q'),
    switch("stdin").short('i'),
    switch("tty").short('t'),
];

/// `kubectl exec`.
pub(super) const EXEC: Verb = Verb {
    name: "exec",
    summary: "Execute a command in a container",
    usage: "kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(exec(session, line)),
};

/// `kubectl attach`.
pub(super) const ATTACH: Verb = Verb {
    name: "attach",
    summary: "Attach to a running container",
    usage: "kubectl attach (POD | TYPE/NAME) -c CONTAINER [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(attach(session, line)),
};

const ATTACH_NOTE: &str = "All commands and output from this session will be recorded in \
container logs, including credentials and sensitive information passed through the command \
prompt.\nIf you don't see a command prompt, try pressing enter.\n";

async fn exec(session: &Session, line: &Line) -> Outcome {
    let before = line.dash.unwrap_or(line.args.len());
    let (words, command) = line.args.split_at(before);
    let Some(word) = words.first() else {
        return Err(Failure::Plain(
            "error: pod, type/name or --filename must be specified".to_owned(),
        ));
    };
    if words.len() > 1 {
        return Err(Failure::Plain(
            "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] \
             instead\nSee 'kubectl exec -h' for help and examples"
                .to_owned(),
        ));
    }
    if command.is_empty() {
        return Err(Failure::message(
            "you must specify at least one command for the container",
        ));
    }
    let pod = pod(session, word).await?;
    if matches!(pod.str_at("status.phase"), "Succeeded" | "Failed") {
        return Err(Failure::message(format!(
            "cannot exec into a container in a completed pod; current phase is {}",
            pod.str_at("status.phase")
        )));
    }
    let container = container(session, line, &pod).await?;
    let command: Vec<String> = command
        .iter()
        .map(|word| format!("command={}", percent_encode(word)))
        .collect();
    let streams = Streams::of(session, line).await;
    let target = format!(
        "/api/v1/namespaces/{}/pods/{}/exec?{}&container={container}&{}",
        pod.namespace(),
        pod.name(),
        command.join("&"),
        streams.query(),
    );
    streams.run(session, target).await
}

async fn attach(session: &Session, line: &Line) -> Outcome {
    let Some(word) = line.args.first() else {
        return Err(Failure::message(
            "at least 1 argument is required for attach",
        ));
    };
    let pod = pod(session, word).await?;
    let container = container(session, line, &pod).await?;
    attach_to(session, line, pod.name(), &container).await
}

/// Attaches to a container of a pod.
pub(super) async fn attach_to(
    session: &Session,
    line: &Line,
    pod: &str,
    container: &str,
) -> Outcome {
    let streams = Streams::of(session, line).await;
    if !line.on("quiet") {
        session.io.eprint(ATTACH_NOTE).await;
    }
    let target = format!(
        "/api/v1/namespaces/{}/pods/{pod}/attach?container={container}&{}",
        session.namespace,
        streams.query(),
    );
    streams.run(session, target).await
}

/// Which streams are wanted.
#[derive(Clone, Copy, Debug)]
struct Streams {
    stdin: bool,
    tty: bool,
}

/// What came next, from either side.
#[derive(Clone, Debug)]
enum Next {
    Typed(Rc<[u8]>),
    Remote(Payload),
    Resized(u16, u16),
    Closed,
}

impl Streams {
    async fn of(session: &Session, line: &Line) -> Streams {
        let stdin = line.on("stdin");
        let mut tty = line.on("tty");
        let terminal = session.io.sys(|sys| sys.is_tty(Fd::STDIN)).await;
        if tty && !(stdin && terminal) {
            let note = "Unable to use a TTY - input is not a terminal or the right kind of file\n";
            session.io.eprint(note).await;
            tty = false;
        }
        Streams { stdin, tty }
    }

    fn query(self) -> String {
        let Streams { stdin, tty } = self;
        format!("stdin={stdin}&stdout=true&stderr={}&tty={tty}", !tty)
    }

    async fn run(self, session: &Session, target: String) -> Outcome {
        let io = &session.io;
        let call = Call {
            method: Method::Post,
            ..Call::get(target)
        };
        let (response, stream) = session.upgrade(call).await?;
        let Some(conn) = session.connection() else {
            return Ok(());
        };
        if !response.more {
            return Ok(());
        }
        if self.tty {
            io.sys(|sys| sys.tty_raw(Fd::STDIN, true)).await.ok();
        }
        let outcome = self.pump(io, conn, stream).await;
        if self.tty {
            io.sys(|sys| sys.tty_raw(Fd::STDIN, false)).await.ok();
        }
        outcome
    }

    /// Carries bytes both ways until the other side says how it ended.
    async fn pump(self, io: &Io, conn: Fd, stream: u32) -> Outcome {
        let mut typing = self.stdin;
        let mut size = (0, 0);
        loop {
            match next(io, conn, typing, self.tty, size).await {
                Next::Typed(bytes) => {
                    let part = if bytes.is_empty() {
                        typing = false;
                        vec![CLOSE, STDIN]
                    } else {
                        [&[STDIN], &*bytes].concat()
                    };
                    send(io, conn, stream, part).await?;
                }
                Next::Resized(columns, rows) => {
                    size = (columns, rows);
                    let text = format!("{{\"Width\":{columns},\"Height\":{rows}}}");
                    send(io, conn, stream, [&[RESIZE], text.as_bytes()].concat()).await?;
                }
                Next::Remote(payload) => {
                    let Some(message) = payload.downcast::<Message>() else {
                        continue;
                    };
                    if message.stream != stream {
                        continue;
                    }
                    match &message.frame {
                        Frame::Data(body) => {
                            if let Some(ended) = received(io, body).await {
                                return ended;
                            }
                        }
                        Frame::End | Frame::Reset => return Ok(()),
                        _ => {}
                    }
                }
                Next::Closed => {
                    return Err(Failure::message("error reading from error stream: EOF"));
                }
            }
        }
    }
}

/// Waits for a key, a message, or a change of the terminal's size.
async fn next(io: &Io, conn: Fd, typing: bool, tty: bool, size: (u16, u16)) -> Next {
    io.until(move |sys| {
        match sys.recv(conn) {
            Ok(Some(payload)) => return Some(Next::Remote(payload)),
            Err(Errno::EAGAIN) => {}
            Ok(None) | Err(_) => return Some(Next::Closed),
        }
        if tty
            && let Ok((columns, rows)) = sys.tty_size(Fd::STDIN)
            && (columns, rows) != size
        {
            return Some(Next::Resized(columns, rows));
        }
        match typing.then(|| sys.read(Fd::STDIN, 4096)) {
            Some(Ok(bytes)) => Some(Next::Typed(bytes)),
            Some(Err(Errno::EAGAIN)) | None => None,
            Some(Err(_)) => Some(Next::Typed(Rc::from([]))),
        }
    })
    .await
}

async fn send(io: &Io, conn: Fd, stream: u32, part: Vec<u8>) -> Outcome {
    let body = Body::Bytes(part.into());
    io.send(conn, Message::payload(stream, Frame::Data(body)))
        .await
        .map_err(|errno| Failure::message(format!("error writing: {}", errno.message())))
}

/// Shows what came; gives the end if it was the end.
async fn received(io: &Io, body: &Body) -> Option<Outcome> {
    let bytes = body.bytes();
    let (channel, rest) = bytes.split_first()?;
    match *channel {
        STDOUT => io.write_all(Fd::STDOUT, rest).await,
        STDERR => io.write_all(Fd::STDERR, rest).await,
        STATUS => return Some(ended(&Value::from_json(rest).unwrap_or_default())),
        _ => {}
    }
    None
}

fn ended(status: &Value) -> Outcome {
    if status.str_at("status") == "Success" {
        return Ok(());
    }
    if status.str_at("reason") != "NonZeroExitCode" {
        return Err(Failure::message(status.str_at("message")));
    }
    let causes = status.list_at("details.causes");
    let code = causes
        .iter()
        .find(|cause| cause.str_at("reason") == "ExitCode")
        .and_then(|cause| cause.str_at("message").parse().ok())
        .unwrap_or(1);
    Err(Failure::Exit(
        format!("command terminated with exit code {code}"),
        code,
    ))
}
