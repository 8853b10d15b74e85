//! System calls on files: by path, with permissions and mounts applied.

use std::borrow::Cow;
use std::rc::Rc;

use net::{Errno, Shared};
use sim::{EntryId, Instant};

use crate::fs::{Content, Device, Meta, Node, split};
use crate::host::{Host, Watch};
use crate::mount::{MountNs, Place};
use crate::program::{Wake, WatchId};
use crate::sys::Sys;
use crate::sys::procs::PROC;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A directory.
    Dir,
    /// A regular file.
    File,
    /// A symbolic link (told only by [`Sys::lstat`] and in directory listings).
    Symlink,
    /// A device.
    Device,
    /// A unix-domain socket.
    Socket,
}

/// What `stat` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: u32,
    /// Owning user.
    pub uid: u32,
    /// Owning group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Last change.
    pub mtime: Instant,
    /// Where a symbolic link leads.
    pub target: Option<Rc<str>>,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name.
    pub name: Rc<str>,
    /// What it is.
    pub stat: Stat,
}

pub(super) const READ: u32 = 4;
pub(super) const WRITE: u32 = 2;
const EXECUTE: u32 = 1;

impl Stat {
    fn of(node: &Node) -> Stat {
        let kind = match &node.content {
            Content::Dir(_) => FileKind::Dir,
            Content::File(_) | Content::Binary(..) | Content::Object(_) => FileKind::File,
            Content::Symlink(_) => FileKind::Symlink,
            Content::Device(Device::Sysctl(_) | Device::Proc(_)) => FileKind::File,
            Content::Device(_) => FileKind::Device,
            Content::Socket => FileKind::Socket,
        };
        let target = match &node.content {
            Content::Symlink(target) => Some(target.clone()),
            _ => None,
        };
        let Meta {
            uid,
            gid,
            mode,
            mtime,
        } = node.meta;
        Stat {
            kind,
            mode,
            uid,
            gid,
            size: node.len(),
            mtime,
            target,
        }
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Dir
    }
}

/// A file holds this many bytes at most; then the disk is full. All of a world lives in memory, and
/// endless output would take all of it.
pub const LARGEST_FILE: u64 = 256 << 20;

