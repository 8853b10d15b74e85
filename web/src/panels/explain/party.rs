//! Who takes part in a request, in the words of the panel and as places of the picture.

use std::rc::Rc;

use crate::protocol::{Asker, Picture, Request, Service, Station, Way};

/// Where a request came from, what it was for, and how far it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// The place it began at.
    pub from: String,
    /// The Service it was for.
    pub service: Option<String>,
    /// The place at which it ended, or the address if it never left.
    pub to: String,
}

/// The trail of a request.
pub fn trail(request: &Request) -> Trail {
    let way = request.ways.first();
    let (first, last) = ends(way);
    let dst = way.and_then(|way| way.flow.split(" > ").nth(1));
    let to = match (first, last) {
        // A pod that asks itself gets there by way of its machine.
        (Some(first), Some(last)) if last.pod.is_some() && !std::ptr::eq(first, last) => {
            place(last)
        }
        (Some(first), Some(last)) if place(first) != place(last) => place(last),
        (_, Some(last)) => last
            .after
            .split(" > ")
            .nth(1)
            .unwrap_or_default()
            .to_owned(),
        _ => dst.unwrap_or_default().to_owned(),
    };
    Trail {
        from: first.map_or_else(|| "nowhere".to_owned(), place),
        service: request
            .service
            .as_ref()
            .map(|(namespace, name)| format!("{namespace}/{name}")),
        to,
    }
}

fn ends(way: Option<&Way>) -> (Option<&Station>, Option<&Station>) {
    let stations = way.map_or(&[] as &[Station], |way| &way.stations);
    (stations.first(), stations.last())
}

/// The name of a place.
pub fn place(station: &Station) -> String {
    match (&station.pod, station.netns.as_str()) {
        (Some((_, pod)), _) => pod.clone(),
        (None, "") => station.machine.clone(),
        (None, netns) => format!("{netns} on {}", station.machine),
    }
}

/// The station at which what matters happened: where the packet ended unless it arrived, else where
/// its addresses changed, else the first.
pub fn decisive(way: &Way) -> usize {
    let changed = |station: &Station| station.before != station.after;
    match way.fate {
        crate::protocol::Fate::Arrived => way.stations.iter().position(changed).unwrap_or(0),
        _ => way.stations.len().saturating_sub(1),
    }
}

/// The Service of this namespace and name.
pub fn service<'a>(picture: &'a Picture, namespace: &str, name: &str) -> Option<&'a Rc<Service>> {
    let mut services = picture.services.values();
    services.find(|service| service.namespace == namespace && service.name == name)
}

/// The name of the slice that holds an endpoint.
pub fn slice_of<'a>(service: &'a Service, endpoint: &str) -> Option<&'a str> {
    let (ip, _) = endpoint.split_once(':').unwrap_or((endpoint, ""));
    let holds = |address: &str| address.split(':').next() == Some(ip);
    let mut slices = service.slices.iter();
    let found = slices.find(|slice| slice.endpoints.iter().any(|e| holds(&e.address)));
    found.map(|slice| slice.name.as_str())
}

/// Address with port, and whether to use UDP, for what a person typed: `shop/web`, `web:80`,
/// `10.96.0.10:53`.
///
/// # Errors
/// What is wrong with it, a sentence.
pub fn destination(text: &str, picture: &Picture) -> Result<(String, bool), String> {
    let text = text.trim();
    if text.parse::<std::net::SocketAddrV4>().is_ok() {
        let udp = picture.services.values().any(|service| {
            let of_it = |port: &crate::protocol::Port| {
                port.protocol == "UDP" && text == format!("{}:{}", service.cluster_ip, port.port)
            };
            service.ports.iter().any(of_it)
        });
        return Ok((text.to_owned(), udp));
    }
    let (whole, port) = match text.rsplit_once(':') {
        Some((whole, port)) => (whole, Some(port)),
        None => (text, None),
    };
    let (namespace, name) = whole.split_once('/').unwrap_or(("default", whole));
    let service = service(picture, namespace, name).ok_or_else(|| {
        "Name a Service as namespace/name:port, or an address as ip:port.".to_owned()
    })?;
    let wanted = |number: u32| port.is_none_or(|port| port == number.to_string());
    let found = service.ports.iter().find(|port| wanted(port.port));
    let found = found.ok_or_else(|| format!("{namespace}/{name} has no such port."))?;
    if service.cluster_ip.is_empty() || service.cluster_ip == "None" {
        return Err(format!(
            "{namespace}/{name} has no address: it is headless."
        ));
    }
    let address = format!("{}:{}", service.cluster_ip, found.port);
    Ok((address, found.protocol == "UDP"))
}

/// What one may ask for: each port of each Service.
pub fn destinations(picture: &Picture) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for service in picture.services.values().filter(|s| s.cluster_ip != "None") {
        let (namespace, name) = (&service.namespace, &service.name);
        let ports = service.ports.iter();
        all.extend(ports.map(|port| format!("{namespace}/{name}:{}", port.port)));
    }
    all.sort();
    all
}

