//! What the cluster is: `version`, `cluster-info`, `api-resources`, `api-versions`.

use api::{Value, object};

use super::Verb;
use super::act;
use super::discovery::{Discovery, Resource};
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::print::{self, Format, align};
use super::session::{Call, Session};
use super::target::or;
use crate::releases::minor;

/// The kustomize that is built into a kubectl of a minor version.
fn kustomize(minor: u32) -> &'static str {
    match minor {
        ..=35 => "v5.7.1",
        _ => "v5.8.1",
    }
}

/// `kubectl version`.
pub(super) const VERSION: Verb = Verb {
    name: "version",
    summary: "Print the client and server version information",
    usage: "kubectl version [flags] [options]",
    flags: &[switch("client"), act::OUTPUT],
    interspersed: true,
    run: |session, line| Box::pin(version(session, line)),
};

/// `kubectl cluster-info`.
pub(super) const CLUSTER_INFO: Verb = Verb {
    name: "cluster-info",
    summary: "Display cluster information",
    usage: "kubectl cluster-info [flags] [options]",
    flags: &[],
    interspersed: true,
    run: |session, line| Box::pin(cluster_info(session, line)),
};

const RESOURCE_FLAGS: &[Flag] = &[
    act::OUTPUT,
    value("api-group"),
    value("categories"),
    value("sort-by"),
    value("verbs"),
    switch("cached"),
    switch("namespaced"),
    switch("no-headers"),
    switch("show-managed-fields"),
];

/// `kubectl api-resources`.
pub(super) const API_RESOURCES: Verb = Verb {
    name: "api-resources",
    summary: "Print the supported API resources on the server",
    usage: "kubectl api-resources [flags] [options]",
    flags: RESOURCE_FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(api_resources(session, line)),
};

/// `kubectl api-versions`.
pub(super) const API_VERSIONS: Verb = Verb {
    name: "api-versions",
    summary: "Print the supported API versions on the server, in the form of \"group/version\"",
    usage: "kubectl api-versions [options]",
    flags: &[],
    interspersed: true,
    run: |session, line| Box::pin(api_versions(session, line)),
};

async fn version(session: &Session, line: &Line) -> Outcome {
    if !line.args.is_empty() {
        let given = line.args.join(" ");
        return Err(Failure::message(format!("extra arguments: [{given}]")));
    }
    let client = session.io.sys(|sys| sys.version()).await;
    let own = minor(&client);
    match line.text("output") {
        "" => {}
        "json" | "yaml" => return version_object(session, line, &client).await,
        _ => return Err(Failure::message("--output must be 'yaml' or 'json'")),
    }
    let text = format!(
        "Client Version: {client}\nKustomize Version: {}\n",
        kustomize(own)
    );
    session.io.print(&text).await;
    if line.on("client") {
        return Ok(());
    }
    let server = session.call(Call::get("/version?timeout=32s")).await?;
    let text = format!("Server Version: {}\n", server.str_at("gitVersion"));
    session.io.print(&text).await;
    warn_of_skew(session, own, minor(server.str_at("gitVersion"))).await;
    Ok(())
}

async fn warn_of_skew(session: &Session, own: u32, other: u32) {
    if own.abs_diff(other) > 1 {
        let text = format!(
            "WARNING: version difference between client (1.{own}) and server (1.{other}) exceeds \
             the supported minor version skew of +/-1\n"
        );
        session.io.eprint(&text).await;
    }
}

/// Both versions with all that is known of them, as JSON or YAML.
async fn version_object(session: &Session, line: &Line, client: &str) -> Outcome {
    let own = minor(client);
    // In the order of the fields in Go, as JSON is written.
    let fields = [
        ("major", "1".to_owned()),
        ("minor", own.to_string()),
        ("gitVersion", client.to_owned()),
        (
            "gitCommit",
            "98b35193b2ac7a23a673325f5e9b830ecd5ba406".to_owned(),
        ),
        ("gitTreeState", "clean".to_owned()),
        ("buildDate", "2026-06-10T00:00:00Z".to_owned()),
        ("goVersion", "go1.26.6".to_owned()),
        ("compiler", "gc".to_owned()),
        ("platform", "linux/amd64".to_owned()),
    ];
    let fields = fields.map(|(name, text)| format!("    \"{name}\": \"{text}\""));
    let mut parts = vec![
        format!("  \"clientVersion\": {{\n{}\n  }}", fields.join(",\n")),
        format!("  \"kustomizeVersion\": \"{}\"", kustomize(own)),
    ];
    let mut other = own;
    if !line.on("client") {
        let bytes = session.text("/version?timeout=32s").await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let server = Value::from_json(&bytes).unwrap_or_default();
        other = minor(server.str_at("gitVersion"));
        parts.push(format!(
            "  \"serverVersion\": {}",
            text.trim_end().replace('\n', "\n  ")
        ));
    }
    let mut text = format!("{{\n{}\n}}\n", parts.join(",\n"));
    if line.text("output") == "yaml" {
        let value = Value::from_json(text.as_bytes()).unwrap_or_default();
        text = format!("{}\n", api::yaml::to_string(&value));
    }
    session.io.print(&text).await;
    warn_of_skew(session, own, other).await;
    Ok(())
}

