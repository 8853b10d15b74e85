//! Makes roles of roles: a ClusterRole with an aggregation rule holds the rules of all those its
//! selectors match. Models pkg/controller/clusterroleaggregation.

use api::selector::LabelSelector;
use api::{Value, object};
use client::{Delta, Index, Key, Patch, Resource};

use crate::controller::{Agenda, Controller, Cx};

const GROUP_VERSION: &str = "rbac.authorization.k8s.io/v1";

/// The controller. Keys are ClusterRoles with an aggregation rule.
#[derive(Clone, Debug)]
pub struct ClusterRoleAggregationController {
    roles: Resource,
}

impl Default for ClusterRoleAggregationController {
    fn default() -> Self {
        ClusterRoleAggregationController {
            roles: Resource::named(GROUP_VERSION, "clusterroles", "ClusterRole", false),
        }
    }
}

impl Controller for ClusterRoleAggregationController {
    fn name(&self) -> &'static str {
        "clusterrole-aggregation-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(self.roles.clone(), &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if !delta.changed("rules")
            && !delta.changed("metadata")
            && !delta.changed("aggregationRule")
        {
            return;
        }
        // Which roles a role is a part of only their selectors know; there are few of those.
        let made: Vec<Key> = agenda
            .informers
            .cache(resource)
            .iter()
            .filter(|(_, role)| !role.get("aggregationRule").is_null())
            .map(|(key, _)| key.clone())
            .collect();
        made.into_iter().for_each(|key| agenda.add(key));
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let cache = cx.cache(&self.roles);
        let Some(role) = cache.get(key) else {
            return;
        };
        let mut wanted: Vec<Value> = Vec::new();
        for selector in role.list_at("aggregationRule.clusterRoleSelectors") {
            let Ok(selector) = LabelSelector::from_object(selector) else {
                return;
            };
            let chosen = cache.iter().map(|(_, other)| other);
            let chosen = chosen.filter(|other| other.name() != role.name());
            for part in chosen.filter(|other| selector.matches(other.labels())) {
                for rule in part.list_at("rules") {
                    if !wanted.contains(rule) {
                        wanted.push(rule.clone());
                    }
                }
            }
        }
        if role.list_at("rules") != wanted.as_slice() {
            let rules = Value::list_of(wanted);
            cx.patch(
                &self.roles,
                key,
                "",
                Patch::Merge,
                object! { "rules": rules },
            );
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn a_role_is_made_of_others() {
        let controller = ClusterRoleAggregationController::default();
        let roles = controller.roles.clone();
        let mut bench = Bench::new(vec![Box::new(controller)]);
        let rule = |resource: &str| {
            object! { "apiGroups": [""], "resources": [resource], "verbs": ["get"] }
        };
        bench.put(
            &roles,
            object! {
                "metadata": { "name": "whole" },
                "aggregationRule": { "clusterRoleSelectors": [{ "matchLabels": { "to": "whole" } }] },
            },
        );
        for name in ["pods", "nodes"] {
            bench.put(
                &roles,
                object! {
                    "metadata": { "name": name, "labels": { "to": "whole" } },
                    "rules": [rule(name)],
                },
            );
        }
        let whole = bench.get(&roles, "", "whole");
        assert_eq!(whole.list_at("rules"), [rule("nodes"), rule("pods")]);
    }
}
