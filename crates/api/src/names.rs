//! Which names, labels and keys are well formed, and upstream's sentences for those that are not.
//! Models k8s.io/apimachinery/pkg/util/validation/validation.go and pkg/api/validation.

use crate::Map;
use crate::field::FieldError;

/// Longest DNS label, and longest name part of a qualified name.
pub const LABEL_MAX: usize = 63;
/// Longest DNS subdomain.
pub const SUBDOMAIN_MAX: usize = 253;
/// Most bytes all annotations of an object may have together.
pub const ANNOTATIONS_MAX: usize = 256 * 1024;

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_SAYS: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
     characters or '-', and must start and end with an alphanumeric character";
const SUBDOMAIN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const SUBDOMAIN_SAYS: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
     alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const QUALIFIED_SAYS: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must \
     start and end with an alphanumeric character";

/// What is wrong with a value; empty where nothing is.
pub type Messages = Vec<String>;

/// `<says> (e.g. 'a',  or 'b', regex used for validation is '<regex>')`, two blanks included.
fn regex_error(says: &str, regex: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|e| format!("'{e}', ")).collect();
    format!(
        "{says} (e.g. {}regex used for validation is '{regex}')",
        examples.join(" or ")
    )
}

/// `must be no more than <max> bytes`
pub fn max_len_error(max: usize) -> String {
    format!("must be no more than {max} bytes")
}

/// `must be between <low> and <high>, inclusive`
pub fn range_error(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

fn is_lower(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

fn label_shape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|b| is_lower(*b) || *b == b'-')
        && bytes.first().is_some_and(|b| is_lower(*b))
        && bytes.last().is_some_and(|b| is_lower(*b))
}

fn subdomain_shape(text: &str) -> bool {
    text.split('.').all(label_shape)
}

fn qualified_shape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

fn shaped(text: &str, max: usize, fits: bool, error: impl FnOnce() -> String) -> Messages {
    let mut out = Vec::new();
    if text.len() > max {
        out.push(max_len_error(max));
    }
    if !fits {
        out.push(error());
    }
    out
}

/// A DNS label as RFC 1123 has it: names of containers, namespaces, most Services.
pub fn dns1123_label(text: &str) -> Messages {
    shaped(text, LABEL_MAX, label_shape(text), || {
        if subdomain_shape(text) {
            "must not contain dots".to_owned()
        } else {
            regex_error(LABEL_SAYS, LABEL, &["my-name", "123-abc"])
        }
    })
}

/// A DNS subdomain as RFC 1123 has it: names of most objects.
pub fn dns1123_subdomain(text: &str) -> Messages {
    shaped(text, SUBDOMAIN_MAX, subdomain_shape(text), || {
        regex_error(SUBDOMAIN_SAYS, SUBDOMAIN, &["example.com"])
    })
}

/// The same with underscores within the labels or before them: search domains.
pub fn dns1123_subdomain_with_underscore(text: &str) -> Messages {
    const LABEL: &str = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
    let fits = text.split('.').all(|label| {
        let label = label.strip_prefix('_').unwrap_or(label);
        label_shape(&label.replace('_', "-"))
    });
    shaped(text, SUBDOMAIN_MAX, fits, || {
        let says = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
                    characters, '_', '-' or '.', and must start and end with an alphanumeric \
                    character";
        regex_error(says, &format!(r"{LABEL}(\.{LABEL})*"), &["example.com"])
    })
}

/// A DNS label as RFC 1035 has it: begins with a letter.
pub fn dns1035_label(text: &str) -> Messages {
    let fits = label_shape(text) && text.as_bytes()[0].is_ascii_lowercase();
    shaped(text, LABEL_MAX, fits, || {
        let says = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', \
                    start with an alphabetic character, and end with an alphanumeric character";
        regex_error(says, "[a-z]([-a-z0-9]*[a-z0-9])?", &["my-name", "abc-123"])
    })
}

/// What may stand in a path as it is: names of roles, which may hold colons.
pub fn path_segment(text: &str) -> Messages {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    ['/', '%']
        .into_iter()
        .filter(|bad| text.contains(*bad))
        .map(|bad| format!("may not contain '{bad}'"))
        .collect()
}

/// `*.` and a DNS subdomain: hosts of Ingress rules.
pub fn wildcard_dns1123_subdomain(text: &str) -> Messages {
    let fits = text.strip_prefix("*.").is_some_and(subdomain_shape);
    shaped(text, SUBDOMAIN_MAX, fits, || {
        let says = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS \
                    subdomain, which must consist of lower case alphanumeric characters, '-' or \
                    '.' and end with an alphanumeric character";
        regex_error(says, &format!(r"\*\.{SUBDOMAIN}"), &["*.example.com"])
    })
}

