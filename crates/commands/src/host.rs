//! Facts of the machine that several tools tell.

use machine::Io;

/// What `free`, `uptime` and `top` know.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// Seconds since it was switched on.
    pub(crate) up: u64,
    /// Bytes of memory.
    pub(crate) memory: u64,
    /// Bytes taken, by a rough measure: so much a process.
    pub(crate) used: u64,
    /// Terminals in use.
    pub(crate) users: usize,
}

/// Memory counted for each process, and for the kernel.
const PER_PROCESS: u64 = 12 << 20;
const KERNEL: u64 = 320 << 20;

/// Looks at the machine.
pub(crate) async fn facts(io: &Io) -> Facts {
    io.sys(|sys| {
        let host = sys.host();
        let processes = host.processes().count() as u64;
        let mut terminals: Vec<_> = host.processes().filter_map(|process| process.tty).collect();
        terminals.sort();
        terminals.dedup();
        Facts {
            now: sys.now().unix_secs(),
            up: sys.now().since(host.booted).as_secs(),
            memory: host.spec.memory,
            used: (KERNEL + processes * PER_PROCESS).min(host.spec.memory),
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
    let time = shell::date::format("%H:%M:%S", facts.now, 0);
    format!("{time} up {up},  {users},  load average: 0.00, 0.00, 0.00")
}
