//! `lsmod`: the modules of the kernel that are loaded. Models kmod's tools/lsmod.c.

use machine::Io;

use crate::help::tool;
use crate::modprobe::MODULES;

tool!(
    "lsmod",
    "Show the modules of the kernel",
    "lsmod",
    main,
    [(
        "lsmod | grep br_netfilter",
        "br_netfilter           32768  0\nbridge                421888  1 br_netfilter\n"
    )]
);

async fn main(io: Io) -> i32 {
    let mut text = String::from("Module                  Size  Used by\n");
    for (name, size, users) in MODULES {
        let count = users.split(',').filter(|user| !user.is_empty()).count();
        let users = if users.is_empty() {
            String::new()
        } else {
            format!(" {users}")
        };
        text.push_str(&format!("{name:<19} {size:>8}  {count}{users}\n"));
    }
    io.print(&text).await;
    0
}
