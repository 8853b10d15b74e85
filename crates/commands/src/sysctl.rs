//! `sysctl`: kernel parameters by name, read and written in `/proc/sys`. Models procps-ng 4's
//! src/sysctl.c.

use std::rc::Rc;

use machine::{Errno, Io, Sys};

use crate::args::{self, Args, flag, maybe, value};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "sysctl",
    "Configure kernel parameters at runtime",
    "sysctl [options] [variable[=value] ...]",
    main,
    [
        ("sysctl net.ipv4.ip_forward", "net.ipv4.ip_forward = 0\n"),
        (
            "sysctl -w net.ipv4.ip_forward=1; sysctl -n net/ipv4/ip_forward; cat /proc/sys/net/ipv4/ip_forward",
            "net.ipv4.ip_forward = 1\n1\n1\n"
        ),
        (
            "echo 1 > /proc/sys/net/ipv4/ip_forward; ip netns add red; ip netns exec red sysctl net.ipv4.ip_forward",
            "net.ipv4.ip_forward = 0\n"
        ),
        (
            "sysctl -a | tail -2",
            "net.ipv4.ip_forward = 0\nnet.netfilter.nf_conntrack_count = 0\n"
        ),
        (
            "sysctl net.ipv4.nope",
            "sysctl: cannot stat /proc/sys/net/ipv4/nope: No such file or directory\n"
        ),
        (
            "sysctl -w kernel.ostype=Minix",
            "sysctl: setting key \"kernel.ostype\": Permission denied\n"
        ),
        (
            "sysctl -w net.ipv4.ip_forward",
            "sysctl: \"net.ipv4.ip_forward\" must be of the form name=value\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('A', ""),
    flag('X', ""),
    flag('b', "binary"),
    flag('e', "ignore"),
    flag('N', "names"),
    flag('n', "values"),
    maybe('p', "load"),
    flag('q', "quiet"),
    flag('w', "write"),
    flag('\u{1}', "system"),
    value('r', "pattern"),
];

const ROOT: &str = "/proc/sys";

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('a') || args.has('A') || args.has('X') {
        for path in io.sys(|sys| files(sys, ROOT)).await {
            read(&io, &args, &path[ROOT.len() + 1..]).await;
        }
        return 0;
    }
    if args.has('p') || args.has('\u{1}') {
        return load(&io, &args).await;
    }
    if args.operands.is_empty() {
        return usage_error(&io, "no variables specified", 1).await;
    }
    let mut status = 0;
    for word in args.operands.clone() {
        let done = match word.split_once('=') {
            Some((key, value)) => write(&io, &args, key.trim(), value.trim()).await,
            None if args.has('w') => {
                complain(&io, &format!("\"{word}\" must be of the form name=value")).await;
                false
            }
            None => read(&io, &args, &word).await,
        };
        status |= i32::from(!done);
    }
    status
}

/// Every file below a directory.
fn files(sys: &mut Sys<'_>, dir: &str) -> Vec<Rc<str>> {
    let mut found = Vec::new();
    for entry in sys.read_dir(dir).unwrap_or_default() {
        let path = format!("{dir}/{}", entry.name);
        match entry.stat.is_dir() {
            true => found.extend(files(sys, &path)),
            false => found.push(path.into()),
        }
    }
    found
}

/// The file of a parameter: with dots, or as a path. The first separator says which.
fn path_of(key: &str) -> String {
    let slashes = key.find('/').unwrap_or(usize::MAX) < key.find('.').unwrap_or(usize::MAX);
    match slashes {
        true => key.to_owned(),
        false => key.replace('.', "/"),
    }
}

async fn read(io: &Io, args: &Args, key: &str) -> bool {
    let path = path_of(key);
    let name = path.replace('/', ".");
    let text = match io.read_to_string(&format!("{ROOT}/{path}")).await {
        Ok(text) => text,
        Err(errno) => {
            let message = match errno {
                Errno::ENOENT if args.has('e') => return true,
                Errno::ENOENT => format!("cannot stat {ROOT}/{path}: {}", errno.message()),
                _ => format!("reading key \"{name}\": {}", errno.message()),
            };
            complain(io, &message).await;
            return false;
        }
    };
    say(io, args, &name, text.trim_end_matches('\n')).await;
    true
}

async fn say(io: &Io, args: &Args, name: &str, value: &str) {
    let line = match () {
        () if args.has('N') => format!("{name}\n"),
        () if args.has('n') => format!("{value}\n"),
        () => format!("{name} = {value}\n"),
    };
    io.print(&line).await;
}

async fn write(io: &Io, args: &Args, key: &str, value: &str) -> bool {
    let path = path_of(key);
    let name = path.replace('/', ".");
    let file = format!("{ROOT}/{path}");
    let bytes = format!("{value}\n");
    let written = io.sys(move |sys| {
        sys.stat(&file)?;
        // Written as open(2) and write(2) would, without making the file.
        sys.write_file(&file, bytes.as_bytes())
    });
    match written.await {
        Ok(()) if args.has('q') => true,
        Ok(()) => {
            say(io, args, &name, value).await;
            true
        }
        Err(Errno::ENOENT) if args.has('e') => true,
        Err(Errno::ENOENT) => {
            let why = Errno::ENOENT.message();
            complain(io, &format!("cannot stat {ROOT}/{path}: {why}")).await;
            false
        }
        Err(errno) => {
            let why = errno.message();
            let verb = match errno {
                Errno::EACCES if io.sys(|sys| sys.uid()).await != 0 => "permission denied on key",
                _ => "setting key",
            };
            let message = match verb {
                "setting key" => format!("setting key \"{name}\": {why}"),
                _ => format!("{verb} \"{name}\""),
            };
            complain(io, &message).await;
            false
        }
    }
}

/// `-p` and `--system`: lines of files.
async fn load(io: &Io, args: &Args) -> i32 {
    let mut paths: Vec<Rc<str>> = args.operands.clone();
    paths.extend(args.value('p').filter(|path| !path.is_empty()).cloned());
    if args.has('\u{1}') {
        let dirs = ["/run/sysctl.d", "/etc/sysctl.d", "/usr/lib/sysctl.d"];
        paths = io
            .sys(move |sys| {
                let mut found = Vec::new();
                for dir in dirs {
                    let entries = sys.read_dir(dir).unwrap_or_default();
                    let conf = entries.iter().filter(|entry| entry.name.ends_with(".conf"));
                    found.extend(
                        conf.map(|entry| (entry.name.clone(), format!("{dir}/{}", entry.name))),
                    );
                }
                found.sort();
                let mut paths: Vec<Rc<str>> =
                    found.into_iter().map(|(_, path)| path.into()).collect();
                if sys.exists("/etc/sysctl.conf") {
                    paths.push("/etc/sysctl.conf".into());
                }
                paths
            })
            .await;
    } else if paths.is_empty() {
        paths.push("/etc/sysctl.conf".into());
    }
    let mut status = 0;
    for path in paths {
        if args.has('\u{1}') {
            io.print(&format!("* Applying {path} ...\n")).await;
        }
        let text = match io.read_to_string(&path).await {
            Ok(text) => text,
            Err(errno) => {
                complain(io, &format!("cannot open \"{path}\": {}", errno.message())).await;
                status = 1;
                continue;
            }
        };
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some((key, value)) = line.split_once('=') {
                let key = key.trim().trim_start_matches('-');
                status |= i32::from(!write(io, args, key, value.trim()).await);
            }
        }
    }
    status
}
