//! What is told of requests: each has an id, which its answer carries, and where a policy says so,
//! events of it are written to the audit log.
//!
//! Models apiserver/pkg/endpoints/filters/{audit,audit_init}.go.

mod event;
mod policy;

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Value;
use net::http::{Request, Response};
use sim::Stream;

use crate::authn::User;
use crate::authz::Decision;
use crate::effect::{Action, Cx, Effect, StreamId};
use crate::request::RequestInfo;
use crate::server::ApiServer;
use event::{Event, ObjectRef};
use policy::Level;
pub use policy::Policy;
pub(crate) use policy::Stage;

/// The header that carries a request's id, both ways.
const ID: &str = "Audit-ID";
/// Annotations of every event: what was decided, and why.
const DECISION: &str = "authorization.k8s.io/decision";
const REASON: &str = "authorization.k8s.io/reason";
/// A longer `User-Agent` is cut.
const MAX_AGENT: usize = 1024;

/// The ids, and the events of requests under way.
#[derive(Clone, Debug)]
pub(crate) struct Audit {
    policy: Option<Rc<Policy>>,
    ids: Stream,
    open: BTreeMap<StreamId, Open>,
}

/// A request under way of which there is something to remember.
#[derive(Clone, Debug)]
struct Open {
    id: Rc<str>,
    event: Option<Box<Event>>,
}

impl Audit {
    /// By this policy; without one there are ids, but no events.
    pub(crate) fn new(policy: Option<Rc<Policy>>, ids: Stream) -> Audit {
        Audit {
            policy,
            ids,
            open: BTreeMap::new(),
        }
    }

    /// Whether anybody may read what is noted.
    pub(crate) fn is_on(&self) -> bool {
        self.policy.is_some()
    }

    /// A request came, from somebody who is known; or from nobody that could be made out.
    pub(crate) fn received(
        &mut self,
        cx: &mut Cx<'_>,
        from: StreamId,
        request: &Request,
        info: &RequestInfo,
        user: Option<&User>,
    ) {
        let given = request.headers.get(ID).filter(|id| !id.is_empty());
        if self.open.contains_key(&from) || (given.is_none() && self.policy.is_none()) {
            return;
        }
        let id: Rc<str> = match given {
            Some(id) => id.into(),
            None => self.ids.uuid().into(),
        };
        let rule = self
            .policy
            .as_ref()
            .map(|policy| policy.rule_for(user, info))
            .filter(|rule| rule.level > Level::None);
        let mut event = rule.map(|rule| {
            Box::new(Event {
                rule,
                id: id.clone(),
                uri: request.target.clone(),
                verb: info.verb,
                user: user.cloned(),
                sources: sources(request, cx),
                agent: agent(request),
                object: info.is_resource.then(|| ObjectRef::of(info)),
                received: cx.now,
                long: is_long(info),
                ..Event::default()
            })
        });
        if let Some(event) = event.as_mut().filter(|_| user.is_some()) {
            event.tell(cx, Stage::RequestReceived);
            event.brought_body(&request.body);
        }
        self.open.insert(from, Open { id, event });
    }

    fn event(&mut self, of: StreamId) -> Option<&mut Event> {
        self.open.get_mut(&of)?.event.as_deref_mut()
    }

    /// Whether events are told of a request.
    pub(crate) fn follows(&self, of: StreamId) -> bool {
        self.open.get(&of).is_some_and(|open| open.event.is_some())
    }

    /// A request counts as somebody else's.
    pub(crate) fn impersonated(&mut self, of: StreamId, user: &User) {
        if let Some(event) = self.event(of)
            && event.user.as_ref() != Some(user)
        {
            event.impersonated = Some(user.clone());
        }
    }

    /// Whether a request was allowed, and why.
    pub(crate) fn decided(&mut self, of: StreamId, decision: Decision) {
        let word = match decision.allowed {
            true => "allow",
            false => "forbid",
        };
        self.annotate(of, DECISION, word.to_owned());
        self.annotate(of, REASON, decision.reason);
    }