impl Sys<'_> {
    /// The bytes of a file.
    ///
    /// # Errors
    /// As `open(2)` and `read(2)`: `ENOENT`, `EACCES`, `EISDIR`, ….
    pub fn read_file(&mut self, path: &str) -> Result<Rc<[u8]>, Errno> {
        let place = self.resolve(path, true)?;
        let node = self.node(&place)?;
        self.permit(&node, READ)?;
        match node.content {
            Content::Device(Device::Sysctl(key)) => Ok(self.sysctl(key)),
            Content::Device(Device::Proc(key)) => Ok(self.proc_file(key)),
            _ => content_bytes(&node),
        }
    }

    /// The text of a file; bytes that are no UTF-8 become replacement characters.
    ///
    /// # Errors
    /// As [`Sys::read_file`].
    pub fn read_to_string(&mut self, path: &str) -> Result<String, Errno> {
        Ok(String::from_utf8_lossy(&self.read_file(path)?).into_owned())
    }

    /// The object a program keeps in a file ([`Sys::write_object`]).
    ///
    /// # Errors
    /// As [`Sys::read_file`]; `EINVAL` if the file holds plain bytes.
    pub fn read_object(&mut self, path: &str) -> Result<Rc<dyn Shared>, Errno> {
        let place = self.resolve(path, true)?;
        let node = self.node(&place)?;
        self.permit(&node, READ)?;
        match &node.content {
            Content::Object(object) => Ok(object.clone()),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Writes a file whole, creating it with mode 0644 less the usual umask.
    ///
    /// # Errors
    /// As `open(2)` and `write(2)`.
    pub fn write_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        self.write_content(path, Content::File(Rc::new(bytes.to_vec())))
    }

    /// Keeps an object as the contents of a file: for programs whose files nobody reads as text.
    ///
    /// # Errors
    /// As [`Sys::write_file`].
    pub fn write_object(&mut self, path: &str, object: Rc<dyn Shared>) -> Result<(), Errno> {
        self.write_content(path, Content::Object(object))
    }

    /// Puts a whole node (an image's file, a bound socket) at a path, its parents made as needed.
    ///
    /// # Errors
    /// As `open(2)`.
    pub fn put_node(&mut self, path: &str, node: Node) -> Result<(), Errno> {
        if let Some(parent) = path.rfind('/').filter(|at| *at > 0) {
            self.mkdir_all(&path[..parent])?;
        }
        let place = self.resolve(path, false)?;
        self.tree_mut(&place)?.put(&place.path, node)?;
        self.changed(&place);
        Ok(())
    }

    /// Appends to a file, creating it if needed.
    ///
    /// # Errors
    /// As `open(2)` and `write(2)`.
    pub fn append_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        let place = self.create(path)?;
        self.write_at(&place, None, bytes)?;
        Ok(())
    }

    /// What a path names, symbolic links followed.
    ///
    /// # Errors
    /// As `stat(2)`.
    pub fn stat(&mut self, path: &str) -> Result<Stat, Errno> {
        let place = self.resolve(path, true)?;
        Ok(Stat::of(&*self.node(&place)?))
    }

    /// What a path names, a symbolic link itself included.
    ///
    /// # Errors
    /// As `lstat(2)`.
    pub fn lstat(&mut self, path: &str) -> Result<Stat, Errno> {
        let place = self.resolve(path, false)?;
        Ok(Stat::of(&*self.node(&place)?))
    }

    /// Whether a path names something.
    pub fn exists(&mut self, path: &str) -> bool {
        self.stat(path).is_ok()
    }

    /// Entries of a directory by name, without `.` and `..`.
    ///
    /// # Errors
    /// As `opendir(3)`.
    pub fn read_dir(&mut self, path: &str) -> Result<Vec<DirEntry>, Errno> {
        let place = self.resolve(path, true)?;
        let node = self.node(&place)?;
        self.permit(&node, READ)?;
        let entries = node.entries().ok_or(Errno::ENOTDIR)?;
        let mut found: Vec<DirEntry> = entries
            .iter()
            .map(|(name, node)| DirEntry {
                name: name.clone(),
                stat: Stat::of(node),
            })
            .collect();
        let dir = MountNs::normalise(&self.cwd(), path);
        if dir == "/proc" {
            let more = self.process_entries().into_iter();
            found.extend(more.map(|(name, node)| DirEntry {
                name,
                stat: Stat::of(&node),
            }));
        }
        for name in self.mount_ns()?.mounted_below(&dir) {
            if !found.iter().any(|entry| &*entry.name == name) {
                let stat = Stat::of(&Node::dir(0o755));
                found.push(DirEntry {
                    name: name.into(),
                    stat,
                });
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// As `mkdir(2)`.
    pub fn mkdir(&mut self, path: &str, mode: u32) -> Result<(), Errno> {
        let place = self.resolve(path, false)?;
        if self.node(&place).is_ok() {
            return Err(Errno::EEXIST);
        }
        self.put_new(&place, Content::Dir(Rc::default()), mode)
    }

    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// As `mkdir(2)`; one that exists is fine.
    pub fn mkdir_all(&mut self, path: &str) -> Result<(), Errno> {
        let full = MountNs::normalise(&self.cwd(), path);
        match self.stat(&full) {
            Ok(stat) if stat.is_dir() => Ok(()),
            Ok(_) => Err(Errno::ENOTDIR),
            Err(Errno::ENOENT) => {
                self.mkdir_all(split(&full).0)?;
                self.mkdir(&full, 0o755)
            }
            Err(errno) => Err(errno),
        }
    }

    /// Removes a file, a link or an empty directory.
    ///
    /// # Errors
    /// As `unlink(2)` and `rmdir(2)`: `ENOTEMPTY` for a directory with entries.
    pub fn remove(&mut self, path: &str) -> Result<(), Errno> {
        let place = self.resolve(path, false)?;
        if self
            .node(&place)?
            .entries()
            .is_some_and(|entries| !entries.is_empty())
        {
            return Err(Errno::ENOTEMPTY);
        }
        self.take(&place).map(|_| ())
    }

    /// Removes a file, or a directory with all below it.
    ///
    /// # Errors
    /// As `unlink(2)`.
    pub fn remove_all(&mut self, path: &str) -> Result<(), Errno> {
        let place = self.resolve(path, false)?;
        self.take(&place).map(|_| ())
    }

    /// Moves a file or directory within one file system.
    ///
    /// # Errors
    /// As `rename(2)`: `EXDEV` across file systems.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let (old, new) = (self.resolve(from, false)?, self.resolve(to, false)?);
        if old.fs != new.fs {
            return Err(Errno::EXDEV);
        }
        if new.path.starts_with(&format!("{}/", old.path)) {
            return Err(Errno::EINVAL);
        }
        let moved = self.node(&old)?.into_owned();
        if let Ok(target) = self.node(&new) {
            match (moved.is_dir(), target.entries()) {
                (true, None) => return Err(Errno::ENOTDIR),
                (false, Some(_)) => return Err(Errno::EISDIR),
                (true, Some(entries)) if !entries.is_empty() => return Err(Errno::ENOTEMPTY),
                _ => {}
            }
        }
        self.permit_parent(&new)?;
        self.take(&old)?;
        self.tree_mut(&new)?.put(&new.path, moved)?;
        self.changed(&new);
        Ok(())
    }

    /// Makes a symbolic link at `path` that leads to `target`.
    ///
    /// # Errors
    /// As `symlink(2)`.
    pub fn symlink(&mut self, target: &str, path: &str) -> Result<(), Errno> {
        let place = self.resolve(path, false)?;
        if self.node(&place).is_ok() {
            return Err(Errno::EEXIST);
        }
        self.put_new(&place, Content::Symlink(target.into()), 0o777)
    }

    /// Changes permission bits.
    ///
    /// # Errors
    /// As `chmod(2)`.
    pub fn chmod(&mut self, path: &str, mode: u32) -> Result<(), Errno> {
        self.set_meta(path, |meta| meta.mode = mode & 0o7777)
    }

    /// Changes the owner.
    ///
    /// # Errors
    /// As `chown(2)`.
    pub fn chown(&mut self, path: &str, uid: u32, gid: u32) -> Result<(), Errno> {
        if self.uid() != 0 {
            return Err(Errno::EPERM);
        }
        self.set_meta(path, |meta| (meta.uid, meta.gid) = (uid, gid))
    }

    /// Sets the time of the last change to now.
    ///
    /// # Errors
    /// As `utime(2)`.
    pub fn touch(&mut self, path: &str) -> Result<(), Errno> {
        let now = self.now();
        self.set_meta(path, |meta| meta.mtime = now)
    }

    /// Asks to be woken ([`Wake::Changed`]) when `path`, or an entry of it, changes. What is watched
    /// need not exist yet.
    ///
    /// # Errors
    /// If no directory above leads there.
    pub fn watch(&mut self, path: &str) -> Result<WatchId, Errno> {
        let place = self.resolve(path, true)?;
        let pid = self.pid;
        let host = self.host_mut();
        let id = WatchId(host.fresh());
        host.watches.insert(
            id,
            Watch {
                pid,
                fs: place.fs,
                path: place.path,
            },
        );
        Ok(id)
    }

    /// Ends a watch.
    pub fn unwatch(&mut self, id: WatchId) {
        self.host_mut().watches.remove(&id);
    }

    pub(super) fn resolve(&self, path: &str, follow: bool) -> Result<Place, Errno> {
        if let Some(place) = self.resolve_process(path, follow) {
            return place;
        }
        let host = self.host();
        self.mount_ns()?
            .resolve(&host.trees, &self.cwd(), path, follow)
    }

    pub(super) fn node(&self, place: &Place) -> Result<Cow<'_, Node>, Errno> {
        if place.fs == PROC {
            return self.process_node(&place.path);
        }
        let tree = self.host().trees.get(&place.fs).ok_or(Errno::ENOENT)?;
        tree.get(&place.path)
            .map(Cow::Borrowed)
            .ok_or(Errno::ENOENT)
    }

    /// Checks the owner's, group's or others' bits; root may do anything but execute what nobody
    /// may.
    pub(super) fn permit(&self, node: &Node, want: u32) -> Result<(), Errno> {
        let process = self.process();
        let (uid, gid) = process.map_or((0, 0), |process| (process.uid, process.gid));
        let also = process.is_some_and(|process| process.groups.contains(&node.meta.gid));
        let mode = node.meta.mode;
        let granted = match () {
            () if uid == 0 => READ | WRITE | if mode & 0o111 != 0 { EXECUTE } else { 0 },
            () if node.meta.uid == uid => mode >> 6 & 7,
            () if node.meta.gid == gid || also => mode >> 3 & 7,
            () => mode & 7,
        };
        if granted & want == want {
            Ok(())
        } else {
            Err(Errno::EACCES)
        }
    }

    pub(super) fn permit_execute(&self, node: &Node) -> Result<(), Errno> {
        self.permit(node, EXECUTE)
    }

    /// The place of a file to be written; made empty if it does not exist.
    pub(super) fn create(&mut self, path: &str) -> Result<Place, Errno> {
        let place = self.resolve(path, true)?;
        match self.node(&place) {
            Ok(node) if node.is_dir() => return Err(Errno::EISDIR),
            Ok(node) => {
                self.permit(&node, WRITE)?;
                if place.read_only && !matches!(node.content, Content::Device(_)) {
                    return Err(Errno::EROFS);
                }
            }
            Err(_) => self.put_new(&place, Content::File(Rc::default()), 0o644)?,
        }
        Ok(place)
    }

    /// Writes at an offset, or at the end; returns the offset after it.
    pub(super) fn write_at(
        &mut self,
        place: &Place,
        offset: Option<u64>,
        bytes: &[u8],
    ) -> Result<u64, Errno> {
        let now = self.now();
        if let Content::Device(Device::Proc(_)) = self.node(place)?.content {
            return Err(Errno::EACCES);
        }
        if let Content::Device(Device::Sysctl(key)) = self.node(place)?.content {
            self.set_sysctl(key, bytes)?;
            return Ok(offset.unwrap_or_default() + bytes.len() as u64);
        }
        let node = self
            .tree_mut(place)?
            .get_mut(&place.path)
            .ok_or(Errno::ENOENT)?;
        let after = match &mut node.content {
            Content::File(file) => {
                let file = Rc::make_mut(file);
                let at = offset.unwrap_or(file.len() as u64);
                if at.saturating_add(bytes.len() as u64) > LARGEST_FILE {
                    return Err(Errno::ENOSPC);
                }
                let at = usize::try_from(at).map_err(|_| Errno::ENOSPC)?;
                if file.len() < at {
                    file.resize(at, 0);
                }
                let overlap = bytes.len().min(file.len() - at);
                file[at..at + overlap].copy_from_slice(&bytes[..overlap]);
                file.extend_from_slice(&bytes[overlap..]);
                (at + bytes.len()) as u64
            }
            Content::Device(_) => return Ok(0),
            Content::Dir(_) => return Err(Errno::EISDIR),
            _ => return Err(Errno::ETXTBSY),
        };
        node.meta.mtime = now;
        self.changed(place);
        Ok(after)
    }

    fn write_content(&mut self, path: &str, content: Content) -> Result<(), Errno> {
        if matches!(&content, Content::File(bytes) if bytes.len() as u64 > LARGEST_FILE) {
            return Err(Errno::ENOSPC);
        }
        let now = self.now();
        let place = self.create(path)?;
        if let Content::Device(Device::Proc(_)) = self.node(&place)?.content {
            return Err(Errno::EACCES);
        }
        if let (Content::Device(Device::Sysctl(key)), Content::File(bytes)) =
            (&self.node(&place)?.content, &content)
        {
            let key = *key;
            return self.set_sysctl(key, bytes);
        }
        let node = self
            .tree_mut(&place)?
            .get_mut(&place.path)
            .ok_or(Errno::ENOENT)?;
        if matches!(node.content, Content::Device(_)) {
            return Ok(());
        }
        node.content = content;
        node.meta.mtime = now;
        self.changed(&place);
        Ok(())
    }

    fn put_new(&mut self, place: &Place, content: Content, mode: u32) -> Result<(), Errno> {
        self.permit_parent(place)?;
        let (uid, mut gid) = self
            .process()
            .map_or((0, 0), |process| (process.uid, process.gid));
        // What is made in a directory with the set-group-ID bit is of its group.
        let parent = Place {
            path: split(&place.path).0.to_owned(),
            ..place.clone()
        };
        let of = self
            .node(&parent)
            .map(|node| (node.meta.mode, node.meta.gid));
        let mut mode = mode;
        if let Some((_, group)) = of.ok().filter(|(mode, _)| mode & 0o2000 != 0) {
            gid = group;
            if matches!(content, Content::Dir(_)) {
                mode |= 0o2000;
            }
        }
        let node = Node {
            meta: Meta {
                uid,
                gid,
                mode,
                mtime: self.now(),
            },
            content,
        };
        self.tree_mut(place)?.put(&place.path, node)?;
        self.changed(place);
        Ok(())
    }

    fn permit_parent(&self, place: &Place) -> Result<(), Errno> {
        if place.read_only {
            return Err(Errno::EROFS);
        }
        let parent = Place {
            path: split(&place.path).0.to_owned(),
            ..place.clone()
        };
        self.permit(&*self.node(&parent)?, WRITE | EXECUTE)
    }

    fn take(&mut self, place: &Place) -> Result<Node, Errno> {
        self.node(place)?;
        self.permit_parent(place)?;
        let taken = self.tree_mut(place)?.take(&place.path)?;
        self.changed(place);
        Ok(taken)
    }

    fn set_meta(&mut self, path: &str, set: impl FnOnce(&mut Meta)) -> Result<(), Errno> {
        let place = self.resolve(path, true)?;
        let owner = self.node(&place)?.meta.uid;
        if self.uid() != 0 && self.uid() != owner {
            return Err(Errno::EPERM);
        }
        let node = self
            .tree_mut(&place)?
            .get_mut(&place.path)
            .ok_or(Errno::ENOENT)?;
        set(&mut node.meta);
        self.changed(&place);
        Ok(())
    }

    fn mount_ns(&self) -> Result<&MountNs, Errno> {
        let ns = self
            .process()
            .map(|process| process.mounts)
            .unwrap_or_default();
        self.host().mounts.get(&ns).ok_or(Errno::ENOENT)
    }

    fn tree_mut(&mut self, place: &Place) -> Result<&mut crate::fs::Tree, Errno> {
        if place.read_only {
            return Err(Errno::EROFS);
        }
        self.host_mut()
            .trees
            .get_mut(&place.fs)
            .ok_or(Errno::ENOENT)
    }

    /// Wakes those who watch the place or its directory.
    fn changed(&mut self, place: &Place) {
        let woken = watchers(self.host(), place);
        let (machine, cause): (_, EntryId) = (self.machine, self.cause);
        for (pid, id) in woken {
            self.world.wake(machine, pid, Wake::Changed(id), cause);
        }
    }
}

fn watchers(host: &Host, place: &Place) -> Vec<(sim::Pid, WatchId)> {
    let parent = split(&place.path).0;
    host.watches
        .iter()
        .filter(|(_, w)| w.fs == place.fs && (w.path == place.path || w.path == parent))
        .map(|(id, w)| (w.pid, *id))
        .collect()
}

pub(super) fn content_bytes(node: &Node) -> Result<Rc<[u8]>, Errno> {
    match &node.content {
        Content::File(bytes) => Ok(bytes.as_slice().into()),
        Content::Binary(name, _) => Ok(format!("\u{7f}ELF {name}\n").into_bytes().into()),
        Content::Object(object) => Ok(object.bytes().into()),
        // Read to its end, it would never be.
        Content::Device(Device::Zero | Device::Random) => Err(Errno::EFBIG),
        Content::Device(_) => Ok(Rc::from([])),
        Content::Dir(_) => Err(Errno::EISDIR),
        Content::Symlink(_) => Err(Errno::ELOOP),
        Content::Socket => Err(Errno::ENXIO),
    }
}
