//! Keeps a ServiceAccount called `default` in every namespace that is not on its way out.
//! Models pkg/controller/serviceaccount/serviceaccounts_controller.go.

use api::object;
use client::{Delta, Index, Key, NAMESPACES, Resource, SERVICE_ACCOUNTS};

use crate::controller::{Agenda, Controller, Cx};

const DEFAULT: &str = "default";

/// The controller. Keys are namespaces.
#[derive(Clone, Debug, Default)]
pub struct ServiceAccountController;

impl Controller for ServiceAccountController {
    fn name(&self) -> &'static str {
        "serviceaccount-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(NAMESPACES, &[]), (SERVICE_ACCOUNTS, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == NAMESPACES {
            agenda.add(delta.key.clone());
        } else if delta.new.is_none() && &*delta.key.name == DEFAULT {
            agenda.add(Key::new("", &delta.key.namespace));
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let active = cx
            .cache(&NAMESPACES)
            .get(key)
            .is_some_and(|namespace| namespace.str_at("status.phase") == "Active");
        if !active
            || cx
                .cache(&SERVICE_ACCOUNTS)
                .named(&key.name, DEFAULT)
                .is_some()
        {
            return;
        }
        let account = object!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "name": (DEFAULT), "namespace": (&key.name) },
        });
        cx.create(&SERVICE_ACCOUNTS, account);
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
    fn every_active_namespace_gets_its_account_and_keeps_it() {
        let mut bench = Bench::new(vec![Box::new(ServiceAccountController)]);
        let namespace = |name: &str, phase: &str| {
            object!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": { "name": (name) },
                "status": { "phase": (phase) },
            })
        };
        bench.put(&NAMESPACES, namespace("shop", "Active"));
        bench.put(&NAMESPACES, namespace("old", "Terminating"));
        assert!(bench.find(&SERVICE_ACCOUNTS, "shop", DEFAULT).is_some());
        assert!(bench.find(&SERVICE_ACCOUNTS, "old", DEFAULT).is_none());
        bench.vanish(&SERVICE_ACCOUNTS, "shop", DEFAULT);
        assert!(bench.find(&SERVICE_ACCOUNTS, "shop", DEFAULT).is_some());
    }
}
