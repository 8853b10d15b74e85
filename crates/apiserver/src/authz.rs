//! Who may do what: the authorizers that the command line names, asked one after the other.
//!
//! Models apiserver/pkg/authorization, pkg/kubeapiserver/authorizer and
//! plugin/pkg/auth/authorizer/node.

pub(crate) mod escalation;
pub(crate) mod impersonation;
mod node;
pub(crate) mod policy;
pub(crate) mod rbac;
pub(crate) mod rule;

use std::collections::BTreeSet;

use api::{Status, status};

use crate::authn::{ANONYMOUS, User};
use crate::request::RequestInfo;
use crate::resources::Resources;
use rbac::Rbac;
use rule::Rule;

/// Who is in this group may do everything.
pub(crate) const MASTERS: &str = "system:masters";
/// The group of kubelets.
const NODES: &str = "system:nodes";
/// What anybody may read before any policy is known: `--authorization-always-allow-paths`.
const ALWAYS: [&str; 3] = ["/healthz", "/livez", "/readyz"];

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    /// Of a request for no resource.
    pub(crate) path: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    /// What a request asks for.
    pub(crate) fn of(info: &'a RequestInfo) -> Attributes<'a> {
        Attributes {
            verb: info.verb,
            group: &info.group,
            resource: &info.resource,
            subresource: &info.subresource,
            namespace: &info.namespace,
            name: match info.name.as_str() {
                "" => &info.selected,
                name => name,
            },
            path: (!info.is_resource).then_some(&info.path),
        }
    }
}

/// Whether it is allowed, and why; or why not, as far as there is something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    pub(crate) reason: String,
}

/// The authorizers with what they know.
#[derive(Clone, Debug)]
pub(crate) struct Authorizer {
    modes: Vec<Mode>,
    rbac: Rbac,
    /// What kubelets may do.
    node_rules: Vec<Rule>,
    /// What belongs to the pods of nodes.
    graph: node::Graph,
    /// Requests that were allowed whatever the object's name, by their hash.
    granted: BTreeSet<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    AlwaysAllow,
    AlwaysDeny,
    Node,
    Rbac,
}

impl Authorizer {
    /// Those of `--authorization-mode`.
    pub(crate) fn new(modes: &[std::rc::Rc<str>]) -> Authorizer {
        let mode = |name: &std::rc::Rc<str>| match &**name {
            "AlwaysAllow" => Some(Mode::AlwaysAllow),
            "AlwaysDeny" => Some(Mode::AlwaysDeny),
            "Node" => Some(Mode::Node),
            "RBAC" => Some(Mode::Rbac),
            _ => None,
        };
        Authorizer {
            modes: modes.iter().filter_map(mode).collect(),
            rbac: Rbac::default(),
            node_rules: policy::node_rules(),
            graph: node::Graph::default(),
            granted: BTreeSet::new(),
        }
    }

    /// Whether roles count.
    pub(crate) fn has_rbac(&self) -> bool {
        self.modes.contains(&Mode::Rbac)
    }

    /// What roles and bindings say.
    pub(crate) fn rbac(&self) -> &Rbac {
        &self.rbac
    }

    /// Everything is known anew.
    pub(crate) fn fill(&mut self, resources: &Resources) {
        self.granted.clear();
        self.rbac = Rbac::of(resources);
        self.graph = node::Graph::of(resources);
    }

    /// A role, a binding or what belongs to a node changed.
    pub(crate) fn observe(&mut self, kind: &api::kinds::Kind, change: &crate::cache::Change) {
        if kind.group == rbac::GROUP {
            self.granted.clear();
            self.rbac.observe(kind.plural, change);
        } else if self.modes.contains(&Mode::Node) {
            self.graph.observe(kind, change);
        }
    }

    /// Refuses what the user may not do, in upstream's words.
    pub(crate) fn allow(&mut self, user: &User, info: &RequestInfo) -> Result<(), Status> {
        let asked = Attributes::of(info);
        if asked.path.is_some_and(is_always_allowed) || is_master(user) {
            return Ok(());
        }
        let hash = hash(user, &asked);
        if self.granted.contains(&hash) {
            return Ok(());
        }
        let decision = self.decide(user, &asked);
        if !decision.allowed {
            return Err(refusal(user, &asked, &decision.reason));
        }
        if self.decide(user, &Attributes { name: "", ..asked }).allowed {
            self.granted.insert(hash);
        }
        Ok(())
    }

