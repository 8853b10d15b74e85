//! What the value of a flag may be.

use api::Value;

use super::super::config;
use super::super::flags::Line;
use super::super::help;
use super::super::pods;
use super::super::session::Session;
use super::args::{matching, names};
use super::{Answer, Candidate, Directive};

/// Endings of the files that hold manifests.
const MANIFESTS: [&str; 3] = ["json", "yaml", "yml"];

/// Candidates for the value of a flag of a verb.
pub(super) async fn answer(
    session: &Session,
    line: &Line,
    verb: &str,
    flag: &str,
    prefix: &str,
) -> Answer {
    let found = match (flag, verb) {
        ("namespace", _) => names(session, "namespaces").await,
        ("context", _) => config::names_of(session, line, "contexts").await,
        ("cluster", _) => config::names_of(session, line, "clusters").await,
        ("user", _) => config::names_of(session, line, "users").await,
        ("output", "get") => help::listed_formats("kubectl get"),
        ("subresource", "get" | "patch" | "replace" | "edit") => {
            words(&["status", "scale", "resize"])
        }
        ("container", "exec") if !line.args.is_empty() => containers(session, line).await,
        ("filename", _) => {
            let endings = words(&MANIFESTS).into_iter().map(Candidate::from).collect();
            return (endings, Directive::FILE_ENDINGS);
        }
        _ => return (Vec::new(), Directive::DEFAULT),
    };
    (matching(found, prefix), Directive::NO_FILES)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The containers of the pod that the line names.
pub(super) async fn containers(session: &Session, line: &Line) -> Vec<String> {
    let Some(word) = line.args.first() else {
        return Vec::new();
    };
    let Ok(pod) = pods::pod(session, word, sim::Duration::ZERO).await else {
        return Vec::new();
    };
    ["initContainers", "containers"]
        .iter()
        .flat_map(|field| pod.get("spec").list_at(field))
        .map(|container: &Value| container.str_at("name").to_owned())
        .collect()
}
