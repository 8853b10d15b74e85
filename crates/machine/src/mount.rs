//! Mount namespaces: which tree a path of a process leads to.
//!
//! A namespace is a root file system and bind mounts on top, as a container runtime sets them up.

use std::rc::Rc;

use crate::fs::{Content, Tree, names};
use net::Errno;
use sim::typed_id;
use std::collections::BTreeMap;

typed_id!(
    /// A file system of a machine (its disk, a container's root, a volume).
    FsId(u32)
);
typed_id!(
    /// A mount namespace of a machine; 0 is the machine's own.
    MountNsId(u32)
);

/// A file system, or part of one, made visible at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is visible: a normalised absolute path of the namespace.
    pub at: Rc<str>,
    /// The file system it shows.
    pub fs: FsId,
    /// The path within that file system which becomes `at`.
    pub source: Rc<str>,
    /// Whether writing is refused with `EROFS`.
    pub read_only: bool,
}

impl Mount {
    /// The place of `rest`, a path below the mount point that begins with a slash or is empty.
    fn place(&self, rest: &str) -> Place {
        let source = self.source.trim_end_matches('/');
        let path = match (source, rest) {
            ("", "") => "/".to_owned(),
            _ => [source, rest].concat(),
        };
        Place {
            fs: self.fs,
            path,
            read_only: self.read_only,
        }
    }
}

/// What a process of this namespace sees as its files.
#[derive(Clone, Debug)]
pub struct MountNs {
    /// The file system at `/`.
    pub root: FsId,
    /// Mounts on top of it, in the order they were made; a later one hides an earlier one.
    pub mounts: Rc<Vec<Mount>>,
}

/// Where a path leads: a normalised path within one file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file system.
    pub fs: FsId,
    /// A normalised absolute path within it; the last name may not exist yet.
    pub path: String,
    /// Whether writing is refused.
    pub read_only: bool,
}

/// Symbolic links followed before `ELOOP`, as in Linux.
const MAX_LINKS: u32 = 40;

impl MountNs {
    /// Resolves `path` (relative to `cwd`), following symbolic links on the way, and the last one
    /// too if `follow`. The last name need not exist.
    ///
    /// # Errors
    /// `ENOENT` or `ENOTDIR` if a directory on the way is missing or is none, `ELOOP`.
    pub fn resolve(
        &self,
        trees: &BTreeMap<FsId, Tree>,
        cwd: &str,
        path: &str,
        follow: bool,
    ) -> Result<Place, Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        if let Some(place) = self.resolve_plain(trees, path, follow) {
            return place;
        }
        let mut todo: Vec<String> = Vec::new();
        push_names(&mut todo, path);
        let mut done: Vec<String> = Vec::new();
        if !path.starts_with('/') {
            done.extend(names(cwd).map(str::to_owned));
        }
        let mut links = 0;
        while let Some(name) = todo.pop() {
            match name.as_str() {
                "." => continue,
                ".." => {
                    done.pop();
                    continue;
                }
                _ => {}
            }
            done.push(name);
            let last = todo.is_empty();
            let place = self.place(&done);
            let node = trees.get(&place.fs).and_then(|tree| tree.get(&place.path));
            match node.map(|node| &node.content) {
                Some(Content::Symlink(target)) if !last || follow => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::ELOOP);
                    }
                    done.pop();
                    if target.starts_with('/') {
                        done.clear();
                    }
                    push_names(&mut todo, target);
                }
                Some(Content::Dir(_)) => {}
                Some(_) if !last => return Err(Errno::ENOTDIR),
                None if !last => return Err(Errno::ENOENT),
                Some(_) | None => {}
            }
        }
        let place = self.place(&done);
        if path.len() > 1 && path.ends_with('/') {
            let node = trees.get(&place.fs).and_then(|tree| tree.get(&place.path));
            if node.is_some_and(|node| !node.is_dir()) {
                return Err(Errno::ENOTDIR);
            }
        }
        Ok(place)
    }

    /// The common case without detours: an absolute, normalised path without a symbolic link on the
    /// way. `None` if it is any other.
    fn resolve_plain(
        &self,
        trees: &BTreeMap<FsId, Tree>,
        path: &str,
        follow: bool,
    ) -> Option<Result<Place, Errno>> {
        let relative = path.strip_prefix('/')?;
        let is_plain = |name: &str| !matches!(name, "" | "." | "..");
        if !relative.split('/').all(is_plain) {
            return None;
        }
        let mut node = trees.get(&self.root)?.get("/")?;
        // The mount whose files the walk is in, and how much of the path leads to it.
        let mut inside: Option<(&Mount, usize)> = None;
        let mut walked = 0;
        for name in relative.split('/') {
            walked += 1 + name.len();
            let last = walked == path.len();
            let here = &path[..walked];
            if let Some(mount) = self.mounts.iter().rev().find(|mount| &*mount.at == here) {
                node = trees.get(&mount.fs)?.get(&mount.source)?;
                if matches!(node.content, Content::Symlink(_)) {
                    return None;
                }
                inside = Some((mount, walked));
                continue;
            }
            match node.entries().map(|entries| entries.get(name)) {
                None => return Some(Err(Errno::ENOTDIR)),
                Some(None) if last => break,
                Some(None) => return Some(Err(Errno::ENOENT)),
                Some(Some(next)) => {
                    if matches!(next.content, Content::Symlink(_)) && (!last || follow) {
                        return None;
                    }
                    node = next;
                }
            }
        }
        Some(Ok(match inside {
            Some((mount, above)) => mount.place(&path[above..]),
            None => Place {
                fs: self.root,
                path: path.to_owned(),
                read_only: false,
            },
        }))
    }

    /// The names of `path` as an absolute, normalised path of this namespace, without looking at
    /// symbolic links: what `cd` makes of `..`.
    #[must_use]
    pub fn normalise(cwd: &str, path: &str) -> String {
        let mut done: Vec<&str> = Vec::new();
        let start = if path.starts_with('/') { "" } else { cwd };
        for name in names(start).chain(names(path)) {
            match name {
                "." => {}
                ".." => {
                    done.pop();
                }
                _ => done.push(name),
            }
        }
        format!("/{}", done.join("/"))
    }

    fn place(&self, done: &[String]) -> Place {
        let path = format!("/{}", done.join("/"));
        // Of mounts at one path the last one counts, which is what `max_by_key` gives.
        let all = self.mounts.iter();
        let above = all.filter_map(|mount| Some((mount, below(&path, &mount.at)?)));
        match above.max_by_key(|(mount, _)| mount.at.len()) {
            Some((mount, rest)) => mount.place(rest),
            None => Place {
                fs: self.root,
                path,
                read_only: false,
            },
        }
    }

    /// Names of mount points directly below the directory `dir` of this namespace.
    pub(crate) fn mounted_below<'a>(&'a self, dir: &'a str) -> impl Iterator<Item = &'a str> {
        self.mounts.iter().filter_map(move |mount| {
            let rest = below(&mount.at, dir)?.strip_prefix('/')?;
            (!rest.is_empty() && !rest.contains('/')).then_some(rest)
        })
    }
}

