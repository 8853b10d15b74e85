//! A program of this machine that is told where the cluster is.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use kubarium_front::Front;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

pub(crate) struct Program {
    program: PathBuf,
    /// A folder of its own, where it runs and keeps what it keeps.
    pub(crate) folder: PathBuf,
}

impl Program {
    pub(crate) fn new(program: PathBuf, front: &Front) -> Program {
        let name = format!("client-{}", front.addr().port());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("kubeconfig"), front.kubeconfig()).expect("a file");
        Program { program, folder }
    }

    /// Runs a command and checks its code and a part of what it prints.
    pub(crate) async fn check(&self, line: &str, stdin: &str, code: i32, expected: &str) {
        let mut child = Command::new(&self.program)
            .args(line.split(' '))
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .env("KUBECONFIG", self.folder.join("kubeconfig"))
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
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert!(said.contains(expected), "{line}: {said}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // What is left of it is in the way of nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
