//! Questions about access, answered and not stored: may somebody do this, what may I do, who am I.
//!
//! Models pkg/registry/authorization, pkg/registry/authentication and
//! apiserver/pkg/authorization/authorizer.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::kinds::Kind;
use api::{FieldError, Status, Value, object, status};

use crate::authn::User;
use crate::authz::{Attributes, rule::Rule};
use crate::decode::{Validation, decode};
use crate::effect::{Action, Cx};
use crate::list::one;
use crate::reply;
use crate::server::{ApiServer, Ask};
use crate::table;
use crate::token;

impl ApiServer {
    /// Answers a review.
    pub(crate) fn review(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
    ) -> Result<(), Status> {
        let validation = Validation::of(&ask.query)?;
        let mut review = decode(&self.schemas, kind, &ask.request, validation)?.object;
        let invalid = |errors: &[FieldError]| {
            let name = review.name();
            status::invalid(kind.group, kind.kind, name, errors)
        };
        let answer = match kind.kind {
            "SelfSubjectReview" => object! { "userInfo": user_info(&ask.user) },
            "TokenReview" => match review.str_at("spec.token") {
                "" => {
                    let error = FieldError::required("spec.token", "");
                    return Err(invalid(&[error]));
                }
                token => self.token_review(cx, token, review.list_at("spec.audiences")),
            },
            "SelfSubjectRulesReview" => match review.str_at("spec.namespace") {
                "" => return Err(status::bad_request("no namespace on request")),
                namespace => self.rules_review(&ask.user, namespace),
            },
            _ => {
                let errors = wrong(&review, kind, &ask.info.namespace);
                if !errors.is_empty() {
                    return Err(invalid(&errors));
                }
                let user = match kind.kind {
                    "SelfSubjectAccessReview" => (*ask.user).clone(),
                    _ => asked_about(review.get("spec")),
                };
                self.access_review(&user, review.get("spec"))
            }
        };
        review.set("status", answer);
        let response = reply::object(201, &review, ask.accept);
        cx.act(Action::Respond(ask.from, response));
        Ok(())
    }

    fn access_review(&self, user: &User, spec: &Value) -> Value {
        let (resource, page) = (
            spec.get("resourceAttributes"),
            spec.get("nonResourceAttributes"),
        );
        let asked = match page.is_null() {
            true => Attributes {
                verb: resource.str("verb"),
                group: resource.str("group"),
                resource: resource.str("resource"),
                subresource: resource.str("subresource"),
                namespace: resource.str("namespace"),
                name: resource.str("name"),
                path: None,
            },
            false => Attributes {
                verb: page.str("verb"),
                path: Some(page.str("path")),
                ..Attributes::default()
            },
        };
        let decision = self.authorizer.decide(user, &asked);
        let mut answer = object! { "allowed": decision.allowed };
        if !decision.reason.is_empty() {
            answer.set("reason", decision.reason);
        }
        answer
    }

    fn rules_review(&self, user: &User, namespace: &str) -> Value {
        let (rules, errors) = self.authorizer.rules_for(user, namespace);
        let (pages, resources): (Vec<&Rule>, Vec<&Rule>) =
            rules.iter().partition(|rule| !rule.urls.is_empty());
        let listed = |rules: Vec<&Rule>| -> Value {
            Value::list_of(rules.into_iter().map(Rule::to_value).collect())
        };
        let mut answer = object! {
            "resourceRules": listed(resources),
            "nonResourceRules": listed(pages),
            "incomplete": !errors.is_empty(),
        };
        if !errors.is_empty() {
            answer.set("evaluationError", errors.join(", "));
        }
        answer
    }

    fn token_review(&self, cx: &Cx<'_>, token: &str, audiences: &[Value]) -> Value {
        let mut wanted: Vec<&str> = audiences.iter().map(Value::as_str).collect();
        if wanted.is_empty() {
            wanted.push(&self.config.issuer);
        }
        match token::verify(&self.config, &self.resources, cx.now, token, &wanted) {
            Ok((user, audiences)) => object! {
                "authenticated": true,
                "user": user_info(&user),
                "audiences": audiences,
            },
            Err(why) => object! { "user": {}, "error": why },
        }
    }

