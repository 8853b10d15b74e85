//! `pidof`. Models procps.

use machine::Io;

use crate::help::tool;
use crate::process;

tool!(
    "pidof",
    "Find the process ids of a running program",
    "pidof [program...]",
    main,
    [
        ("pidof nosuch; echo $?", "1\n"),
        (
            "sleep 9 & [ \"$(pidof sleep)\" = $! ] && echo same",
            "same\n"
        ),
    ]
);

async fn main(io: Io) -> i32 {
    let (rows, _) = process::all(&io).await;
    let wanted = &io.args()[1..];
    let found: Vec<String> = rows
        .iter()
        .rev()
        .filter(|row| {
            wanted
                .iter()
                .any(|name| **name == *row.name() || row.args.first() == Some(name))
        })
        .map(|row| row.pid.to_string())
        .collect();
    if found.is_empty() {
        return 1;
    }
    io.print(&format!("{}\n", found.join(" "))).await;
    0
}