    /// Everything somebody may do in a namespace, and what went wrong with looking.
    pub(crate) fn rules_for(&self, user: &User, namespace: &str) -> (Vec<Rule>, Vec<String>) {
        let (mut rules, mut errors) = (Vec::new(), Vec::new());
        let everything = is_master(user) || self.modes.contains(&Mode::AlwaysAllow);
        if everything {
            rules.extend(Rule::everything());
        }
        if is_node(user) && self.modes.contains(&Mode::Node) {
            errors.push("node authorizer does not support user rule resolution".to_owned());
        }
        if self.has_rbac() {
            let (held, missing) = self.rbac.rules_for(user, namespace);
            rules.extend(held);
            errors.extend(missing);
        }
        (rules, errors)
    }

    /// Asks the authorizers.
    pub(crate) fn decide(&self, user: &User, asked: &Attributes<'_>) -> Decision {
        let mut reason = String::new();
        let yes = |reason| Decision {
            allowed: true,
            reason,
        };
        if is_master(user) {
            return yes(String::new());
        }
        for mode in &self.modes {
            match mode {
                // A server that allows everything takes no strangers.
                Mode::AlwaysAllow if &*user.name == ANONYMOUS => {}
                Mode::AlwaysAllow => return yes(String::new()),
                Mode::AlwaysDeny => {}
                Mode::Node => {
                    let allows = |rule: &Rule| rule.allows(asked);
                    if is_node(user) && self.node_rules.iter().any(allows) {
                        let name = user.name.trim_start_matches("system:node:");
                        match self.graph.refusal(name, asked) {
                            None => return yes(String::new()),
                            Some(why) => reason = why,
                        }
                    }
                }
                Mode::Rbac => match self.rbac.decide(user, asked) {
                    Ok(by) => return yes(format!("RBAC: allowed by {by}")),
                    Err(errors) if errors.is_empty() => {}
                    Err(errors) => {
                        if !reason.is_empty() {
                            reason.push('\n');
                        }
                        reason.push_str(&format!("RBAC: {}", aggregate(errors)));
                    }
                },
            }
        }
        Decision {
            allowed: false,
            reason,
        }
    }
}

/// Several errors in one: `[a, b]`, without those said before.
fn aggregate(errors: Vec<String>) -> String {
    let mut once: Vec<String> = Vec::new();
    for error in errors {
        if !once.contains(&error) {
            once.push(error);
        }
    }
    match once.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// Whether somebody is in the group that may do everything.
pub(crate) fn is_master(user: &User) -> bool {
    user.groups.iter().any(|group| &**group == MASTERS)
}

fn is_node(user: &User) -> bool {
    user.name.starts_with("system:node:") && user.groups.iter().any(|group| &**group == NODES)
}

fn is_always_allowed(path: &str) -> bool {
    ALWAYS.contains(&path)
}

/// A number for who wants to do what, names of objects aside.
fn hash(user: &User, asked: &Attributes<'_>) -> u64 {
    let groups = user.groups.iter().map(|group| &**group);
    let fields = [
        &*user.name,
        asked.verb,
        asked.group,
        asked.resource,
        asked.subresource,
        asked.namespace,
        asked.path.unwrap_or_default(),
    ];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in fields.into_iter().chain(groups) {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// `pods is forbidden: User "bob" cannot list resource "pods" in API group "" at the cluster scope`
pub(crate) fn refusal(user: &User, asked: &Attributes<'_>, reason: &str) -> Status {
    let mut why = format!("User {:?} cannot {} ", &*user.name, asked.verb);
    if let Some(path) = asked.path {
        why.push_str(&format!("path {path:?}"));
    } else {
        let resource = match asked.subresource {
            "" => asked.resource.to_owned(),
            subresource => format!("{}/{subresource}", asked.resource),
        };
        why.push_str(&format!(
            "resource {resource:?} in API group {:?} ",
            asked.group
        ));
        match asked.namespace {
            "" => why.push_str("at the cluster scope"),
            namespace => why.push_str(&format!("in the namespace {namespace:?}")),
        }
    }
    if !reason.is_empty() {
        why.push_str(": ");
        why.push_str(reason);
    }
    status::forbidden(asked.group, asked.resource, asked.name, why)
}

#[cfg(test)]
mod tests;
