//! Claims of storage: each, and how much it asks for, in all and of each class.
//!
//! Models pkg/quota/v1/evaluator/core/persistent_volume_claims.go.

use super::{Amounts, Evaluator, ONE};
use crate::{Quantity, Value};

const CLAIMS: &str = "persistentvolumeclaims";
const STORAGE: &str = "requests.storage";
/// Between a class and what is limited of it.
const OF_CLASS: &str = ".storageclass.storage.k8s.io/";

pub(super) const EVALUATOR: Evaluator = Evaluator {
    plural: CLAIMS,
    charges: |name| {
        let of_class = name.split_once(OF_CLASS).map(|(_, what)| what);
        [CLAIMS, STORAGE].contains(&of_class.unwrap_or(name))
    },
    usage,
    on_update: true,
    ..Evaluator::PLAIN
};

fn usage(claim: &Value, used: &mut Amounts) {
    let asked = claim.at_path(&["spec", "resources", "requests", "storage"]);
    let asked = Quantity::of(asked);
    let class = claim.str_at("spec.storageClassName");
    let mut charge = |name: &str, amount: Quantity| {
        used.insert(name.into(), amount);
        if !class.is_empty() {
            used.insert(format!("{class}{OF_CLASS}{name}").as_str().into(), amount);
        }
    };
    charge(CLAIMS, ONE);
    if let Some(asked) = asked {
        charge(STORAGE, asked);
    }
}
