//! Serves the built page on loopback.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use tiny_http::{Header, Request, Response, Server};

use crate::page;

/// `cargo xtask serve [--port N]`.
pub(crate) fn serve(args: &[String]) -> Result<()> {
    let port = match args {
        [] => 8080,
        [flag, port] if flag == "--port" => port
            .parse()
            .with_context(|| format!("{port:?} is not a port"))?,
        _ => bail!("usage: cargo xtask serve [--port N]"),
    };
    let dist = page::build()?;
    let server = listen(port)?;
    println!("Kubarium is at http://127.0.0.1:{port} (Ctrl-C stops it)");
    for request in server.incoming_requests() {
        answer(request, &dist);
    }
    Ok(())
}

/// Serves `dist` in the background on a free port; its address, with a slash at the end.
pub(crate) fn background(dist: PathBuf) -> Result<String> {
    let server = listen(0)?;
    let address = server.server_addr().to_ip().context("no address")?;
    std::thread::spawn(move || {
        for request in server.incoming_requests() {
            answer(request, &dist);
        }
    });
    Ok(format!("http://{address}/"))
}

fn listen(port: u16) -> Result<Server> {
    Server::http(("127.0.0.1", port)).map_err(|error| {
        anyhow!("cannot listen on 127.0.0.1:{port}: {error}; is it served already? try --port")
    })
}

fn answer(request: Request, dist: &Path) {
    let path = request
        .url()
        .split(['?', '#'])
        .next()
        .unwrap_or("/")
        .trim_start_matches('/');
    let name = if path.is_empty() { "index.html" } else { path };
    let safe = Path::new(name)
        .components()
        .all(|c| matches!(c, std::path::Component::Normal(_)));
    let file = dist.join(name);
    // A browser that hung up has nobody to tell.
    let _ = match std::fs::read(&file) {
        Ok(bytes) if safe => {
            let kind = Header::from_bytes("Content-Type", content_type(&file));
            let cache = Header::from_bytes("Cache-Control", "no-cache");
            let mut response = Response::from_data(bytes);
            response.add_header(kind.expect("a fixed header"));
            response.add_header(cache.expect("a fixed header"));
            request.respond(response)
        }
        _ => request.respond(Response::from_string("not found\n").with_status_code(404)),
    };
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
