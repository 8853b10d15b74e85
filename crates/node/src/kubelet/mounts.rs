//! Makes and removes the directories of a pod's volumes.
//! Models pkg/volume/util/atomic_writer.go and pkg/volume/hostpath.

use std::collections::BTreeSet;
use std::rc::Rc;

use api::Str;
use machine::fs::{Content, Meta, Node, Tree};
use machine::{Errno, FileKind, Sys};
use sim::Instant;

use crate::kubelet::State;
use crate::kubelet::env::{EnvFiles, Facts};
use crate::kubelet::objects::{Gathered, Then};
use crate::kubelet::pod::Pod;
use crate::kubelet::volumes::{self, Files, Plan, Tokens};
use crate::kubelet::worker::Input;

impl State {
    /// A pod asks for its volumes.
    pub(crate) fn begin_mount(&mut self, sys: &mut Sys<'_>, uid: &Str) {
        let Some(entry) = self.pods.get(uid) else {
            return;
        };
        let needs = volumes::references(&entry.worker.pod);
        self.gather(sys, uid, needs, Then::Mount);
    }

    /// It is time to look whether the objects behind a pod's volumes have changed.
    pub(crate) fn refresh_volumes(&mut self, sys: &mut Sys<'_>, uid: &Str) {
        let Some(entry) = self.pods.get(uid) else {
            return;
        };
        let needs = volumes::references(&entry.worker.pod);
        self.gather(sys, uid, needs, Then::Refresh);
        self.schedule_refresh(sys.now(), uid);
    }

    /// Makes a pod's volumes from what was gathered.
    pub(crate) fn mount(
        &mut self,
        sys: &mut Sys<'_>,
        uid: &Str,
        objects: Gathered,
        tokens: Result<Tokens, String>,
    ) {
        let failures = self.write_volumes(sys, uid, &objects, &tokens);
        let result = if failures.is_empty() {
            Ok(())
        } else {
            Err(failures)
        };
        if result.is_ok() {
            self.schedule_refresh(sys.now(), uid);
        }
        self.inputs.push_back((uid.clone(), Input::Mounted(result)));
    }

    /// Writes what has changed; what cannot be had stays as it was.
    pub(crate) fn remount(
        &mut self,
        sys: &mut Sys<'_>,
        uid: &Str,
        objects: Gathered,
        tokens: Result<Tokens, String>,
    ) {
        self.write_volumes(sys, uid, &objects, &tokens);
    }

    fn write_volumes(
        &mut self,
        sys: &mut Sys<'_>,
        uid: &Str,
        objects: &Gathered,
        tokens: &Result<Tokens, String>,
    ) -> Vec<String> {
        let Some(entry) = self.pods.get(uid) else {
            return Vec::new();
        };
        let pod = entry.worker.pod.clone();
        let facts = Facts {
            pod_ip: entry.worker.ip(),
            host_ips: &self.host_ips,
            allocatable: self.facts.allocatable(),
            files: &EnvFiles::new(),
        };
        let mut failures = Vec::new();
        for volume in volumes::volumes(&pod) {
            let name = volume.str("name");
            let planned = match (objects, tokens) {
                (Ok(objects), Ok(tokens)) => volumes::plan(&pod, volume, objects, tokens, facts),
                (Err(why), _) | (_, Err(why)) => {
                    let none = (Default::default(), Default::default());
                    match volumes::plan(&pod, volume, &none.0, &none.1, facts) {
                        Ok(plan @ (Plan::Empty | Plan::HostPath(..))) => Ok(plan),
                        _ => Err(why.clone()),
                    }
                }
            };
            let path = volumes::path(&pod, volume);
            let group = pod.object.at("spec.securityContext.fsGroup").as_i64();
            let group = group.and_then(|id| u32::try_from(id).ok());
            let made = planned.and_then(|plan| make(sys, &path, &plan, group));
            if made.is_ok() && volumes::is_in_memory(volume) {
                sys.mount_tmpfs(&path);
            }
            if let Err(why) = made {
                failures.push(if why.starts_with("error processing PVC") {
                    // Volumes that cannot be worked out are told of together, with those that wait.
                    format!(
                        "Unable to attach or mount volumes: unmounted volumes=[{name}], unattached \
                         volumes=[], failed to process volumes=[{name}]: {why}"
                    )
                } else {
                    format!("MountVolume.SetUp failed for volume \"{name}\" : {why}")
                });
            }
        }
        failures
    }

