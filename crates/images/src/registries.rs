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
const REGISTRIES: [&str; 13] = [
    "docker.io",
    "gcr.io",
    "ghcr.io",
    "k8s.gcr.io",
    "mcr.microsoft.com",
    "mirror.gcr.io",
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
    "centos",
    "clearlinux",
    "consul",
    "couchdb",
    "docker",
    "drupal",
    "eclipse-mosquitto",
    "eclipse-temurin",
    "elasticsearch",
    "fedora",
    "flink",
    "gcc",
    "ghost",
    "golang",
    "grafana",
    "haproxy",
    "influxdb",
    "jenkins",
    "kibana",
    "kong",
    "maven",
    "memcached",
    "mongo",
    "opensuse",
    "mongo-express",
    "nats",
    "neo4j",
    "nextcloud",
    "node",
    "openjdk",
    "perl",
    "php",
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

/// Repositories with what is in another one, too.
const COPIES: &[(&str, &str)] = &[
    (
        "docker.io/jocatalin/kubernetes-bootcamp",
        "gcr.io/google-samples/kubernetes-bootcamp",
    ),
    (
        "docker.io/wbitt/network-multitool",
        "docker.io/nicolaka/netshoot",
    ),
    (
        "gcr.io/google-containers/busybox",
        "docker.io/library/busybox",
    ),
    (
        "gcr.io/google_containers/busybox",
        "docker.io/library/busybox",
    ),
    (
        "gcr.io/kubernetes-e2e-test-images/agnhost",
        "registry.k8s.io/e2e-test-images/agnhost",
    ),
    (
        "gcr.io/kubernetes-e2e-test-images/dnsutils",
        "registry.k8s.io/e2e-test-images/jessie-dnsutils",
    ),
    ("public.ecr.aws/nginx/nginx", "docker.io/library/nginx"),
    ("quay.io/prometheus/busybox", "docker.io/library/busybox"),
    (
        "registry.k8s.io/e2e-test-images/busybox",
        "docker.io/library/busybox",
    ),
    (
        "registry.k8s.io/e2e-test-images/httpd",
        "docker.io/library/httpd",
    ),
    (
        "registry.k8s.io/e2e-test-images/nginx",
        "docker.io/library/nginx",
    ),
    ("registry.k8s.io/busybox", "docker.io/library/busybox"),
    ("registry.k8s.io/nginx-slim", "docker.io/library/nginx"),
];

/// Registries, and parts of them, that hold copies of others.
const MIRRORS: &[(&str, &str)] = &[
    ("k8s.gcr.io/", "registry.k8s.io/"),
    ("mirror.gcr.io/library/", "docker.io/library/"),
    ("public.ecr.aws/docker/library/", "docker.io/library/"),
];

/// The image of the catalogue that is in a repository that only copies it.
fn copied(reference: &Reference) -> Option<Image> {
    let name = reference.name();
    let mirrored = MIRRORS.iter().find_map(|(copy, original)| {
        let rest = name.strip_prefix(copy)?;
        Some(format!("{original}{rest}"))
    });
    let name = mirrored.unwrap_or(name);
    let copy = COPIES.iter().find(|(copy, _)| *copy == name);
    let original = copy.map_or(&*name, |(_, original)| original);
    let definition = all().iter().find(|image| image.repository == original)?;
    // A copy has tags of its own.
    let tag = reference.tag.as_deref().unwrap_or("latest");
    if says_it_is_missing(tag) {
        return None;
    }
    let known = definition.tags.words.first().copied().unwrap_or(tag);
    let tag = match definition.tags.contains(tag) {
        true => tag,
        false => known,
    };
    let whole = reference.to_string();
    Some(Image {
        digest: digest(&format!("manifest {whole}")),
        id: digest(&format!("config {whole}")),
        ..definition.image(tag)
    })
}

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
    if let Some(image) = copied(reference) {
        return Ok(image);
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
            "k8s.gcr.io/e2e-test-images/agnhost:2.39",
            "registry.k8s.io/nginx-slim:0.24",
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
        assert!(image("rabbitmq:4").config.stand_in);
        assert!(!image("registry.k8s.io/nginx-slim:0.8").config.stand_in);
    }
}
