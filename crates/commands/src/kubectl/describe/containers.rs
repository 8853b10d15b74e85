//! Containers of a pod or of a template.

use api::{Quantity, Value};

use super::date;
use crate::kubectl::target::or;

/// `label:` and the containers below it. `pod` gives the statuses and what variables refer to;
/// templates have none and are indented by `space`.
pub(super) fn text(
    label: &str,
    containers: &[Value],
    pod: Option<(&Value, &str)>,
    space: &str,
) -> String {
    if containers.is_empty() {
        return match label {
            "Containers" => format!("{space}Containers: <none>\n"),
            _ => String::new(),
        };
    }
    let indent = if space.is_empty() { "" } else { " " };
    let mut text = format!("{space}{label}:\n");
    for container in containers {
        let name = container.str_at("name");
        let status = pod.map(|(pod, field)| {
            let statuses = pod.get("status").list_at(field);
            statuses
                .iter()
                .find(|status| status.str_at("name") == name)
                .cloned()
        });
        // One that no kubelet has told of has no state.
        let status = status.flatten();
        text.push_str(&format!("  {indent}{name}:\n"));
        text.push_str(&basic(container, status.as_ref()));
        text.push_str(&command(container));
        if let Some(status) = &status {
            text.push_str(&states(status));
        }
        text.push_str(&resources(container));
        text.push_str(&probes(container));
        text.push_str(&env_from(container));
        text.push_str(&env(container, pod.map(|(pod, _)| pod)));
        text.push_str(&mounts(container));
        text.push_str(&devices(container));
    }
    text
}

fn basic(container: &Value, status: Option<&Value>) -> String {
    let mut text = String::new();
    if let Some(status) = status {
        text.push_str(&format!(
            "    Container ID:\t{}\n",
            status.str_at("containerID")
        ));
    }
    text.push_str(&format!("    Image:\t{}\n", container.str_at("image")));
    if let Some(status) = status {
        text.push_str(&format!("    Image ID:\t{}\n", status.str_at("imageID")));
    }
    let ports = container.list_at("ports");
    let list = |field: &str| -> String {
        let all: Vec<String> = ports
            .iter()
            .map(|port| {
                let protocol = or(port.str("protocol"), "TCP");
                let name = match port.str_at("name") {
                    "" => String::new(),
                    name => format!(" ({name})"),
                };
                format!("{}/{protocol}{name}", port.i64_at(field).unwrap_or(0))
            })
            .collect();
        if all.is_empty() {
            "<none>".to_owned()
        } else {
            all.join(", ")
        }
    };
    let plural = if ports.len() > 1 { "s" } else { "" };
    text.push_str(&format!("    Port{plural}:\t{}\n", list("containerPort")));
    text.push_str(&format!("    Host Port{plural}:\t{}\n", list("hostPort")));
    text + &seccomp(container.get("securityContext"), "    ")
}

/// The seccomp profile of a security context, of a container if it is indented.
pub(super) fn seccomp(context: &Value, space: &str) -> String {
    let profile = context.get("seccompProfile");
    if profile.is_null() {
        return String::new();
    }
    let kind = profile.str("type");
    let mut text = format!("{space}SeccompProfile:\t{kind}\n");
    if kind == "Localhost" {
        let path = profile.str("localhostProfile");
        let space = if space.is_empty() { "" } else { "      " };
        text.push_str(&format!("{space}LocalhostProfile:\t{path}\n"));
    }
    text
}

fn command(container: &Value) -> String {
    let mut text = String::new();
    for (title, field) in [("Command", "command"), ("Args", "args")] {
        let words = container.list_at(field);
        if !words.is_empty() {
            text.push_str(&format!("    {title}:\n"));
            for word in words.iter().map(Value::as_str) {
                for line in word.split('\n') {
                    text.push_str(&format!("      {line}\n"));
                }
            }
        }
    }
    text
}

fn states(status: &Value) -> String {
    let mut text = state("State", status.get("state"));
    if status.get("lastState").entries().iter().next().is_some() {
        text.push_str(&state("Last State", status.get("lastState")));
    }
    let ready = if status.bool_at("ready") {
        "True"
    } else {
        "False"
    };
    text.push_str(&format!("    Ready:\t{ready}\n"));
    text.push_str(&format!(
        "    Restart Count:\t{}\n",
        status.i64_at("restartCount").unwrap_or(0)
    ));
    text
}

