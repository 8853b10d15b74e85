//! Notes on each node how long its kubelet may keep ConfigMaps and Secrets: longer the larger the
//! cluster is. Models pkg/controller/ttl/ttl_controller.go.

use api::object;
use client::{Delta, Index, Key, NODES, Patch, Resource};

use crate::controller::{Agenda, Controller, Cx};

const ANNOTATION: &str = "node.alpha.kubernetes.io/ttl";
/// From so many nodes on, so many seconds. Upstream leaves a gap below each step, so that a node
/// more or less changes nothing.
const STEPS: [(usize, u32); 5] = [(0, 0), (100, 15), (500, 30), (1000, 60), (2000, 300)];

/// The controller. Keys are nodes.
#[derive(Clone, Debug, Default)]
pub struct TtlController;

impl Controller for TtlController {
    fn name(&self) -> &'static str {
        "ttl-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(NODES, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, _: &Resource, delta: &Delta) {
        if delta.new.is_some() && delta.changed("metadata.annotations") {
            agenda.add(delta.key.clone());
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let count = cx.cache(&NODES).len();
        let step = STEPS
            .iter()
            .rev()
            .find(|(nodes, _)| count > *nodes || *nodes == 0);
        let wanted = step.map_or(0, |(_, secs)| *secs).to_string();
        let Some(node) = cx.cache(&NODES).get(key) else {
            return;
        };
        if node
            .annotations()
            .get(ANNOTATION)
            .is_none_or(|known| known.as_str() != wanted)
        {
            let document = object! { "metadata": { "annotations": { (ANNOTATION): wanted } } };
            cx.patch(&NODES, key, "", Patch::Strategic, document);
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
    fn a_small_cluster_keeps_nothing() {
        let mut bench = Bench::new(vec![Box::new(TtlController)]);
        bench.put(&NODES, object! { "metadata": { "name": "node01" } });
        assert_eq!(bench.get(&NODES, "", "node01").annotation(ANNOTATION), "0");
    }
}
