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
        return Ok(user_of_subject(subject));
    }
    if let Some(header) = request.headers.get("Authorization") {
        let token = header
            .strip_prefix("Bearer ")
            .ok_or_else(status::unauthorized)?;
        return token::verify(config, resources, now, token.trim())
            .ok_or_else(status::unauthorized);
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
    }
}
