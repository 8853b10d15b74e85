//! `dmesg`: what the kernel said. Models util-linux sys-utils/dmesg.c: the lines of the machine's log
//! that the kernel wrote.

use machine::Io;

use crate::args::{self, flag, value};
use crate::calendar::strftime;
use crate::help::tool;
use crate::io::usage_error;

tool!(
    "dmesg",
    "Print the messages of the kernel",
    "dmesg [OPTION]...",
    main,
    [("dmesg", "")]
);

const FLAGS: &[args::Flag] = &[
    flag('T', "ctime"),
    flag('H', "human"),
    flag('w', "follow"),
    flag('t', "notime"),
    flag('k', "kernel"),
    flag('P', "nopager"),
    flag('x', "decode"),
    value('l', "level"),
    value('\u{1}', "color"),
    value('f', "facility"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('w') {
        let what = sim::unmodelled!("following the kernel's messages");
        crate::io::complain(&io, &what.to_string()).await;
        return 1;
    }
    let (booted, lines) = io
        .sys(|sys| {
            let of_kernel = sys.host().log().filter(|line| &*line.name == "kernel");
            let lines: Vec<_> = of_kernel.cloned().collect();
            (sys.host().booted, lines)
        })
        .await;
    let mut text = String::new();
    for line in lines {
        let stamp = match () {
            () if args.has('t') => String::new(),
            () if args.has('T') => format!("[{}] ", strftime("%a %b %e %H:%M:%S %Y", line.at)),
            () => {
                let up = line.at.since(booted);
                format!("[{:>5}.{:06}] ", up.as_secs(), up.subsec_millis() * 1000)
            }
        };
        text.push_str(&format!("{stamp}{}\n", line.text));
    }
    io.print(&text).await;
    0
}
