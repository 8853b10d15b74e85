//! The verbs of the API as HTTP requests. Builds requests, sends none.
//! Models client-go/rest/request.go.

use api::{Value, body, object};
use net::http::{Method, Request, percent_encode};

use crate::Resource;

/// What a list or watch is asked to leave out, and from when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// `app=web,tier in (a)`; empty for all.
    pub label_selector: String,
    /// `spec.nodeName=node01`; empty for all.
    pub field_selector: String,
    /// Empty: what is newest; `0`: any; else at least this.
    pub resource_version: String,
    /// At most so many items; 0 for no limit.
    pub limit: u32,
    /// Where the page before ended; empty for the first.
    pub continue_token: String,
}

/// How a patch document is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patch {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Lists merge by their keys.
    Strategic,
}

/// What becomes of dependents when an object is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They lose their reference and stay.
    Orphan,
    /// They are deleted later.
    Background,
    /// They are deleted first.
    Foreground,
}

/// How to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Overrides the object's own grace period.
    pub grace_period_secs: Option<u32>,
    /// Overrides the resource's default.
    pub propagation: Option<Propagation>,
    /// Only the object of this uid; empty for any.
    pub uid: String,
    /// Only at this version; empty for any.
    pub resource_version: String,
}

/// `GET` of a collection.
#[must_use]
pub fn list(resource: &Resource, namespace: &str, options: &ListOptions) -> Request {
    let mut query = Query::default();
    query.add("continue", &options.continue_token);
    query.add("fieldSelector", &options.field_selector);
    query.add("labelSelector", &options.label_selector);
    if options.limit > 0 {
        query.add("limit", &options.limit.to_string());
    }
    query.add("resourceVersion", &options.resource_version);
    json(Request::get(
        query.target(resource.collection_path(namespace)),
    ))
}

/// A watch of a collection from `options.resource_version` on. The server ends it after
/// `timeout_secs`.
#[must_use]
pub fn watch(
    resource: &Resource,
    namespace: &str,
    options: &ListOptions,
    timeout_secs: u64,
) -> Request {
    let mut query = Query::default();
    query.add("allowWatchBookmarks", "true");
    query.add("fieldSelector", &options.field_selector);
    query.add("labelSelector", &options.label_selector);
    query.add("resourceVersion", &options.resource_version);
    query.add("timeoutSeconds", &timeout_secs.to_string());
    query.add("watch", "true");
    json(Request::get(
        query.target(resource.collection_path(namespace)),
    ))
}

/// `GET` of one object.
#[must_use]
pub fn get(resource: &Resource, namespace: &str, name: &str) -> Request {
    json(Request::get(resource.object_path(namespace, name, "")))
}

/// `POST` into a collection.
#[must_use]
pub fn create(resource: &Resource, namespace: &str, object: Value) -> Request {
    with_object(Method::Post, resource.collection_path(namespace), object)
}

/// `POST` to a subresource, such as a pod's `binding`.
#[must_use]
pub fn create_sub(
    resource: &Resource,
    namespace: &str,
    name: &str,
    subresource: &str,
    object: Value,
) -> Request {
    with_object(
        Method::Post,
        resource.object_path(namespace, name, subresource),
        object,
    )
}

/// `PUT` of an object, or of a subresource of it unless that is empty.
#[must_use]
pub fn update(resource: &Resource, object: Value, subresource: &str) -> Request {
    let path = resource.object_path(object.namespace(), object.name(), subresource);
    with_object(Method::Put, path, object)
}

/// `PATCH` of an object, or of a subresource of it unless that is empty.
#[must_use]
pub fn patch(
    resource: &Resource,
    namespace: &str,
    name: &str,
    subresource: &str,
    form: Patch,
    document: Value,
) -> Request {
    let content_type = match form {
        Patch::Json => "application/json-patch+json",
        Patch::Merge => "application/merge-patch+json",
        Patch::Strategic => "application/strategic-merge-patch+json",
    };
    let path = resource.object_path(namespace, name, subresource);
    with_object(Method::Patch, path, document).with_header("Content-Type", content_type)
}

