//! The environment, command line and addresses a container is started with. Looks objects up through
//! the caller; fetches nothing.
//! Models kubelet_pods.go (`makeEnvironmentVariables`), envvars/envvars.go and
//! third_party/forked/golang/expansion.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Quantity, Str, Value, base64};

use crate::kubelet::pod::Pod;

/// An object a container's environment or a pod's volumes refer to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    /// A ConfigMap of this namespace and name.
    ConfigMap(Str, Str),
    /// A Secret of this namespace and name.
    Secret(Str, Str),
    /// The volume that a claim of this namespace and name is bound to; the claim, if to none.
    Claim(Str, Str),
}

/// What is known of the objects referred to. `None` means that the object does not exist.
pub(super) type Objects = BTreeMap<Object, Option<Value>>;

/// Texts of files in volumes, by volume and path.
pub(super) type EnvFiles = BTreeMap<(String, String), Option<String>>;

/// Facts of the machine and the cluster that go into an environment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    /// The pod's address.
    pub pod_ip: &'a str,
    /// The machine's addresses.
    pub host_ips: &'a [Rc<str>],
    /// What the machine can give to pods.
    pub allocatable: &'a Value,
    /// Files that variables are taken from, by volume and path; nothing for one that is not there.
    pub files: &'a EnvFiles,
}

/// Variables in the order in which they were set.
pub(super) type Variables = Vec<(Rc<str>, Rc<str>)>;

impl Object {
    /// The kind, as messages name it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Object::ConfigMap(..) => "configmap",
            Object::Secret(..) => "secret",
            Object::Claim(..) => "persistentvolumeclaim",
        }
    }

    /// The name.
    pub(crate) fn name(&self) -> &Str {
        match self {
            Object::ConfigMap(_, name) | Object::Secret(_, name) | Object::Claim(_, name) => name,
        }
    }

    /// `configmap "x" not found`.
    pub(crate) fn not_found(&self) -> String {
        format!("{} \"{}\" not found", self.kind(), self.name())
    }
}

/// The objects a container's environment refers to.
pub(super) fn references(pod: &Pod, container: &Value) -> Vec<Object> {
    let from = container.get("envFrom").list().iter().flat_map(|source| {
        [("configMapRef", false), ("secretRef", true)]
            .into_iter()
            .map(move |(field, secret)| (source.get(field), secret))
    });
    let each = container.get("env").list().iter().flat_map(|variable| {
        [("configMapKeyRef", false), ("secretKeyRef", true)]
            .into_iter()
            .map(move |(field, secret)| (variable.get("valueFrom").get(field), secret))
    });
    let mut all: Vec<Object> = from
        .chain(each)
        .filter(|(reference, _)| !reference.is_null())
        .map(|(reference, secret)| object(pod, reference.str("name"), secret))
        .collect();
    all.sort();
    all.dedup();
    all
}

fn object(pod: &Pod, name: &str, secret: bool) -> Object {
    let namespace = pod.namespace.clone();
    if secret {
        Object::Secret(namespace, name.into())
    } else {
        Object::ConfigMap(namespace, name.into())
    }
}

/// The bytes of a key of a ConfigMap or Secret.
pub(super) fn data_of(object: &Object, value: &Value, key: &str) -> Option<Vec<u8>> {
    let decoded = |field: &str| {
        let text = value.get(field).get(key);
        text.is_str()
            .then(|| base64::decode(text.as_str()).unwrap_or_default())
    };
    match object {
        Object::Secret(..) => decoded("data"),
        Object::Claim(..) => None,
        Object::ConfigMap(..) => {
            let text = value.get("data").get(key);
            if text.is_str() {
                Some(text.as_str().as_bytes().to_vec())
            } else {
                decoded("binaryData")
            }
        }
    }
}

