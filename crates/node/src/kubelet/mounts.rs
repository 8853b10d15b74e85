//! Makes and removes the directories of a pod's volumes.
//! Models pkg/volume/util/atomic_writer.go and pkg/volume/hostpath.

use api::Str;
use machine::{Errno, FileKind, Sys};

use crate::kubelet::State;
use crate::kubelet::env::Facts;
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
            let made = planned.and_then(|plan| make(sys, &path, &plan));
            if let Err(why) = made {
                failures.push(format!(
                    "MountVolume.SetUp failed for volume \"{name}\" : {why}"
                ));
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
        }
    }
}

fn make(sys: &mut Sys<'_>, path: &str, plan: &Plan) -> Result<(), String> {
    let failed = |errno: Errno| errno.go_message();
    match plan {
        Plan::Empty => {
            if !sys.exists(path) {
                sys.mkdir_all(path).map_err(failed)?;
                sys.chmod(path, 0o777).map_err(failed)?;
            }
            Ok(())
        }
        Plan::HostPath(path, of_type) => check_host_path(sys, path, of_type),
        Plan::Files(files) => write_files(sys, path, files).map_err(failed),
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
fn write_files(sys: &mut Sys<'_>, path: &str, files: &Files) -> Result<(), Errno> {
    if !sys.exists(path) {
        sys.mkdir_all(path)?;
        sys.chmod(path, 0o777)?;
    }
    let link = format!("{path}/..data");
    let old = sys.lstat(&link).ok().and_then(|stat| stat.target);
    let is_same = old.is_some()
        && files.iter().all(|(name, (bytes, _))| {
            sys.read_file(&format!("{link}/{name}"))
                .is_ok_and(|known| known == *bytes)
        });
    let kept = sys.read_dir(&link).map_or(0, |entries| entries.len());
    let first_names = files
        .keys()
        .map(|name| name.split('/').next().unwrap_or(name));
    let wanted: std::collections::BTreeSet<&str> = first_names.collect();
    if is_same && kept == wanted.len() {
        return Ok(());
    }
    let stamp = sys.now().rfc3339_nano();
    let stamp = stamp.trim_end_matches('Z').replace(['-', ':', 'T'], "_");
    let dir = format!("..{stamp}");
    for (name, (bytes, mode)) in files {
        let file = format!("{path}/{dir}/{name}");
        if let Some((parent, _)) = file.rsplit_once('/') {
            sys.mkdir_all(parent)?;
        }
        sys.write_file(&file, bytes)?;
        if *mode != 0o644 {
            sys.chmod(&file, *mode)?;
        }
    }
    if files.is_empty() {
        sys.mkdir_all(&format!("{path}/{dir}"))?;
    }
    if old.is_some() {
        sys.remove(&link)?;
    }
    sys.symlink(&dir, &link)?;
    for name in &wanted {
        let shown = format!("{path}/{name}");
        if sys.lstat(&shown).is_err() {
            sys.symlink(&format!("..data/{name}"), &shown)?;
        }
    }
    if let Some(old) = old {
        for entry in sys.read_dir(path)? {
            let is_file = !entry.name.starts_with("..") && !wanted.contains(&*entry.name);
            if is_file {
                sys.remove(&format!("{path}/{}", entry.name))?;
            }
        }
        sys.remove_all(&format!("{path}/{old}"))?;
    }
    Ok(())
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
