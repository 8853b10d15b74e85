//! What expressions see of a request: the object, the request, its namespace, the authorizer.
//!
//! Models apiserver/pkg/admission/plugin/cel/activation.go.

use std::rc::Rc;

use api::cel::{Ask, Authorize, Bindings, Opaque, Val};
use api::kinds::Kind;
use api::kinds::support::policy::{Policy, namespace_type, request_type};
use api::{Map, Value, object};

use crate::authn::User;
use crate::authz::{Attributes, Authorizer};
use crate::list::shown;
use crate::server::ApiServer;
use crate::subresources::connect::CONNECTED;
use crate::subresources::scale;
use crate::write::{Deed, Write};

/// A request as policies see it.
pub(crate) struct Subject<'a> {
    pub(crate) write: &'a Write,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
    pub(crate) operation: &'static str,
    /// The object as it is to be; null for a deletion.
    pub(crate) object: Value,
    /// The object as it was; null for a creation.
    pub(crate) old: Value,
    /// The namespace it lies in, or the one it is.
    pub(crate) namespace: Option<Value>,
    /// The versions the resource is served in.
    pub(crate) versions: Vec<&'static str>,
}

impl<'a> Subject<'a> {
    /// A write of `new` in place of `old`; either may be missing.
    pub(crate) fn new(
        server: &ApiServer,
        write: &'a Write,
        new: Option<&Value>,
        old: Option<&Value>,
    ) -> Subject<'a> {
        let seen = |object: Option<&Value>| match object {
            None => Value::Null,
            Some(object) if matches!(write.deed, Deed::Scale(_)) => scale::of(write.kind, object),
            Some(object) => shown(write.kind, object),
        };
        let (object, old) = (seen(new), seen(old));
        let namespace = if write.kind.kind == "Namespace" {
            Some(if object.is_null() {
                old.clone()
            } else {
                object.clone()
            })
        } else {
            let found = server.resources.lookup("", "namespaces", &write.namespace);
            found.map(|entry| entry.value.clone())
        };
        Subject {
            operation: match (new, old.is_null()) {
                _ if CONNECTED.contains(&write.subresource) => "CONNECT",
                (None, _) => "DELETE",
                (_, true) => "CREATE",
                _ => "UPDATE",
            },
            write,
            object,
            old,
            namespace,
            versions: {
                let own = write.kind;
                let of = |kind: &&Kind| kind.group == own.group && kind.plural == own.plural;
                let all = server.resources.kinds().filter(of);
                all.map(|kind| kind.version).collect()
            },
        }
    }

    /// Policies do not govern policies.
    pub(super) fn is_exempt(&self) -> bool {
        self.write.kind.group == super::GROUP
    }

    /// The variables of a policy's expressions, those that it computes itself aside.
    pub(super) fn bindings(&self, server: &ApiServer, policy: &Policy, params: &Value) -> Bindings {
        let own = self.write.kind.kind == "Namespace";
        let namespace = self.namespace.as_ref().filter(|_| !own);
        let namespace = namespace.map_or(Val::Null, |found| {
            let mut found = found.clone();
            for key in ["selfLink", "uid", "managedFields", "ownerReferences"] {
                found.remove(&format!("metadata.{key}"));
            }
            namespace_type().read(&found)
        });
        let mut bindings = Bindings::new()
            .with("object", &self.object)
            .with("oldObject", &self.old)
            .with("params", params)
            .with_val("namespaceObject", namespace)
            .with_val("request", request_type().read(&self.request()));
        if asks_authorizer(policy) {
            let asker: Rc<dyn Authorize> = Rc::new(Asker {
                authorizer: server.authorizer.clone(),
                user: self.write.user.clone(),
            });
            let ask = Ask {
                group: self.write.kind.group.into(),
                resource: self.write.kind.plural.into(),
                subresource: self.write.subresource.into(),
                namespace: self.write.namespace.clone(),
                name: self.write.name.clone(),
                ..Ask::default()
            };
            let own = Opaque::resource_check(asker.clone(), ask);
            bindings = bindings
                .with_val(
                    "authorizer",
                    Val::Opaque(Rc::new(Opaque::authorizer(asker))),
                )
                .with_val("authorizer.requestResource", Val::Opaque(Rc::new(own)));
        }
        bindings
    }

    /// The variable `request`.
    pub(in crate::admission) fn request(&self) -> Value {
        let write = self.write;
        let (kind, user) = (write.kind, &write.user);
        let (group, version) = (kind.group, kind.version);
        let scaled = matches!(write.deed, Deed::Scale(_));
        // What is created or connected to below an object is of a kind of its own.
        let below = !write.subresource.is_empty()
            && self.object.is_map()
            && self.object.kind() != kind.kind;
        let of_kind = match scaled {
            _ if below => {
                let of = self.object.api_version();
                let (group, version) = of.split_once('/').unwrap_or(("", of));
                object! { "group": group, "version": version, "kind": self.object.kind() }
            }
            true => object! { "group": "autoscaling", "version": "v1", "kind": "Scale" },
            false => object! { "group": group, "version": version, "kind": kind.kind },
        };
        let resource = object! { "group": group, "version": version, "resource": kind.plural };
        let options = match self.operation {
            "CREATE" => "CreateOptions",
            "UPDATE" => "UpdateOptions",
            "DELETE" => "DeleteOptions",
            _ => "",
        };
        let mut request = object! {
            "kind": of_kind.clone(),
            "resource": resource.clone(),
            "requestKind": of_kind,
            "requestResource": resource,
            "name": write.name.as_str(),
            "operation": self.operation,
            "userInfo": user_info(user),
            "dryRun": write.dry_run,
        };
        if !options.is_empty() {
            request.set(
                "options",
                object! { "kind": options, "apiVersion": "meta.k8s.io/v1" },
            );
        }
        if !write.namespace.is_empty() {
            request.set("namespace", write.namespace.as_str());
        } else if kind.kind == "Namespace" {
            request.set("namespace", write.name.as_str());
        }
        if !write.subresource.is_empty() {
            request.set("subResource", write.subresource);
            request.set("requestSubResource", write.subresource);
        }
        request
    }
}

