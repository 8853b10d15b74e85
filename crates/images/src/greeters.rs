//! Web servers of many tutorials that say one thing: what they were told to say, or hello.

use std::net::SocketAddrV4;

use machine::Sys;
use machine::fs::Node;
use net::http::Request;

use crate::definition::{Definition, Tags, Versions};
use crate::site::{self, Answer, Site, say};
use crate::userland::{Userland, put};

/// `docker.io/hashicorp/http-echo`
pub(crate) static HTTP_ECHO: Definition = Definition {
    repository: "docker.io/hashicorp/http-echo",
    tags: Tags {
        words: &["latest", "alpine"],
        versions: &[Versions::of(0, 1..=2), Versions::of(1, 0..=0)],
        suffixes: &["alpine"],
    },
    userland: Userland::None,
    layers: &[("http-echo {tag}", 3_090_000)],
    entrypoint: &["/http-echo"],
    files: |tree, _| put(tree, "/http-echo", Node::binary("http-echo")),
    programs: &[("http-echo", || site::program(&HttpEcho))],
    ..Definition::PLAIN
};

/// `gcr.io/google-samples/hello-app`
pub(crate) static HELLO_APP: Definition = Definition {
    repository: "gcr.io/google-samples/hello-app",
    tags: Tags {
        words: &["latest"],
        versions: &[Versions::of(1, 0..=0), Versions::of(2, 0..=0)],
        suffixes: &[],
    },
    userland: Userland::None,
    layers: &[("hello-app {tag}", 13_600_000)],
    entrypoint: &["/hello-app"],
    env: &[("PORT", "8080"), ("HELLO_APP_VERSION", "{tag}")],
    ports: &[8080],
    files: |tree, _| put(tree, "/hello-app", Node::binary("hello-app")),
    programs: &[("hello-app", || site::program(&HelloApp))],
    ..Definition::PLAIN
};

/// `gcr.io/google-samples/kubernetes-bootcamp`
pub(crate) static BOOTCAMP: Definition = Definition {
    repository: "gcr.io/google-samples/kubernetes-bootcamp",
    tags: Tags {
        words: &["v1", "v2"],
        versions: &[],
        suffixes: &[],
    },
    userland: Userland::Debian,
    layers: &[("kubernetes-bootcamp {tag}", 83_500_000)],
    cmd: &["/usr/local/bin/node", "server.js"],
    env: &[
        ("NPM_CONFIG_LOGLEVEL", "info"),
        ("NODE_VERSION", "6.3.1"),
        ("BOOTCAMP_VERSION", "{tag}"),
    ],
    ports: &[8080],
    files: |tree, _| put(tree, "/usr/local/bin/node", Node::binary("bootcamp-server")),
    programs: &[("bootcamp-server", || site::program(&Bootcamp))],
    ..Definition::PLAIN
};

/// Models the server.js of the Kubernetes basics.
#[derive(Debug)]
struct Bootcamp;

impl Site for Bootcamp {
    fn ports(&self, sys: &mut Sys<'_>) -> Result<Vec<u16>, String> {
        let (at, host) = (sys.now().rfc3339(), sys.hostname());
        say(
            sys,
            &format!("Kubernetes Bootcamp App Started At: {at} | Running On:  {host} \n"),
        );
        Ok(vec![8080])
    }

    fn answer(&self, sys: &mut Sys<'_>, _client: SocketAddrV4, _request: &Request) -> Answer {
        let version = sys.env().get("BOOTCAMP_VERSION").map(|tag| tag.to_string());
        let version = version.unwrap_or_default();
        let host = sys.hostname();
        Answer::text(format!(
            "Hello Kubernetes bootcamp! | Running on: {host} | v={}\n",
            version.trim_start_matches('v')
        ))
    }
}

/// Models github.com/hashicorp/http-echo main.go.
#[derive(Debug)]
struct HttpEcho;

impl HttpEcho {
    fn text(sys: &Sys<'_>) -> Option<String> {
        site::flag(sys, "text").or_else(|| sys.env().get("ECHO_TEXT").map(|text| text.to_string()))
    }
}

impl Site for HttpEcho {
    fn ports(&self, sys: &mut Sys<'_>) -> Result<Vec<u16>, String> {
        if HttpEcho::text(sys).is_none_or(|text| text.is_empty()) {
            return Err("Missing -text option or ECHO_TEXT env var!\n".to_owned());
        }
        let listen = site::flag(sys, "listen").unwrap_or_else(|| ":5678".to_owned());
        let port = listen.rsplit(':').next().unwrap_or_default();
        Ok(vec![site::port("listen", port)?])
    }

    fn greeting(&self, port: u16) -> Option<String> {
        Some(format!("[INFO] server is listening on :{port}\n"))
    }

    fn answer(&self, sys: &mut Sys<'_>, client: SocketAddrV4, request: &Request) -> Answer {
        let mut text = HttpEcho::text(sys).unwrap_or_default();
        text.push('\n');
        if request.path() == "/health" {
            return Answer::text("{\"status\":\"ok\"}\n");
        }
        let host = request.headers.get("Host").unwrap_or_default();
        let (method, target) = (request.method, &request.target);
        let size = text.len();
        let log = format!("{host} {client} \"{method} {target} HTTP/1.1\" 200 {size}\n");
        say(sys, &log);
        Answer::text(text)
    }
}

/// Models github.com/GoogleCloudPlatform/kubernetes-engine-samples hello-app/main.go.
#[derive(Debug)]
struct HelloApp;

impl Site for HelloApp {
    fn ports(&self, sys: &mut Sys<'_>) -> Result<Vec<u16>, String> {
        let port = sys.env().get("PORT").map(|port| port.to_string());
        Ok(vec![site::port("port", port.as_deref().unwrap_or("8080"))?])
    }

    fn greeting(&self, port: u16) -> Option<String> {
        Some(format!("Server listening on port {port}\n"))
    }

    fn answer(&self, sys: &mut Sys<'_>, _client: SocketAddrV4, request: &Request) -> Answer {
        let version = sys
            .env()
            .get("HELLO_APP_VERSION")
            .map(|tag| tag.to_string());
        let version = match version.as_deref() {
            Some("2.0") => "2.0.0",
            _ => "1.0.0",
        };
        say(sys, &format!("Serving request: {}\n", request.path()));
        let host = sys.hostname();
        Answer::text(format!(
            "Hello, world!\nVersion: {version}\nHostname: {host}\n"
        ))
    }
}