    /// Answers how the parts of the control plane do, as far as their health is known here: the
    /// server speaks to etcd all the time, and the others renew their leases.
    pub(crate) fn component_status(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
    ) -> Result<(), Status> {
        let leads = |name: &str| {
            let key = format!("kube-system/{name}");
            let lease = self
                .resources
                .lookup("coordination.k8s.io", "leases", &key)?;
            let renewed = sim::Instant::parse_rfc3339(lease.value.str_at("spec.renewTime"))?;
            let secs = lease.value.i64_at("spec.leaseDurationSeconds")?.max(0);
            Some(renewed + sim::Duration::from_secs(secs as u64) > cx.now)
        };
        let port = |name: &str| match name {
            "kube-scheduler" => 10259,
            _ => 10257,
        };
        let component = |name: &str, lease: &str| {
            let healthy = lease.is_empty() || leads(lease).unwrap_or(false);
            let mut condition = object! {
                "type": "Healthy",
                "status": if healthy { "True" } else { "False" },
            };
            if healthy {
                condition.set("message", "ok");
            } else {
                let port = port(lease);
                let text = format!(
                    "Get \"https://127.0.0.1:{port}/healthz\": dial tcp 127.0.0.1:{port}: \
                     connect: connection refused"
                );
                condition.set("message", text);
            }
            object! {
                "apiVersion": "v1",
                "kind": "ComponentStatus",
                "metadata": { "name": name },
                "conditions": [condition],
            }
        };
        let all = [
            component("etcd-0", ""),
            component("controller-manager", "kube-controller-manager"),
            component("scheduler", "kube-scheduler"),
        ];
        let mut response = match ask.info.verb {
            "get" => {
                let found = all.iter().find(|object| object.name() == ask.info.name);
                let found =
                    found.ok_or_else(|| status::not_found("", kind.plural, &ask.info.name))?;
                one(cx, kind, found, ask)
            }
            _ if ask.accept.transform == reply::Transform::Table => {
                let include = ask.accept.include;
                let table = table::of(kind, all.iter(), object! {}, include, true, cx.now);
                reply::object(200, &table, ask.accept)
            }
            _ => {
                let list = object! {
                    "kind": "ComponentStatusList",
                    "apiVersion": "v1",
                    "metadata": {},
                    "items": Value::list_of(all.to_vec()),
                };
                reply::object(200, &list, ask.accept)
            }
        };
        crate::list::warn_deprecated(&mut response, kind);
        cx.act(Action::Respond(ask.from, response));
        Ok(())
    }
}

/// What is wrong with a question about access.
fn wrong(review: &Value, kind: &Kind, namespace: &str) -> Vec<FieldError> {
    let (spec, mut errors) = (review.get("spec"), Vec::new());
    let (resource, page) = (
        spec.get("resourceAttributes"),
        spec.get("nonResourceAttributes"),
    );
    if !resource.is_null() && !page.is_null() {
        let text = "cannot be specified in combination with resourceAttributes";
        errors.push(FieldError::invalid(
            "spec.nonResourceAttributes",
            page,
            text,
        ));
    }
    if resource.is_null() && page.is_null() {
        let text = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        errors.push(FieldError::invalid(
            "spec.resourceAttributes",
            Value::Null,
            text,
        ));
    }
    let about_self = kind.kind == "SelfSubjectAccessReview";
    if !about_self && spec.str("user").is_empty() && spec.list_at("groups").is_empty() {
        let text = "at least one of user or group must be specified";
        errors.push(FieldError::invalid("spec.user", "", text));
    }
    if kind.namespaced && resource.str("namespace") != namespace {
        let text = format!("must match metadata.namespace: {namespace}");
        let value = resource.str("namespace");
        errors.push(FieldError::invalid(
            "spec.resourceAttributes.namespace",
            value,
            text,
        ));
    }
    errors
}

/// Whom a review is about.
fn asked_about(spec: &Value) -> User {
    let groups = spec.list_at("groups").iter();
    User {
        name: spec.str("user").into(),
        groups: groups.map(|group| group.as_str().into()).collect(),
        uid: spec.str("uid").into(),
        extra: Vec::new(),
    }
}

/// A user as reviews show him.
fn user_info(user: &User) -> Value {
    let mut info = object! { "username": &*user.name };
    if !user.uid.is_empty() {
        info.set("uid", &*user.uid);
    }
    let groups: Vec<&str> = user.groups.iter().map(|group| &**group).collect();
    info.set("groups", groups);
    let mut extra: BTreeMap<&Rc<str>, Vec<&str>> = BTreeMap::new();
    for (key, value) in &user.extra {
        extra.entry(key).or_default().push(value);
    }
    for (key, values) in extra {
        info.set_path(&["extra", &**key], values);
    }
    info
}
