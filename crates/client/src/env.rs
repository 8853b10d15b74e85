//! What a component borrows from the process it lives in, for the length of one call: the time,
//! a random stream, and the journal. Knows nothing of processes.

use sim::{Arg, EntryId, Instant, Kind, Stream};

/// Where a component writes down what it did and why. A process hands in its machine's journal and
/// its standard error; tests hand in a list, or `Silent`.
pub trait Notes {
    /// Writes an entry that `cause` led to, and returns it.
    fn note(&mut self, cause: EntryId, kind: &'static Kind, args: &[Arg]) -> EntryId;

    /// Writes a line of the component's log. `place` is the `file.go:line` upstream writes it from.
    fn log(&mut self, severity: Severity, place: &'static str, text: &str) {
        let _ = (severity, place, text);
    }
}

/// How much a log line matters; klog starts the line with its letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// `I`
    Info,
    /// `W`
    Warning,
    /// `E`
    Error,
}

/// A log line as klog writes it, without the line's end:
/// `I0105 09:00:01.000123       1 leaderelection.go:258] "Attempting…"`.
#[must_use]
pub fn klog_line(now: Instant, severity: Severity, pid: u32, place: &str, text: &str) -> String {
    let letter = match severity {
        Severity::Info => 'I',
        Severity::Warning => 'W',
        Severity::Error => 'E',
    };
    let (c, micros) = (now.civil(), now.subsec_nanos() / 1000);
    let (month, day, hour, minute, second) = (c.month, c.day, c.hour, c.minute, c.second);
    format!(
        "{letter}{month:02}{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06} {pid:7} {place}] {text}"
    )
}

/// Notes that nobody reads: an entry is its own cause.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Notes for Silent {
    fn note(&mut self, cause: EntryId, _kind: &'static Kind, _args: &[Arg]) -> EntryId {
        cause
    }
}

/// The borrowed context of a call into a component.
pub struct Env<'a> {
    /// The time of this call.
    pub now: Instant,
    /// What led to this call: the packet that arrived, the timer that ran out.
    pub cause: EntryId,
    /// The machine's random stream.
    pub random: &'a mut Stream,
    /// The machine's journal.
    pub journal: &'a mut dyn Notes,
}

impl Env<'_> {
    /// Writes an entry into the journal; it becomes the cause of what follows in this call.
    pub fn note(&mut self, kind: &'static Kind, args: &[Arg]) -> EntryId {
        self.cause = self.journal.note(self.cause, kind, args);
        self.cause
    }

    /// Writes a line of the component's log.
    pub fn log(&mut self, severity: Severity, place: &'static str, text: &str) {
        self.journal.log(severity, place, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn klog() {
        let now = Instant::from_nanos(1_000_123_000);
        assert_eq!(
            klog_line(
                now,
                Severity::Error,
                1,
                "reflector.go:200",
                "Failed to watch"
            ),
            "E0105 09:00:01.000123       1 reflector.go:200] Failed to watch"
        );
    }
}
