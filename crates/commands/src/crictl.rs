//! `crictl`: asks the container runtime itself, past the kubelet. Models cri-tools v1.36
//! cmd/crictl.

mod act;
mod inspect;
mod list;
mod logs;
mod pick;

use std::rc::Rc;

use api::Value;
use machine::{Errno, Io};
use node::cri::{ContainerStatus, ImageStatus, Reply, Request, SOCKET, SandboxStatus};

use crate::args::{self, Args, Flag, flag, value};
use crate::help::tool;
use crate::runtime::Runtime;

tool!(
    "crictl",
    "Ask the container runtime",
    "crictl [--runtime-endpoint ENDPOINT] COMMAND [options] [ID...]",
    main,
    [("crictl nosuch", "No help topic for 'nosuch'\n")]
);

/// Flags in front of the command.
const GLOBAL: &[Flag] = &[
    value('r', "runtime-endpoint"),
    value('i', "image-endpoint"),
    value('t', "timeout"),
    value('c', "config"),
    flag('D', "debug"),
    flag('h', "help"),
    flag('v', "version"),
];

/// A command and the flags it takes.
struct Command {
    names: &'static [&'static str],
    flags: &'static [Flag],
    /// Whether options end at the first operand.
    leading: bool,
}

const LISTING: &[Flag] = &[
    flag('a', "all"),
    flag('q', "quiet"),
    flag('v', "verbose"),
    flag('l', "latest"),
    value('n', "last"),
    value('o', "output"),
    value('p', "pod"),
    value('s', "state"),
    value('\u{1}', "name"),
    value('\u{2}', "namespace"),
    value('\u{3}', "label"),
    value('\u{4}', "image"),
    value('\u{5}', "id"),
    flag('\u{6}', "no-trunc"),
    flag('\u{7}', "digests"),
    flag('r', "resolve-image-path"),
];
const INSPECTING: &[Flag] = &[
    value('o', "output"),
    value('\u{1}', "template"),
    flag('q', "quiet"),
    value('\u{2}', "name"),
];
const ENDING: &[Flag] = &[
    value('t', "timeout"),
    flag('f', "force"),
    flag('a', "all"),
    flag('q', "prune"),
];
const READING: &[Flag] = &[
    flag('f', "follow"),
    flag('p', "previous"),
    value('n', "tail"),
    value('s', "since"),
    flag('t', "timestamps"),
    value('\u{1}', "limit-bytes"),
];
const RUNNING: &[Flag] = &[
    flag('i', "interactive"),
    flag('t', "tty"),
    flag('s', "sync"),
    value('\u{1}', "timeout"),
];

const COMMANDS: &[Command] = &[
    Command::of(&["ps"], LISTING),
    Command::of(&["pods"], LISTING),
    Command::of(&["images", "image", "img"], LISTING),
    Command::of(&["inspect"], INSPECTING),
    Command::of(&["inspectp"], INSPECTING),
    Command::of(&["inspecti"], INSPECTING),
    Command::of(&["stop"], ENDING),
    Command::of(&["start"], ENDING),
    Command::of(&["rm"], ENDING),
    Command::of(&["stopp"], ENDING),
    Command::of(&["rmp"], ENDING),
    Command::of(&["rmi"], ENDING),
    Command::of(&["pull"], &[]),
    Command::of(&["logs"], READING),
    Command {
        names: &["exec"],
        flags: RUNNING,
        leading: true,
    },
    Command::of(&["info"], &[value('o', "output"), flag('q', "quiet")]),
    Command::of(&["version"], &[]),
];

impl Command {
    const fn of(names: &'static [&'static str], flags: &'static [Flag]) -> Command {
        Command {
            names,
            flags,
            leading: false,
        }
    }
}

/// Why a command ends: the sentence behind `level=fatal`.
struct Fatal(String);

/// What a command gives back.
type Done<T = ()> = Result<T, Fatal>;

fn fatal<T>(text: impl Into<String>) -> Done<T> {
    Err(Fatal(text.into()))
}

/// A command under way.
struct Session {
    io: Io,
    runtime: Runtime,
}

impl Session {
    /// Calls the runtime; `doing` says of what, should it fail.
    async fn call(&mut self, request: Request, doing: &str) -> Done<Reply> {
        let reply = self.runtime.call(&self.io, request).await;
        match reply.map_err(unreachable)? {
            Ok(reply) => Ok(reply),
            Err(error) => fatal(format!("{doing}: {error}")),
        }
    }

