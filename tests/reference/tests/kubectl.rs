//! The same scenarios through an unmodified kubectl against a served cluster, where there is one of
//! the recorded version: on the PATH, or named by KUBECTL.

use std::path::{Path, PathBuf};

use kubarium_reference::transcripts::{self, Kubectl};

/// The minor version of the recordings; another prints other things.
const RECORDED: u32 = 36;
/// Real time passes here, and how much of it between two commands is up to the machine. So steps that
/// look at something on its way may differ, and such whose order is that of a Go map: 85 in a hundred
/// have to be the same.
const BAR: usize = 85;

#[test]
fn an_unmodified_kubectl_prints_what_was_recorded() {
    let path = std::env::var_os("KUBECTL").map_or_else(|| "kubectl".into(), PathBuf::from);
    match transcripts::minor_version(&path) {
        Some(RECORDED) => {}
        found => {
            let found = found.map_or("no".to_owned(), |minor| format!("a 1.{minor}"));
            println!("skipped: {found} kubectl on the PATH or in KUBECTL; 1.{RECORDED} is needed");
            return;
        }
    }
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/transcripts"));
    let kubectl = found_at(&path);
    let report = transcripts::run(folder, "", Kubectl::At(&kubectl)).expect("worlds come up");
    let (identical, all) = report.identical();
    assert_eq!(all, 983);
    assert!(identical * 100 >= all * BAR, "{report}");
    println!("{identical} of {all} steps identical");
}

/// The file behind a command's name.
fn found_at(command: &Path) -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = std::env::split_paths(&paths).map(|folder| folder.join(command));
    let found = candidates.find(|path| path.is_file());
    let found = found.unwrap_or_else(|| command.to_owned());
    found.canonicalize().unwrap_or(found)
}
