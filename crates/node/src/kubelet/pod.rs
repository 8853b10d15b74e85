//! A pod as the kubelet works with it: what its object says, read once per change of the spec.
//! Reads only; decides nothing.
//! Models pkg/kubelet/types and pkg/api/v1/pod, resource and qos helpers.

use std::rc::Rc;

use api::{Str, Value};
use sim::{Duration, Instant};

use crate::kubelet::probe::{Probe, ProbeKind};

/// Where a pod comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The API server.
    Api,
    /// A manifest on the machine's disk.
    File,
}

/// A pod and what is read from its spec.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    /// The object as its source has it.
    pub object: Value,
    /// Where it comes from.
    pub source: Source,
    /// `metadata.uid`; for a static pod the hash of its manifest.
    pub uid: Str,
    /// `metadata.name`.
    pub name: Str,
    /// `metadata.namespace`.
    pub namespace: Str,
    /// What the spec says.
    pub spec: Rc<Spec>,
}

/// What is read from a pod's spec.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// Containers: init, then main, then ephemeral ones, each in the order of the spec.
    pub containers: Vec<Rc<Container>>,
    /// `restartPolicy`.
    pub restart: RestartPolicy,
    /// `terminationGracePeriodSeconds`.
    pub grace: Duration,
    /// `activeDeadlineSeconds`.
    pub deadline: Option<Duration>,
    /// `hostNetwork`.
    pub host_network: bool,
    /// `hostname`, or the pod's name.
    pub hostname: Rc<str>,
    /// The quality of service: decides the control group.
    pub qos: Qos,
}

/// When an ended container is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum RestartPolicy {
    Always,
    OnFailure,
    Never,
}

/// `qosClass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum Qos {
    Guaranteed,
    Burstable,
    BestEffort,
}

/// The part a container plays in its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Runs to its end before the next one starts.
    Init,
    /// An init container that goes on running (`restartPolicy: Always`).
    Sidecar,
    /// What the pod is for.
    Main,
    /// Added to a running pod.
    Ephemeral,
}

/// `imagePullPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

/// A container of the spec.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    /// Its object in the spec.
    pub object: Value,
    /// `name`.
    pub name: Rc<str>,
    /// `image`, as written.
    pub image: Rc<str>,
    /// Its part in the pod.
    pub role: Role,
    /// When to pull its image.
    pub pull: PullPolicy,
    /// When to start it again.
    pub restart: RestartPolicy,
    /// Its probes, by kind.
    pub probes: [Option<Rc<Probe>>; 3],
}

impl Pod {
    /// Reads a pod's object.
    pub(crate) fn new(object: Value, source: Source) -> Pod {
        let shared = |field: &str| text(object.metadata().get(field));
        Pod {
            uid: shared("uid"),
            name: shared("name"),
            namespace: shared("namespace"),
            spec: Rc::new(Spec::read(&object)),
            source,
            object,
        }
    }

    /// The same pod after its object changed; the spec is read again only if it did.
    pub(crate) fn updated(&self, object: Value) -> Pod {
        let spec = if object.get("spec").same(self.object.get("spec")) {
            self.spec.clone()
        } else {
            Rc::new(Spec::read(&object))
        };
        Pod {
            object,
            spec,
            ..self.clone()
        }
    }

    /// `name_namespace(uid)`, as messages name pods.
    pub(crate) fn full_name(&self) -> String {
        format!("{}_{}({})", self.name, self.namespace, self.uid)
    }

    /// Seconds its containers are given to end, once it is being deleted.
    pub(crate) fn deletion_grace(&self) -> Duration {
        let secs = self
            .object
            .metadata()
            .get("deletionGracePeriodSeconds")
            .as_i64();
        secs.map_or(self.spec.grace, |secs| {
            Duration::from_secs(secs.try_into().unwrap_or(0))
        })
    }

