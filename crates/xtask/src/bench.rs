//! The figures: how fast, how big. They are printed, not judged.

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::files::{root, walk};
use crate::run::{output, run};
use crate::test::cargo;
use crate::tools::{browser, page_tools, test_tools};
use crate::{page, serve};

type Part = (&'static str, fn() -> Result<()>);

const PARTS: [Part; 3] = [("native", native), ("page", in_chromium), ("sizes", sizes)];

/// `cargo xtask bench [PART...]`.
pub(crate) fn bench(args: &[String]) -> Result<()> {
    if let Some(unknown) = args
        .iter()
        .find(|arg| !PARTS.iter().any(|(name, _)| name == arg))
    {
        let known: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
        bail!(
            "there is no part {unknown:?}; the parts are {}",
            known.join(", ")
        );
    }
    for (name, part) in PARTS {
        if args.is_empty() || args.iter().any(|arg| arg == name) {
            println!("\n== {name}");
            part()?;
        }
    }
    Ok(())
}

fn native() -> Result<()> {
    run(cargo().args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "kubarium-bench",
    ]))
}

/// The same cases in the browser, and the time from navigation to a prompt.
fn in_chromium() -> Result<()> {
    let tools = test_tools(page_tools()?)?;
    let (chromium, _) = browser()?;
    let site = serve::background(&page::build_with(&tools)?)?;
    let target = "wasm32-unknown-unknown";
    let build = [
        "build",
        "--locked",
        "--package",
        "kubarium-bench",
        "--lib",
        "--target",
        target,
    ];
    run(cargo().args(build).args(["--profile", "wasm"]))?;
    let module = root()
        .join("target")
        .join(target)
        .join("wasm/kubarium_bench.wasm");
    let out = root().join("target/bench-page");
    run(tools
        .command("wasm-bindgen")
        .args(["--target", "web", "--out-dir"])
        .arg(&out)
        .arg(module))?;
    fs::write(out.join("index.html"), "<!doctype html>")?;
    let told = output(
        tools
            .command("node")
            .arg("tests/page/bench.mjs")
            .env("KUBARIUM_PAGE", site)
            .env("KUBARIUM_BENCH", serve::background(&out)?)
            .env("CHROMIUM", chromium),
    )?;
    for line in told.lines() {
        let row: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        println!("{:<34} {}", text("name"), text("figures"));
    }
    Ok(())
}

/// The files of the page as a server would send them.
fn sizes() -> Result<()> {
    let dist = page::build()?;
    let (mut plain, mut sent) = (0, 0);
    for file in walk(&dist)? {
        let bytes = fs::read(&file).with_context(|| format!("cannot read {file:?}"))?;
        let name = file.strip_prefix(&dist)?.to_string_lossy().into_owned();
        // Fonts and pictures are compressed already.
        let packed = ["woff2", "png"].iter().any(|ext| name.ends_with(ext));
        let size = if packed { bytes.len() } else { brotli(&bytes)? };
        println!(
            "{name:<34} {:>9.1} kB {:>9.1} kB Brotli",
            kilo(bytes.len()),
            kilo(size)
        );
        plain += bytes.len();
        sent += size;
    }
    println!(
        "{:<34} {:>9.1} kB {:>9.1} kB Brotli",
        "all",
        kilo(plain),
        kilo(sent)
    );
    Ok(())
}

/// The size after Brotli at its best (quality 11, window of 4 MiB).
fn brotli(bytes: &[u8]) -> Result<usize> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut out, &params)?;
    Ok(out.len())
}

fn kilo(bytes: usize) -> f64 {
    bytes as f64 / 1000.0
}
