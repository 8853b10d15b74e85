//! Tools: straight-line programs written as async functions that can nevertheless be copied.
//!
//! Every call a tool makes goes through its [`Io`], and the reply is kept in a log. The state of a
//! tool is thus its arguments and its log: a copy drops the future and builds it anew by feeding it
//! the same replies; nothing is done twice. A tool holds nothing across an await that replaying
//! would not rebuild, and awaits nothing but its `Io`.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::net::SocketAddrV4;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll as Ready, Waker};

use imbl::Vector;
use net::http::{Frame, Message, Request, Response};
use net::{Errno, Payload};
use sim::{Duration, Instant, Pid};

use crate::process::{Env, ExitStatus, Fd, Signal};
use crate::program::{Poll, Program, Wake};
use crate::sys::{OpenMode, Spawn, Sys};

/// The future of a running tool; its output is the exit code.
pub type ToolFuture = Pin<Box<dyn Future<Output = i32>>>;
/// A tool's entry: `|io| Box::pin(main(io))`.
pub type ToolMain = fn(Io) -> ToolFuture;

type Call = Box<dyn FnMut(&mut Sys<'_>) -> Option<Rc<dyn Any>>>;

/// A program made of an async function.
#[must_use]
pub fn tool(main: ToolMain) -> Box<dyn Program> {
    tool_catching(main, &[])
}

/// The same, but these signals do not end it: it learns of them from [`Io::caught`].
#[must_use]
pub fn tool_catching(main: ToolMain, catches: &'static [Signal]) -> Box<dyn Program> {
    Box::new(Tool::new(main, catches))
}

/// A tool that needs `start_up` before it begins, as large programs do.
#[must_use]
pub fn tool_starting_in(start_up: Duration, main: ToolMain) -> Box<dyn Program> {
    Box::new(Tool {
        start_up,
        ..Tool::new(main, &[])
    })
}

struct Tool {
    main: ToolMain,
    start_up: Duration,
    /// Signals it wants to hear of.
    catches: &'static [Signal],
    /// Those that came to a copy that has not been rebuilt yet.
    caught: Vec<Signal>,
    io: Option<Io>,
    future: Option<ToolFuture>,
    /// The log of a copy that has not been rebuilt yet.
    replies: Vector<Rc<dyn Any>>,
}

impl Tool {
    fn new(main: ToolMain, catches: &'static [Signal]) -> Tool {
        Tool {
            main,
            start_up: Duration::from_millis(1),
            catches,
            caught: Vec::new(),
            io: None,
            future: None,
            replies: Vector::new(),
        }
    }
}

impl Clone for Tool {
    fn clone(&self) -> Self {
        let replies = match &self.io {
            Some(io) => io.cell.borrow().replies.clone(),
            None => self.replies.clone(),
        };
        let caught = match &self.io {
            Some(io) => io.caught.0.borrow().clone(),
            None => self.caught.clone(),
        };
        Tool {
            main: self.main,
            catches: self.catches,
            start_up: self.start_up,
            caught,
            io: None,
            future: None,
            replies,
        }
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tool")
    }
}

/// What a tool and its driver share. It never leaves this file.
#[derive(Default)]
struct Cell {
    replies: Vector<Rc<dyn Any>>,
    next: usize,
    call: Option<Call>,
}

/// A tool's way to the world; a handle, cheap to clone.
#[derive(Clone)]
pub struct Io {
    cell: Rc<RefCell<Cell>>,
    caught: Caught,
    args: Rc<[Rc<str>]>,
    env: Env,
}

/// Signals that were caught and not yet looked at, for use inside [`Io::until`].
#[derive(Clone, Default)]
pub struct Caught(Rc<RefCell<Vec<Signal>>>);

impl Caught {
    /// Takes the oldest.
    #[must_use]
    pub fn take(&self) -> Option<Signal> {
        let mut caught = self.0.borrow_mut();
        (!caught.is_empty()).then(|| caught.remove(0))
    }
}

impl Program for Tool {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        let io = self.io.get_or_insert_with(|| {
            let cell = Cell {
                replies: std::mem::take(&mut self.replies),
                ..Cell::default()
            };
            Io {
                cell: Rc::new(RefCell::new(cell)),
                caught: Caught(Rc::new(RefCell::new(std::mem::take(&mut self.caught)))),
                args: sys.args(),
                env: sys.env(),
            }
        });
        if let Wake::Signal(signal) = why {
            io.caught.0.borrow_mut().push(signal);
        }
        let future = self.future.get_or_insert_with(|| (self.main)(io.clone()));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let call = io.cell.borrow_mut().call.take();
            if let Some(mut call) = call {
                let Some(reply) = call(sys) else {
                    io.cell.borrow_mut().call = Some(call);
                    return Poll::Pending;
                };
                io.cell.borrow_mut().replies.push_back(reply);
            }
            if let Ready::Ready(code) = future.as_mut().poll(&mut context) {
                return Poll::Exit(code);
            }
            assert!(
                io.cell.borrow().call.is_some(),
                "a tool awaits nothing but its Io"
            );
        }
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn start_up(&self) -> Duration {
        self.start_up
    }

    fn handles(&self, signal: Signal) -> bool {
        self.catches.contains(&signal)
    }
}

