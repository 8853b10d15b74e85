//! `apt-get` in a container of Debian or Ubuntu, whose repositories hold the packages of the
//! distribution. Without `update` first there are no lists, as images are delivered.

use machine::Io;
use sim::Duration;

use super::distribution::{self, Package};
use super::{FAILED, LISTS, READING, STATUS, may_change};

/// The list that `update` leaves.
fn list() -> String {
    format!("{LISTS}/distribution_main_binary-amd64_Packages")
}

/// Whether this is a container: it has no database of what is installed.
pub(crate) async fn is_one(io: &Io) -> bool {
    io.sys(|sys| !sys.exists(STATUS)).await
}

/// Where packages come from, and what the release is called.
async fn source(io: &Io) -> (&'static str, String) {
    let text = io
        .read_to_string("/etc/os-release")
        .await
        .unwrap_or_default();
    let name = text.split(['(', ')']).nth(1).unwrap_or("trixie");
    let name = name.split(' ').next().unwrap_or(name).to_lowercase();
    match text.contains("ID=ubuntu") {
        true => ("http://archive.ubuntu.com/ubuntu", name),
        false => ("http://deb.debian.org/debian", name),
    }
}

/// `apt-get update`.
pub(crate) async fn update(io: &Io) -> i32 {
    if !may_change(io).await {
        return FAILED;
    }
    let (uri, release) = source(io).await;
    io.sleep(Duration::from_millis(1500)).await;
    let suites = [
        release.clone(),
        format!("{release}-updates"),
        format!("{release}-security"),
    ];
    for (number, suite) in (1..).zip(&suites) {
        io.print(&format!("Get:{number} {uri} {suite} InRelease [140 kB]\n"))
            .await;
    }
    let path = list();
    let _ = io.sys(|sys| sys.mkdir_all(LISTS)).await;
    if let Err(errno) = io.write_file(&path, b"Package: distribution\n").await {
        let why = errno.message();
        io.eprint(&format!("E: Could not open file {path} - open ({why})\n"))
            .await;
        return FAILED;
    }
    io.print(
        "Get:4 main amd64 Packages [9670 kB]\nFetched 10.1 MB in 2s (5050 kB/s)\n\
         Reading package lists... Done\n",
    )
    .await;
    0
}

/// `apt-get install`.
pub(crate) async fn install(io: &Io, wanted: &[&str], simulate: bool) -> i32 {
    if !simulate && !may_change(io).await {
        return FAILED;
    }
    io.print(READING).await;
    let listed = io.read_file(&list()).await.is_ok();
    let mut new: Vec<(&str, &'static Package)> = Vec::new();
    for word in wanted {
        let name = word.split('=').next().unwrap_or(word);
        let package = distribution::find(name);
        let there = match package {
            Some(package) => !package.tools.is_empty() && distribution::is_there(io, package).await,
            None => false,
        };
        match package {
            Some(package) if there => {
                let version = package.version;
                io.print(&format!(
                    "{name} is already the newest version ({version}-1).\n"
                ))
                .await;
            }
            Some(package) if listed => new.push((name, package)),
            _ => {
                if listed {
                    let note = sim::unmodelled!("most packages of distributions");
                    io.eprint(&format!("{note}\n")).await;
                }
                io.eprint(&format!("E: Unable to locate package {name}\n"))
                    .await;
                return FAILED;
            }
        }
    }
    let names: Vec<&str> = new.iter().map(|(name, _)| *name).collect();
    if !names.is_empty() {
        io.print(&format!(
            "The following NEW packages will be installed:\n  {}\n",
            names.join(" ")
        ))
        .await;
    }
    io.print(&format!(
        "0 upgraded, {} newly installed, 0 to remove and 0 not upgraded.\n",
        names.len()
    ))
    .await;
    if names.is_empty() || simulate {
        return 0;
    }
    carry_out(io, &new).await
}

async fn carry_out(io: &Io, new: &[(&str, &'static Package)]) -> i32 {
    let (uri, release) = source(io).await;
    let mut text = String::new();
    for (number, (name, package)) in (1..).zip(new) {
        io.sleep(Duration::from_millis(500)).await;
        let version = package.version;
        text.push_str(&format!(
            "Get:{number} {uri} {release}/main amd64 {name} amd64 {version}-1 [269 kB]\n"
        ));
    }
    text.push_str(&format!(
        "Fetched {} kB in 1s (538 kB/s)\n",
        269 * new.len()
    ));
    for (name, package) in new {
        let version = package.version;
        text.push_str(&format!(
            "Selecting previously unselected package {name}.\nPreparing to unpack \
             .../{name}_{version}-1_amd64.deb ...\nUnpacking {name} ({version}-1) ...\n"
        ));
    }
    io.print(&text).await;
    for (name, package) in new {
        if let Err(why) = distribution::unpack(io, package).await {
            io.eprint(&format!("dpkg: error processing package {name}: {why}\n"))
                .await;
            return FAILED;
        }
        let version = package.version;
        io.print(&format!("Setting up {name} ({version}-1) ...\n"))
            .await;
    }
    0
}
