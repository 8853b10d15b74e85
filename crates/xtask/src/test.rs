//! Every test there is, in the order in which a mistake shows soonest.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::files::root;
use crate::run::run;
use crate::tools::{browser, page_tools, test_tools};
use crate::{page, serve};

type Part = (&'static str, fn() -> Result<()>);

const PARTS: [Part; 5] = [
    ("lint", lint),
    ("native", native),
    ("lessons", lessons),
    ("wasm", wasm),
    ("page", page_tests),
];

/// `cargo xtask test [PART...]`.
pub(crate) fn test(args: &[String]) -> Result<()> {
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
    let mut passed = 0;
    for (name, part) in PARTS {
        if args.is_empty() || args.iter().any(|arg| arg == name) {
            println!("\n== {name}");
            let begun = Instant::now();
            part()?;
            println!("== {name}: passed in {} s", begun.elapsed().as_secs());
            passed += 1;
        }
    }
    println!("\nparts: {passed} passed, 0 failed");
    Ok(())
}

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(root());
    command
}

fn lint() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    // The wasm target, before anything is built for it.
    page_tools()?;
    let wasm = [
        "clippy",
        "--package",
        "kubarium-web",
        "--target",
        "wasm32-unknown-unknown",
    ];
    run(cargo()
        .args(wasm)
        .args(["--all-targets", "--locked", "--", "-D", "warnings"]))
}

fn native() -> Result<()> {
    run(cargo().args(["test", "--workspace", "--locked", "--no-fail-fast"]))
}

/// The `kubarium` binary. Built with the whole workspace, so that what the tests have compiled is used
/// as it is: alone it would have fewer features of its dependencies, and all would compile again.
fn kubarium() -> Result<Command> {
    run(cargo().args(["build", "--workspace", "--locked", "--bin", "kubarium"]))?;
    let mut command = Command::new(root().join("target/debug/kubarium"));
    command.current_dir(root());
    Ok(command)
}

fn lessons() -> Result<()> {
    run(kubarium()?.args(["check", "lessons/"]))
}

/// wasm-pack drives the wasm-bindgen tests in headless Chromium, the native run's journal at hand.
fn wasm() -> Result<()> {
    let tools = test_tools(page_tools()?)?;
    let (_, driver) = browser()?;
    let journal = root().join("target/determinism.journal");
    run(kubarium()?.arg("journal").arg(&journal))?;
    let mut test = tools.command("wasm-pack");
    test.args([
        "test",
        "--headless",
        "--chrome",
        "--mode",
        "no-install",
        "--chromedriver",
    ])
    .arg(&driver)
    // Both in one build: apart they would have other features of what they share, and all would
    // compile twice.
    .args(["tests/wasm", "--locked"])
    .args(["--package", "kubarium-tests-wasm"])
    .args(["--package", "kubarium-web"])
    .env("KUBARIUM_JOURNAL", &journal)
    .env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    run(&mut test)
}

fn page_tests() -> Result<()> {
    let tools = test_tools(page_tools()?)?;
    let (chromium, _) = browser()?;
    let address = serve::background(&page::build_with(&tools)?)?;
    run(tools
        .command("node")
        .args(["--test", "--test-concurrency=1"])
        .arg("tests/page/")
        .env("KUBARIUM_PAGE", address)
        .env("CHROMIUM", chromium))
}
