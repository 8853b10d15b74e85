//! System calls a container runtime makes: namespaces and mounts.

use std::rc::Rc;

use net::{Errno, NetnsId};

use crate::fs::Tree;
use crate::mount::{FsId, Mount, MountNs, MountNsId, Place};
use crate::process::{PidNsId, Signal};
use crate::sys::Sys;

impl Sys<'_> {
    /// Makes a network namespace with only its loopback; `name` as `ip netns` lists it.
    pub fn new_netns(&mut self, name: &str) -> NetnsId {
        let machine = self.machine;
        self.world.net.add_netns(machine, name)
    }

    /// The network namespaces of this machine that have a name, the newest first as
    /// `/run/netns` lists them: a container does not see them.
    #[must_use]
    pub fn named_netns(&self) -> Vec<(Rc<str>, NetnsId)> {
        let mounts = self.process().map(|process| process.mounts);
        if mounts != Some(MountNsId(0)) {
            return Vec::new();
        }
        let own = |ns: &&net::Netns| ns.machine == self.machine && !ns.name.is_empty();
        let spaces = self.net().namespaces().filter(own);
        let mut named: Vec<_> = spaces.map(|ns| (ns.name.clone(), ns.id)).collect();
        named.sort_by_key(|(_, id)| core::cmp::Reverse(*id));
        named
    }

    /// Moves this process to a network namespace of its machine, as `setns(2)` does.
    ///
    /// # Errors
    /// `EPERM` unless it is root's, `EINVAL` if the namespace is gone or another machine's.
    pub fn set_netns(&mut self, id: NetnsId) -> Result<(), Errno> {
        if self.uid() != 0 {
            return Err(Errno::EPERM);
        }
        let machine = self.machine;
        let space = self.net().netns(id).filter(|ns| ns.machine == machine);
        space.ok_or(Errno::EINVAL)?;
        if let Some(process) = self.process_mut() {
            process.netns = id;
        }
        Ok(())
    }

    /// Removes a network namespace with its links and connections.
    pub fn remove_netns(&mut self, id: NetnsId) {
        self.with_net(|net, ctx| net.remove_netns(ctx, id));
    }

    /// Makes a process-id namespace: its first process becomes its init, whose end ends them all.
    pub fn new_pid_ns(&mut self) -> PidNsId {
        self.host_mut().fresh_pid_ns()
    }

    /// Makes a file system from a tree (a container's root, an empty volume).
    pub fn new_fs(&mut self, tree: Tree) -> FsId {
        let host = self.host_mut();
        let id = FsId(host.fresh());
        host.trees.insert(id, tree);
        id
    }

    /// Forgets a file system. Nothing may be mounted from it any more.
    pub fn remove_fs(&mut self, id: FsId) {
        if id != FsId(0) {
            self.host_mut().trees.remove(&id);
        }
    }

    /// The files of a file system, shared.
    #[must_use]
    pub fn fs(&self, id: FsId) -> Option<Tree> {
        self.host().trees.get(&id).cloned()
    }

    /// Keeps the files below a directory of the machine in memory from now on. They lie where they
    /// lay: only who asks is told.
    pub fn mount_tmpfs(&mut self, path: &str) {
        self.host_mut().tmpfs.insert(path.into());
    }

    /// Takes back [`Sys::mount_tmpfs`] for a directory and those below.
    pub fn unmount_tmpfs(&mut self, path: &str) {
        let below = format!("{path}/");
        let is_gone = |at: &Rc<str>| **at == *path || at.starts_with(&below);
        self.host_mut().tmpfs.retain(|at| !is_gone(at));
    }

    /// Whether a file is kept in memory.
    ///
    /// # Errors
    /// As `statfs(2)`.
    pub fn is_in_memory(&self, path: &str) -> Result<bool, Errno> {
        let place = self.place_of(path)?;
        let holds = |at: &Rc<str>| {
            let rest = place.path.strip_prefix(&**at);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        Ok(place.fs == FsId(0) && self.host().tmpfs.iter().any(holds))
    }

    /// Where a path of this process lies: for a bind mount of it.
    ///
    /// # Errors
    /// As `stat(2)`.
    pub fn place_of(&self, path: &str) -> Result<Place, Errno> {
        let place = self.resolve(path, true)?;
        self.node(&place)?;
        Ok(place)
    }

    /// Mounts a file system, or a part of one, in the namespace of this process.
    ///
    /// # Errors
    /// `EPERM` for users, `ENOENT` and `ENOTDIR` of the directory, `EBUSY` for `/`.
    pub fn mount(
        &mut self,
        at: &str,
        fs: FsId,
        source: &str,
        read_only: bool,
    ) -> Result<(), Errno> {
        if self.uid() != 0 {
            return Err(Errno::EPERM);
        }
        self.stat(at)?;
        let at = MountNs::normalise(&self.cwd(), at);
        let mount = Mount {
            at: at.into(),
            fs,
            source: source.into(),
            read_only,
        };
        Rc::make_mut(&mut self.own_mounts()?.mounts).push(mount);
        Ok(())
    }

    /// Takes the last mount at a path away; its file system stays, as others may show it.
    ///
    /// # Errors
    /// `EPERM` for users, `EINVAL` where nothing is mounted.
    pub fn unmount(&mut self, at: &str) -> Result<(), Errno> {
        if self.uid() != 0 {
            return Err(Errno::EPERM);
        }
        let at = MountNs::normalise(&self.cwd(), at);
        let mounts = Rc::make_mut(&mut self.own_mounts()?.mounts);
        let last = mounts.iter().rposition(|mount| *mount.at == *at);
        mounts.remove(last.ok_or(Errno::EINVAL)?);
        Ok(())
    }

    fn own_mounts(&mut self) -> Result<&mut MountNs, Errno> {
        let id = self.process().map(|process| process.mounts);
        let mounts = &mut self.host_mut().mounts;
        mounts.get_mut(&id.unwrap_or_default()).ok_or(Errno::ENOENT)
    }

    /// Makes a mount namespace.
    pub fn new_mount_ns(&mut self, root: FsId, mounts: Vec<Mount>) -> MountNsId {
        let host = self.host_mut();
        let id = MountNsId(host.fresh());
        host.mounts.insert(
            id,
            MountNs {
                root,
                mounts: Rc::new(mounts),
            },
        );
        id
    }

    /// Makes a mount namespace with the machine's own files, but with the hosts and name servers that
    /// processes in the network `netns` see. `None` if none there sees others than the machine.
    pub fn new_mount_ns_with_names_of(&mut self, netns: NetnsId) -> Option<MountNsId> {
        const NAMES: [&str; 2] = ["/etc/hosts", "/etc/resolv.conf"];
        let host = self.host();
        let own = host.mounts.get(&MountNsId(0))?;
        let names = host.processes().find_map(|process| {
            let theirs = host.mounts.get(&process.mounts)?.mounts.iter();
            let names: Vec<Mount> = theirs
                .filter(|mount| NAMES.contains(&&*mount.at))
                .cloned()
                .collect();
            (process.netns == netns && !names.is_empty()).then_some(names)
        })?;
        let (root, mut mounts) = (own.root, own.mounts.to_vec());
        mounts.extend(names);
        Some(self.new_mount_ns(root, mounts))
    }

    /// Forgets a mount namespace. No process may live in it any more.
    pub fn remove_mount_ns(&mut self, id: MountNsId) {
        if id != MountNsId(0) {
            self.host_mut().mounts.remove(&id);
        }
    }

    /// The control groups of the machine's processes that lie below `prefix`, with their members.
    #[must_use]
    pub fn cgroup_members(&self, prefix: &str) -> Vec<sim::Pid> {
        self.host()
            .processes()
            .filter(|p| p.cgroup.starts_with(prefix))
            .map(|p| p.pid)
            .collect()
    }

    /// Ends every process of a control group.
    pub fn kill_cgroup(&mut self, prefix: &str) {
        for pid in self.cgroup_members(prefix) {
            self.signal(pid, Signal::Kill);
        }
    }
}
