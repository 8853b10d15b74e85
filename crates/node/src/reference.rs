//! Names of container images: parsing, and completing what people leave out (`nginx` is
//! `docker.io/library/nginx:latest`). Knows no registry and no image.
//! Models github.com/distribution/reference: normalize.go, reference.go, regexp.go.

use core::fmt;
use std::rc::Rc;

const DEFAULT_DOMAIN: &str = "docker.io";
const OFFICIAL: &str = "library/";
const NAME_MAX: usize = 255;
const TAG_MAX: usize = 128;

/// A complete image reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The registry's host, with a port if one was given: `docker.io`, `localhost:5000`.
    pub domain: Rc<str>,
    /// The repository inside it: `library/nginx`.
    pub path: Rc<str>,
    /// The tag; `latest` where neither tag nor digest was given.
    pub tag: Option<Rc<str>>,
    /// `sha256:…`, if the reference is by digest.
    pub digest: Option<Rc<str>>,
}

/// Why a text is no image reference. Its `Display` is the reference library's own sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError(String);

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Reference {
    /// Reads an image name as people write it.
    pub fn parse(text: &str) -> Result<Reference, ReferenceError> {
        if text.len() == 64
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        {
            return error(format!(
                "invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
            ));
        }
        let (domain, remainder) = split_domain(text);
        let remote = remainder
            .split_once(':')
            .map_or(&*remainder, |(name, _)| name);
        let remote_name = remote.split_once('@').map_or(remote, |(name, _)| name);
        if remote_name.chars().any(char::is_uppercase) {
            return error(format!(
                "invalid reference format: repository name ({remote_name}) must be lowercase"
            ));
        }
        let invalid = || ReferenceError("invalid reference format".to_owned());
        let (name, digest) = match remainder.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (&*remainder, None),
        };
        let (path, tag) = match name.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (name, None),
        };
        let fits = is_domain(&domain)
            && path.split('/').all(is_path_component)
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest);
        if !fits {
            return Err(invalid());
        }
        if domain.len() + 1 + path.len() > NAME_MAX {
            return error(format!(
                "repository name must not be more than {NAME_MAX} characters"
            ));
        }
        let tag = match (tag, digest) {
            (None, None) => Some("latest"),
            (tag, _) => tag,
        };
        Ok(Reference {
            domain: domain.into(),
            path: path.into(),
            tag: tag.map(Rc::from),
            digest: digest.map(Rc::from),
        })
    }

    /// The repository with its registry: `docker.io/library/nginx`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// True if a pull policy that was not given means `Always`.
    pub fn is_latest(&self) -> bool {
        self.digest.is_none() && self.tag.as_deref() == Some("latest")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn error(message: String) -> Result<Reference, ReferenceError> {
    Err(ReferenceError(message))
}

/// The registry and the rest: the first part is a registry only if it looks like a host.
fn split_domain(text: &str) -> (String, String) {
    let (domain, remainder) = match text.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.chars().any(char::is_uppercase) =>
        {
            (
                if first == "index.docker.io" {
                    DEFAULT_DOMAIN
                } else {
                    first
                },
                rest,
            )
        }
        _ => (DEFAULT_DOMAIN, text),
    };
    let official = domain == DEFAULT_DOMAIN && !remainder.contains('/');
    let remainder = if official {
        format!("{OFFICIAL}{remainder}")
    } else {
        remainder.to_owned()
    };
    (domain.to_owned(), remainder)
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let component = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    host.split('.').all(component)
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// Lower-case words joined by `.`, `_`, `__` or any number of `-`.
fn is_path_component(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if !word(*first) || !word(*last) {
        return false;
    }
    bytes.split(|b| word(*b)).all(|gap| {
        gap.is_empty()
            || gap == b"."
            || gap == b"_"
            || gap == b"__"
            || gap.iter().all(|b| *b == b'-')
    })
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= TAG_MAX
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else {
        return false;
    };
    algorithm
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic())
        && algorithm
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+._-".contains(&b))
        && hex.len() >= 32
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let got = match Reference::parse(text) {
            Ok(reference) => reference.to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(got, expect, "{text}");
    }

    #[test]
    fn names_are_completed() {
        check("nginx", "docker.io/library/nginx:latest");
        check("nginx:1.27", "docker.io/library/nginx:1.27");
        check("polinux/stress", "docker.io/polinux/stress:latest");
        check("index.docker.io/nginx", "docker.io/library/nginx:latest");
        check(
            "registry.k8s.io/coredns/coredns:v1.14.2",
            "registry.k8s.io/coredns/coredns:v1.14.2",
        );
        check("localhost/x", "localhost/x:latest");
        check("localhost:5000/team/x:1", "localhost:5000/team/x:1");
        let digest = format!("nginx@sha256:{}", "ab".repeat(32));
        check(&digest, &format!("docker.io/library/{digest}"));
    }

    #[test]
    fn what_is_no_name_is_refused_in_the_library_s_words() {
        let lower =
            "error: invalid reference format: repository name (library/Nginx) must be lowercase";
        check("Nginx:1:2", lower);
        check("Nginx", lower);
        check("nginx:1:2", "error: invalid reference format");
        check("nginx:", "error: invalid reference format");
        check("", "error: invalid reference format");
        check("a//b", "error: invalid reference format");
        check("nginx:.x", "error: invalid reference format");
        check(" nginx", "error: invalid reference format");
        let hex = "ab".repeat(32);
        check(
            &hex,
            &format!(
                "error: invalid repository name ({hex}), cannot specify 64-byte hexadecimal strings"
            ),
        );
    }

    #[test]
    fn latest_is_known() {
        let latest = |text: &str| Reference::parse(text).expect("valid").is_latest();
        assert!(latest("nginx") && latest("nginx:latest"));
        assert!(!latest("nginx:1.27"));
    }
}
