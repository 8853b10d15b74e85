//! What the API server says: objects watched, and answers to what was asked.
//! Models pkg/kubelet/config/apiserver.go.

use api::{Str, Value};
use client::{CallId, Delta, Incoming, Informer, NODES, PODS, SERVICES};
use machine::Sys;
use sim::Instant;

use crate::kubelet::State;
use crate::kubelet::env::{self, Object, Variables};
use crate::kubelet::pod::Pod;
use crate::kubelet::static_pods;
use crate::kubelet::volumes::TokenRequest;

/// What an answer of the API server is for.
#[derive(Clone, Debug)]
pub(crate) enum Tag {
    /// The list and watch of pods.
    Pods,
    /// The list and watch of the own node.
    Node,
    /// The list and watch of services.
    Services,
    /// An event.
    Event,
    /// The registration of the node.
    Registered,
    /// The node's storage drivers were told.
    CsiNode,
    /// The node's status.
    NodeStatus,
    /// The node's lease.
    Lease,
    /// A pod's status.
    Status(Str),
    /// The end of a pod.
    Deleted(Str),
    /// A mirror pod was made, or deleted.
    Mirror,
    /// An object pods refer to.
    Object(Object),
    /// A token for a pod.
    Token(Str, TokenRequest),
}

/// What is watched.
#[derive(Clone, Debug)]
pub(crate) struct Watching {
    node_name: Str,
    pub(crate) pods: Informer,
    nodes: Informer,
    services: Informer,
}

impl Watching {
    pub(crate) fn new(node: &str) -> Watching {
        Watching {
            node_name: node.into(),
            pods: Informer::new(PODS, "", &[]).with_fields(&format!("spec.nodeName={node}")),
            nodes: Informer::new(NODES, "", &[]).with_fields(&format!("metadata.name={node}")),
            services: Informer::new(SERVICES, "", &[]),
        }
    }

    /// The machine's node object, once it is known.
    pub(crate) fn node(&self) -> Option<&Value> {
        self.nodes.cache().named("", &self.node_name)
    }

    /// A pod of the API server, by name.
    pub(crate) fn pod(&self, namespace: &str, name: &str) -> Option<&Value> {
        self.pods.cache().named(namespace, name)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        [&self.pods, &self.nodes, &self.services]
            .iter()
            .filter_map(|i| i.next_deadline())
            .min()
    }

    /// The variables that tell a pod of services.
    pub(crate) fn service_variables(&self, pod: &Pod) -> Variables {
        let cache = self.services.cache();
        let kubernetes = cache.named("default", "kubernetes");
        let links = pod.object.at("spec.enableServiceLinks").as_bool() != Some(false);
        let own = links.then(|| {
            cache
                .in_namespace(&pod.namespace)
                .map(|(_, service)| service)
        });
        let own = own.into_iter().flatten();
        let is_kubernetes =
            |service: &&Value| service.name() == "kubernetes" && service.namespace() == "default";
        env::service_variables(
            kubernetes
                .into_iter()
                .chain(own.filter(|s| !is_kubernetes(s))),
        )
    }
}

impl State {
    /// Begins to watch.
    pub(crate) fn watch(&mut self, sys: &mut Sys<'_>) {
        self.with_env(sys, |state, env| {
            let client = &mut state.api.client;
            state.watching.nodes.start(env, client, Tag::Node);
            state.watching.services.start(env, client, Tag::Services);
            state.watching.pods.start(env, client, Tag::Pods);
        });
    }

    /// Goes on with watches that had to wait.
    pub(crate) fn watch_again(&mut self, sys: &mut Sys<'_>) {
        self.with_env(sys, |state, env| {
            let client = &mut state.api.client;
            state.watching.nodes.on_time(env, client, Tag::Node);
            state.watching.services.on_time(env, client, Tag::Services);
            state.watching.pods.on_time(env, client, Tag::Pods);
        });
    }

    /// Takes a part of an answer, unless its call was given up.
    pub(crate) fn answered(&mut self, sys: &mut Sys<'_>, call: CallId, incoming: &Incoming) {
        let Some(tag) = self.api.client.tag(call, incoming) else {
            return;
        };
        match tag {
            Tag::Pods | Tag::Node | Tag::Services => self.watched(sys, tag, incoming),
            Tag::Event => self.with_env(sys, |state, env| {
                let client = &mut state.api.client;
                state
                    .recorder
                    .on_incoming(env, client, &Tag::Event, (call, incoming));
            }),
            Tag::Registered => self.registered(sys, incoming),
            // It is there already where the node was there before.
            Tag::CsiNode => {}
            Tag::NodeStatus => self.node_reported(sys, incoming),
            Tag::Lease => self.lease_answered(sys, incoming),
            Tag::Status(uid) => self.status_answered(sys, &uid, incoming),
            Tag::Deleted(uid) => self.deletion_answered(sys, &uid, incoming),
            Tag::Mirror => self.mirror_answered(sys, incoming),
            Tag::Object(object) => self.object_fetched(sys, &object, incoming),
            Tag::Token(uid, token) => self.token_made(sys, &uid, &token, incoming),
        }
    }

    fn watched(&mut self, sys: &mut Sys<'_>, tag: Tag, incoming: &Incoming) {
        let had_synced = self.watching.pods.has_synced();
        let deltas = self.with_env(sys, |state, env| {
            let informer = match tag {
                Tag::Pods => &mut state.watching.pods,
                Tag::Node => &mut state.watching.nodes,
                _ => &mut state.watching.services,
            };
            informer.on_incoming(env, &mut state.api.client, tag.clone(), incoming)
        });
        match tag {
            Tag::Pods => {
                for delta in deltas {
                    self.pod_delta(sys, &delta);
                }
                if !had_synced {
                    self.pods_listed(sys);
                }
            }
            Tag::Node if !deltas.is_empty() => self.node_seen(sys),
            _ => {}
        }
    }

    fn pod_delta(&mut self, sys: &mut Sys<'_>, delta: &Delta) {
        // Until it is known what runs already, pods only gather in the cache.
        if !self.found.is_known || !self.watching.pods.has_synced() {
            return;
        }
        let replaced = match (&delta.old, &delta.new) {
            (Some(old), Some(new)) => old.uid() != new.uid(),
            _ => false,
        };
        if let Some(old) = delta
            .old
            .as_ref()
            .filter(|_| replaced || delta.new.is_none())
        {
            if static_pods::is_mirror(old) {
                self.mirror_changed(sys);
            } else {
                self.pod_gone(sys, old);
            }
        }
        if let Some(new) = &delta.new {
            self.pod_arrived(sys, new.clone());
        }
    }

    fn pod_arrived(&mut self, sys: &mut Sys<'_>, object: Value) {
        if static_pods::is_mirror(&object) {
            self.mirror_seen(sys, &object);
        } else {
            self.pod_seen(sys, object);
        }
    }

    /// Takes on all pods once it is known which there are and what runs already.
    pub(crate) fn pods_listed(&mut self, sys: &mut Sys<'_>) {
        if !self.found.is_known || !self.watching.pods.has_synced() {
            return;
        }
        let mut pods: Vec<Value> = self
            .watching
            .pods
            .cache()
            .iter()
            .map(|(_, pod)| pod.clone())
            .collect();
        // Those that were there first are admitted first.
        pods.sort_by(|a, b| a.creation_timestamp().cmp(b.creation_timestamp()));
        for pod in pods {
            self.pod_arrived(sys, pod);
        }
        self.mirror_changed(sys);
        self.end_orphans(sys);
    }
}
