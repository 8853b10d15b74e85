//! The kubeconfig that leads clients to the front.

use std::net::SocketAddr;

use serde_json::json;

use crate::identity::Identity;

/// The text of the file. JSON is YAML, which is what a kubeconfig is in.
pub(crate) fn kubeconfig(addr: SocketAddr, identity: Option<&Identity>) -> String {
    let (cluster, user) = match identity {
        None => (json!({ "server": format!("http://{addr}") }), json!({})),
        Some(identity) => (
            json!({
                "certificate-authority-data": base64(identity.authority.as_bytes()),
                "server": format!("https://{addr}"),
            }),
            json!({
                "client-certificate-data": base64(identity.admin_certificate.as_bytes()),
                "client-key-data": base64(identity.admin_key.as_bytes()),
            }),
        ),
    };
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "kubernetes", "cluster": cluster }],
        "users": [{ "name": "kubernetes-admin", "user": user }],
        "contexts": [{
            "name": "kubernetes-admin@kubernetes",
            "context": { "cluster": "kubernetes", "user": "kubernetes-admin" },
        }],
        "current-context": "kubernetes-admin@kubernetes",
        "preferences": {},
    });
    format!("{config:#}\n")
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
