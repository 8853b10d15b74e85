//! Pods from manifests on the machine's disk, and the mirror pods by which the API server shows them.
//! Models pkg/kubelet/config/{file,common}.go and pod/mirror_client.go.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Str, Value, kinds, object, yaml};
use client::{DeleteOptions, Incoming, PODS, Severity, answer, request};
use machine::{Sys, WatchId};
use sim::{Duration, Stream};

use crate::kubelet::State;
use crate::kubelet::due::Due;
use crate::kubelet::pod::{Pod, Source};
use crate::kubelet::watching::Tag;

const SOURCE: &str = "kubernetes.io/config.source";
const MIRROR: &str = "kubernetes.io/config.mirror";
const HASH: &str = "kubernetes.io/config.hash";
/// Between attempts to make mirror pods that could not be made.
const AGAIN: Duration = Duration::from_secs(10);
const SEEN: &str = "kubernetes.io/config.seen";

/// Manifests as last read.
#[derive(Clone, Debug, Default)]
pub(crate) struct StaticPods {
    watch: Option<WatchId>,
    /// Pods by their full names, as the manifests have them now.
    wanted: BTreeMap<(Str, Str), Pod>,
    /// Texts by file, so that what did not change is not read again.
    texts: BTreeMap<Rc<str>, Rc<[u8]>>,
    /// Mirror pods asked for, by full name, with the hash they are to have.
    asked: BTreeMap<(Str, Str), Str>,
}

impl StaticPods {
    /// Whether a watch is the one of the manifests.
    pub(crate) fn is_watch(&self, watch: WatchId) -> bool {
        self.watch == Some(watch)
    }
}

/// Whether an object is the mirror of a static pod.
pub(crate) fn is_mirror(pod: &Value) -> bool {
    pod.annotations().contains_key(MIRROR)
}

impl State {
    /// Begins to watch the manifests.
    pub(crate) fn watch_manifests(&mut self, sys: &mut Sys<'_>) {
        let path = self.settings.manifests.clone();
        if !path.is_empty() {
            self.statics.watch = sys.watch(&path).ok();
        }
    }

    /// Reads the manifests: takes pods on and lets them go as they say.
    pub(crate) fn read_manifests(&mut self, sys: &mut Sys<'_>) {
        if !self.found.is_known {
            return;
        }
        let path = self.settings.manifests.clone();
        let files = if path.is_empty() {
            Vec::new()
        } else {
            sys.read_dir(&path).unwrap_or_default()
        };
        let mut texts = BTreeMap::new();
        for file in files {
            let is_manifest = !file.stat.is_dir() && !file.name.starts_with('.');
            if let Some(bytes) = is_manifest
                .then(|| sys.read_file(&format!("{path}/{}", file.name)).ok())
                .flatten()
            {
                texts.insert(file.name, bytes);
            }
        }
        if texts == self.statics.texts {
            return;
        }
        let mut wanted = BTreeMap::new();
        for (name, bytes) in &texts {
            match self.read_manifest(sys, &format!("{path}/{name}"), bytes) {
                Ok(pod) => {
                    wanted.insert((pod.namespace.clone(), pod.name.clone()), pod);
                }
                Err(why) => {
                    let text = format!(
                        "\"Could not process manifest file\" err=\"{why}\" path=\"{path}/{name}\""
                    );
                    self.log(sys, Severity::Error, "file.go:187", &text);
                }
            }
        }
        self.statics.texts = texts;
        self.statics.wanted = wanted;
        self.sync_static_pods(sys);
    }

    fn read_manifest(&self, sys: &mut Sys<'_>, path: &str, bytes: &[u8]) -> Result<Pod, String> {
        let text = String::from_utf8_lossy(bytes);
        let documents = yaml::parse_all(&text).map_err(|error| error.to_string())?;
        let mut object = documents
            .into_iter()
            .next()
            .map(|d| d.value)
            .unwrap_or_default();
        if (object.api_version(), object.kind()) != ("v1", "Pod") {
            return Err(format!(
                "{path}: couldn't parse as pod, please check config file"
            ));
        }
        let node = &self.settings.node;
        let name = format!("{}-{node}", object.name());
        let hash = Stream::new(0, &format!("{node} {path} {}", object.to_json())).hex(32);
        object.set("metadata.name", name);
        if object.namespace().is_empty() {
            object.set("metadata.namespace", "default");
        }
        object.set("metadata.uid", hash.as_str());
        object.set_annotation(HASH, &hash);
        object.set_annotation(SOURCE, "file");
        object.set_annotation(SEEN, &sys.now().rfc3339_nano());
        object.set("spec.nodeName", node);
        let mut tolerations = object.list_at("spec.tolerations").to_vec();
        tolerations.push(object! { "effect": "NoExecute", "operator": "Exists" });
        object.set("spec.tolerations", tolerations);
        if let Some(kind) = kinds::by_kind("v1", "Pod") {
            (kind.defaults)(&mut object);
        }
        object.set("status", object! { "phase": "Pending" });
        if object.list_at("spec.containers").is_empty() {
            return Err("invalid pod: spec.containers: Required value".to_owned());
        }
        Ok(Pod::new(object, Source::File))
    }

