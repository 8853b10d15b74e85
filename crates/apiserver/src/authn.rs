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
    /// What more is known, as the credential it was learnt from.
    pub extra: Vec<(Rc<str>, Rc<str>)>,
}

/// The key of `extra` that says which credential was shown.
pub(crate) const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// The name of those who show nothing.
pub(crate) const ANONYMOUS: &str = "system:anonymous";

impl User {
    /// The server itself.
    pub(crate) fn server() -> User {
        User {
            name: "system:apiserver".into(),
            groups: vec!["system:masters".into(), "system:authenticated".into()],
            uid: "".into(),
            extra: Vec::new(),
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
        let own = [&*config.issuer];
        return match token::verify(config, resources, now, token.trim(), &own) {
            Ok((user, _)) => Ok(user),
            Err(_) => Err(status::unauthorized()),
        };
    }
    if !config.anonymous_auth {
        return Err(status::unauthorized());
    }
    Ok(User {
        name: ANONYMOUS.into(),
        groups: vec!["system:unauthenticated".into()],
        uid: "".into(),
        extra: Vec::new(),
    })
}

/// The user of a certificate: the common name, and a group for each organisation.
fn user_of_subject(subject: &str) -> User {
    let mut user = User {
        name: "".into(),
        groups: Vec::new(),
        uid: "".into(),
        extra: vec![(CREDENTIAL.into(), fingerprint(subject).into())],
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

/// Which certificate was shown. Certificates are not modelled beyond their subject, so it is a number
/// made of that, of the length of a SHA-256.
fn fingerprint(subject: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut text = "X509SHA256=".to_owned();
    for round in 0..4_u8 {
        for byte in subject.bytes().chain([round]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        text.push_str(&format!("{hash:016x}"));
    }
    text
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
        let (key, shown) = &user.extra[0];
        assert_eq!((&**key, shown.len()), (CREDENTIAL, 75));
    }
}
