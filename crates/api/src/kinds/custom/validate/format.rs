//! Strings with a meaning: what each format asks for. Formats that nobody knows ask for nothing.
//!
//! Models kube-openapi/pkg/validation/strfmt.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{base64, names};

/// Whether a text is of a format.
pub(super) fn fits(format: &str, text: &str) -> bool {
    match format.replace('-', "").as_str() {
        "datetime" => sim::parse_unix(text).is_some(),
        "date" => text.len() == 10 && sim::parse_unix(&format!("{text}T00:00:00Z")).is_some(),
        "duration" => is_duration(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "mac" => is_mac(text),
        "hostname" => is_hostname(text),
        "email" => is_email(text),
        "uri" => is_uri(text),
        "uuid" => is_uuid(text, None),
        "uuid3" => is_uuid(text, Some('3')),
        "uuid4" => is_uuid(text, Some('4')),
        "uuid5" => is_uuid(text, Some('5')),
        "byte" => base64::decode(text).is_ok(),
        "hexcolor" => is_hex_color(text),
        _ => true,
    }
}

/// A Go duration, or one in words: `1 day`.
fn is_duration(text: &str) -> bool {
    let units = [
        "ns",
        "us",
        "µs",
        "ms",
        "s",
        "m",
        "h",
        "d",
        "w",
        "nanoseconds",
        "seconds",
        "second",
        "minutes",
        "minute",
        "hours",
        "hour",
        "days",
        "day",
        "weeks",
        "week",
    ];
    if crate::time::parse_go_duration(text).is_some() {
        return true;
    }
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(at.unwrap_or(text.len()));
    !number.is_empty() && units.contains(&unit.trim())
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let length = length.parse::<u8>().ok();
    let v4 = address.parse::<Ipv4Addr>().is_ok() && length.is_some_and(|n| n <= 32);
    v4 || (address.parse::<Ipv6Addr>().is_ok() && length.is_some_and(|n| n <= 128))
}

fn is_mac(text: &str) -> bool {
    let separator = if text.contains('-') { '-' } else { ':' };
    let parts: Vec<&str> = text.split(separator).collect();
    let is_byte = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    matches!(parts.len(), 6 | 8 | 20) && parts.iter().all(is_byte)
}

fn is_hostname(text: &str) -> bool {
    names::dns1123_subdomain(&text.to_ascii_lowercase()).is_empty()
}

fn is_email(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !user.contains([' ', '@', '<', '>']) && is_hostname(host)
    })
}

fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    let absolute = scheme.is_some_and(is_scheme);
    (absolute || text.starts_with('/')) && !text.contains([' ', '\n', '\t'])
}

fn is_uuid(text: &str, version: Option<char>) -> bool {
    let bare = text.replace('-', "");
    let hex = bare.len() == 32 && bare.bytes().all(|b| b.is_ascii_hexdigit());
    hex && version.is_none_or(|version| bare.chars().nth(12) == Some(version))
}

fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}
