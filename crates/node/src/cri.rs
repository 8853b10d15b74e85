//! The container runtime interface: what the kubelet and the runtime say to each other over
//! containerd's socket. Messages only; who acts on them is elsewhere.
//! Models cri-api/pkg/apis/runtime/v1/api.proto, event stream included.

use core::any::Any;
use core::fmt;
use std::collections::BTreeMap;
use std::rc::Rc;

use net::{Payload, Shared};
use sim::{Duration, Instant};

/// Where the runtime listens.
pub const SOCKET: &str = "/run/containerd/containerd.sock";

/// Labels and annotations of sandboxes and containers.
pub type Labels = Rc<BTreeMap<Rc<str>, Rc<str>>>;

/// One message on a connection; the caller numbers its calls.
#[derive(Clone, Debug)]
pub enum Message {
    /// A call.
    Call(u64, Request),
    /// The answer to the call of that number.
    Answer(u64, Result<Reply, Error>),
    /// A part of the streams that an answered `Exec` or `Attach` opened, either way.
    Stream(u64, Part),
    /// What came over the connection that an answered `PortForward` made, either way; `None` once
    /// it is closed.
    Forwarded(u64, Option<Payload>),
    /// Something happened; sent to whoever asked for `GetContainerEvents`.
    Event(Event),
}

/// What became of a container or a sandbox.
#[derive(Clone, Debug)]
pub enum Event {
    /// A container runs, or has ended.
    Container(ContainerStatus),
    /// A sandbox is no longer ready.
    SandboxStopped(Rc<str>),
}

/// What can be asked of a runtime.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names are those of api.proto")]
pub enum Request {
    Version,
    Status,
    UpdateRuntimeConfig {
        pod_cidr: Rc<str>,
    },
    RunPodSandbox(Rc<SandboxConfig>),
    StopPodSandbox(Rc<str>),
    RemovePodSandbox(Rc<str>),
    ListPodSandbox,
    CreateContainer {
        sandbox: Rc<str>,
        config: Rc<ContainerConfig>,
    },
    StartContainer(Rc<str>),
    StopContainer {
        id: Rc<str>,
        timeout: Duration,
    },
    RemoveContainer(Rc<str>),
    ListContainers,
    ContainerStatus(Rc<str>),
    ExecSync {
        id: Rc<str>,
        command: Rc<[Rc<str>]>,
        timeout: Duration,
    },
    Exec {
        id: Rc<str>,
        command: Rc<[Rc<str>]>,
        stdio: Stdio,
    },
    Attach {
        id: Rc<str>,
        stdio: Stdio,
    },
    PortForward {
        sandbox: Rc<str>,
        port: u16,
    },
    PullImage(Rc<str>),
    ImageStatus(Rc<str>),
    ListImages,
    RemoveImage(Rc<str>),
    GetContainerEvents,
}

/// What a runtime answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Done, nothing to say.
    Done,
    /// `Version`: runtime name and version.
    Version(Rc<str>, Rc<str>),
    /// `Status`.
    Status(RuntimeStatus),
    /// `RunPodSandbox`: the new sandbox.
    Sandbox(Rc<SandboxStatus>),
    /// `ListPodSandbox`.
    Sandboxes(Vec<Rc<SandboxStatus>>),
    /// `CreateContainer`: the new container's id.
    Created(Rc<str>),
    /// `StartContainer` and `ContainerStatus`.
    Container(ContainerStatus),
    /// `ListContainers`.
    Containers(Vec<ContainerStatus>),
    /// `ExecSync`.
    Exec(ExecResult),
    /// `Exec`, `Attach`: [`Message::Stream`] parts follow both ways. `PortForward`: the connection
    /// stands, [`Message::Forwarded`] follow.
    Streaming,
    /// `PullImage`, `ImageStatus`; `None` if there is no such image.
    Image(Option<ImageStatus>),
    /// `ListImages`.
    Images(Vec<ImageStatus>),
}

/// Which streams an `Exec` or `Attach` wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stdio {
    /// A stream to the process's standard input.
    pub stdin: bool,
    /// A terminal for all streams.
    pub tty: bool,
}

/// A part of an open stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// To the process.
    Stdin(Rc<[u8]>),
    /// No more input.
    StdinClosed,
    /// The terminal has this width and height.
    Resize(u16, u16),
    /// From the process.
    Stdout(Rc<[u8]>),
    /// From the process.
    Stderr(Rc<[u8]>),
    /// The process ended with this code; the last part.
    Exited(i32),
    /// The caller is gone; the last part.
    Abandoned,
}

/// What `ExecSync` gathered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecResult {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The exit code.
    pub exit_code: i32,
}

/// A gRPC error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Which kind.
    pub code: Code,
    /// The sentence.
    pub desc: Rc<str>,
}

/// gRPC status codes in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Code {
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    Unavailable,
}

impl Error {
    /// An error with a sentence.
    pub fn new(code: Code, desc: impl Into<Rc<str>>) -> Error {
        Error {
            code,
            desc: desc.into(),
        }
    }
}

impl fmt::Display for Error {
    /// As Go's gRPC prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rpc error: code = {:?} desc = {}", self.code, self.desc)
    }
}

/// `Status`: the runtime's two conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeStatus {
    /// Whether containers can be run.
    pub runtime_ready: bool,
    /// Why pods cannot be given a network; `None` if they can.
    pub network_error: Option<Rc<str>>,
}

