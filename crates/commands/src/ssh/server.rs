//! `sshd`: waits for connections, and a session for each. Models OpenSSH 9.6's sshd.c, session.c and
//! serverloop.c.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::{Errno, Exec, ExitStatus, Fd, Poll, Program, Spawn, Sys, User, Wake};
use sim::Pid;

use super::wire::{Ask, BANNER, Reply, Screen, Wire};

/// Where a session finds its connection.
const CONNECTION: Fd = Fd(3);
/// Who logged in last, one line per login.
const LAST_LOGINS: &str = "/var/log/lastlog";
const PORT: u16 = 22;

/// The daemon.
pub(crate) fn sshd() -> Box<dyn Program> {
    Box::new(Daemon { listener: None })
}

#[derive(Clone, Debug)]
struct Daemon {
    listener: Option<Fd>,
}

impl Program for Daemon {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start if sys.args().get(1).is_some_and(|arg| &**arg == "--help") => {
                let crate::Tool { usage, summary, .. } = crate::sshd::TOOL;
                let text = format!("Usage: {usage}\n{summary}.\n");
                let _ = sys.write(Fd::STDOUT, text.as_bytes());
                return Poll::Exit(0);
            }
            Wake::Start => match sys.listen(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT)) {
                Ok(fd) => {
                    self.listener = Some(fd);
                    log(sys, &format!("Server listening on 0.0.0.0 port {PORT}."));
                }
                Err(errno) => {
                    let why = errno.message();
                    log(
                        sys,
                        &format!("error: Bind to port {PORT} on 0.0.0.0 failed: {why}."),
                    );
                    log(sys, "fatal: Cannot bind any address.");
                    return Poll::Exit(255);
                }
            },
            Wake::Child { pid, .. } => {
                sys.try_wait(pid);
            }
            _ => {}
        }
        let Some(listener) = self.listener else {
            return Poll::Pending;
        };
        while let Ok(conn) = sys.accept(listener) {
            let session = Session {
                conn: CONNECTION,
                user: None,
                child: None,
            };
            let mut spawn = Spawn::new(
                Exec::Program(Box::new(session)),
                vec!["sshd: [accepted]".into()],
            );
            spawn.fds = vec![(CONNECTION, conn), (Fd::STDERR, Fd::STDERR)];
            spawn.cgroup = Some("/user.slice/user-0.slice".into());
            spawn.pgrp = Some(None);
            if let Err(errno) = sys.spawn(spawn) {
                log(sys, &format!("error: fork: {}", errno.message()));
            }
            sys.close(conn);
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn log(sys: &mut Sys<'_>, text: &str) {
    // A log that cannot be written has no reader to miss it.
    let _ = sys.write(Fd::STDERR, format!("{text}\n").as_bytes());
}

/// One connection.
#[derive(Clone, Debug)]
struct Session {
    conn: Fd,
    user: Option<User>,
    child: Option<Child>,
}

/// The command a session runs.
#[derive(Clone, Debug)]
struct Child {
    pid: Pid,
    /// The master side of its terminal, or the pipe to its standard input.
    input: Option<Fd>,
    /// Input that did not fit yet.
    pending: VecDeque<u8>,
    /// Whether the input ends after that.
    ending: bool,
    /// What it writes: descriptors, and whether it is its standard error.
    outputs: Vec<(Fd, bool)>,
    tty: bool,
    status: Option<ExitStatus>,
}

impl Program for Session {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        if why == Wake::Start {
            let _ = sys.send(self.conn, BANNER.as_bytes().into());
        }
        loop {
            match sys.recv(self.conn) {
                Ok(Some(payload)) => {
                    // The client's banner is the only message that is none of ours.
                    if let Some(wire) = Wire::of(Some(payload)) {
                        self.take(sys, &wire);
                    }
                }
                Err(Errno::EAGAIN) => break,
                // Its terminal hangs up with this process.
                Ok(None) | Err(_) => {
                    self.say_closed(sys);
                    return Poll::Exit(0);
                }
            }
        }
        let conn = self.conn;
        let Some(child) = &mut self.child else {
            return Poll::Pending;
        };
        child.feed(sys);
        child.drain(sys, conn);
        if child.status.is_none() {
            child.status = sys.try_wait(child.pid);
            child.drain(sys, conn);
        }
        match child.status {
            Some(status) if child.tty || child.outputs.is_empty() => {
                say(sys, conn, Wire::Exit(status));
                self.say_closed(sys);
                Poll::Exit(0)
            }
            _ => Poll::Pending,
        }
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn say(sys: &mut Sys<'_>, conn: Fd, wire: Wire) {
    // A client that is gone shows when the next message is awaited.
    let _ = sys.send(conn, wire.payload());
}

impl Session {
    fn take(&mut self, sys: &mut Sys<'_>, wire: &Wire) {
        match wire {
            Wire::Login { user } => self.login(sys, user),
            Wire::Open { command, screen } => self.open(sys, command.as_ref(), screen.as_ref()),
            Wire::Data(bytes) => {
                if let Some(child) = &mut self.child {
                    child.pending.extend(bytes.iter());
                }
            }
            Wire::Eof => {
                if let Some(child) = &mut self.child {
                    child.ending = true;
                }
            }
            Wire::Resize(columns, rows) => {
                if let Some(fd) = self
                    .child
                    .as_ref()
                    .filter(|child| child.tty)
                    .and_then(|c| c.input)
                {
                    let _ = sys.set_tty_size(fd, *columns, *rows);
                }
            }
            Wire::Ask(ask) if self.user.is_some() => {
                let reply = answer(sys, ask);
                say(sys, self.conn, Wire::Reply(reply));
            }
            _ => {}
        }
    }

    fn login(&mut self, sys: &mut Sys<'_>, name: &Rc<str>) {
        let from = sys.peer(self.conn).map_or_else(
            |_| String::new(),
            |addr| format!("{} port {}", addr.ip(), addr.port()),
        );
        let user = sys
            .host()
            .users()
            .into_iter()
            .find(|user| user.name == *name);
        let Some(user) = user else {
            log(sys, &format!("Invalid user {name} from {from}"));
            return say(sys, self.conn, Wire::Refused);
        };
        log(
            sys,
            &format!("Accepted publickey for {name} from {from} ssh2"),
        );
        let session = format!(
            "pam_unix(sshd:session): session opened for user {name}(uid={}) by {name}(uid=0)",
            user.uid
        );
        log(sys, &session);
        sys.set_title(&format!("sshd: {name}@notty"));
        // Someone without a home starts at the root.
        let _ = sys.chdir(&user.home);
        self.user = Some(user);
        say(sys, self.conn, Wire::Welcome);
    }

    fn say_closed(&self, sys: &mut Sys<'_>) {
        if let Some(user) = &self.user {
            let name = &user.name;
            log(
                sys,
                &format!("pam_unix(sshd:session): session closed for user {name}"),
            );
        }
    }

    fn open(&mut self, sys: &mut Sys<'_>, command: Option<&Rc<str>>, screen: Option<&Screen>) {
        let Some(user) = self.user.clone().filter(|_| self.child.is_none()) else {
            return;
        };
        let name = user.shell.rsplit('/').next().unwrap_or("sh").to_owned();
        let args: Vec<Rc<str>> = match command {
            Some(command) => vec![name.into(), "-c".into(), command.clone()],
            None => vec![format!("-{name}").into()],
        };
        let mut spawn = Spawn::new(Exec::Path(user.shell.clone()), args);
        spawn.user = Some((user.uid, user.gid));
        spawn.pgrp = Some(None);
        spawn.cgroup = Some(format!("/user.slice/user-{}.slice", user.uid).into());
        let started = match screen {
            Some(screen) => self.on_terminal(sys, &user, spawn, screen, command.is_none()),
            None => self.on_pipes(sys, &user, spawn),
        };
        match started {
            Ok(child) => self.child = Some(child),
            Err(errno) => {
                let text = format!("{}: {}\r\n", user.shell, errno.message());
                say(sys, self.conn, Wire::Error(text.into_bytes().into()));
                say(sys, self.conn, Wire::Exit(ExitStatus::Code(1)));
            }
        }
    }

    fn on_terminal(
        &self,
        sys: &mut Sys<'_>,
        user: &User,
        mut spawn: Spawn,
        screen: &Screen,
        login: bool,
    ) -> Result<Child, Errno> {
        let (master, tty) = sys.open_pty(screen.columns, screen.rows)?;
        let mut env = self.environment(sys, user);
        env.insert("TERM".into(), screen.term.clone());
        env.insert("SSH_TTY".into(), format!("/dev/pts/{}", tty.0).into());
        spawn.env = Some(Rc::new(env));
        spawn.terminal = Some(tty);
        if login {
            let text = self.greeting(sys, user);
            say(sys, self.conn, Wire::Data(text.into_bytes().into()));
        }
        let pid = sys.spawn(spawn).inspect_err(|_| sys.close(master))?;
        sys.set_title(&format!("sshd: {}@pts/{}", user.name, tty.0));
        Ok(Child {
            pid,
            input: Some(master),
            pending: VecDeque::new(),
            ending: false,
            outputs: vec![(master, false)],
            tty: true,
            status: None,
        })
    }

    fn on_pipes(&self, sys: &mut Sys<'_>, user: &User, mut spawn: Spawn) -> Result<Child, Errno> {
        let (stdin, input) = sys.pipe()?;
        let (output, stdout) = sys.pipe()?;
        let (errors, stderr) = sys.pipe()?;
        spawn.env = Some(Rc::new(self.environment(sys, user)));
        spawn.fds = vec![
            (Fd::STDIN, stdin),
            (Fd::STDOUT, stdout),
            (Fd::STDERR, stderr),
        ];
        let spawned = sys.spawn(spawn);
        for fd in [stdin, stdout, stderr] {
            sys.close(fd);
        }
        let pid = spawned.inspect_err(|_| {
            for fd in [input, output, errors] {
                sys.close(fd);
            }
        })?;
        Ok(Child {
            pid,
            input: Some(input),
            pending: VecDeque::new(),
            ending: false,
            outputs: vec![(output, false), (errors, true)],
            tty: false,
            status: None,
        })
    }

    /// What a login sets.
    fn environment(&self, sys: &Sys<'_>, user: &User) -> BTreeMap<Rc<str>, Rc<str>> {
        let path = if user.uid == 0 {
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        } else {
            "/usr/local/bin:/usr/bin:/bin"
        };
        let mut env: BTreeMap<Rc<str>, Rc<str>> = [
            ("HOME", &*user.home),
            ("LANG", "C.UTF-8"),
            ("LOGNAME", &*user.name),
            ("PATH", path),
            ("SHELL", &*user.shell),
            ("TZ", "UTC"),
            ("USER", &*user.name),
        ]
        .map(|(key, value)| (Rc::from(key), Rc::from(value)))
        .into();
        let local = sys
            .socket(self.conn)
            .and_then(|socket| sys.net().local_addr(socket).ok());
        if let (Ok(peer), Some(local)) = (sys.peer(self.conn), local) {
            let (ip, port) = (peer.ip(), peer.port());
            env.insert(
                "SSH_CLIENT".into(),
                format!("{ip} {port} {}", local.port()).into(),
            );
            let connection = format!("{ip} {port} {} {}", local.ip(), local.port());
            env.insert("SSH_CONNECTION".into(), connection.into());
        }
        env
    }

    /// The message of the day, and when someone logged in last.
    fn greeting(&self, sys: &mut Sys<'_>, user: &User) -> String {
        let spec = &sys.host().spec;
        let mut text = format!(
            "Welcome to {} (GNU/Linux {} x86_64)\r\n\r\n",
            spec.os_image, spec.kernel
        );
        let before = sys.read_to_string(LAST_LOGINS).unwrap_or_default();
        let last = before
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix(&format!("{} ", user.name)));
        if let Some(last) = last {
            text.push_str(&format!("Last login: {last}\r\n"));
        }
        let at = crate::calendar::ctime(sys.now());
        let from = sys
            .peer(self.conn)
            .map_or(Ipv4Addr::UNSPECIFIED, |addr| *addr.ip());
        // Only the greeting of the next login depends on it.
        let _ = sys.append_file(
            LAST_LOGINS,
            format!("{} {at} from {from}\n", user.name).as_bytes(),
        );
        text
    }
}

impl Child {
    /// Hands on as much input as fits.
    fn feed(&mut self, sys: &mut Sys<'_>) {
        let Some(fd) = self.input else { return };
        while !self.pending.is_empty() {
            let bytes: Vec<u8> = self.pending.iter().copied().take(65_536).collect();
            match sys.write(fd, &bytes) {
                Ok(written) => drop(self.pending.drain(..written)),
                Err(Errno::EAGAIN) => return,
                // Nobody reads it any more.
                Err(_) => self.pending.clear(),
            }
        }
        if self.ending && !self.tty {
            sys.close(fd);
            self.input = None;
        }
    }

    /// Sends what it has written; forgets what has ended.
    fn drain(&mut self, sys: &mut Sys<'_>, conn: Fd) {
        let mut open = Vec::new();
        for (fd, stderr) in std::mem::take(&mut self.outputs) {
            loop {
                match sys.read(fd, 32_768) {
                    Ok(bytes) if bytes.is_empty() => {
                        if !self.tty {
                            sys.close(fd);
                        }
                        break;
                    }
                    Ok(bytes) if stderr => say(sys, conn, Wire::Error(bytes)),
                    Ok(bytes) => say(sys, conn, Wire::Data(bytes)),
                    Err(Errno::EAGAIN) => {
                        open.push((fd, stderr));
                        break;
                    }
                    Err(_) => break,
                }
            }
        }
        self.outputs = open;
    }
}

/// What is to be done with files.
fn answer(sys: &mut Sys<'_>, ask: &Ask) -> Result<Reply, Errno> {
    let home = |path: &Rc<str>| match path.strip_prefix("~/") {
        Some(rest) => rest.to_owned(),
        None if path.is_empty() || &**path == "~" => ".".to_owned(),
        None => path.to_string(),
    };
    match ask {
        Ask::Stat(path) => {
            let stat = sys.stat(&home(path))?;
            Ok(Reply::Stat {
                dir: stat.is_dir(),
                mode: stat.mode,
            })
        }
        Ask::List(path) => {
            let entries = sys.read_dir(&home(path))?;
            Ok(Reply::Names(
                entries.into_iter().map(|entry| entry.name).collect(),
            ))
        }
        Ask::Read(path) => sys.read_file(&home(path)).map(Reply::Bytes),
        Ask::Write(path, bytes, mode) => {
            let path = home(path);
            let new = !sys.exists(&path);
            sys.write_file(&path, bytes)?;
            if new {
                sys.chmod(&path, mode & 0o777)?;
            }
            Ok(Reply::Done)
        }
        Ask::MakeDir(path) => match sys.mkdir(&home(path), 0o755) {
            Ok(()) | Err(Errno::EEXIST) => Ok(Reply::Done),
            Err(errno) => Err(errno),
        },
    }
}
