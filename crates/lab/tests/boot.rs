//! A cluster comes up from nothing, by itself.

use kubarium_lab::{Lab, WorldSpec};
use sim::Duration;

#[test]
fn a_cluster_boots() {
    let mut lab = Lab::new(WorldSpec::preset("default", 1).unwrap()).unwrap();
    let booted = lab.boot();
    for host in lab.world.hosts() {
        for line in host
            .log()
            .rev()
            .take(30)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
        {
            println!(
                "{} {} {}[{}]: {}",
                line.at,
                host.name(),
                line.name,
                line.pid,
                line.text
            );
        }
        for process in host.processes() {
            println!("{} {} {:?}", host.name(), process.pid, process.args);
        }
    }
    println!("revision {}", lab.objects().revision());
    for pod in lab.objects().list("pods") {
        println!(
            "{} {} {}",
            pod.name(),
            pod.str_at("status.phase"),
            pod.at("status.conditions")
        );
    }
    assert_eq!(booted, Ok(()));
    assert!(
        lab.now().as_nanos() < 90_000_000_000,
        "within 90 s of virtual time"
    );
    // It stays up.
    let later = lab.now() + Duration::from_secs(120);
    lab.advance(later, u64::MAX);
    assert_eq!(lab.missing(), None);
}
