//! `lscpu`: the machine's processors. Models util-linux sys-utils/lscpu.c.

use machine::Io;

use crate::help::tool;

tool!(
    "lscpu",
    "Display information about the CPU architecture",
    "lscpu",
    main,
    [("lscpu | grep '^CPU(s)'", "CPU(s):                  4\n")]
);

async fn main(io: Io) -> i32 {
    let cpus = io.sys(|sys| sys.host().spec.cpus).await;
    let last = cpus.saturating_sub(1);
    let rows = [
        ("Architecture:", "x86_64".to_owned()),
        ("  CPU op-mode(s):", "32-bit, 64-bit".to_owned()),
        ("  Byte Order:", "Little Endian".to_owned()),
        ("CPU(s):", cpus.to_string()),
        ("  On-line CPU(s) list:", format!("0-{last}")),
        ("Vendor ID:", "GenuineIntel".to_owned()),
        ("  Model name:", "Virtual CPU".to_owned()),
        ("    CPU family:", "6".to_owned()),
        ("    Thread(s) per core:", "1".to_owned()),
        ("    Core(s) per socket:", cpus.to_string()),
        ("    Socket(s):", "1".to_owned()),
        ("Virtualization features:", String::new()),
        ("  Hypervisor vendor:", "KVM".to_owned()),
        ("  Virtualization type:", "full".to_owned()),
    ];
    let line = |(title, value): &(&str, String)| {
        format!("{}\n", format!("{title:<24} {value}").trim_end())
    };
    let text: String = rows.iter().map(line).collect();
    io.print(&text).await;
    0
}
