//! Web addresses taken apart, as curl and wget read them. Knows no network.
//! Models curl's lib/urlapi.c.

use std::fmt;

/// `scheme://user@host:port/path?query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// In lower case: `http`.
    pub(crate) scheme: String,
    /// `name` or `name:password`.
    pub(crate) user: Option<String>,
    /// A name or an address.
    pub(crate) host: String,
    /// The port, if one is written.
    pub(crate) port: Option<u16>,
    /// The path, which begins with a slash.
    pub(crate) path: String,
    /// What stands behind the question mark.
    pub(crate) query: Option<String>,
}

/// Why a text is no address, in curl's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// Nothing before the path.
    NoHost,
    /// The port is no number that fits.
    Port,
    /// Spaces or control characters.
    Malformed,
}

impl Bad {
    /// curl's sentence.
    pub(crate) fn message(&self) -> &'static str {
        match self {
            Bad::NoHost => "URL rejected: No host part in the URL",
            Bad::Port => "URL rejected: Port number was not a decimal number between 0 and 65535",
            Bad::Malformed => "URL rejected: Malformed input to a URL function",
        }
    }
}

impl Url {
    /// Reads an address; without a scheme it is `http`.
    pub(crate) fn parse(text: &str) -> Result<Url, Bad> {
        if text.is_empty() || text.chars().any(|c| c.is_control() || c == ' ') {
            return Err(Bad::Malformed);
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (path, query) = match tail.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (tail, None),
        };
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, authority),
        };
        // The colons of an address in brackets separate no port.
        let colon = place.rfind(':').filter(|at| !place[*at..].contains(']'));
        let (host, port) = match colon {
            Some(at) => (&place[..at], Some(&place[at + 1..])),
            None => (place, None),
        };
        if host.is_empty() {
            return Err(Bad::NoHost);
        }
        let port = match port {
            None | Some("") => None,
            Some(digits) => Some(digits.parse().map_err(|_| Bad::Port)?),
        };
        Ok(Url {
            scheme: scheme.to_ascii_lowercase(),
            user,
            host: host.to_owned(),
            port,
            path: if path.is_empty() {
                "/".to_owned()
            } else {
                path.to_owned()
            },
            query,
        })
    }

    /// The port it leads to.
    pub(crate) fn port(&self) -> u16 {
        let usual = match self.scheme.as_str() {
            "https" => 443,
            "telnet" => 23,
            _ => 80,
        };
        self.port.unwrap_or(usual)
    }

    /// Host and port as the `Host` header has them.
    pub(crate) fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// Path and query, for the request line.
    pub(crate) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Where a `Location` leads from here.
    pub(crate) fn join(&self, location: &str) -> Result<Url, Bad> {
        if location.contains("://") {
            return Url::parse(location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Url::parse(&format!("{}://{rest}", self.scheme));
        }
        let path = match location.strip_prefix('/') {
            Some(_) => location.to_owned(),
            None => {
                let dir = self.path.rfind('/').map_or("", |at| &self.path[..at]);
                format!("{dir}/{location}")
            }
        };
        Url::parse(&format!("{}://{}{path}", self.scheme, self.authority()))
    }

    /// The last part of the path, empty if it ends with a slash.
    pub(crate) fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority(), self.target())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        let said = match Url::parse(text) {
            Ok(url) => format!("{url} {}", url.port()),
            Err(bad) => bad.message().to_owned(),
        };
        assert_eq!(said, shown);
    }

    #[test]
    fn addresses() {
        check("10.0.0.1", "http://10.0.0.1/ 80");
        check("HTTPS://web:8443?a=b#c", "https://web:8443/?a=b 8443");
        check("https://me:secret@web/x/y", "https://web/x/y 443");
        check("http://[::1]:8080/", "http://[::1]:8080/ 8080");
        check("http:///x", "URL rejected: No host part in the URL");
        check(
            "http://a b/",
            "URL rejected: Malformed input to a URL function",
        );
        let port = "URL rejected: Port number was not a decimal number between 0 and 65535";
        check("http://a:70000/", port);
    }

    #[test]
    fn locations() {
        let url = Url::parse("http://web:81/a/b?c").unwrap();
        let to = |location: &str| url.join(location).unwrap().to_string();
        assert_eq!(to("/x"), "http://web:81/x");
        assert_eq!(to("x?y"), "http://web:81/a/x?y");
        assert_eq!(to("https://other/z"), "https://other/z");
        assert_eq!(to("//other/z"), "http://other/z");
    }
}
