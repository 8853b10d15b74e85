//! The lab: a world with terminals, and the only door to it. Inputs go in and are logged; outputs
//! and views come out. Pacing is the shells' business: here time moves only when told to.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::{Exec, Outside, Request, Signal, Spawn, TtyId, World};
use net::NetnsId;
use sim::{Duration, EntryId, Instant, Kind, MachineId, Pid};

use crate::cluster::build;
use crate::gateway;
use crate::input::{Input, Logged, Output, TerminalId};
use crate::objects::Objects;
use crate::spec::{WorldSpec, node_ip};
use crate::wire::Wires;

static INPUT: Kind = Kind {
    name: "input",
    says: "you {0} on {1}: {2}",
};

/// Where kubeadm has an API server listen.
const API_SERVER_PORT: u16 = 6443;
/// A cluster is up within this virtual time, or never.
const BOOT_LIMIT: Duration = Duration::from_secs(600);

/// A terminal of the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// The machine's name.
    pub machine: Rc<str>,
    /// Whether its shell still runs.
    pub open: bool,
    id: MachineId,
    tty: TtyId,
}

/// A command run without a terminal ([`Input::Run`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its process.
    pub pid: Pid,
    /// Its machine.
    pub machine: MachineId,
    /// When it began.
    pub started: Instant,
    /// What it printed to standard output.
    pub stdout: Vec<u8>,
    /// What it printed to standard error.
    pub stderr: Vec<u8>,
    /// Its exit code, once it has ended.
    pub exit_code: Option<i32>,
    /// Its top-level commands so far; the last one may still run.
    pub commands: Vec<RunCommand>,
}

/// A top-level command of a [`Run`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCommand {
    /// Its source.
    pub text: Rc<str>,
    /// When it began.
    pub started: Instant,
    /// When it ended, and its exit code.
    pub ended: Option<(Instant, i32)>,
    /// What it printed to standard output.
    pub stdout: Vec<u8>,
    /// What it printed to standard error.
    pub stderr: Vec<u8>,
}

/// A world with terminals. Clone is cheap: checkpoints and what-if branches are clones.
#[derive(Clone)]
pub struct Lab {
    /// The world, to look at.
    pub world: World,
    spec: WorldSpec,
    terminals: Vec<Terminal>,
    runs: Vec<Run>,
    asked: BTreeMap<u64, (MachineId, Pid)>,
    wires: Wires,
    outputs: Vec<Output>,
    log: Vec<Logged>,
}

impl Lab {
    /// Builds a world and switches it on; nothing has run yet.
    ///
    /// # Errors
    /// [`WorldSpec::problem`].
    pub fn new(spec: WorldSpec) -> Result<Lab, String> {
        let world = build(&spec)?;
        Ok(Lab {
            world,
            spec,
            terminals: Vec::new(),
            runs: Vec::new(),
            asked: BTreeMap::new(),
            wires: Wires::default(),
            outputs: Vec::new(),
            log: Vec::new(),
        })
    }

    /// Lets time pass until the cluster is ready for use.
    ///
    /// # Errors
    /// What is still missing after ten minutes of virtual time.
    pub fn boot(&mut self) -> Result<(), String> {
        let end = self.now() + BOOT_LIMIT;
        loop {
            match self.missing() {
                None => return Ok(()),
                Some(missing) if self.now() >= end => return Err(missing),
                Some(_) => {
                    let next = self.now() + Duration::from_millis(250);
                    self.advance(next, u64::MAX);
                }
            }
        }
    }

