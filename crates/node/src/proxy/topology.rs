//! Which endpoints of a service port this machine uses: the ready ones, near ones where hints say
//! so, and those on their way out where nothing else is left.
//! Models pkg/proxy/topology.go.

use std::collections::BTreeSet;

use api::Str;

use super::endpoint::Endpoint;
use super::service::ServicePort;

/// Where a machine stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) node_name: &'a str,
    /// Its `topology.kubernetes.io/zone`, empty for none.
    pub(super) zone: &'a str,
}

/// The endpoints of a service port by their use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usable<'a> {
    /// For traffic policy Cluster.
    pub(super) cluster: Vec<&'a Endpoint>,
    /// For traffic policy Local.
    pub(super) local: Vec<&'a Endpoint>,
    /// Both together, each once.
    pub(super) reachable: Vec<&'a Endpoint>,
    /// Whether there is a usable endpoint anywhere, be it out of this machine's reach.
    pub(super) any: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Anywhere,
    SameNode,
    SameZone,
}

/// Sorts out the endpoints of a service port.
pub(super) fn usable<'a>(
    port: &ServicePort,
    endpoints: &'a [Endpoint],
    place: &Place<'_>,
) -> Usable<'a> {
    let mut found = Usable::default();
    if port.uses_cluster_endpoints() {
        let mode = mode(endpoints, place);
        found.cluster = kept(endpoints, |e| e.ready && available(e, mode, place));
        if found.cluster.is_empty() {
            found.cluster = kept(endpoints, leaving);
        }
        found.any = !found.cluster.is_empty();
    }
    if port.uses_local_endpoints() {
        found.any |= endpoints.iter().any(|e| e.ready || leaving(e));
        found.local = kept(endpoints, |e| e.local && e.ready);
        if found.local.is_empty() {
            found.local = kept(endpoints, |e| e.local && leaving(e));
        }
    }
    let used: BTreeSet<&Str> = found
        .cluster
        .iter()
        .chain(&found.local)
        .map(|e| &e.address)
        .collect();
    found.reachable = kept(endpoints, |e| used.contains(&e.address));
    found
}

fn leaving(endpoint: &Endpoint) -> bool {
    !endpoint.ready && endpoint.serving && endpoint.terminating
}

fn kept(endpoints: &[Endpoint], keep: impl Fn(&Endpoint) -> bool) -> Vec<&Endpoint> {
    endpoints.iter().filter(|e| keep(e)).collect()
}

/// Hints count only when every ready endpoint has them and one is meant for here: a half-hinted
/// Service would leave machines without an endpoint.
fn mode(endpoints: &[Endpoint], place: &Place<'_>) -> Mode {
    let ready = || endpoints.iter().filter(|e| e.ready);
    let here = |mode| {
        ready().all(|e| !hints(e, mode).is_empty()) && ready().any(|e| available(e, mode, place))
    };
    if here(Mode::SameNode) {
        Mode::SameNode
    } else if here(Mode::SameZone) {
        Mode::SameZone
    } else {
        Mode::Anywhere
    }
}

fn hints(endpoint: &Endpoint, mode: Mode) -> &[Str] {
    match mode {
        Mode::Anywhere => &[],
        Mode::SameNode => &endpoint.node_hints,
        Mode::SameZone => &endpoint.zone_hints,
    }
}

fn available(endpoint: &Endpoint, mode: Mode, place: &Place<'_>) -> bool {
    let wanted = match mode {
        Mode::Anywhere => return true,
        Mode::SameNode => place.node_name,
        Mode::SameZone => place.zone,
    };
    hints(endpoint, mode).iter().any(|hint| **hint == *wanted)
}
