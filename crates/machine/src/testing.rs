//! A small world for tests: one machine, a terminal, nothing running but its first process.

use std::rc::Rc;

use sim::{Duration, EntryId, MachineId, Pid};

use crate::fs::{Node, Tree};
use crate::host::HostSpec;
use crate::outside::Outside;
use crate::process::ExitStatus;
use crate::program::Programs;
use crate::sys::{Exec, Spawn};
use crate::tty::TtyId;
use crate::world::World;

/// A machine called `name` with the usual directories, users and devices.
#[must_use]
pub fn spec(name: &str) -> HostSpec {
    HostSpec {
        name: name.into(),
        cpus: 4,
        memory: 8 << 30,
        disk: 20_134_592_512,
        kernel: "6.8.0-111-generic".into(),
        os_image: "Ubuntu 24.04.4 LTS".into(),
        files: base_files(name),
    }
}

/// The files every machine has.
///
/// # Panics
/// Never: the paths do not collide.
#[must_use]
pub fn base_files(name: &str) -> Tree {
    let mut tree = Tree::new();
    let mut put = |path: &str, node: Node| tree.put_all(path, node).expect("paths do not collide");
    for dir in [
        "/etc", "/home", "/opt", "/root", "/run", "/srv", "/usr/bin", "/var/log",
    ] {
        put(dir, Node::dir(0o755));
    }
    let mut bin = Node::file("", 0o777);
    bin.content = crate::fs::Content::Symlink("usr/bin".into());
    put("/bin", bin);
    put("/tmp", Node::dir(0o1777));
    for (device, content) in [
        ("/dev/null", crate::fs::Device::Null),
        ("/dev/urandom", crate::fs::Device::Random),
        ("/dev/zero", crate::fs::Device::Zero),
        ("/dev/tty", crate::fs::Device::Tty),
    ] {
        let mut node = Node::file("", 0o666);
        node.content = crate::fs::Content::Device(content);
        put(device, node);
    }
    put("/etc/hostname", Node::file(format!("{name}\n"), 0o644));
    put(
        "/etc/hosts",
        Node::file(format!("127.0.0.1 localhost\n127.0.1.1 {name}\n"), 0o644),
    );
    put(
        "/etc/passwd",
        Node::file("root:x:0:0:root:/root:/bin/bash\n", 0o644),
    );
    put("/etc/group", Node::file("root:x:0:\n", 0o644));
    crate::put_proc_sys(&mut tree).expect("paths do not collide");
    tree
}

/// A world with one machine, `testbox`, switched on.
pub struct TestBox {
    /// The world.
    pub world: World,
    /// Its machine.
    pub machine: MachineId,
    /// A terminal of it.
    pub tty: TtyId,
}

