//! The reference scenario: a cluster from nothing, some work, some trouble. What it leaves in the
//! journal must be the same on every run, natively and in wasm32.

use crate::{Input, Lab, WorldSpec};
use sim::Duration;

const SCRIPT: &str = "\
kubectl create namespace shop
kubectl create deployment web --image=nginx --replicas=3 -n shop
kubectl rollout status deployment/web -n shop
kubectl scale deployment web --replicas=5 -n shop
kubectl delete pod -n shop -l app=web --wait=false
sleep 20
kubectl get pods -A -o wide
for i in 1 2 3; do echo $i $RANDOM; sleep 1; done | sort -r
kubectl delete namespace shop
kubectl get events -A | wc -l
";

/// Runs the scenario; every entry of the journal as a line, its hash last.
///
/// # Panics
/// If the default world cannot be built: its description is checked by tests.
#[must_use]
pub fn journal() -> Vec<String> {
    let spec = WorldSpec::preset("default", 7).expect("a preset");
    let mut lab = Lab::new(spec).expect("a sound description");
    let mut lines = Vec::new();
    let mut next = sim::EntryId(1);
    let mut drain = |lab: &Lab| {
        for entry in lab.world.journal.since(next) {
            let (id, at, cause) = (entry.id, entry.at.as_nanos(), entry.cause);
            lines.push(format!(
                "{id} {at} m{} <{cause} {}: {entry}",
                entry.machine, entry.kind.name
            ));
            next = sim::EntryId(id.0 + 1);
        }
    };
    for step in 1..=120_u64 {
        lab.advance(sim::Instant::ZERO + Duration::from_secs(step), u64::MAX);
        drain(&lab);
        if step == 60 {
            let input = Input::Run {
                machine: "controlplane".into(),
                command: SCRIPT.into(),
            };
            lab.apply(input).expect("the machine exists");
        }
    }
    lines.push(format!("hash {:016x}", lab.world.journal.hash()));
    lines
}
