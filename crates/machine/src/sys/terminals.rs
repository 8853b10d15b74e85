//! System calls on terminals, and what happens when someone types.

use std::rc::Rc;

use net::Errno;
use sim::{EntryId, MachineId, Pid};

use crate::pipe::wait;
use crate::process::{Fd, Handle, Signal};
use crate::sys::Sys;
use crate::tty::{Screen, Tty, TtyId};
use crate::world::World;

impl Sys<'_> {
    /// Makes a terminal whose screen is outside the world.
    pub fn open_terminal(&mut self, columns: u16, rows: u16) -> TtyId {
        let host = self.host_mut();
        let id = TtyId(host.fresh());
        host.ttys
            .insert(id, Tty::new(Screen::Outside, (columns, rows)));
        id
    }

    /// Makes a pseudo-terminal and a descriptor for its master side.
    ///
    /// # Errors
    /// As `posix_openpt(3)`.
    pub fn open_pty(&mut self, columns: u16, rows: u16) -> Result<(Fd, TtyId), Errno> {
        let host = self.host_mut();
        let id = TtyId(host.fresh());
        host.ttys
            .insert(id, Tty::new(Screen::Master, (columns, rows)));
        Ok((self.install(Handle::PtyMaster(id))?, id))
    }

    /// Whether a descriptor names a terminal.
    #[must_use]
    pub fn is_tty(&self, fd: Fd) -> bool {
        matches!(self.handle(fd), Ok(Handle::Tty(_)))
    }

    /// Columns and rows of the terminal a descriptor names.
    ///
    /// # Errors
    /// `ENOTTY`.
    pub fn tty_size(&self, fd: Fd) -> Result<(u16, u16), Errno> {
        let id = self.tty_id(fd)?;
        self.host().tty(id).map(|tty| tty.size).ok_or(Errno::EIO)
    }

    /// Sets columns and rows; the foreground is told.
    ///
    /// # Errors
    /// `ENOTTY`.
    pub fn set_tty_size(&mut self, fd: Fd, columns: u16, rows: u16) -> Result<(), Errno> {
        let id = self.tty_id(fd)?;
        self.world
            .resize(self.machine, id, (columns, rows), self.cause);
        Ok(())
    }

    /// Switches echo, line editing and signal keys off or on.
    ///
    /// # Errors
    /// `ENOTTY`.
    pub fn tty_raw(&mut self, fd: Fd, raw: bool) -> Result<(), Errno> {
        let id = self.tty_id(fd)?;
        self.host_mut().ttys.get_mut(&id).ok_or(Errno::EIO)?.raw = raw;
        Ok(())
    }

    /// Makes a process group the one that reads and gets the signals of keys.
    ///
    /// # Errors
    /// `ENOTTY`.
    pub fn tty_foreground(&mut self, fd: Fd, pgrp: Pid) -> Result<(), Errno> {
        let id = self.tty_id(fd)?;
        self.host_mut()
            .ttys
            .get_mut(&id)
            .ok_or(Errno::EIO)?
            .foreground = Some(pgrp);
        Ok(())
    }

    fn tty_id(&self, fd: Fd) -> Result<TtyId, Errno> {
        match self.handle(fd)? {
            Handle::Tty(id) | Handle::PtyMaster(id) => Ok(id),
            _ => Err(Errno::ENOTTY),
        }
    }

    pub(super) fn read_tty(&mut self, fd: Fd, id: TtyId, max: usize) -> Result<Rc<[u8]>, Errno> {
        let pid = self.pid;
        let tty = self.host_mut().ttys.get_mut(&id).ok_or(Errno::EIO)?;
        if !tty.input.is_empty() {
            let mut take = max.min(tty.input.len());
            if !tty.raw
                && let Some(newline) = tty.input.iter().take(take).position(|byte| *byte == b'\n')
            {
                take = newline + 1;
            }
            return Ok(tty.input.drain(..take).collect());
        }
        if tty.hung_up || std::mem::take(&mut tty.eof) {
            return Ok(Rc::from([]));
        }
        wait(&mut tty.waiters, pid, fd);
        Err(Errno::EAGAIN)
    }

    pub(super) fn read_master(&mut self, fd: Fd, id: TtyId, max: usize) -> Result<Rc<[u8]>, Errno> {
        let pid = self.pid;
        let tty = self.host_mut().ttys.get_mut(&id).ok_or(Errno::EIO)?;
        if tty.output.is_empty() {
            if tty.slaves == 0 {
                return Ok(Rc::from([]));
            }
            wait(&mut tty.master_waiters, pid, fd);
            return Err(Errno::EAGAIN);
        }
        let take = max.min(tty.output.len());
        Ok(tty.output.drain(..take).collect())
    }
}

impl World {
    /// Types keys on a terminal.
    pub fn type_keys(&mut self, machine: MachineId, id: TtyId, bytes: &[u8], cause: EntryId) {
        let Some(tty) = self.host_mut(machine).ttys.get_mut(&id) else {
            return;
        };
        let typed = tty.typed(bytes);
        let foreground = tty.foreground;
        let readable = !tty.input.is_empty() || tty.eof;
        let waiters = if readable {
            std::mem::take(&mut tty.waiters)
        } else {
            Vec::new()
        };
        if !typed.echo.is_empty() {
            match tty.screen {
                Screen::Outside => self.show(machine, id, typed.echo),
                Screen::Master => {
                    tty.output.extend(typed.echo);
                    let waiters = std::mem::take(&mut tty.master_waiters);
                    self.wake_all(machine, waiters, cause);
                }
            }
        }
        for signal in typed.signals {
            self.signal_group(machine, foreground, signal, cause);
        }
        self.wake_all(machine, waiters, cause);
    }

    /// Changes the size of a terminal.
    pub fn resize(&mut self, machine: MachineId, id: TtyId, size: (u16, u16), cause: EntryId) {
        let Some(tty) = self.host_mut(machine).ttys.get_mut(&id) else {
            return;
        };
        if tty.size == size {
            return;
        }
        tty.size = size;
        let foreground = tty.foreground;
        self.signal_group(machine, foreground, Signal::Winch, cause);
    }

    /// The other side of a terminal is gone: its processes get `SIGHUP`.
    pub fn hang_up(&mut self, machine: MachineId, id: TtyId, cause: EntryId) {
        let Some(tty) = self.host_mut(machine).ttys.get_mut(&id) else {
            return;
        };
        tty.hung_up = true;
        let waiters = std::mem::take(&mut tty.waiters);
        if tty.slaves == 0 {
            self.host_mut(machine).ttys.remove(&id);
        }
        let members: Vec<Pid> = self
            .host(machine)
            .processes()
            .filter(|p| p.tty == Some(id))
            .map(|p| p.pid)
            .collect();
        for pid in members {
            self.signal(machine, pid, Signal::Hup, cause);
        }
        self.wake_all(machine, waiters, cause);
    }

    fn signal_group(
        &mut self,
        machine: MachineId,
        group: Option<Pid>,
        signal: Signal,
        cause: EntryId,
    ) {
        let Some(group) = group else { return };
        let members: Vec<Pid> = self
            .host(machine)
            .processes()
            .filter(|p| p.pgrp == group)
            .map(|p| p.pid)
            .collect();
        for pid in members {
            self.signal(machine, pid, signal, cause);
        }
    }
}
