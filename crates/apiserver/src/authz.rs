//! Who may do what. Everyone who is known may do everything; the anonymous user may look at health,
//! version and discovery pages. RBAC takes this file's place.
//!
//! Models apiserver/pkg/authorization and the system:public-info-viewer role.

use api::{Status, status};

use crate::authn::{ANONYMOUS, User};
use crate::request::RequestInfo;

/// What anybody may read.
const PUBLIC: [&str; 4] = ["/healthz", "/livez", "/readyz", "/version"];

/// Refuses what the user may not do, in upstream's words.
pub(crate) fn allow(user: &User, info: &RequestInfo) -> Result<(), Status> {
    if &*user.name != ANONYMOUS {
        return Ok(());
    }
    if !info.is_resource {
        let path = info.path.trim_end_matches('/');
        let public = PUBLIC.iter().any(|page| {
            path.strip_prefix(page)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if public && info.verb == "get" {
            return Ok(());
        }
        let why = format!(
            "User {:?} cannot {} path {:?}",
            &*user.name, info.verb, info.path
        );
        return Err(status::forbidden("", "", "", why));
    }
    Err(refusal(user, info))
}

/// `pods is forbidden: User "bob" cannot list resource "pods" in API group "" at the cluster scope`
pub(crate) fn refusal(user: &User, info: &RequestInfo) -> Status {
    let resource = match info.subresource.as_str() {
        "" => info.resource.clone(),
        subresource => format!("{}/{subresource}", info.resource),
    };
    let place = match info.namespace.as_str() {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {namespace:?}"),
    };
    let why = format!(
        "User {:?} cannot {} resource {resource:?} in API group {:?} {place}",
        &*user.name, info.verb, info.group
    );
    status::forbidden(&info.group, &info.resource, &info.name, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Query;
    use net::http::Request;

    #[track_caller]
    fn check(name: &str, target: &str, expected: Result<(), &str>) {
        let user = User {
            name: name.into(),
            groups: Vec::new(),
            uid: "".into(),
        };
        let info = RequestInfo::of(&Request::get(target), &Query::default());
        let said = allow(&user, &info).map_err(|status| status.message);
        assert_eq!(said, expected.map_err(str::to_owned));
    }

    #[test]
    fn strangers_see_health_and_nothing_else() {
        check("alice", "/api/v1/pods", Ok(()));
        check(ANONYMOUS, "/readyz/ping", Ok(()));
        check(ANONYMOUS, "/version", Ok(()));
        check(
            ANONYMOUS,
            "/apis",
            Err("forbidden: User \"system:anonymous\" cannot get path \"/apis\""),
        );
        check(
            ANONYMOUS,
            "/api/v1/namespaces/kube-system/pods/x/log",
            Err(
                "pods \"x\" is forbidden: User \"system:anonymous\" cannot get resource \
                 \"pods/log\" in API group \"\" in the namespace \"kube-system\"",
            ),
        );
    }
}
