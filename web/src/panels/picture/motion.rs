//! Which tiles fly, and from where. A pod flies when a machine was chosen for it: from its place in
//! the tray, or from the scheduler when the choice came before anyone could see it wait.

use std::rc::Rc;

use gloo::utils::document;
use js_sys::Array;

use super::machine::daemon_id;
use super::pod::element_id;
use super::scene::{Scene, scheduler};
use crate::protocol::{Picture, Pod};
use crate::services::glue;

/// More flights at once than this are a blur: then nothing flies.
const AT_ONCE: usize = 30;
/// The time between two that start together.
const APART_MS: f64 = 45.0;

/// A flight that starts once the tile is in its new place.
#[derive(Debug)]
pub struct Flight {
    uid: String,
    from: Array,
}

/// Pods a machine was chosen for between two pictures.
pub fn chosen<'a>(old: &Picture, new: &'a Picture) -> Vec<&'a Rc<Pod>> {
    if old.pods.is_empty() {
        return Vec::new();
    }
    let waited = |pod: &Pod| old.pods.get(&pod.uid).is_none_or(|old| old.node.is_none());
    let bound = new
        .pods
        .values()
        .filter(|pod| pod.node.is_some() && !pod.is_static);
    bound.filter(|pod| waited(pod)).collect()
}

/// Pods that are gone and were not of the cluster itself.
pub fn departed<'a>(old: &'a Picture, new: &Picture) -> Vec<&'a Rc<Pod>> {
    let gone = |pod: &&Rc<Pod>| !pod.is_static && !new.pods.contains_key(&pod.uid);
    old.pods.values().filter(gone).collect()
}

/// Lets pods that are gone leave, while the old picture is still drawn.
pub fn depart(old: &Picture, new: &Picture) {
    let gone = departed(old, new);
    if new.pods.is_empty() || gone.len() > AT_ONCE {
        return;
    }
    let tiles = gone
        .iter()
        .filter_map(|pod| document().get_element_by_id(&element_id(&pod.uid)));
    tiles.for_each(|tile| glue::depart(&tile));
}

/// Machine and name of the parts that began anew between two pictures.
pub fn restarted(old: &Picture, new: &Picture) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, machine) in &new.machines {
        let before = old.machines.get(name).map(|old| &old.components);
        let Some(before) = before else { continue };
        let began = machine.components.iter().filter(|part| {
            let same = |old: &&crate::protocol::Component| old.name == part.name;
            let old = before.iter().find(same);
            part.started.is_some() && old.is_some_and(|old| old.started != part.started)
        });
        found.extend(began.map(|part| (name.clone(), part.name.clone())));
    }
    found
}

/// Lets parts that began anew swell, now that the new picture is drawn.
pub fn swell(parts: &[(String, String)], scene: &Scene) {
    for (machine, name) in parts {
        let tank = scene.machines.iter().find(|t| t.machine.name == *machine);
        let tile = tank.and_then(|tank| tank.system.iter().find(|tile| tile.label == *name));
        let id = tile.map_or_else(
            || daemon_id(machine, name),
            |tile| element_id(&tile.pod.uid),
        );
        if let Some(element) = document().get_element_by_id(&id) {
            glue::pulse(&element);
        }
    }
}

/// Notes where flights begin, while the old picture is still drawn.
pub fn prepare(old: &Picture, new: &Picture, scene: &Scene) -> Vec<Flight> {
    let chosen = chosen(old, new);
    if chosen.is_empty() || chosen.len() > AT_ONCE {
        return Vec::new();
    }
    let by_id = |id: &str| document().get_element_by_id(id);
    let decider = scheduler(scene).and_then(|tile| by_id(&element_id(&tile.pod.uid)));
    if let Some(decider) = &decider {
        glue::pulse(decider);
    }
    let from_decider = decider.as_ref().and_then(glue::where_is);
    let flight = |pod: &Rc<Pod>| {
        let tile = by_id(&element_id(&pod.uid));
        let from = tile
            .as_ref()
            .and_then(glue::where_is)
            .or_else(|| from_decider.clone())?;
        Some(Flight {
            uid: pod.uid.clone(),
            from,
        })
    };
    chosen.into_iter().filter_map(flight).collect()
}

/// Starts flights, now that the new picture is drawn.
pub fn start(flights: Vec<Flight>) {
    for (at, flight) in flights.into_iter().enumerate() {
        if let Some(tile) = document().get_element_by_id(&element_id(&flight.uid)) {
            glue::fly(&tile, &flight.from, at as f64 * APART_MS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::tests::{picture, pod};
    use super::*;

    #[test]
    fn what_began_anew_is_noticed() {
        let at = |started| {
            let mut picture = picture(Vec::new());
            let machine = picture.machines.get_mut("a-node").unwrap();
            Rc::make_mut(machine).components = vec![crate::protocol::Component {
                name: "kubelet".to_owned(),
                started,
            }];
            picture
        };
        let kubelet = ("a-node".to_owned(), "kubelet".to_owned());
        assert_eq!(restarted(&at(Some(1)), &at(Some(2))), [kubelet]);
        assert!(restarted(&at(Some(1)), &at(Some(1))).is_empty());
        assert!(restarted(&at(Some(1)), &at(None)).is_empty());
    }

    #[test]
    fn a_pod_flies_when_a_machine_was_chosen() {
        let stays = pod("default", "stays", Some("a-node"));
        let old = picture(vec![stays.clone(), pod("default", "waits", None)]);
        let mut from_disk = pod("kube-system", "etcd", Some("a-node"));
        from_disk.is_static = true;
        let new = picture(vec![
            stays,
            pod("default", "waits", Some("a-node")),
            pod("default", "quick", Some("a-node")),
            from_disk,
        ]);
        let names: Vec<&str> = chosen(&old, &new)
            .iter()
            .map(|pod| pod.name.as_str())
            .collect();
        assert_eq!(names, ["quick", "waits"]);
        assert!(chosen(&picture(Vec::new()), &new).is_empty());
    }
}
