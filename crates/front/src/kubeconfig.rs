//! The kubeconfig that leads clients to the front.

use std::net::SocketAddr;

use anyhow::Result;
use lab::base64;
use serde_json::json;

use crate::identity::Identity;

/// The text of the file, for a user in a group. JSON is YAML, which is what a kubeconfig is in.
///
/// # Errors
/// No key can be made.
pub(crate) fn kubeconfig(
    addr: SocketAddr,
    identity: Option<&Identity>,
    who: (&str, &str),
) -> Result<String> {
    let signed = identity.map(|identity| identity.sign(who)).transpose()?;
    let (cluster, user) = match identity.zip(signed) {
        None => (json!({ "server": format!("http://{addr}") }), json!({})),
        Some((identity, signed)) => (
            json!({
                "certificate-authority-data": base64::encode(identity.authority.pem().as_bytes()),
                "server": format!("https://{addr}"),
            }),
            json!({
                "client-certificate-data": base64::encode(signed.certificate.as_bytes()),
                "client-key-data": base64::encode(signed.key.as_bytes()),
            }),
        ),
    };
    let name = who.1;
    let context = format!("{name}@kubernetes");
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "kubernetes", "cluster": cluster }],
        "users": [{ "name": name, "user": user }],
        "contexts": [{
            "name": context,
            "context": { "cluster": "kubernetes", "user": name },
        }],
        "current-context": context,
        "preferences": {},
    });
    Ok(format!("{config:#}\n"))
}
