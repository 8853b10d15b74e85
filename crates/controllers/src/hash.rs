//! The short hashes that tell templates apart. Upstream hashes Go's printing of a struct; this
//! hashes the canonical JSON, so the values differ, but not their alphabet or length.
//! Models pkg/util/hash and apimachinery/pkg/util/rand (`SafeEncodeString`).

use api::Value;

const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// The hash of a pod template, as in `pod-template-hash`. `collisions` makes another of it.
#[must_use]
pub fn of_template(template: &Value, collisions: Option<i64>) -> String {
    let mut hash = fnv32a(0x811c_9dc5, template.to_json().as_bytes());
    if let Some(collisions) = collisions {
        hash = fnv32a(hash, &collisions.to_le_bytes());
    }
    safe_encode(&hash.to_string())
}

/// Each byte as a letter or digit that forms no words.
#[must_use]
pub fn safe_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]))
        .collect()
}

fn fnv32a(start: u32, bytes: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    bytes.iter().fold(start, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn digits_become_safe_letters() {
        assert_eq!(safe_encode("0123456789"), "456789bcdf");
    }

    #[test]
    fn a_template_has_one_hash() {
        let template = |image: &str| object! { "spec": { "containers": [{ "image": image }] } };
        let hash = of_template(&template("nginx"), None);
        assert_eq!(hash, of_template(&template("nginx"), None));
        assert_ne!(hash, of_template(&template("nginx:1.27"), None));
        assert_ne!(hash, of_template(&template("nginx"), Some(1)));
        assert!((8..=10).contains(&hash.len()), "{hash}");
    }
}