fn state(title: &str, state: &Value) -> String {
    if let running @ Value::Map(_) = state.get("running") {
        let started = date(running.str_at("startedAt"));
        return format!("    {title}:\tRunning\n      Started:\t{started}\n");
    }
    if let ended @ Value::Map(_) = state.get("terminated") {
        let mut text = format!("    {title}:\tTerminated\n");
        for (name, field) in [("Reason", "reason"), ("Message", "message")] {
            match ended.str_at(field) {
                "" => {}
                value => text.push_str(&format!("      {name}:\t{value}\n")),
            }
        }
        text.push_str(&format!(
            "      Exit Code:\t{}\n",
            ended.i64_at("exitCode").unwrap_or(0)
        ));
        if let Some(signal) = ended.i64_at("signal").filter(|signal| *signal > 0) {
            text.push_str(&format!("      Signal:\t{signal}\n"));
        }
        text.push_str(&format!(
            "      Started:\t{}\n",
            date(ended.str_at("startedAt"))
        ));
        text.push_str(&format!(
            "      Finished:\t{}\n",
            date(ended.str_at("finishedAt"))
        ));
        return text;
    }
    match state.str_at("waiting.reason") {
        "" => format!("    {title}:\tWaiting\n"),
        reason => format!("    {title}:\tWaiting\n      Reason:\t{reason}\n"),
    }
}

fn resources(container: &Value) -> String {
    let mut text = String::new();
    for (title, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let amounts = container.get("resources").get(field);
        if amounts.entries().iter().next().is_some() {
            text.push_str(&format!("    {title}:\n"));
            for (name, amount) in amounts.entries().iter() {
                text.push_str(&format!("      {name}:\t{}\n", amount.as_str()));
            }
        }
    }
    text
}

fn probes(container: &Value) -> String {
    let mut text = String::new();
    for (title, field) in [
        ("Liveness", "livenessProbe"),
        ("Readiness", "readinessProbe"),
        ("Startup", "startupProbe"),
    ] {
        if let probe @ Value::Map(_) = container.get(field) {
            text.push_str(&format!("    {title}:\t{}\n", self::probe(probe)));
        }
    }
    text
}

fn probe(probe: &Value) -> String {
    let number = |field: &str| probe.i64_at(field).unwrap_or(0);
    let times = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds"),
        number("timeoutSeconds"),
        number("periodSeconds"),
        number("successThreshold"),
        number("failureThreshold")
    );
    let port = |value: &Value| match value {
        Value::Str(name) => name.to_string(),
        other => other.to_json(),
    };
    if let exec @ Value::Map(_) = probe.get("exec") {
        let words: Vec<&str> = exec.list_at("command").iter().map(Value::as_str).collect();
        return format!("exec [{}] {times}", words.join(" "));
    }
    if let http @ Value::Map(_) = probe.get("httpGet") {
        let scheme = or(http.str("scheme"), "HTTP").to_lowercase();
        let host = http.str_at("host");
        let path = http.str_at("path");
        let path = if path.starts_with('/') || path.is_empty() {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        return format!(
            "http-get {scheme}://{host}:{}{path} {times}",
            port(http.get("port"))
        );
    }
    if let tcp @ Value::Map(_) = probe.get("tcpSocket") {
        return format!(
            "tcp-socket {}:{} {times}",
            tcp.str_at("host"),
            port(tcp.get("port"))
        );
    }
    if let grpc @ Value::Map(_) = probe.get("grpc") {
        let (port, service) = (port(grpc.get("port")), grpc.str_at("service"));
        return format!("grpc <pod>:{port} {service} {times}");
    }
    format!("unknown {times}")
}

