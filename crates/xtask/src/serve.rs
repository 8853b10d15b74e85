//! Serves the built page on loopback.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::http::{HeaderValue, header};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

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
    let runtime = Runtime::new()?;
    let listener = listen(&runtime, port)?;
    println!("Kubarium is at http://127.0.0.1:{port} (Ctrl-C stops it)");
    runtime.block_on(answer(listener, &dist))
}

/// Serves `dist` in the background on a free port; its address, with a slash at the end.
pub(crate) fn background(dist: &Path) -> Result<String> {
    let runtime = Runtime::new()?;
    let listener = listen(&runtime, 0)?;
    let address = listener.local_addr()?;
    let dist = dist.to_owned();
    std::thread::spawn(move || runtime.block_on(answer(listener, &dist)));
    Ok(format!("http://{address}/"))
}

fn listen(runtime: &Runtime, port: u16) -> Result<TcpListener> {
    runtime
        .block_on(TcpListener::bind(("127.0.0.1", port)))
        .map_err(|error| {
            anyhow!("cannot listen on 127.0.0.1:{port}: {error}; is it served already? try --port")
        })
}

/// The files of `dist`; a browser asks again for each, since the next build changes them.
async fn answer(listener: TcpListener, dist: &Path) -> Result<()> {
    let fresh = HeaderValue::from_static("no-cache");
    let files = Router::new().fallback_service(ServeDir::new(dist)).layer(
        SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, fresh),
    );
    axum::serve(listener, files).await?;
    Ok(())
}
