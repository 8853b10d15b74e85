//! Roles and bindings, kept so that a question is answered by walking the rules of the roles that
//! the asking user has.
//!
//! Models plugin/pkg/auth/authorizer/rbac/rbac.go and pkg/registry/rbac/validation/rule.go. One
//! difference: the controllers of kube-controller-manager send their requests with its own
//! certificate where upstream gives each a service account, so its user has what those accounts have.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Str, Value, go};

use super::Attributes;
use super::rule::Rule;
use crate::authn::User;
use crate::cache::Change;
use crate::resources::Resources;

/// The group of everything about roles.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

const CONTROLLER_MANAGER: &str = "system:kube-controller-manager";
/// The accounts of controllers begin so.
const CONTROLLERS: &str = "User/system:serviceaccount:kube-system:";

/// A binding, seen from one of its subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Binding {
    /// `namespace/name`, or `name` of one that counts everywhere.
    key: Str,
    /// Empty where it counts everywhere.
    namespace: Str,
    /// The role: `Role` or `ClusterRole`, its key and its name.
    kind: Str,
    role: Str,
    role_name: Str,
    /// `Group "developers"`
    subject: String,
}

impl Binding {
    /// `ClusterRoleBinding "a" of ClusterRole "b" to Group "c"`
    fn describe(&self) -> String {
        let (kind, name) = match self.namespace.as_str() {
            "" => ("ClusterRoleBinding", self.key.to_string()),
            namespace => {
                let name = self.key.split_once('/').map_or("", |(_, name)| name);
                ("RoleBinding", format!("{name}/{namespace}"))
            }
        };
        format!(
            "{kind} {} of {} {} to {}",
            go::quote(&name),
            self.kind,
            go::quote(&self.role_name),
            self.subject
        )
    }
}

/// What roles and bindings say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rbac {
    /// By kind of role and key.
    roles: BTreeMap<(bool, Str), Rc<Vec<Rule>>>,
    /// By `User/name` or `Group/name`.
    bindings: BTreeMap<String, Vec<Rc<Binding>>>,
}

impl Rbac {
    /// From all objects there are.
    pub(crate) fn of(resources: &Resources) -> Rbac {
        let mut rbac = Rbac::default();
        for plural in [
            "roles",
            "clusterroles",
            "rolebindings",
            "clusterrolebindings",
        ] {
            let Some(resource) = resources.named(GROUP, plural) else {
                continue;
            };
            for entry in resource.cache.objects().values() {
                rbac.add(plural, &entry.key, &entry.value);
            }
        }
        rbac
    }

    /// An object changed.
    pub(crate) fn observe(&mut self, plural: &str, change: &Change) {
        let key = &change.entry.key;
        if let Some(before) = &change.before {
            self.remove(plural, key, &before.value);
        }
        if !change.deleted {
            self.add(plural, key, &change.entry.value);
        }
    }

    fn add(&mut self, plural: &str, key: &Str, object: &Value) {
        if let "roles" | "clusterroles" = plural {
            let id = (plural == "clusterroles", key.clone());
            self.roles.insert(id, Rc::new(Rule::all(object)));
            return;
        }
        for (subject, binding) in bindings_of(key, object) {
            self.bindings
                .entry(subject)
                .or_default()
                .push(Rc::new(binding));
        }
    }

    fn remove(&mut self, plural: &str, key: &Str, object: &Value) {
        if let "roles" | "clusterroles" = plural {
            self.roles.remove(&(plural == "clusterroles", key.clone()));
            return;
        }
        for (subject, binding) in bindings_of(key, object) {
            let Some(list) = self.bindings.get_mut(&subject) else {
                continue;
            };
            list.retain(|held| **held != binding);
            if list.is_empty() {
                self.bindings.remove(&subject);
            }
        }
    }

