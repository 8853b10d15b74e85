//! Certificates as far as a cluster meets them: who is meant, who says so, until when.
//!
//! A certificate file is a PEM block whose body is readable text in base64; keys, signatures and
//! X.509 encoding are not modelled. Identity works as on a real cluster: the subject's `O` are
//! groups, its `CN` is the user.

use std::rc::Rc;

use api::base64;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// `O=system:masters,CN=kubernetes-admin`.
    pub subject: Rc<str>,
    /// `CN=kubernetes`.
    pub issuer: Rc<str>,
    /// End of its validity: `2027-01-05T09:00:00Z`.
    pub not_after: Rc<str>,
    /// Subject alternative names, `DNS:kubernetes, IP Address:10.96.0.1`; empty where it has none.
    pub names: Rc<str>,
}

impl Certificate {
    /// The PEM file.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let mut text = format!(
            "Subject: {}\nIssuer: {}\nNot After: {}\n",
            self.subject, self.issuer, self.not_after
        );
        if !self.names.is_empty() {
            text.push_str(&format!("Names: {}\n", self.names));
        }
        pem("CERTIFICATE", text.as_bytes())
    }

    /// Reads the first certificate of a PEM file; `None` if there is none.
    #[must_use]
    pub fn from_pem(text: &str) -> Option<Certificate> {
        let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
        let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
        let body: String = body.split_whitespace().collect();
        let text = String::from_utf8(base64::decode(&body).ok()?).ok()?;
        let field = |name: &str| -> Option<Rc<str>> {
            text.lines()
                .find_map(|line| line.strip_prefix(name))
                .map(Rc::from)
        };
        Some(Certificate {
            subject: field("Subject: ")?,
            issuer: field("Issuer: ")?,
            not_after: field("Not After: ")?,
            names: field("Names: ").unwrap_or_default(),
        })
    }
}

/// Whether a file holds the private key that belongs to a certificate: the model's keys name the
/// subject they are for.
#[must_use]
pub fn key_fits(key: &str, certificate: &Certificate) -> bool {
    let lines = key.lines().skip_while(|line| !line.contains("PRIVATE KEY"));
    let body: String = lines.filter(|line| !line.starts_with("-----")).collect();
    base64::decode(&body).is_ok_and(|bytes| bytes == certificate.subject.as_bytes())
}

/// A PEM block of `kind` (`CERTIFICATE`, `RSA PRIVATE KEY`) around `body`.
#[must_use]
pub fn pem(kind: &str, body: &[u8]) -> String {
    let encoded = base64::encode(body);
    let mut text = format!("-----BEGIN {kind}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {kind}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_round_trip() {
        let certificate = Certificate {
            subject: "O=system:masters,CN=kubernetes-admin".into(),
            issuer: "CN=kubernetes".into(),
            not_after: "2027-01-05T09:00:00Z".into(),
            names: "DNS:kubernetes, IP Address:10.96.0.1".into(),
        };
        assert_eq!(
            Certificate::from_pem(&certificate.to_pem()),
            Some(certificate)
        );
        let own = pem("RSA PRIVATE KEY", b"CN=a");
        let other = pem("RSA PRIVATE KEY", b"CN=b");
        let certificate = Certificate {
            subject: "CN=a".into(),
            issuer: "CN=ca".into(),
            not_after: "2027-01-05T09:00:00Z".into(),
            names: "".into(),
        };
        assert!(key_fits(&own, &certificate) && !key_fits(&other, &certificate));
        assert_eq!(
            Certificate::from_pem("-----BEGIN CERTIFICATE-----\n???"),
            None
        );
    }
}
