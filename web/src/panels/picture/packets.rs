//! Packets on their way: which requests are news, and through which places of the picture they go.

use std::rc::Rc;

use gloo::utils::document;
use js_sys::Array;

use super::scene::{Part, Scene};
use super::{machine, pod, services};
use crate::panels::explain::rows::{fate, fate_name};
use crate::panels::explain::service;
use crate::protocol::{Picture, Request, Station};
use crate::services::glue;

/// More packets at once than this are a blur.
const AT_ONCE: usize = 6;
/// The time between two that start together.
const APART_MS: f64 = 140.0;
/// Where the API server listens.
const API: &str = ":6443";

/// Requests that were made between two lists of them.
pub fn fresh(old: &[Rc<Request>], new: &[Rc<Request>]) -> Vec<Rc<Request>> {
    let known = |request: &Rc<Request>| {
        let before = old.iter().find(|old| old.id == request.id);
        before.is_some_and(|before| before.times == request.times)
    };
    let news = new.iter().filter(|request| !known(request));
    let news: Vec<Rc<Request>> = news.cloned().collect();
    let surplus = news.len().saturating_sub(AT_ONCE);
    news.into_iter().skip(surplus).collect()
}

/// The elements a request goes through, by their ids.
pub fn places(request: &Request, picture: &Picture, scene: &Scene) -> Vec<String> {
    let stations = request.ways.first().map(|way| way.stations.as_slice());
    let stations = stations.unwrap_or_default();
    let through = request
        .service
        .as_ref()
        .and_then(|(namespace, name)| service(picture, namespace, name))
        .map(|service| services::element_id(&service.uid));
    let first = stations.first().map(|first| place(first, picture));
    let last = stations
        .last()
        .map(|last| api_server(last, scene).unwrap_or_else(|| place(last, picture)));
    let mut ids: Vec<String> = first.into_iter().chain(through).chain(last).collect();
    ids.dedup();
    ids
}

fn place(station: &Station, picture: &Picture) -> String {
    let of_it = |(namespace, name): &(String, String)| {
        let mut pods = picture.pods.values();
        pods.find(|pod| pod.namespace == *namespace && pod.name == *name)
            .map(|pod| pod::element_id(&pod.uid))
    };
    let pod = station.pod.as_ref().and_then(of_it);
    pod.unwrap_or_else(|| machine::element_id(&station.machine))
}

/// The API server's tile, for what reached its port.
fn api_server(station: &Station, scene: &Scene) -> Option<String> {
    let tank = scene
        .machines
        .iter()
        .find(|tank| tank.machine.name == station.machine)
        .filter(|_| station.after.ends_with(API))?;
    let mut parts = tank.system.iter();
    let tile = parts.find(|tile| tile.part == Some(Part::ApiServer))?;
    Some(pod::element_id(&tile.pod.uid))
}

/// Sends a packet through the picture for each request.
pub fn start(requests: &[Rc<Request>], picture: &Picture, scene: &Scene) {
    for (at, request) in requests.iter().enumerate() {
        let ids = places(request, picture, scene);
        let elements = ids.iter().filter_map(|id| document().get_element_by_id(id));
        let path: Array = elements.collect();
        glue::send(&path, fate_name(fate(request)), at as f64 * APART_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::arrange;
    use super::super::scene::tests::{picture, pod as a_pod};
    use super::*;
    use crate::panels::explain::tests::{request, station, web};
    use crate::protocol::Fate;

    #[test]
    fn a_request_made_again_is_news() {
        let one = Rc::new(request(Fate::Arrived, Vec::new()));
        let known = std::slice::from_ref(&one);
        assert!(fresh(known, known).is_empty());
        let again = Request {
            times: 2,
            ..(*one).clone()
        };
        assert_eq!(fresh(known, &[Rc::new(again)]).len(), 1);
    }

    #[test]
    fn a_packet_goes_by_way_of_the_service() {
        let mut picture = picture(vec![a_pod("shop", "web-1", Some("a-node"))]);
        picture.services.insert("u".to_owned(), Rc::new(web()));
        let stations = vec![
            station("controlplane", None, "1.1.1.1:1 > 10.244.1.5:8080"),
            station("a-node", Some("web-1"), "1.1.1.1:1 > 10.244.1.5:8080"),
        ];
        let ids = places(
            &request(Fate::Arrived, stations),
            &picture,
            &arrange(&picture),
        );
        assert_eq!(ids, ["machine-controlplane", "service-u", "pod-shop/web-1"]);
    }
}