/// A key of labels and annotations: an optional DNS subdomain and `/`, then a name.
pub fn qualified_name(text: &str) -> Messages {
    let error = || regex_error(QUALIFIED_SAYS, QUALIFIED, &["MyName", "my.name", "123-abc"]);
    let mut out = Vec::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, name)) if name.contains('/') => {
            let with = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a qualified name {} {with}", error())];
        }
        Some(("", name)) => {
            out.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            out.extend(
                dns1123_subdomain(prefix)
                    .iter()
                    .map(|m| format!("prefix part {m}")),
            );
            name
        }
    };
    if name.is_empty() {
        out.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_MAX {
        out.push(format!("name part {}", max_len_error(LABEL_MAX)));
    }
    if !qualified_shape(name) {
        out.push(format!("name part {}", error()));
    }
    out
}

/// A value of a label.
pub fn label_value(text: &str) -> Messages {
    shaped(
        text,
        LABEL_MAX,
        text.is_empty() || qualified_shape(text),
        || {
            let says = format!(
                "a valid label must be an empty string or {}",
                &QUALIFIED_SAYS[5..]
            );
            regex_error(
                &says,
                &format!("({QUALIFIED})?"),
                &["MyValue", "my_value", "12345"],
            )
        },
    )
}

/// A key of a ConfigMap or Secret.
pub fn config_key(text: &str) -> Messages {
    let fits = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let mut out = shaped(text, SUBDOMAIN_MAX, fits, || {
        let says = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        regex_error(
            says,
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        )
    });
    if text == "." {
        out.push("must not be '.'".to_owned());
    } else if text == ".." {
        out.push("must not be '..'".to_owned());
    } else if text.starts_with("..") {
        out.push("must not start with '..'".to_owned());
    }
    out
}

/// The name of an environment variable: printable ASCII without `=`.
pub fn env_var_name(text: &str) -> Messages {
    if text.is_empty() {
        return vec!["environment variable name must be non-empty".to_owned()];
    }
    if text
        .bytes()
        .all(|b| (b' '..=b'~').contains(&b) && b != b'=')
    {
        return Vec::new();
    }
    vec![
        "a valid environment variable name must consist only of printable ASCII characters other \
          than '='"
            .to_owned(),
    ]
}

/// An identifier of C, such as environment variables of old.
pub fn c_identifier(text: &str) -> Messages {
    let fits = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text.as_bytes().first().is_some_and(|b| !b.is_ascii_digit());
    shaped(text, usize::MAX, fits, || {
        let says = "a valid C identifier must start with alphabetic character or '_', followed by \
                    a string of alphanumeric characters or '_'";
        regex_error(
            says,
            "[A-Za-z_][A-Za-z0-9_]*",
            &["my_name", "MY_NAME", "MyName"],
        )
    })
}

/// The name of an HTTP header.
pub fn http_header_name(text: &str) -> Messages {
    let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    shaped(text, usize::MAX, fits, || {
        let says = "a valid HTTP header must consist of alphanumeric characters or '-'";
        regex_error(says, "[-A-Za-z0-9]+", &["X-Header-Name"])
    })
}

/// A number of a port.
pub fn port_number(port: i64) -> Messages {
    match port {
        1..=65535 => Vec::new(),
        _ => vec![range_error(1, 65535)],
    }
}

/// A name of a port: lower case letters, digits and hyphens, at most 15, with a letter.
pub fn port_name(text: &str) -> Messages {
    let mut out = Vec::new();
    let mut unless = |fits: bool, says: &str| {
        if !fits {
            out.push(says.to_owned());
        }
    };
    unless(text.len() <= 15, &max_len_error(15));
    unless(
        !text.is_empty() && text.bytes().all(|b| is_lower(b) || b == b'-'),
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
    );
    unless(
        text.bytes().any(|b| b.is_ascii_lowercase()),
        "must contain at least one letter (a-z)",
    );
    unless(!text.contains("--"), "must not contain consecutive hyphens");
    unless(
        !text.starts_with('-') && !text.ends_with('-'),
        "must not begin or end with a hyphen",
    );
    out
}

/// `50%`
pub fn percent(text: &str) -> Messages {
    let digits = text.strip_suffix('%').unwrap_or("");
    let fits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    shaped(text, usize::MAX, fits, || {
        let says = "a valid percent string must be a numeric string followed by an ending '%'";
        regex_error(says, "[0-9]+%", &["1%", "93%"])
    })
}

/// An IP address of either family.
pub fn ip(text: &str) -> Messages {
    match text.parse::<std::net::IpAddr>() {
        Ok(_) => Vec::new(),
        Err(_) => {
            vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()]
        }
    }
}

