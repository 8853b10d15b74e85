//! Creating objects.
//!
//! Models apiserver/pkg/registry/rest/create.go and the create handler.

use std::rc::Rc;

use api::kinds::Kind;
use api::{Status, Str, Value, status};

use crate::admission;
use crate::authn::User;
use crate::authz::escalation;
use crate::decode::{Validation, decode};
use crate::effect::Cx;
use crate::list::key_of;
use crate::managed::check_options;
use crate::requester;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, Origin, Plan, Write};

/// The manager of what the server writes itself.
pub(crate) const SERVER: &str = "kube-apiserver";
/// A generated name is its prefix, cut to this length, and five random letters.
const MAX_PREFIX: usize = 63 - RANDOM;
const RANDOM: usize = 5;

impl ApiServer {
    /// A client wants an object created.
    pub(crate) fn begin_create(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        check_options(ask, "CreateOptions", None)?;
        let validation = Validation::of(&ask.query)?;
        let decoded = decode(&self.schemas, kind, &ask.request, validation)?;
        let mut object = decoded.object;
        match_namespace(kind, &mut object, &ask.info.namespace)?;
        self.audit.brought(ask.from, &object);
        let mut write = Write::of(cx, ask, kind, resource, Deed::Create(object));
        write.warnings.extend(decoded.warnings);
        self.attempt(cx, write);
        Ok(())
    }

    /// The server wants an object of its own written: created, or put in the place of what is there.
    pub(crate) fn write_own(&mut self, cx: &mut Cx<'_>, kind: &'static Kind, object: Value) {
        let Some(resource) = self.resources.of_kind(kind) else {
            return;
        };
        let name = Str::from(object.name());
        let namespace = Str::from(object.namespace());
        let key = key_of(&namespace, &name);
        let deed = match self.resources.get(resource).cache.get(&key) {
            Some(_) => Deed::Replace(object),
            None => Deed::Create(object),
        };
        let write = Box::new(Write {
            origin: Origin::Server,
            cause: cx.cause,
            user: Rc::new(User::server()),
            manager: Str::from(SERVER),
            kind,
            resource,
            namespace,
            name,
            subresource: "",
            deed,
            dry_run: false,
            warnings: Vec::new(),
            notes: Vec::new(),
            charged: Vec::new(),
            consulted: Vec::new(),
            asks: Vec::new(),
            begun: None,
            tries: 0,
            sent: None,
        });
        self.attempt(cx, write);
    }

    /// Plans a creation: completes the object and checks it.
    pub(crate) fn plan_create(
        &mut self,
        cx: &mut Cx<'_>,
        write: &mut Write,
    ) -> Result<Plan, Status> {
        let Deed::Create(given) = &write.deed else {
            unreachable!("a creation")
        };
        let mut object = given.clone();
        self.complete(cx, write, &mut object)?;
        if let Some(charge) = admission::charge(self, cx.now, write, &object, None)? {
            return Ok(Plan::Charge(charge));
        }
        self.allocate(write, &mut object, None)?;
        Ok(Plan::Put {
            object,
            expected: 0,
            code: 201,
            answer: None,
        })
    }

    /// Everything that happens to a new object before it is stored, but for allocations.
    pub(crate) fn complete(
        &mut self,
        cx: &mut Cx<'_>,
        write: &mut Write,
        object: &mut Value,
    ) -> Result<(), Status> {
        let kind = write.judging_kind();
        write.name = Str::from(object.name());
        self.track(cx, write, object, None);
        admission::mutate(self, write, object, None)?;
        if object.name().is_empty() && !object.generate_name().is_empty() {
            let mut prefix = object.generate_name().to_owned();
            prefix.truncate(MAX_PREFIX);
            object.set(
                "metadata.name",
                format!("{prefix}{}", self.random.alnum(RANDOM)),
            );
        }
        write.name = Str::from(object.name());
        object.set("metadata.creationTimestamp", cx.now.rfc3339());
        object.set("metadata.uid", self.random.uuid());
        object.remove("metadata.resourceVersion");
        object.remove("metadata.selfLink");
        kind.prepare_for_create(object);
        requester::note(kind, object, &write.user);
        escalation::check(self, write, object, None)?;
        let errors = kind.validate_create(object);
        if !errors.is_empty() {
            return Err(status::invalid(
                kind.group,
                kind.kind,
                object.name(),
                &errors,
            ));
        }
        admission::validate(self, write, object, None)
    }
}

/// Gives an object the namespace of the request, or refuses one of another.
pub(crate) fn match_namespace(
    kind: &Kind,
    object: &mut Value,
    namespace: &str,
) -> Result<(), Status> {
    if !kind.namespaced {
        return Ok(());
    }
    match object.namespace() {
        "" => object.set("metadata.namespace", namespace),
        given if given == namespace => {}
        _ => {
            return Err(status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the \
                 request",
            ));
        }
    }
    Ok(())
}
