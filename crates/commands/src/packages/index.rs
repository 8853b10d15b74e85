//! What could be installed: the lists that `apt-get update` fetched.

use std::cmp::Ordering;

use machine::Io;

use super::paragraph::Paragraph;
use super::{LISTS, SOURCES};

/// A repository that is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// `https://pkgs.k8s.io/core:/stable:/v1.35/deb`, without the last slash.
    pub(crate) uri: String,
    /// `noble`, or `/` for a repository without suites.
    pub(crate) suite: String,
}

impl Source {
    /// The name of its list of packages.
    pub(crate) fn list(&self) -> String {
        let rest = self.uri.split_once("://").map_or("", |(_, rest)| rest);
        format!("{LISTS}/{}_Packages", rest.replace('/', "_"))
    }

    /// `v1.35`, if it is Kubernetes' own.
    pub(crate) fn minor(&self) -> Option<&str> {
        let rest = self
            .uri
            .strip_prefix("https://pkgs.k8s.io/core:/stable:/")?;
        rest.strip_suffix("/deb")
    }
}

/// A version of a package, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) package: Paragraph,
    pub(crate) source: Source,
}

impl Offer {
    pub(crate) fn name(&self) -> &str {
        self.package.get("Package")
    }

    pub(crate) fn version(&self) -> &str {
        self.package.get("Version")
    }
}

/// The repositories that are listed, those of the distribution first.
pub(crate) async fn sources(io: &Io) -> Vec<Source> {
    let names = io
        .sys(|sys| sys.read_dir(SOURCES))
        .await
        .unwrap_or_default();
    let mut files = vec!["/etc/apt/sources.list".to_owned()];
    files.extend(
        names
            .iter()
            .map(|entry| format!("{SOURCES}/{}", entry.name)),
    );
    let mut found = Vec::new();
    for file in files {
        let text = io.read_to_string(&file).await.unwrap_or_default();
        if file.ends_with(".sources") {
            found.extend(Paragraph::read_all(&text).iter().flat_map(of_paragraph));
        } else if file.ends_with(".list") {
            found.extend(text.lines().filter_map(of_line));
        }
    }
    // Fetched in the order of the lists, the distribution's first: their file sorts last.
    found.sort_by_key(|source: &Source| source.minor().is_some());
    found
}

/// `deb [signed-by=…] https://pkgs.k8s.io/core:/stable:/v1.35/deb/ /`
fn of_line(line: &str) -> Option<Source> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => rest,
    };
    let mut words = rest.split_whitespace();
    Some(Source {
        uri: words.next()?.trim_end_matches('/').to_owned(),
        suite: words.next()?.to_owned(),
    })
}

fn of_paragraph(paragraph: &Paragraph) -> Vec<Source> {
    let uris = paragraph.get("URIs").split_whitespace();
    uris.flat_map(|uri| {
        let suites = paragraph.get("Suites").split_whitespace();
        suites.map(move |suite| Source {
            uri: uri.trim_end_matches('/').to_owned(),
            suite: suite.to_owned(),
        })
    })
    .collect()
}

/// Everything the lists hold, the newest version of each package first.
pub(crate) async fn offers(io: &Io) -> Vec<Offer> {
    let mut all = Vec::new();
    for source in sources(io).await {
        let text = io.read_to_string(&source.list()).await.unwrap_or_default();
        all.extend(Paragraph::read_all(&text).into_iter().map(|package| Offer {
            package,
            source: source.clone(),
        }));
    }
    all.sort_by(|a: &Offer, b: &Offer| {
        let newest_first = compare(b.version(), a.version());
        a.name().cmp(b.name()).then(newest_first)
    });
    all
}

/// Compares two versions as dpkg does: runs of digits as numbers, the rest as text, a tilde before
/// everything.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let rank = |byte: Option<u8>| match byte {
        None => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(byte),
        Some(byte) => i32::from(byte) + 256,
    };
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        let words = |s: &[u8]| s.first().is_some_and(|byte| !byte.is_ascii_digit());
        while words(a) || words(b) {
            let (x, y) = (rank(a.first().copied()), rank(b.first().copied()));
            if x != y {
                return x.cmp(&y);
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let (x, y) = (number(&mut a), number(&mut b));
        if x != y {
            return x.cmp(&y);
        }
    }
    Ordering::Equal
}

fn number(text: &mut &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    *text = rest;
    number.iter().fold(0u64, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_dpkg_compares_them() {
        let check = |a: &str, b: &str, order: Ordering| {
            assert_eq!(compare(a, b), order, "{a} {b}");
            assert_eq!(compare(b, a), order.reverse(), "{b} {a}");
        };
        check("1.36.2-1.1", "1.36.10-1.1", Ordering::Less);
        check("1.36.2-1.1", "1.35.6-1.1", Ordering::Greater);
        check("1.0~rc1", "1.0", Ordering::Less);
        check("1.0", "1.0", Ordering::Equal);
        check("1.0a", "1.0", Ordering::Greater);
    }

    #[test]
    fn a_line_of_a_list_is_a_source() {
        let line = "deb [signed-by=/x.gpg] https://pkgs.k8s.io/core:/stable:/v1.35/deb/ /";
        let source = of_line(line).expect("a source");
        assert_eq!(source.minor(), Some("v1.35"));
        assert_eq!(
            source.list(),
            "/var/lib/apt/lists/pkgs.k8s.io_core:_stable:_v1.35_deb_Packages"
        );
        assert_eq!(of_line("# deb https://x/ /"), None);
    }
}
