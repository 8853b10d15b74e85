//! The streams of `exec`, `attach`, `cp`, `debug` and `run`: between a terminal, or memory, and a
//! container.
//!
//! Models client-go/tools/remotecommand, with the channels of the v5.channel.k8s.io protocol: the
//! first byte of each part names its channel.

use std::rc::Rc;

use api::Value;
use machine::{Fd, Io};
use net::http::{Body, Frame, Message, Method, percent_encode};
use net::{Errno, Payload};

use super::failure::{Failure, Outcome};
use super::flags::Line;
use super::session::{Call, Session};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;
/// Input is sent in parts of this size.
const PART: usize = 32 * 1024;

/// A container, and what is to happen in it.
#[derive(Clone, Debug)]
pub(super) struct At<'a> {
    pub(super) namespace: &'a str,
    pub(super) pod: &'a str,
    pub(super) container: &'a str,
}

impl At<'_> {
    /// The path for running a command, without the streams.
    pub(super) fn exec(&self, command: &[String]) -> String {
        let At {
            namespace,
            pod,
            container,
        } = self;
        let words: Vec<String> = command
            .iter()
            .map(|word| format!("command={}", percent_encode(word)))
            .collect();
        format!(
            "/api/v1/namespaces/{namespace}/pods/{pod}/exec?{}&container={container}",
            words.join("&")
        )
    }

    /// The path for joining the container, without the streams.
    pub(super) fn attach(&self) -> String {
        let At {
            namespace,
            pod,
            container,
        } = self;
        format!("/api/v1/namespaces/{namespace}/pods/{pod}/attach?container={container}")
    }
}

/// What a command in a container wrote, and how it ended.
pub(super) struct Captured {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) outcome: Outcome,
}

/// Runs a command in a container with this input, and gathers what it writes.
pub(super) async fn capture(
    session: &Session,
    at: &At<'_>,
    command: &[String],
    input: Option<&[u8]>,
) -> Outcome<Captured> {
    let streams = Streams {
        stdin: input.is_some(),
        tty: false,
    };
    let (conn, stream) = match streams.open(session, at.exec(command)).await? {
        Some(open) => open,
        None => return Err(Failure::message("unable to upgrade connection")),
    };
    if let Some(input) = input {
        for part in input.chunks(PART) {
            send(&session.io, conn, stream, [&[STDIN], part].concat()).await?;
        }
        send(&session.io, conn, stream, vec![CLOSE, STDIN]).await?;
    }
    let mut captured = Captured {
        stdout: Vec::new(),
        stderr: Vec::new(),
        outcome: Ok(()),
    };
    while let Some(body) = session.next_part(stream).await? {
        let bytes = body.bytes();
        match bytes.split_first() {
            Some((&STDOUT, rest)) => captured.stdout.extend_from_slice(rest),
            Some((&STDERR, rest)) => captured.stderr.extend_from_slice(rest),
            Some((&STATUS, rest)) => {
                captured.outcome = ended(&Value::from_json(rest).unwrap_or_default());
            }
            _ => {}
        }
    }
    Ok(captured)
}

/// Which streams are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams {
    pub(super) stdin: bool,
    pub(super) tty: bool,
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
    pub(super) async fn of(session: &Session, line: &Line) -> Streams {
        let stdin = line.on("stdin");
        let mut tty = line.on("tty");
        let terminal = session.io.sys(|sys| sys.is_tty(Fd::STDIN)).await;
        // Without input there is no terminal to speak of.
        tty &= stdin;
        if tty && !terminal {
            let note = "Unable to use a TTY - input is not a terminal or the right kind of file\n";
            session.io.eprint(note).await;
            tty = false;
        }
        Streams { stdin, tty }
    }

    fn query(self) -> String {
        let Streams { stdin, tty } = self;
        format!("&stdin={stdin}&stdout=true&stderr={}&tty={tty}", !tty)
    }

    /// Opens the streams; `None` if the other side wants none.
    async fn open(self, session: &Session, target: String) -> Outcome<Option<(Fd, u32)>> {
        let call = Call {
            method: Method::Post,
            ..Call::get(format!("{target}{}", self.query()))
        };
        let (response, stream) = session.upgrade(call).await?;
        let conn = session.connection().filter(|_| response.more);
        Ok(conn.map(|conn| (conn, stream)))
    }

    /// Joins the terminal, or whatever stands in its place, with what `target` names.
    pub(super) async fn run(self, session: &Session, target: String) -> Outcome {
        let io = &session.io;
        let Some((conn, stream)) = self.open(session, target).await? else {
            return Ok(());
        };
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
