//! System calls on descriptors: open, pipes, read, write, close.

use std::rc::Rc;

use net::Errno;
use sim::{EntryId, MachineId};

use crate::fs::{Content, Device};
use crate::host::{LogLine, OpenFile};
use crate::mount::Place;
use crate::outside::Outside;
use crate::pipe::{PIPE_CAPACITY, Pipe, wait};
use crate::process::{Fd, Handle, OpenId, PipeId, Signal};
use crate::sys::Sys;
use crate::sys::files::{READ, WRITE, content_bytes};
use crate::tty::{Screen, Tty};
use crate::world::World;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// For reading; it must exist.
    Read,
    /// For writing from the start; made if needed, emptied if not.
    Truncate,
    /// For writing at the end; made if needed.
    Append,
    /// For reading and writing; made if needed.
    ReadWrite,
}

/// The most that comes from a device without end at once.
const DEVICE_READ: usize = 4096;

impl Sys<'_> {
    /// Opens a file or device.
    ///
    /// # Errors
    /// As `open(2)`.
    pub fn open(&mut self, path: &str, mode: OpenMode) -> Result<Fd, Errno> {
        let place = self.resolve(path, true)?;
        if let Some(handle) = self.process_handle(&place) {
            return self.install(handle);
        }
        let place = match mode {
            OpenMode::Read => place,
            _ => self.create(path)?,
        };
        let node = self.node(&place)?;
        let want = match mode {
            OpenMode::Read => READ,
            OpenMode::Truncate | OpenMode::Append => WRITE,
            OpenMode::ReadWrite => READ | WRITE,
        };
        self.permit(&node, want)?;
        match node.content {
            Content::Device(Device::Tty) => {
                let tty = self
                    .process()
                    .and_then(|process| process.tty)
                    .ok_or(Errno::ENXIO)?;
                return self.install(Handle::Tty(tty));
            }
            Content::Device(Device::Sysctl(_) | Device::Proc(_)) => {}
            Content::Device(Device::Zero | Device::Random) if mode == OpenMode::Read => {}
            Content::Device(_) => return self.install(Handle::Null),
            Content::Socket => return Err(Errno::ENXIO),
            _ => {}
        }
        if mode == OpenMode::Truncate {
            self.write_file(path, b"")?;
        }
        let host = self.host_mut();
        let id = OpenId(host.fresh());
        let open = OpenFile {
            fs: place.fs,
            path: place.path,
            offset: 0,
            append: mode == OpenMode::Append,
            readable: want & READ != 0,
            writable: want & WRITE != 0,
            refs: 0,
        };
        host.opens.insert(id, open);
        self.install(Handle::File(id))
    }

    /// Makes a pipe: its reading end and its writing end.
    ///
    /// # Errors
    /// As `pipe(2)`.
    pub fn pipe(&mut self) -> Result<(Fd, Fd), Errno> {
        let host = self.host_mut();
        let id = PipeId(host.fresh());
        host.pipes.insert(id, Rc::new(Pipe::default()));
        Ok((
            self.install(Handle::PipeRead(id))?,
            self.install(Handle::PipeWrite(id))?,
        ))
    }

    /// Reads at most `max` bytes; empty at the end of the file.
    ///
    /// # Errors
    /// `EAGAIN` if nothing is there yet, and others as `read(2)`.
    pub fn read(&mut self, fd: Fd, max: usize) -> Result<Rc<[u8]>, Errno> {
        match self.handle(fd)? {
            Handle::Null => Ok(Rc::from([])),
            Handle::PipeRead(id) => self.read_pipe(fd, id, max),
            Handle::Tty(id) => self.read_tty(fd, id, max),
            Handle::PtyMaster(id) => self.read_master(fd, id, max),
            Handle::File(id) => self.read_open(id, max),
            Handle::Socket(_) | Handle::Unix(_) => match self.recv(fd)? {
                Some(payload) => Ok(payload.bytes()),
                None => Ok(Rc::from([])),
            },
            Handle::PipeWrite(_)
            | Handle::UnixListener(_)
            | Handle::Log(_)
            | Handle::Sink { .. } => Err(Errno::EBADF),
        }
    }

    /// Writes bytes; returns how many were taken.
    ///
    /// # Errors
    /// `EAGAIN` if nothing could be taken yet, `EPIPE` if nobody will read (the process then also
    /// gets `SIGPIPE`), and others as `write(2)`.
    pub fn write(&mut self, fd: Fd, bytes: &[u8]) -> Result<usize, Errno> {
        match self.handle(fd)? {
            Handle::Null => Ok(bytes.len()),
            Handle::PipeWrite(id) => self.write_pipe(fd, id, bytes),
            Handle::Tty(id) => self.write_tty(id, bytes),
            Handle::PtyMaster(id) => {
                self.world.type_keys(self.machine, id, bytes, self.cause);
                Ok(bytes.len())
            }
            Handle::File(id) => self.write_open(id, bytes),
            Handle::Socket(_) | Handle::Unix(_) => {
                self.send(fd, bytes.into())?;
                Ok(bytes.len())
            }
            Handle::Log(unit) => {
                self.write_log(&unit, bytes);
                Ok(bytes.len())
            }
            Handle::Sink { id, stderr } => {
                let bytes_out = bytes.to_vec();
                self.world.outside.push(Outside::Printed {
                    sink: id,
                    stderr,
                    bytes: bytes_out,
                });
                Ok(bytes.len())
            }
            Handle::PipeRead(_) | Handle::UnixListener(_) => Err(Errno::EBADF),
        }
    }

    /// Closes a descriptor; one that is not open is left alone.
    pub fn close(&mut self, fd: Fd) {
        let removed = self
            .process_mut()
            .and_then(|process| process.fds.remove(&fd));
        if let Some(handle) = removed {
            self.world.release(self.machine, &handle, self.cause);
        }
    }

    /// A second descriptor for the same thing, the lowest free one.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn dup(&mut self, fd: Fd) -> Result<Fd, Errno> {
        let handle = self.handle(fd)?;
        self.install(handle)
    }

    /// Makes `to` name what `from` names, closing what it named before.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn dup_to(&mut self, from: Fd, to: Fd) -> Result<(), Errno> {
        let handle = self.handle(from)?;
        if from == to {
            return Ok(());
        }
        self.world.retain(self.machine, &handle);
        self.close(to);
        self.process_mut()
            .ok_or(Errno::ESRCH)?
            .fds
            .insert(to, handle);
        Ok(())
    }

    /// What a descriptor names.
    ///
    /// # Errors
    /// `EBADF` if it is not open.
    pub fn handle(&self, fd: Fd) -> Result<Handle, Errno> {
        self.process()
            .and_then(|process| process.fds.get(&fd))
            .cloned()
            .ok_or(Errno::EBADF)
    }

    /// Gives the lowest free descriptor to `handle`.
    pub(crate) fn install(&mut self, handle: Handle) -> Result<Fd, Errno> {
        self.world.retain(self.machine, &handle);
        let process = self.process_mut().ok_or(Errno::ESRCH)?;
        let fd = process.free_fd();
        process.fds.insert(fd, handle);
        Ok(fd)
    }

    fn read_pipe(&mut self, fd: Fd, id: PipeId, max: usize) -> Result<Rc<[u8]>, Errno> {
        let (pid, machine, cause) = (self.pid, self.machine, self.cause);
        let pipe = Rc::make_mut(self.host_mut().pipes.get_mut(&id).ok_or(Errno::EBADF)?);
        if pipe.bytes.is_empty() {
            if pipe.writers == 0 {
                return Ok(Rc::from([]));
            }
            wait(&mut pipe.read_waiters, pid, fd);
            return Err(Errno::EAGAIN);
        }
        let take = max.min(pipe.bytes.len());
        let bytes: Rc<[u8]> = pipe.bytes.drain(..take).collect();
        let waiters = std::mem::take(&mut pipe.write_waiters);
        self.world.wake_all(machine, waiters, cause);
        Ok(bytes)
    }

    fn write_pipe(&mut self, fd: Fd, id: PipeId, bytes: &[u8]) -> Result<usize, Errno> {
        let (pid, machine, cause) = (self.pid, self.machine, self.cause);
        let pipe = Rc::make_mut(self.host_mut().pipes.get_mut(&id).ok_or(Errno::EBADF)?);
        if pipe.readers == 0 {
            self.signal(pid, Signal::Pipe);
            return Err(Errno::EPIPE);
        }
        let room = PIPE_CAPACITY.saturating_sub(pipe.bytes.len());
        if room == 0 && !bytes.is_empty() {
            wait(&mut pipe.write_waiters, pid, fd);
            return Err(Errno::EAGAIN);
        }
        let taken = room.min(bytes.len());
        pipe.bytes.extend(&bytes[..taken]);
        let waiters = std::mem::take(&mut pipe.read_waiters);
        self.world.wake_all(machine, waiters, cause);
        Ok(taken)
    }

    fn read_open(&mut self, id: OpenId, max: usize) -> Result<Rc<[u8]>, Errno> {
        let open = self.host().opens.get(&id).ok_or(Errno::EBADF)?;
        if !open.readable {
            return Err(Errno::EBADF);
        }
        let start = usize::try_from(open.offset).unwrap_or(usize::MAX);
        let place = Place {
            fs: open.fs,
            path: open.path.clone(),
            read_only: false,
        };
        let node = self.node(&place)?;
        let count = max.min(DEVICE_READ);
        match node.content {
            Content::Device(Device::Zero) => return Ok(vec![0; count].into()),
            Content::Device(Device::Random) => {
                let stream = self.random();
                let byte = |_| stream.next_u32().to_le_bytes()[0];
                return Ok((0..count).map(byte).collect());
            }
            _ => {}
        }
        let bytes: Rc<[u8]> = match &node.content {
            Content::File(file) => {
                let start = start.min(file.len());
                let end = start.saturating_add(max).min(file.len());
                file[start..end].into()
            }
            content => {
                let all = match content {
                    Content::Device(Device::Sysctl(key)) => self.sysctl(*key),
                    Content::Device(Device::Proc(key)) => self.proc_file(*key),
                    _ => content_bytes(&node)?,
                };
                let start = start.min(all.len());
                all[start..start.saturating_add(max).min(all.len())].into()
            }
        };
        let open = self.host_mut().opens.get_mut(&id).ok_or(Errno::EBADF)?;
        open.offset += bytes.len() as u64;
        Ok(bytes)
    }

    fn write_open(&mut self, id: OpenId, bytes: &[u8]) -> Result<usize, Errno> {
        let open = self.host().opens.get(&id).ok_or(Errno::EBADF)?;
        if !open.writable {
            return Err(Errno::EBADF);
        }
        let place = Place {
            fs: open.fs,
            path: open.path.clone(),
            read_only: false,
        };
        let offset = (!open.append).then_some(open.offset);
        // A file removed while open goes on without a name; what is written to it is lost.
        let after = match self.write_at(&place, offset, bytes) {
            Err(Errno::ENOENT) => return Ok(bytes.len()),
            after => after?,
        };
        if let Some(open) = self.host_mut().opens.get_mut(&id) {
            open.offset = after;
        }
        Ok(bytes.len())
    }

    /// Writes a line into the machine's log, in the name of whoever is told.
    pub fn log(&mut self, name: &str, text: &str) {
        let (at, pid) = (self.now(), self.pid);
        self.host_mut().push_log(LogLine {
            at,
            unit: "session-1.scope".into(),
            name: name.into(),
            pid,
            text: text.into(),
        });
    }

    fn write_log(&mut self, unit: &Rc<str>, bytes: &[u8]) {
        let (at, pid) = (self.now(), self.pid);
        let name: Rc<str> = self.process().map_or("", |process| process.name()).into();
        for text in String::from_utf8_lossy(bytes).lines() {
            let (unit, name) = (unit.clone(), name.clone());
            self.host_mut().push_log(LogLine {
                at,
                unit,
                name,
                pid,
                text: text.into(),
            });
        }
    }
}

