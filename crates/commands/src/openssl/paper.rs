//! What the readable PEM files say: subjects, times, blocks.

use client::certificate::{Certificate, pem};
use sim::{Civil, Instant};

pub(super) const REQUEST: &str = "CERTIFICATE REQUEST";
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads `/CN=carol/O=devs`; gives `CN=carol,O=devs`.
pub(super) fn subject(text: &str) -> Result<String, String> {
    let Some(rest) = text.strip_prefix('/') else {
        return Err(format!(
            "req: subject name is expected to be in the format /type0=value0/type1=value1/type2=... \
             where characters may be escaped by \\. This name is not in that format: '{text}'\n"
        ));
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    match parts.iter().find(|part| !part.contains('=')) {
        Some(part) => Err(format!(
            "req: Missing '=' after RDN type string '{part}' in subject name string\n"
        )),
        None => Ok(parts.join(",")),
    }
}

/// `O=devs,CN=carol` as openssl prints it: `O = devs, CN = carol`.
pub(super) fn shown(subject: &str) -> String {
    let parts = subject.split(',').map(|part| part.replacen('=', " = ", 1));
    parts.collect::<Vec<_>>().join(", ")
}

/// A request for a certificate, with alternative names as openssl prints them and what tells its key.
pub(super) fn request(subject: &str, names: &str, key: &str) -> String {
    let mut text = format!("Subject: {subject}\nKey: {key}\n");
    if !names.is_empty() {
        text.push_str(&format!("Names: {names}\n"));
    }
    pem(REQUEST, text.as_bytes())
}

/// The subject and the alternative names of a request; `None` if the text holds none.
pub(super) fn requested(text: &str) -> Option<(String, String)> {
    let body = block(text, REQUEST)?;
    let field = |name: &str| body.lines().find_map(|line| line.strip_prefix(name));
    let names = field("Names: ").unwrap_or_default();
    Some((field("Subject: ")?.to_owned(), names.to_owned()))
}

/// What tells the key a request or a certificate was made with.
pub(super) fn key(text: &str, kind: &str) -> Option<String> {
    let body = block(text, kind)?;
    let found = body.lines().find_map(|line| line.strip_prefix("Key: "));
    found.map(str::to_owned)
}

/// Reads alternative names as a configuration lists them, `DNS:foo,IP:10.0.0.1`; gives them as
/// openssl prints them, `DNS:foo, IP Address:10.0.0.1`.
pub(super) fn names(text: &str) -> String {
    let names = text.split(',').map(|name| match name.trim() {
        name if name.starts_with("IP:") => name.replacen("IP:", "IP Address:", 1),
        name => name.to_owned(),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The readable text in the first block of this kind.
pub(super) fn block(text: &str, kind: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {kind}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {kind}-----"))?;
    let body: String = body.split_whitespace().collect();
    String::from_utf8(api::base64::decode(&body).ok()?).ok()
}

/// A certificate from `now` on for so many days, beside what `client` keeps of it.
pub(super) fn certificate(
    (subject, names, key): (&str, &str, &str),
    issuer: &str,
    now: Instant,
    days: i64,
) -> String {
    let start = Civil::from_unix(now.unix_secs()).rfc3339();
    let end = Civil::from_unix(now.unix_secs() + days * 86_400).rfc3339();
    let mut text =
        format!("Subject: {subject}\nIssuer: {issuer}\nNot After: {end}\nNot Before: {start}\n");
    if !key.is_empty() {
        text.push_str(&format!("Key: {key}\n"));
    }
    if !names.is_empty() {
        text.push_str(&format!("Names: {names}\n"));
    }
    pem("CERTIFICATE", text.as_bytes())
}

/// When a certificate began to count. Those that say nothing of it are kubeadm's, which last a year,
/// or ten where they sign themselves.
pub(super) fn not_before(text: &str, certificate: &Certificate) -> String {
    let body = block(text, "CERTIFICATE").unwrap_or_default();
    let told = body
        .lines()
        .find_map(|line| line.strip_prefix("Not Before: "));
    if let Some(told) = told {
        return told.to_owned();
    }
    let years = if certificate.subject == certificate.issuer {
        10
    } else {
        1
    };
    let end = sim::parse_unix(&certificate.not_after).map_or(0, |(secs, _)| secs);
    Civil::from_unix(end - years * 365 * 86_400).rfc3339()
}

/// `2027-01-05T09:00:00Z` as openssl prints it: `Jan  5 09:00:00 2027 GMT`.
pub(super) fn date(rfc3339: &str) -> String {
    let secs = sim::parse_unix(rfc3339).map_or(0, |(secs, _)| secs);
    let c = Civil::from_unix(secs);
    let month = usize::try_from(c.month).unwrap_or(1).saturating_sub(1);
    format!(
        "{} {:>2} {:02}:{:02}:{:02} {} GMT",
        MONTHS[month.min(11)],
        c.day,
        c.hour,
        c.minute,
        c.second,
        c.year
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_dates_and_requests() {
        assert_eq!(subject("/CN=a/O=b").as_deref(), Ok("CN=a,O=b"));
        assert!(subject("CN=a").is_err());
        assert!(subject("/CN").is_err());
        assert_eq!(shown("O=b,CN=a"), "O = b, CN = a");
        assert_eq!(date("2027-01-05T09:00:00Z"), "Jan  5 09:00:00 2027 GMT");
        let names = names("DNS:a.example.com, IP:10.0.0.1");
        assert_eq!(names, "DNS:a.example.com, IP Address:10.0.0.1");
        let made = request("CN=a", &names, "k");
        assert_eq!(key(&made, REQUEST).as_deref(), Some("k"));
        let read = requested(&made);
        assert_eq!(read, Some(("CN=a".to_owned(), names)));
        assert_eq!(requested("nothing"), None);
    }
}
