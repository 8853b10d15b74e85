//! Which tiles fly, and from where. A pod flies when a machine was chosen for it: from its place in
//! the tray, or from the scheduler when the choice came before anyone could see it wait.

use std::rc::Rc;

use gloo::utils::document;
use js_sys::Array;

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
