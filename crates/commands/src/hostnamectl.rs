//! `hostnamectl`: what a machine is called and is. Models systemd 255's src/hostname/hostnamectl.c.

use machine::Io;

use crate::help::tool;

tool!(
    "hostnamectl",
    "Control the system hostname",
    "hostnamectl [COMMAND]",
    main,
    [
        ("hostnamectl hostname", "testbox\n"),
        (
            "hostnamectl | grep Kernel",
            "          Kernel: Linux 6.8.0-111-generic\n"
        ),
        ("hostnamectl nope", "Unknown command verb nope.\n"),
    ]
);

async fn main(io: Io) -> i32 {
    let words: Vec<_> = io
        .args()
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .cloned()
        .collect();
    let command = words.first().map_or("status", |word| word);
    let name = io.sys(|sys| sys.hostname()).await;
    match (command, words.get(1)) {
        ("status", _) => {}
        ("hostname", None) => {
            io.print(&format!("{name}\n")).await;
            return 0;
        }
        ("hostname" | "set-hostname", Some(new)) => {
            if **new == *name {
                return 0;
            }
            let why = sim::unmodelled!("another name for a machine");
            io.eprint(&format!("Could not set static hostname: {why}\n"))
                .await;
            return 1;
        }
        _ => {
            io.eprint(&format!("Unknown command verb {command}.\n"))
                .await;
            return 1;
        }
    }
    let facts = io.sys(|sys| {
        let spec = &sys.host().spec;
        (
            spec.kernel.clone(),
            spec.os_image.clone(),
            sys.host().boot_id.clone(),
        )
    });
    let (kernel, system, boot) = facts.await;
    let id = io
        .read_to_string("/etc/machine-id")
        .await
        .unwrap_or_default();
    let rows = [
        ("Static hostname", name.to_string()),
        ("Icon name", "computer-vm".to_owned()),
        ("Chassis", "vm".to_owned()),
        ("Machine ID", id.trim().to_owned()),
        ("Boot ID", boot.replace('-', "")),
        ("Virtualization", "kvm".to_owned()),
        ("Operating System", system.to_string()),
        ("Kernel", format!("Linux {kernel}")),
        ("Architecture", "x86-64".to_owned()),
    ];
    let told = rows.iter().filter(|(_, value)| !value.is_empty());
    let text: String = told
        .map(|(title, value)| format!("{title:>16}: {value}\n"))
        .collect();
    io.print(&text).await;
    0
}