/// The keys of a ConfigMap or Secret, in order.
pub(super) fn keys_of(value: &Value) -> Vec<Str> {
    let mut keys: Vec<Str> = ["data", "binaryData"]
        .iter()
        .flat_map(|field| value.get(field).entries().keys().cloned())
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// The variables a container is started with, those of services last.
///
/// # Errors
/// In upstream's words, if something referred to does not exist.
pub(super) fn environment(
    pod: &Pod,
    container: &Value,
    objects: &Objects,
    services: &Variables,
    facts: Facts<'_>,
) -> Result<Variables, String> {
    let mut set = Builder {
        variables: Vec::new(),
        services,
    };
    for source in container.get("envFrom").list() {
        add_all(&mut set, pod, source, objects)?;
    }
    for variable in container.get("env").list() {
        let name = variable.str("name");
        let from = variable.get("valueFrom");
        let value = if from.is_null() {
            Some(expand(variable.str("value"), |name| set.get(name)))
        } else {
            value_from(pod, container, from, objects, facts)?
        };
        if let Some(value) = value {
            set.put(name, &value);
        }
    }
    let Builder { mut variables, .. } = set;
    for (name, value) in services {
        if !variables.iter().any(|(known, _)| known == name) {
            variables.push((name.clone(), value.clone()));
        }
    }
    Ok(variables)
}

struct Builder<'a> {
    variables: Variables,
    services: &'a Variables,
}

impl Builder<'_> {
    fn put(&mut self, name: &str, value: &str) {
        match self
            .variables
            .iter_mut()
            .find(|(known, _)| &**known == name)
        {
            Some((_, old)) => *old = value.into(),
            None => self.variables.push((name.into(), value.into())),
        }
    }

    fn get(&self, name: &str) -> Option<Rc<str>> {
        let all = self.variables.iter().chain(self.services);
        all.into_iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| value.clone())
    }
}

fn add_all(
    set: &mut Builder<'_>,
    pod: &Pod,
    source: &Value,
    objects: &Objects,
) -> Result<(), String> {
    for (field, secret) in [("configMapRef", false), ("secretRef", true)] {
        let reference = source.get(field);
        if reference.is_null() {
            continue;
        }
        let object = object(pod, reference.str("name"), secret);
        let Some(value) = objects.get(&object).and_then(Option::as_ref) else {
            if reference.bool_at("optional") {
                continue;
            }
            return Err(object.not_found());
        };
        for key in keys_of(value) {
            let name = format!("{}{key}", source.str("prefix"));
            if let Some(bytes) = data_of(&object, value, &key).filter(|_| is_variable_name(&name)) {
                set.put(&name, &String::from_utf8_lossy(&bytes));
            }
        }
    }
    Ok(())
}

/// Anything printable but `=`, since v1.34.
fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'=')
}

fn value_from(
    pod: &Pod,
    container: &Value,
    from: &Value,
    objects: &Objects,
    facts: Facts<'_>,
) -> Result<Option<String>, String> {
    if from.has("fieldRef") {
        let path = from.str_at("fieldRef.fieldPath");
        return field(pod, path, facts)
            .map(Some)
            .ok_or_else(|| format!("unsupported fieldPath: {path}"));
    }
    if from.has("resourceFieldRef") {
        return Ok(Some(resource(
            pod,
            container,
            from.get("resourceFieldRef"),
            facts,
        )));
    }
    for (name, secret, kind) in [
        ("configMapKeyRef", false, "ConfigMap"),
        ("secretKeyRef", true, "Secret"),
    ] {
        let reference = from.get(name);
        if reference.is_null() {
            continue;
        }
        let object = object(pod, reference.str("name"), secret);
        let optional = reference.bool_at("optional");
        let key = reference.str("key");
        let Some(value) = objects.get(&object).and_then(Option::as_ref) else {
            return if optional {
                Ok(None)
            } else {
                Err(object.not_found())
            };
        };
        return match data_of(&object, value, key) {
            Some(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            None if optional => Ok(None),
            None => Err(format!(
                "couldn't find key {key} in {kind} {}/{}",
                pod.namespace,
                object.name()
            )),
        };
    }
    from_file(from.get("fileKeyRef"), facts.files)
}

/// A variable of a file that an init container wrote: lines of `NAME='value'`.
fn from_file(reference: &Value, files: &EnvFiles) -> Result<Option<String>, String> {
    let place = (
        reference.str("volumeName").to_owned(),
        reference.str("path").to_owned(),
    );
    let optional = reference.bool_at("optional");
    let unread = || "couldn't parse env file".to_owned();
    let text = match files.get(&place).cloned().flatten() {
        Some(text) => text,
        None if optional => return Ok(None),
        None => return Err(unread()),
    };
    let key = reference.str("key");
    let mut found = None;
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, rest) = line.split_once('=').ok_or_else(unread)?;
        let quoted = rest
            .strip_prefix('\'')
            .and_then(|rest| rest.split_once('\''));
        let (value, behind) = quoted.ok_or_else(unread)?;
        let behind = behind.trim_start();
        if !is_variable_name(name)
            || name.contains(' ')
            || !(behind.is_empty() || behind.starts_with('#'))
        {
            return Err(unread());
        }
        if name == key {
            found = Some(value.to_owned());
        }
    }
    match found {
        Some(value) => Ok(Some(value)),
        None if optional => Ok(None),
        None => Err(format!(
            "environment variable key {key:?} not found in file"
        )),
    }
}

