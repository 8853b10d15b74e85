//! The ports of `kubectl port-forward`: which are meant, and where they are listened on.
//!
//! Models kubectl/pkg/cmd/portforward, kubectl/pkg/util (service and pod ports) and
//! client-go/tools/portforward.

use std::net::Ipv4Addr;

use api::Value;

use super::failure::{Failure, Outcome};

/// A port here and the port it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// 0: any that is free.
    pub(super) local: u16,
    pub(super) remote: u16,
}

/// Which ports are meant: numbers of the pod, after names and a Service's ports were looked up.
pub(super) fn pairs(words: &[String], service: Option<&Value>, pod: &Value) -> Outcome<Vec<Pair>> {
    refuse_udp(words, service, pod)?;
    words
        .iter()
        .map(|word| {
            let (local, remote) = word.split_once(':').unwrap_or((word, word));
            if remote.contains(':') {
                return Err(Failure::message(format!("invalid port format '{word}'")));
            }
            let same = local == remote;
            let (shown, port) = match service {
                Some(service) => of_service(remote, service, pod)?,
                None => of_pod(remote, pod)?,
            };
            let local = match local {
                "" => 0,
                _ if same => shown,
                text => text.parse().map_err(|_| local_error(text))?,
            };
            match u16::try_from(port) {
                Ok(0) => Err(Failure::message("remote port must be > 0")),
                Ok(remote) => Ok(Pair { local, remote }),
                Err(_) => Err(Failure::message(format!(
                    "error parsing remote port '{port}': strconv.ParseUint: parsing \"{port}\": \
                     value out of range"
                ))),
            }
        })
        .collect()
}

fn local_error(text: &str) -> Failure {
    let why = match text.parse::<u64>() {
        Ok(_) => "value out of range",
        Err(_) => "invalid syntax",
    };
    Failure::message(format!(
        "error parsing local port '{text}': strconv.ParseUint: parsing \"{text}\": {why}"
    ))
}

/// The local port a name or number stands for, and the port of the pod.
fn of_pod(word: &str, pod: &Value) -> Outcome<(u16, i64)> {
    let port = match word.parse::<i64>() {
        Ok(port) => port,
        Err(_) => named_port(pod, word)?,
    };
    Ok((u16::try_from(port).unwrap_or(0), port))
}

fn of_service(word: &str, service: &Value, pod: &Value) -> Outcome<(u16, i64)> {
    let name = service.name();
    let ports = service.list_at("spec.ports");
    let number = match word.parse::<i64>() {
        Ok(number) => number,
        Err(_) => {
            let found = ports.iter().find(|port| port.str("name") == word);
            found.and_then(|port| port.i64_at("port")).ok_or_else(|| {
                Failure::message(format!(
                    "Service '{name}' does not have a named port '{word}'"
                ))
            })?
        }
    };
    let shown = u16::try_from(number).unwrap_or(0);
    let port = ports
        .iter()
        .find(|port| port.i64_at("port") == Some(number));
    let Some(port) = port else {
        let why = format!("Service {name} does not have a service port {number}");
        return Err(Failure::message(why));
    };
    if service.str_at("spec.clusterIP") == "None" {
        return Ok((shown, number));
    }
    let target = match port.get("targetPort") {
        Value::Str(name) => named_port(pod, name)?,
        target => target.as_i64().filter(|n| *n != 0).unwrap_or(number),
    };
    Ok((shown, target))
}

fn named_port(pod: &Value, name: &str) -> Outcome<i64> {
    let found = all_ports(pod).find(|port| port.str("name") == name);
    found
        .and_then(|port| port.i64_at("containerPort"))
        .ok_or_else(|| {
            let pod = pod.name();
            Failure::message(format!("Pod '{pod}' does not have a named port '{name}'"))
        })
}

fn all_ports(pod: &Value) -> impl Iterator<Item = &Value> {
    pod.list_at("spec.containers")
        .iter()
        .chain(
            pod.list_at("spec.initContainers")
                .iter()
                .filter(|c| c.str("restartPolicy") == "Always"),
        )
        .flat_map(|container| container.list_at("ports"))
}

