//! `kubectl create ingress`.
//!
//! Models kubectl/pkg/cmd/create/create_ingress.go.

use api::{Value, object};

use super::{exactly_one_name, generated_as, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, value, values};
use crate::kubectl::session::Session;

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create ingress",
    summary: "Create an ingress with the specified name",
    usage: "kubectl create ingress NAME --rule=host/path=service:port[,tls[=secret]]  [options]",
    flags: generator_flags!(
        values("annotation"),
        values("rule"),
        value("class"),
        value("default-backend"),
    ),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line)),
};

/// `kubectl create ing`.
pub(super) const SHORT: Verb = Verb {
    name: "create ing",
    ..VERB
};

/// `host/path=service:port[,tls[=secret]]`.
struct Rule<'a> {
    host: &'a str,
    /// With its slash.
    path: &'a str,
    backend: &'a str,
    /// The secret, empty for none, where TLS was asked for.
    tls: Option<&'a str>,
}

async fn create(session: &Session, line: &Line) -> Outcome {
    let name = exactly_one_name(line)?;
    let default = line.text("default-backend");
    let rules = line
        .all("rule")
        .iter()
        .map(|text| read(text))
        .collect::<Outcome<Vec<Rule>>>()?;
    if rules.is_empty() && default.is_empty() {
        return Err(Failure::message(
            "not enough information provided: every ingress has to either specify a \
             default-backend (which catches all traffic) or a list of rules (which catch specific \
             paths)",
        ));
    }
    let mut ingress = object!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": (name) },
        "spec": {},
        "status": { "loadBalancer": {} },
    });
    for text in line.all("annotation") {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Failure::message(format!(
                "annotation {text} is invalid and should be in format key=[value]"
            )));
        };
        ingress.set_annotation(key, value);
    }
    if !default.is_empty() {
        let Some(backend) = backend(default) else {
            return Err(Failure::message(
                "default-backend should be in format servicename:serviceport",
            ));
        };
        ingress.set("spec.defaultBackend", backend);
    }
    if let Some(class) = line.get("class").filter(|class| !class.is_empty()) {
        ingress.set("spec.ingressClassName", class);
    }
    if !rules.is_empty() {
        ingress.set("spec.rules", by_host(&rules));
    }
    let tls = certificates(&rules);
    if !tls.is_empty() {
        ingress.set("spec.tls", tls);
    }
    generated_as(session, line, ingress, "ingress").await
}

fn read(text: &str) -> Outcome<Rule<'_>> {
    let rule = || {
        let (place, rest) = text.split_once('=')?;
        let (backend, tls) = match rest.split_once(',') {
            None => (rest, None),
            Some((backend, "tls")) => (backend, Some("")),
            Some((backend, tls)) => (backend, Some(tls.strip_prefix("tls=")?)),
        };
        let slash = place.find('/')?;
        let (host, path) = place.split_at(slash);
        self::backend(backend)?;
        Some(Rule {
            host,
            path,
            backend,
            tls,
        })
    };
    rule().ok_or_else(|| {
        Failure::message(format!(
            "rule {text} is invalid and should be in format \
             host/path=svcname:svcport[,tls[=secret]]"
        ))
    })
}

/// `service:port`; a port that is no number is a name.
fn backend(text: &str) -> Option<Value> {
    let (name, port) = text.split_once(':')?;
    if name.is_empty() || port.is_empty() || port.contains(':') {
        return None;
    }
    let port = match port.parse::<i64>() {
        Ok(number) => object!({ "number": (number) }),
        Err(_) => object!({ "name": (port) }),
    };
    Some(object!({ "service": { "name": (name), "port": (port) } }))
}

/// Rules of one host are one; a star at a path's end makes it a prefix.
fn by_host(rules: &[Rule]) -> Vec<Value> {
    let mut hosts: Vec<(&str, Vec<Value>)> = Vec::new();
    for rule in rules {
        let (path, kind) = match rule.path.strip_suffix('*') {
            Some(path) => (path, "Prefix"),
            None => (rule.path, "Exact"),
        };
        let path = object!({
            "backend": (backend(rule.backend).unwrap_or_default()),
            "path": (path),
            "pathType": (kind),
        });
        match hosts.iter_mut().find(|(host, _)| *host == rule.host) {
            Some((_, paths)) => paths.push(path),
            None => hosts.push((rule.host, vec![path])),
        }
    }
    hosts
        .into_iter()
        .map(|(host, paths)| {
            let mut made = object!({ "http": { "paths": (Value::from(paths)) } });
            if !host.is_empty() {
                made.set("host", host);
            }
            made
        })
        .collect()
}

/// Hosts that want TLS, those of one secret together, each host once.
fn certificates(rules: &[Rule]) -> Vec<Value> {
    let mut secrets: Vec<(&str, Vec<&str>)> = Vec::new();
    for rule in rules {
        let Some(secret) = rule.tls else {
            continue;
        };
        if secrets.iter().any(|(_, hosts)| hosts.contains(&rule.host)) {
            continue;
        }
        match secrets.iter_mut().find(|(name, _)| *name == secret) {
            Some((_, hosts)) => hosts.push(rule.host),
            None => secrets.push((secret, vec![rule.host])),
        }
    }
    secrets
        .into_iter()
        .map(|(secret, hosts)| {
            let mut made = Value::empty_map();
            let hosts: Vec<Value> = hosts
                .into_iter()
                .filter(|host| !host.is_empty())
                .map(Value::from)
                .collect();
            if !hosts.is_empty() {
                made.set("hosts", hosts);
            }
            if !secret.is_empty() {
                made.set("secretName", secret);
            }
            made
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rules: &[&str], expect: &str) {
        let read: Outcome<Vec<Rule>> = rules.iter().map(|text| read(text)).collect();
        let shown = match read {
            Ok(rules) => format!(
                "{} {}",
                Value::from(by_host(&rules)).to_json(),
                Value::from(certificates(&rules)).to_json()
            ),
            Err(failure) => failure.text(),
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn rules_are_grouped_by_host_and_secret() {
        check(
            &["foo.com/bar=web:80,tls=t1", "foo.com/x*=api:http"],
            "[{\"host\":\"foo.com\",\"http\":{\"paths\":[{\"backend\":{\"service\":{\"name\":\"web\",\
             \"port\":{\"number\":80}}},\"path\":\"/bar\",\"pathType\":\"Exact\"},{\"backend\":{\
             \"service\":{\"name\":\"api\",\"port\":{\"name\":\"http\"}}},\"path\":\"/x\",\
             \"pathType\":\"Prefix\"}]}}] [{\"hosts\":[\"foo.com\"],\"secretName\":\"t1\"}]",
        );
        check(
            &["foo.com=web"],
            "error: rule foo.com=web is invalid and should be in format \
             host/path=svcname:svcport[,tls[=secret]]\n",
        );
    }
}