impl World {
    /// Counts one more descriptor for what `handle` names.
    pub(crate) fn retain(&mut self, machine: MachineId, handle: &Handle) {
        let host = self.host_mut(machine);
        match handle {
            Handle::Null | Handle::Log(_) | Handle::Sink { .. } => {}
            Handle::PipeRead(id) => {
                if let Some(pipe) = host.pipes.get_mut(id) {
                    Rc::make_mut(pipe).readers += 1;
                }
            }
            Handle::PipeWrite(id) => {
                if let Some(pipe) = host.pipes.get_mut(id) {
                    Rc::make_mut(pipe).writers += 1;
                }
            }
            Handle::Tty(id) => {
                if let Some(tty) = host.ttys.get_mut(id) {
                    tty.slaves += 1;
                }
            }
            Handle::PtyMaster(id) => {
                if let Some(tty) = host.ttys.get_mut(id) {
                    tty.masters += 1;
                }
            }
            Handle::File(id) => {
                if let Some(open) = host.opens.get_mut(id) {
                    open.refs += 1;
                }
            }
            Handle::Socket(id) => *host.socket_refs.entry(*id).or_default() += 1,
            Handle::UnixListener(id) | Handle::Unix(id) => {
                if let Some(unix) = host.unixes.get_mut(id) {
                    *unix.refs() += 1;
                }
            }
        }
    }

