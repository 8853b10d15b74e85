//! `lsb_release`: the distribution. Models lsb-release-minimal, which reads `/etc/os-release`.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::usage_error;

tool!(
    "lsb_release",
    "Print information about the distribution",
    "lsb_release [-idrcas]",
    main,
    [(
        "printf 'ID=ubuntu\\nVERSION_CODENAME=noble\\n' > /etc/os-release; lsb_release -cs; lsb_release -i",
        "noble\nDistributor ID:\tUbuntu\n"
    )]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('i', "id"),
    flag('d', "description"),
    flag('r', "release"),
    flag('c', "codename"),
    flag('s', "short"),
    flag('v', "version"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let text = io
        .read_to_string("/etc/os-release")
        .await
        .unwrap_or_default();
    let field = |name: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        let found = pairs.find(|(own, _)| *own == name);
        found
            .map_or("n/a", |(_, value)| value.trim_matches('"'))
            .to_owned()
    };
    let id = field("ID");
    let id = match id.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}", first.to_uppercase()),
        None => id,
    };
    let rows = [
        ('i', "Distributor ID", id),
        ('d', "Description", field("PRETTY_NAME")),
        ('r', "Release", field("VERSION_ID")),
        ('c', "Codename", field("VERSION_CODENAME")),
    ];
    if args.has('a') || args.options.is_empty() {
        io.eprint("No LSB modules are available.\n").await;
    }
    let shown = rows
        .iter()
        .filter(|(letter, ..)| args.has('a') || args.has(*letter));
    let text: String = shown
        .map(|(_, title, value)| match args.has('s') {
            true => format!("{value}\n"),
            false => format!("{title}:\t{value}\n"),
        })
        .collect();
    io.print(&text).await;
    0
}
