//! An entry of the audit log, as Go writes it: fields in the order of their struct.
//!
//! Models apiserver/pkg/apis/audit/v1/types.go and apiserver/pkg/audit/request.go.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Value, body_value};
use net::http::{Body, Response};
use sim::Instant;

use super::policy::{Level, Stage, Verdict};
use crate::authn::User;
use crate::effect::{Action, Cx};
use crate::request::RequestInfo;

/// What is told of a request, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Event {
    pub(super) rule: Verdict,
    pub(super) id: Rc<str>,
    pub(super) uri: Rc<str>,
    pub(super) verb: &'static str,
    /// Nobody where it could not be made out who asks.
    pub(super) user: Option<User>,
    pub(super) impersonated: Option<User>,
    pub(super) sources: Vec<String>,
    pub(super) agent: String,
    pub(super) object: Option<ObjectRef>,
    /// The code of the answer, and what it says if it is a Status.
    pub(super) status: Option<(u16, Value)>,
    pub(super) request: Option<Value>,
    pub(super) response: Option<Value>,
    pub(super) received: Instant,
    pub(super) annotations: BTreeMap<String, String>,
    /// The request may go on for long.
    pub(super) long: bool,
}

/// What a request is about.
#[derive(Clone, Debug, Default)]
pub(super) struct ObjectRef {
    resource: String,
    namespace: String,
    name: String,
    uid: String,
    group: String,
    version: String,
    resource_version: String,
    subresource: String,
}

impl ObjectRef {
    /// What the path of a request names.
    pub(super) fn of(info: &RequestInfo) -> ObjectRef {
        let name = match info.name.as_str() {
            "" => &info.selected,
            name => name,
        };
        ObjectRef {
            resource: info.resource.clone(),
            namespace: info.namespace.clone(),
            name: name.to_owned(),
            group: info.group.clone(),
            version: info.version.clone(),
            subresource: info.subresource.clone(),
            ..ObjectRef::default()
        }
    }
}

impl Event {
    /// An object came with the request.
    pub(super) fn brought(&mut self, object: &Value) {
        if let Some(of) = &mut self.object {
            let metadata = object.metadata();
            let fields = [
                (&mut of.namespace, "namespace"),
                (&mut of.name, "name"),
                (&mut of.uid, "uid"),
                (&mut of.resource_version, "resourceVersion"),
            ];
            for (field, key) in fields {
                if field.is_empty() {
                    metadata.str(key).clone_into(field);
                }
            }
        }
        if self.rule.level >= Level::Request {
            self.request = Some(self.told(object.clone()));
        }
    }

    /// What came with the request, before anybody made sense of it.
    pub(super) fn brought_body(&mut self, body: &Body) {
        let needed = self.rule.level >= Level::Request || self.verb == "create";
        let Some(body) = body_value(body).ok().filter(|_| needed) else {
            return;
        };
        match self.verb {
            "create" | "update" => self.brought(&body),
            _ if body.is_map() || body.is_list() => self.request = Some(body),
            _ => {}
        }
    }

    /// The answer is there.
    pub(super) fn answered(&mut self, response: &Response) {
        let wants_all = self.rule.level == Level::RequestResponse && !response.more;
        let object = match wants_all || response.status >= 300 || self.verb == "delete" {
            true => body_value(&response.body).ok().filter(Value::is_map),
            false => None,
        };
        let says = object.clone().filter(|object| object.kind() == "Status");
        self.status = Some((response.status, says.unwrap_or_default()));
        if wants_all {
            self.response = object.map(|object| self.told(object));
        }
    }

    /// An object as it is to be told.
    fn told(&self, mut object: Value) -> Value {
        if self.rule.omits_managed {
            object.remove("metadata.managedFields");
            if object.get("items").is_list() {
                for item in object.list_mut("items") {
                    item.remove("metadata.managedFields");
                }
            }
        }
        object
    }

    /// Writes an entry, if this stage is not left out.
    pub(super) fn tell(&self, cx: &mut Cx<'_>, stage: Stage) {
        if !self.rule.omits.contains(&stage) {
            let line = self.line(stage, cx.now);
            cx.act(Action::Audit(line));
        }
    }

