//! Who a client certificate says its holder is. Reads as much of X.509 as that takes; whether the
//! certificate is to be believed is the TLS library's business.
//!
//! Models RFC 5280, section 4.1.

use crate::der::{OID, SEQUENCE, SET, element, expect};

const VERSION: u8 = 0xa0;
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANISATION: &[u8] = &[0x55, 4, 10];

/// `O=group,CN=name` of a certificate in DER; `None` if it cannot be read, or a name holds a comma,
/// which this form has no way to write.
pub(crate) fn subject(der: &[u8]) -> Option<String> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (mut fields, _) = expect(certificate, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        fields = element(fields)?.2;
    }
    // Serial number, algorithm, issuer, validity.
    for _ in 0..4 {
        fields = element(fields)?.2;
    }
    let (mut names, _) = expect(fields, SEQUENCE)?;
    let (mut groups, mut user) = (Vec::new(), None);
    while !names.is_empty() {
        let (set, rest) = expect(names, SET)?;
        names = rest;
        let (pair, _) = expect(set, SEQUENCE)?;
        let (kind, rest) = expect(pair, OID)?;
        let (_, value, _) = element(rest)?;
        let value = std::str::from_utf8(value).ok()?;
        if value.contains(',') {
            return None;
        }
        match kind {
            COMMON_NAME => user = Some(format!("CN={value}")),
            ORGANISATION => groups.push(format!("O={value}")),
            _ => {}
        }
    }
    groups.extend(user);
    Some(groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_has_no_subject() {
        for der in [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"hello"] {
            assert_eq!(subject(der), None, "{der:?}");
        }
    }
}
