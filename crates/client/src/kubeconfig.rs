//! Kubeconfig files: where a cluster is and who one is there. Knows no files: referenced ones are
//! read by the caller.
//!
//! Models client-go/tools/clientcmd.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::{Value, base64, yaml};

use crate::Identity;
use crate::certificate::Certificate;

/// A context of a kubeconfig file, its references resolved.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// `https://172.30.1.2:6443`.
    pub server: Rc<str>,
    /// The namespace commands work in unless told otherwise; empty if the context has none.
    pub namespace: Rc<str>,
    /// Who one is.
    pub identity: Identity,
}

impl Access {
    /// The API server's address, where the URL names it by IPv4 address; the port is the scheme's
    /// unless given.
    #[must_use]
    pub fn addr(&self) -> Option<SocketAddrV4> {
        let (rest, default) = match self.server.split_once("://") {
            Some(("https", rest)) => (rest, 443),
            Some(("http", rest)) => (rest, 80),
            _ => return None,
        };
        let host = rest.split('/').next().unwrap_or(rest);
        let (ip, port) = match host.split_once(':') {
            Some((ip, port)) => (ip, port.parse().ok()?),
            None => (host, default),
        };
        let ip = if ip == "localhost" {
            Ipv4Addr::LOCALHOST
        } else {
            ip.parse().ok()?
        };
        Some(SocketAddrV4::new(ip, port))
    }
}

/// What is taken instead of what a configuration says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Picks<'a> {
    /// The context, instead of the current one.
    pub context: Option<&'a str>,
    /// The cluster, instead of the context's.
    pub cluster: Option<&'a str>,
    /// The user, instead of the context's.
    pub user: Option<&'a str>,
}

/// Resolves a context (the current one unless named) of a kubeconfig file. `files` reads a file the
/// configuration refers to, by its path there.
///
/// # Errors
/// What clientcmd says of a file it cannot use.
pub fn resolve(
    text: &str,
    context: Option<&str>,
    files: impl FnMut(&str) -> Option<String>,
) -> Result<Access, String> {
    let config = match yaml::parse_all(text) {
        Ok(documents) => documents
            .into_iter()
            .next()
            .map(|d| d.value)
            .unwrap_or_default(),
        Err(error) => return Err(format!("error loading config file: {error}")),
    };
    let picks = Picks {
        context,
        ..Picks::default()
    };
    resolve_picked(&config, picks, files)
}

/// The same for a configuration that was read, with other choices than its own.
///
/// # Errors
/// A context, cluster or user that was picked and does not exist.
pub fn resolve_picked(
    config: &Value,
    picks: Picks<'_>,
    mut files: impl FnMut(&str) -> Option<String>,
) -> Result<Access, String> {
    let current = picks
        .context
        .unwrap_or_else(|| config.str_at("current-context"));
    let named = |list: &str, name: &str, key: &str| -> Option<Value> {
        config
            .list_at(list)
            .iter()
            .find(|v| v.str_at("name") == name)
            .map(|v| v.get(key).clone())
    };
    let context_value = match named("contexts", current, "context") {
        Some(found) => found,
        None => match picks.context {
            Some(name) => return Err(format!("context {name:?} does not exist")),
            None => Value::Null,
        },
    };
    let part = |pick: Option<&str>, list: &str, key: &str| match pick {
        Some(name) => named(list, name, key).ok_or(format!(
            "{} {name:?} does not exist",
            if key == "user" { "auth info" } else { key }
        )),
        None => Ok(named(list, context_value.str_at(key), key).unwrap_or_default()),
    };
    let cluster = part(picks.cluster, "clusters", "cluster")?;
    let user = part(picks.user, "users", "user")?;
    let inline = user.str_at("client-certificate-data");
    let certificate = if inline.is_empty() {
        files(user.str_at("client-certificate"))
    } else {
        base64::decode(inline)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
    };
    let token = match user.str_at("token") {
        "" => files(user.str_at("tokenFile")).map(|token| Rc::from(token.trim())),
        token => Some(token.into()),
    };
    Ok(Access {
        server: cluster.str_at("server").into(),
        namespace: context_value.str_at("namespace").into(),
        identity: Identity {
            user_agent: "".into(),
            certificate: certificate
                .and_then(|pem| Certificate::from_pem(&pem))
                .map(|certificate| certificate.subject),
            token,
        },
    })
}

/// The kubeconfig file kubeadm writes for a user of a cluster.
#[must_use]
pub fn write(
    server: &str,
    user: &str,
    ca_pem: &str,
    certificate_pem: &str,
    key_pem: &str,
) -> String {
    let [ca, certificate, key] =
        [ca_pem, certificate_pem, key_pem].map(|pem| base64::encode(pem.as_bytes()));
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    server: \
         {server}\n  name: kubernetes\ncontexts:\n- context:\n    cluster: kubernetes\n    user: \
         {user}\n  name: {user}@kubernetes\ncurrent-context: {user}@kubernetes\nkind: Config\n\
         users:\n- name: {user}\n  user:\n    client-certificate-data: {certificate}\n    \
         client-key-data: {key}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::pem;

    #[test]
    fn what_kubeadm_writes_is_understood() {
        let certificate = Certificate {
            subject: "O=kubeadm:cluster-admins,CN=kubernetes-admin".into(),
            issuer: "CN=kubernetes".into(),
            not_after: "2027-01-05T09:00:00Z".into(),
            names: "".into(),
        };
        let key = pem("RSA PRIVATE KEY", b"key");
        let server = "https://172.30.1.2:6443";
        let text = write(
            server,
            "kubernetes-admin",
            "ca",
            &certificate.to_pem(),
            &key,
        );
        let access = resolve(&text, None, |_| None).unwrap();
        assert_eq!(access.addr().unwrap().to_string(), "172.30.1.2:6443");
        assert_eq!(
            access.identity.certificate.as_deref(),
            Some(&*certificate.subject)
        );
        assert_eq!(
            resolve(&text, Some("other"), |_| None).err().as_deref(),
            Some("context \"other\" does not exist")
        );
    }
}
