//! `apt-get update`: what the repositories hold is written down.

use machine::Io;
use sim::Duration;

use super::index::{self, Source};
use super::shipped::repository;
use super::{FAILED, LISTS, may_change};

/// Where pkgs.k8s.io sends whoever asks it.
const MIRROR: &str =
    "https://prod-cdn.packages.k8s.io/repositories/isv:/kubernetes:/core:/stable:/";

/// The address at which a source's files really lie.
pub(crate) fn mirror(source: &Source) -> String {
    match source.minor() {
        Some(minor) => format!("{MIRROR}{minor}/deb"),
        None => source.uri.clone(),
    }
}

/// Fetches the lists.
pub(crate) async fn update(io: &Io) -> i32 {
    if !may_change(io).await {
        return FAILED;
    }
    let sources = index::sources(io).await;
    let mut fetched = 0;
    let mut complaints = String::new();
    for (number, source) in (1..).zip(&sources) {
        io.sleep(Duration::from_millis(300)).await;
        let suite = match source.suite.as_str() {
            "/" => "",
            suite => suite,
        };
        let name = format!("{} {suite} InRelease", mirror(source));
        let Some(minor) = source.minor() else {
            io.print(&format!("Hit:{number} {name}\n")).await;
            continue;
        };
        let Some(list) = repository(minor) else {
            io.print(&format!(
                "Err:{number} {name}\n  403  Forbidden [IP: 34.107.204.206 443]\n"
            ))
            .await;
            complaints.push_str(&refused(source));
            continue;
        };
        if io
            .read_to_string(&source.list())
            .await
            .is_ok_and(|old| old == list)
        {
            io.print(&format!("Hit:{number} {name}\n")).await;
            continue;
        }
        let size = list.len() / 4;
        io.print(&format!(
            "Get:{number} {name} [1227 B]\nGet:{} {}  Packages [{} B]\n",
            number + 1,
            mirror(source),
            size
        ))
        .await;
        fetched += 1227 + size;
        let path = source.list();
        // Where that cannot be made, writing fails and says so.
        let _ = io.sys(move |sys| sys.mkdir_all(LISTS)).await;
        if io.write_file(&path, list.as_bytes()).await.is_err() {
            complaints.push_str(&format!("E: Could not open file {path} - open\n"));
        }
    }
    if fetched > 0 {
        let text = format!("Fetched {fetched} B in 1s ({fetched} B/s)\n");
        io.print(&text).await;
    }
    io.print("Reading package lists... Done\n").await;
    io.eprint(&complaints).await;
    if complaints.is_empty() { 0 } else { FAILED }
}

/// What apt says of a repository that does not let it in.
fn refused(source: &Source) -> String {
    let uri = &source.uri;
    format!(
        "E: Failed to fetch {uri}/InRelease  403  Forbidden [IP: 34.107.204.206 443]\n\
         E: The repository '{uri}  InRelease' is not signed.\n\
         N: Updating from such a repository can't be done securely, and is therefore disabled by \
         default.\n\
         N: See apt-secure(8) manpage for repository creation and user configuration details.\n"
    )
}
