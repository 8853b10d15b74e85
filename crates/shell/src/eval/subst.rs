//! Command substitution: a copy of the shell runs the commands, its output is collected here.

use std::rc::Rc;

use machine::{Errno, Fd, Sys};
use sim::Pid;

use super::launch::Fork;
use super::{Frame, Shell, Step};
use crate::syntax::ir::List;

/// A substitution being collected.
#[derive(Debug, Clone)]
pub(crate) struct Subst {
    fd: Option<Fd>,
    pid: Option<Pid>,
    bytes: Vec<u8>,
    into: Into,
}

/// What becomes of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Into {
    /// Text, without the newlines at its end.
    Text,
    /// A file whose name is the result; it is listed for removal in the frame at this depth.
    File(usize),
}

/// Bytes taken at once.
const CHUNK: usize = 65_536;

impl Shell {
    pub(super) fn start_subst(&mut self, sys: &mut Sys<'_>, list: &Rc<List>, into: Into) {
        let mut subst = Subst {
            fd: None,
            pid: None,
            bytes: Vec::new(),
            into,
        };
        if let Ok((reader, writer)) = sys.pipe() {
            let mut fork = Fork::new(vec![Frame::List(list.clone(), 0)]);
            fork.fds.push((Fd::STDOUT, writer));
            subst.pid = self.fork(sys, fork);
            sys.close(writer);
            subst.fd = Some(reader);
        }
        self.push(Frame::Subst(subst));
    }

    pub(super) fn step_subst(&mut self, sys: &mut Sys<'_>, mut subst: Subst, quiet: bool) -> Step {
        while let Some(fd) = subst.fd {
            match sys.read(fd, CHUNK) {
                Ok(bytes) if !bytes.is_empty() => subst.bytes.extend_from_slice(&bytes),
                Err(Errno::EAGAIN) => {
                    self.push_quiet(Frame::Subst(subst), quiet);
                    return Step::Wait;
                }
                _ => {
                    sys.close(fd);
                    subst.fd = None;
                }
            }
        }
        if let Some(pid) = subst.pid {
            let Some(status) = sys.try_wait(pid) else {
                self.push_quiet(Frame::Subst(subst), quiet);
                return Step::Wait;
            };
            self.state.status = status.shell_code();
            self.state.substituted = Some(self.state.status);
        }
        let output: Rc<str> = match subst.into {
            Into::Text => {
                // A string cannot hold what is no character; bash drops null bytes too.
                subst.bytes.retain(|byte| *byte != 0);
                let text = String::from_utf8_lossy(&subst.bytes);
                text.trim_end_matches('\n').into()
            }
            Into::File(depth) => {
                let path: Rc<str> = format!("/tmp/sh-np-{}-{}", sys.pid().0, self.fresh()).into();
                let _ = sys.write_file(&path, &subst.bytes);
                if let Some(Frame::Remove(paths)) =
                    self.stack.get_mut(depth).map(|entry| &mut entry.frame)
                {
                    paths.push(path.clone());
                }
                path
            }
        };
        if let Some(entry) = self.stack.last_mut() {
            entry.outputs.push(output);
        }
        Step::Go
    }

    /// Gives up a substitution: its reader goes away.
    pub(super) fn drop_subst(&mut self, sys: &mut Sys<'_>, subst: Subst) {
        if let Some(fd) = subst.fd {
            sys.close(fd);
        }
        if let Some(pid) = subst.pid {
            let _ = sys.kill(pid, machine::Signal::Int);
        }
    }
}
