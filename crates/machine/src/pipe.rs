//! Pipes and unix-domain connections: bytes and messages between processes of one machine.

use std::collections::VecDeque;
use std::rc::Rc;

use net::Payload;
use sim::{EntryId, Pid};

use crate::process::{Fd, UnixId};

/// Who waits for something to happen to a descriptor.
pub(crate) type Waiters = Vec<(Pid, Fd)>;

/// Bytes a pipe holds before a writer has to wait, as in Linux.
pub(crate) const PIPE_CAPACITY: usize = 65_536;

/// A pipe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) bytes: VecDeque<u8>,
    pub(crate) readers: u32,
    pub(crate) writers: u32,
    pub(crate) read_waiters: Waiters,
    pub(crate) write_waiters: Waiters,
}

/// A unix-domain socket: a listener, or one end of a connection.
#[derive(Clone, Debug)]
pub(crate) enum Unix {
    Listener {
        path: Rc<str>,
        backlog: VecDeque<UnixId>,
        waiters: Waiters,
        refs: u32,
    },
    End {
        peer: Option<UnixId>,
        inbox: VecDeque<(EntryId, Payload)>,
        waiters: Waiters,
        refs: u32,
    },
}

impl Unix {
    pub(crate) fn waiters(&mut self) -> &mut Waiters {
        match self {
            Unix::Listener { waiters, .. } | Unix::End { waiters, .. } => waiters,
        }
    }

    pub(crate) fn refs(&mut self) -> &mut u32 {
        match self {
            Unix::Listener { refs, .. } | Unix::End { refs, .. } => refs,
        }
    }
}

/// Adds a waiter once.
pub(crate) fn wait(waiters: &mut Waiters, pid: Pid, fd: Fd) {
    if !waiters.contains(&(pid, fd)) {
        waiters.push((pid, fd));
    }
}
