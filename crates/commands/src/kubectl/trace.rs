//! What `-v` shows of requests: from 6 on each answer, from 8 on each request and its headers.
//!
//! Models client-go/transport/round_trippers.go. What discovery asks is not shown: upstream
//! answers that from a cache on the disk.

use net::http::{Request, Response};

use super::session::Session;

/// The verbosity from which on answers are shown.
pub(super) const ANSWERS: u32 = 6;
/// The verbosity from which on requests are shown with their headers.
const REQUESTS: u32 = 8;
/// Where discovery begins.
const DISCOVERY: &[&str] = &["/api", "/apis"];

/// Shows a request that is about to be sent.
pub(super) async fn request(session: &Session, request: &Request) {
    if session.verbosity() < REQUESTS || hidden(request) {
        return;
    }
    let mut headers: Vec<String> = request
        .headers
        .iter()
        .map(|(name, value)| format!("\t{name}: {value}\n"))
        .collect();
    headers.sort();
    let text = format!(
        "\"Request\" verb={:?} url={:?} headers=<\n{} >",
        request.method.as_str(),
        url(session, request),
        headers.concat()
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
    let text = format!(
        "\"Response\" verb={:?} url={:?} status=\"{} {}\" milliseconds={millis}",
        request.method.as_str(),
        url(session, request),
        response.status,
        net::http::reason(response.status),
    );
    session.klog("round_trippers.go:632", &text).await;
}

fn hidden(request: &Request) -> bool {
    DISCOVERY.contains(&&*request.target)
}

fn url(session: &Session, request: &Request) -> String {
    format!("{}{}", session.access.server, request.target)
}
