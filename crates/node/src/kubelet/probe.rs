//! What a probe is and what its results come to. Makes no request.
//! Models pkg/kubelet/prober/worker.go.

use std::rc::Rc;

use api::Value;
use sim::{Duration, Instant};

/// Which question a probe answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ProbeKind {
    /// Has it come up? Until it has, the others wait; if it does not, it is restarted.
    Startup,
    /// Is it alive? If not, it is restarted.
    Liveness,
    /// Can it serve? If not, no traffic comes.
    Readiness,
}

/// A probe of a container's spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// How to ask.
    pub action: ProbeAction,
    /// `initialDelaySeconds`.
    pub initial_delay: Duration,
    /// `periodSeconds`.
    pub period: Duration,
    /// `timeoutSeconds`.
    pub timeout: Duration,
    /// `successThreshold`.
    pub successes: u32,
    /// `failureThreshold`.
    pub failures: u32,
    /// The probe's own `terminationGracePeriodSeconds`.
    pub grace: Option<Duration>,
}

/// How a probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProbeAction {
    /// `exec`.
    Exec(Rc<[Rc<str>]>),
    /// `httpGet`.
    Http(HttpGet),
    /// `tcpSocket`: host and port.
    Tcp(Rc<str>, Port),
    /// `grpc`.
    Grpc,
}

/// `httpGet` of a probe or a lifecycle hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpGet {
    /// Empty for the pod's own address.
    pub host: Rc<str>,
    /// Where to.
    pub port: Port,
    /// Path and query.
    pub path: Rc<str>,
    /// `HTTP` or `HTTPS`.
    pub https: bool,
    /// Further headers.
    pub headers: Vec<(Rc<str>, Rc<str>)>,
}

/// A port, resolved to its number; none if no port of the container has the name given.
pub(super) type Port = Option<u16>;

/// A single result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProbeResult {
    /// It answered well.
    Success,
    /// It did not, in these words.
    Failure(String),
    /// The probe itself could not be made, in these words.
    Error(String),
}

impl ProbeKind {
    /// All kinds, in the order of [`crate::kubelet::pod::Container::probes`].
    pub(crate) const ALL: [ProbeKind; 3] = [
        ProbeKind::Startup,
        ProbeKind::Liveness,
        ProbeKind::Readiness,
    ];

    /// The field of a container's spec.
    pub(crate) fn field(self) -> &'static str {
        match self {
            ProbeKind::Startup => "startupProbe",
            ProbeKind::Liveness => "livenessProbe",
            ProbeKind::Readiness => "readinessProbe",
        }
    }

    /// As events name it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            ProbeKind::Startup => "Startup",
            ProbeKind::Liveness => "Liveness",
            ProbeKind::Readiness => "Readiness",
        }
    }
}

impl Probe {
    /// Reads a probe of `container`; none if there is none.
    pub(crate) fn read(probe: &Value, container: &Value) -> Option<Probe> {
        let whole = |field: &str| {
            probe
                .get(field)
                .as_i64()
                .and_then(|n| u64::try_from(n).ok())
                .filter(|n| *n > 0)
        };
        let secs = |field: &str| whole(field).map(Duration::from_secs);
        let times = |field: &str| whole(field).and_then(|n| u32::try_from(n).ok());
        Some(Probe {
            action: ProbeAction::read(probe, container)?,
            initial_delay: secs("initialDelaySeconds").unwrap_or(Duration::ZERO),
            period: secs("periodSeconds").unwrap_or(Duration::from_secs(10)),
            timeout: secs("timeoutSeconds").unwrap_or(Duration::from_secs(1)),
            successes: times("successThreshold").unwrap_or(1),
            failures: times("failureThreshold").unwrap_or(3),
            grace: secs("terminationGracePeriodSeconds"),
        })
    }
}

impl ProbeAction {
    /// Reads the action of a probe or lifecycle hook.
    pub(crate) fn read(probe: &Value, container: &Value) -> Option<ProbeAction> {
        if probe.has("exec") {
            let words = probe.list_at("exec.command").iter();
            return Some(ProbeAction::Exec(
                words.map(|word| word.as_str().into()).collect(),
            ));
        }
        if probe.has("httpGet") {
            return Some(ProbeAction::Http(HttpGet::read(
                probe.get("httpGet"),
                container,
            )));
        }
        if probe.has("tcpSocket") {
            let socket = probe.get("tcpSocket");
            let port = port(socket.get("port"), container);
            return Some(ProbeAction::Tcp(socket.str("host").into(), port));
        }
        probe.has("grpc").then_some(ProbeAction::Grpc)
    }
}

