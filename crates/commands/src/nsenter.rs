//! `nsenter`: runs a program in the namespaces of another process. Models util-linux
//! sys-utils/nsenter.c.

use machine::{Exec, Io, Spawn};

use crate::args::{self, flag, maybe, value};
use crate::help::tool;
use crate::io::{complain, usage_error};
use crate::run;

tool!(
    "nsenter",
    "Run a program with namespaces of other processes",
    "nsenter [OPTION]... [PROGRAM [ARG]...]",
    main,
    [
        ("nsenter -t $$ -n -u hostname", "testbox\n"),
        ("nsenter -t $$ -m -n -- echo hi", "hi\n"),
        (
            "nsenter -t 99999 -n ls",
            "nsenter: cannot open /proc/99999/ns/net: No such file or directory\n"
        ),
        (
            "nsenter -n ls",
            "nsenter: neither filename nor target pid supplied for ns/net\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    value('t', "target"),
    maybe('m', "mount"),
    maybe('u', "uts"),
    maybe('i', "ipc"),
    maybe('n', "net"),
    maybe('p', "pid"),
    maybe('C', "cgroup"),
    maybe('U', "user"),
    maybe('T', "time"),
    maybe('r', "root"),
    maybe('w', "wd"),
    flag('F', "no-fork"),
];

/// The namespaces by their letters.
const NAMES: &[(char, &str)] = &[
    ('m', "mnt"),
    ('u', "uts"),
    ('i', "ipc"),
    ('n', "net"),
    ('p', "pid"),
    ('C', "cgroup"),
    ('U', "user"),
    ('T', "time"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse_leading(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let wanted = NAMES
        .iter()
        .find(|(letter, _)| args.has('a') || args.has(*letter));
    let Some((_, first)) = wanted else {
        return usage_error(&io, "no target namespace specified", 1).await;
    };
    let named = args
        .options
        .iter()
        .find(|(letter, path)| NAMES.iter().any(|(own, _)| own == letter) && !path.is_empty());
    let target: Option<u32> = args.value('t').and_then(|text| text.parse().ok());
    let found = match (named, target) {
        (Some((_, path)), _) => {
            let what = sim::unmodelled!("namespaces by their files");
            complain(&io, &format!("{path}: {what}")).await;
            return 1;
        }
        (None, None) => {
            let why = format!("neither filename nor target pid supplied for ns/{first}");
            complain(&io, &why).await;
            return 1;
        }
        (None, Some(number)) => io.sys(move |sys| {
            let process = sys.host().process(sys.global_pid(number))?;
            let ids = (process.netns, process.mounts, process.pid_ns);
            Some((ids, process.hostname.clone(), process.env.clone()))
        }),
    };
    let Some(((netns, mounts, pid_ns), hostname, env)) = found.await else {
        let number = target.unwrap_or_default();
        let why = format!("cannot open /proc/{number}/ns/{first}: No such file or directory");
        complain(&io, &why).await;
        return 1;
    };
    let has = |letter| args.has('a') || args.has(letter);
    let mut command = args.operands.clone();
    if command.is_empty() {
        command.push("/bin/sh".into());
    }
    let path = match has('m') {
        true => env.get("PATH").cloned(),
        false => io.env("PATH"),
    };
    let path = path.unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into());
    for place in run::places(&path, &command[0]) {
        let mut spawn = Spawn::new(Exec::Path(place), command.clone()).with_stdio();
        spawn.netns = has('n').then_some(netns);
        spawn.mounts = has('m').then_some(mounts);
        spawn.pid_ns = has('p').then_some(pid_ns);
        spawn.hostname = hostname.clone().filter(|_| has('u'));
        if has('m') {
            spawn.cwd = Some("/".into());
        }
        if let Ok(child) = io.spawn(spawn).await {
            return io.wait(child).await.shell_code();
        }
    }
    complain(
        &io,
        &format!(
            "failed to execute {}: No such file or directory",
            command[0]
        ),
    )
    .await;
    127
}
