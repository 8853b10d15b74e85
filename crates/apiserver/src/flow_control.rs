//! Tells of every FlowSchema whether the priority level it names is there. Requests themselves are
//! served at once: there is nothing that they would have to queue for.
//!
//! Models apiserver/pkg/util/flowcontrol/apf_controller.go.

use api::Value;
use api::kinds::customresourcedefinition::conditions;
use api::kinds::{Kind, flowschema, prioritylevelconfiguration};

use crate::cache::Change;
use crate::effect::Cx;
use crate::server::ApiServer;
use crate::write::Deed;

/// Whose the conditions are.
const MANAGER: &str = "api-priority-and-fairness-config-consumer-v1";

impl ApiServer {
    /// Looks after every schema, when the server starts.
    pub(crate) fn tend_all_flows(&mut self, cx: &mut Cx<'_>) {
        self.tend_flows_of(cx, |_| true);
    }

    /// A schema changed, or a level came or went.
    pub(crate) fn tend_flows(&mut self, cx: &mut Cx<'_>, kind: &Kind, change: &Change) {
        if *kind == flowschema::KIND && !change.deleted {
            let schema = change.entry.value.clone();
            self.tend_flow(cx, &schema);
        } else if *kind == prioritylevelconfiguration::KIND
            && (change.deleted || change.before.is_none())
        {
            let level = change.entry.value.name();
            self.tend_flows_of(cx, |schema| level_of(schema) == level);
        }
    }

    fn tend_flows_of(&mut self, cx: &mut Cx<'_>, concerned: impl Fn(&Value) -> bool) {
        let Kind { group, plural, .. } = flowschema::KIND;
        let Some(schemas) = self.resources.named(group, plural) else {
            return;
        };
        let entries = schemas.cache.objects().values();
        let schemas = entries.filter(|entry| concerned(&entry.value));
        let schemas: Vec<Value> = schemas.map(|entry| entry.value.clone()).collect();
        for schema in &schemas {
            self.tend_flow(cx, schema);
        }
    }

    fn tend_flow(&mut self, cx: &mut Cx<'_>, schema: &Value) {
        // A server run bare, not as kubeadm runs it, has no levels.
        if !self.authorizer.has_rbac() || schema.is_terminating() {
            return;
        }
        let Kind { group, plural, .. } = prioritylevelconfiguration::KIND;
        let level = level_of(schema);
        let found = self.resources.lookup(group, plural, level).is_some();
        let (reason, rest) = match found {
            true => ("Found", "and it exists"),
            false => ("NotFound", "but there is no such object"),
        };
        let message = format!(
            "This FlowSchema references the PriorityLevelConfiguration object named {level:?} {rest}"
        );
        let mut wanted = schema.clone();
        let now = cx.now.rfc3339();
        conditions::set(&mut wanted, ("Dangling", !found), (reason, &message), &now);
        if !wanted.get("status").same(schema.get("status")) {
            let deed = Deed::Replace(wanted.clone());
            self.write_aside_as(cx, MANAGER, &flowschema::KIND, deed, (&wanted, "status"));
        }
    }
}

/// The level that a schema names.
fn level_of(schema: &Value) -> &str {
    schema.str_at("spec.priorityLevelConfiguration.name")
}
