//! The kubeconfig that leads clients to the front.

use std::net::SocketAddr;

use anyhow::Result;
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
                "certificate-authority-data": base64(identity.authority.pem().as_bytes()),
                "server": format!("https://{addr}"),
            }),
            json!({
                "client-certificate-data": base64(signed.certificate.as_bytes()),
                "client-key-data": base64(signed.key.as_bytes()),
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

/// As RFC 4648 has it, with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded() {
        for (plain, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), expected);
        }
    }
}
