//! Small web servers: they listen on the ports their arguments say and answer each request by itself.
//! Whoever is one says only where it listens and what it answers.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use machine::http::{Server, ServerEvent, StreamRef};
use machine::{Alarm, Fd, Poll, Program, Signal, Sys, Wake};
use net::http::{Request, Response};
use sim::{Duration, Instant};

/// A web server that keeps nothing between two requests.
pub(crate) trait Site: std::fmt::Debug + Sync {
    /// The ports to listen on; one of them has to be free.
    ///
    /// # Errors
    /// What is wrong with its arguments; it is told and the program ends.
    fn ports(&self, sys: &mut Sys<'_>) -> Result<Vec<u16>, String>;

    /// What it does instead of serving, by how long ago it began; nothing for a server.
    fn work(&self, _sys: &mut Sys<'_>, _since: Duration) -> Option<Work> {
        None
    }

    /// What is told once a port is open.
    fn greeting(&self, _port: u16) -> Option<String> {
        None
    }

    /// What is answered to a request.
    fn answer(&self, sys: &mut Sys<'_>, client: SocketAddrV4, request: &Request) -> Answer;
}

/// How far a program has come that does not serve.
pub(crate) enum Work {
    /// It ends with this status.
    Done(i32),
    /// It goes on after a while.
    Again(Duration),
}

/// What becomes of a request.
pub(crate) enum Answer {
    /// It is answered.
    Send(Response),
    /// It is answered later.
    Later(Duration, Response),
    /// It is not answered, ever.
    Never,
    /// The program ends.
    Exit(i32),
}

impl Answer {
    /// 200 and a text.
    pub(crate) fn text(text: impl Into<String>) -> Answer {
        Answer::status(200, text)
    }

    /// A status and a text.
    pub(crate) fn status(status: u16, text: impl Into<String>) -> Answer {
        let response = Response::new(status, text.into());
        Answer::Send(response.with_header("Content-Type", "text/plain; charset=utf-8"))
    }
}

/// The program that is such a server.
pub(crate) fn program(site: &'static dyn Site) -> Box<dyn Program> {
    Box::new(Running {
        site,
        server: Server::new().reading_plain(),
        later: BTreeMap::new(),
        works: None,
        alarm: Alarm::default(),
    })
}

#[derive(Clone, Debug)]
struct Running {
    site: &'static dyn Site,
    server: Server,
    /// Answers by the time they are due, in the order in which they were asked for.
    later: BTreeMap<(Instant, usize), (StreamRef, Response)>,
    /// When the program began that does not serve, and when it goes on.
    works: Option<(Instant, Instant)>,
    alarm: Alarm,
}

impl Running {
    /// Does what there is to do besides serving; the status it ends with, if it does.
    fn work(&mut self, sys: &mut Sys<'_>) -> Option<i32> {
        let now = sys.now();
        let (begun, _) = self.works.filter(|(_, due)| *due <= now)?;
        match self.site.work(sys, now.since(begun)) {
            Some(Work::Done(status)) => return Some(status),
            Some(Work::Again(after)) => self.works = Some((begun, now + after)),
            None => self.works = None,
        }
        None
    }

    fn start(&mut self, sys: &mut Sys<'_>) -> Result<(), String> {
        let mut served = 0;
        let mut failed = None;
        for port in self.site.ports(sys)? {
            let addr = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
            match self.server.listen(sys, addr) {
                Ok(()) => {
                    served += 1;
                    if let Some(greeting) = self.site.greeting(port) {
                        say(sys, &greeting);
                    }
                }
                // Containers of one pod share its ports: the first one has it.
                Err(errno) => {
                    failed = Some(format!("listen tcp :{port}: bind: {}\n", lower(errno)));
                }
            }
        }
        match failed {
            Some(why) if served == 0 => Err(why),
            _ => Ok(()),
        }
    }

    fn serve(&mut self, sys: &mut Sys<'_>, to: StreamRef, request: &Request) -> Option<i32> {
        // Whoever has hung up needs no answer.
        let client = sys.peer(to.conn).ok()?;
        match self.site.answer(sys, client, request) {
            Answer::Send(response) => self.server.respond(sys, to, response),
            Answer::Later(after, response) => {
                let due = (sys.now() + after, self.later.len());
                self.later.insert(due, (to, response));
            }
            Answer::Never => {}
            Answer::Exit(code) => return Some(code),
        }
        None
    }
}

impl Program for Running {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => {
                self.works = Some((sys.now(), sys.now()));
                if let Some(status) = self.work(sys) {
                    return Poll::Exit(status);
                }
                if self.works.is_none()
                    && let Err(why) = self.start(sys)
                {
                    // Nobody may read it.
                    let _ = sys.write(Fd::STDERR, why.as_bytes());
                    return Poll::Exit(1);
                }
            }
            Wake::Signal(_) => return Poll::Exit(0),
            Wake::Timer(timer) => {
                self.alarm.rang(timer);
                if let Some(status) = self.work(sys) {
                    return Poll::Exit(status);
                }
                let now = sys.now();
                while let Some(first) = self.later.first_entry().filter(|one| one.key().0 <= now) {
                    let (to, response) = first.remove();
                    self.server.respond(sys, to, response);
                }
            }
            Wake::Ready(fd) => {
                let mut events = Vec::new();
                self.server.on_ready(sys, fd, &mut events);
                for event in events {
                    match event {
                        ServerEvent::Request(to, request) => {
                            if let Some(code) = self.serve(sys, to, &request) {
                                return Poll::Exit(code);
                            }
                        }
                        ServerEvent::Bytes(conn, _) => self.server.close(sys, conn),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        let answer = self.later.first_key_value().map(|((due, _), _)| *due);
        let works = self.works.map(|(_, due)| due);
        self.alarm.set(sys, answer.into_iter().chain(works).min());
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn handles(&self, signal: Signal) -> bool {
        matches!(signal, Signal::Term | Signal::Int | Signal::Quit)
    }
}

/// Writes a line of a program's log.
pub(crate) fn say(sys: &mut Sys<'_>, text: &str) {
    // A log nobody reads any more is not written.
    let _ = sys.write(Fd::STDOUT, text.as_bytes());
}

/// The value of `-name`, `--name`, `-name=` or `--name=` among arguments, as Go's flags are read.
pub(crate) fn flag(sys: &Sys<'_>, name: &str) -> Option<String> {
    let args = sys.args();
    let mut args = args.iter().skip(1);
    while let Some(arg) = args.next() {
        let Some(bare) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else {
            continue;
        };
        match bare.split_once('=') {
            Some((flag, value)) if flag == name => return Some(value.to_owned()),
            None if bare == name => return args.next().map(|value| value.to_string()),
            _ => {}
        }
    }
    None
}

/// A port, or what is wrong with it, as Go's flags say it.
///
/// # Errors
/// When it is no number of a port.
pub(crate) fn port(flag: &str, text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| format!("invalid argument \"{text}\" for \"--{flag}\" flag\n"))
}

/// How Go writes an error of the system: without a capital.
fn lower(errno: net::Errno) -> String {
    errno.to_string().to_lowercase()
}
