//! Percent-encoding and query strings. Knows no scheme, host or port.
//! Models RFC 3986 section 2.1 and Go's net/url (`+` is a space inside a query).

/// Splits a query (`a=1&b=x%20y`) into its pairs in order, decoded. A name without `=` has the
/// empty value; empty pieces are skipped.
pub fn query_pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (decode(name, true), decode(value, true))
        })
        .collect()
}

/// Decodes `%XX`; anything else, malformed escapes included, stays as it is.
pub fn percent_decode(text: &str) -> String {
    decode(text, false)
}

/// Encodes what may not stand bare in a query value or path segment: everything but letters,
/// digits and `-_.~`.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(byte as char);
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)] as char);
            out.push(HEX[usize::from(byte & 15)] as char);
        }
    }
    out
}

fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| Some(hex(*bytes.get(at + 1)?)? << 4 | hex(*bytes.get(at + 2)?)?))
            .flatten();
        match escape {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                let plain = if plus_is_space && bytes[at] == b'+' {
                    b' '
                } else {
                    bytes[at]
                };
                out.push(plain);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_undoes_encoding_and_leaves_the_malformed() {
        let cases = [
            "plain",
            "a b",
            "app=web,tier!=x",
            "grün",
            "100%",
            "a+b",
            "/x?y&z",
        ];
        for case in cases {
            assert_eq!(percent_decode(&percent_encode(case)), case);
        }
        assert_eq!(percent_decode("%zz%4"), "%zz%4");
        assert_eq!(
            query_pairs("a=1+2&&b"),
            [("a".into(), "1 2".into()), ("b".into(), "".into())]
        );
    }
}
