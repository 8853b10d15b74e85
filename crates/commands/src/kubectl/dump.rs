//! `kubectl cluster-info dump`: everything there is about a cluster, for whoever has to find out
//! what is wrong with it.
//!
//! Models kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go.

use api::Value;
use machine::{Fd, OpenMode};

use super::Verb;
use super::act;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, value, values};
use super::logs::{Source, read_log};
use super::session::{Call, Session};

const FLAGS: &[Flag] = &[
    act::ALL_NAMESPACES,
    act::OUTPUT,
    value("output-directory"),
    value("pod-running-timeout"),
    values("namespaces"),
];

/// What stands below `kubectl cluster-info`.
pub(super) const VERBS: [&Verb; 1] = [&DUMP];

const DUMP: Verb = Verb {
    name: "cluster-info dump",
    summary: "Dump relevant information for debugging and diagnosis",
    usage: "kubectl cluster-info dump [flags] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(dump(session, line)),
};

/// What is told of each namespace: a file's name, and the path of the list.
const LISTS: [(&str, &str, &str); 7] = [
    ("events", "api/v1", "events"),
    (
        "replication-controllers",
        "api/v1",
        "replicationcontrollers",
    ),
    ("services", "api/v1", "services"),
    ("daemonsets", "apis/apps/v1", "daemonsets"),
    ("deployments", "apis/apps/v1", "deployments"),
    ("replicasets", "apis/apps/v1", "replicasets"),
    ("pods", "api/v1", "pods"),
];

async fn dump(session: &Session, line: &Line) -> Outcome {
    if !matches!(line.get("output"), None | Some("json" | "yaml")) {
        return Err(Failure::message(format!(
            "unable to match a printer suitable for the output format {:?}, allowed formats are: \
             json,yaml",
            line.text("output")
        )));
    }
    let nodes = session.call(Call::get("/api/v1/nodes")).await?;
    put(session, line, "nodes", &shown(line, &nodes)).await?;
    for namespace in namespaces(session, line).await? {
        let mut pods = Value::Null;
        for (name, group, plural) in LISTS {
            let path = format!("/{group}/namespaces/{namespace}/{plural}");
            pods = session.call(Call::get(path)).await?;
            put(
                session,
                line,
                &format!("{namespace}/{name}"),
                &shown(line, &pods),
            )
            .await?;
        }
        for pod in pods.list_at("items") {
            logs(session, line, &namespace, pod).await?;
        }
    }
    if let Some(directory) = line.get("output-directory").filter(|d| *d != "-") {
        let text = format!("Cluster info dumped to {directory}\n");
        session.io.print(&text).await;
    }
    Ok(())
}

async fn namespaces(session: &Session, line: &Line) -> Outcome<Vec<String>> {
    if line.on("all-namespaces") {
        let list = session.call(Call::get("/api/v1/namespaces")).await?;
        let items = list.list_at("items").iter();
        return Ok(items.map(|item| item.name().to_owned()).collect());
    }
    let given = line.list("namespaces");
    if !given.is_empty() {
        return Ok(given);
    }
    Ok(vec!["kube-system".to_owned(), session.namespace.clone()])
}

async fn logs(session: &Session, line: &Line, namespace: &str, pod: &Value) -> Outcome {
    let name = pod.name();
    let mut text = Vec::new();
    for list in ["initContainers", "containers"] {
        for container in pod.get("spec").list_at(list) {
            let container = container.str("name");
            let head = format!(
                "==== START logs for container {container} of pod {namespace}/{name} ====\n"
            );
            text.extend_from_slice(head.as_bytes());
            let source = Source {
                pod: pod.clone(),
                container: container.to_owned(),
            };
            match read_log(session, &source).await {
                Ok(log) => text.extend_from_slice(&log),
                Err(failure) => {
                    let why = failure.text();
                    text.extend_from_slice(format!("Create log error: {why}").as_bytes());
                }
            }
            let end =
                format!("==== END logs for container {container} of pod {namespace}/{name} ====\n");
            text.extend_from_slice(end.as_bytes());
        }
    }
    write(
        session,
        line,
        &format!("{namespace}/{name}/logs.txt"),
        &text,
    )
    .await
}

async fn put(session: &Session, line: &Line, name: &str, text: &str) -> Outcome {
    let end = line.get("output").unwrap_or("json");
    write(session, line, &format!("{name}.{end}"), text.as_bytes()).await
}

/// Prints a part, or puts it into its file.
async fn write(session: &Session, line: &Line, name: &str, bytes: &[u8]) -> Outcome {
    let io = &session.io;
    let directory = match line.text("output-directory") {
        "" | "-" => {
            io.write_all(Fd::STDOUT, bytes).await;
            return Ok(());
        }
        directory => directory,
    };
    let path = format!("{directory}/{name}");
    let above = path
        .rsplit_once('/')
        .map_or("", |(above, _)| above)
        .to_owned();
    let made = io.sys(move |sys| sys.mkdir_all(&above)).await;
    let opened = match made {
        Ok(()) => io.open(&path, OpenMode::Truncate).await,
        Err(errno) => Err(errno),
    };
    match opened {
        Ok(fd) => {
            io.write_all(fd, bytes).await;
            io.close(fd).await;
            Ok(())
        }
        Err(errno) => Err(Failure::message(format!(
            "open {path}: {}",
            errno.go_message()
        ))),
    }
}

/// A list as it is printed: typed, so in the order of the fields of its kind.
fn shown(line: &Line, list: &Value) -> String {
    if line.get("output") == Some("yaml") {
        return format!("---\n{}", api::yaml::to_string(list));
    }
    // A list says once what its items are.
    let mut list = list.clone();
    let mut items = list.list_at("items").to_vec();
    for item in &mut items {
        item.remove("kind");
        item.remove("apiVersion");
    }
    list.set("items", Value::from(items));
    let mut text = String::new();
    write_json(&list, "", 0, &mut text);
    text.push('\n');
    text
}

/// Fields that stand first, in this order; the others follow by name.
const FIRST: [&str; 12] = [
    "kind",
    "apiVersion",
    "metadata",
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "spec",
    "status",
];

fn write_json(value: &Value, field: &str, depth: usize, out: &mut String) {
    let pad = |depth: usize| "    ".repeat(depth);
    match value {
        Value::Map(map) if !map.is_empty() => {
            let mut fields: Vec<(&str, &Value)> = map.iter().map(|(k, v)| (&**k, v)).collect();
            // Labels and the like are sorted by name.
            if !matches!(field, "labels" | "annotations" | "data" | "matchLabels") {
                let rank = |name: &str| FIRST.iter().position(|one| *one == name);
                fields.sort_by_key(|(name, _)| rank(name).unwrap_or(FIRST.len()));
            }
            out.push_str("{\n");
            for (at, (name, value)) in fields.iter().enumerate() {
                let comma = if at == 0 { "" } else { ",\n" };
                let quoted = Value::from(*name).to_json();
                out.push_str(&format!("{comma}{}{quoted}: ", pad(depth + 1)));
                write_json(value, name, depth + 1, out);
            }
            out.push_str(&format!("\n{}}}", pad(depth)));
        }
        Value::List(list) if !list.is_empty() => {
            out.push_str("[\n");
            for (at, value) in list.iter().enumerate() {
                let comma = if at == 0 { "" } else { ",\n" };
                out.push_str(&format!("{comma}{}", pad(depth + 1)));
                write_json(value, "", depth + 1, out);
            }
            out.push_str(&format!("\n{}]", pad(depth)));
        }
        other => out.push_str(&other.to_json()),
    }
}