/// Who may ask, with the value that stands for them in the form.
pub fn askers(picture: &Picture) -> Vec<(String, Asker)> {
    let machines = picture.machines.keys();
    let machines = machines.map(|name| (name.clone(), Asker::Machine(name.clone())));
    let own = |pod: &&Rc<crate::protocol::Pod>| {
        let host = pod
            .node
            .as_ref()
            .and_then(|node| picture.machines.get(node));
        !pod.ip.is_empty() && host.is_some_and(|host| host.ip != pod.ip)
    };
    let mut pods: Vec<(String, Asker)> = picture
        .pods
        .values()
        .filter(own)
        .map(|pod| {
            let (namespace, name) = (pod.namespace.clone(), pod.name.clone());
            (format!("{namespace}/{name}"), Asker::Pod(namespace, name))
        })
        .collect();
    pods.sort_by_key(|(name, _)| (name.starts_with("kube-"), name.clone()));
    machines.chain(pods).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::protocol::{Endpoint, Fate, Port, Slice};

    pub(crate) fn station(machine: &str, pod: Option<&str>, after: &str) -> Station {
        Station {
            machine: machine.to_owned(),
            netns: String::new(),
            pod: pod.map(|pod| ("shop".to_owned(), pod.to_owned())),
            inbound: None,
            outbound: None,
            did: String::new(),
            route: None,
            rules: Vec::new(),
            before: "10.0.0.1:9 > 10.96.0.5:80".to_owned(),
            after: after.to_owned(),
        }
    }

    pub(crate) fn request(fate: Fate, stations: Vec<Station>) -> Request {
        Request {
            id: 1,
            unix_secs: 0,
            command: "curl web".to_owned(),
            service: Some(("shop".to_owned(), "web".to_owned())),
            times: 1,
            asked: false,
            ways: vec![Way {
                what: "TCP SYN".to_owned(),
                flow: "10.0.0.1:9 > 10.96.0.5:80".to_owned(),
                end: String::new(),
                fate,
                stations,
            }],
        }
    }

    pub(crate) fn web() -> Service {
        let endpoint = |ip: &str| Endpoint {
            address: format!("{ip}:8080"),
            ready: true,
            pod: "web-1".to_owned(),
            node: "node01".to_owned(),
        };
        let port = |port, protocol: &str| Port {
            port,
            node_port: 0,
            protocol: protocol.to_owned(),
        };
        Service {
            uid: "u".to_owned(),
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
            kind: "ClusterIP".to_owned(),
            cluster_ip: "10.96.0.5".to_owned(),
            selector: "app=web".to_owned(),
            ports: vec![port(80, "TCP"), port(53, "UDP")],
            slices: vec![Slice {
                name: "web-abc12".to_owned(),
                endpoints: vec![endpoint("10.244.1.5"), endpoint("10.244.2.7")],
            }],
        }
    }

    #[test]
    fn a_trail_names_both_ends() {
        const NAT: &str = "10.0.0.1:9 > 10.244.1.5:8080";
        let there = vec![
            station("controlplane", None, NAT),
            station("node01", Some("web-1"), NAT),
        ];
        let found = trail(&request(Fate::Arrived, there));
        assert_eq!(
            (&*found.from, found.service.as_deref(), &*found.to),
            ("controlplane", Some("shop/web"), "web-1")
        );
        let itself = || station("node01", Some("web-1"), NAT);
        let found = trail(&request(Fate::Arrived, vec![itself(), itself()]));
        assert_eq!((&*found.from, &*found.to), ("web-1", "web-1"));
        let stays = vec![station("controlplane", None, NAT)];
        let found = trail(&request(Fate::Lost, stays));
        assert_eq!(found.to, "10.244.1.5:8080");
    }

    #[test]
    fn what_matters_is_the_loss_or_the_translation() {
        const SAME: &str = "10.0.0.1:9 > 10.96.0.5:80";
        let stations = || {
            vec![
                station("a", None, SAME),
                station("a", None, "10.0.0.1:9 > 10.244.1.5:80"),
                station("b", None, SAME),
            ]
        };
        let at = |fate| decisive(&request(fate, stations()).ways[0]);
        assert_eq!((at(Fate::Arrived), at(Fate::Lost)), (1, 2));
    }

    #[test]
    fn destinations_are_services_or_addresses() {
        let mut picture = Picture::default();
        picture.services.insert("u".to_owned(), Rc::new(web()));
        let ok = |text: &str| destination(text, &picture).unwrap();
        assert_eq!(ok("shop/web"), ("10.96.0.5:80".to_owned(), false));
        assert_eq!(ok(" shop/web:53"), ("10.96.0.5:53".to_owned(), true));
        assert_eq!(ok("10.96.0.5:53"), ("10.96.0.5:53".to_owned(), true));
        assert_eq!(ok("1.2.3.4:5"), ("1.2.3.4:5".to_owned(), false));
        assert!(destination("web", &picture).is_err());
        assert!(
            destination("shop/web:81", &picture)
                .unwrap_err()
                .contains("no such port")
        );
        assert_eq!(destinations(&picture), ["shop/web:53", "shop/web:80"]);
        assert_eq!(slice_of(&web(), "10.244.2.7:8080"), Some("web-abc12"));
        assert_eq!(slice_of(&web(), "10.244.2.70:8080"), None);
    }
}
