//! The Swiss knife of Kubernetes' own tests and tutorials: one program, many small servers.
//! Models test/images/agnhost.

use std::net::SocketAddrV4;

use machine::Sys;
use machine::fs::Node;
use net::http::Request;
use sim::Duration;

mod convert;
mod mounttest;
mod webhook;

use crate::definition::{Definition, Tags, Versions};
use crate::site::{self, Answer, Site, Work, say};
use crate::userland::{self, Userland, put};

/// `registry.k8s.io/e2e-test-images/agnhost`
pub(crate) static IMAGE: Definition = Definition {
    repository: "registry.k8s.io/e2e-test-images/agnhost",
    tags: Tags {
        words: &[],
        versions: &[Versions::of(2, 0..=60)],
        suffixes: &[],
    },
    userland: Userland::Alpine,
    layers: &[("agnhost tools", 21_000_000), ("agnhost {tag}", 31_000_000)],
    entrypoint: &["/agnhost"],
    cmd: &["pause"],
    files: |tree, _| {
        put(tree, "/agnhost", Node::binary("agnhost"));
        put(tree, "/agnhost-2", Node::binary("agnhost"));
        userland::tools(tree, "/usr/bin", &[&["curl", "dig", "ss", "tcpdump", "jq"]]);
    },
    programs: &[("agnhost", || site::program(&Agnhost))],
    ..Definition::PLAIN
};

/// What it can be told to be.
enum Command {
    /// Does nothing.
    Pause,
    /// Answers what it is asked to.
    Netexec,
    /// Says its name.
    ServeHostname,
    /// Is well for ten seconds.
    Liveness,
    /// Judges and changes objects for an API server.
    Webhook,
    /// Makes one version of custom objects of another for an API server.
    Convert,
    /// Serves the files of its machine.
    TestWebserver,
    /// Tells of files.
    Mounttest,
    /// Tells how it was called.
    EntrypointTester,
}

#[derive(Debug)]
struct Agnhost;

impl Agnhost {
    fn command(sys: &Sys<'_>) -> Result<Command, String> {
        match sys.args().get(1).map_or("", |word| word) {
            "pause" => Ok(Command::Pause),
            "netexec" => Ok(Command::Netexec),
            "serve-hostname" => Ok(Command::ServeHostname),
            "liveness" => Ok(Command::Liveness),
            "webhook" => Ok(Command::Webhook),
            "crd-conversion-webhook" => Ok(Command::Convert),
            "test-webserver" => Ok(Command::TestWebserver),
            "mounttest" => Ok(Command::Mounttest),
            "entrypoint-tester" => Ok(Command::EntrypointTester),
            other => {
                let what = sim::unmodelled!("agnhost's commands that no test of pods needs");
                Err(format!("agnhost {other}: {what}\n"))
            }
        }
    }
}

impl Site for Agnhost {
    fn ports(&self, sys: &mut Sys<'_>) -> Result<Vec<u16>, String> {
        let (name, usual) = match Agnhost::command(sys)? {
            Command::Mounttest | Command::EntrypointTester => return Ok(Vec::new()),
            Command::Pause => {
                say(sys, "Paused\n");
                return Ok(Vec::new());
            }
            Command::Netexec => ("http-port", "8080"),
            Command::ServeHostname => ("port", "9376"),
            Command::Liveness => return Ok(vec![8080]),
            Command::Webhook | Command::Convert => ("port", "443"),
            Command::TestWebserver => ("port", "80"),
        };
        let wanted = site::flag(sys, name).unwrap_or_else(|| usual.to_owned());
        Ok(vec![site::port(name, &wanted)?])
    }

    fn work(&self, sys: &mut Sys<'_>, since: Duration) -> Option<Work> {
        match Agnhost::command(sys).ok()? {
            Command::Mounttest => Some(mounttest::work(sys, since)),
            Command::EntrypointTester => {
                let args: Vec<String> = sys.args().iter().map(ToString::to_string).collect();
                say(sys, &format!("[{}]\n", args.join(" ")));
                Some(Work::Done(0))
            }
            _ => None,
        }
    }

    fn greeting(&self, port: u16) -> Option<String> {
        Some(format!("Started HTTP server on port {port}\n"))
    }

    fn answer(&self, sys: &mut Sys<'_>, client: SocketAddrV4, request: &Request) -> Answer {
        match Agnhost::command(sys) {
            Ok(Command::Netexec) => netexec(sys, client, request),
            Ok(Command::Liveness) => liveness(sys, request),
            Ok(Command::Webhook) => webhook::answer(sys, request),
            Ok(Command::Convert) => convert::answer(sys, request),
            Ok(Command::TestWebserver) => file(sys, request),
            _ => Answer::text(sys.hostname().to_string()),
        }
    }
}

/// Models test/images/agnhost/liveness/server.go.
fn liveness(sys: &mut Sys<'_>, request: &Request) -> Answer {
    let pid = sys.pid();
    let own = sys.host().processes().find(|process| process.pid == pid);
    let begun = own.map_or(sys.now(), |process| process.started);
    let age = sys.now().since(begun);
    match request.path() {
        "/healthz" if age > sim::Duration::from_secs(10) => {
            Answer::status(500, format!("error: {}", age.as_secs_f64()))
        }
        "/healthz" => Answer::text("ok"),
        _ => Answer::text(api::time::go_duration(age)),
    }
}

/// A file of the container. Models test/images/agnhost/test-webserver/test-webserver.go.
fn file(sys: &mut Sys<'_>, request: &Request) -> Answer {
    match sys.read_file(request.path()) {
        Ok(bytes) => Answer::Send(net::http::Response::new(200, bytes.to_vec())),
        Err(_) => Answer::status(404, "404 page not found\n"),
    }
}

/// Models test/images/agnhost/netexec/netexec.go.
fn netexec(sys: &mut Sys<'_>, client: SocketAddrV4, request: &Request) -> Answer {
    let query = request.query();
    let asked = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    say(sys, &format!("GET {}\n", request.path()));
    match request.path() {
        "/" => Answer::text(format!("NOW: {}", go_time(sys))),
        "/hostname" | "/hostName" => Answer::text(sys.hostname().to_string()),
        "/clientip" => Answer::text(client.to_string()),
        "/healthz" => Answer::text(""),
        "/echo" => Answer::status(asked("code").parse().unwrap_or(200), asked("msg")),
        "/header" => {
            let key = asked("key");
            Answer::text(request.headers.get(key).unwrap_or_default())
        }
        "/redirect" => {
            let status = asked("code").parse().unwrap_or(302);
            let response = net::http::Response::new(status, "");
            Answer::Send(response.with_header("Location", asked("location")))
        }
        "/exit" => Answer::Exit(asked("code").parse().unwrap_or(0)),
        "/dial" | "/shell" | "/upload" | "/shutdown" => {
            let what = sim::unmodelled!("netexec's dial, shell, upload and shutdown");
            Answer::status(501, format!("{what}\n"))
        }
        _ => Answer::status(404, "404 page not found\n"),
    }
}

/// Now, as Go prints a time: `2026-01-05 09:00:00.000000000 +0000 UTC`.
fn go_time(sys: &Sys<'_>) -> String {
    let now = sys.now().rfc3339_nano();
    format!("{} +0000 UTC", now.trim_end_matches('Z').replace('T', " "))
}
