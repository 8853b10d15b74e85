//! The picture in words, for who does not see it: what changed, in a sentence or two.

use std::rc::Rc;

use super::scene::is_system;
use crate::protocol::{Picture, Pod, PodState};

/// More news than this is told as a sum.
const AT_ONCE: usize = 3;

/// What is new, or none when nothing is worth a sentence.
pub fn tell(old: &Picture, new: &Picture) -> Option<String> {
    let mut news: Vec<String> = Vec::new();
    for (name, machine) in &new.machines {
        let before = old.machines.get(name);
        if before.is_some_and(|before| before.ready != machine.ready) {
            let state = if machine.ready {
                "is ready"
            } else {
                "no longer answers"
            };
            news.push(format!("Machine {name} {state}."));
        }
    }
    for (name, machine) in &new.machines {
        let Some(before) = old.machines.get(name) else {
            continue;
        };
        if before.schedulable && !machine.schedulable {
            news.push(format!("Machine {name} takes no new pods."));
        }
        for part in &machine.components {
            let was = before.components.iter().find(|old| old.name == part.name);
            match (was.map(|was| was.started.is_some()), part.started) {
                (Some(true), None) => news.push(format!("{} on {name} stopped.", part.name)),
                (Some(false), Some(_)) => news.push(format!("{} on {name} runs.", part.name)),
                _ => {}
            }
        }
    }
    if new.etcd.fell_from.is_some() && new.etcd.fell_from != old.etcd.fell_from {
        news.push(format!("etcd went back to revision {}.", new.etcd.revision));
    }
    let changed: Vec<&Rc<Pod>> = new
        .pods
        .values()
        .filter(|pod| {
            let old = old.pods.get(&pod.uid);
            old.is_none_or(|old| old.state != pod.state || old.status != pod.status)
        })
        .filter(|pod| !is_system(&pod.namespace) || pod.state == PodState::Failing)
        .collect();
    let gone = old
        .pods
        .iter()
        .filter(|(uid, _)| !new.pods.contains_key(*uid));
    let gone: Vec<&Rc<Pod>> = gone.map(|(_, pod)| pod).collect();
    if changed.len() + gone.len() > AT_ONCE {
        news.push(format!(
            "{} pods changed, {} are gone.",
            changed.len(),
            gone.len()
        ));
    } else {
        news.extend(changed.iter().map(|pod| now(pod)));
        news.extend(gone.iter().map(|pod| format!("Pod {} is gone.", pod.name)));
    }
    (!news.is_empty()).then(|| news.join(" "))
}

fn now(pod: &Pod) -> String {
    match &pod.node {
        Some(node) => format!("Pod {}: {} on {node}.", pod.name, pod.status),
        None => format!("Pod {}: {}, waits for a machine.", pod.name, pod.status),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::tests::{picture, pod};
    use super::*;

    #[test]
    fn news_are_few_sentences() {
        let web = pod("default", "web", Some("a-node"));
        let waits = pod("default", "job", None);
        let one = picture(vec![web.clone()]);
        assert_eq!(tell(&one, &one), None);
        let two = picture(vec![waits]);
        let said = tell(&one, &two).unwrap();
        assert_eq!(
            said,
            "Pod job: Running, waits for a machine. Pod web is gone."
        );
        let many = (0..9)
            .map(|n| pod("default", &format!("p{n}"), None))
            .collect();
        assert_eq!(
            tell(&one, &picture(many)).unwrap(),
            "9 pods changed, 1 are gone."
        );
    }

    #[test]
    fn the_clusters_own_business_is_not_told() {
        let quiet = picture(vec![pod("kube-system", "etcd", Some("a-node"))]);
        assert_eq!(tell(&picture(Vec::new()), &quiet), None);
    }
}
