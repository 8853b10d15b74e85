//! A stand-in for the API server, for this crate's tests alone: objects by path, lists, watches and
//! writes without validation, defaults or access control. Everything is answered at once; watch
//! events arrive after the answers, as they may on a real connection.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use api::{Value, body, object};
use client::{CallId, Component, Env, Identity, Incoming, Outgoing, Resource, Silent};
use net::http::{Body, Method, Request, Response};
use sim::{Duration, EntryId, Instant, Stream};

use crate::controller::Controller;
use crate::pods::is_ready;
use crate::{ControllerManager, Options};

mod store;

use store::Store;

/// Controllers, and what they work on.
pub(crate) struct Bench {
    pub(crate) manager: ControllerManager,
    pub(crate) now: Instant,
    store: Store,
    random: Stream,
    watches: BTreeMap<CallId, String>,
    pending: VecDeque<(CallId, Value)>,
    log: Vec<String>,
    events: Vec<Value>,
    /// Creations of this plural are refused with this message.
    pub(crate) refuse: Option<(&'static str, &'static str)>,
}

impl Bench {
    pub(crate) fn new(controllers: Vec<Box<dyn Controller>>) -> Bench {
        let options = Options {
            identity: Identity::default(),
            holder: None,
        };
        let mut bench = Bench {
            manager: ControllerManager::new(options, controllers),
            now: Instant::ZERO,
            store: Store::default(),
            random: Stream::new(1, "test"),
            watches: BTreeMap::new(),
            pending: VecDeque::new(),
            log: Vec::new(),
            events: Vec::new(),
            refuse: None,
        };
        bench.with(|manager, env| manager.start(env));
        bench.settle();
        bench
    }

