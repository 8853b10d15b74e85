//! Redirections.

use std::rc::Rc;

use machine::{Errno, Fd, OpenMode, Sys};

use super::launch::Fork;
use super::{Frame, Shell};
use crate::expand::{Expander, Failure, Stop};
use crate::syntax::ir::{List, Part, Redirect, RedirectKind, Word};

/// A redirection whose word is known.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    fd: u32,
    to: Target,
}

#[derive(Debug, Clone)]
enum Target {
    /// True overwrites what exists although `set -C` is on.
    File(Rc<str>, OpenMode, bool),
    /// Both outputs to a file; true appends.
    Both(Rc<str>, bool),
    /// A copy of a descriptor; `moved` closes the original.
    Copy {
        from: u32,
        moved: bool,
    },
    Close,
    /// This text is the input.
    Text(Rc<str>),
    /// The other end is a command; true reads from it.
    Process(bool, Rc<List>),
}

/// A descriptor before a redirection, to be put back.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    fd: Fd,
    /// Where its copy waits; `None` if it was closed.
    copy: Option<Fd>,
}

/// Copies wait at or above this number.
const SAVED_FROM: u32 = 100;

impl Expander<'_, '_> {
    /// Expands the words of redirections, without doing anything yet.
    pub(crate) fn redirects(&mut self, redirects: &[Redirect]) -> Result<Vec<Ready>, Stop> {
        redirects
            .iter()
            .map(|redirect| self.redirect(redirect))
            .collect()
    }

    fn redirect(&mut self, redirect: &Redirect) -> Result<Ready, Stop> {
        let output = redirect.fd.unwrap_or(1);
        let input = redirect.fd.unwrap_or(0);
        let ready = |fd, to| Ok(Ready { fd, to });
        match &redirect.kind {
            RedirectKind::Read(word) => match process(word) {
                Some(to) => ready(input, to),
                None => ready(input, Target::File(self.file(word)?, OpenMode::Read, false)),
            },
            RedirectKind::Write(word, clobber) => match process(word) {
                Some(to) => ready(output, to),
                None => ready(
                    output,
                    Target::File(self.file(word)?, OpenMode::Truncate, *clobber),
                ),
            },
            RedirectKind::Append(word) => ready(
                output,
                Target::File(self.file(word)?, OpenMode::Append, false),
            ),
            RedirectKind::ReadWrite(word) => ready(
                input,
                Target::File(self.file(word)?, OpenMode::ReadWrite, false),
            ),
            RedirectKind::Both { word, append } => {
                ready(output, Target::Both(self.file(word)?, *append))
            }
            RedirectKind::Duplicate { from, input: reads } => {
                let text = self.single(from)?;
                let fd = if *reads { input } else { output };
                let (number, moved) = match text.strip_suffix('-') {
                    Some("") => return ready(fd, Target::Close),
                    Some(number) => (number, true),
                    None => (&*text, false),
                };
                match number.parse() {
                    Ok(from) => ready(fd, Target::Copy { from, moved }),
                    Err(_) if !*reads && redirect.fd.is_none() => {
                        ready(output, Target::Both(text.clone(), false))
                    }
                    Err(_) => {
                        let message = format!("{text}: ambiguous redirect");
                        Err(Stop::Fail(Failure::of_command(message)))
                    }
                }
            }
            RedirectKind::HereDoc(body) => {
                let text = match body.get() {
                    Some(word) => self.single(word)?,
                    None => "".into(),
                };
                ready(input, Target::Text(text))
            }
            RedirectKind::HereString(word) => ready(
                input,
                Target::Text(format!("{}\n", self.single(word)?).into()),
            ),
        }
    }

    /// The one file a word names.
    fn file(&mut self, word: &Word) -> Result<Rc<str>, Stop> {
        let mut fields = Vec::new();
        self.arguments(word, &mut fields)?;
        match &fields[..] {
            [field] => Ok(field.clone()),
            _ => Err(Stop::Fail(Failure::of_command(format!(
                "{}: ambiguous redirect",
                word.source()
            )))),
        }
    }
}

