//! Certificates that the cluster issues, for clients that are no part of it.
//!
//! Within the world a certificate is readable text. A client outside asks with a request that holds
//! the public half of a real key, and has to show a real certificate at the front's door. So it is
//! given one of the front's own authority, for the same subject, until the same moment. Alternative
//! names are left out: what serves in the world is not reached from outside.

use bytes::Bytes;
use lab::{Certificate, base64};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm,
    date_time_ymd,
};
use serde_json::Value;
use sim::{EPOCH_UNIX_SECS, Instant};
use std::time::Duration;

use crate::der::{BIT_STRING, OID, SEQUENCE, element, expect};
use crate::identity::Identity;

/// Paths whose answers may hold certificates.
const RESOURCE: &str = "/certificatesigningrequests";
/// The attribute of a group, once more: a name has each of its attributes once here.
const ORGANISATION: [u64; 4] = [2, 5, 4, 10];

/// Whether the answer to a request may hold certificates.
pub(crate) fn asked_for(target: &str) -> bool {
    target.contains(RESOURCE)
}

/// An answer, or lines of one, with real certificates in it where real keys were sent.
pub(crate) fn issue(body: Bytes, identity: &Identity) -> Bytes {
    let (mut out, mut found) = (Vec::new(), false);
    for value in serde_json::Deserializer::from_slice(&body).into_iter::<Value>() {
        let Ok(mut value) = value else {
            return body;
        };
        found |= replace(&mut value, identity);
        out.extend_from_slice(value.to_string().as_bytes());
        out.push(b'\n');
    }
    if found { out.into() } else { body }
}

/// A list, an event of a watch, or a request for a certificate.
fn replace(value: &mut Value, identity: &Identity) -> bool {
    if let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) {
        let replaced = items.iter_mut().map(|item| replace(item, identity));
        return replaced.fold(false, |any, one| any | one);
    }
    if let Some(object) = value.get_mut("object") {
        return replace(object, identity);
    }
    let text = |at: &str| value.pointer(at).and_then(Value::as_str);
    let Some((request, certificate)) = text("/spec/request").zip(text("/status/certificate"))
    else {
        return false;
    };
    let Some(real) = identity.issued(request, certificate) else {
        return false;
    };
    value["status"]["certificate"] = base64::encode(real.as_bytes()).into();
    true
}

/// The certificate in PEM for what a request holds and the cluster issued; `None` if it was asked for
/// without a real key.
pub(crate) fn sign(request: &str, certificate: &str, identity: &Identity) -> Option<String> {
    let text = |encoded: &str| String::from_utf8(base64::decode(encoded).ok()?).ok();
    let request = text(request)?;
    let (_, body) = request.split_once("-----BEGIN CERTIFICATE REQUEST-----")?;
    let (body, _) = body.split_once("-----END CERTIFICATE REQUEST-----")?;
    let body: String = body.split_whitespace().collect();
    let key = Key::of_request(&base64::decode(&body).ok()?)?;
    let issued = Certificate::from_pem(&text(certificate)?)?;
    let params = params(&issued)?;
    let signed = params.signed_by(&key, &identity.authority).ok()?;
    Some(signed.pem())
}

fn params(issued: &Certificate) -> Option<CertificateParams> {
    let mut params = CertificateParams::default();
    // The default has a name already, which would keep its place.
    params.distinguished_name = DistinguishedName::new();
    let mut groups = vec![
        DnType::CustomDnType(ORGANISATION.to_vec()),
        DnType::OrganizationName,
    ];
    for part in issued.subject.split(',') {
        let (attribute, value) = part.split_once('=')?;
        let attribute = match attribute {
            "O" => groups.pop()?,
            "OU" => DnType::OrganizationalUnitName,
            "CN" => DnType::CommonName,
            _ => return None,
        };
        params.distinguished_name.push(attribute, value);
    }
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    let until = Instant::parse_rfc3339(&issued.not_after)?.since(Instant::ZERO);
    let epoch = Duration::from_secs(u64::try_from(EPOCH_UNIX_SECS).ok()?);
    params.not_after = date_time_ymd(1970, 1, 1) + epoch + until;
    Some(params)
}

