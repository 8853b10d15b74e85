//! What the arguments of a verb may be.
//!
//! Models kubectl/pkg/util/completion/completion.go.

use super::super::config;
use super::super::flags::Line;
use super::super::session::{Call, Session};
use super::{Answer, Candidate, Directive, values};

/// What a verb's arguments name.
enum Names {
    /// A type, then objects of it.
    Objects,
    /// The same of these types only; a name at most once.
    ObjectsOf(&'static [&'static str]),
    /// A pod, or a workload for one of its pods.
    Pod,
    /// The same, then one of its containers.
    PodAndContainer,
    /// Objects of one type.
    Of(&'static str),
    /// A type, with fields behind dots.
    Type,
    /// Entries of the kubeconfig, the first argument only.
    Config(&'static str),
    /// Fixed words.
    Words(&'static [&'static str]),
    /// Nothing.
    Nothing,
}

const ROLLING: &[&str] = &["deployment", "daemonset", "statefulset"];
const SCALING: &[&str] = &[
    "deployment",
    "replicaset",
    "replicationcontroller",
    "statefulset",
];
const EXPOSED: &[&str] = &[
    "deployment",
    "pod",
    "replicaset",
    "replicationcontroller",
    "service",
];

fn names_for(verb: &str) -> Names {
    match verb {
        "get" | "describe" | "delete" | "edit" | "patch" | "label" | "annotate" | "wait"
        | "set image" | "set env" | "set resources" => Names::Objects,
        "rollout history" | "rollout status" | "rollout undo" | "rollout restart" => {
            Names::ObjectsOf(ROLLING)
        }
        "rollout pause" | "rollout resume" => Names::ObjectsOf(&["deployment"]),
        "scale" | "autoscale" => Names::ObjectsOf(SCALING),
        "expose" => Names::ObjectsOf(EXPOSED),
        "taint" => Names::ObjectsOf(&["node"]),
        "exec" | "attach" | "port-forward" | "debug" => Names::Pod,
        "logs" => Names::PodAndContainer,
        "cordon" | "uncordon" | "drain" | "top node" => Names::Of("nodes"),
        "top pod" => Names::Of("pods"),
        "explain" => Names::Type,
        "config use-context"
        | "config delete-context"
        | "config rename-context"
        | "config set-context"
        | "config get-contexts" => Names::Config("contexts"),
        "config delete-cluster" | "config set-cluster" => Names::Config("clusters"),
        "config delete-user" | "config set-credentials" => Names::Config("users"),
        "completion" => Names::Words(&["bash"]),
        _ => Names::Nothing,
    }
}

/// Candidates for the next argument.
pub(super) async fn answer(session: &Session, line: &Line, verb: &str, word: &str) -> Answer {
    let args = &line.args;
    let first = args.is_empty();
    let found = match names_for(verb) {
        Names::Objects => return objects(session, args, None, word).await,
        Names::ObjectsOf(types) => return objects(session, args, Some(types), word).await,
        Names::Pod | Names::PodAndContainer if first => return pod(session, word).await,
        Names::PodAndContainer if args.len() == 1 => values::containers(session, line).await,
        Names::Of(resource) => unused(names(session, resource).await, args),
        Names::Type if first => types(session, &["list"]).await,
        Names::Config(list) if first => config::names_of(session, line, list).await,
        Names::Words(words) if first => words.iter().map(|word| (*word).to_owned()).collect(),
        _ => Vec::new(),
    };
    (matching(found, word), Directive::NO_FILES)
}

/// Those that begin with what was typed.
pub(super) fn matching(found: Vec<String>, prefix: &str) -> Vec<Candidate> {
    let fits = found.into_iter().filter(|name| name.starts_with(prefix));
    fits.map(Candidate::from).collect()
}

fn unused(mut found: Vec<String>, args: &[String]) -> Vec<String> {
    found.retain(|name| !args.contains(name));
    found
}

/// Names of the objects of a resource, in the namespace of the line.
pub(super) async fn names(session: &Session, resource: &str) -> Vec<String> {
    let Ok(discovery) = session.discovery().await else {
        return Vec::new();
    };
    let Some(resource) = discovery.find(resource) else {
        return Vec::new();
    };
    let path = resource.collection(Some(&session.namespace));
    let Ok(list) = session.call(Call::get(path)).await else {
        return Vec::new();
    };
    let items = list.list_at("items").iter();
    items.map(|item| item.name().to_owned()).collect()
}

/// Types that know these verbs, as `api-resources -o name` prints them.
async fn types(session: &Session, verbs: &[&str]) -> Vec<String> {
    let Ok(discovery) = session.discovery().await else {
        return Vec::new();
    };
    let mut found: Vec<_> = discovery
        .resources
        .iter()
        .filter(|resource| {
            let knows = |verb: &&str| resource.verbs.iter().any(|own| own == verb);
            verbs.iter().all(knows)
        })
        .collect();
    found.sort_by(|a, b| (&a.group, &a.plural).cmp(&(&b.group, &b.plural)));
    found.iter().map(|resource| resource.qualified()).collect()
}

/// `TYPE`, `TYPE NAME…` or `TYPE/NAME…`.
async fn objects(
    session: &Session,
    args: &[String],
    only: Option<&'static [&'static str]>,
    word: &str,
) -> Answer {
    if let Some((resource, _)) = word.split_once('/') {
        let found = names(session, resource).await;
        let found = found.into_iter().map(|name| format!("{resource}/{name}"));
        let found = unused(found.collect(), args);
        return (matching(found, word), Directive::NO_FILES);
    }
    let known = match only {
        Some(types) => types.iter().map(|name| (*name).to_owned()).collect(),
        None if args.first().is_none_or(|first| first.contains('/')) => {
            types(session, &["get"]).await
        }
        None => Vec::new(),
    };
    match args.first() {
        None => match word.rsplit_once(',') {
            // Several types at once: the last one is completed.
            Some((before, _)) => {
                let found = known.into_iter().map(|name| format!("{before},{name}"));
                (matching(found.collect(), word), Directive::NO_FILES)
            }
            None => (matching(known, word), Directive::NO_FILES),
        },
        Some(first) if first.contains('/') => {
            let found = known.into_iter().map(|name| format!("{name}/")).collect();
            let directive = Directive(Directive::NO_FILES.0 | Directive::NO_SPACE);
            (matching(found, word), directive)
        }
        Some(first) => {
            let found = unused(names(session, first).await, &args[1..]);
            (matching(found, word), Directive::NO_FILES)
        }
    }
}

/// Types whose objects have pods.
const WITH_PODS: [&str; 8] = [
    "daemonsets",
    "deployments",
    "pods",
    "jobs",
    "replicasets",
    "replicationcontrollers",
    "services",
    "statefulsets",
];

/// A pod's name, or `TYPE/NAME` of what has pods.
async fn pod(session: &Session, word: &str) -> Answer {
    if word.contains('/') {
        return objects(session, &[], None, word).await;
    }
    let mut found = matching(names(session, "pods").await, word);
    let mut directive = Directive::NO_FILES;
    if found.is_empty() {
        // A name is still to come behind the slash.
        directive.0 |= Directive::NO_SPACE;
    }
    let types = WITH_PODS.iter().map(|name| format!("{name}/"));
    found.extend(matching(types.collect(), word));
    (found, directive)
}