/// `DELETE` of one object.
#[must_use]
pub fn delete(
    resource: &Resource,
    namespace: &str,
    name: &str,
    options: &DeleteOptions,
) -> Request {
    with_object(
        Method::Delete,
        resource.object_path(namespace, name, ""),
        options.object(),
    )
}

/// `DELETE` of a whole collection.
#[must_use]
pub fn delete_collection(
    resource: &Resource,
    namespace: &str,
    selection: &ListOptions,
    options: &DeleteOptions,
) -> Request {
    let mut query = Query::default();
    query.add("fieldSelector", &selection.field_selector);
    query.add("labelSelector", &selection.label_selector);
    let target = query.target(resource.collection_path(namespace));
    with_object(Method::Delete, target, options.object())
}

impl DeleteOptions {
    /// With the given propagation, else the server's defaults.
    #[must_use]
    pub fn propagating(propagation: Propagation) -> DeleteOptions {
        DeleteOptions {
            propagation: Some(propagation),
            ..DeleteOptions::default()
        }
    }

    /// The same, for the object of this uid alone.
    #[must_use]
    pub fn for_uid(mut self, uid: &str) -> DeleteOptions {
        uid.clone_into(&mut self.uid);
        self
    }

    /// The same, with a grace period.
    #[must_use]
    pub fn with_grace(mut self, secs: u32) -> DeleteOptions {
        self.grace_period_secs = Some(secs);
        self
    }

    /// The body of the request.
    #[must_use]
    pub fn object(&self) -> Value {
        let mut object = object! { "kind": "DeleteOptions", "apiVersion": "v1" };
        if let Some(secs) = self.grace_period_secs {
            object.set("gracePeriodSeconds", i64::from(secs));
        }
        if let Some(propagation) = self.propagation {
            object.set("propagationPolicy", propagation.as_str());
        }
        object.set_or_remove("preconditions.uid", self.uid.as_str());
        object.set_or_remove(
            "preconditions.resourceVersion",
            self.resource_version.as_str(),
        );
        object
    }
}

impl Propagation {
    /// As `propagationPolicy` spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Propagation::Orphan => "Orphan",
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
        }
    }
}

fn json(request: Request) -> Request {
    request.with_header("Accept", "application/json")
}

fn with_object(method: Method, target: String, object: Value) -> Request {
    json(Request::new(method, target))
        .with_header("Content-Type", "application/json")
        .with_body(body(object))
}

#[derive(Default)]
struct Query(String);

impl Query {
    /// Adds a pair unless its value is empty.
    fn add(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.0.push(if self.0.is_empty() { '?' } else { '&' });
            self.0.push_str(name);
            self.0.push('=');
            self.0.push_str(&percent_encode(value));
        }
    }

    fn target(self, path: String) -> String {
        path + &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LEASES, PODS};

    #[test]
    fn requests_say_what_is_meant() {
        #[track_caller]
        fn check(request: &Request, method: Method, target: &str) {
            assert_eq!((request.method, &*request.target), (method, target));
        }
        let options = ListOptions {
            field_selector: "spec.nodeName=node01".into(),
            resource_version: "7".into(),
            limit: 500,
            ..ListOptions::default()
        };
        check(
            &list(&PODS, "", &options),
            Method::Get,
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode01&limit=500&resourceVersion=7",
        );
        check(
            &watch(&LEASES, "kube-node-lease", &ListOptions::default(), 300),
            Method::Get,
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases\
             ?allowWatchBookmarks=true&timeoutSeconds=300&watch=true",
        );
        let patch = patch(&PODS, "a", "b", "status", Patch::Strategic, object! {});
        check(&patch, Method::Patch, "/api/v1/namespaces/a/pods/b/status");
        assert_eq!(
            patch.headers.get("content-type"),
            Some("application/strategic-merge-patch+json")
        );
    }

    #[test]
    fn delete_options() {
        let options = DeleteOptions::propagating(Propagation::Background)
            .for_uid("u")
            .with_grace(0);
        assert_eq!(
            options.object(),
            object! {
                "apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0,
                "preconditions": { "uid": "u" }, "propagationPolicy": "Background",
            }
        );
    }
}
