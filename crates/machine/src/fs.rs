//! File trees: directories, files, symbolic links, with owners and modes. Plain, shared data.
//!
//! A tree is persistent: a clone shares everything until one side changes, so a container's root
//! file system costs nothing until it is written to. Knows nothing of mounts or processes; hard
//! links are not modelled.

use std::collections::BTreeMap;
use std::rc::Rc;

use net::{Errno, Shared};
use sim::Instant;

use crate::procfs::Proc;
use crate::sysctl::Sysctl;

/// Owner, mode and time of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Owning user.
    pub uid: u32,
    /// Owning group.
    pub gid: u32,
    /// Permission bits, such as `0o644`; the file type is in [`Content`].
    pub mode: u32,
    /// Last change.
    pub mtime: Instant,
}

impl Meta {
    /// Owned by root, with these permission bits.
    #[must_use]
    pub fn root(mode: u32) -> Meta {
        Meta {
            uid: 0,
            gid: 0,
            mode,
            mtime: Instant::ZERO,
        }
    }
}

/// What a device file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// `/dev/null`.
    Null,
    /// `/dev/zero`.
    Zero,
    /// `/dev/random` and `/dev/urandom`.
    Random,
    /// `/dev/tty`: the controlling terminal.
    Tty,
    /// A file of `/proc`.
    Proc(Proc),
    /// A file of `/proc/sys`.
    Sysctl(Sysctl),
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Content {
    /// A directory.
    Dir(Rc<BTreeMap<Rc<str>, Node>>),
    /// A regular file.
    File(Rc<Vec<u8>>),
    /// An executable: a name that is looked up in the world's table of programs, and the version
    /// it was built as (`v1.36.2`), empty where none is told.
    Binary(&'static str, Rc<str>),
    /// A regular file whose contents are an object its program understands (a database, say).
    Object(Rc<dyn Shared>),
    /// A symbolic link.
    Symlink(Rc<str>),
    /// A device file.
    Device(Device),
    /// A unix-domain socket, bound by a process.
    Socket,
}

/// A node of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// Owner, mode, time.
    pub meta: Meta,
    /// What it is.
    pub content: Content,
}

impl Node {
    /// An empty directory owned by root.
    #[must_use]
    pub fn dir(mode: u32) -> Node {
        Node {
            meta: Meta::root(mode),
            content: Content::Dir(Rc::default()),
        }
    }

    /// A file owned by root.
    pub fn file(bytes: impl Into<Vec<u8>>, mode: u32) -> Node {
        Node {
            meta: Meta::root(mode),
            content: Content::File(Rc::new(bytes.into())),
        }
    }

    /// An executable owned by root.
    #[must_use]
    pub fn binary(program: &'static str) -> Node {
        Node::release(program, "")
    }

    /// The same in a version that it can tell.
    #[must_use]
    pub fn release(program: &'static str, version: &str) -> Node {
        Node {
            meta: Meta::root(0o755),
            content: Content::Binary(program, version.into()),
        }
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        matches!(self.content, Content::Dir(_))
    }

    /// Length in bytes as `stat` tells it.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.content {
            Content::Dir(_) => 4096,
            Content::File(bytes) => bytes.len() as u64,
            Content::Binary(name, _) => 1_000_000 + name.len() as u64,
            Content::Object(object) => object.size(),
            Content::Symlink(target) => target.len() as u64,
            Content::Device(_) | Content::Socket => 0,
        }
    }

    /// Whether `stat` would tell a length of zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries by name, if it is a directory.
    #[must_use]
    pub fn entries(&self) -> Option<&BTreeMap<Rc<str>, Node>> {
        match &self.content {
            Content::Dir(entries) => Some(entries),
            _ => None,
        }
    }

    fn entries_mut(&mut self) -> Option<&mut BTreeMap<Rc<str>, Node>> {
        match &mut self.content {
            Content::Dir(entries) => Some(Rc::make_mut(entries)),
            _ => None,
        }
    }
}

/// A file system. Clone is O(1).
#[derive(Clone, Debug)]
pub struct Tree {
    root: Rc<Node>,
}

impl Default for Tree {
    fn default() -> Self {
        Tree {
            root: Rc::new(Node::dir(0o755)),
        }
    }
}

/// Splits an absolute or relative path into its names, without resolving `.` or `..`.
pub(crate) fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

impl Tree {
    /// An empty file system.
    #[must_use]
    pub fn new() -> Tree {
        Tree::default()
    }

    /// The tree below `path` of this one as a tree of its own (for bind mounts and image layers).
    #[must_use]
    pub fn subtree(&self, path: &str) -> Option<Tree> {
        Some(Tree {
            root: Rc::new(self.get(path)?.clone()),
        })
    }