fn process(word: &Word) -> Option<Target> {
    match &*word.parts {
        [Part::Process(input, list)] => Some(Target::Process(*input, list.clone())),
        _ => None,
    }
}

impl Shell {
    /// Carries out redirections; what they replaced is returned. On an error nothing is changed
    /// and the message is returned.
    pub(super) fn redirect(
        &mut self,
        sys: &mut Sys<'_>,
        redirects: &[Ready],
    ) -> Result<Vec<Saved>, String> {
        let mut saved = Vec::new();
        for redirect in redirects {
            if let Err(message) = self.redirect_one(sys, redirect, &mut saved) {
                self.restore(sys, saved);
                return Err(message);
            }
        }
        Ok(saved)
    }

    fn redirect_one(
        &mut self,
        sys: &mut Sys<'_>,
        redirect: &Ready,
        saved: &mut Vec<Saved>,
    ) -> Result<(), String> {
        let fd = Fd(redirect.fd);
        match &redirect.to {
            Target::File(path, mode, clobber) => {
                let opened = self.open(sys, path, *mode, *clobber)?;
                self.put(sys, opened, fd, saved);
            }
            Target::Both(path, append) => {
                let mode = if *append {
                    OpenMode::Append
                } else {
                    OpenMode::Truncate
                };
                let opened = self.open(sys, path, mode, false)?;
                self.put(sys, opened, Fd::STDOUT, saved);
                self.save(sys, Fd::STDERR, saved);
                let _ = sys.dup_to(Fd::STDOUT, Fd::STDERR);
            }
            Target::Copy { from, moved } => {
                let from = Fd(*from);
                if sys.handle(from).is_err() {
                    return Err(format!("{}: Bad file descriptor", from.0));
                }
                self.save(sys, fd, saved);
                let _ = sys.dup_to(from, fd);
                self.know(fd);
                if *moved && from != fd {
                    self.save(sys, from, saved);
                    sys.close(from);
                }
            }
            Target::Close => {
                self.save(sys, fd, saved);
                sys.close(fd);
            }
            Target::Text(text) => {
                let Ok((reader, writer)) = sys.pipe() else {
                    return Err("pipe error".to_owned());
                };
                if sys.write(writer, text.as_bytes()) != Ok(text.len()) && !text.is_empty() {
                    // More than a pipe holds: a child writes it.
                    sys.close(reader);
                    sys.close(writer);
                    let opened = self.feed(sys, text)?;
                    self.put(sys, opened, fd, saved);
                    return Ok(());
                }
                sys.close(writer);
                self.put(sys, reader, fd, saved);
            }
            Target::Process(reads, list) => {
                let Ok((reader, writer)) = sys.pipe() else {
                    return Err("pipe error".to_owned());
                };
                let mut fork = Fork::new(vec![Frame::List(list.clone(), 0)]);
                let (own, child, child_fd) = if *reads {
                    (reader, writer, Fd::STDOUT)
                } else {
                    (writer, reader, Fd::STDIN)
                };
                fork.fds.push((child_fd, child));
                fork.background = true;
                let pid = self.fork(sys, fork);
                self.state.last_background = pid.or(self.state.last_background);
                sys.close(child);
                self.put(sys, own, fd, saved);
            }
        }
        Ok(())
    }