async fn cluster_info(session: &Session, line: &Line) -> Outcome {
    if line.args.first().is_some_and(|arg| arg == "dump") {
        return Err(Failure::message(
            sim::unmodelled!("kubectl cluster-info dump").to_string(),
        ));
    }
    let server = &session.access.server;
    let selector = "labelSelector=kubernetes.io%2Fcluster-service%3Dtrue";
    let path = format!("/api/v1/namespaces/kube-system/services?{selector}");
    let services = session.call(Call::get(path)).await?;
    // Names are coloured on a terminal.
    let colour = session.io.sys(|sys| sys.is_tty(machine::Fd::STDOUT)).await;
    let paint = |text: &str, code: u8| {
        if colour {
            format!("\u{1b}[0;{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    };
    let title = paint("Kubernetes control plane", 32);
    let mut text = format!("{title} is running at {}\n", paint(server, 33));
    for service in services.list_at("items") {
        let name = or(service.label("kubernetes.io/name"), service.name());
        let port = service
            .list_at("spec.ports")
            .first()
            .map_or("", |port| port.str_at("name"));
        let url = format!(
            "{server}/api/v1/namespaces/kube-system/services/{}:{port}/proxy",
            service.name()
        );
        text.push_str(&format!(
            "{} is running at {}\n",
            paint(name, 32),
            paint(&url, 33)
        ));
    }
    text.push_str(
        "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n",
    );
    session.io.print(&text).await;
    Ok(())
}

async fn api_resources(session: &Session, line: &Line) -> Outcome {
    if !line.args.is_empty() {
        return Err(Failure::message(format!(
            "unexpected arguments: [{}]\nSee 'kubectl api-resources -h' for help and examples",
            line.args.join(" ")
        )));
    }
    if line
        .get("sort-by")
        .is_some_and(|by| !["", "name", "kind"].contains(&by))
    {
        return Err(Failure::message("--sort-by accepts only name or kind"));
    }
    let format = print::format(line)?;
    let discovery = session.discovery().await?;
    let mut resources = preferred(&discovery);
    resources.retain(|resource| shown(resource, line));
    match line.get("sort-by") {
        Some("name") => resources.sort_by(|a, b| a.plural.cmp(&b.plural)),
        Some("kind") => resources.sort_by(|a, b| a.kind.cmp(&b.kind)),
        _ => resources.sort_by(|a, b| (&a.group, &a.plural).cmp(&(&b.group, &b.plural))),
    }
    let wide = match format {
        Format::Table { wide } => wide,
        Format::Name => {
            let text: String = resources.into_iter().map(name_line).collect();
            session.io.print(&text).await;
            return Ok(());
        }
        format => {
            let text = print::typed_object(&format, resource_list(&resources))?;
            session.io.print(&text).await;
            return Ok(());
        }
    };
    let mut lines = Vec::new();
    if !line.on("no-headers") {
        let mut head = vec!["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
        if wide {
            head.extend(["VERBS", "CATEGORIES"]);
        }
        lines.push(head.into_iter().map(str::to_owned).collect());
    }
    for resource in resources {
        let mut row = vec![
            resource.plural.clone(),
            resource.short_names.join(","),
            resource.api_version(),
            resource.namespaced.to_string(),
            resource.kind.clone(),
        ];
        if wide {
            row.extend([resource.verbs.join(","), resource.categories.join(",")]);
        }
        lines.push(row);
    }
    session.io.print(&align(&lines, &mut Vec::new())).await;
    Ok(())
}

/// Every resource in the version that the server prefers among those that have it.
fn preferred(discovery: &Discovery) -> Vec<&Resource> {
    let mut found: Vec<&Resource> = Vec::new();
    for resource in &discovery.resources {
        let known =
            |other: &&Resource| other.group == resource.group && other.plural == resource.plural;
        if !resource.verbs.is_empty() && !found.iter().any(known) {
            found.push(resource);
        }
    }
    found
}

fn shown(resource: &Resource, line: &Line) -> bool {
    let group = line
        .get("api-group")
        .is_none_or(|group| resource.group == group);
    let namespaced = !line.has("namespaced") || resource.namespaced == line.on("namespaced");
    let verbs = !line.has("verbs")
        || line
            .list("verbs")
            .iter()
            .all(|verb| resource.verbs.iter().any(|v| v == verb));
    let categories = !line.has("categories")
        || line
            .list("categories")
            .iter()
            .all(|c| resource.categories.contains(c));
    group && namespaced && verbs && categories
}

/// The resources as one object.
fn resource_list(resources: &[&Resource]) -> Value {
    let texts = |texts: &[String]| -> Vec<Value> {
        texts.iter().map(|text| text.as_str().into()).collect()
    };
    let entry = |resource: &&Resource| {
        let mut entry = object!({
            "kind": (resource.kind.as_str()),
            "name": (resource.plural.as_str()),
            "namespaced": (resource.namespaced),
            "singularName": (resource.singular.as_str()),
            "verbs": (texts(&resource.verbs)),
            "version": (resource.version.as_str()),
        });
        if !resource.group.is_empty() {
            entry.set("group", resource.group.as_str());
        }
        for (field, list) in [
            ("shortNames", &resource.short_names),
            ("categories", &resource.categories),
        ] {
            if !list.is_empty() {
                entry.set(field, texts(list));
            }
        }
        entry
    };
    let mut list = object!({
        "apiVersion": "v1",
        "groupVersion": "",
        "kind": "APIResourceList",
        "resources": null,
    });
    if !resources.is_empty() {
        list.set("resources", resources.iter().map(entry).collect::<Vec<_>>());
    }
    list
}

fn name_line(resource: &Resource) -> String {
    format!("{}\n", resource.qualified())
}

async fn api_versions(session: &Session, line: &Line) -> Outcome {
    if !line.args.is_empty() {
        return Err(Failure::message(format!(
            "unexpected arguments: [{}]\nSee 'kubectl api-versions -h' for help and examples",
            line.args.join(" ")
        )));
    }
    let discovery = session.discovery().await?;
    let mut versions: Vec<String> = discovery
        .resources
        .iter()
        .map(Resource::api_version)
        .collect();
    versions.sort();
    versions.dedup();
    session
        .io
        .print(&format!("{}\n", versions.join("\n")))
        .await;
    Ok(())
}