fn env_from(container: &Value) -> String {
    let sources = container.list_at("envFrom");
    if sources.is_empty() {
        return String::new();
    }
    let mut text = String::from("    Environment Variables from:\n");
    for source in sources {
        let (from, reference) = match source.get("configMapRef") {
            reference @ Value::Map(_) => ("ConfigMap", reference),
            _ => ("Secret", source.get("secretRef")),
        };
        let from = match source.str_at("prefix") {
            "" => from.to_owned(),
            prefix => format!("{from} with prefix '{prefix}'"),
        };
        text.push_str(&format!(
            "      {}\t{from}\tOptional: {}\n",
            reference.str_at("name"),
            reference.bool_at("optional")
        ));
    }
    text
}

fn env(container: &Value, pod: Option<&Value>) -> String {
    let variables = container.list_at("env");
    if variables.is_empty() {
        return "    Environment:\t<none>\n".to_owned();
    }
    let mut text = String::from("    Environment:\n");
    for variable in variables {
        let name = variable.str_at("name");
        let from = variable.get("valueFrom");
        if let field @ Value::Map(_) = from.get("fieldRef") {
            let path = field.str_at("fieldPath");
            let version = or(field.str("apiVersion"), "v1");
            let value = pod
                .filter(|_| path.starts_with("metadata."))
                .map_or("", |pod| pod.str_at(path));
            text.push_str(&format!("      {name}:\t{value} ({version}:{path})\n"));
        } else if let field @ Value::Map(_) = from.get("resourceFieldRef") {
            let resource = field.str_at("resource");
            text.push_str(&format!(
                "      {name}:\t{} ({resource})\n",
                resource_value(container, field)
            ));
        } else if let key @ Value::Map(_) = from.get("secretKeyRef") {
            text.push_str(&format!(
                "      {name}:\t<set to the key '{}' in secret '{}'>\tOptional: {}\n",
                key.str_at("key"),
                key.str_at("name"),
                key.bool_at("optional")
            ));
        } else if let key @ Value::Map(_) = from.get("configMapKeyRef") {
            text.push_str(&format!(
                "      {name}:\t<set to the key '{}' of config map '{}'>\tOptional: {}\n",
                key.str_at("key"),
                key.str_at("name"),
                key.bool_at("optional")
            ));
        } else {
            for (at, line) in variable.str_at("value").split('\n').enumerate() {
                match at {
                    0 => text.push_str(&format!("      {name}:\t{line}\n")),
                    _ => text.push_str(&format!("      \t{line}\n")),
                }
            }
        }
    }
    text
}

/// `requests.cpu` of a container in whole units of its divisor, rounded up.
fn resource_value(container: &Value, field: &Value) -> i64 {
    let resource = field.str_at("resource");
    let amount = container.get("resources").str_at(resource);
    let divisor = Some(field.str("divisor"))
        .filter(|divisor| !matches!(*divisor, "" | "0"))
        .unwrap_or("1");
    let milli = |text: &str| Quantity::parse(text).map_or(0, |quantity| quantity.milli());
    let divisor = milli(divisor).max(1);
    (milli(amount) + divisor - 1).div_euclid(divisor)
}

fn devices(container: &Value) -> String {
    let mut devices = container.list_at("volumeDevices").to_vec();
    if devices.is_empty() {
        return String::new();
    }
    devices.sort_by(|a, b| a.str("devicePath").cmp(b.str("devicePath")));
    let mut text = String::from("    Devices:\n");
    for device in devices {
        let (path, name) = (device.str("devicePath"), device.str("name"));
        text.push_str(&format!("      {path} from {name}\n"));
    }
    text
}

fn mounts(container: &Value) -> String {
    let mut mounts = container.list_at("volumeMounts").to_vec();
    if mounts.is_empty() {
        return "    Mounts:\t<none>\n".to_owned();
    }
    mounts.sort_by(|a, b| a.str_at("mountPath").cmp(b.str_at("mountPath")));
    let mut text = String::from("    Mounts:\n");
    for mount in mounts {
        let mode = if mount.bool_at("readOnly") {
            "ro"
        } else {
            "rw"
        };
        let sub = match mount.str_at("subPath") {
            "" => String::new(),
            path => format!(",path={path:?}"),
        };
        text.push_str(&format!(
            "      {} from {} ({mode}{sub})\n",
            mount.str_at("mountPath"),
            mount.str_at("name")
        ));
    }
    text
}
