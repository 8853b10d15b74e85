//! The registries of the world: which references lead to an image, and what the others lead to.
//!
//! - A repository of the catalogue has the tags its definition lists, and no others.
//! - The well-known public registries have any repository anyone could have pushed to them, with a
//!   stand-in for an image. On Docker Hub's own, single-named repositories only those exist that
//!   really do: a misspelt `ngnix` is refused as it would be.
//! - A name or tag that says itself that it does not exist (`nosuch`, `doesnotexist`, `nope`, …) is
//!   taken at its word: repositories are refused as private, tags as not found.
//! - `localhost` answers on no port; every other host name does not resolve.

use node::image::{Image, Refusal, digest};
use node::reference::Reference;

use crate::definition::Definition;
use crate::{all, stand_in};

/// Public registries.
const REGISTRIES: [&str; 12] = [
    "docker.io",
    "gcr.io",
    "ghcr.io",
    "k8s.gcr.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "quay.io",
    "registry.gitlab.com",
    "registry.k8s.io",
    "us-docker.pkg.dev",
    "europe-docker.pkg.dev",
    "cgr.dev",
];

/// Docker Hub's official images beside those of the catalogue.
const OFFICIAL: [&str; 48] = [
    "adminer",
    "almalinux",
    "amazonlinux",
    "archlinux",
    "bash",
    "caddy",
    "cassandra",
    "consul",
    "couchdb",
    "docker",
    "drupal",
    "eclipse-mosquitto",
    "eclipse-temurin",
    "elasticsearch",
    "fedora",
    "gcc",
    "ghost",
    "golang",
    "grafana",
    "haproxy",
    "hello-world",
    "influxdb",
    "jenkins",
    "kibana",
    "kong",
    "mariadb",
    "maven",
    "memcached",
    "mongo",
    "mongo-express",
    "mysql",
    "nats",
    "neo4j",
    "nextcloud",
    "node",
    "openjdk",
    "perl",
    "php",
    "postgres",
    "python",
    "rabbitmq",
    "registry",
    "rockylinux",
    "ruby",
    "rust",
    "solr",
    "tomcat",
    "traefik",
];

/// More of them; one list would be too long to read.
const MORE_OFFICIAL: [&str; 6] = [
    "vault",
    "wordpress",
    "zookeeper",
    "httpd",
    "kapacitor",
    "telegraf",
];

/// What a name that says itself that it does not exist has in it.
const TELLTALES: [&str; 22] = [
    "nosuch",
    "no-such",
    "nonexist",
    "non-exist",
    "notexist",
    "not-exist",
    "doesnt",
    "doesnot",
    "does-not",
    "not-found",
    "notfound",
    "invalid",
    "missing",
    "bogus",
    "nope",
    "typo",
    "wrong",
    "broken",
    "bad-",
    "fake",
    "ghost-",
    "imaginary",
];

/// The image a reference leads to.
///
/// # Errors
/// What its registry would answer instead.
pub fn registry(reference: &Reference) -> Result<Image, Refusal> {
    let domain = &*reference.domain;
    if !REGISTRIES.contains(&domain) {
        let local = domain.split(':').next() == Some("localhost") || domain.starts_with("127.");
        return Err(if local {
            Refusal::Refused
        } else {
            Refusal::NoSuchHost
        });
    }
    let name = reference.name();
    if let Some(definition) = all().iter().find(|image| image.repository == name) {
        return of_catalogue(definition, reference);
    }
    let official = reference.path.strip_prefix("library/");
    let exists = match official.filter(|_| domain == "docker.io") {
        Some(name) => OFFICIAL.contains(&name) || MORE_OFFICIAL.contains(&name),
        None => !says_it_is_missing(&reference.path),
    };
    if !exists {
        return Err(Refusal::Denied);
    }
    if reference.tag.as_deref().is_some_and(says_it_is_missing) {
        return Err(Refusal::NotFound);
    }
    Ok(stand_in::image(reference))
}

fn of_catalogue(definition: &Definition, reference: &Reference) -> Result<Image, Refusal> {
    if let Some(wanted) = &reference.digest {
        let tags = definition
            .tags
            .words
            .iter()
            .copied()
            .chain(reference.tag.as_deref());
        let of_tag = |tag: &str| digest(&format!("manifest {}:{tag}", definition.repository));
        let tag = tags.into_iter().find(|tag| of_tag(tag) == *wanted);
        return tag
            .map(|tag| definition.image(tag))
            .ok_or(Refusal::NotFound);
    }
    let tag = reference.tag.as_deref().unwrap_or("latest");
    if definition.tags.contains(tag) {
        Ok(definition.image(tag))
    } else {
        Err(Refusal::NotFound)
    }
}

fn says_it_is_missing(name: &str) -> bool {
    TELLTALES.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(image: &str, expect: Result<(), Refusal>) {
        let reference = Reference::parse(image).expect("a reference");
        assert_eq!(registry(&reference).map(|_| ()), expect, "{image}");
    }

    #[test]
    fn what_exists_is_found() {
        for image in [
            "nginx",
            "nginx:1.27",
            "nginx:1.14.2",
            "busybox:1.36",
            "registry.k8s.io/pause:3.10.1",
            "polinux/stress",
            "postgres:16",
            "gcr.io/google-samples/hello-app:1.0",
            "hashicorp/http-echo",
        ] {
            check(image, Ok(()));
        }
        let nginx = registry(&Reference::parse("nginx").unwrap()).unwrap();
        check(&format!("nginx@{}", nginx.digest), Ok(()));
    }

    #[test]
    fn what_does_not_is_refused_as_it_would_be() {
        check("nginx:doesnotexist", Err(Refusal::NotFound));
        check("nginx:1.161", Err(Refusal::NotFound));
        check("ngnix", Err(Refusal::Denied));
        check("nosuch/repo:1", Err(Refusal::Denied));
        check("team/app:nope", Err(Refusal::NotFound));
        check("registry.invalid/x:1", Err(Refusal::NoSuchHost));
        check("registry.example.com/team/app", Err(Refusal::NoSuchHost));
        check("localhost:5000/app", Err(Refusal::Refused));
    }

    #[test]
    fn tags_and_stand_ins_have_sizes_and_digests_of_their_own() {
        let image = |name: &str| registry(&Reference::parse(name).unwrap()).unwrap();
        assert_ne!(image("nginx:1.27").digest, image("nginx:1.28").digest);
        assert_eq!(image("postgres:16").digest, image("postgres:16").digest);
        assert_eq!(image("nginx").size(), 62_706_233);
        assert!(image("postgres:16").config.stand_in);
    }
}
