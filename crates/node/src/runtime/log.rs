//! The log files of containers: one line per line written, with time and stream. Formats and reads
//! them; who writes and who asks is elsewhere.
//! Models containerd's internal/cri/io/logger.go and kubelet/kuberuntime/logs.

use std::rc::Rc;

use sim::Instant;

/// Longest line kept whole; longer ones are split into partial ones.
const MAX_LINE: usize = 16 * 1024;

/// Which stream a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }
}

/// Cuts one stream's bytes into lines; keeps what has no end yet.
#[derive(Clone, Debug)]
pub struct Lines {
    stream: Stream,
    rest: Vec<u8>,
}

impl Lines {
    /// For bytes of `stream`.
    pub fn new(stream: Stream) -> Lines {
        Lines {
            stream,
            rest: Vec::new(),
        }
    }

    /// Takes bytes; returns the log's text for the lines they complete.
    pub fn push(&mut self, now: Instant, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(line) if self.rest.is_empty() => entry(&mut out, now, self.stream, line),
                Some(line) => {
                    self.rest.extend_from_slice(line);
                    let rest = std::mem::take(&mut self.rest);
                    entry(&mut out, now, self.stream, &rest);
                }
                None => self.rest.extend_from_slice(piece),
            }
        }
        out
    }

    /// The stream has ended: what is left becomes a line.
    pub fn finish(&mut self, now: Instant) -> Vec<u8> {
        let rest = std::mem::take(&mut self.rest);
        let mut out = Vec::new();
        if !rest.is_empty() {
            entry(&mut out, now, self.stream, &rest);
        }
        out
    }
}

fn entry(out: &mut Vec<u8>, now: Instant, stream: Stream, line: &[u8]) {
    let mut chunks = line.chunks(MAX_LINE).peekable();
    loop {
        let chunk = chunks.next().unwrap_or_default();
        let more = chunks.peek().is_some();
        out.extend_from_slice(now.rfc3339_nano().as_bytes());
        out.push(b' ');
        out.extend_from_slice(stream.name().as_bytes());
        out.extend_from_slice(if more { b" P " } else { b" F " });
        out.extend_from_slice(chunk);
        out.push(b'\n');
        if !more {
            return;
        }
    }
}

/// An entry of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// As written.
    pub time: &'a str,
    /// Which stream it went to.
    pub stream: Stream,
    /// Whether the line goes on in the next entry.
    pub partial: bool,
    /// The text, without newline.
    pub text: &'a [u8],
}

/// Reads one line of a log file; none if it is malformed.
pub fn parse(line: &[u8]) -> Option<Entry<'_>> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let time = std::str::from_utf8(fields.next()?).ok()?;
    let stream = match fields.next()? {
        b"stdout" => Stream::Stdout,
        b"stderr" => Stream::Stderr,
        _ => return None,
    };
    let partial = fields.next()? == b"P";
    Some(Entry {
        time,
        stream,
        partial,
        text: fields.next()?,
    })
}

/// What `kubectl logs` may ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Only so many lines from the end.
    pub tail_lines: Option<u64>,
    /// Only what was written at or after this.
    pub since: Option<Instant>,
    /// Put the time in front of each line.
    pub timestamps: bool,
    /// At most so many bytes.
    pub limit_bytes: Option<u64>,
}

/// The text of a log file's contents as asked for. `limit_bytes` is counted down, so that a
/// follower can go on with the same options.
pub fn render(contents: &[u8], options: &mut LogOptions) -> Vec<u8> {
    let mut lines: Vec<Entry<'_>> = contents
        .split(|byte| *byte == b'\n')
        .filter_map(parse)
        .filter(|entry| {
            let at = || Instant::parse_rfc3339(entry.time);
            options
                .since
                .is_none_or(|since| at().is_some_and(|at| at >= since))
        })
        .collect();
    if let Some(tail) = options.tail_lines.take() {
        let mut whole = 0;
        let start = lines.iter().rposition(|entry| {
            whole += u64::from(!entry.partial);
            whole > tail
        });
        lines.drain(..start.map_or(0, |at| at + 1));
    }
    let mut out = Vec::new();
    let mut fresh = true;
    for entry in lines {
        if options.timestamps && fresh {
            out.extend_from_slice(entry.time.as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(entry.text);
        fresh = !entry.partial;
        if fresh {
            out.push(b'\n');
        }
    }
    if let Some(limit) = &mut options.limit_bytes {
        out.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
        *limit -= out.len() as u64;
    }
    out
}

/// `/var/log/pods/<namespace>_<pod>_<uid>`.
pub fn directory(namespace: &str, pod: &str, uid: &str) -> Rc<str> {
    format!("/var/log/pods/{namespace}_{pod}_{uid}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut lines = Lines::new(Stream::Stdout);
        let mut out = Vec::new();
        for (second, text) in [(1, "one\ntw"), (2, "o\n"), (3, "three\nfour")] {
            out.extend(lines.push(Instant::from_nanos(second * 1_000_000_000), text.as_bytes()));
        }
        out.extend(lines.finish(Instant::from_nanos(4_000_000_000)));
        out
    }

    #[test]
    fn lines_are_stamped_when_they_end() {
        assert_eq!(
            String::from_utf8(file()).unwrap(),
            "2026-01-05T09:00:01.000000000Z stdout F one\n\
             2026-01-05T09:00:02.000000000Z stdout F two\n\
             2026-01-05T09:00:03.000000000Z stdout F three\n\
             2026-01-05T09:00:04.000000000Z stdout F four\n"
        );
    }

    #[track_caller]
    fn check(options: LogOptions, expect: &str) {
        let text = render(&file(), &mut options.clone());
        assert_eq!(String::from_utf8(text).unwrap(), expect);
    }

    #[test]
    fn logs_are_cut_as_asked() {
        check(LogOptions::default(), "one\ntwo\nthree\nfour\n");
        check(
            LogOptions {
                tail_lines: Some(1),
                ..LogOptions::default()
            },
            "four\n",
        );
        check(
            LogOptions {
                tail_lines: Some(0),
                ..LogOptions::default()
            },
            "",
        );
        check(
            LogOptions {
                tail_lines: Some(9),
                ..LogOptions::default()
            },
            "one\ntwo\nthree\nfour\n",
        );
        check(
            LogOptions {
                limit_bytes: Some(5),
                ..LogOptions::default()
            },
            "one\nt",
        );
        let since = Some(Instant::from_nanos(3_000_000_000));
        check(
            LogOptions {
                since,
                ..LogOptions::default()
            },
            "three\nfour\n",
        );
        check(
            LogOptions {
                timestamps: true,
                tail_lines: Some(1),
                ..LogOptions::default()
            },
            "2026-01-05T09:00:04.000000000Z four\n",
        );
    }

    #[test]
    fn long_lines_are_split_and_joined_again() {
        let long = "x".repeat(MAX_LINE + 10);
        let mut lines = Lines::new(Stream::Stderr);
        let file = lines.push(Instant::ZERO, format!("{long}\n").as_bytes());
        assert_eq!(
            file.split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .count(),
            2
        );
        let text = render(&file, &mut LogOptions::default());
        assert_eq!(text.len(), long.len() + 1);
    }
}
