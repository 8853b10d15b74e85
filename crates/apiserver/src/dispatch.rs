//! Which part of the server a request for a resource is for: by its kind, subresource and verb.
//!
//! Models apiserver/pkg/endpoints/installer.go.

use api::kinds::Kind;
use api::{Status, status};

use crate::effect::Cx;
use crate::reply::MEDIA_TYPES;
use crate::server::{ApiServer, Ask};

/// Bodies are read up to this size.
const MAX_BODY: u64 = 3 << 20;

impl ApiServer {
    /// Serves a request for a resource, or refuses it.
    pub(crate) fn dispatch(&mut self, cx: &mut Cx<'_>, ask: &Ask) -> Result<(), Status> {
        let info = &ask.info;
        let kind = self
            .resources
            .kind(&info.group, &info.version, &info.resource)
            .ok_or_else(status::path_not_found)?;
        if ask.accept.impossible {
            return Err(status::not_acceptable(&MEDIA_TYPES));
        }
        if ask.request.body.size() > MAX_BODY {
            return Err(status::too_large(&format!("limit is {MAX_BODY}")));
        }
        check_scope(kind, ask)?;
        let listed = matches!(info.verb, "list" | "watch" | "deletecollection");
        if listed && !ask.query.malformed.is_empty() {
            return Err(status::bad_request(&ask.query.malformed));
        }
        if !info.subresource.is_empty() {
            let sub = kind
                .subresource(&info.subresource)
                .ok_or_else(status::path_not_found)?;
            if !sub.verbs.contains(&info.verb) {
                return Err(status::method_not_allowed());
            }
            return self.subresource(cx, ask, kind, sub);
        }
        // PATCH and PUT of a collection, POST to an object: paths that exist, but not so.
        let on_one = matches!(info.verb, "get" | "update" | "patch" | "delete");
        let on_many = matches!(info.verb, "list" | "create" | "deletecollection");
        if (on_one && info.name.is_empty()) || (on_many && !info.name.is_empty()) {
            return Err(status::method_not_allowed());
        }
        if !kind.verbs.contains(&info.verb) {
            return Err(status::method_not_allowed());
        }
        self.check_custom(kind, info.verb)?;
        let Some(resource) = self.resources.of_kind(kind) else {
            return self.virtual_kind(cx, ask, kind);
        };
        match info.verb {
            "get" => self.get(cx, ask, kind, resource),
            "list" => self.list(cx, ask, kind, resource),
            "watch" => self.watch(cx, ask, kind, resource),
            "create" => self.begin_create(cx, ask, kind, resource),
            "update" => self.begin_update(cx, ask, kind, resource, ""),
            "patch" => self.begin_patch(cx, ask, kind, resource, ""),
            "delete" => self.begin_delete(cx, ask, kind, resource),
            "deletecollection" => self.begin_delete_collection(cx, ask, kind, resource),
            _ => Err(status::method_not_allowed()),
        }
    }
}

/// Refuses paths that do not fit the kind's scope.
fn check_scope(kind: &Kind, ask: &Ask) -> Result<(), Status> {
    let info = &ask.info;
    let own_name = info.resource == "namespaces" && info.namespace == info.name;
    if !kind.namespaced && !info.namespace.is_empty() && !own_name {
        return Err(status::path_not_found());
    }
    if kind.namespaced && info.namespace.is_empty() {
        if !info.name.is_empty() {
            return Err(status::path_not_found());
        }
        if matches!(info.verb, "create" | "deletecollection") {
            return Err(status::method_not_allowed());
        }
    }
    Ok(())
}