impl HttpGet {
    fn read(get: &Value, container: &Value) -> HttpGet {
        let path = get.str("path");
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        let header = |h: &Value| (h.str("name").into(), h.str("value").into());
        HttpGet {
            host: get.str("host").into(),
            port: port(get.get("port"), container),
            path: path.into(),
            https: get.str("scheme") == "HTTPS",
            headers: get.get("httpHeaders").list().iter().map(header).collect(),
        }
    }

    /// `http://10.244.1.3:80/path`, with the address the pod has.
    pub(crate) fn url(&self, pod_ip: &str) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let host = if self.host.is_empty() {
            pod_ip
        } else {
            &self.host
        };
        format!("{scheme}://{host}:{}{}", self.port.unwrap_or(0), self.path)
    }
}

/// A port by number or by the name one of the container's ports has.
fn port(value: &Value, container: &Value) -> Port {
    match value {
        Value::Int(number) => u16::try_from(*number).ok(),
        name => {
            let ports = container.get("ports").list();
            let found = ports.iter().find(|port| port.str("name") == name.as_str());
            let number = found.and_then(|port| port.get("containerPort").as_i64());
            number
                .and_then(|n| u16::try_from(n).ok())
                .or_else(|| name.as_str().parse().ok())
        }
    }
}

/// One probe of one running container: counts results until a threshold is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProbeWorker {
    /// Which.
    pub kind: ProbeKind,
    /// How.
    pub probe: Rc<Probe>,
    /// What the container counts as now.
    pub passed: Option<bool>,
    last: Option<bool>,
    run: u32,
    /// When it is due next.
    pub due: Instant,
}

impl ProbeWorker {
    /// A worker for a container that started then.
    pub(super) fn new(kind: ProbeKind, probe: Rc<Probe>, started: Instant) -> ProbeWorker {
        let due = started + probe.initial_delay;
        ProbeWorker {
            kind,
            probe,
            passed: None,
            last: None,
            run: 0,
            due,
        }
    }

    /// Takes a result; true if what the container counts as has changed.
    pub(super) fn take(&mut self, success: bool) -> bool {
        if self.last == Some(success) {
            self.run = self.run.saturating_add(1);
        } else {
            self.last = Some(success);
            self.run = 1;
        }
        let needed = if success {
            self.probe.successes
        } else {
            self.probe.failures
        };
        if self.run < needed || self.passed == Some(success) {
            return false;
        }
        self.passed = Some(success);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    fn container() -> Value {
        object! {
            "name": "c",
            "ports": [{ "name": "web", "containerPort": 8080 }],
            "readinessProbe": {
                "httpGet": { "path": "ready", "port": "web" }, "failureThreshold": 2,
                "successThreshold": 2,
            },
        }
    }

    #[test]
    fn probes_are_read_with_defaults() {
        let container = container();
        let probe = Probe::read(container.get("readinessProbe"), &container).unwrap();
        let ProbeAction::Http(get) = &probe.action else {
            panic!("an HTTP probe")
        };
        assert_eq!(get.url("10.0.0.1"), "http://10.0.0.1:8080/ready");
        assert_eq!((probe.period.as_secs(), probe.timeout.as_secs()), (10, 1));
        assert_eq!(
            Probe::read(container.get("livenessProbe"), &container),
            None
        );
    }

    #[test]
    fn thresholds_count_results_in_a_row() {
        let container = container();
        let probe = Probe::read(container.get("readinessProbe"), &container).unwrap();
        let mut worker = ProbeWorker::new(ProbeKind::Readiness, Rc::new(probe), Instant::ZERO);
        let results = [
            true, false, true, true, true, false, true, false, false, false,
        ];
        let changes: Vec<bool> = results.map(|result| worker.take(result)).to_vec();
        let expect = [
            false, false, false, true, false, false, false, false, true, false,
        ];
        assert_eq!(changes, expect);
        assert_eq!(worker.passed, Some(false));
    }
}
