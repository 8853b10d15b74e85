//! An unmodified kubectl, where there is one: on the PATH, or named by KUBECTL.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

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

struct Session {
    kubectl: PathBuf,
    config: PathBuf,
}

impl Session {
    /// Runs a command and checks its code and a part of what it prints.
    async fn check(&self, line: &str, stdin: &str, code: i32, expected: &str) {
        let mut child = Command::new(&self.kubectl)
            .arg("--kubeconfig")
            .arg(&self.config)
            .args(line.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut input = child.stdin.take().expect("piped");
        // A command that reads nothing closes its end.
        let _ = input.write_all(stdin.as_bytes()).await;
        drop(input);
        let output = child.wait_with_output().await.expect("it ends");
        let out = String::from_utf8_lossy(&output.stdout);
        let err = String::from_utf8_lossy(&output.stderr);
        let said = format!("{out}{err}");
        assert_eq!(output.status.code(), Some(code), "kubectl {line}: {said}");
        assert!(said.contains(expected), "kubectl {line}: {said}");
    }
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
    let name = format!("kubarium-test-{}.kubeconfig", front.addr().port());
    let config = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&config, front.kubeconfig()).expect("a file");
    let session = Session { kubectl, config };
    let s = &session;
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
    std::fs::remove_file(&session.config).expect("it is there");
    front.stop().await;
}
