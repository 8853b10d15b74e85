//! What `-v` shows of requests: from 6 on each answer, from 7 on each request and its headers, from 8
//! on the headers of answers and what they carry.
//!
//! Models client-go/transport/round_trippers.go and features/envvar.go, and kubectl's use of them. What
//! discovery asks is not shown: upstream answers that from a cache on the disk.

use net::http::{Body, Headers, Method, Request, Response};

use super::session::Session;

/// The verbosity from which on the features of the client are told of.
const FEATURES: u32 = 5;
/// The verbosity from which on answers are shown.
pub(super) const ANSWERS: u32 = 6;
/// The verbosity from which on requests are shown with their headers.
const REQUESTS: u32 = 7;
/// The verbosity from which on answers are shown with their headers, and what is carried.
const BODIES: u32 = 8;
/// Where discovery begins.
const DISCOVERY: &[&str] = &["/api", "/apis"];

/// What the client does differently where it is told to, and whether it does.
const GATES: [(&str, bool); 10] = [
    ("AtomicFIFO", true),
    ("ClientsAllowCARotation", true),
    ("ClientsAllowCBOR", false),
    ("ClientsAllowTLSCacheGC", true),
    ("ClientsPreferCBOR", false),
    ("InOrderInformers", true),
    ("InOrderInformersBatchProcess", true),
    ("InformerResourceVersion", true),
    ("UnlockWhileProcessingFIFO", true),
    ("WatchListClient", true),
];

/// Tells where the configuration was read and what the client can do.
pub(super) async fn start(session: &Session, files: &[&str]) {
    if session.verbosity() >= ANSWERS {
        for path in files {
            let text = format!("Config loaded from file:  {path}");
            session.klog("loader.go:407", &text).await;
        }
    }
    if session.verbosity() >= FEATURES {
        for (gate, enabled) in GATES {
            let text = format!("\"Feature gate default state\" feature={gate:?} enabled={enabled}");
            session.klog("envvar.go:195", &text).await;
        }
    }
}

/// Shows a request that is about to be sent.
pub(super) async fn request(session: &Session, request: &Request) {
    let level = session.verbosity();
    if level < REQUESTS || hidden(request) {
        return;
    }
    if level >= BODIES {
        let place = match request.method {
            Method::Get => "helper.go:105",
            _ => "helper.go:269",
        };
        carried(session, (place, "Request Body"), &request.body).await;
    }
    let text = format!(
        "\"Request\" verb={:?} url={:?} headers={}",
        request.method.as_str(),
        url(session, request),
        block(&request.headers)
    );
    session.klog("round_trippers.go:527", &text).await;
}

/// Shows an answer that came after `millis`.
pub(super) async fn response(
    session: &Session,
    request: &Request,
    response: &Response,
    millis: u128,
) {
    if hidden(request) {
        return;
    }
    let level = session.verbosity();
    let status = format!(
        "status=\"{} {}\"",
        response.status,
        net::http::reason(response.status)
    );
    let told = match level {
        ANSWERS => {
            let (verb, url) = (request.method.as_str(), url(session, request));
            format!("verb={verb:?} url={url:?} {status}")
        }
        REQUESTS => status,
        _ => format!("{status} headers={}", block(&response.headers)),
    };
    let text = format!("\"Response\" {told} milliseconds={millis}");
    session.klog("round_trippers.go:632", &text).await;
    if level >= BODIES {
        carried(session, ("helper.go:105", "Response Body"), &response.body).await;
    }
}

/// The headers, each in a line of its own.
fn block(headers: &Headers) -> String {
    let mut lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("\t{name}: {value}\n"))
        .collect();
    lines.sort();
    format!("<\n{} >", lines.concat())
}

/// Shows what a message carries, and of much only the beginning.
async fn carried(session: &Session, (place, what): (&str, &str), body: &Body) {
    let text = body.text();
    let most = match session.verbosity() {
        BODIES => 1024,
        9 => 10240,
        _ => usize::MAX,
    };
    let shown: String = text.chars().take(most).collect();
    let left = text.chars().count().saturating_sub(most);
    let shown = match left {
        0 => shown,
        left => format!("{shown} [truncated {left} chars]"),
    };
    let text = format!("{what:?} body={}", api::go::quote(&shown));
    session.klog(place, &text).await;
}

fn hidden(request: &Request) -> bool {
    DISCOVERY.contains(&&*request.target)
}

fn url(session: &Session, request: &Request) -> String {
    format!("{}{}", session.access.server, request.target)
}