impl Io {
    /// Signals that came, of those the tool catches.
    #[must_use]
    pub fn caught(&self) -> Caught {
        self.caught.clone()
    }

    /// The tool's arguments; the first is the name it was called by.
    #[must_use]
    pub fn args(&self) -> &[Rc<str>] {
        &self.args
    }

    /// A variable of the environment it was started with.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<Rc<str>> {
        self.env.get(name).cloned()
    }

    /// The environment it was started with.
    #[must_use]
    pub fn environment(&self) -> &Env {
        &self.env
    }

    /// One call of anything in [`Sys`]; its result is logged.
    pub async fn sys<R: Clone + 'static>(
        &self,
        act: impl FnOnce(&mut Sys<'_>) -> R + 'static,
    ) -> R {
        let mut act = Some(act);
        self.until(move |sys| act.take().map(|act| act(sys))).await
    }

    /// Waits until `attempt` gives something: it is tried at once and after every wake, so it must
    /// ask for a state, not for a change.
    pub async fn until<R: Clone + 'static>(
        &self,
        mut attempt: impl FnMut(&mut Sys<'_>) -> Option<R> + 'static,
    ) -> R {
        let mut call: Option<Call> = Some(Box::new(move |sys| {
            attempt(sys).map(|reply| Rc::new(reply) as Rc<dyn Any>)
        }));
        poll_fn(move |_| {
            let mut cell = self.cell.borrow_mut();
            let next = cell.next;
            if let Some(reply) = cell.replies.get(next) {
                let reply = reply
                    .downcast_ref::<R>()
                    .expect("a replay asks the same")
                    .clone();
                cell.next += 1;
                return Ready::Ready(reply);
            }
            if call.is_some() {
                cell.call = call.take();
            }
            Ready::Pending
        })
        .await
    }

    /// Like [`Io::until`] for a system call: goes on past `EAGAIN`.
    pub async fn retry<R: Clone + 'static>(
        &self,
        mut attempt: impl FnMut(&mut Sys<'_>) -> Result<R, Errno> + 'static,
    ) -> Result<R, Errno> {
        self.until(move |sys| match attempt(sys) {
            Err(Errno::EAGAIN) => None,
            result => Some(result),
        })
        .await
    }

    /// The time it is.
    pub async fn now(&self) -> Instant {
        self.sys(|sys| sys.now()).await
    }

    /// Waits.
    pub async fn sleep(&self, span: Duration) {
        let end = self
            .sys(move |sys| {
                sys.timer(span);
                sys.now() + span
            })
            .await;
        self.until(move |sys| (sys.now() >= end).then_some(()))
            .await;
    }

    /// Writes to standard output, all of it. A reader that is gone ends the tool by `SIGPIPE`.
    pub async fn print(&self, text: &str) {
        self.write_all(Fd::STDOUT, text.as_bytes()).await;
    }

    /// Writes to standard error.
    pub async fn eprint(&self, text: &str) {
        self.write_all(Fd::STDERR, text.as_bytes()).await;
    }

    /// Writes all bytes; stops early if nobody reads.
    pub async fn write_all(&self, fd: Fd, bytes: &[u8]) {
        let mut rest: Rc<[u8]> = bytes.into();
        while !rest.is_empty() {
            let part = rest.clone();
            match self.retry(move |sys| sys.write(fd, &part)).await {
                Ok(written) => rest = rest[written..].into(),
                Err(_) => return,
            }
        }
    }

    /// Reads what is there, at most 64 KiB; empty at the end.
    ///
    /// # Errors
    /// As `read(2)`, but it waits.
    pub async fn read(&self, fd: Fd) -> Result<Rc<[u8]>, Errno> {
        self.retry(move |sys| sys.read(fd, 65_536)).await
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// As `read(2)`.
    pub async fn read_all(&self, fd: Fd) -> Result<Vec<u8>, Errno> {
        let mut all = Vec::new();
        loop {
            let part = self.read(fd).await?;
            if part.is_empty() {
                return Ok(all);
            }
            all.extend_from_slice(&part);
        }
    }

    /// Opens a file.
    ///
    /// # Errors
    /// As `open(2)`.
    pub async fn open(&self, path: &str, mode: OpenMode) -> Result<Fd, Errno> {
        let path = path.to_owned();
        self.sys(move |sys| sys.open(&path, mode)).await
    }

    /// Closes a descriptor.
    pub async fn close(&self, fd: Fd) {
        self.sys(move |sys| sys.close(fd)).await;
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// As `open(2)` and `read(2)`.
    pub async fn read_file(&self, path: &str) -> Result<Rc<[u8]>, Errno> {
        let path = path.to_owned();
        self.sys(move |sys| sys.read_file(&path)).await
    }

    /// The text of a file.
    ///
    /// # Errors
    /// As [`Io::read_file`].
    pub async fn read_to_string(&self, path: &str) -> Result<String, Errno> {
        Ok(String::from_utf8_lossy(&self.read_file(path).await?).into_owned())
    }

    /// Writes a file whole.
    ///
    /// # Errors
    /// As `open(2)` and `write(2)`.
    pub async fn write_file(&self, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        let (path, bytes): (String, Rc<[u8]>) = (path.to_owned(), bytes.into());
        self.sys(move |sys| sys.write_file(&path, &bytes)).await
    }

    /// Starts a process.
    ///
    /// # Errors
    /// As [`Sys::spawn`].
    pub async fn spawn(&self, spawn: Spawn) -> Result<Pid, Errno> {
        let mut spawn = Some(spawn);
        self.sys(move |sys| {
            spawn
                .take()
                .map_or(Err(Errno::EAGAIN), |spawn| sys.spawn(spawn))
        })
        .await
    }

    /// Waits for a child to end.
    pub async fn wait(&self, pid: Pid) -> ExitStatus {
        self.until(move |sys| sys.try_wait(pid)).await
    }

    /// Connects; gives up after `limit`, if there is one, with `ETIMEDOUT`.
    ///
    /// # Errors
    /// As `connect(2)`.
    pub async fn connect(&self, addr: SocketAddrV4, limit: Option<Duration>) -> Result<Fd, Errno> {
        let begun = self
            .sys(move |sys| {
                let fd = sys.connect(addr)?;
                let end = limit.map(|limit| {
                    sys.timer(limit);
                    sys.now() + limit
                });
                Ok((fd, end))
            })
            .await;
        let (fd, end) = begun?;
        let connected = self
            .retry(move |sys| match sys.connected(fd) {
                Err(Errno::EAGAIN) if end.is_some_and(|end| sys.now() >= end) => {
                    Err(Errno::ETIMEDOUT)
                }
                result => result,
            })
            .await;
        match connected {
            Ok(()) => Ok(fd),
            Err(errno) => {
                self.close(fd).await;
                Err(errno)
            }
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// As [`Sys::send`].
    pub async fn send(&self, fd: Fd, payload: Payload) -> Result<(), Errno> {
        self.retry(move |sys| sys.send(fd, payload.clone())).await
    }

    /// The next message; `None` once the other side has closed.
    ///
    /// # Errors
    /// As [`Sys::recv`], but it waits.
    pub async fn recv(&self, fd: Fd) -> Result<Option<Payload>, Errno> {
        self.retry(move |sys| sys.recv(fd)).await
    }

    /// Sends a request as stream 1 of a new connection `fd` and waits for the head of the answer.
    ///
    /// # Errors
    /// As [`Io::send`] and [`Io::recv`]; `ECONNRESET` if the server closes instead, `EPROTO` if what
    /// it says is no HTTP.
    pub async fn http(&self, fd: Fd, request: Request) -> Result<Rc<Response>, Errno> {
        self.http_on(fd, 1, request).await
    }

    /// Sends a request as stream `stream` of the connection `fd`.
    ///
    /// # Errors
    /// As [`Io::http`].
    pub async fn http_on(
        &self,
        fd: Fd,
        stream: u32,
        request: Request,
    ) -> Result<Rc<Response>, Errno> {
        self.send(
            fd,
            Message::payload(stream, Frame::Request(Rc::new(request))),
        )
        .await?;
        loop {
            let payload = self.recv(fd).await?.ok_or(Errno::ECONNRESET)?;
            let message = payload.downcast_rc::<Message>().ok_or(Errno::EPROTO)?;
            match &message.frame {
                Frame::Response(response) if message.stream == stream => {
                    return Ok(response.clone());
                }
                Frame::Reset if message.stream == stream => return Err(Errno::ECONNRESET),
                _ => {}
            }
        }
    }

    /// Ends the tool's interest in waiting: whether `wake` came. Used by tools that poll several
    /// things at once through [`Io::until`].
    pub async fn deadline(&self, span: Duration) -> Instant {
        self.sys(move |sys| {
            sys.timer(span);
            sys.now() + span
        })
        .await
    }
}