impl TestBox {
    /// Makes the world; `binaries` are put into `/usr/bin` under their own names.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn new(programs: Programs, binaries: &[&'static str]) -> TestBox {
        let mut world = World::new(1, programs);
        let mut spec = spec("testbox");
        for name in binaries {
            spec.files
                .put_all(&format!("/usr/bin/{name}"), Node::binary(name))
                .expect("a new path");
        }
        let machine = world.add_machine(spec);
        world.boot(machine, EntryId::NONE);
        world.run(world.now() + Duration::from_secs(1), 1000);
        let tty = world
            .enter(machine, EntryId::NONE, |sys| sys.open_terminal(80, 24))
            .expect("it is switched on");
        TestBox {
            world,
            machine,
            tty,
        }
    }

    /// Starts `args` on the terminal, in `/root`.
    ///
    /// # Panics
    /// If the program does not exist.
    pub fn start(&mut self, args: &[&str]) -> Pid {
        let args: Vec<Rc<str>> = args.iter().map(|arg| Rc::from(*arg)).collect();
        let path = if args[0].starts_with('/') {
            args[0].clone()
        } else {
            format!("/usr/bin/{}", args[0]).into()
        };
        let mut spawn = Spawn::new(Exec::Path(path), args);
        spawn.terminal = Some(self.tty);
        spawn.cwd = Some("/root".into());
        let env = [
            ("HOME", "/root"),
            ("PATH", "/usr/bin:/bin"),
            ("TERM", "xterm-256color"),
        ];
        let env = env.map(|(key, value)| (Rc::from(key), Rc::from(value)));
        spawn.env = Some(Rc::new(env.into()));
        self.world
            .enter(self.machine, EntryId::NONE, |sys| sys.spawn(spawn))
            .expect("it is switched on")
            .expect("the program exists")
    }

    /// Runs for at most `span` of virtual time, until `pid` ends; gives what the terminal showed
    /// since the last call, and how the process ended.
    pub fn finish(&mut self, pid: Pid, span: Duration) -> (String, Option<ExitStatus>) {
        let end = self.world.now() + span;
        while self.world.host(self.machine).process(pid).is_some() && self.world.step(end) {}
        // The first process takes note of the end; then its status is known.
        let mut status = None;
        let shown = self.take(&mut status);
        (shown, status)
    }

    /// What the terminal showed since the last call.
    pub fn shown(&mut self) -> String {
        self.take(&mut None)
    }

    /// Types on the terminal.
    pub fn type_keys(&mut self, keys: &str) {
        self.world
            .type_keys(self.machine, self.tty, keys.as_bytes(), EntryId::NONE);
    }

    /// Runs for `span` of virtual time.
    pub fn pass(&mut self, span: Duration) {
        let end = self.world.now() + span;
        self.world.run(end, u64::MAX);
    }

    /// Runs `args` to the end, at most an hour: what the terminal showed (with plain newlines) and
    /// the exit code; 255 if it did not end.
    pub fn run(&mut self, args: &[&str]) -> (String, i32) {
        let pid = self.start(args);
        let (shown, status) = self.finish(pid, Duration::from_secs(3600));
        (
            shown.replace("\r\n", "\n"),
            status.map_or(255, ExitStatus::shell_code),
        )
    }

    fn take(&mut self, ended: &mut Option<ExitStatus>) -> String {
        let mut shown = Vec::new();
        for said in std::mem::take(&mut self.world.outside) {
            match said {
                Outside::Output { bytes, .. } => shown.extend(bytes),
                Outside::Closed { status, .. } => *ended = Some(status),
                _ => {}
            }
        }
        String::from_utf8_lossy(&shown).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Fd, Signal};
    use crate::program::Constructor;
    use crate::tool::{Io, tool};

    async fn greet(io: Io) -> i32 {
        io.print("what is your name?\n").await;
        let name = io.read(Fd::STDIN).await.unwrap_or_else(|_| Rc::from([]));
        io.sleep(Duration::from_secs(2)).await;
        io.print(&format!("hello {}", String::from_utf8_lossy(&name)))
            .await;
        7
    }

    async fn parent(io: Io) -> i32 {
        let (read, write) = io.sys(|sys| sys.pipe()).await.unwrap();
        let mut spawn = Spawn::new(Exec::Path("/usr/bin/echo".into()), vec!["echo".into()]);
        spawn.fds = vec![(Fd::STDOUT, write)];
        let child = io.spawn(spawn).await.unwrap();
        io.close(write).await;
        let said = io.read_all(read).await.unwrap();
        io.print(&format!("child said {}", String::from_utf8_lossy(&said)))
            .await;
        io.wait(child).await.shell_code()
    }

    async fn echo(io: Io) -> i32 {
        io.write_all(Fd::STDOUT, b"hi\n").await;
        3
    }

    fn programs(name: &str) -> Option<Constructor> {
        match name {
            "greet" => Some(|| tool(|io| Box::pin(greet(io)))),
            "parent" => Some(|| tool(|io| Box::pin(parent(io)))),
            "echo" => Some(|| tool(|io| Box::pin(echo(io)))),
            _ => None,
        }
    }

    fn test_box() -> TestBox {
        TestBox::new(programs, &["greet", "parent", "echo"])
    }

    #[test]
    fn a_tool_reads_sleeps_and_ends() {
        let mut test = test_box();
        let pid = test.start(&["greet"]);
        test.pass(Duration::from_secs(1));
        assert_eq!(test.shown(), "what is your name?\r\n");
        test.type_keys("ann\r");
        let (shown, status) = test.finish(pid, Duration::from_secs(10));
        assert_eq!(
            (shown.as_str(), status),
            ("ann\r\nhello ann\r\n", Some(ExitStatus::Code(7)))
        );
    }

    #[test]
    fn a_copy_goes_on_where_the_original_was() {
        let mut test = test_box();
        let pid = test.start(&["greet"]);
        test.pass(Duration::from_secs(1));
        test.shown();
        test.type_keys("ann\r");
        test.pass(Duration::from_secs(1));
        let mut copy = TestBox {
            world: test.world.clone(),
            ..test
        };
        let (a, _) = copy.finish(pid, Duration::from_secs(10));
        let (b, _) = test.finish(pid, Duration::from_secs(10));
        assert_eq!(a, "ann\r\nhello ann\r\n");
        assert_eq!(a, b);
        assert_eq!(copy.world.journal.hash(), test.world.journal.hash());
    }

    #[test]
    fn children_talk_through_pipes() {
        assert_eq!(
            test_box().run(&["parent"]),
            ("child said hi\n".to_owned(), 3)
        );
    }

    #[test]
    fn keys_interrupt() {
        let mut test = test_box();
        let pid = test.start(&["greet"]);
        test.pass(Duration::from_secs(1));
        test.type_keys("\x03");
        let (_, status) = test.finish(pid, Duration::from_secs(10));
        assert_eq!(status, Some(ExitStatus::Signal(Signal::Int)));
    }
}
