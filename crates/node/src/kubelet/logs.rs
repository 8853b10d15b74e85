//! Serves the logs of containers, to their end or as they are written.
//! Models kubelet_pods.go (`validateContainerLogStatus`) and kuberuntime/logs/logs.go.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Str;
use machine::http::StreamRef;
use machine::{Fd, OpenMode, Sys, WatchId};
use net::http::{Body, Request, Response};
use sim::{Duration, Instant};

use crate::cri::{ContainerState, ContainerStatus};
use crate::kubelet::State;
use crate::kubelet::server::text;
use crate::kubelet::worker::Unit;
use crate::runtime::log::{self, LogOptions};

/// Bytes read from a log at a time.
const CHUNK: usize = 1 << 20;

/// Those who follow logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Followers {
    open: BTreeMap<StreamRef, Follower>,
}

#[derive(Clone, Debug)]
struct Follower {
    file: Fd,
    watch: WatchId,
    options: LogOptions,
    /// A line that has no end yet.
    rest: Vec<u8>,
    /// The container, by pod and id: the log ends with it.
    uid: Str,
    id: Rc<str>,
}

impl Followers {
    pub(crate) fn streams(&self) -> impl Iterator<Item = StreamRef> {
        self.open.keys().copied()
    }
}

impl State {
    pub(crate) fn serve_logs(
        &mut self,
        sys: &mut Sys<'_>,
        to: StreamRef,
        request: &Request,
        name: (&str, &str, &str),
    ) {
        let response = match self.log_answer(sys, to, request, name) {
            Ok(Some(response)) | Err(response) => response,
            Ok(None) => return,
        };
        self.server.http.respond(sys, to, response);
    }

    /// The answer; none if it is on its way already, to be followed by more.
    fn log_answer(
        &mut self,
        sys: &mut Sys<'_>,
        to: StreamRef,
        request: &Request,
        (namespace, pod, container): (&str, &str, &str),
    ) -> Result<Option<Response>, Response> {
        let query = request.query();
        let get = |name: &str| {
            query
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, v)| v.as_str())
        };
        let is_true = |name: &str| get(name).is_some_and(|value| value == "true" || value == "1");
        let mut options = read_options(sys.now(), &get).map_err(|why| text(400, &why))?;
        let named = self.find((namespace, pod, container))?;
        let entry = &self.pods[&named.uid];
        let unit = &entry.worker.units[named.unit];
        let life = choose(unit, pod, is_true("previous"))
            .map_err(|why| text(400, &why))?
            .clone();
        let object = &entry.worker.pod;
        let directory = log::directory(&object.namespace, &object.name, &object.uid);
        let path = format!("{directory}/{}", life.config.log_path);
        let gone = || {
            text(
                200,
                &format!(
                    "unable to retrieve container logs for containerd://{}",
                    life.id
                ),
            )
        };
        let Ok(file) = sys.open(&path, OpenMode::Read) else {
            return Ok(Some(gone()));
        };
        let contents = read_all(sys, file);
        let whole = contents
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let shown = log::render(&contents[..whole], &mut options);
        let follows = is_true("follow") && life.state == ContainerState::Running;
        let full = options.limit_bytes == Some(0);
        let response = text(200, &String::from_utf8_lossy(&shown));
        if !follows || full {
            sys.close(file);
            return Ok(Some(response));
        }
        let Ok(watch) = sys.watch(&path) else {
            return Ok(Some(response));
        };
        let rest = contents[whole..].to_vec();
        let follower = Follower {
            file,
            watch,
            options,
            rest,
            uid: named.uid,
            id: life.id,
        };
        self.server.followers.open.insert(to, follower);
        self.server.http.respond(sys, to, response.streaming());
        Ok(None)
    }

    /// A watched log has changed.
    pub(crate) fn log_changed(&mut self, sys: &mut Sys<'_>, watch: WatchId) {
        let found = self
            .server
            .followers
            .open
            .iter()
            .find(|(_, f)| f.watch == watch);
        if let Some(to) = found.map(|(to, _)| *to) {
            self.send_log(sys, to);
        }
    }

    fn send_log(&mut self, sys: &mut Sys<'_>, to: StreamRef) {
        let Some(follower) = self.server.followers.open.get_mut(&to) else {
            return;
        };
        follower.rest.extend(read_all(sys, follower.file));
        let Some(end) = follower.rest.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let lines: Vec<u8> = follower.rest.drain(..=end).collect();
        let shown = log::render(&lines, &mut follower.options);
        let full = follower.options.limit_bytes == Some(0);
        if !shown.is_empty() {
            self.server.http.data(sys, to, Body::from(shown));
        }
        if full {
            self.end_log(sys, to);
        }
    }

    /// A container has ended: so do its logs.
    pub(crate) fn end_logs_of(&mut self, sys: &mut Sys<'_>, uid: &Str, id: &str) {
        let ended: Vec<StreamRef> = self
            .server
            .followers
            .open
            .iter()
            .filter(|(_, follower)| follower.uid == *uid && &*follower.id == id)
            .map(|(to, _)| *to)
            .collect();
        for to in ended {
            self.send_log(sys, to);
            self.end_log(sys, to);
        }
    }

    fn end_log(&mut self, sys: &mut Sys<'_>, to: StreamRef) {
        if self.server.followers.open.contains_key(&to) {
            self.server.http.end(sys, to);
        }
        self.follower_gone(sys, to);
    }

    /// Nobody listens any more.
    pub(crate) fn follower_gone(&mut self, sys: &mut Sys<'_>, from: StreamRef) {
        if let Some(follower) = self.server.followers.open.remove(&from) {
            sys.close(follower.file);
            sys.unwatch(follower.watch);
        }
    }
}

