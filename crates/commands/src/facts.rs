//! Facts of the machine that several tools tell.

use machine::Io;
use sim::Instant;

use crate::calendar::strftime;
use crate::usage;

/// What `free`, `uptime` and `top` know.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// The time.
    pub(crate) now: Instant,
    /// Seconds since it was switched on.
    pub(crate) up: u64,
    /// Bytes of memory.
    pub(crate) memory: u64,
    /// Bytes taken.
    pub(crate) used: u64,
    /// Terminals in use.
    pub(crate) users: usize,
}

/// Looks at the machine.
pub(crate) async fn facts(io: &Io) -> Facts {
    io.sys(|sys| {
        let host = sys.host();
        let mut terminals: Vec<_> = host.processes().filter_map(|process| process.tty).collect();
        terminals.sort();
        terminals.dedup();
        Facts {
            now: sys.now(),
            up: sys.now().since(host.booted).as_secs(),
            memory: host.spec.memory,
            used: (usage::memory(sys) << 10).min(host.spec.memory),
            users: terminals.len(),
        }
    })
    .await
}

/// ` 09:00:05 up 5 min,  1 user,  load average: 0.00, 0.00, 0.00`
pub(crate) fn uptime_line(facts: &Facts) -> String {
    let (days, hours, minutes) = (facts.up / 86_400, facts.up / 3600 % 24, facts.up / 60 % 60);
    let mut up = String::new();
    if days > 0 {
        up.push_str(&format!("{days} day{}, ", if days == 1 { "" } else { "s" }));
    }
    up.push_str(&match hours {
        0 => format!("{minutes} min"),
        hours => format!("{hours:2}:{minutes:02}"),
    });
    let users = match facts.users {
        1 => "1 user".to_owned(),
        count => format!("{count} users"),
    };
    let time = strftime("%H:%M:%S", facts.now);
    format!("{time} up {up},  {users},  load average: 0.00, 0.00, 0.00")
}

/// Whether the tools here are those of BusyBox.
pub(crate) async fn busybox(io: &Io) -> bool {
    io.sys(|sys| sys.exists("/bin/busybox")).await
}
