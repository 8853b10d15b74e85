//! Who a client certificate says its holder is. Reads as much of X.509 as that takes; whether the
//! certificate is to be believed is the TLS library's business.
//!
//! Models RFC 5280, section 4.1.

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
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

/// The contents of an element of a kind, and what follows it.
fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, contents, rest) = element(bytes)?;
    (found == tag).then_some((contents, rest))
}

/// The first element: its tag, its contents, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut len = usize::from(first);
    if first >= 0x80 {
        let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        len = digits.iter().try_fold(0_usize, |len, digit| {
            len.checked_mul(256)?.checked_add(usize::from(*digit))
        })?;
        rest = after;
    }
    let (contents, rest) = rest.split_at_checked(len)?;
    Some((tag, contents, rest))
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
