//! `timedatectl`: the clock and its zone, which here is UTC. Models systemd 255's
//! src/timedate/timedatectl.c.

use machine::Io;

use crate::calendar::strftime;
use crate::help::tool;

tool!(
    "timedatectl",
    "Query and change system time and date settings",
    "timedatectl [COMMAND]",
    main,
    [
        (
            "timedatectl | grep zone",
            "                Time zone: Etc/UTC (UTC, +0000)\n"
        ),
        ("timedatectl nope", "Unknown command verb nope.\n"),
    ]
);

async fn main(io: Io) -> i32 {
    let words = io
        .args()
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with('-'));
    let command = words.clone().next().map_or("status", |word| &**word);
    match command {
        "status" => {}
        "list-timezones" => {
            io.print("Etc/UTC\n").await;
            return 0;
        }
        "set-timezone" | "set-time" | "set-ntp" | "set-local-rtc" => {
            let why = sim::unmodelled!("changes of the clock");
            io.eprint(&format!("Failed to set time: {why}\n")).await;
            return 1;
        }
        _ => {
            io.eprint(&format!("Unknown command verb {command}.\n"))
                .await;
            return 1;
        }
    }
    let now = strftime("%a %Y-%m-%d %H:%M:%S", io.now().await);
    let rows = [
        ("Local time", format!("{now} UTC")),
        ("Universal time", format!("{now} UTC")),
        ("RTC time", now.clone()),
        ("Time zone", "Etc/UTC (UTC, +0000)".to_owned()),
        ("System clock synchronized", "yes".to_owned()),
        ("NTP service", "active".to_owned()),
        ("RTC in local TZ", "no".to_owned()),
    ];
    let text: String = rows
        .iter()
        .map(|(title, value)| format!("{title:>25}: {value}\n"))
        .collect();
    io.print(&text).await;
    0
}