/// What makes a pod's sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxConfig {
    /// The pod's name.
    pub name: Rc<str>,
    /// The pod's uid.
    pub uid: Rc<str>,
    /// The pod's namespace.
    pub namespace: Rc<str>,
    /// Counts the sandboxes of one pod.
    pub attempt: u32,
    /// The pod's host name.
    pub hostname: Rc<str>,
    /// Directory of its containers' logs.
    pub log_directory: Rc<str>,
    /// Contents of `/etc/resolv.conf`.
    pub resolv_conf: Rc<str>,
    /// Use the machine's network namespace.
    pub host_network: bool,
    /// Parent control group.
    pub cgroup_parent: Rc<str>,
    /// Labels.
    pub labels: Labels,
    /// Annotations.
    pub annotations: Labels,
}

/// What makes a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerConfig {
    /// Its name in the pod.
    pub name: Rc<str>,
    /// Counts its restarts.
    pub attempt: u32,
    /// The image as the pod names it, or its digest.
    pub image: Rc<str>,
    /// Replaces the image's entry point unless empty.
    pub command: Vec<Rc<str>>,
    /// Replaces the image's arguments unless empty.
    pub args: Vec<Rc<str>>,
    /// Replaces the image's working directory unless empty.
    pub working_dir: Rc<str>,
    /// Variables on top of the image's.
    pub env: Vec<(Rc<str>, Rc<str>)>,
    /// Directories and files of the machine to be seen in the container.
    pub mounts: Vec<Mount>,
    /// Replaces the image's user.
    pub run_as_user: Option<u32>,
    /// The group to run as.
    pub run_as_group: Option<u32>,
    /// The groups it is in besides.
    pub groups: Rc<[u32]>,
    /// The root file system refuses writes.
    pub read_only_root: bool,
    /// Memory limit in bytes.
    pub memory_limit: Option<u64>,
    /// Labels.
    pub labels: Labels,
    /// Annotations.
    pub annotations: Labels,
    /// The log's path, relative to the sandbox's directory.
    pub log_path: Rc<str>,
    /// Keep a stream to its standard input.
    pub stdin: bool,
    /// Close it after the first `Attach` ends.
    pub stdin_once: bool,
    /// Give it a terminal.
    pub tty: bool,
    /// Whose processes it sees.
    pub pid: PidMode,
}

/// Whose process-id namespace a container joins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PidMode {
    /// One of its own.
    #[default]
    Container,
    /// That of its pod.
    Pod,
    /// The machine's.
    Node,
    /// That of the container with this id.
    Target(Rc<str>),
}

/// A bind mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where the container sees it.
    pub container_path: Rc<str>,
    /// What it sees there.
    pub host_path: Rc<str>,
    /// Whether writing is refused.
    pub read_only: bool,
}

/// A sandbox as the runtime tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxStatus {
    /// 64 hexadecimal digits.
    pub id: Rc<str>,
    /// What it was made of.
    pub config: Rc<SandboxConfig>,
    /// Whether its pause process runs and its network stands.
    pub ready: bool,
    /// When it was made.
    pub created_at: Instant,
    /// Its address; empty in the machine's own network.
    pub ip: Rc<str>,
}

/// What a container is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ContainerState {
    Created,
    Running,
    Exited,
}

/// A container as the runtime tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStatus {
    /// 64 hexadecimal digits.
    pub id: Rc<str>,
    /// Its sandbox.
    pub sandbox: Rc<str>,
    /// What it was made of.
    pub config: Rc<ContainerConfig>,
    /// What it is doing.
    pub state: ContainerState,
    /// When it was made.
    pub created_at: Instant,
    /// When its process began; `None` if it never did.
    pub started_at: Option<Instant>,
    /// When its process ended.
    pub finished_at: Option<Instant>,
    /// How its process ended.
    pub exit_code: i32,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`, or empty.
    pub reason: Rc<str>,
    /// More about the reason: a start error, or what the container left as termination message.
    pub message: Rc<str>,
    /// The image's full name.
    pub image: Rc<str>,
    /// The image by digest.
    pub image_ref: Rc<str>,
    /// The user its process runs as.
    pub uid: u32,
}

/// An image as the runtime tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageStatus {
    /// `sha256:<64 hex>`.
    pub id: Rc<str>,
    /// Full names with tags.
    pub repo_tags: Vec<Rc<str>>,
    /// Full names with digests.
    pub repo_digests: Vec<Rc<str>>,
    /// Bytes.
    pub size: u64,
    /// The user it runs as; `None` is root.
    pub user: Option<u32>,
}

impl Message {
    /// The message as a payload for a socket.
    pub fn payload(self) -> Payload {
        Payload::Shared(Rc::new(self))
    }
}

impl Shared for Message {
    fn size(&self) -> u64 {
        // Between processes of one machine a message takes no time worth counting.
        match self {
            Message::Stream(_, Part::Stdin(b) | Part::Stdout(b) | Part::Stderr(b)) => {
                b.len() as u64
            }
            Message::Forwarded(_, Some(payload)) => payload.size(),
            _ => 256,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        format!("{self:?}").into_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_as_grpc_prints_them() {
        let error = Error::new(Code::NotFound, "no such thing");
        assert_eq!(
            error.to_string(),
            "rpc error: code = NotFound desc = no such thing"
        );
    }
}