/// The files that a container's variables are taken from: volume and path of each.
pub(super) fn files(container: &Value) -> Vec<(String, String)> {
    let variables = container.get("env").list().iter();
    let references = variables.map(|variable| variable.get("valueFrom").get("fileKeyRef"));
    let place = |reference: &Value| {
        (
            reference.str("volumeName").to_owned(),
            reference.str("path").to_owned(),
        )
    };
    references
        .filter(|reference| !reference.is_null())
        .map(place)
        .collect()
}

/// What a field path of the downward API stands for; none if it stands for nothing.
pub(super) fn field(pod: &Pod, path: &str, facts: Facts<'_>) -> Option<String> {
    if let Some((map, rest)) = path.split_once("['") {
        let key = rest.strip_suffix("']")?;
        let map = match map {
            "metadata.labels" => pod.object.labels(),
            "metadata.annotations" => pod.object.annotations(),
            _ => return None,
        };
        return Some(map.str(key).to_owned());
    }
    let lines = |map: &api::Map| {
        let line =
            |(key, value): (&Str, &Value)| format!("{key}={}", api::go::quote(value.as_str()));
        map.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let host = || facts.host_ips.first().map_or("", |ip| ip);
    let pod_ip = if pod.spec.host_network {
        host()
    } else {
        facts.pod_ip
    };
    Some(match path {
        "metadata.name" => pod.name.to_string(),
        "metadata.namespace" => pod.namespace.to_string(),
        "metadata.uid" => pod.uid.to_string(),
        "metadata.labels" => lines(pod.object.labels()),
        "metadata.annotations" => lines(pod.object.annotations()),
        "spec.nodeName" => pod.object.str_at("spec.nodeName").to_owned(),
        "spec.serviceAccountName" => pod.object.str_at("spec.serviceAccountName").to_owned(),
        "status.hostIP" => host().to_owned(),
        "status.hostIPs" => facts.host_ips.join(","),
        "status.podIP" | "status.podIPs" => pod_ip.to_owned(),
        _ => return None,
    })
}

/// What a `resourceFieldRef` stands for: whole units of its divisor, rounded up.
pub(super) fn resource(
    pod: &Pod,
    container: &Value,
    reference: &Value,
    facts: Facts<'_>,
) -> String {
    let named = reference.str("containerName");
    let other = pod.spec.containers.iter().find(|c| &*c.name == named);
    let container = other.map_or(container, |other| &other.object);
    let path = reference.str("resource");
    let (kind, name) = path.split_once('.').unwrap_or(("", path));
    let own = container.get("resources").get(kind).get(name);
    let value = match (own.is_null(), kind) {
        (true, "limits") => facts.allocatable.get(name),
        _ => own,
    };
    let amount = Quantity::of(value).unwrap_or_default();
    let divisor = Quantity::of(reference.get("divisor")).filter(|q| !q.is_zero());
    let whole = match (name, divisor) {
        ("cpu", Some(divisor)) => div_up(amount.milli(), divisor.milli()),
        ("cpu", None) => div_up(amount.milli(), 1000),
        (_, Some(divisor)) => div_up(amount.value(), divisor.value()),
        (_, None) => amount.value(),
    };
    whole.to_string()
}

fn div_up(amount: i64, divisor: i64) -> i64 {
    let divisor = divisor.max(1);
    amount / divisor + i64::from(amount % divisor > 0)
}

/// `$(NAME)` becomes the variable's value; `$$` is a dollar sign; what is not set stays.
pub(super) fn expand(text: &str, get: impl Fn(&str) -> Option<Rc<str>>) -> String {
    if !text.contains('$') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
            match get(name) {
                Some(value) => out.push_str(&value),
                None => {
                    out.push_str("$(");
                    out.push_str(name);
                    out.push(')');
                }
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    out
}

/// The variables that tell of services: those of the pod's namespace, and the API server's.
pub(super) fn service_variables<'a>(services: impl Iterator<Item = &'a Value>) -> Variables {
    let mut all = Vec::new();
    for service in services {
        let ip = service.str_at("spec.clusterIP");
        if ip.is_empty() || ip == "None" {
            continue;
        }
        let prefix = service.name().to_uppercase().replace('-', "_");
        let ports = service.list_at("spec.ports");
        let Some(first) = ports.first().and_then(|port| port.get("port").as_i64()) else {
            continue;
        };
        let mut put = |name: String, value: String| all.push((name.into(), value.into()));
        put(format!("{prefix}_SERVICE_HOST"), ip.to_owned());
        put(format!("{prefix}_SERVICE_PORT"), first.to_string());
        for port in ports.iter().filter(|port| !port.str("name").is_empty()) {
            let name = port.str("name").to_uppercase().replace('-', "_");
            let number = port.get("port").as_i64().unwrap_or(0);
            put(format!("{prefix}_SERVICE_PORT_{name}"), number.to_string());
        }
        for (index, port) in ports.iter().enumerate() {
            let protocol = if port.str("protocol").is_empty() {
                "TCP"
            } else {
                port.str("protocol")
            };
            let lower = protocol.to_lowercase();
            let number = port.get("port").as_i64().unwrap_or(0);
            let url = format!("{lower}://{ip}:{number}");
            if index == 0 {
                put(format!("{prefix}_PORT"), url.clone());
            }
            let link = format!("{prefix}_PORT_{number}_{protocol}");
            put(link.clone(), url);
            put(format!("{link}_PROTO"), lower);
            put(format!("{link}_PORT"), number.to_string());
            put(format!("{link}_ADDR"), ip.to_owned());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubelet::pod::Source;
    use api::object;

    fn pod(container: Value) -> Pod {
        let object = object! {
            "metadata": {
                "name": "p", "namespace": "ns", "uid": "u", "labels": { "app": "web", "b": "x y" },
            },
            "spec": { "nodeName": "node01", "containers": [(container)] },
        };
        Pod::new(object, Source::Api)
    }

    #[track_caller]
    fn check(container: Value, expect: Result<&str, &str>) {
        let pod = pod(container.clone());
        let config = Object::ConfigMap("ns".into(), "cm".into());
        let secret = Object::Secret("ns".into(), "s".into());
        let objects = BTreeMap::from([
            (config, Some(object! { "data": { "a": "1", "b": "2" } })),
            (secret, Some(object! { "data": { "k": "aHVzaA==" } })),
        ]);
        let services = vec![("DB_PORT".into(), "tcp://10.96.0.7:5432".into())];
        let allocatable = object! { "cpu": "4", "memory": "8Gi" };
        let host_ips = ["172.30.2.2".into()];
        let facts = Facts {
            pod_ip: "10.244.1.3",
            host_ips: &host_ips,
            allocatable: &allocatable,
            files: &EnvFiles::from([
                (
                    ("v".to_owned(), "f.env".to_owned()),
                    Some("# x\nA='1 2' # y\nB='3'\n".to_owned()),
                ),
                (
                    ("v".to_owned(), "bad".to_owned()),
                    Some("A = 1\n".to_owned()),
                ),
            ]),
        };
        let got = environment(&pod, &container, &objects, &services, facts);
        let got = got.map(|variables| {
            let own = variables.iter().filter(|(name, _)| &**name != "DB_PORT");
            own.map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join(" ")
        });
        assert_eq!(got.as_deref().map_err(String::as_str), expect);
    }

    #[test]
    fn variables_come_from_everywhere() {
        check(
            object! { "env": [
                { "name": "A", "value": "x" },
                { "name": "B", "value": "$(A)-$(DB_PORT)-$$(A)-$(NONE)" },
            ] },
            Ok("A=x B=x-tcp://10.96.0.7:5432-$(A)-$(NONE)"),
        );
        check(
            object! { "envFrom": [{ "configMapRef": { "name": "cm" }, "prefix": "P_" }],
            "env": [{ "name": "S", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }] },
            Ok("P_a=1 P_b=2 S=hush"),
        );
        let field = |path: &str| object! { "name": "F", "valueFrom": { "fieldRef": { "fieldPath": path } } };
        check(
            object! { "env": [(field("status.podIP"))] },
            Ok("F=10.244.1.3"),
        );
        check(
            object! { "env": [(field("metadata.labels['app']"))] },
            Ok("F=web"),
        );
        let limit = object! { "resource": "limits.memory", "divisor": "1Mi" };
        check(
            object! { "env": [{ "name": "M", "valueFrom": { "resourceFieldRef": (limit) } }] },
            Ok("M=8192"),
        );
    }

    #[test]
    fn variables_come_from_files() {
        let of = |path: &str, key: &str, optional: bool| {
            object! { "env": [{ "name": "X", "valueFrom": { "fileKeyRef": {
                "volumeName": "v", "path": path, "key": key, "optional": optional,
            } } }] }
        };
        check(of("f.env", "A", false), Ok("X=1 2"));
        check(of("f.env", "C", true), Ok(""));
        let missing = "environment variable key \"C\" not found in file";
        check(of("f.env", "C", false), Err(missing));
        check(of("bad", "A", false), Err("couldn't parse env file"));
        check(of("none", "A", false), Err("couldn't parse env file"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let key = |field: &str, name: &str, key: &str, optional: bool| {
            let from = object! { (field): { "name": name, "key": key, "optional": optional } };
            object! { "env": [{ "name": "A", "valueFrom": (from) }] }
        };
        check(
            key("configMapKeyRef", "ghost", "a", false),
            Err("configmap \"ghost\" not found"),
        );
        check(key("configMapKeyRef", "ghost", "a", true), Ok(""));
        check(
            key("secretKeyRef", "ghost", "a", false),
            Err("secret \"ghost\" not found"),
        );
        check(
            key("configMapKeyRef", "cm", "z", false),
            Err("couldn't find key z in ConfigMap ns/cm"),
        );
        check(
            object! { "envFrom": [{ "secretRef": { "name": "ghost" } }] },
            Err("secret \"ghost\" not found"),
        );
    }

    #[test]
    fn services_are_told_as_docker_links_were() {
        let service = object! {
            "metadata": { "name": "my-db" },
            "spec": { "clusterIP": "10.96.0.7", "ports": [{ "name": "sql", "port": 5432 }] },
        };
        let headless = object! { "metadata": { "name": "h" }, "spec": { "clusterIP": "None" } };
        let text: Vec<String> = service_variables([&service, &headless].into_iter())
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            text,
            [
                "MY_DB_SERVICE_HOST=10.96.0.7",
                "MY_DB_SERVICE_PORT=5432",
                "MY_DB_SERVICE_PORT_SQL=5432",
                "MY_DB_PORT=tcp://10.96.0.7:5432",
                "MY_DB_PORT_5432_TCP=tcp://10.96.0.7:5432",
                "MY_DB_PORT_5432_TCP_PROTO=tcp",
                "MY_DB_PORT_5432_TCP_PORT=5432",
                "MY_DB_PORT_5432_TCP_ADDR=10.96.0.7",
            ]
        );
    }
}
