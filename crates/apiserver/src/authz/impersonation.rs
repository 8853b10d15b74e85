//! Being taken for somebody else, as `kubectl --as` asks.
//!
//! Models apiserver/pkg/endpoints/filters/impersonation.

use std::rc::Rc;

use api::Status;
use net::http::Request;

use super::{Attributes, Authorizer, refusal};
use crate::authn::{ANONYMOUS, User};

const ACCOUNT: &str = "system:serviceaccount:";

/// Whom a request is to be taken for, if its sender may be; the sender himself where it names nobody.
pub(crate) fn apply(
    authorizer: &Authorizer,
    user: User,
    request: &Request,
) -> Result<User, Status> {
    let Some(name) = request.headers.get("Impersonate-User") else {
        return Ok(user);
    };
    let mut groups: Vec<Rc<str>> = request
        .headers
        .get_all("Impersonate-Group")
        .map(Rc::from)
        .collect();
    let uid = request.headers.get("Impersonate-Uid").unwrap_or("");
    let account = name
        .strip_prefix(ACCOUNT)
        .and_then(|rest| rest.split_once(':'));
    let may = |group, resource, namespace, name| {
        let asked = Attributes {
            verb: "impersonate",
            group,
            resource,
            namespace,
            name,
            ..Attributes::default()
        };
        let decision = authorizer.decide(&user, &asked);
        match decision.allowed {
            true => Ok(()),
            false => Err(refusal(&user, &asked, &decision.reason)),
        }
    };
    match account {
        Some((namespace, name)) => may("", "serviceaccounts", namespace, name)?,
        None => may("", "users", "", name)?,
    }
    for group in &groups {
        may("", "groups", "", group)?;
    }
    if !uid.is_empty() {
        may("authentication.k8s.io", "uids", "", uid)?;
    }
    if let (Some((namespace, _)), true) = (account, groups.is_empty()) {
        groups.push("system:serviceaccounts".into());
        groups.push(format!("system:serviceaccounts:{namespace}").into());
    }
    let known = ["system:authenticated", "system:unauthenticated"];
    if !groups.iter().any(|group| known.contains(&&**group)) {
        groups.push(match name {
            ANONYMOUS => "system:unauthenticated".into(),
            _ => "system:authenticated".into(),
        });
    }
    Ok(User {
        name: name.into(),
        groups,
        uid: uid.into(),
        extra: Vec::new(),
    })
}
