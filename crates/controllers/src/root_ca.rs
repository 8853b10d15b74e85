//! Keeps the cluster's certificate in every namespace, as ConfigMap `kube-root-ca.crt`, so that pods
//! can tell whether an API server is theirs.
//! Models pkg/controller/certificates/rootcacertpublisher/publisher.go.

use std::rc::Rc;

use api::object;
use client::{CONFIG_MAPS, Delta, Index, Key, NAMESPACES, Resource};

use crate::controller::{Agenda, Controller, Cx};

const NAME: &str = "kube-root-ca.crt";

/// The controller. Keys are namespaces.
#[derive(Clone, Debug)]
pub struct RootCaController {
    /// The certificate, PEM.
    pub certificate: Rc<str>,
}

impl Controller for RootCaController {
    fn name(&self) -> &'static str {
        "root-ca-certificate-publisher-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(NAMESPACES, &[]), (CONFIG_MAPS, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == NAMESPACES {
            agenda.add(delta.key.clone());
        } else if &*delta.key.name == NAME {
            agenda.add(Key::new("", &delta.key.namespace));
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let active = cx
            .cache(&NAMESPACES)
            .get(key)
            .is_some_and(|namespace| namespace.str_at("status.phase") == "Active");
        if !active {
            return;
        }
        match cx.cache(&CONFIG_MAPS).named(&key.name, NAME).cloned() {
            None => {
                let mut map = object!({
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {
                        "annotations": {
                            "kubernetes.io/description": "Contains a CA bundle that can be used to \
                             verify the kube-apiserver when using internal endpoints such as the \
                             internal service IP or kubernetes.default.svc. No other usage is \
                             guaranteed across distributions of Kubernetes clusters.",
                        },
                        "name": (NAME),
                        "namespace": (&key.name),
                    },
                });
                map.set_path(&["data", "ca.crt"], &*self.certificate);
                cx.create(&CONFIG_MAPS, map);
            }
            Some(mut map) => {
                if map.get("data").str("ca.crt") != &*self.certificate {
                    map.set_path(&["data", "ca.crt"], &*self.certificate);
                    cx.update(&CONFIG_MAPS, map);
                }
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}