    fn open(
        &mut self,
        sys: &mut Sys<'_>,
        path: &str,
        mode: OpenMode,
        clobber: bool,
    ) -> Result<Fd, String> {
        let number = match path {
            "/dev/stdin" => Some(0),
            "/dev/stdout" => Some(1),
            "/dev/stderr" => Some(2),
            _ => path
                .strip_prefix("/dev/fd/")
                .and_then(|number| number.parse().ok()),
        };
        if let Some(number) = number {
            return sys
                .dup(Fd(number))
                .map_err(|errno| format!("{path}: {}", errno.message()));
        }
        if self.state.options.noclobber
            && !clobber
            && mode == OpenMode::Truncate
            && sys
                .stat(path)
                .is_ok_and(|stat| stat.kind == machine::FileKind::File)
        {
            return Err(format!("{path}: cannot overwrite existing file"));
        }
        sys.open(path, mode)
            .map_err(|errno| match self.state.flavor {
                crate::state::Flavor::Bash => format!("{path}: {}", errno.message()),
                _ => {
                    let what = if mode == OpenMode::Read {
                        "open"
                    } else {
                        "create"
                    };
                    let why = if errno == Errno::ENOENT && mode != OpenMode::Read {
                        "Directory nonexistent"
                    } else if errno == Errno::ENOENT {
                        "No such file"
                    } else {
                        errno.message()
                    };
                    if self.state.flavor == crate::state::Flavor::Ash {
                        format!("can't {what} {path}: {}", ash_reason(errno, mode))
                    } else {
                        format!("cannot {what} {path}: {why}")
                    }
                }
            })
    }

    /// Makes a descriptor just opened the one with number `to`.
    fn put(&mut self, sys: &mut Sys<'_>, opened: Fd, to: Fd, saved: &mut Vec<Saved>) {
        self.know(to);
        if opened == to {
            // The number was free, so it is closed again afterwards.
            saved.push(Saved { fd: to, copy: None });
            return;
        }
        self.save(sys, to, saved);
        let _ = sys.dup_to(opened, to);
        sys.close(opened);
    }

    fn save(&mut self, sys: &mut Sys<'_>, fd: Fd, saved: &mut Vec<Saved>) {
        if saved.iter().any(|own| own.fd == fd) {
            return;
        }
        let copy = sys.handle(fd).ok().map(|_| {
            let free = (SAVED_FROM..)
                .map(Fd)
                .find(|free| sys.handle(*free).is_err());
            let free = free.unwrap_or(Fd(SAVED_FROM));
            let _ = sys.dup_to(fd, free);
            free
        });
        saved.push(Saved { fd, copy });
    }

    /// Puts descriptors back as they were.
    pub(super) fn restore(&mut self, sys: &mut Sys<'_>, saved: Vec<Saved>) {
        for Saved { fd, copy } in saved.into_iter().rev() {
            match copy {
                Some(copy) => {
                    let _ = sys.dup_to(copy, fd);
                    sys.close(copy);
                }
                None => sys.close(fd),
            }
        }
    }

    /// Keeps redirections for good (`exec > file`).
    pub(super) fn forget(&mut self, sys: &mut Sys<'_>, saved: Vec<Saved>) {
        for copy in saved.into_iter().filter_map(|saved| saved.copy) {
            sys.close(copy);
        }
    }

    /// A pipe from which a child's text can be read, however long it is.
    fn feed(&mut self, sys: &mut Sys<'_>, text: &str) -> Result<Fd, String> {
        let Ok((reader, writer)) = sys.pipe() else {
            return Err("pipe error".to_owned());
        };
        let mut fork = Fork::new(Vec::new());
        fork.fds.push((Fd::STDOUT, writer));
        fork.prints = text.into();
        fork.background = true;
        self.fork(sys, fork);
        sys.close(writer);
        Ok(reader)
    }

    /// Children get this descriptor too.
    fn know(&mut self, fd: Fd) {
        if !self.fds.contains(&fd) {
            self.fds.push(fd);
        }
    }

    pub(super) fn fresh(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }
}

fn ash_reason(errno: Errno, mode: OpenMode) -> &'static str {
    match errno {
        Errno::ENOENT if mode == OpenMode::Read => "no such file",
        Errno::ENOENT => "nonexistent directory",
        other => other.message(),
    }
}