    async fn containers(&mut self) -> Done<Vec<ContainerStatus>> {
        match self
            .call(Request::ListContainers, "listing containers")
            .await?
        {
            Reply::Containers(mut all) => {
                all.sort_by_key(|container| core::cmp::Reverse(container.created_at));
                Ok(all)
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn sandboxes(&mut self) -> Done<Vec<Rc<SandboxStatus>>> {
        match self
            .call(Request::ListPodSandbox, "listing pod sandboxes")
            .await?
        {
            Reply::Sandboxes(mut all) => {
                all.sort_by_key(|sandbox| core::cmp::Reverse(sandbox.created_at));
                Ok(all)
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn images(&mut self) -> Done<Vec<ImageStatus>> {
        match self.call(Request::ListImages, "listing images").await? {
            Reply::Images(mut all) => {
                all.sort_by(|a, b| (&a.repo_tags, &a.id).cmp(&(&b.repo_tags, &b.id)));
                Ok(all)
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn print_tree(&self, tree: &Value, format: &str) -> Done {
        let text = match format {
            "json" => tree.to_json_indented("  ") + "\n",
            "yaml" => api::yaml::to_string(tree),
            other => return fatal(format!("unsupported output format {other:?}")),
        };
        self.io.print(&text).await;
        Ok(())
    }
}

fn unreachable(errno: Errno) -> Fatal {
    let why = errno.message().to_lowercase();
    Fatal(format!(
        "validate service connection: validate CRI v1 runtime API for endpoint \
         \"unix://{SOCKET}\": rpc error: code = Unavailable desc = connection error: desc = \
         \"transport: Error while dialing: dial unix {SOCKET}: connect: {why}\""
    ))
}

async fn main(io: Io) -> i32 {
    let result = match args::parse_leading(GLOBAL, io.args()) {
        Ok(global) => begin_command(&io, &global).await,
        Err(message) => fatal(message),
    };
    match result {
        Ok(()) => 0,
        Err(Fatal(text)) => {
            let now = io.now().await.rfc3339();
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            io.eprint(&format!("time=\"{now}\" level=fatal msg=\"{text}\"\n"))
                .await;
            1
        }
    }
}

async fn begin_command(io: &Io, global: &Args) -> Done {
    if global.has('v') {
        io.print(&format!("crictl version {VERSION}\n")).await;
        return Ok(());
    }
    let Some(name) = global.operands.first().filter(|_| !global.has('h')) else {
        help(io).await;
        return Ok(());
    };
    let known = COMMANDS
        .iter()
        .find(|command| command.names.contains(&&**name));
    let Some(command) = known else {
        io.print(&format!("No help topic for '{name}'\n")).await;
        return Ok(());
    };
    let parsed = match command.leading {
        true => args::parse_leading(command.flags, &global.operands),
        false => args::parse(command.flags, &global.operands),
    };
    let args = parsed.map_err(Fatal)?;
    let runtime = Runtime::connect(io).await.map_err(unreachable)?;
    let mut session = Session {
        io: io.clone(),
        runtime,
    };
    let done = session.run(command.names[0], &args).await;
    session.runtime.close(io).await;
    done
}

/// The release of cri-tools.
const VERSION: &str = "v1.36.0";

async fn help(io: &Io) {
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.names[0]).collect();
    let text = format!(
        "NAME:\n   crictl - client for CRI\n\nUSAGE:\n   crictl [global options] command \
         [command options]\n\nVERSION:\n   {VERSION}\n\nCOMMANDS:\n   {}\n",
        names.join("\n   ")
    );
    io.print(&text).await;
}

impl Session {
    async fn run(&mut self, name: &str, args: &Args) -> Done {
        match name {
            "ps" => self.ps(args).await,
            "pods" => self.pods(args).await,
            "images" => self.list_images(args).await,
            "inspect" => self.inspect(args).await,
            "inspectp" => self.inspect_pods(args).await,
            "inspecti" => self.inspect_images(args).await,
            "stop" | "start" | "rm" => self.change_containers(name, args).await,
            "stopp" | "rmp" => self.change_sandboxes(name, args).await,
            "rmi" => self.remove_images(args).await,
            "pull" => self.pull(args).await,
            "logs" => self.logs(args).await,
            "exec" => self.exec(args).await,
            "info" => self.info(args).await,
            _ => self.version().await,
        }
    }

    async fn version(&mut self) -> Done {
        if let Reply::Version(name, version) =
            self.call(Request::Version, "getting version").await?
        {
            self.io
                .print(&format!(
                    "Version:  0.1.0\nRuntimeName:  {name}\nRuntimeVersion:  {version}\n\
                     RuntimeApiVersion:  v1\n"
                ))
                .await;
        }
        Ok(())
    }
}
