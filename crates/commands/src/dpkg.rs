//! `dpkg`: the packages that are installed. Models dpkg 1.22's src/main and src/query.
//!
//! Installing from a file is not modelled: `apt-get` does.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::complain;
use crate::packages::database::{self, Installed};
use crate::packages::paragraph::Paragraph;

tool!(
    "dpkg",
    "Query the packages that are installed",
    "dpkg [<option>...] <command>",
    main,
    [(
        "dpkg -l nosuch",
        "dpkg-query: no packages found matching nosuch\n"
    )]
);

const FLAGS: &[args::Flag] = &[
    flag('l', "list"),
    flag('s', "status"),
    flag('\u{1}', "print-architecture"),
];

/// The least width of names, of versions, of architectures, and what is left of a line of 80.
const WIDTHS: (usize, usize, usize, usize) = (14, 12, 12, 33);

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => {
            complain(&io, &format!("error: {message}")).await;
            return 2;
        }
    };
    let all = database::read(&io).await;
    let names: Vec<&str> = args.operands.iter().map(|name| &**name).collect();
    if args.has('\u{1}') {
        io.print("amd64\n").await;
        return 0;
    }
    let matches = |package: &&Installed| {
        let meant = |name: &&str| match name.strip_suffix('*') {
            Some(head) => package.name().starts_with(head),
            None => package.name() == *name,
        };
        names.is_empty() || names.iter().any(meant)
    };
    let found: Vec<&Installed> = all.iter().filter(matches).collect();
    if args.has('l') {
        if found.is_empty() {
            let text = format!(
                "dpkg-query: no packages found matching {}\n",
                names.join(" ")
            );
            io.eprint(&text).await;
            return 1;
        }
        io.print(&list(&found)).await;
        return 0;
    }
    if args.has('s') {
        let Some(package) = found.first().filter(|_| !names.is_empty()) else {
            let name = names.first().unwrap_or(&"");
            let text = format!(
                "dpkg-query: package '{name}' is not installed and no information is available\n"
            );
            io.eprint(&text).await;
            return 1;
        };
        io.print(&Paragraph::write_all(std::slice::from_ref(&package.0)))
            .await;
        return 0;
    }
    let note = sim::unmodelled!("dpkg beyond -l, -s and --print-architecture");
    io.eprint(&format!("{note}\n")).await;
    2
}

fn list(found: &[&Installed]) -> String {
    let widest = |of: fn(&Installed) -> &str| found.iter().map(|p| of(p).len()).max().unwrap_or(0);
    let name = widest(Installed::name).max(WIDTHS.0);
    let version = widest(Installed::version).max(WIDTHS.1);
    let rest = WIDTHS.3;
    let mut text = format!(
        "Desired=Unknown/Install/Remove/Purge/Hold\n\
         | Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n\
         |/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n\
         ||/ {:name$} {:version$} {:12} Description\n\
         +++-{}-{}-{}-{}\n",
        "Name",
        "Version",
        "Architecture",
        "=".repeat(name),
        "=".repeat(version),
        "=".repeat(WIDTHS.2),
        "=".repeat(rest),
    );
    for package in found {
        let wish = if package.is_held() { "hi" } else { "ii" };
        let about = package
            .0
            .get("Description")
            .lines()
            .next()
            .unwrap_or_default();
        let about: String = about.chars().take(rest).collect();
        text.push_str(&format!(
            "{wish}  {:name$} {:version$} {:12} {about}\n",
            package.name(),
            package.version(),
            "amd64"
        ));
    }
    text
}
