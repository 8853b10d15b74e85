//! The releases of Kubernetes there are: what package repositories and registries hold, and what
//! each release runs beside itself.
//!
//! Models cmd/kubeadm/app/constants and dl.k8s.io/release.

/// A release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// `v1.36.2`.
    pub version: &'static str,
    /// Tag of etcd's image.
    pub etcd: &'static str,
    /// Tag of CoreDNS's image.
    pub coredns: &'static str,
    /// Tag of the pause image.
    pub pause: &'static str,
}

/// How many there are.
pub const COUNT: usize = 20;

/// Their versions, the newest first.
pub const VERSIONS: [&str; COUNT] = [
    "v1.36.2", "v1.36.1", "v1.36.0", "v1.35.6", "v1.35.5", "v1.35.4", "v1.35.3", "v1.35.2",
    "v1.35.1", "v1.35.0", "v1.34.9", "v1.34.8", "v1.34.7", "v1.34.6", "v1.34.5", "v1.34.4",
    "v1.34.3", "v1.34.2", "v1.34.1", "v1.34.0",
];

/// The release of a version, with or without the `v`.
#[must_use]
pub fn find(version: &str) -> Option<Release> {
    let bare = version.trim_start_matches('v');
    let version = VERSIONS.into_iter().find(|known| &known[1..] == bare)?;
    let (etcd, coredns, pause) = match minor(version) {
        34 => ("3.6.5-0", "v1.12.1", "3.10.1"),
        35 => ("3.6.6-0", "v1.13.1", "3.10.1"),
        _ => ("3.6.8-0", "v1.14.2", "3.10.2"),
    };
    Some(Release {
        version,
        etcd,
        coredns,
        pause,
    })
}

/// `36` of `v1.36.2`; 0 of what is no version.
#[must_use]
pub fn minor(version: &str) -> u32 {
    numbers(version).1
}

/// Major, minor and patch of `v1.36.2`, zeroes for what is missing.
#[must_use]
pub fn numbers(version: &str) -> (u32, u32, u32) {
    let bare = version.trim_start_matches('v');
    let mut parts = bare
        .split(['.', '-', '+'])
        .map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

/// The newest release of a minor version: what `stable-1.36` names.
#[must_use]
pub fn newest_of(minor_version: u32) -> Option<&'static str> {
    VERSIONS.into_iter().find(|v| minor(v) == minor_version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_found_by_version_and_by_minor() {
        assert_eq!(find("1.36.2").map(|r| r.etcd), Some("3.6.8-0"));
        assert_eq!(find("v1.35.6").map(|r| r.coredns), Some("v1.13.1"));
        assert_eq!(find("v1.99.0"), None);
        assert_eq!(newest_of(35), Some("v1.35.6"));
        assert_eq!(newest_of(34), Some("v1.34.9"));
        assert_eq!(newest_of(33), None);
    }

    #[test]
    fn versions_are_listed_from_the_newest() {
        let mut sorted = VERSIONS;
        sorted.sort_by_key(|version| std::cmp::Reverse(numbers(version)));
        assert_eq!(sorted, VERSIONS);
    }
}
