//! Whose pod is whose: a workload adopts pods that match its selector and have no controller, and
//! lets go of those of its own that match no longer.
//! Models pkg/controller/controller_ref_manager.go.

use api::selector::LabelSelector;
use api::{Value, object};
use client::{Index, Key, PODS, Patch, Resource};
use imbl::OrdSet;

use crate::controller::Cx;
use crate::pods;

/// A workload and the pods it wants.
pub(crate) struct Claim<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) owner: &'a Value,
    pub(crate) selector: &'a LabelSelector,
    /// What its pods keep until it lets go of them.
    pub(crate) finalizer: Option<&'a str>,
}

impl Claim<'_> {
    /// Adopts those of the active `orphans` that match, and releases strangers if there may be
    /// any. True if there was something to do.
    pub(crate) fn settle(
        &self,
        cx: &mut Cx<'_>,
        orphans: &OrdSet<Key>,
        may_have_strangers: bool,
    ) -> bool {
        let (namespace, uid) = (self.owner.namespace(), self.owner.uid());
        let pods = cx.cache(&PODS);
        let matches = |pod: &&Value| self.selector.matches(pod.labels());
        let adopted: Vec<Value> = orphans
            .range(Key::new(namespace, "")..)
            .take_while(|key| &*key.namespace == namespace)
            .filter_map(|key| pods.get(key))
            .filter(|pod| !pod.labels().is_empty())
            .filter(matches)
            .cloned()
            .collect();
        let released: Vec<Value> = match may_have_strangers {
            false => Vec::new(),
            true => pods
                .by(Index::Owner, uid)
                .filter(|pod| pods::is_active(pod) && pod.is_controlled_by(uid))
                .filter(|pod| !matches(pod))
                .cloned()
                .collect(),
        };
        for pod in &adopted {
            let owner = pods::owner_reference(self.resource, self.owner);
            self.patch_owner(cx, pod, owner, "finalizers");
        }
        for pod in &released {
            let gone = object! { "$patch": "delete", "uid": uid };
            self.patch_owner(cx, pod, gone, "$deleteFromPrimitiveList/finalizers");
        }
        !(adopted.is_empty() && released.is_empty())
    }

    fn patch_owner(&self, cx: &mut Cx<'_>, pod: &Value, owner: Value, finalizers: &str) {
        let mut metadata = object! { "uid": (pod.uid()), "ownerReferences": [owner] };
        if let Some(finalizer) = self.finalizer {
            metadata.set_path(&[finalizers], vec![Value::from(finalizer)]);
        }
        let document = object! { "metadata": metadata };
        cx.patch(&PODS, &Key::of(pod), "", Patch::Strategic, document);
    }
}