    /// What the cluster lacks to be ready: every node Ready, every control-plane pod running, the
    /// default service account there.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        crate::ready::missing(&self.spec, &self.objects())
    }

    /// The time it is.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.world.now()
    }

    /// What it was made of.
    #[must_use]
    pub fn spec(&self) -> &WorldSpec {
        &self.spec
    }

    /// The terminals, by id from 1.
    #[must_use]
    pub fn terminals(&self) -> &[Terminal] {
        &self.terminals
    }

    /// Inputs so far.
    #[must_use]
    pub fn log(&self) -> &[Logged] {
        &self.log
    }

    /// Forgets the inputs so far and gives them: a lab that runs for long, and is not to be replayed
    /// from its own memory, would keep them all.
    pub fn take_log(&mut self) -> Vec<Logged> {
        std::mem::take(&mut self.log)
    }

    /// The objects of the cluster as they stand in etcd.
    #[must_use]
    pub fn objects(&self) -> Objects {
        Objects::of(&self.world)
    }

    /// Makes the same world and gives it the same inputs.
    ///
    /// # Errors
    /// As [`Lab::new`], or the first input that does not fit: the log is another world's.
    pub fn replay(spec: WorldSpec, log: &[Logged]) -> Result<Lab, String> {
        let mut lab = Lab::new(spec)?;
        for (n, logged) in log.iter().enumerate() {
            if logged.at < lab.now() {
                return Err(format!(
                    "input {} comes before the one in front of it",
                    n + 1
                ));
            }
            lab.advance(logged.at, u64::MAX);
            lab.apply(logged.input.clone())
                .map_err(|why| format!("input {}: {why}", n + 1))?;
        }
        lab.outputs.clear();
        Ok(lab)
    }

    /// Takes an input; gives the terminal's or the run's number where it makes one.
    ///
    /// # Errors
    /// What it names does not exist.
    pub fn apply(&mut self, input: Input) -> Result<Option<TerminalId>, String> {
        let made = match &input {
            Input::OpenTerminal {
                machine,
                columns,
                rows,
            } => Some(self.open(machine, *columns, *rows)?),
            Input::Keys { terminal, bytes } => {
                let Terminal {
                    machine, id, tty, ..
                } = self.terminal(*terminal)?.clone();
                let keys = String::from_utf8_lossy(bytes).escape_debug().to_string();
                let cause = self.note(id, "type", &machine, &keys);
                self.world.type_keys(id, tty, bytes, cause);
                None
            }
            Input::Resize {
                terminal,
                columns,
                rows,
            } => {
                let Terminal { id, tty, .. } = *self.terminal(*terminal)?;
                self.world.resize(id, tty, (*columns, *rows), EntryId::NONE);
                None
            }
            Input::CloseTerminal { terminal } => {
                let Terminal {
                    machine, id, tty, ..
                } = self.terminal(*terminal)?.clone();
                let cause = self.note(id, "close a terminal", &machine, "");
                self.world.hang_up(id, tty, cause);
                None
            }
            Input::Edited { request, text } => {
                let (machine, pid) = self
                    .asked
                    .remove(request)
                    .ok_or_else(|| format!("no editor is open for request {request}"))?;
                self.world.reply(machine, pid, *request, text.clone());
                None
            }
            Input::Power { machine, on } => {
                let id = self.machine(machine)?;
                let what = if *on { "press power" } else { "pull the plug" };
                let cause = self.note(id, what, machine, "");
                if *on {
                    self.world.boot(id, cause);
                } else {
                    self.world.power_off(id, cause);
                }
                None
            }
            Input::Wire { wire, message } => {
                let router = self.world.find(gateway::NAME).ok_or("there is no router")?;
                let server = SocketAddrV4::new(node_ip(0), API_SERVER_PORT);
                self.wires
                    .apply(&mut self.world, router, server, *wire, message)?;
                None
            }
            Input::Run { machine, command } => {
                self.run(machine, command)?;
                Some(TerminalId(
                    u32::try_from(self.runs.len()).expect("few runs"),
                ))
            }
        };
        self.log.push(Logged {
            at: self.now(),
            input,
        });
        self.collect();
        Ok(made)
    }

    /// Lets time pass until `until`, or until `budget` events have happened; returns how many did.
    pub fn advance(&mut self, until: Instant, budget: u64) -> u64 {
        let ran = self.world.run(until, budget);
        self.collect();
        ran
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.world.queue.next_at()
    }

    /// What was said since the last call.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// A command run without a terminal, by its number from 1.
    #[must_use]
    pub fn run_result(&self, number: TerminalId) -> Option<&Run> {
        self.runs.get((number.0 as usize).checked_sub(1)?)
    }

    /// Stops a command that is still running.
    pub fn stop_run(&mut self, number: TerminalId) {
        if let Some(Run {
            pid,
            machine,
            exit_code: None,
            ..
        }) = self.run_result(number).cloned()
        {
            self.world
                .enter(machine, EntryId::NONE, |sys| sys.kill(pid, Signal::Kill));
            self.collect();
        }
    }

    /// As [`Lab::advance`], but stops as soon as the command has ended.
    pub fn step_run(&mut self, number: TerminalId, until: Instant, budget: u64) -> u64 {
        let mut ran = 0;
        while ran < budget
            && self
                .run_result(number)
                .is_some_and(|run| run.exit_code.is_none())
        {
            if !self.world.step(until) {
                self.world.queue.advance_to(until);
                break;
            }
            ran += 1;
            if !self.world.outside.is_empty() {
                self.collect();
            }
        }
        ran
    }

    /// Puts a file on a machine's disk, before anyone looks: the files a script brings along.
    ///
    /// # Errors
    /// There is no such machine, or the path is not free for a file.
    pub fn put_file(&mut self, machine: &str, path: &str, bytes: &[u8]) -> Result<(), String> {
        let id = self.machine(machine)?;
        let node = machine::fs::Node::file(bytes, 0o644);
        let disk = self.world.host_mut(id).disk_mut();
        disk.put_all(path, node)
            .map_err(|errno| format!("{path}: {}", errno.message()))
    }

    /// Runs a command in the network of a pod and with its names of hosts, otherwise with the files of
    /// the pod's machine. It is no input and not logged: for branches that are thrown away, to see
    /// what the pod would.
    ///
    /// # Errors
    /// There is no such pod, or it has no network.
    pub fn run_in_pod(
        &mut self,
        namespace: &str,
        pod: &str,
        command: &Rc<str>,
    ) -> Result<TerminalId, String> {
        let object = self.objects().get("pods", namespace, pod);
        let object = object.ok_or_else(|| format!("there is no pod {namespace}/{pod}"))?;
        let lacking = || format!("pod {namespace}/{pod} has no network yet");
        let machine: Rc<str> = object.str_at("spec.nodeName").into();
        let ip: Ipv4Addr = object
            .str_at("status.podIP")
            .parse()
            .map_err(|_| lacking())?;
        let id = self.machine(&machine)?;
        let netns = {
            let mut spaces = self.world.net.namespaces();
            spaces
                .find(|ns| ns.machine == id && ns.is_local(ip))
                .map(|ns| ns.id)
        };
        let netns = Some(netns.ok_or_else(lacking)?);
        self.start(id, &machine, command, netns, false)?;
        Ok(TerminalId(
            u32::try_from(self.runs.len()).expect("few runs"),
        ))
    }

    /// As [`Lab::run_in_pod`], for a machine. The command has a terminal, so that what it sends is
    /// among the latest requests.
    ///
    /// # Errors
    /// There is no such machine, or it is switched off.
    pub fn run_at_terminal(
        &mut self,
        machine: &str,
        command: &Rc<str>,
    ) -> Result<TerminalId, String> {
        let id = self.machine(machine)?;
        self.start(id, &machine.into(), command, None, true)?;
        Ok(TerminalId(
            u32::try_from(self.runs.len()).expect("few runs"),
        ))
    }

    /// From now on the latest requests of terminals and pods are kept for the views.
    pub fn keep_requests(&mut self) {
        self.world.net.keep_latest();
    }

    fn open(&mut self, machine: &Rc<str>, columns: u16, rows: u16) -> Result<TerminalId, String> {
        let id = self.machine(machine)?;
        let cause = self.note(id, "open a terminal", machine, "");
        let opened = self.world.enter(id, cause, |sys| {
            let tty = sys.open_terminal(columns, rows);
            let mut shell = login(vec!["-bash".into()]);
            shell.terminal = Some(tty);
            sys.spawn(shell).map(|_| tty)
        });
        let tty = opened
            .ok_or_else(|| format!("{machine} is switched off"))?
            .map_err(|errno| format!("{machine}: /bin/bash: {}", errno.message()))?;
        self.terminals.push(Terminal {
            machine: machine.clone(),
            open: true,
            id,
            tty,
        });
        Ok(TerminalId(
            u32::try_from(self.terminals.len()).expect("few terminals"),
        ))
    }

    fn run(&mut self, machine: &Rc<str>, command: &Rc<str>) -> Result<(), String> {
        let id = self.machine(machine)?;
        self.start(id, machine, command, None, false)
    }

    fn start(
        &mut self,
        id: MachineId,
        machine: &Rc<str>,
        command: &Rc<str>,
        netns: Option<NetnsId>,
        terminal: bool,
    ) -> Result<(), String> {
        let cause = self.note(id, "run", machine, command);
        let sink = u32::try_from(self.runs.len()).expect("few runs");
        let mut spawn = login(vec!["bash".into()]);
        spawn.exec = Exec::Program(shell::script(command));
        spawn.sink = Some(sink);
        spawn.netns = netns;
        let pid = self
            .world
            .enter(id, cause, |sys| {
                spawn.mounts = netns.and_then(|netns| sys.new_mount_ns_with_names_of(netns));
                spawn.terminal = terminal.then(|| sys.open_terminal(80, 24));
                sys.spawn(spawn)
            })
            .ok_or_else(|| format!("{machine} is switched off"))?
            .map_err(|errno| format!("{machine}: /bin/bash: {}", errno.message()))?;
        let (stdout, stderr) = (Vec::new(), Vec::new());
        let started = self.now();
        let (exit_code, commands) = (None, Vec::new());
        self.runs.push(Run {
            pid,
            machine: id,
            started,
            stdout,
            stderr,
            exit_code,
            commands,
        });
        Ok(())
    }

    fn machine(&self, name: &str) -> Result<MachineId, String> {
        self.world.find(name).ok_or_else(|| {
            let names: Vec<&str> = self.spec().nodes.iter().map(|node| &*node.name).collect();
            format!(
                "there is no machine {name:?}; there are {}",
                names.join(", ")
            )
        })
    }

    fn terminal(&self, id: TerminalId) -> Result<&Terminal, String> {
        let index = (id.0 as usize).checked_sub(1);
        index
            .and_then(|index| self.terminals.get(index))
            .ok_or_else(|| format!("there is no terminal {id}"))
    }

    fn note(&mut self, machine: MachineId, what: &str, name: &Rc<str>, detail: &str) -> EntryId {
        self.world.note(
            machine,
            EntryId::NONE,
            &INPUT,
            &[what.into(), name.into(), detail.into()],
        )
    }

    fn find_tty(&self, machine: MachineId, tty: TtyId) -> Option<TerminalId> {
        let at = self
            .terminals
            .iter()
            .position(|t| (t.id, t.tty) == (machine, tty))?;
        Some(TerminalId(u32::try_from(at + 1).ok()?))
    }

    /// Turns what the world said into outputs of the lab.
    fn collect(&mut self) {
        for said in std::mem::take(&mut self.world.outside) {
            match said {
                Outside::Output {
                    machine,
                    tty,
                    bytes,
                } => {
                    if let Some(terminal) = self.find_tty(machine, tty) {
                        self.outputs.push(Output::Terminal { terminal, bytes });
                    }
                }
                Outside::Closed {
                    machine,
                    tty,
                    status,
                } => {
                    if let Some(terminal) = self.find_tty(machine, tty) {
                        self.terminals[terminal.0 as usize - 1].open = false;
                        self.outputs
                            .push(Output::TerminalClosed { terminal, status });
                    }
                }
                Outside::Printed {
                    sink,
                    stderr,
                    bytes,
                } => {
                    if let Some(run) = self.runs.get_mut(sink as usize) {
                        if let Some(command) = run.commands.last_mut() {
                            let own = if stderr {
                                &mut command.stderr
                            } else {
                                &mut command.stdout
                            };
                            own.extend(&bytes);
                        }
                        let stream = if stderr {
                            &mut run.stderr
                        } else {
                            &mut run.stdout
                        };
                        stream.extend(bytes);
                    }
                }
                Outside::Ended { sink, status } => {
                    if let Some(run) = self.runs.get_mut(sink as usize) {
                        run.exit_code = Some(status.shell_code());
                    }
                }
                Outside::Command {
                    machine,
                    pid,
                    at,
                    text,
                    code,
                } => {
                    let run = self
                        .runs
                        .iter_mut()
                        .find(|r| (r.machine, r.pid) == (machine, pid));
                    if let Some(run) = run {
                        told(run, at, text, code);
                    }
                }
                Outside::Handed { pid, parcel, .. } => {
                    if let Some((wire, message)) = self.wires.said(pid, &parcel) {
                        self.outputs.push(Output::Wire { wire, message });
                    }
                }
                Outside::Asked {
                    machine,
                    pid,
                    id,
                    request,
                } => {
                    self.asked.insert(id, (machine, pid));
                    let Request::Edit { path, text } = request;
                    self.outputs.push(Output::Edit {
                        request: id,
                        path,
                        text,
                    });
                }
            }
        }
    }
}

/// Takes note that a command of a run begins, or ended with a code.
fn told(run: &mut Run, at: Instant, text: Rc<str>, code: Option<i32>) {
    match (code, run.commands.last_mut()) {
        (Some(code), Some(command)) => command.ended = Some((at, code)),
        _ => {
            let (stdout, stderr) = (Vec::new(), Vec::new());
            run.commands.push(RunCommand {
                text,
                started: at,
                ended: None,
                stdout,
                stderr,
            });
        }
    }
}

/// A shell of root, as after logging in.
fn login(args: Vec<Rc<str>>) -> Spawn {
    let mut spawn = Spawn::new(Exec::Path("/bin/bash".into()), args);
    spawn.cwd = Some("/root".into());
    spawn.cgroup = Some("/user.slice/user-0.slice".into());
    let env = [
        ("HOME", "/root"),
        ("LANG", "C.UTF-8"),
        ("LOGNAME", "root"),
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ),
        ("SHELL", "/bin/bash"),
        ("TERM", "xterm-256color"),
        ("TZ", "UTC"),
        ("USER", "root"),
    ];
    spawn.env = Some(Rc::new(
        env.map(|(key, value)| (Rc::from(key), Rc::from(value)))
            .into(),
    ));
    spawn
}
