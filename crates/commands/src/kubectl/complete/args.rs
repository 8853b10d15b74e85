//! What the arguments of a verb may be.
//!
//! Models kubectl/pkg/util/completion/completion.go.

use super::super::config;
use super::super::flags::Line;
use super::super::session::{Call, Session};
use super::super::target::targets;
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
    /// The first is an object of one type.
    First(&'static str),
    /// Files, here or in a pod.
    Files,
    /// Entries of the kubeconfig, the first argument only.
    Config(&'static str),
    /// Fixed words.
    Words(&'static [&'static str]),
    /// Nothing.
    Nothing,
}

const IMAGED: &[&str] = &[
    "daemonsets",
    "deployments",
    "pods",
    "cronjobs",
    "replicasets",
    "replicationcontrollers",
    "statefulsets",
];
const ROLLING: &[&str] = &["deployment", "daemonset", "statefulset"];
const SCALING: &[&str] = &[
    "deployment",
    "replicaset",
    "replicationcontroller",
    "statefulset",
];
const EXPOSED: &[&str] = &[
    "pod",
    "service",
    "replicationcontroller",
    "deployment",
    "replicaset",
];

fn names_for(verb: &str) -> Names {
    match verb {
        "get"
        | "describe"
        | "delete"
        | "edit"
        | "patch"
        | "label"
        | "annotate"
        | "debug"
        | "apply view-last-applied"
        | "apply edit-last-applied" => Names::Objects,
        "set image" => Names::ObjectsOf(IMAGED),
        "rollout history" | "rollout status" | "rollout undo" | "rollout restart" => {
            Names::ObjectsOf(ROLLING)
        }
        "rollout pause" | "rollout resume" => Names::ObjectsOf(&["deployment"]),
        "scale" | "autoscale" => Names::ObjectsOf(SCALING),
        "expose" => Names::ObjectsOf(EXPOSED),
        "taint" => Names::ObjectsOf(&["node"]),
        "exec" | "attach" | "port-forward" => Names::Pod,
        "logs" => Names::PodAndContainer,
        "cordon" | "uncordon" | "drain" | "top node" => Names::First("nodes"),
        "top pod" => Names::First("pods"),
        "config use-context"
        | "config delete-context"
        | "config rename-context"
        | "config set-context" => Names::Config("contexts"),
        "config delete-cluster" => Names::Config("clusters"),
        "config delete-user" => Names::Config("users"),
        "completion" => Names::Words(&["bash", "zsh", "fish", "powershell"]),
        "create token" => Names::First("serviceaccounts"),
        "cp" => Names::Files,
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
        Names::First(resource) if first => names(session, resource).await,
        Names::Files => return files(session, args, word).await,
        Names::Nothing => return (Vec::new(), Directive::DEFAULT),
        Names::Words(_) if !first => return (Vec::new(), Directive::DEFAULT),
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
    names_in(session, resource, &session.namespace).await
}

/// The same of several types, or of those of a category.
async fn names_of_all(session: &Session, words: &str) -> Vec<String> {
    let Ok(discovery) = session.discovery().await else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for target in targets(&discovery, &[words.to_owned()]).unwrap_or_default() {
        found.extend(names(session, &target.resource.qualified()).await);
    }
    found
}

async fn names_in(session: &Session, resource: &str, namespace: &str) -> Vec<String> {
    let Ok(discovery) = session.discovery().await else {
        return Vec::new();
    };
    let Some(resource) = discovery.find(resource) else {
        return Vec::new();
    };
    let path = resource.collection(Some(namespace));
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
    found.dedup_by(|a, b| (&a.group, &a.plural) == (&b.group, &b.plural));
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
            let found = unused(names_of_all(session, first).await, &args[1..]);
            (matching(found, word), Directive::NO_FILES)
        }
    }
}

/// The first side of a copy: namespaces and pods, and files that begin so; with nothing typed, that
/// there may be files.
async fn files(session: &Session, args: &[String], word: &str) -> Answer {
    let directive = Directive(Directive::NO_SPACE);
    if !args.is_empty() || word.starts_with(['/', '.', '~']) || word.contains(':') {
        return (Vec::new(), directive);
    }
    if let Some((namespace, _)) = word.split_once('/') {
        let pods = names_in(session, "pods", namespace).await.into_iter();
        let pods = pods.map(|pod| format!("{namespace}/{pod}:")).collect();
        return (matching(pods, word), directive);
    }
    let namespaces = names(session, "namespaces").await.into_iter();
    let pods = names(session, "pods").await.into_iter();
    let named = namespaces.map(|name| format!("{name}/"));
    let named = named.chain(pods.map(|name| format!("{name}:"))).collect();
    let mut found = matching(named, word);
    if word.is_empty() {
        found.extend(["./", "/"].map(|path| Candidate::from(path.to_owned())));
    } else if !found.is_empty() {
        let entries = session.io.sys(|sys| sys.read_dir(".")).await;
        let entries = entries.unwrap_or_default().into_iter();
        let shown = entries.map(|entry| match entry.stat.is_dir() {
            true => format!("{}/", entry.name),
            false => entry.name.to_string(),
        });
        found.extend(matching(shown.collect(), word));
    }
    (found, directive)
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
