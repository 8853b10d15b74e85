//! Objects that are counted under a name of their own, from before there was `count/…`.
//!
//! Models pkg/quota/v1/evaluator/core/registry.go.

use super::{Evaluator, ONE};

pub(super) const CONFIG_MAPS: Evaluator = Evaluator {
    plural: "configmaps",
    charges: |name| name == "configmaps",
    usage: |_, used| *used.entry("configmaps".into()).or_default() = ONE,
    ..Evaluator::PLAIN
};

pub(super) const RESOURCE_QUOTAS: Evaluator = Evaluator {
    plural: "resourcequotas",
    charges: |name| name == "resourcequotas",
    usage: |_, used| *used.entry("resourcequotas".into()).or_default() = ONE,
    ..Evaluator::PLAIN
};

pub(super) const REPLICATION_CONTROLLERS: Evaluator = Evaluator {
    plural: "replicationcontrollers",
    charges: |name| name == "replicationcontrollers",
    usage: |_, used| *used.entry("replicationcontrollers".into()).or_default() = ONE,
    ..Evaluator::PLAIN
};

pub(super) const SECRETS: Evaluator = Evaluator {
    plural: "secrets",
    charges: |name| name == "secrets",
    usage: |_, used| *used.entry("secrets".into()).or_default() = ONE,
    ..Evaluator::PLAIN
};
