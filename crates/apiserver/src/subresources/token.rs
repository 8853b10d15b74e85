//! Tokens for service accounts.
//!
//! Models pkg/registry/core/serviceaccount/storage/token.go.

use api::{FieldError, Status, Value, body_value, object, status};

use crate::effect::{Action, Cx};
use crate::reply;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::token::{Bound, Claims, sign};
use sim::Duration;

/// The shortest time a token may be valid.
const MIN_SECS: i64 = 600;
/// The time a token is valid that asks for none.
const DEFAULT_SECS: i64 = 3600;
/// Who asks for exactly this is the admission plugin, for pods whose programs may never read their
/// token again: such a token is valid for longer than was asked.
const WARN_ONLY_SECS: i64 = 3607;
const EXTENDED_SECS: i64 = 365 * 24 * 60 * 60;

impl ApiServer {
    /// Answers a TokenRequest.
    pub(crate) fn token_request(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let key = format!("{}/{}", ask.info.namespace, ask.info.name);
        let account = self.resources.get(resource).cache.get(&key).cloned();
        let account =
            account.ok_or_else(|| status::not_found("", "serviceaccounts", &ask.info.name))?;
        let mut request = body_value(&ask.request.body)
            .map_err(|error| status::bad_request(error.message.to_string()))?;
        let secs = request
            .i64_at("spec.expirationSeconds")
            .unwrap_or(DEFAULT_SECS);
        if secs < MIN_SECS {
            let why = "may not specify a duration less than 10 minutes";
            let error = FieldError::invalid("spec.expirationSeconds", secs, why);
            let group = "authentication.k8s.io";
            return Err(status::invalid(group, "TokenRequest", "", &[error]));
        }
        let mut audiences = request.list_at("spec.audiences").to_vec();
        if audiences.is_empty() {
            audiences.push(Value::from(&*self.config.issuer));
        }
        let bound = request.at("spec.boundObjectRef").clone();
        let bound = self.bound(&ask.info.namespace, &bound)?;
        let to_pod = bound.as_ref().is_some_and(|bound| bound.kind == "pod");
        let own = [Value::from(&*self.config.issuer)];
        let extended = to_pod && secs == WARN_ONLY_SECS && audiences == own;
        let claims = Claims {
            namespace: &ask.info.namespace,
            service_account: &ask.info.name,
            uid: account.value.uid(),
            audiences: audiences.clone(),
            bound: bound.as_ref(),
            expires_secs: if extended { EXTENDED_SECS } else { secs },
            warn_after_secs: extended.then_some(secs),
            id: self.random.uuid(),
        };
        let token = sign(&self.config, cx.now, &claims);
        let expires = cx.now + Duration::from_secs(secs as u64);
        request.set("kind", "TokenRequest");
        request.set("apiVersion", "authentication.k8s.io/v1");
        request.set(
            "metadata",
            object! {
                "name": ask.info.name.as_str(),
                "namespace": ask.info.namespace.as_str(),
                "creationTimestamp": cx.now.rfc3339(),
            },
        );
        request.set("spec.audiences", Value::list_of(audiences));
        request.set("spec.expirationSeconds", secs);
        request.set(
            "status",
            object! {
                "token": token,
                "expirationTimestamp": expires.rfc3339(),
            },
        );
        cx.act(Action::Respond(
            ask.from,
            reply::object(201, &request, ask.accept),
        ));
        Ok(())
    }

    /// What a token is to be bound to, if that is there.
    fn bound(&self, namespace: &str, to: &Value) -> Result<Option<Bound>, Status> {
        if !to.is_map() {
            return Ok(None);
        }
        let name = to.str("name");
        let own = format!("{namespace}/{name}");
        let (kind, plural, key) = match (to.api_version(), to.kind()) {
            ("v1", "Pod") => ("pod", "pods", own.as_str()),
            ("v1", "Secret") => ("secret", "secrets", own.as_str()),
            ("v1", "Node") => ("node", "nodes", name),
            (version, kind) => {
                return Err(status::bad_request(format!(
                    "cannot bind token for serviceaccount to object of type {version}, Kind={kind}"
                )));
            }
        };
        let object = self
            .resources
            .lookup("", plural, key)
            .ok_or_else(|| status::not_found("", plural, name))?;
        let uid = to.str("uid");
        if !uid.is_empty() && uid != object.value.uid() {
            let why = format!(
                "the UID in the bound object reference ({uid}) does not match the UID in record. \
                 The object might have been deleted and then recreated"
            );
            return Err(status::conflict("", plural, name, why));
        }
        let node = object.value.str_at("spec.nodeName");
        let node = self
            .resources
            .lookup("", "nodes", node)
            .filter(|_| kind == "pod");
        Ok(Some(Bound {
            kind,
            name: name.to_owned(),
            uid: object.value.uid().to_owned(),
            node: node.map(|node| (node.value.name().to_owned(), node.value.uid().to_owned())),
        }))
    }
}