/// Ports that are declared for UDP and for nothing else cannot be forwarded.
fn refuse_udp(words: &[String], service: Option<&Value>, pod: &Value) -> Outcome {
    for word in words {
        let remote = word
            .split_once(':')
            .map_or(word.as_str(), |(_, remote)| remote);
        let is = |port: &&Value, number: &str| {
            port.str("name") == remote
                || port.i64_at(number).is_some_and(|n| n.to_string() == remote)
        };
        let protocols: Vec<&str> = match service {
            Some(service) => {
                let ports = service.list_at("spec.ports").iter();
                ports
                    .filter(|port| is(port, "port"))
                    .map(|port| port.str("protocol"))
                    .collect()
            }
            None => all_ports(pod)
                .filter(|port| is(port, "containerPort"))
                .map(|port| port.str("protocol"))
                .collect(),
        };
        let other = |protocol: &&str| *protocol != "UDP";
        if !protocols.is_empty() && !protocols.iter().any(other) {
            let why = format!("UDP protocol is not supported for {remote}");
            return Err(Failure::message(why));
        }
    }
    Ok(())
}

/// An address to listen on, and how Go writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) ip: Ipv4Addr,
    /// `127.0.0.1`, `[::1]`
    pub(super) shown: String,
    /// Whether it is only told of: this world has no IPv6.
    pub(super) v6: bool,
}

/// The addresses of `--address`.
pub(super) fn addresses(words: &[String]) -> Outcome<Vec<Address>> {
    let mut found: Vec<Address> = Vec::new();
    let v4 = |ip: Ipv4Addr| Address {
        ip,
        shown: ip.to_string(),
        v6: false,
    };
    let v6 = |shown: &str| Address {
        ip: Ipv4Addr::LOCALHOST,
        shown: shown.to_owned(),
        v6: true,
    };
    for word in words {
        let new = match word.as_str() {
            "localhost" => vec![v4(Ipv4Addr::LOCALHOST), v6("[::1]")],
            "::1" => vec![v6("[::1]")],
            word => match word.parse::<Ipv4Addr>() {
                Ok(ip) => vec![v4(ip)],
                Err(_) => return Err(Failure::message(format!("{word} is not a valid IP"))),
            },
        };
        for address in new {
            if !found.contains(&address) {
                found.push(address);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[track_caller]
    fn check(word: &str, service: Option<&Value>, expect: Result<(u16, u16), &str>) {
        let pod = object!({
            "metadata": { "name": "p" },
            "spec": { "containers": [{ "ports": [
                { "name": "http", "containerPort": 8080, "protocol": "TCP" },
                { "name": "dns", "containerPort": 53, "protocol": "UDP" },
            ] }] },
        });
        let got = pairs(&[word.to_owned()], service, &pod);
        let got = got.map(|pairs| (pairs[0].local, pairs[0].remote));
        let expect = expect.map_err(|why| format!("error: {why}\n"));
        assert_eq!(got.map_err(|failure| failure.text()), expect, "{word}");
    }

    #[test]
    fn ports_of_pods_and_services() {
        check("80", None, Ok((80, 80)));
        check("8000:80", None, Ok((8000, 80)));
        check(":80", None, Ok((0, 80)));
        check("http", None, Ok((8080, 8080)));
        check("9:http", None, Ok((9, 8080)));
        check(
            "nope",
            None,
            Err("Pod 'p' does not have a named port 'nope'"),
        );
        check("53", None, Err("UDP protocol is not supported for 53"));
        check("1:2:3", None, Err("invalid port format '1:2:3'"));
        check("8000:0", None, Err("remote port must be > 0"));
        let service = object!({
            "metadata": { "name": "web" },
            "spec": { "clusterIP": "10.96.0.1", "ports": [
                { "name": "main", "port": 80, "targetPort": "http", "protocol": "TCP" },
                { "name": "raw", "port": 81, "targetPort": 9000, "protocol": "TCP" },
            ] },
        });
        let service = Some(&service);
        check("80", service, Ok((80, 8080)));
        check("7:main", service, Ok((7, 8080)));
        check("raw", service, Ok((81, 9000)));
        check(
            "82",
            service,
            Err("Service web does not have a service port 82"),
        );
        check(
            "x",
            service,
            Err("Service 'web' does not have a named port 'x'"),
        );
    }

    #[test]
    fn addresses_are_told_as_go_tells_them() {
        let words = ["localhost".to_owned(), "0.0.0.0".to_owned()];
        let shown: Vec<String> = addresses(&words)
            .expect("addresses")
            .into_iter()
            .map(|address| address.shown)
            .collect();
        assert_eq!(shown, ["127.0.0.1", "[::1]", "0.0.0.0"]);
        let wrong = addresses(&["nohost".to_owned()]);
        let wrong = wrong.expect_err("no address").text();
        assert_eq!(wrong, "error: nohost is not a valid IP\n");
    }
}
