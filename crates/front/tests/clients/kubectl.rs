//! An unmodified kubectl, where there is one: on the PATH, or named by KUBECTL.

use std::path::PathBuf;

use tokio::process::Command;

use crate::program::Program;
use crate::serve;

/// The oldest that speaks over WebSockets by itself.
const OLDEST: u32 = 31;

/// A kubectl that is new enough, or a line that says why there is none.
async fn found() -> Option<PathBuf> {
    let path = std::env::var_os("KUBECTL").map_or_else(|| "kubectl".into(), PathBuf::from);
    let version = Command::new(&path)
        .args(["version", "--client", "-o", "json"])
        .output()
        .await;
    let version = version.ok().map(|output| output.stdout).unwrap_or_default();
    let version: serde_json::Value = serde_json::from_slice(&version).unwrap_or_default();
    let minor = version["clientVersion"]["minor"].as_str().unwrap_or("");
    let minor: Option<u32> = minor.trim_end_matches('+').parse().ok();
    if minor.is_none_or(|minor| minor < OLDEST) {
        println!("skipped: no kubectl of 1.{OLDEST} or later on the PATH or in KUBECTL");
        return None;
    }
    Some(path)
}

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: box, labels: {app: box}}
spec:
  containers:
  - {name: box, image: busybox, command: [sh, -c, 'echo begun; sleep 3600']}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_works_unmodified() {
    let Some(kubectl) = found().await else {
        return;
    };
    let front = serve(1, false).await;
    let kubectl = Program::new(kubectl, &front);
    let s = &kubectl;
    s.check("get nodes", "", 0, "controlplane").await;
    s.check("auth whoami", "", 0, "kubernetes-admin").await;
    s.check("create --validate=false -f -", POD, 0, "pod/box created")
        .await;
    s.check(
        "wait --for=condition=Ready pod/box --timeout=60s",
        "",
        0,
        "condition met",
    )
    .await;
    s.check("get pods -o wide", "", 0, "Running").await;
    s.check("get pod box -o jsonpath={.status.phase}", "", 0, "Running")
        .await;
    s.check("logs box", "", 0, "begun").await;
    s.check("exec box -- echo hello", "", 0, "hello").await;
    s.check("exec -i box -- cat", "from outside", 0, "from outside")
        .await;
    s.check("exec box -- false", "", 1, "exit code 1").await;
    s.check("label pod box tier=front", "", 0, "labeled").await;
    s.check("get pods -l tier=front -o name", "", 0, "pod/box")
        .await;
    s.check("describe pod box", "", 0, "Started").await;
    s.check("get pods --as=nobody", "", 1, "Forbidden").await;
    s.check("get pod none", "", 1, "\"none\" not found").await;
    s.check("delete pod box --grace-period=1", "", 0, "deleted")
        .await;
    drop(kubectl);
    front.stop().await;
}
