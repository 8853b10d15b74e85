//! A connection to the container runtime, for the tools that talk to it as the kubelet does.

use std::rc::Rc;

use machine::{Errno, Fd, Io, Sys};
use node::cri::{Error, Message, Part, Reply, Request, SOCKET};

/// What came over a stream, or from the terminal.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    /// A part of the stream.
    Part(Part),
    /// What was typed; nothing at the end of the input.
    Typed(Rc<[u8]>),
    /// The runtime is gone.
    Lost,
}

/// The connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Runtime {
    fd: Fd,
    last: u64,
}

impl Runtime {
    /// Connects.
    ///
    /// # Errors
    /// As `connect(2)`.
    pub(crate) async fn connect(io: &Io) -> Result<Runtime, Errno> {
        let fd = io.sys(|sys: &mut Sys<'_>| sys.unix_connect(SOCKET)).await?;
        Ok(Runtime { fd, last: 0 })
    }

    /// Calls and waits for the answer.
    ///
    /// # Errors
    /// The connection's.
    pub(crate) async fn call(
        &mut self,
        io: &Io,
        request: Request,
    ) -> Result<Result<Reply, Error>, Errno> {
        self.last += 1;
        let call = Message::Call(self.last, request).payload();
        io.send(self.fd, call).await?;
        loop {
            let Some(payload) = io.recv(self.fd).await? else {
                return Err(Errno::ECONNRESET);
            };
            let message = payload.downcast_rc::<Message>();
            if let Some(Message::Answer(of, reply)) = message.as_deref()
                && *of == self.last
            {
                return Ok(reply.clone());
            }
        }
    }

    /// Sends a part of the stream that the last call opened.
    ///
    /// # Errors
    /// The connection's.
    pub(crate) async fn part(&self, io: &Io, part: Part) -> Result<(), Errno> {
        let message = Message::Stream(self.last, part);
        io.send(self.fd, message.payload()).await
    }

    /// What comes next: over the stream of the last call, or from the standard input if somebody is
    /// `typing` there.
    pub(crate) async fn next(&self, io: &Io, typing: bool) -> Next {
        let Runtime { fd, last } = *self;
        io.until(move |sys| {
            loop {
                match sys.recv(fd) {
                    Ok(Some(payload)) => match payload.downcast::<Message>() {
                        Some(Message::Stream(of, part)) if *of == last => {
                            return Some(Next::Part(part.clone()));
                        }
                        _ => {}
                    },
                    Err(Errno::EAGAIN) => break,
                    Ok(None) | Err(_) => return Some(Next::Lost),
                }
            }
            match typing.then(|| sys.read(Fd::STDIN, 65_536)) {
                None | Some(Err(Errno::EAGAIN)) => None,
                Some(Ok(bytes)) => Some(Next::Typed(bytes)),
                Some(Err(_)) => Some(Next::Typed(Rc::from([]))),
            }
        })
        .await
    }

    /// Closes the connection.
    pub(crate) async fn close(self, io: &Io) {
        io.close(self.fd).await;
    }
}