    fn with<R>(&mut self, call: impl FnOnce(&mut ControllerManager, &mut Env<'_>) -> R) -> R {
        let mut env = Env {
            now: self.now,
            cause: EntryId::NONE,
            random: &mut self.random,
            journal: &mut Silent,
        };
        call(&mut self.manager, &mut env)
    }

    /// Someone else creates or replaces an object, status and all.
    pub(crate) fn put(&mut self, resource: &Resource, object: Value) {
        self.store.put(self.now, resource, object);
        self.settle();
    }

    /// Someone else changes an object.
    pub(crate) fn change(
        &mut self,
        resource: &Resource,
        (namespace, name): (&str, &str),
        change: impl FnOnce(&mut Value),
    ) {
        let mut object = self.get(resource, namespace, name);
        change(&mut object);
        self.put(resource, object);
    }

    /// Someone else deletes an object, in the background.
    pub(crate) fn delete(&mut self, resource: &Resource, namespace: &str, name: &str) {
        let path = resource.object_path(namespace, name, "");
        let answered = self.store.delete(self.now, &path, &object! {});
        assert!(answered.is_ok(), "{path}: {answered:?}");
        self.settle();
    }

    /// An object is gone without anyone asking, as a pod is when its kubelet is done with it.
    pub(crate) fn vanish(&mut self, resource: &Resource, namespace: &str, name: &str) {
        self.store
            .vanish(&resource.object_path(namespace, name, ""));
        self.settle();
    }

    pub(crate) fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Value {
        let path = resource.object_path(namespace, name, "");
        self.store.get(&path).unwrap_or_else(|| panic!("no {path}"))
    }

    pub(crate) fn find(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Value> {
        self.store.get(&resource.object_path(namespace, name, ""))
    }

    /// Every object of a resource, in the order of names.
    pub(crate) fn list(&self, resource: &Resource) -> Vec<Value> {
        self.store.list(&resource.collection_path(""))
    }

    /// The writes since the last call: `POST pods web-00001`, `PUT replicasets/status web`.
    pub(crate) fn writes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    /// The events recorded since the last call: `Normal Created message`. Counts are left out.
    pub(crate) fn events(&mut self) -> Vec<String> {
        let events = std::mem::take(&mut self.events);
        let told =
            |e: &Value| format!("{} {} {}", e.str("type"), e.str("reason"), e.str("message"));
        events.iter().map(told).collect()
    }

    /// Lets everything happen that takes no time.
    pub(crate) fn settle(&mut self) {
        loop {
            while let Some(out) = self.manager.next_outgoing() {
                match out {
                    Outgoing::Send { call, request, .. } => self.serve(call, &request),
                    Outgoing::Cancel(call) => drop(self.watches.remove(&call)),
                }
            }
            self.notify();
            if let Some((call, event)) = self.pending.pop_front() {
                let part = Incoming::Data(body(event));
                self.with(|manager, env| manager.on_incoming(env, call, &part));
                continue;
            }
            if self
                .manager
                .next_deadline()
                .is_some_and(|at| at <= self.now)
            {
                self.with(|manager, env| manager.on_time(env));
                continue;
            }
            if !self.manager.next_outgoing_waits() {
                return;
            }
        }
    }

    /// Does what kubelets do, pod by pod: what terminates goes, what is new becomes ready.
    pub(crate) fn run_pods(&mut self) {
        loop {
            let pods = self.list(&client::PODS);
            let Some(pod) = pods
                .iter()
                .find(|pod| pod.is_terminating() || !is_ready(pod))
            else {
                return;
            };
            self.pass(Duration::from_millis(10));
            if pod.is_terminating() {
                self.vanish(&client::PODS, pod.namespace(), pod.name());
            } else {
                self.make_ready(pod.name());
            }
        }
    }

    /// Makes a pod ready, on a node.
    pub(crate) fn make_ready(&mut self, name: &str) {
        let since = self.now.rfc3339();
        self.change(&client::PODS, ("default", name), |pod| {
            let ready = object! { "type": "Ready", "status": "True", "lastTransitionTime": since };
            if pod.str_at("spec.nodeName").is_empty() {
                pod.set("spec.nodeName", "node01");
            }
            pod.set("status.phase", "Running");
            pod.set("status.conditions", vec![ready]);
        });
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.manager.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.with(|manager, env| manager.on_time(env));
            self.settle();
        }
        self.now = end;
        self.settle();
    }

    pub(crate) fn pass_secs(&mut self, secs: u64) {
        self.pass(Duration::from_secs(secs));
    }

    /// Queues what the store has to tell for those who watch it.
    fn notify(&mut self) {
        for (path, kind, object) in self.store.take_changes() {
            for (call, watched) in &self.watches {
                if *watched == path {
                    let event = object! { "type": kind, "object": &object };
                    self.pending.push_back((*call, event));
                }
            }
        }
    }

    fn serve(&mut self, call: CallId, request: &Request) {
        let answer = if request.method == Method::Get {
            self.read(call, request)
        } else {
            self.write(request)
        };
        if let Some(response) = answer {
            let part = Incoming::Response(Rc::new(response));
            self.with(|manager, env| manager.on_incoming(env, call, &part));
        }
    }

    fn read(&mut self, call: CallId, request: &Request) -> Option<Response> {
        let query = request.query();
        if query.iter().any(|(name, _)| name == "watch") {
            self.notify();
            self.watches.insert(call, request.path().to_owned());
            return Some(Response::new(200, Body::Empty).streaming());
        }
        if let Some(object) = self.store.get(request.path()) {
            return Some(Response::new(200, body(object)));
        }
        let version = self.store.version().to_string();
        let items = self.store.list(request.path());
        let list = object! { "metadata": { "resourceVersion": version }, "items": items };
        Some(Response::new(200, body(list)))
    }

    fn write(&mut self, request: &Request) -> Option<Response> {
        let sent = request
            .body
            .downcast_rc::<Value>()
            .map(|v| (*v).clone())
            .unwrap_or_default();
        let refused = self.refuse.filter(|(plural, _)| {
            request.method == Method::Post && request.path().ends_with(&format!("/{plural}"))
        });
        let path = request.path();
        if let Some((_, message)) = refused {
            let status = object! { "code": 403, "reason": "Forbidden", "message": message };
            self.log
                .push(format!("POST {} refused", store::short(path)));
            return Some(Response::new(403, body(status)));
        }
        let form = request.headers.get("Content-Type").unwrap_or_default();
        let answer = match request.method {
            Method::Post => self.store.create(self.now, path, sent),
            Method::Put => self.store.update(self.now, path, sent),
            Method::Patch => self
                .store
                .patch(self.now, path, &sent, form.contains("strategic")),
            _ => self.store.delete(self.now, path, &sent),
        };
        let (code, object) = match answer {
            Ok(object) => (200, object),
            Err(status) => (
                u16::try_from(status.i64_at("code").unwrap()).unwrap(),
                status,
            ),
        };
        if object.kind() == "Event" {
            self.events.push(object.clone());
        } else {
            let name = if code == 200 {
                object.name()
            } else {
                object.str("reason")
            };
            self.log
                .push(format!("{} {} {name}", request.method, store::short(path)));
        }
        Some(Response::new(code, body(object)))
    }
}

/// Compares lines with what is expected, one a line.
#[track_caller]
pub(crate) fn check(got: &[String], expect: &str) {
    let expect: Vec<&str> = expect
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    assert_eq!(got, expect, "\ngot:\n{}\n", got.join("\n"));
}
