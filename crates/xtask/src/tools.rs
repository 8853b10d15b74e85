//! The tools the page and its tests need, installed once per version into a cache outside the
//! checkout. One on `PATH` is used if it has the pinned version.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::files::root;
use crate::run::{output, run, with_progress};

const TRUNK: &str = "0.21.14";
const WASM_PACK: &str = "0.15.1";

/// Where the tools are.
pub(crate) struct Tools {
    /// Directories to put in front of `PATH`.
    paths: Vec<PathBuf>,
}

impl Tools {
    /// A command that finds the tools.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let mut paths = self.paths.clone();
        paths.extend(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ));
        if let Ok(path) = std::env::join_paths(paths) {
            command.env("PATH", path);
        }
        command.current_dir(root());
        command
    }
}

/// Installs everything and says where it is.
pub(crate) fn all() -> Result<()> {
    let tools = page_tools()?;
    let tools = test_tools(tools)?;
    browser()?;
    for path in &tools.paths {
        println!("{}", path.display());
    }
    Ok(())
}

/// What building the page needs.
pub(crate) fn page_tools() -> Result<Tools> {
    wasm_target()?;
    let bindgen = locked_version("wasm-bindgen")?;
    let mut paths = Vec::new();
    paths.extend(cargo_tool(
        "wasm-bindgen-cli",
        "wasm-bindgen",
        &bindgen,
        &[],
        "about 3 minutes",
    )?);
    let no_default: &[&str] = &["--locked", "--no-default-features"];
    paths.extend(cargo_tool(
        "trunk",
        "trunk",
        TRUNK,
        no_default,
        "about 4 minutes",
    )?);
    npm("web/js")?;
    paths.push(root().join("web/js/node_modules/.bin"));
    Ok(Tools { paths })
}

/// What the wasm and page tests need besides.
pub(crate) fn test_tools(mut tools: Tools) -> Result<Tools> {
    let locked: &[&str] = &["--locked"];
    let pack = cargo_tool(
        "wasm-pack",
        "wasm-pack",
        WASM_PACK,
        locked,
        "about 1 minute",
    )?;
    tools.paths.extend(pack);
    npm("tests/page")?;
    Ok(tools)
}

/// Chromium and its driver; their paths.
pub(crate) fn browser() -> Result<(PathBuf, PathBuf)> {
    if let (Some(browser), Some(driver)) = (find_browser(), which("chromedriver")) {
        return Ok((browser, driver));
    }
    let root_user = output(Command::new("id").arg("-u")).is_ok_and(|uid| uid == "0");
    if root_user && which("apt-get").is_some() {
        let log = cache()?.join("chromium.log");
        let mut install = Command::new("sh");
        install.env("DEBIAN_FRONTEND", "noninteractive").args([
            "-c",
            "apt-get update -qq && apt-get install -y -qq chromium chromium-driver",
        ]);
        with_progress(
            "installing chromium and chromium-driver (about 1 minute)",
            &log,
            &mut install,
        )?;
    }
    match (find_browser(), which("chromedriver")) {
        (Some(browser), Some(driver)) => Ok((browser, driver)),
        _ => bail!(
            "the tests of the page need Chromium and ChromeDriver of the same version on PATH; on \
             Debian and Ubuntu: apt-get install chromium chromium-driver"
        ),
    }
}

fn find_browser() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(which)
}

fn which(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths)
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
}

fn cache() -> Result<PathBuf> {
    let dir = match std::env::var_os("KUBARIUM_TOOLS") {
        Some(dir) => PathBuf::from(dir),
        None => {
            let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
            base.or_else(home)
                .context("neither KUBARIUM_TOOLS nor HOME is set")?
                .join("kubarium/tools")
        }
    };
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {dir:?}"))?;
    Ok(dir)
}

fn wasm_target() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let rustup = |args: &[&str]| {
        let mut command = Command::new("rustup");
        command.current_dir(root()).args(args);
        command
    };
    if which("rustup").is_none() {
        let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
        if Path::new(&sysroot)
            .join("lib/rustlib")
            .join(TARGET)
            .is_dir()
        {
            return Ok(());
        }
        bail!("the target {TARGET} is missing and there is no rustup to add it");
    }
    let installed = output(&mut rustup(&["target", "list", "--installed"]))?;
    if installed.lines().any(|line| line == TARGET) {
        return Ok(());
    }
    println!("adding the target {TARGET} (about 20 s)");
    run(&mut rustup(&["target", "add", TARGET]))
}

/// Installs a binary from crates.io unless it is there; the directory to put on `PATH`, if any.
fn cargo_tool(
    package: &str,
    binary: &str,
    version: &str,
    args: &[&str],
    duration: &str,
) -> Result<Option<PathBuf>> {
    let says = |path: &Path| {
        output(Command::new(path).arg("--version"))
            .is_ok_and(|text| text.split_whitespace().any(|word| word == version))
    };
    if which(binary).is_some_and(|path| says(&path)) {
        return Ok(None);
    }
    let home = cache()?.join(format!("{package}-{version}"));
    let bin = home.join("bin");
    if !says(&bin.join(binary)) {
        let log = cache()?.join(format!("{package}.log"));
        let mut install = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        install
            .args(["install", "--version", version, package, "--root"])
            .arg(&home)
            .args(args)
            // A tool that runs for a second need not be optimised for minutes.
            .envs([
                ("CARGO_PROFILE_RELEASE_LTO", "off"),
                (
                    "CARGO_PROFILE_RELEASE_OPT_LEVEL",
                    if binary == "wasm-bindgen" { "1" } else { "0" },
                ),
                ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
                ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
                ("CARGO_PROFILE_RELEASE_STRIP", "true"),
            ])
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(&cache()?);
        with_progress(
            &format!("installing {package} {version} ({duration})"),
            &log,
            &mut install,
        )?;
    }
    Ok(Some(bin))
}

/// Installs the npm packages of a folder if its lock file changed since.
fn npm(folder: &str) -> Result<()> {
    let dir = root().join(folder);
    let lock = std::fs::read(dir.join("package-lock.json"))
        .with_context(|| format!("{folder}/package-lock.json cannot be read"))?;
    let stamp = dir.join("node_modules/.installed-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    if which("npm").is_none() {
        bail!("npm is missing: install Node.js 20 or newer");
    }
    let log = cache()?.join("npm.log");
    let mut install = Command::new("npm");
    install
        .current_dir(&dir)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    with_progress(
        &format!("installing npm packages of {folder} (a few seconds)"),
        &log,
        &mut install,
    )?;
    std::fs::write(stamp, lock)?;
    Ok(())
}

/// The version of a package in `Cargo.lock`.
fn locked_version(package: &str) -> Result<String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).context("no Cargo.lock")?;
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines
        .nth(1)
        .and_then(|line| line.strip_prefix("version = \""));
    let version = version.with_context(|| format!("{package} is not in Cargo.lock"))?;
    Ok(version.trim_end_matches('"').to_owned())
}