    /// The node at a normalised path (`/a/b`; no `.`, `..`); symbolic links are not followed.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Node> {
        names(path).try_fold(&*self.root, |node, name| node.entries()?.get(name))
    }

    /// The node at a normalised path, to be changed.
    pub fn get_mut(&mut self, path: &str) -> Option<&mut Node> {
        names(path).try_fold(Rc::make_mut(&mut self.root), |node, name| {
            node.entries_mut()?.get_mut(name)
        })
    }

    /// Puts `node` at `path`, replacing what was there. The parent must exist.
    ///
    /// # Errors
    /// `ENOENT` without a parent, `ENOTDIR` if it is no directory.
    pub fn put(&mut self, path: &str, node: Node) -> Result<(), Errno> {
        let (parent, name) = split(path);
        if name.is_empty() {
            self.root = Rc::new(node);
            return Ok(());
        }
        let dir = self.get_mut(parent).ok_or(Errno::ENOENT)?;
        dir.entries_mut()
            .ok_or(Errno::ENOTDIR)?
            .insert(name.into(), node);
        Ok(())
    }

    /// Puts `node` at `path`, making the directories above it as root's with mode 0755.
    ///
    /// # Errors
    /// `ENOTDIR` if a name on the way is no directory.
    pub fn put_all(&mut self, path: &str, node: Node) -> Result<(), Errno> {
        let (parent, _) = split(path);
        let mut made = String::new();
        for name in names(parent) {
            made.push('/');
            made.push_str(name);
            match self.get(&made) {
                None => self.put(&made, Node::dir(0o755))?,
                Some(node) if node.is_dir() => {}
                Some(_) => return Err(Errno::ENOTDIR),
            }
        }
        self.put(path, node)
    }

    /// Takes the node at `path` away, with all below it.
    ///
    /// # Errors
    /// `ENOENT` if there is none, `EBUSY` for the root.
    pub fn take(&mut self, path: &str) -> Result<Node, Errno> {
        let (parent, name) = split(path);
        if name.is_empty() {
            return Err(Errno::EBUSY);
        }
        if self.get(path).is_none() {
            return Err(Errno::ENOENT);
        }
        let dir = self.get_mut(parent).ok_or(Errno::ENOENT)?;
        dir.entries_mut()
            .ok_or(Errno::ENOTDIR)?
            .remove(name)
            .ok_or(Errno::ENOENT)
    }

    /// Lays `other` over this tree: its files win, directories merge (an image's next layer).
    pub fn overlay(&mut self, other: &Tree) {
        merge(Rc::make_mut(&mut self.root), &other.root);
    }
}

fn merge(below: &mut Node, above: &Node) {
    let (Some(entries), Some(over)) = (below.entries_mut(), above.entries()) else {
        *below = above.clone();
        return;
    };
    for (name, node) in over {
        match entries.get_mut(name) {
            Some(existing) if existing.is_dir() && node.is_dir() => merge(existing, node),
            _ => {
                entries.insert(name.clone(), node.clone());
            }
        }
    }
}

/// Parent and last name of a normalised absolute path; the name is empty for the root.
pub(crate) fn split(path: &str) -> (&str, &str) {
    let path = path.trim_end_matches('/');
    match path.rfind('/') {
        Some(0) => ("/", &path[1..]),
        Some(at) => (&path[..at], &path[at + 1..]),
        None => ("/", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tree: &Tree, path: &str) -> Option<String> {
        match &tree.get(path)?.content {
            Content::File(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    #[test]
    fn a_clone_shares_until_one_side_writes() {
        let mut a = Tree::new();
        a.put_all("/etc/app/conf", Node::file("one", 0o644))
            .unwrap();
        let mut b = a.clone();
        b.put("/etc/app/conf", Node::file("two", 0o644)).unwrap();
        assert_eq!(text(&a, "/etc/app/conf").as_deref(), Some("one"));
        assert_eq!(text(&b, "/etc/app/conf").as_deref(), Some("two"));
    }

    #[test]
    fn layers_merge_directories_and_replace_files() {
        let mut base = Tree::new();
        base.put_all("/bin/sh", Node::binary("sh")).unwrap();
        base.put_all("/etc/motd", Node::file("base", 0o644))
            .unwrap();
        let mut layer = Tree::new();
        layer
            .put_all("/etc/motd", Node::file("layer", 0o644))
            .unwrap();
        base.overlay(&layer);
        assert!(base.get("/bin/sh").is_some());
        assert_eq!(text(&base, "/etc/motd").as_deref(), Some("layer"));
    }

    #[test]
    fn errors_are_those_of_linux() {
        let mut tree = Tree::new();
        assert_eq!(
            tree.put("/no/where", Node::file("", 0o644)),
            Err(Errno::ENOENT)
        );
        tree.put("/file", Node::file("", 0o644)).unwrap();
        assert_eq!(
            tree.put_all("/file/below", Node::dir(0o755)),
            Err(Errno::ENOTDIR)
        );
        assert_eq!(tree.take("/missing").err(), Some(Errno::ENOENT));
        assert_eq!(tree.take("/").err(), Some(Errno::EBUSY));
    }
}
