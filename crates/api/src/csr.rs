//! What a request for a certificate says: the file is PEM, within the base64 of `spec.request`. Its
//! body is a PKCS #10 request, of which only the subject is read, or this project's own readable form,
//! as `client::certificate` has it for certificates.
//! Models crypto/x509 (`ParseCertificateRequest`, as far as the subject).

use crate::base64;

/// Whom a request is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `CN`
    pub common_name: String,
    /// `serialNumber`
    pub serial_number: String,
    /// Each `O`.
    pub organizations: Vec<String>,
    /// Each `OU`.
    pub units: Vec<String>,
}

/// The last byte of the object identifier 2.5.4.x of each part of a name.
const COMMON_NAME: u8 = 3;
const SERIAL_NUMBER: u8 = 5;
const ORGANIZATION: u8 = 10;
const UNIT: u8 = 11;

impl Subject {
    /// `O=devs,CN=carol`, as certificates of this project name it.
    #[must_use]
    pub fn name(&self) -> String {
        let mut parts: Vec<String> = self
            .organizations
            .iter()
            .map(|o| format!("O={o}"))
            .collect();
        parts.extend(self.units.iter().map(|unit| format!("OU={unit}")));
        if !self.common_name.is_empty() {
            parts.push(format!("CN={}", self.common_name));
        }
        parts.join(",")
    }

    fn add(&mut self, part: u8, text: String) {
        match part {
            COMMON_NAME => self.common_name = text,
            SERIAL_NUMBER => self.serial_number = text,
            ORGANIZATION => self.organizations.push(text),
            UNIT => self.units.push(text),
            _ => {}
        }
    }

    fn parse(text: &str) -> Subject {
        let mut subject = Subject::default();
        for part in text.split([',', '/']) {
            let Some((key, value)) = part.trim().split_once('=') else {
                continue;
            };
            let part = match key.trim() {
                "CN" => COMMON_NAME,
                "serialNumber" => SERIAL_NUMBER,
                "O" => ORGANIZATION,
                "OU" => UNIT,
                _ => continue,
            };
            subject.add(part, value.trim().to_owned());
        }
        subject
    }
}

/// The subject of the request that `spec.request` holds.
///
/// # Errors
/// In upstream's words, if it holds none.
pub fn subject(request: &str) -> Result<Subject, String> {
    let wrong = "PEM block type must be CERTIFICATE REQUEST";
    let pem = base64::decode(request).map_err(|_| wrong.to_owned())?;
    let pem = String::from_utf8(pem).map_err(|_| wrong.to_owned())?;
    let body = pem
        .split_once("-----BEGIN CERTIFICATE REQUEST-----")
        .and_then(|(_, rest)| rest.split_once("-----END CERTIFICATE REQUEST-----"));
    let body: String = body.ok_or(wrong)?.0.split_whitespace().collect();
    let body = base64::decode(&body).map_err(|_| wrong.to_owned())?;
    if let Some(text) = std::str::from_utf8(&body)
        .ok()
        .filter(|text| text.contains("Subject:"))
    {
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("Subject:"));
        return Ok(Subject::parse(line.unwrap_or_default()));
    }
    der_subject(&body).ok_or_else(|| "asn1: structure error: malformed request".to_owned())
}

/// Request = SEQUENCE { info SEQUENCE { version INTEGER, subject SEQUENCE OF SET OF part, … }, … }
fn der_subject(bytes: &[u8]) -> Option<Subject> {
    let (_, request, _) = element(bytes)?;
    let (_, info, _) = element(request)?;
    let (_, _, after_version) = element(info)?;
    let (_, mut name, _) = element(after_version)?;
    let mut subject = Subject::default();
    while let Some((_, mut set, rest)) = element(name) {
        while let Some((_, pair, others)) = element(set) {
            let (_, identifier, value) = element(pair)?;
            let (_, text, _) = element(value)?;
            if let [0x55, 0x04, part] = identifier {
                subject.add(*part, String::from_utf8_lossy(text).into_owned());
            }
            set = others;
        }
        name = rest;
    }
    Some(subject)
}

/// The first element of DER: its tag, what it holds, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(*first & 0x7f).min(4))?;
        let length = digits
            .iter()
            .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        (length, rest)
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: Result<&str, &str>) {
        let pem = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n"
        );
        let got = subject(&base64::encode(pem.as_bytes())).map(|subject| subject.name());
        assert_eq!(got.as_deref().map_err(String::as_str), expect);
    }

    #[test]
    fn requests_of_either_form_are_read() {
        let own = base64::encode(b"Subject: O=devs,CN=carol\n");
        check(&own, Ok("O=devs,CN=carol"));
        // The beginning of a request that openssl made, for /CN=carol/O=devs.
        let der = [
            0x30, 0x28, 0x30, 0x26, 0x02, 0x01, 0x00, 0x30, 0x1f, 0x31, 0x0e, 0x30, 0x0c, 0x06,
            0x03, 0x55, 0x04, 0x03, 0x0c, 0x05, b'c', b'a', b'r', b'o', b'l', 0x31, 0x0d, 0x30,
            0x0b, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x04, b'd', b'e', b'v', b's', 0x00, 0x00,
        ];
        check(&base64::encode(&der), Ok("O=devs,CN=carol"));
        check("AAAA", Err("asn1: structure error: malformed request"));
        assert_eq!(
            subject(&base64::encode(b"nothing")),
            Err("PEM block type must be CERTIFICATE REQUEST".to_owned())
        );
    }
}
