//! What the shell itself prints: queued while it runs, written before its next step.

use machine::{Errno, Fd, Sys};

use super::Shell;

/// How a flush went.
pub(super) enum Flush {
    Done,
    /// A pipe is full.
    Blocked,
    /// Nobody reads the pipe any more.
    Broken,
}

impl Shell {
    /// Prints on the standard output.
    pub(crate) fn print(&mut self, text: &str) {
        self.queue(Fd::STDOUT, text);
    }

    /// Prints on the standard error.
    pub(crate) fn print_error(&mut self, text: &str) {
        self.queue(Fd::STDERR, text);
    }

    /// Says what went wrong, the shell's name in front: `bash: line 1: …`.
    pub(crate) fn complain(&mut self, message: &str) {
        let text = format!("{}{message}\n", self.state.prefix());
        self.queue(Fd::STDERR, &text);
    }

    fn queue(&mut self, fd: Fd, text: &str) {
        let text = crate::raw::bytes(text);
        match self.output.last_mut() {
            Some((last, bytes)) if *last == fd => bytes.extend_from_slice(&text),
            _ => self.output.push((fd, text)),
        }
    }

    pub(super) fn flush(&mut self, sys: &mut Sys<'_>) -> Flush {
        while !self.output.is_empty() {
            let (fd, bytes) = &mut self.output[0];
            let fd = *fd;
            if bytes.is_empty() {
                self.output.remove(0);
                continue;
            }
            match sys.write(fd, bytes) {
                Ok(written) => {
                    bytes.drain(..written);
                }
                Err(Errno::EAGAIN) => return Flush::Blocked,
                Err(Errno::EPIPE) => {
                    self.output.remove(0);
                    if self.interactive.is_none() {
                        return Flush::Broken;
                    }
                }
                Err(errno) => {
                    self.output.remove(0);
                    if fd == Fd::STDOUT {
                        self.state.status = 1;
                        self.complain(&format!("write error: {}", errno.message()));
                    }
                }
            }
        }
        Flush::Done
    }

    /// Whether everything printed has been written.
    pub(super) fn is_flushed(&self) -> bool {
        self.output.iter().all(|(_, bytes)| bytes.is_empty())
    }
}
