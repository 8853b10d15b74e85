//! `lsblk`: the machine's disk and its partition. Models util-linux misc-utils/lsblk.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, human, usage_error};

tool!(
    "lsblk",
    "List block devices",
    "lsblk [OPTION]...",
    main,
    [(
        "lsblk | awk '{print $1, $6, $7}'",
        "NAME TYPE MOUNTPOINTS\nvda disk \n└─vda1 part /\n"
    )]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('b', "bytes"),
    flag('f', "fs"),
    flag('n', "noheadings"),
    value('o', "output"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('o') {
        complain(&io, &sim::unmodelled!("columns of lsblk").to_string()).await;
        return 1;
    }
    let disk = io.sys(|sys| sys.host().spec.disk).await;
    let shown = |bytes: u64| match args.has('b') {
        true => bytes.to_string(),
        false => human(bytes).replace(".0", ""),
    };
    let part = disk.saturating_sub(1 << 20);
    let rows: Vec<[String; 3]> = match args.has('f') {
        true => vec![
            [
                "NAME".into(),
                "FSTYPE FSVER LABEL".into(),
                "MOUNTPOINTS".into(),
            ],
            ["vda".into(), String::new(), String::new()],
            ["└─vda1".into(), "ext4   1.0".into(), "/".into()],
        ],
        false => {
            let width = shown(disk).len().max(4);
            let row = |size: &str, kind: &str| {
                format!("{:>7} {:>2} {size:>width$} {:>2} {kind}", "252:0", "0", "0")
            };
            vec![
                [
                    "NAME".into(),
                    format!("MAJ:MIN RM {:>width$} RO TYPE", "SIZE"),
                    "MOUNTPOINTS".into(),
                ],
                ["vda".into(), row(&shown(disk), "disk"), String::new()],
                [
                    "└─vda1".into(),
                    row(&shown(part), "part").replace("252:0", "252:1"),
                    "/".into(),
                ],
            ]
        }
    };
    let skip = usize::from(args.has('n'));
    let line = |[name, middle, mount]: &[String; 3]| {
        let text = format!("{name:<7}{middle:<18} {mount}");
        format!("{}\n", text.trim_end())
    };
    let text: String = rows.iter().skip(skip).map(line).collect();
    io.print(&text).await;
    0
}
