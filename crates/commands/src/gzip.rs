//! `gzip`, and with its options what `gunzip` and `zcat` do. Models gzip's gzip.c.

use machine::{Errno, Fd, Io};
use net::gzip::{Level, gunzip, gzip};

use crate::args::{self, Args, flag, value};
use crate::files::{is_dir, stat};
use crate::help::tool;
use crate::io::{complain, inputs, own_name, slurp, usage_error};

tool!(
    "gzip",
    "Compress or expand files",
    "gzip [OPTION]... [FILE]...",
    main,
    [
        ("echo hi | gzip -c | gzip -d", "hi\n"),
        (
            "echo hi > a; gzip a; ls; gzip -d a.gz; ls; cat a",
            "a.gz\na\nhi\n"
        ),
        ("echo hi > a; gzip -k a; ls", "a\na.gz\n"),
        (
            "echo hi > a; gzip -d a",
            "gzip: a: unknown suffix -- ignored\n"
        ),
        (
            "echo hi > a.gz; gzip -d a.gz",
            "\ngzip: a.gz: not in gzip format\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('c', "stdout"),
    flag('d', "decompress"),
    flag('f', "force"),
    flag('k', "keep"),
    flag('l', "list"),
    flag('n', "no-name"),
    flag('N', "name"),
    flag('q', "quiet"),
    flag('r', "recursive"),
    flag('t', "test"),
    flag('v', "verbose"),
    flag('1', "fast"),
    flag('2', ""),
    flag('3', ""),
    flag('4', ""),
    flag('5', ""),
    flag('6', ""),
    flag('7', ""),
    flag('8', ""),
    flag('9', "best"),
    value('S', "suffix"),
];

pub(crate) async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('l') || args.has('r') {
        complain(&io, &sim::unmodelled!("this option of gzip").to_string()).await;
        return 1;
    }
    let name = own_name(&io);
    let prints = args.has('c') || &*name == "zcat";
    let expands = args.has('d') || args.has('t') || matches!(&*name, "zcat" | "gunzip");
    let mut status = 0;
    for path in inputs(&args) {
        let done = one(&io, &path, &args, expands, prints || &*path == "-").await;
        if let Err(why) = done {
            io.eprint(&why).await;
            status = status.max(if why.contains("ignored") { 2 } else { 1 });
        }
    }
    status
}

/// Packs or unpacks a file; the error is what is printed.
async fn one(io: &Io, path: &str, args: &Args, expands: bool, prints: bool) -> Result<(), String> {
    let name = own_name(io);
    let failed = |errno: Errno| format!("{name}: {path}: {}\n", errno.message());
    if path != "-" && is_dir(io, path).await {
        return Err(format!("{name}: {path} is a directory -- ignored\n"));
    }
    let target = match prints || args.has('t') {
        true => String::new(),
        false => target(&name, path, args, expands)?,
    };
    let bytes = slurp(io, path).await.map_err(failed)?;
    let made = match expands {
        true => gunzip(&bytes).map_err(|why| match path {
            "-" => format!("\n{name}: stdin: {why}\n"),
            _ => format!("\n{name}: {path}: {why}\n"),
        })?,
        false => gzip(&bytes, Level::Usual),
    };
    if args.has('t') {
        return Ok(());
    }
    if prints {
        io.write_all(Fd::STDOUT, &made).await;
        return Ok(());
    }
    if !args.has('f') && stat(io, &target).await.is_ok() {
        return Err(format!(
            "{name}: {target} already exists;\tnot overwritten\n"
        ));
    }
    let old = stat(io, path).await.map_err(failed)?;
    io.write_file(&target, &made).await.map_err(failed)?;
    let (from, to, keep) = (path.to_owned(), target.clone(), args.has('k'));
    let moved = io.sys(move |sys| {
        sys.chmod(&to, old.mode)?;
        if keep { Ok(()) } else { sys.remove(&from) }
    });
    moved.await.map_err(failed)?;
    if args.has('v') {
        io.eprint(&format!("{path}:\t -- replaced with {target}\n"))
            .await;
    }
    Ok(())
}

/// The name of the file that is made.
fn target(name: &str, path: &str, args: &Args, expands: bool) -> Result<String, String> {
    let suffix = args.value('S').map_or(".gz", |suffix| suffix);
    match (expands, path.strip_suffix(".tgz")) {
        (false, _) if path.ends_with(suffix) => Err(format!(
            "{name}: {path} already has {suffix} suffix -- unchanged\n"
        )),
        (false, _) => Ok(format!("{path}{suffix}")),
        (true, Some(stem)) => Ok(format!("{stem}.tar")),
        (true, None) => {
            let stem = path.strip_suffix(suffix).map(str::to_owned);
            stem.ok_or_else(|| format!("{name}: {path}: unknown suffix -- ignored\n"))
        }
    }
}
