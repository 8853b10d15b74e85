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
use super::print;
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
    print::format(line)?;
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
    let mut list = list.clone();
    let version = list.api_version().to_owned();
    let kind = list.kind().trim_end_matches("List").to_owned();
    for item in list.list_mut("items") {
        item.set("apiVersion", version.as_str());
        item.set("kind", kind.as_str());
        item.remove("metadata.managedFields");
    }
    print::typed::json(&list)
}
