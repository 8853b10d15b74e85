//! Points of time as the tools of a machine print them, in UTC; spans as systemd does.

use shell::date;
use sim::{Duration, Instant};

/// In a format of `strftime(3)`.
pub(crate) fn strftime(format: &str, at: Instant) -> String {
    date::format(format, at.unix_secs(), at.subsec_nanos())
}

/// `Mon Jan  5 09:00:00 2026`.
pub(crate) fn ctime(at: Instant) -> String {
    strftime("%a %b %e %H:%M:%S %Y", at)
}

/// `Mon 2026-01-05 09:00:00 UTC`.
pub(crate) fn systemd(at: Instant) -> String {
    strftime("%a %Y-%m-%d %H:%M:%S UTC", at)
}

/// `3min 5s`: the two largest units, as systemd shows how long something took or ran.
pub(crate) fn span(span: Duration) -> String {
    let millis = span.as_millis();
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let seconds = span.as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, unit) in units {
        if rest >= length && parts.len() < 3 {
            parts.push(format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if seconds < 60 && !millis.is_multiple_of(1000) {
        return format!("{}.{:03}s", seconds, millis % 1000);
    }
    parts.join(" ")
}

/// How long ago something was, as systemd says it: `5min ago`, `1h 2min ago`.
pub(crate) fn ago(span: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = span.as_secs();
    let text = match seconds {
        0 if span.as_millis() == 0 => return "now".to_owned(),
        0 => format!("{}ms", span.as_millis()),
        1..MINUTE => format!("{seconds}s"),
        _ if seconds < 5 * MINUTE => format!("{}min {}s", seconds / MINUTE, seconds % MINUTE),
        _ if seconds < HOUR => format!("{}min", seconds / MINUTE),
        _ if seconds < 6 * HOUR => format!("{}h {}min", seconds / HOUR, seconds % HOUR / MINUTE),
        _ if seconds < 25 * HOUR => format!("{}h", seconds / HOUR),
        _ if seconds < 2 * DAY => format!("1 day {}h", (seconds - DAY) / HOUR),
        _ => format!("{} days", seconds / DAY),
    };
    format!("{text} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans() {
        let at = Instant::ZERO + Duration::from_secs(65);
        assert_eq!(ctime(at), "Mon Jan  5 09:01:05 2026");
        assert_eq!(systemd(at), "Mon 2026-01-05 09:01:05 UTC");
        let said = |secs| ago(Duration::from_secs(secs));
        assert_eq!(
            [said(5), said(60), said(605)],
            ["5s ago", "1min 0s ago", "10min ago"]
        );
        assert_eq!([said(3720), said(90_000)], ["1h 2min ago", "1 day 1h ago"]);
        assert_eq!(span(Duration::from_millis(1250)), "1.250s");
        assert_eq!(span(Duration::from_secs(303)), "5min 3s");
    }
}