/// The rest of `path` below `at`, empty if they are equal; `None` if it is not below.
fn below<'a>(path: &'a str, at: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(at.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

fn push_names(todo: &mut Vec<String>, path: &str) {
    let start = todo.len();
    todo.extend(names(path).map(str::to_owned));
    todo[start..].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{Meta, Node};

    fn link(target: &str) -> Node {
        Node {
            meta: Meta::root(0o777),
            content: Content::Symlink(target.into()),
        }
    }

    fn world() -> (MountNs, BTreeMap<FsId, Tree>) {
        let (mut disk, mut volume) = (Tree::new(), Tree::new());
        disk.put_all("/etc/app/conf", Node::file("x", 0o644))
            .unwrap();
        disk.put_all("/data", Node::dir(0o755)).unwrap();
        disk.put_all("/var/link", link("../etc")).unwrap();
        disk.put_all("/loop", link("/loop")).unwrap();
        volume.put_all("/v1/file", Node::file("x", 0o644)).unwrap();
        let mount = Mount {
            at: "/data".into(),
            fs: FsId(1),
            source: "/v1".into(),
            read_only: true,
        };
        let ns = MountNs {
            root: FsId(0),
            mounts: Rc::new(vec![mount]),
        };
        (ns, BTreeMap::from([(FsId(0), disk), (FsId(1), volume)]))
    }

    #[track_caller]
    fn check(cwd: &str, path: &str, expect: Result<(u32, &str), Errno>) {
        let (ns, trees) = world();
        let place = ns.resolve(&trees, cwd, path, true);
        let place = place
            .as_ref()
            .map(|p| (p.fs.0, p.path.as_str()))
            .map_err(|e| *e);
        assert_eq!(place, expect, "{path} in {cwd}");
    }

    #[test]
    fn paths_lead_to_places() {
        check("/", "/etc/app/conf", Ok((0, "/etc/app/conf")));
        check("/etc", "app/../app/./conf", Ok((0, "/etc/app/conf")));
        check("/", "/var/link/app/conf", Ok((0, "/etc/app/conf")));
        check("/", "/data/file", Ok((1, "/v1/file")));
        check("/", "/data/new", Ok((1, "/v1/new")));
        check("/", "/data/none/new", Err(Errno::ENOENT));
        check("/", "/data", Ok((1, "/v1")));
        check("/", "/var/../data/file", Ok((1, "/v1/file")));
        check("/data", ".", Ok((1, "/v1")));
        check("/", "/etc/new", Ok((0, "/etc/new")));
        check("/", "/etc/none/new", Err(Errno::ENOENT));
        check("/", "/etc/app/conf/x", Err(Errno::ENOTDIR));
        check("/", "/etc/app/conf/", Err(Errno::ENOTDIR));
        check("/", "/loop", Err(Errno::ELOOP));
        check("/", "../..", Ok((0, "/")));
    }
}
