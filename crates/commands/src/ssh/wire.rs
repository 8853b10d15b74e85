//! What ssh and sshd say to each other, once each has shown its banner. Encryption, keys and packet
//! framing are not modelled; RFC 4254's messages are.

use std::any::Any;
use std::rc::Rc;

use machine::{Errno, ExitStatus, Payload};
use net::Shared;

/// The first line of both sides.
pub(crate) const BANNER: &str = "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.14\r\n";

/// Header, padding and checksum of a packet.
const PACKET: u64 = 36;

/// The terminal a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Its width in characters.
    pub(crate) columns: u16,
    /// Its height in characters.
    pub(crate) rows: u16,
    /// The value of `TERM`.
    pub(crate) term: Rc<str>,
}

/// One message.
#[derive(Clone, Debug)]
pub(crate) enum Wire {
    /// To the server: who wants in.
    Login {
        /// A user there.
        user: Rc<str>,
    },
    /// To the client: come in.
    Welcome,
    /// To the client: stay out.
    Refused,
    /// To the server: start a command, or a login shell.
    Open {
        /// The command, for the user's shell.
        command: Option<Rc<str>>,
        /// The terminal it gets, if it gets one.
        screen: Option<Screen>,
    },
    /// Input of the command, or its output.
    Data(Rc<[u8]>),
    /// What the command writes to its standard error.
    Error(Rc<[u8]>),
    /// The input is over.
    Eof,
    /// The client's terminal changed its size.
    Resize(u16, u16),
    /// To the client: the command ended.
    Exit(ExitStatus),
    /// To the server: something about its files.
    Ask(Ask),
    /// To the client: the answer to that.
    Reply(Result<Reply, Errno>),
}

/// What may be asked about files; paths are relative to the user's home.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// What is there?
    Stat(Rc<str>),
    /// Names in a directory.
    List(Rc<str>),
    /// The contents of a file.
    Read(Rc<str>),
    /// Write a file with these permissions.
    Write(Rc<str>, Rc<[u8]>, u32),
    /// Make a directory unless it is there.
    MakeDir(Rc<str>),
}

/// What the answer is.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// It is done.
    Done,
    /// Whether it is a directory, and its permissions.
    Stat {
        /// A directory.
        dir: bool,
        /// Permission bits.
        mode: u32,
    },
    /// Names.
    Names(Vec<Rc<str>>),
    /// Contents.
    Bytes(Rc<[u8]>),
}

impl Wire {
    /// As a message for a socket.
    pub(crate) fn payload(self) -> Payload {
        Payload::Shared(Rc::new(self))
    }

    /// The message in what was received.
    pub(crate) fn of(payload: Option<Payload>) -> Option<Rc<Wire>> {
        payload?.downcast_rc::<Wire>()
    }
}

impl Shared for Wire {
    fn size(&self) -> u64 {
        PACKET
            + match self {
                Wire::Data(bytes) | Wire::Error(bytes) => bytes.len() as u64,
                Wire::Ask(Ask::Write(_, bytes, _)) => bytes.len() as u64,
                Wire::Reply(Ok(Reply::Bytes(bytes))) => bytes.len() as u64,
                _ => 0,
            }
    }

    /// Nobody without the keys can read it: zeros of the same length.
    fn bytes(&self) -> Vec<u8> {
        vec![0; usize::try_from(self.size()).unwrap_or(0)]
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