    fn line(&self, stage: Stage, now: Instant) -> String {
        let mut out = Fields::new();
        out.text("kind", "Event")
            .text("apiVersion", "audit.k8s.io/v1");
        out.text("level", self.rule.level.name());
        out.text("auditID", &self.id).text("stage", stage.name());
        out.text("requestURI", &self.uri).text("verb", self.verb);
        out.raw("user", &self.user.as_ref().map_or("{}".to_owned(), user));
        if let Some(taken_for) = &self.impersonated {
            out.raw("impersonatedUser", &user(taken_for));
        }
        if !self.sources.is_empty() {
            let sources = self
                .sources
                .iter()
                .map(|source| Value::from(source.as_str()));
            out.raw("sourceIPs", &Value::list_of(sources.collect()).to_json());
        }
        out.text_unless_empty("userAgent", &self.agent);
        if let Some(object) = &self.object {
            out.raw("objectRef", &object_ref(object));
        }
        if let Some((code, says)) = &self.status {
            out.raw("responseStatus", &status(*code, says));
        }
        if let Some(object) = &self.request {
            out.raw("requestObject", &object.to_json());
        }
        if let Some(object) = &self.response {
            out.raw("responseObject", &object.to_json());
        }
        out.text("requestReceivedTimestamp", &self.received.rfc3339_micro());
        out.text("stageTimestamp", &now.rfc3339_micro());
        if !self.annotations.is_empty() {
            let mut notes = Fields::new();
            for (key, text) in &self.annotations {
                notes.text(key, text);
            }
            out.raw("annotations", &notes.end());
        }
        out.end()
    }
}

fn user(user: &User) -> String {
    let mut out = Fields::new();
    out.text("username", &user.name);
    out.text_unless_empty("uid", &user.uid);
    if !user.groups.is_empty() {
        let groups = user.groups.iter().map(|group| Value::from(&**group));
        out.raw("groups", &Value::list_of(groups.collect()).to_json());
    }
    if !user.extra.is_empty() {
        let mut extra: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for (key, value) in &user.extra {
            extra.entry(key).or_default().push(Value::from(&**value));
        }
        let mut fields = Fields::new();
        for (key, values) in extra {
            fields.raw(key, &Value::list_of(values).to_json());
        }
        out.raw("extra", &fields.end());
    }
    out.end()
}

fn object_ref(of: &ObjectRef) -> String {
    let mut out = Fields::new();
    out.text_unless_empty("resource", &of.resource);
    out.text_unless_empty("namespace", &of.namespace);
    out.text_unless_empty("name", &of.name);
    out.text_unless_empty("uid", &of.uid);
    out.text_unless_empty("apiGroup", &of.group);
    out.text_unless_empty("apiVersion", &of.version);
    out.text_unless_empty("resourceVersion", &of.resource_version);
    out.text_unless_empty("subresource", &of.subresource);
    out.end()
}

fn status(code: u16, says: &Value) -> String {
    let mut out = Fields::new();
    out.raw("metadata", "{}");
    for field in ["status", "message", "reason"] {
        out.text_unless_empty(field, says.str(field));
    }
    let details = says.get("details");
    if details.is_map() {
        let mut fields = Fields::new();
        for field in ["name", "group", "kind", "uid"] {
            fields.text_unless_empty(field, details.str(field));
        }
        for field in ["causes", "retryAfterSeconds"] {
            if !details.get(field).is_null() {
                fields.raw(field, &details.get(field).to_json());
            }
        }
        out.raw("details", &fields.end());
    }
    out.raw("code", &code.to_string());
    out.end()
}

/// A JSON object whose keys keep their order.
struct Fields(String);

impl Fields {
    fn new() -> Fields {
        Fields("{".to_owned())
    }

    fn raw(&mut self, key: &str, json: &str) -> &mut Fields {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&Value::from(key).to_json());
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    fn text(&mut self, key: &str, text: &str) -> &mut Fields {
        self.raw(key, &Value::from(text).to_json())
    }

    fn text_unless_empty(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.text(key, text);
        }
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