    /// The bindings of a user that count in a namespace, those that count everywhere first.
    fn bindings(&self, user: &User, namespace: &str) -> Vec<&Rc<Binding>> {
        let user_key = format!("User/{}", user.name);
        let groups = user.groups.iter().map(|group| format!("Group/{group}"));
        let mut all: Vec<&Rc<Binding>> = Vec::new();
        for key in [user_key].into_iter().chain(groups) {
            all.extend(self.bindings.get(&key).into_iter().flatten());
        }
        if &*user.name == CONTROLLER_MANAGER {
            let accounts = self.bindings.range(CONTROLLERS.to_owned()..);
            let accounts = accounts.take_while(|(key, _)| key.starts_with(CONTROLLERS));
            all.extend(accounts.flat_map(|(_, list)| list));
        }
        all.retain(|binding| binding.namespace.is_empty() || binding.namespace == namespace);
        all.sort_by(|a, b| (&a.namespace, &a.key).cmp(&(&b.namespace, &b.key)));
        all
    }

    /// The binding that allows it; else what went wrong with looking.
    pub(crate) fn decide(
        &self,
        user: &User,
        asked: &Attributes<'_>,
    ) -> Result<String, Vec<String>> {
        let mut errors = Vec::new();
        for binding in self.bindings(user, asked.namespace) {
            let id = (binding.kind == "ClusterRole", binding.role.clone());
            match self.roles.get(&id) {
                Some(rules) if rules.iter().any(|rule| rule.allows(asked)) => {
                    return Ok(binding.describe());
                }
                Some(_) => {}
                None => errors.push(not_found(binding)),
            }
        }
        Err(errors)
    }

    /// Everything a user may do in a namespace, and what went wrong with looking.
    pub(crate) fn rules_for(&self, user: &User, namespace: &str) -> (Vec<Rule>, Vec<String>) {
        let (mut rules, mut errors) = (Vec::new(), Vec::new());
        for binding in self.bindings(user, namespace) {
            let id = (binding.kind == "ClusterRole", binding.role.clone());
            match self.roles.get(&id) {
                Some(held) => rules.extend(held.iter().cloned()),
                None => errors.push(not_found(binding)),
            }
        }
        (rules, errors)
    }

    /// The rules of the role that a binding names, if it is there.
    pub(crate) fn rules_of(&self, kind: &str, namespace: &str, name: &str) -> Option<&[Rule]> {
        let key = match kind {
            "ClusterRole" => name.to_owned(),
            _ => format!("{namespace}/{name}"),
        };
        let rules = self.roles.get(&(kind == "ClusterRole", Str::from(key)))?;
        Some(rules)
    }
}

fn not_found(binding: &Binding) -> String {
    let kind = binding.kind.to_lowercase();
    format!("{kind}.{GROUP} {} not found", go::quote(&binding.role_name))
}

/// A binding once for each of its subjects.
fn bindings_of(key: &Str, object: &Value) -> Vec<(String, Binding)> {
    let role = object.get("roleRef");
    let (kind, name) = (role.str("kind"), role.str("name"));
    let namespace = object.namespace();
    let role_key = match kind {
        "ClusterRole" => name.to_owned(),
        _ => format!("{namespace}/{name}"),
    };
    let mut all = Vec::new();
    for subject in object.list_at("subjects") {
        let name = subject.str("name");
        let (user, shown) = match subject.str("kind") {
            "ServiceAccount" => {
                let within = match subject.str("namespace") {
                    "" => namespace,
                    within => within,
                };
                let user = format!("User/system:serviceaccount:{within}:{name}");
                (user, format!("{name}/{within}"))
            }
            kind => (format!("{kind}/{name}"), name.to_owned()),
        };
        let binding = Binding {
            key: key.clone(),
            namespace: namespace.into(),
            kind: kind.into(),
            role: role_key.as_str().into(),
            role_name: role.str("name").into(),
            subject: format!("{} {}", subject.str("kind"), go::quote(&shown)),
        };
        all.push((user, binding));
    }
    all
}
