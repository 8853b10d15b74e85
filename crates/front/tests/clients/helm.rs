//! An unmodified helm, where there is one: on the PATH, or named by HELM.

use std::path::PathBuf;

use tokio::process::Command;

use crate::program::Program;
use crate::serve;

/// The oldest that is known to understand the cluster.
const OLDEST: &str = "v4";

async fn found() -> Option<PathBuf> {
    let path = std::env::var_os("HELM").map_or_else(|| "helm".into(), PathBuf::from);
    let mut version = Command::new(&path);
    let version = version.args(["version", "--short"]).output().await;
    let version = version.ok().map(|output| output.stdout).unwrap_or_default();
    if String::from_utf8_lossy(&version).starts_with(OLDEST) {
        return Some(path);
    }
    println!("skipped: no helm {OLDEST} on the PATH or in HELM");
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_is_installed_tested_changed_and_taken_back() {
    let Some(helm) = found().await else {
        return;
    };
    let front = serve(1, false).await;
    let helm = Program::new(helm, &front);
    for (line, expected) in [
        ("create app", "Creating app"),
        ("install web app --wait --timeout 120s", "STATUS: deployed"),
        ("list", "app-0.1.0"),
        ("status web", "STATUS: deployed"),
        ("test web", "Succeeded"),
        (
            "upgrade web app --set replicaCount=2 --wait --timeout 120s",
            "REVISION: 2",
        ),
        ("get values web", "replicaCount: 2"),
        (
            "rollback web 1 --wait --timeout 120s",
            "Rollback was a success",
        ),
        ("history web", "Rollback to 1"),
        ("uninstall web --wait --timeout 120s", "uninstalled"),
    ] {
        helm.check(line, "", 0, expected).await;
    }
    helm.check("status web", "", 1, "release: not found").await;
    drop(helm);
    front.stop().await;
}
