//! What `--dry-run` shows instead of doing it.
//!
//! Models cmd/kubeadm/app/util/apiclient/dryrun.go and util/dryrun.

use api::{Value, yaml};
use net::http::Method;

/// A request, as it is told before it would be sent.
pub(crate) fn action(method: Method, target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let words: Vec<&str> = path.split('/').skip(1).collect();
    let (group, rest) = match words.as_slice() {
        ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
        ["api", version, rest @ ..] => (format!("core/{version}"), rest),
        rest => (String::new(), rest),
    };
    let (namespace, resource, name) = match rest {
        ["namespaces", namespace, resource, name @ ..] => (*namespace, *resource, name.first()),
        [resource, name @ ..] => ("", *resource, name.first()),
        [] => ("", "", None),
    };
    let verb = match (method, name) {
        (Method::Get, Some(_)) => "GET",
        (Method::Get, None) => "LIST",
        _ => "CREATE",
    };
    let mut text = format!(
        "[dryrun] Would perform action {verb} on resource {resource:?} in API group {group:?}\n"
    );
    if let Some(name) = name {
        text.push_str(&format!(
            "[dryrun] Resource name {name:?}, namespace {namespace:?}\n"
        ));
    }
    text
}

/// An object that goes with a request.
pub(crate) fn attached(object: &Value) -> String {
    format!("[dryrun] Attached object:\n{}\n", yaml::to_string(object))
}

/// A file with its contents.
pub(crate) fn file(path: &str, content: &str) -> String {
    let lines: String = content.lines().map(|line| format!("\t{line}\n")).collect();
    format!("[dryrun] Would write file {path:?} with content:\n{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_by_what_they_are_about() {
        assert_eq!(
            action(
                Method::Get,
                "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"
            ),
            "[dryrun] Would perform action GET on resource \"configmaps\" in API group \
             \"core/v1\"\n[dryrun] Resource name \"kubeadm-config\", namespace \"kube-system\"\n"
        );
        assert_eq!(
            action(Method::Get, "/api/v1/nodes?labelSelector=a"),
            "[dryrun] Would perform action LIST on resource \"nodes\" in API group \"core/v1\"\n"
        );
        assert_eq!(
            action(Method::Get, "/apis/apps/v1/namespaces/a/deployments"),
            "[dryrun] Would perform action LIST on resource \"deployments\" in API group \
             \"apps/v1\"\n"
        );
    }

    #[test]
    fn a_file_is_shown_behind_tabs() {
        assert_eq!(
            file("/x", "a\nb\n"),
            "[dryrun] Would write file \"/x\" with content:\n\ta\n\tb\n"
        );
    }
}
