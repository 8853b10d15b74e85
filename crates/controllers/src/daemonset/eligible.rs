//! Which nodes a DaemonSet wants a pod on.
//! Models NodeShouldRunDaemonPod of pkg/controller/daemon/daemon_controller.go.

use api::Value;
use api::kinds::support::node_affinity::Required;
use api::kinds::support::taints::first_untolerated;

use super::pod;

/// What a DaemonSet's pods ask of a node, read once.
pub(super) struct Wanted {
    /// The only node, if the template names one.
    node: String,
    required: Required,
    tolerations: Vec<Value>,
}

/// What becomes of a pod on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    /// There should be one.
    pub(super) run: bool,
    /// One that is there may stay.
    pub(super) stay: bool,
}

impl Wanted {
    pub(super) fn of(set: &Value) -> Wanted {
        let spec = set.at("spec.template.spec");
        Wanted {
            node: spec.str("nodeName").to_owned(),
            required: Required::of(spec.get("nodeSelector").entries(), spec.get("affinity")),
            tolerations: pod::tolerations(spec),
        }
    }

    pub(super) fn on(&self, node: &Value) -> Placement {
        let nowhere = Placement {
            run: false,
            stay: false,
        };
        if !(self.node.is_empty() || self.node == node.name()) {
            return nowhere;
        }
        if !self.required.matches(node.labels(), node.name()) {
            return nowhere;
        }
        let taints = node.list_at("spec.taints");
        let hindered =
            |effects: &[&str]| first_untolerated(taints, &self.tolerations, effects).is_some();
        Placement {
            run: !hindered(&["NoExecute", "NoSchedule"]),
            stay: !hindered(&["NoExecute"]),
        }
    }
}
