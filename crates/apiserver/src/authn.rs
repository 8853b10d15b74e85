//! Who asks: a client certificate's subject, a service account's token, or nobody in particular.
//!
//! Models apiserver/pkg/authentication and pkg/serviceaccount.

use std::rc::Rc;

use api::{Status, status};
use net::http::Request;
use sim::Instant;

use crate::config::Config;
use crate::resources::Resources;
use crate::token;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: Rc<str>,
    /// The groups.
    pub groups: Vec<Rc<str>>,
    /// The uid; empty where there is none.
    pub uid: Rc<str>,
}

/// The name of those who show nothing.
pub(crate) const ANONYMOUS: &str = "system:anonymous";

impl User {
    /// The server itself.
    pub(crate) fn server() -> User {
        User {
            name: "system:apiserver".into(),
            groups: vec!["system:masters".into(), "system:authenticated".into()],
            uid: "".into(),
        }
    }
}

/// Who sent a request. Wrong credentials are refused; none at all make the anonymous user.
pub(crate) fn user_of(
    config: &Config,
    resources: &Resources,
    now: Instant,
    request: &Request,
) -> Result<User, Status> {
    if let Some(subject) = &request.peer {
        return Ok(impersonated(user_of_subject(subject), request));
    }
    if let Some(header) = request.headers.get("Authorization") {
        let token = header
            .strip_prefix("Bearer ")
            .ok_or_else(status::unauthorized)?;
        let user = token::verify(config, resources, now, token.trim());
        return match user {
            Some(user) => Ok(impersonated(user, request)),
            None => Err(status::unauthorized()),
        };
    }
    if !config.anonymous_auth {
        return Err(status::unauthorized());
    }
    Ok(User {
        name: ANONYMOUS.into(),
        groups: vec!["system:unauthenticated".into()],
        uid: "".into(),
    })
}

/// Whom the user asks to be taken for, as `kubectl --as` does. Who may do so is for authorization.
fn impersonated(user: User, request: &Request) -> User {
    let Some(name) = request.headers.get("Impersonate-User") else {
        return user;
    };
    let mut groups: Vec<Rc<str>> = request
        .headers
        .get_all("Impersonate-Group")
        .map(Rc::from)
        .collect();
    if let Some(account) = name.strip_prefix("system:serviceaccount:")
        && let Some((namespace, _)) = account.split_once(':')
        && groups.is_empty()
    {
        groups.push("system:serviceaccounts".into());
        groups.push(format!("system:serviceaccounts:{namespace}").into());
    }
    if name != ANONYMOUS
        && !groups
            .iter()
            .any(|group| &**group == "system:authenticated")
    {
        groups.push("system:authenticated".into());
    }
    let uid = request.headers.get("Impersonate-Uid").unwrap_or("");
    User {
        name: name.into(),
        groups,
        uid: uid.into(),
    }
}

/// The user of a certificate: the common name, and a group for each organisation.
fn user_of_subject(subject: &str) -> User {
    let mut user = User {
        name: "".into(),
        groups: Vec::new(),
        uid: "".into(),
    };
    for part in subject.split(',') {
        match part.trim().split_once('=') {
            Some(("CN", name)) => user.name = name.into(),
            Some(("O", group)) => user.groups.push(group.into()),
            _ => {}
        }
    }
    user.groups.push("system:authenticated".into());
    user
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificates_subject_names_user_and_groups() {
        let user = user_of_subject("O=system:nodes,CN=system:node:node01");
        assert_eq!(&*user.name, "system:node:node01");
        let groups: Vec<&str> = user.groups.iter().map(|group| &**group).collect();
        assert_eq!(groups, ["system:nodes", "system:authenticated"]);
        let request = Request::get("/").with_header("Impersonate-User", "bob");
        let other = impersonated(user, &request);
        assert_eq!((&*other.name, other.groups.len()), ("bob", 1));
    }
}