    /// The pod has ended: its volumes go.
    pub(crate) fn unmount(&mut self, sys: &mut Sys<'_>, uid: &Str) {
        if let Some(entry) = self.pods.get(uid) {
            let path = format!("{}/volumes", entry.worker.pod.directory());
            // A pod without volumes has no such directory.
            let _ = sys.remove_all(&path);
            sys.unmount_tmpfs(&path);
        }
    }
}

/// Makes a volume's directory. With a group, which `fsGroup` names, all in it is the group's.
/// Models pkg/volume/volume_linux.go.
fn make(sys: &mut Sys<'_>, path: &str, plan: &Plan, group: Option<u32>) -> Result<(), String> {
    let failed = |errno: Errno| errno.go_message();
    match plan {
        Plan::Empty => {
            if !sys.exists(path) {
                sys.mkdir_all(path).map_err(failed)?;
                let mode = if group.is_some() { 0o2777 } else { 0o777 };
                sys.chown(path, 0, group.unwrap_or(0)).map_err(failed)?;
                sys.chmod(path, mode).map_err(failed)?;
            }
            Ok(())
        }
        Plan::HostPath(path, of_type) => check_host_path(sys, path, of_type),
        Plan::Claimed(target, of_type) => {
            check_host_path(sys, target, of_type)?;
            if sys.lstat(path).is_ok() {
                return Ok(());
            }
            let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
            sys.mkdir_all(parent).map_err(failed)?;
            sys.symlink(target, path).map_err(failed)
        }
        Plan::Files(files) => write_files(sys, path, files, group).map_err(failed),
    }
}

/// Models pkg/volume/hostpath/host_path.go, `checkType`.
fn check_host_path(sys: &mut Sys<'_>, path: &str, of_type: &str) -> Result<(), String> {
    let kind = sys.stat(path).ok().map(|stat| stat.kind);
    let make = |made: Result<(), Errno>| made.map_err(|errno| errno.go_message());
    let wants = |what: &str, fits: bool| {
        if fits {
            Ok(())
        } else {
            Err(format!(
                "hostPath type check failed: {path} is not a {what}"
            ))
        }
    };
    match of_type {
        "DirectoryOrCreate" if kind.is_none() => make(sys.mkdir_all(path)),
        "FileOrCreate" if kind.is_none() => make(sys.write_file(path, b"")),
        "DirectoryOrCreate" | "Directory" => wants("directory", kind == Some(FileKind::Dir)),
        "FileOrCreate" | "File" => wants("file", kind == Some(FileKind::File)),
        "Socket" => wants("socket file", kind == Some(FileKind::Socket)),
        // Without a type nothing is checked; a path that is not there becomes a directory.
        _ if kind.is_none() => make(sys.mkdir_all(path)),
        _ => Ok(()),
    }
}

/// Replaces the files of a volume at once: they lie in a directory of their own, named for the time,
/// to which a link leads.
fn write_files(
    sys: &mut Sys<'_>,
    path: &str,
    files: &Files,
    group: Option<u32>,
) -> Result<(), Errno> {
    let link = format!("{path}/..data");
    let old = sys.lstat(&link).ok().and_then(|stat| stat.target);
    let is_same = old.is_some()
        && files.iter().all(|(name, (bytes, _))| {
            sys.read_file(&format!("{link}/{name}"))
                .is_ok_and(|known| known == *bytes)
        });
    let kept = sys.read_dir(&link).map_or(0, |entries| entries.len());
    if is_same && kept == first_names(files).len() {
        return Ok(());
    }
    // What watches or holds the old files sees them go; the new ones come whole.
    sys.put_node(path, volume(sys.now(), files, group))
}