fn read_all(sys: &mut Sys<'_>, file: Fd) -> Vec<u8> {
    let mut all = Vec::new();
    while let Ok(bytes) = sys.read(file, CHUNK) {
        if bytes.is_empty() {
            break;
        }
        all.extend_from_slice(&bytes);
    }
    all
}

fn read_options<'a>(
    now: Instant,
    get: &impl Fn(&str) -> Option<&'a str>,
) -> Result<LogOptions, String> {
    let number = |name: &str| -> Result<Option<u64>, String> {
        let text = get(name).filter(|text| !text.is_empty());
        text.map(|text| {
            text.parse()
                .map_err(|_| format!("invalid {name}: {text}\n"))
        })
        .transpose()
    };
    let since_secs = number("sinceSeconds")?.map(|secs| {
        let nanos = secs.saturating_mul(1_000_000_000);
        Instant::from_nanos(now.as_nanos().saturating_sub(nanos))
    });
    // What lies before the world began is all of it.
    let since_time =
        get("sinceTime").map(|time| Instant::parse_rfc3339(time).unwrap_or(Instant::ZERO));
    Ok(LogOptions {
        tail_lines: number("tailLines")?,
        since: since_secs
            .or(since_time)
            .filter(|since| *since > Instant::ZERO + Duration::ZERO),
        timestamps: get("timestamps").is_some_and(|value| value == "true" || value == "1"),
        limit_bytes: number("limitBytes")?,
    })
}

/// The life of a unit whose log is meant. Models `validateContainerLogStatus`.
fn choose<'a>(unit: &'a Unit, pod: &str, previous: bool) -> Result<&'a ContainerStatus, String> {
    let name = &unit.container.name;
    // While a container waits to be started again, its last life counts as the previous one.
    let waits = unit.reason.is_some() && unit.ended().is_some();
    if previous {
        let last = if waits {
            unit.current.as_ref()
        } else {
            unit.last.as_ref()
        };
        return last.ok_or_else(|| {
            format!("previous terminated container \"{name}\" in pod \"{pod}\" not found")
        });
    }
    if let Some(life) = unit.current.as_ref().or(unit.last.as_ref()) {
        return Ok(life);
    }
    let why = match unit.reason.as_ref().map(|(reason, _)| &**reason) {
        Some("ErrImagePull") => "image can't be pulled",
        Some("ImagePullBackOff") => "trying and failing to pull image",
        Some(reason) => reason,
        None => "ContainerCreating",
    };
    Err(format!(
        "container \"{name}\" in pod \"{pod}\" is waiting to start: {why}"
    ))
}