    /// `status.startTime`, if it was given one before.
    pub(crate) fn start_time(&self) -> Option<Instant> {
        Instant::parse_rfc3339(self.object.str_at("status.startTime"))
    }

    /// Whether its status says that it has run to its end.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.object.str_at("status.phase"), "Succeeded" | "Failed")
    }

    /// Its control group, as the systemd driver names it.
    pub(crate) fn cgroup(&self) -> Rc<str> {
        let uid = self.uid.replace('-', "_");
        match self.spec.qos {
            Qos::Guaranteed => format!("/kubepods.slice/kubepods-pod{uid}.slice"),
            class => {
                let class = class.as_str().to_lowercase();
                format!("/kubepods.slice/kubepods-{class}.slice/kubepods-{class}-pod{uid}.slice")
            }
        }
        .into()
    }

    /// Its directory on the machine.
    pub(crate) fn directory(&self) -> String {
        format!("/var/lib/kubelet/pods/{}", self.uid)
    }
}

impl Spec {
    fn read(object: &Value) -> Spec {
        let spec = object.get("spec");
        let restart = match spec.str("restartPolicy") {
            "OnFailure" => RestartPolicy::OnFailure,
            "Never" => RestartPolicy::Never,
            _ => RestartPolicy::Always,
        };
        let lists = [
            ("initContainers", Role::Init),
            ("containers", Role::Main),
            ("ephemeralContainers", Role::Ephemeral),
        ];
        let containers = lists
            .iter()
            .flat_map(|(field, role)| spec.get(field).list().iter().map(|c| (c, *role)))
            .map(|(container, role)| Rc::new(Container::read(container, role, restart)))
            .collect();
        let secs = |field: &str| {
            spec.get(field)
                .as_i64()
                .map(|n| Duration::from_secs(n.try_into().unwrap_or(0)))
        };
        let hostname = match spec.str("hostname") {
            "" => object.name(),
            hostname => hostname,
        };
        Spec {
            containers,
            restart,
            grace: secs("terminationGracePeriodSeconds").unwrap_or(Duration::from_secs(30)),
            deadline: secs("activeDeadlineSeconds"),
            host_network: spec.get("hostNetwork").as_bool() == Some(true),
            // Linux takes no longer names.
            hostname: hostname
                .get(..63)
                .unwrap_or(hostname)
                .trim_end_matches(['-', '.'])
                .into(),
            qos: Qos::of(object),
        }
    }
}

impl Container {
    fn read(object: &Value, role: Role, pod: RestartPolicy) -> Container {
        let own = object.str("restartPolicy");
        let role = if role == Role::Init && own == "Always" {
            Role::Sidecar
        } else {
            role
        };
        let restart = match (role, own) {
            (Role::Ephemeral, _) => RestartPolicy::Never,
            (_, "Always") => RestartPolicy::Always,
            (_, "OnFailure") => RestartPolicy::OnFailure,
            (_, "Never") => RestartPolicy::Never,
            // An init container that succeeded is not run again.
            (Role::Init, _) if pod == RestartPolicy::Always => RestartPolicy::OnFailure,
            _ => pod,
        };
        let image = object.str("image");
        let pull = match object.str("imagePullPolicy") {
            "Always" => PullPolicy::Always,
            "Never" => PullPolicy::Never,
            "" if crate::reference::Reference::parse(image).is_ok_and(|r| r.is_latest()) => {
                PullPolicy::Always
            }
            _ => PullPolicy::IfNotPresent,
        };
        let runs_on = matches!(role, Role::Main | Role::Sidecar);
        let probe = |kind: ProbeKind| {
            Probe::read(object.get(kind.field()), object)
                .filter(|_| runs_on)
                .map(Rc::new)
        };
        Container {
            name: object.str("name").into(),
            image: image.into(),
            role,
            pull,
            restart,
            probes: ProbeKind::ALL.map(probe),
            object: object.clone(),
        }
    }