/// The names in the uppermost directory.
fn first_names(files: &Files) -> BTreeSet<&str> {
    files
        .keys()
        .map(|name| name.split('/').next().unwrap_or(name))
        .collect()
}

/// A volume's directory, as upstream's writer leaves it.
fn volume(now: Instant, files: &Files, group: Option<u32>) -> Node {
    let stamp = now.rfc3339_nano();
    let dir = format!(
        "..{}",
        stamp.trim_end_matches('Z').replace(['-', ':', 'T'], "_")
    );
    let of_group = |mode: u32, adds: u32| Meta {
        gid: group.unwrap_or(0),
        mode: mode | group.map_or(0, |_| adds),
        mtime: now,
        ..Meta::root(mode)
    };
    let dir_meta = |mode: u32| of_group(mode, 0o2550);
    let meta = |mode: u32| of_group(mode, 0o440);
    let mut tree = Tree::new();
    let mut put = |path: String, meta: Meta, content: Content| {
        tree.put_all(&path, Node { meta, content })
            .expect("the paths of one volume do not collide");
    };
    put(
        format!("/{dir}"),
        dir_meta(0o755),
        Content::Dir(Rc::default()),
    );
    for (name, (bytes, mode)) in files {
        put(
            format!("/{dir}/{name}"),
            meta(*mode),
            Content::File(Rc::new(bytes.to_vec())),
        );
    }
    put(
        "/..data".to_owned(),
        meta(0o777),
        Content::Symlink(dir.into()),
    );
    for name in first_names(files) {
        let target = format!("..data/{name}").into();
        put(format!("/{name}"), meta(0o777), Content::Symlink(target));
    }
    let mut root = tree.get("/").cloned().unwrap_or_else(|| Node::dir(0o777));
    root.meta = dir_meta(0o777);
    root
}

/// The place on the machine of a mount of a container: its volume's, or a part of it.
///
/// # Errors
/// In upstream's words, if there is no such volume.
pub(crate) fn mount_source(
    sys: &mut Sys<'_>,
    pod: &Pod,
    mount: &api::Value,
    sub_path: &str,
) -> Result<String, String> {
    let name = mount.str("name");
    let volume = volumes::volumes(pod)
        .iter()
        .find(|volume| volume.str("name") == name);
    let volume =
        volume.ok_or_else(|| format!("cannot find volume \"{name}\" to mount into container"))?;
    let path = volumes::path(pod, volume);
    // A claim's volume lies elsewhere.
    let target = sys.lstat(&path).ok().and_then(|stat| stat.target);
    let path = target.filter(|_| !volume.has("hostPath")).unwrap_or(path);
    if sub_path.is_empty() {
        return Ok(path.to_string());
    }
    let full = format!("{path}/{sub_path}");
    if !sys.exists(&full) {
        sys.mkdir_all(&full).map_err(|errno| {
            format!(
                "failed to create subPath directory for volumeMount \"{name}\": {}",
                errno.go_message()
            )
        })?;
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_links_into_a_directory_named_for_the_time() {
        let files = Files::from([
            ("token".to_owned(), (Rc::from(*b"t"), 0o600)),
            ("sub/file".to_owned(), (Rc::from(*b"f"), 0o644)),
        ]);
        let mut tree = Tree::new();
        tree.put("/v", volume(Instant::ZERO, &files, None))
            .expect("the root is there");
        let names: Vec<&str> = tree
            .get("/v")
            .and_then(Node::entries)
            .expect("a directory")
            .keys()
            .map(|n| &**n)
            .collect();
        assert_eq!(
            names,
            ["..2026_01_05_09_00_00.000000000", "..data", "sub", "token"]
        );
        let file = tree.get("/v/..2026_01_05_09_00_00.000000000/sub/file");
        assert!(file.is_some_and(|node| matches!(&node.content, Content::File(b) if **b == b"f")));
    }
}
