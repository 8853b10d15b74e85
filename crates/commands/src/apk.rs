//! `apk`: packages of Alpine Linux. Models apk-tools 3.0 for those packages that bring tools.

use machine::Io;
use sim::Duration;

use crate::help::tool;
use crate::packages::distribution;

tool!(
    "apk",
    "Install packages of Alpine Linux",
    "apk [--no-cache] [--update] add|del|update|upgrade|info [PACKAGE...]",
    main,
    [(
        "apk frobnicate",
        "ERROR: 'frobnicate' is not an apk command. See 'apk --help'.\n"
    )]
);

const MIRROR: &str = "https://dl-cdn.alpinelinux.org/alpine/v3.23";

async fn main(io: Io) -> i32 {
    let words = io.args()[1..].to_vec();
    let mut operands = words.iter().filter(|word| !word.starts_with('-'));
    let command = operands.next().cloned().unwrap_or_else(|| "".into());
    let names: Vec<_> = operands.cloned().collect();
    match &*command {
        "update" => {
            fetch(&io).await;
            io.print("OK: 27577 distinct packages available\n").await;
            0
        }
        "add" => add(&io, &names).await,
        "upgrade" => {
            fetch(&io).await;
            io.print("OK: 9 MiB in 16 packages\n").await;
            0
        }
        "del" | "info" | "search" | "fix" => {
            let note = sim::unmodelled!("apk beyond add, update and upgrade");
            io.eprint(&format!("{note}: {command}\n")).await;
            1
        }
        "" => {
            io.print("apk-tools 3.0.1, compiled for x86_64.\n").await;
            1
        }
        other => {
            let text = format!("ERROR: '{other}' is not an apk command. See 'apk --help'.\n");
            io.eprint(&text).await;
            1
        }
    }
}

async fn fetch(io: &Io) {
    io.sleep(Duration::from_secs(1)).await;
    let text = ["main", "community"]
        .map(|part| format!("fetch {MIRROR}/{part}/x86_64/APKINDEX.tar.gz\n"))
        .concat();
    io.print(&text).await;
}

async fn add(io: &Io, names: &[std::rc::Rc<str>]) -> i32 {
    fetch(io).await;
    let found: Vec<_> = names
        .iter()
        .map(|name| (name, distribution::find(name)))
        .collect();
    if found.iter().any(|(_, package)| package.is_none()) {
        let mut text = String::from("ERROR: unable to select packages:\n");
        for (name, _) in found.iter().filter(|(_, package)| package.is_none()) {
            text.push_str(&format!(
                "  {name} (no such package):\n    required by: world[{name}]\n"
            ));
        }
        let note = sim::unmodelled!("most packages of distributions");
        io.eprint(&format!("{text}{note}\n")).await;
        return 1;
    }
    for (number, (name, package)) in (1..).zip(&found) {
        let Some(package) = package else { continue };
        io.sleep(Duration::from_millis(300)).await;
        io.print(&format!(
            "({number}/{}) Installing {name} ({}-r0)\n",
            found.len(),
            package.version
        ))
        .await;
        if let Err(why) = distribution::unpack(io, package).await {
            io.eprint(&format!("ERROR: {name}: {why}\n")).await;
            return 1;
        }
    }
    io.print(&format!(
        "Executing busybox-1.37.0-r30.trigger\nOK: {} MiB in {} packages\n",
        9 + 2 * found.len(),
        16 + found.len()
    ))
    .await;
    0
}
