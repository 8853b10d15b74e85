//! Processes started in running containers, and the streams to and from them.
//! Models containerd's internal/cri/server/container_exec*.go and container_attach.go.

use std::rc::Rc;

use machine::{Sys, TimerId};
use sim::Duration;

use crate::cri::{Code, ContainerState, Error, ExecResult, Message, Part, Reply, Stdio};
use crate::runtime::daemon::{Caller, Containerd, Outcome, no_container, unknown};
use crate::runtime::shim::ToShim;

/// A process in a container, or a joined container, and who listens to it.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) caller: Caller,
    sandbox: Rc<str>,
    /// What is gathered for a caller that waits for the end.
    gathered: Option<ExecResult>,
    timer: Option<TimerId>,
    /// Named in runc's errors.
    exec_id: Rc<str>,
    joined: bool,
}

impl Containerd {
    pub(super) fn exec_sync(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        id: &Rc<str>,
        command: &Rc<[Rc<str>]>,
        timeout: Duration,
    ) -> Outcome {
        let stream = self.open(sys, caller, id, command, Stdio::default())?;
        let timer = (!timeout.is_zero()).then(|| sys.timer(timeout));
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.gathered = Some(ExecResult::default());
            stream.timer = timer;
        }
        Ok(None)
    }

    pub(super) fn exec(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        id: &Rc<str>,
        command: &Rc<[Rc<str>]>,
        stdio: Stdio,
    ) -> Outcome {
        self.open(sys, caller, id, command, stdio)?;
        Ok(None)
    }

    pub(super) fn attach(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        id: &Rc<str>,
        _stdio: Stdio,
    ) -> Outcome {
        let (stream, _) = self.new_stream(sys, caller, id, true)?;
        self.shim(
            sys,
            stream,
            ToShim::Attach {
                stream,
                id: id.clone(),
            },
        )?;
        Ok(None)
    }

    fn open(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        id: &Rc<str>,
        command: &Rc<[Rc<str>]>,
        stdio: Stdio,
    ) -> Result<u64, Error> {
        let (stream, exec_id) = self.new_stream(sys, caller, id, false)?;
        let args = command.to_vec();
        if args.is_empty() {
            self.streams.remove(&stream);
            return Err(unknown(&format!(
                "failed to exec in container: failed to create exec \"{exec_id}\": exec args must \
                 not be empty"
            )));
        }
        self.shim(
            sys,
            stream,
            ToShim::Exec {
                stream,
                id: id.clone(),
                args,
                stdio,
            },
        )?;
        Ok(stream)
    }

    fn shim(&mut self, sys: &mut Sys<'_>, stream: u64, message: ToShim) -> Result<(), Error> {
        let sandbox = self
            .streams
            .get(&stream)
            .map(|s| s.sandbox.clone())
            .unwrap_or_default();
        if self.command(sys, &sandbox, message) {
            return Ok(());
        }
        self.streams.remove(&stream);
        Err(Error::new(
            Code::Unavailable,
            "connection error: desc = \"the shim is gone\"",
        ))
    }

    fn new_stream(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        id: &str,
        joined: bool,
    ) -> Result<(u64, Rc<str>), Error> {
        let container = self
            .store
            .containers
            .get(id)
            .ok_or_else(|| no_container(id))?;
        if container.status.state != ContainerState::Running {
            let state = format!("{:?}", container.status.state).to_uppercase();
            return Err(unknown(&format!("container is in CONTAINER_{state} state")));
        }
        let sandbox = container.status.sandbox.clone();
        let exec_id: Rc<str> = sys.random().hex(64).into();
        let number = self.next_stream;
        self.next_stream += 1;
        let stream = Stream {
            caller,
            sandbox,
            gathered: None,
            timer: None,
            exec_id: exec_id.clone(),
            joined,
        };
        self.streams.insert(number, stream);
        Ok((number, exec_id))
    }

    pub(super) fn stream_opened(
        &mut self,
        sys: &mut Sys<'_>,
        number: u64,
        result: Result<(), String>,
    ) {
        let Some(stream) = self.streams.get(&number) else {
            return;
        };
        let caller = stream.caller;
        match result {
            Ok(()) if stream.gathered.is_some() => {}
            Ok(()) => self.answer(sys, caller, Ok(Reply::Streaming)),
            Err(why) => {
                let exec_id = &stream.exec_id;
                let desc = if stream.joined {
                    format!("failed to attach container: {why}")
                } else {
                    format!(
                        "failed to exec in container: failed to start exec \"{exec_id}\": {why}"
                    )
                };
                if let Some(timer) = stream.timer {
                    sys.cancel(timer);
                }
                self.streams.remove(&number);
                self.answer(sys, caller, Err(unknown(&desc)));
            }
        }
    }

    pub(super) fn stream_output(&mut self, sys: &mut Sys<'_>, number: u64, part: Part) {
        let Some(stream) = self.streams.get_mut(&number) else {
            return;
        };
        let caller = stream.caller;
        let ended = matches!(part, Part::Exited(_));
        let Some(gathered) = &mut stream.gathered else {
            self.tell(sys, caller.0, Message::Stream(caller.1, part));
            if ended {
                self.streams.remove(&number);
            }
            return;
        };
        match part {
            Part::Stdout(bytes) => gathered.stdout.extend_from_slice(&bytes),
            Part::Stderr(bytes) => gathered.stderr.extend_from_slice(&bytes),
            Part::Exited(code) => {
                gathered.exit_code = code;
                let result = std::mem::take(gathered);
                if let Some(timer) = stream.timer {
                    sys.cancel(timer);
                }
                self.streams.remove(&number);
                self.answer(sys, caller, Ok(Reply::Exec(result)));
            }
            _ => {}
        }
    }

    /// A part from the caller for the process.
    pub(super) fn stream_input(&mut self, sys: &mut Sys<'_>, caller: Caller, part: Part) {
        let found = self
            .streams
            .iter()
            .find(|(_, stream)| stream.caller == caller);
        let Some(number) = found.map(|(number, _)| *number) else {
            return;
        };
        let gone = part == Part::Abandoned;
        self.stream_forwarded(sys, number, part);
        if gone {
            self.streams.remove(&number);
        }
    }

    pub(super) fn stream_forwarded(&mut self, sys: &mut Sys<'_>, number: u64, part: Part) {
        if let Some(stream) = self.streams.get(&number) {
            let sandbox = stream.sandbox.clone();
            self.command(
                sys,
                &sandbox,
                ToShim::Input {
                    stream: number,
                    part,
                },
            );
        }
    }

    pub(super) fn exec_timed_out(&mut self, sys: &mut Sys<'_>, timer: TimerId) {
        let found = self
            .streams
            .iter()
            .find(|(_, stream)| stream.timer == Some(timer));
        let Some((number, caller)) = found.map(|(number, stream)| (*number, stream.caller)) else {
            return;
        };
        self.stream_forwarded(sys, number, Part::Abandoned);
        self.streams.remove(&number);
        let desc = "failed to exec in container: timeout exceeded: context deadline exceeded";
        self.answer(sys, caller, Err(Error::new(Code::DeadlineExceeded, desc)));
    }
}