/// What speaks against an address where others are to reach something. Models `ValidateNonSpecialIP`.
pub fn not_special(text: &str) -> Messages {
    use std::net::IpAddr;
    let Ok(address) = text.parse::<IpAddr>() else {
        return Vec::new();
    };
    let (near, near_group) = match address {
        IpAddr::V4(v4) => (v4.is_link_local(), v4.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(v6) => (
            v6.is_unicast_link_local(),
            v6.segments()[0] & 0xff0f == 0xff02,
        ),
    };
    let all = [
        (
            address.is_unspecified(),
            format!("may not be unspecified ({text})"),
        ),
        (
            address.is_loopback(),
            "may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned(),
        ),
        (
            near,
            "may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned(),
        ),
        (
            near_group,
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned(),
        ),
    ];
    let found = all.into_iter().filter(|(is_so, _)| *is_so);
    found.map(|(_, text)| text).collect()
}

/// The name a `generateName` will lead to, as far as its shape goes: a dash at the end is no fault.
pub fn mask_trailing_dash(prefix: &str) -> String {
    match prefix.strip_suffix('-') {
        Some(rest) if prefix.len() > 1 => {
            let mut rest = rest.to_owned();
            rest.pop();
            rest + "a"
        }
        _ => prefix.to_owned(),
    }
}

/// What is wrong with a set of labels.
pub fn validate_labels(labels: &Map, path: impl std::fmt::Display + Copy) -> Vec<FieldError> {
    let mut out = Vec::new();
    for (key, value) in labels {
        for message in qualified_name(key) {
            out.push(FieldError::invalid(path, key, message));
        }
        for message in label_value(value.as_str()) {
            out.push(FieldError::invalid(path, value, message));
        }
    }
    out
}

/// What is wrong with a set of annotations.
pub fn validate_annotations(map: &Map, path: impl std::fmt::Display + Copy) -> Vec<FieldError> {
    let mut out = Vec::new();
    let mut size = 0;
    for (key, value) in map {
        // Upper case is allowed in the prefix of annotation keys.
        for message in qualified_name(&key.to_lowercase()) {
            out.push(FieldError::invalid(path, key, message));
        }
        size += key.len() + value.as_str().len();
    }
    if size > ANNOTATIONS_MAX {
        out.push(FieldError::too_long(path, ANNOTATIONS_MAX));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[track_caller]
    fn check(got: Messages, want: &[&str]) {
        assert_eq!(got, want);
    }

    #[test]
    fn dns() {
        check(dns1123_label("a-1"), &[]);
        check(dns1123_label("a.b"), &["must not contain dots"]);
        check(
            dns1123_label("C_1"),
            &[
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
            ],
        );
        check(
            dns1123_label(&"a".repeat(64)),
            &["must be no more than 63 bytes"],
        );
        check(dns1123_subdomain("a.b-c"), &[]);
        check(
            dns1123_subdomain("My_Pod"),
            &[
                r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            ],
        );
        assert_eq!(dns1123_subdomain("a..b").len(), 1);
        assert_eq!(dns1035_label("1s").len(), 1);
        check(dns1035_label("s1"), &[]);
        assert_eq!(dns1035_label("").len(), 1);
        check(wildcard_dns1123_subdomain("*.example.com"), &[]);
        assert_eq!(wildcard_dns1123_subdomain("example.com").len(), 1);
    }

    #[test]
    fn keys_and_values() {
        check(qualified_name("app.kubernetes.io/name"), &[]);
        check(
            qualified_name("bad key"),
            &[
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            ],
        );
        check(qualified_name("/a"), &["prefix part must be non-empty"]);
        assert!(qualified_name("a/")[0].starts_with("name part must be non-empty"));
        assert!(qualified_name("a/b/c")[0].ends_with("(e.g. 'example.com/MyName')"));
        check(label_value(""), &[]);
        check(
            label_value("b c"),
            &[
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            ],
        );
        check(config_key("a.b_c-D"), &[]);
        assert_eq!(config_key("a/b").len(), 1);
        check(config_key(".."), &["must not be '..'"]);
        check(env_var_name("a.b c"), &[]);
        assert_eq!(env_var_name("a=b").len(), 1);
    }

    #[test]
    fn ports_and_percent() {
        check(port_number(0), &["must be between 1 and 65535, inclusive"]);
        check(port_name("http"), &[]);
        check(port_name("80"), &["must contain at least one letter (a-z)"]);
        check(
            port_name("-a--b"),
            &[
                "must not contain consecutive hyphens",
                "must not begin or end with a hyphen",
            ],
        );
        check(percent("25%"), &[]);
        assert_eq!(percent("x%").len(), 1);
        assert_eq!(mask_trailing_dash("web-"), "wea");
        check(ip("10.0.0.1"), &[]);
        assert_eq!(ip("10.0.0").len(), 1);
    }

    #[test]
    fn sets() {
        let labels = object! { "ok": "yes", "bad key": "b c" };
        let errors = validate_labels(labels.entries(), "metadata.labels");
        assert_eq!(errors.len(), 2);
        assert!(
            errors[0].to_string().starts_with(
                "metadata.labels: Invalid value: \"bad key\": name part must consist of"
            )
        );
        let notes = object! { "Example.com/x": "", "y z": "" };
        assert_eq!(
            validate_annotations(notes.entries(), "metadata.annotations").len(),
            1
        );
    }
}
