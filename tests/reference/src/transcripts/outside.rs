//! An unmodified kubectl, in this machine's bash, against a served world.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an unmodified client has processes, files and a clock"
)]

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use front::{Front, Options, Pace};
use lab::WorldSpec;
use tokio::runtime::Runtime;

use super::replay::{ALICE, Answer, PATIENCE, SURROUNDINGS, Surroundings};

/// Where the API server was in the recording.
const SERVER: &str = "127.0.0.1:6443";
/// How often to see whether a command has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub(super) struct Outside {
    runtime: Runtime,
    /// Until it is stopped.
    front: Option<Front>,
    /// Where commands run, and their home.
    folder: PathBuf,
    began: Instant,
}

impl Outside {
    /// Serves a world for `kubectl`, with a folder of its own.
    ///
    /// # Errors
    /// The world does not come up, or the folder cannot be written.
    pub(super) fn new(kubectl: &Path) -> Result<Outside, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|why| why.to_string())?;
        let now = front::wall_clock();
        let options = Options {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            http: false,
            pace: Pace::Times(1),
            from: Some(now),
        };
        let spec = move || {
            let mut spec = WorldSpec::with_workers(2, 1);
            spec.begins = front::early_enough(now);
            Ok(spec)
        };
        let front = runtime
            .block_on(Front::start(spec, options))
            .map_err(|why| format!("{why:#}"))?;
        // A colon would divide the folders of PATH.
        let name = format!("kubarium-reference-{}", front.addr().port());
        let folder = std::env::temp_dir().join(name);
        let mut outside = Outside {
            runtime,
            front: Some(front),
            folder,
            began: Instant::now(),
        };
        let failed = |why: std::io::Error| why.to_string();
        fs::create_dir_all(outside.folder.join("bin")).map_err(failed)?;
        symlink(kubectl, outside.folder.join("bin/kubectl")).map_err(failed)?;
        let front = outside.front.as_ref().expect("it was started");
        let admin = front.kubeconfig().to_owned();
        let (who, file) = ALICE;
        let other = front
            .kubeconfig_of(who.0, who.1)
            .map_err(|why| why.to_string())?;
        outside.put(".kube/config", &admin)?;
        outside.put(file, &other)?;
        Ok(outside)
    }

    fn command(&self, command: &str) -> Result<Command, String> {
        let mut paths = vec![self.folder.join("bin")];
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        paths.extend(std::env::split_paths(&inherited));
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(format!("{SURROUNDINGS}\n{command}"));
        bash.current_dir(&self.folder)
            .env("HOME", &self.folder)
            .env(
                "PATH",
                std::env::join_paths(paths).map_err(|why| why.to_string())?,
            )
            .env_remove("KUBECONFIG");
        Ok(bash)
    }

    /// Where the world is served.
    fn server(&self) -> String {
        let front = self.front.as_ref().expect("it is stopped last");
        front.addr().to_string()
    }

    /// What a command printed, with the server's address and the folder of the recording.
    fn printed(&self, file: &Path) -> Result<String, String> {
        let bytes = fs::read(file).map_err(|why| format!("{}: {why}", file.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let folder = self.folder.to_string_lossy();
        Ok(text
            .replace(&self.server(), SERVER)
            .replace(&*folder, "/root/work"))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        if let Some(front) = self.front.take() {
            self.runtime.block_on(front.stop());
        }
        // What is left in the temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Surroundings for Outside {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn pause(&mut self, span: Duration) {
        std::thread::sleep(span);
    }

    fn put(&mut self, path: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(path);
        let parent = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|why| format!("{}: {why}", path.display()))
    }

    fn run(&mut self, command: &str, stdin: Option<&str>) -> Result<Answer, String> {
        let failed = |why: std::io::Error| format!("{command}: {why}");
        let file = |name: &str| self.folder.join(".kube").join(name);
        let (out, err, input) = (file("stdout"), file("stderr"), file("stdin"));
        fs::write(&input, stdin.unwrap_or_default()).map_err(failed)?;
        let mut child = self
            .command(&command.replace(SERVER, &self.server()))?
            .stdin(File::open(&input).map_err(failed)?)
            .stdout(File::create(&out).map_err(failed)?)
            .stderr(File::create(&err).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        let exit_code = wait(&mut child).map_err(failed)?;
        Ok(Answer {
            exit_code,
            stdout: self.printed(&out)?,
            stderr: self.printed(&err)?,
        })
    }
}

/// The minor version of a kubectl: 36 of v1.36.2. `None` where there is none.
#[must_use]
pub fn minor_version(kubectl: &Path) -> Option<u32> {
    let mut command = Command::new(kubectl);
    let output = command.args(["version", "--client", "-o", "json"]).output();
    let version: serde_json::Value = serde_json::from_slice(&output.ok()?.stdout).ok()?;
    let minor = version["clientVersion"]["minor"].as_str()?;
    minor.trim_end_matches('+').parse().ok()
}

/// The exit code; `None` if it had to be ended.
fn wait(child: &mut Child) -> std::io::Result<Option<i32>> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
