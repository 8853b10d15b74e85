//! What a file of this crate says of its image, and the image made of it. Knows no particular image.

use std::ops::RangeInclusive;
use std::rc::Rc;

use machine::Constructor;
use machine::fs::Tree;
use node::image::{Image, ImageConfig, Layer, digest};

use crate::userland::Userland;

/// An image of the catalogue: one repository with all its tags.
pub struct Definition {
    /// The repository with its registry: `docker.io/library/nginx`.
    pub repository: &'static str,
    /// The tags there are.
    pub tags: Tags,
    /// The files it brings beside its own.
    pub userland: Userland,
    /// Its own layers on top of the userland's: a name, unique among all images, and a compressed
    /// size in bytes. A `{tag}` in the name makes the layer one of the tag, not of all tags.
    pub layers: &'static [(&'static str, u64)],
    /// `ENTRYPOINT`.
    pub entrypoint: &'static [&'static str],
    /// `CMD`.
    pub cmd: &'static [&'static str],
    /// `ENV`. A `{tag}` in a value is the tag.
    pub env: &'static [(&'static str, &'static str)],
    /// `WORKDIR`.
    pub working_dir: &'static str,
    /// `USER` as a number; `None` is root.
    pub user: Option<u32>,
    /// `EXPOSE`d TCP ports.
    pub ports: &'static [u16],
    /// `STOPSIGNAL`; empty for `SIGTERM`.
    pub stop_signal: &'static str,
    /// Puts its own files; the second argument is the tag.
    pub files: fn(&mut Tree, &str),
    /// The programs its executables are, by the names in them.
    pub programs: &'static [(&'static str, Constructor)],
}

/// The tags of a repository: words, and versions with or without a suffix (`1.27.3-alpine`).
pub struct Tags {
    /// Tags as they are, `latest` among them if there is one.
    pub words: &'static [&'static str],
    /// Versions there are.
    pub versions: &'static [Versions],
    /// What may stand behind a version, after a dash.
    pub suffixes: &'static [&'static str],
}

/// A major version and the minor versions it has. Every minor version counts as having 70 patches.
pub struct Versions {
    /// `1` in `1.27.3`.
    pub major: u32,
    /// `27` in it.
    pub minors: RangeInclusive<u32>,
}

impl Versions {
    /// `Versions::of(1, 7..=29)`: 1.7 to 1.29.
    pub const fn of(major: u32, minors: RangeInclusive<u32>) -> Versions {
        Versions { major, minors }
    }
}

/// Patches a minor version has at most.
const PATCHES: u32 = 70;

impl Definition {
    /// An image with nothing in it.
    pub const PLAIN: Definition = Definition {
        repository: "",
        tags: Tags {
            words: &["latest"],
            versions: &[],
            suffixes: &[],
        },
        userland: Userland::None,
        layers: &[],
        entrypoint: &[],
        cmd: &[],
        env: &[],
        working_dir: "",
        user: None,
        ports: &[],
        stop_signal: "",
        files: |_, _| {},
        programs: &[],
    };

    /// The image of one of its tags.
    #[must_use]
    pub fn image(&self, tag: &str) -> Image {
        let named = |name: &str| digest(&format!("layer {}", name.replace("{tag}", tag)));
        let layers: Rc<[Layer]> = self
            .userland
            .layers()
            .iter()
            .chain(self.layers)
            .map(|(name, size)| Layer {
                digest: named(name),
                size: *size,
            })
            .collect();
        let mut root = self.userland.tree();
        (self.files)(&mut root, tag);
        let words = |words: &[&str]| words.iter().map(|word| Rc::from(*word)).collect();
        let variable =
            |(name, value): &(&str, &str)| (Rc::from(*name), Rc::from(value.replace("{tag}", tag)));
        let config = ImageConfig {
            entrypoint: words(self.entrypoint),
            cmd: words(self.cmd),
            env: self.env.iter().map(variable).collect(),
            working_dir: self.working_dir.into(),
            user: self.user,
            exposed_ports: self.ports.to_vec(),
            stop_signal: Some(self.stop_signal)
                .filter(|name| !name.is_empty())
                .map(Rc::from),
            stand_in: false,
        };
        let name = format!("{}:{tag}", self.repository);
        Image {
            digest: digest(&format!("manifest {name}")),
            id: digest(&format!("config {name}")),
            layers,
            config,
            root,
        }
    }
}

impl Tags {
    /// Whether there is such a tag.
    #[must_use]
    pub fn contains(&self, tag: &str) -> bool {
        if self.words.contains(&tag) {
            return true;
        }
        let (version, suffix) = tag
            .split_once('-')
            .map_or((tag, None), |(v, s)| (v, Some(s)));
        if suffix.is_some_and(|suffix| !self.suffixes.contains(&suffix)) {
            return false;
        }
        let mut numbers = version
            .trim_start_matches('v')
            .split('.')
            .map(str::parse::<u32>);
        let mut next = || match numbers.next() {
            None => Some(None),
            Some(Ok(number)) => Some(Some(number)),
            Some(Err(_)) => None,
        };
        let (Some(Some(major)), Some(minor), Some(patch), Some(None)) =
            (next(), next(), next(), next())
        else {
            return false;
        };
        patch.is_none_or(|patch| patch <= PATCHES)
            && self.versions.iter().any(|known| {
                known.major == major && minor.is_none_or(|minor| known.minors.contains(&minor))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: Tags = Tags {
        words: &["latest", "stable"],
        versions: &[Versions::of(1, 7..=29)],
        suffixes: &["alpine", "perl"],
    };

    #[track_caller]
    fn check(tag: &str, expect: bool) {
        assert_eq!(TAGS.contains(tag), expect, "{tag}");
    }

    #[test]
    fn tags_are_words_or_versions_there_are() {
        for tag in [
            "latest",
            "stable",
            "1",
            "1.27",
            "1.7.9",
            "1.16.1",
            "v1.8",
            "1.27-alpine",
        ] {
            check(tag, true);
        }
        for tag in [
            "nope",
            "2",
            "1.161",
            "1.99",
            "1.6",
            "1.27.3.1",
            "1.27-nope",
            "",
            "v",
            "1.x",
        ] {
            check(tag, false);
        }
    }

    #[test]
    fn tags_of_a_repository_share_layers_but_not_digests() {
        let definition = Definition {
            repository: "docker.io/library/x",
            layers: &[("x base", 10), ("x {tag}", 5)],
            ..Definition::PLAIN
        };
        let (a, b) = (definition.image("1"), definition.image("2"));
        assert_eq!(a.layers[0], b.layers[0]);
        assert_ne!(a.layers[1], b.layers[1]);
        assert_ne!(a.digest, b.digest);
        assert_eq!(a.size(), 15);
    }
}