fn user_info(user: &User) -> Value {
    let groups = user
        .groups
        .iter()
        .map(|group| Value::from(&**group))
        .collect();
    let mut info = object! { "username": &*user.name, "groups": Value::list_of(groups) };
    if !user.uid.is_empty() {
        info.set("uid", &*user.uid);
    }
    let mut extra = Map::new();
    for (key, value) in &user.extra {
        let mut values = extra.get(key).map_or_else(Vec::new, |v| v.list().to_vec());
        values.push((&**value).into());
        extra.insert(&**key, Value::list_of(values));
    }
    if !extra.is_empty() {
        info.set("extra", Value::Map(extra));
    }
    info
}

fn asks_authorizer(policy: &Policy) -> bool {
    let validations = policy.validations.iter().map(|(program, _)| program);
    let annotations = policy.annotations.iter().map(|(_, program)| program);
    let variables = policy.variables.iter().map(|(_, program)| program);
    let mut all = policy
        .conditions
        .iter()
        .chain(&policy.mutations)
        .chain(validations.chain(annotations).chain(variables));
    all.any(|program| program.uses("authorizer"))
}

/// The server's authorizer, asked for one user.
#[derive(Debug)]
struct Asker {
    authorizer: Authorizer,
    user: Rc<User>,
}

impl Authorize for Asker {
    fn decide(&self, ask: &Ask) -> (bool, String) {
        let account;
        let user = match &ask.account {
            None => &self.user,
            Some((namespace, name)) => {
                account = Rc::new(User {
                    name: format!("system:serviceaccount:{namespace}:{name}").into(),
                    groups: vec![
                        "system:serviceaccounts".into(),
                        format!("system:serviceaccounts:{namespace}").into(),
                        "system:authenticated".into(),
                    ],
                    uid: "".into(),
                    extra: Vec::new(),
                });
                &account
            }
        };
        let decision = self.authorizer.decide(
            user,
            &Attributes {
                verb: &ask.verb,
                group: &ask.group,
                resource: &ask.resource,
                subresource: &ask.subresource,
                namespace: &ask.namespace,
                name: &ask.name,
                path: ask.path.as_deref(),
            },
        );
        (decision.allowed, decision.reason)
    }
}
