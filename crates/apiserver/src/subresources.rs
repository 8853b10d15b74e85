//! Parts of a resource with paths of their own. Which kind has which is said by its descriptor.

pub(crate) mod binding;
pub(crate) mod connect;
pub(crate) mod eviction;
mod http_proxy;
pub(crate) mod proxy;
pub(crate) mod scale;
pub(crate) mod token;

use api::kinds::{Kind, Subresource};
use api::{Status, status};

use crate::effect::{Action, Cx};
use crate::list::{one, shown};
use crate::reply::{MEDIA_TYPES, Transform};
use crate::server::{ApiServer, Ask};

impl ApiServer {
    /// Serves a request for a subresource. That the verb fits is checked already.
    pub(crate) fn subresource(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        sub: &'static Subresource,
    ) -> Result<(), Status> {
        let resource = self
            .resources
            .of_kind(kind)
            .ok_or_else(status::path_not_found)?;
        match (sub.name, ask.info.verb) {
            ("scale", _) => self.scale(cx, ask, kind, resource),
            ("binding", _) => self.begin_bind(cx, ask, kind, resource),
            ("eviction", _) => self.begin_evict(cx, ask, kind, resource),
            ("token", _) => self.token_request(cx, ask, resource),
            ("log" | "exec" | "attach" | "portforward", _) => {
                if connect::CONNECTED.contains(&sub.name) {
                    self.begin_connect(cx, ask, kind, resource, sub.name);
                    return Ok(());
                }
                self.pod_connect(cx, ask, kind, resource)
            }
            ("proxy", _) => self.http_proxy(cx, ask, kind, resource),
            (_, "get") => {
                let entry = self.find(resource, kind, &ask.info.namespace, &ask.info.name)?;
                let response = one(cx, kind, &shown(kind, &entry.value), ask);
                cx.act(Action::Respond(ask.from, response));
                Ok(())
            }
            (name, "update") => self.begin_update(cx, ask, kind, resource, name),
            (name, "patch") => self.begin_patch(cx, ask, kind, resource, name),
            _ => Err(status::method_not_allowed()),
        }
    }

    /// Serves a kind that is asked for but never stored.
    pub(crate) fn virtual_kind(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
    ) -> Result<(), Status> {
        // What is not stored has no rows and no metadata to show.
        if ask.accept.transform != Transform::None && !ask.accept.has_plain {
            return Err(status::not_acceptable(&MEDIA_TYPES));
        }
        match (kind.group, kind.plural) {
            ("", "bindings") => {
                let pods = api::kinds::find("", "v1", "pods").ok_or_else(status::path_not_found)?;
                let resource = self
                    .resources
                    .of_kind(pods)
                    .ok_or_else(status::path_not_found)?;
                self.begin_bind(cx, ask, pods, resource)
            }
            ("authorization.k8s.io" | "authentication.k8s.io", _) => self.review(cx, ask, kind),
            ("", "componentstatuses") => self.component_status(cx, ask, kind),
            _ => {
                let why = sim::unmodelled!("a kind that is not stored");
                Err(status::internal(format!("{why}: {}", kind.qualified())))
            }
        }
    }
}