/// A public key as a request holds it.
struct Key {
    bits: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl Key {
    /// Reads a PKCS #10 request in DER: SEQUENCE { info SEQUENCE { version, subject, key SEQUENCE {
    /// algorithm, BIT STRING }, … }, … }.
    fn of_request(der: &[u8]) -> Option<Key> {
        let (request, _) = expect(der, SEQUENCE)?;
        let (info, _) = expect(request, SEQUENCE)?;
        let (_, _, after_version) = element(info)?;
        let (_, _, after_subject) = element(after_version)?;
        let (key, _) = expect(after_subject, SEQUENCE)?;
        let (algorithm, bits) = expect(key, SEQUENCE)?;
        let (bits, _) = expect(bits, BIT_STRING)?;
        let (kind, parameters) = expect(algorithm, OID)?;
        let curve = expect(parameters, OID).map(|(curve, _)| curve);
        let algorithm = match (kind, curve) {
            ([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], _) => &PKCS_RSA_SHA256,
            ([0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], Some(curve)) => match curve {
                [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7] => &PKCS_ECDSA_P256_SHA256,
                [0x2b, 0x81, 4, 0, 34] => &PKCS_ECDSA_P384_SHA384,
                _ => return None,
            },
            ([0x2b, 0x65, 0x70], _) => &PKCS_ED25519,
            _ => return None,
        };
        // Before the bits stands how many of the last byte do not count: none.
        let bits = bits.strip_prefix(&[0])?.to_vec();
        Some(Key { bits, algorithm })
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use rcgen::KeyPair;
    use serde_json::json;
    use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};

    use super::*;
    use crate::subject::subject;

    fn identity() -> Identity {
        let listen = "127.0.0.1:6443".parse().expect("an address");
        Identity::new(listen).expect("keys can be made")
    }

    fn issued() -> String {
        let pem = Certificate {
            subject: "O=devs,O=ops,CN=carol".into(),
            issuer: "CN=kubernetes".into(),
            not_after: "2036-01-01T00:00:00Z".into(),
            names: "".into(),
        };
        base64::encode(pem.to_pem().as_bytes())
    }

    /// An answer with a certificate for a request of this text.
    fn answer(request: &str, identity: &Identity) -> Value {
        let request = base64::encode(request.as_bytes());
        let object = json!({"spec": {"request": request}, "status": {"certificate": issued()}});
        let event = json!({"type": "MODIFIED", "object": object}).to_string();
        let answer = issue(event.into(), identity);
        serde_json::from_slice(&answer).expect("it is JSON")
    }

    #[test]
    fn who_asked_with_a_real_key_gets_a_real_certificate() {
        let (identity, key) = (identity(), KeyPair::generate().expect("a key"));
        let request = CertificateParams::default().serialize_request(&key);
        let request = request.expect("a request").pem().expect("a text");
        let event = answer(&request, &identity);
        let text = event["object"]["status"]["certificate"].as_str();
        let pem = base64::decode(text.expect("a text")).expect("it is base64");
        let der = CertificateDer::from_pem_slice(&pem).expect("a certificate");
        assert_eq!(subject(&der).as_deref(), Some("O=devs,O=ops,CN=carol"));
        let bits = Key::of_request(&der_of(&request)).expect("a key").bits;
        assert!(der.windows(bits.len()).any(|window| window == bits));
        assert_eq!(answer(&request, &identity), event, "the same once more");
    }

    fn der_of(request: &str) -> Vec<u8> {
        let lines = request.lines().filter(|line| !line.starts_with('-'));
        base64::decode(&lines.collect::<String>()).expect("it is base64")
    }

    #[test]
    fn other_certificates_stay_as_they_are() {
        for request in [
            "",
            "-----BEGIN CERTIFICATE REQUEST-----\nMAMCAQA=\n-----END CERTIFICATE REQUEST-----\n",
        ] {
            let event = answer(request, &identity());
            assert_eq!(
                event["object"]["status"]["certificate"],
                issued(),
                "{request}"
            );
        }
    }
}
