//! `kubectl describe configmap`, `secret` and `serviceaccount`.

use api::{Value, base64};

use super::{head, multiline};

/// A ConfigMap, without events.
pub(super) fn config_map(value: &Value) -> String {
    let mut text = head(value) + "\nData\n====\n";
    for (key, entry) in value.get("data").entries().iter() {
        text.push_str(&format!("{key}:\n----\n{}\n\n", entry.as_str()));
    }
    text.push_str("\nBinaryData\n====\n");
    for (key, entry) in value.get("binaryData").entries().iter() {
        text.push_str(&format!("{key}: {} bytes\n", decoded_len(entry)));
    }
    text + "\n"
}

/// A Secret: sizes only.
pub(super) fn secret(value: &Value) -> String {
    let kind = value.str_at("type");
    let mut text = head(value) + &format!("\nType:\t{kind}\n\nData\n====\n");
    for (key, entry) in value.get("data").entries().iter() {
        let shown = match (&**key, kind) {
            ("token", "kubernetes.io/service-account-token") => {
                let bytes = base64::decode(entry.as_str()).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            _ => format!("{} bytes", decoded_len(entry)),
        };
        text.push_str(&format!("{key}:\t{shown}\n"));
    }
    text
}

/// A ServiceAccount, without events.
pub(super) fn service_account(value: &Value) -> String {
    let secrets = value.list_at("imagePullSecrets").iter();
    let names = secrets.map(|secret| secret.str_at("name").to_owned());
    head(value) + &multiline("Image pull secrets:", names)
}

fn decoded_len(entry: &Value) -> usize {
    base64::decode(entry.as_str()).map_or(0, |bytes| bytes.len())
}
