//! A cluster comes up from nothing, by itself, and stays up.

use kubarium_lab::{Lab, WorldSpec};
use sim::Duration;

#[test]
fn a_cluster_boots() {
    let mut lab = Lab::new(WorldSpec::preset("default", 1).unwrap()).unwrap();
    assert_eq!(lab.boot(), Ok(()));
    assert!(
        lab.now().as_nanos() < 90_000_000_000,
        "within 90 s of virtual time"
    );
    let later = lab.now() + Duration::from_secs(120);
    lab.advance(later, u64::MAX);
    assert_eq!(lab.missing(), None);
}