    /// `spec.containers{web}`: how events name it.
    pub(crate) fn field_path(&self) -> String {
        let list = match self.role {
            Role::Init | Role::Sidecar => "initContainers",
            Role::Main => "containers",
            Role::Ephemeral => "ephemeralContainers",
        };
        format!("spec.{list}{{{}}}", self.name)
    }

    /// Whether an ended container with this exit code is to be started again: the first of its rules
    /// that names the code says so, else its policy.
    pub(crate) fn restarts_after(&self, exit_code: i32) -> bool {
        let mut rules = self.object.list_at("restartPolicyRules").iter();
        if rules.any(|rule| names_code(rule.get("exitCodes"), exit_code)) {
            return true;
        }
        match self.restart {
            RestartPolicy::Always => true,
            RestartPolicy::OnFailure => exit_code != 0,
            RestartPolicy::Never => false,
        }
    }
}

/// Whether a rule's requirement is met by an exit code.
fn names_code(requirement: &Value, exit_code: i32) -> bool {
    let listed = requirement
        .list_at("values")
        .contains(&Value::from(exit_code));
    match requirement.str("operator") {
        "In" => listed,
        "NotIn" => !listed,
        _ => false,
    }
}

impl Qos {
    fn of(object: &Value) -> Qos {
        match api::kinds::support::qos::class(object) {
            "Guaranteed" => Qos::Guaranteed,
            "Burstable" => Qos::Burstable,
            _ => Qos::BestEffort,
        }
    }

    /// As `status.qosClass` spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Qos::Guaranteed => "Guaranteed",
            Qos::Burstable => "Burstable",
            Qos::BestEffort => "BestEffort",
        }
    }
}

fn text(value: &Value) -> Str {
    value.as_shared_str().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn rules_come_before_the_policy() {
        #[track_caller]
        fn check(container: Value, exit_code: i32, restarts: bool) {
            let container = Container::read(&container, Role::Main, RestartPolicy::Never);
            assert_eq!(container.restarts_after(exit_code), restarts);
        }
        let ruled = |operator: &str| {
            let codes = object! { "operator": operator, "values": [3, 42] };
            object! {
                "restartPolicy": "OnFailure",
                "restartPolicyRules": [{ "action": "Restart", "exitCodes": codes }],
            }
        };
        check(ruled("In"), 42, true);
        check(ruled("In"), 0, false);
        check(ruled("In"), 1, true);
        check(ruled("NotIn"), 0, true);
        check(object! {}, 42, false);
    }

    #[test]
    fn containers_know_their_part() {
        let pod = Pod::new(
            object! {
                "metadata": { "name": "p", "namespace": "ns", "uid": "u1" },
                "spec": {
                    "initContainers": [
                        { "name": "i", "image": "busybox" },
                        { "name": "s", "image": "nginx:1.27", "restartPolicy": "Always" },
                    ],
                    "containers": [{ "name": "c", "image": "nginx" }],
                },
            },
            Source::Api,
        );
        let got: Vec<_> = pod
            .spec
            .containers
            .iter()
            .map(|c| (c.role, c.restart, c.pull))
            .collect();
        assert_eq!(
            got,
            [
                (Role::Init, RestartPolicy::OnFailure, PullPolicy::Always),
                (
                    Role::Sidecar,
                    RestartPolicy::Always,
                    PullPolicy::IfNotPresent
                ),
                (Role::Main, RestartPolicy::Always, PullPolicy::Always),
            ]
        );
        assert_eq!(
            pod.spec.containers[1].field_path(),
            "spec.initContainers{s}"
        );
        assert_eq!(pod.full_name(), "p_ns(u1)");
        let cgroup = "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podu1.slice";
        assert_eq!(&*pod.cgroup(), cgroup);
        let same = pod.updated(pod.object.clone());
        assert!(Rc::ptr_eq(&same.spec, &pod.spec));
    }
}