    /// Takes on what is wanted and does not run, ends what runs and is not wanted.
    fn sync_static_pods(&mut self, sys: &mut Sys<'_>) {
        let unwanted: Vec<Str> = self
            .pods
            .iter()
            .filter(|(uid, entry)| {
                let pod = &entry.worker.pod;
                let wanted = self
                    .statics
                    .wanted
                    .get(&(pod.namespace.clone(), pod.name.clone()));
                pod.source == Source::File && wanted.is_none_or(|wanted| wanted.uid != **uid)
            })
            .map(|(uid, _)| uid.clone())
            .collect();
        for uid in unwanted {
            self.remove_pod(sys, &uid);
        }
        let new: Vec<Pod> = self
            .statics
            .wanted
            .values()
            .filter(|wanted| {
                // One pod of a name at a time: the old one has to end first.
                !self.pods.values().any(|entry| {
                    let pod = &entry.worker.pod;
                    pod.source == Source::File
                        && (&pod.namespace, &pod.name) == (&wanted.namespace, &wanted.name)
                })
            })
            .cloned()
            .collect();
        for pod in new {
            self.add_pod(sys, pod);
        }
        self.mirror_changed(sys);
    }

    /// A static pod has ended: another of its name may have waited for that.
    pub(crate) fn static_pod_forgotten(&mut self, sys: &mut Sys<'_>) {
        self.sync_static_pods(sys);
    }

    /// A mirror pod was seen: its status may have to be told.
    pub(crate) fn mirror_seen(&mut self, sys: &mut Sys<'_>, mirror: &Value) {
        let key = (Str::from(mirror.namespace()), Str::from(mirror.name()));
        self.statics.asked.remove(&key);
        let uid = self.statics.wanted.get(&key).map(|pod| pod.uid.clone());
        match uid {
            Some(uid) if mirror.annotation(MIRROR) == &*uid => {
                if let Some(entry) = self.pods.get_mut(&uid) {
                    entry.told.seen(mirror, &self.watching.pods);
                }
                self.send_status(sys, &uid);
            }
            _ => self.mirror_changed(sys),
        }
    }

    /// A mirror pod was made or deleted, or could not be.
    pub(crate) fn mirror_answered(&mut self, sys: &mut Sys<'_>, incoming: &Incoming) {
        if answer(incoming).is_err_and(|error| !error.is_already_exists() && !error.is_not_found())
        {
            self.statics.asked.clear();
            self.timetable.set(Due::Mirrors, Some(sys.now() + AGAIN));
        }
    }

    /// Makes the mirror pods that are missing, deletes those that mirror nothing.
    pub(crate) fn mirror_changed(&mut self, sys: &mut Sys<'_>) {
        let Some(node) = self.watching.node().cloned() else {
            return;
        };
        if !self.watching.pods.has_synced() {
            return;
        }
        let cause = sys.cause();
        let stale: Vec<Value> = self
            .watching
            .pods
            .cache()
            .iter()
            .map(|(_, pod)| pod)
            .filter(|pod| is_mirror(pod))
            .filter(|pod| {
                let key = (Str::from(pod.namespace()), Str::from(pod.name()));
                let wanted = self.statics.wanted.get(&key);
                wanted.is_none_or(|wanted| pod.annotation(MIRROR) != &*wanted.uid)
                    || pod.is_terminating()
            })
            .cloned()
            .collect();
        for mirror in stale {
            let options = DeleteOptions::default().for_uid(mirror.uid()).with_grace(0);
            let request = request::delete(&PODS, mirror.namespace(), mirror.name(), &options);
            self.api.client.send(cause, Tag::Mirror, request);
        }
        for (key, pod) in &self.statics.wanted {
            let exists = self.watching.pod(&key.0, &key.1).is_some();
            if exists || self.statics.asked.get(key) == Some(&pod.uid) {
                continue;
            }
            self.statics.asked.insert(key.clone(), pod.uid.clone());
            let request = request::create(&PODS, &key.0, mirror_of(pod, &node));
            self.api.client.send(cause, Tag::Mirror, request);
        }
    }
}

/// The object by which the API server shows a static pod.
fn mirror_of(pod: &Pod, node: &Value) -> Value {
    let mut mirror = pod.object.clone();
    mirror.remove("metadata.uid");
    mirror.set_annotation(MIRROR, &pod.uid);
    let owner = object! {
        "apiVersion": "v1",
        "kind": "Node",
        "name": node.name(),
        "uid": node.uid(),
        "controller": true,
    };
    mirror.set("metadata.ownerReferences", vec![owner]);
    mirror
}