    /// Counts one descriptor less, and frees what nobody names any more.
    pub(crate) fn release(&mut self, machine: MachineId, handle: &Handle, cause: EntryId) {
        let host = self.host_mut(machine);
        let mut woken = Vec::new();
        match handle {
            Handle::Null | Handle::Log(_) | Handle::Sink { .. } => {}
            Handle::PipeRead(id) | Handle::PipeWrite(id) => {
                let Some(pipe) = host.pipes.get_mut(id) else {
                    return;
                };
                let pipe = Rc::make_mut(pipe);
                if matches!(handle, Handle::PipeRead(_)) {
                    pipe.readers -= 1;
                } else {
                    pipe.writers -= 1;
                }
                if pipe.readers == 0 {
                    woken.append(&mut pipe.write_waiters);
                }
                if pipe.writers == 0 {
                    woken.append(&mut pipe.read_waiters);
                }
                if pipe.readers == 0 && pipe.writers == 0 {
                    host.pipes.remove(id);
                }
            }
            Handle::Tty(id) => {
                let Some(tty) = host.ttys.get_mut(id) else {
                    return;
                };
                tty.slaves -= 1;
                if tty.slaves == 0 {
                    woken.append(&mut tty.master_waiters);
                    if tty.masters == 0 && tty.screen == Screen::Master {
                        host.ttys.remove(id);
                    }
                }
            }
            Handle::PtyMaster(id) => {
                let Some(tty) = host.ttys.get_mut(id) else {
                    return;
                };
                tty.masters -= 1;
                if tty.masters == 0 {
                    self.hang_up(machine, *id, cause);
                }
            }
            Handle::File(id) => {
                let Some(open) = host.opens.get_mut(id) else {
                    return;
                };
                open.refs -= 1;
                if open.refs == 0 {
                    host.opens.remove(id);
                }
            }
            Handle::Socket(id) => {
                let refs = host.socket_refs.entry(*id).or_default();
                *refs = refs.saturating_sub(1);
                if *refs == 0 {
                    host.socket_refs.remove(id);
                    host.socket_waiters.remove(id);
                    self.with_net(cause, |net, ctx| net.close(ctx, *id));
                }
            }
            Handle::UnixListener(id) | Handle::Unix(id) => self.release_unix(machine, *id, cause),
        }
        self.wake_all(machine, woken, cause);
    }

    /// Says to the outside what a terminal shows, joined with what it said just before.
    pub(crate) fn show(&mut self, machine: MachineId, tty: crate::tty::TtyId, more: Vec<u8>) {
        if let Some(Outside::Output {
            machine: m,
            tty: t,
            bytes,
        }) = self.outside.last_mut()
            && (*m, *t) == (machine, tty)
        {
            bytes.extend(more);
            return;
        }
        self.outside.push(Outside::Output {
            machine,
            tty,
            bytes: more,
        });
    }
}

impl Sys<'_> {
    fn write_tty(&mut self, id: crate::tty::TtyId, bytes: &[u8]) -> Result<usize, Errno> {
        let (machine, cause) = (self.machine, self.cause);
        let tty = self.host_mut().ttys.get_mut(&id).ok_or(Errno::EIO)?;
        if tty.hung_up {
            return Err(Errno::EIO);
        }
        let cooked = Tty::cook(bytes);
        match tty.screen {
            Screen::Outside => self.world.show(machine, id, cooked),
            Screen::Master => {
                tty.output.extend(cooked);
                let waiters = std::mem::take(&mut tty.master_waiters);
                self.world.wake_all(machine, waiters, cause);
            }
        }
        Ok(bytes.len())
    }
}
