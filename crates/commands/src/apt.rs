//! `apt`: apt-get and apt-cache for people. Models apt 2.8's cmdline/apt.cc.

use machine::Io;

use crate::apt_get;
use crate::args::{self, Args};
use crate::help::tool;
use crate::packages::install::upgradable;
use crate::packages::{FAILED, database, index, warn_scripts};

tool!(
    "apt",
    "Install, upgrade and look for packages",
    "apt [options] command [pkg...]",
    main,
    []
);

async fn main(io: Io) -> i32 {
    let args = match args::parse(apt_get::FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => {
            io.eprint(&format!("E: {message}\n")).await;
            return FAILED;
        }
    };
    warn_scripts(&io).await;
    match args.operands.first().map(|word| &**word) {
        Some("list") => list(&io, &args).await,
        Some("policy" | "show" | "madison") => {
            let words: Vec<&str> = args.operands.iter().map(|word| &**word).collect();
            crate::apt_cache::run(&io, &words).await
        }
        Some("update") => {
            let code = apt_get::run(&io, &args).await;
            if code == 0 {
                io.print(&tally(&io).await).await;
            }
            code
        }
        _ => apt_get::run(&io, &args).await,
    }
}

/// How many packages could be upgraded.
async fn tally(io: &Io) -> String {
    let count = upgradable(&database::read(io).await, &index::offers(io).await).len();
    let head = "Building dependency tree... Done\nReading state information... Done\n";
    head.to_owned()
        + &match count {
            0 => "All packages are up to date.\n".to_owned(),
            1 => "1 package can be upgraded. Run 'apt list --upgradable' to see it.\n".to_owned(),
            n => {
                format!("{n} packages can be upgraded. Run 'apt list --upgradable' to see them.\n")
            }
        }
}

async fn list(io: &Io, args: &Args) -> i32 {
    let installed = database::read(io).await;
    let offers = index::offers(io).await;
    let wanted =
        |name: &str| args.operands.len() < 2 || args.operands[1..].iter().any(|w| &**w == name);
    let mut text = "Listing...\n".to_owned();
    let newer = upgradable(&installed, &offers);
    if args.has('\u{8}') {
        for (old, new) in newer.iter().filter(|(old, _)| wanted(old.name())) {
            text.push_str(&format!(
                "{}/unknown {} amd64 [upgradable from: {}]\n",
                old.name(),
                new.version(),
                old.version()
            ));
        }
        io.print(&text).await;
        return 0;
    }
    for package in installed.iter().filter(|package| wanted(package.name())) {
        let newer = newer.iter().find(|(old, _)| old.name() == package.name());
        let state = match newer {
            Some((_, new)) => format!("[installed,upgradable to: {}]", new.version()),
            None => "[installed]".to_owned(),
        };
        let (name, version) = (package.name(), package.version());
        let suite = if name.starts_with("kube") {
            "unknown"
        } else {
            "noble-updates"
        };
        text.push_str(&format!("{name}/{suite},now {version} amd64 {state}\n"));
    }
    io.print(&text).await;
    0
}