    /// Adds a note to the event; one that is there stays.
    pub(crate) fn annotate(&mut self, of: StreamId, key: &str, text: String) {
        // A patch is a part of the object that was asked for.
        let lowest = match key.starts_with("patch.webhook.admission.k8s.io/") {
            true => Level::Request,
            false => Level::Metadata,
        };
        if let Some(event) = self.event(of).filter(|event| event.rule.level >= lowest) {
            event.annotations.entry(key.to_owned()).or_insert(text);
        }
    }

    /// The object that a request brought.
    pub(crate) fn brought(&mut self, of: StreamId, object: &Value) {
        if let Some(event) = self.event(of) {
            event.brought(object);
        }
    }

    /// A request is answered: the answer gets its id.
    fn answered(&mut self, cx: &mut Cx<'_>, to: StreamId, response: &mut Response) {
        let open = self.open.get_mut(&to);
        let id = match &open {
            Some(open) => open.id.clone(),
            None => self.ids.uuid().into(),
        };
        response.headers.add("Audit-Id", id);
        response.headers.add("Cache-Control", "no-cache, private");
        if let Some(event) = open.and_then(|open| open.event.as_deref_mut()) {
            event.answered(response);
            if event.long || event.user.is_none() {
                event.tell(cx, Stage::ResponseStarted);
            }
        }
        if !response.more {
            self.over(cx, to);
        }
    }

    /// An exchange is over.
    fn over(&mut self, cx: &mut Cx<'_>, of: StreamId) {
        if let Some(event) = self.open.remove(&of).and_then(|open| open.event)
            && event.user.is_some()
        {
            event.tell(cx, Stage::ResponseComplete);
        }
    }
}

impl ApiServer {
    /// Sees off what an event led to: answers get the ids of their requests, and what is to be told
    /// of them is told. To be called when the server has handled an event.
    pub fn see_off(&mut self, cx: &mut Cx<'_>) {
        for effect in std::mem::take(&mut cx.effects) {
            let Effect { cause, mut action } = effect;
            cx.cause = cause;
            match &mut action {
                Action::Respond(to, response) => self.audit.answered(cx, *to, response),
                Action::End(to) => self.audit.over(cx, *to),
                _ => {}
            }
            cx.effects.push(Effect { cause, action });
        }
    }

    /// A client gave up an exchange.
    pub(crate) fn audit_gone(&mut self, cx: &mut Cx<'_>, of: StreamId) {
        self.audit.over(cx, of);
    }

    /// A client's connection is gone, with all its exchanges.
    pub(crate) fn audit_closed(&mut self, cx: &mut Cx<'_>, conn: u64) {
        let range = StreamId { conn, stream: 0 }..=StreamId {
            conn,
            stream: u32::MAX,
        };
        let gone: Vec<StreamId> = self.audit.open.range(range).map(|(of, _)| *of).collect();
        for of in gone {
            self.audit.over(cx, of);
        }
    }
}

/// Whether a request may go on for long, so that the beginning of its answer is told as well.
fn is_long(info: &RequestInfo) -> bool {
    const SUBRESOURCES: [&str; 5] = ["attach", "exec", "proxy", "log", "portforward"];
    info.is_resource && (info.verb == "watch" || SUBRESOURCES.contains(&info.subresource.as_str()))
}

/// Where a request comes from: through whom it was passed on, and who sent it here.
fn sources(request: &Request, cx: &Cx<'_>) -> Vec<String> {
    let forwarded = request.headers.get("X-Forwarded-For").unwrap_or("");
    let named = forwarded.split(',').map(str::trim);
    let named = named.filter(|address| address.parse::<std::net::IpAddr>().is_ok());
    let mut sources: Vec<String> = named.map(str::to_owned).collect();
    sources.extend(cx.source.map(|address| address.to_string()));
    sources
}

fn agent(request: &Request) -> String {
    let agent = request.headers.get("User-Agent").unwrap_or("");
    match agent.char_indices().nth(MAX_AGENT) {
        None => agent.to_owned(),
        Some((end, _)) => format!("{}...TRUNCATED", &agent[..end]),
    }
}

#[cfg(test)]
mod tests;
