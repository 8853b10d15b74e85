//! What many tools do with their `Io`: read operands as files, read lines as they come, complain.

use std::rc::Rc;

use machine::{Errno, Fd, Io, OpenMode};

use crate::args::Args;

/// Says `name: message` on the standard error.
pub(crate) async fn complain(io: &Io, message: &str) {
    let name = own_name(io);
    io.eprint(&format!("{name}: {message}\n")).await;
}

/// The name a tool was called by, without its directory.
pub(crate) fn own_name(io: &Io) -> Rc<str> {
    let first = io.args().first().cloned().unwrap_or_default();
    match first.rfind('/') {
        Some(at) => first[at + 1..].into(),
        None => first,
    }
}

/// Says what is wrong with the command line, as coreutils does; gives `code`.
pub(crate) async fn usage_error(io: &Io, message: &str, code: i32) -> i32 {
    let name = own_name(io);
    let help = format!("Try '{name} --help' for more information.\n");
    io.eprint(&format!("{name}: {message}\n{help}")).await;
    code
}

/// Says that an operand is missing.
pub(crate) async fn missing_operand(io: &Io, code: i32) -> i32 {
    usage_error(io, "missing operand", code).await
}

/// Asks on the terminal: the line that comes back, without blanks around it and in small letters;
/// `None` if nothing comes any more.
pub(crate) async fn answer(io: &Io, question: &str) -> Option<String> {
    io.print(question).await;
    let mut line = Vec::new();
    while let Ok(part) = io.read(Fd::STDIN).await {
        line.extend_from_slice(&part);
        if part.is_empty() || line.contains(&b'\n') {
            break;
        }
    }
    (!line.is_empty()).then(|| text(&line).trim().to_lowercase())
}

/// A file, or the standard input for `-`, read whole.
pub(crate) async fn slurp(io: &Io, path: &str) -> Result<Vec<u8>, Errno> {
    match path {
        "-" | "/dev/stdin" => io.read_all(Fd::STDIN).await,
        _ => io.read_file(path).await.map(|bytes| bytes.to_vec()),
    }
}

/// The same as text.
pub(crate) async fn slurp_text(io: &Io, path: &str) -> Result<String, Errno> {
    slurp(io, path).await.map(|bytes| text(&bytes))
}

/// The operands, or `-` if there are none.
pub(crate) fn inputs(args: &Args) -> Vec<Rc<str>> {
    if args.operands.is_empty() {
        vec!["-".into()]
    } else {
        args.operands.clone()
    }
}

/// Bytes as text; what is no character becomes the replacement character.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Bytes as dumps show them beside their numbers: a dot for what cannot be printed.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let shown = |byte: &u8| match byte {
        32..127 => char::from(*byte),
        _ => '.',
    };
    bytes.iter().map(shown).collect()
}

/// A number as coreutils read sizes: `10`, `2K`, `1M`, `3kB`.
pub(crate) fn size(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit: u64 = match &text[digits..] {
        "" => 1,
        "b" => 512,
        "kB" => 1000,
        "K" | "k" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Bytes with a unit, as `ls -h`, `du -h` and `df -h` round them: `4.0K`, `12M`.
pub(crate) fn human(bytes: u64) -> String {
    if bytes < 1024 {
        return bytes.to_string();
    }
    let units = ["K", "M", "G", "T", "P"];
    let mut scale = 1024u64;
    let mut unit = 0;
    while bytes >= scale * 1024 && unit + 1 < units.len() {
        scale *= 1024;
        unit += 1;
    }
    // Always rounded up, with a decimal below ten.
    let tenths = bytes.saturating_mul(10).div_ceil(scale);
    if tenths < 100 {
        return format!("{}.{}{}", tenths / 10, tenths % 10, units[unit]);
    }
    let whole = bytes.div_ceil(scale);
    if whole >= 1024 && unit + 1 < units.len() {
        return format!("1.0{}", units[unit + 1]);
    }
    format!("{whole}{}", units[unit])
}

/// Lines of an input as they arrive.
pub(crate) struct Lines {
    fd: Option<Fd>,
    buffer: Vec<u8>,
    ended: bool,
}

impl Lines {
    /// Lines of a file, or of the standard input for `-`.
    pub(crate) async fn open(io: &Io, path: &str) -> Result<Lines, Errno> {
        let fd = match path {
            "-" | "/dev/stdin" => Fd::STDIN,
            _ => {
                let is_dir = path.to_owned();
                if io.sys(move |sys| sys.stat(&is_dir)).await?.is_dir() {
                    return Err(Errno::EISDIR);
                }
                io.open(path, OpenMode::Read).await?
            }
        };
        Ok(Lines {
            fd: Some(fd),
            buffer: Vec::new(),
            ended: false,
        })
    }

    /// Lines of an open descriptor.
    pub(crate) fn of(fd: Fd) -> Lines {
        Lines {
            fd: Some(fd),
            buffer: Vec::new(),
            ended: false,
        }
    }

    /// The next line with its newline, which the last may lack; `None` at the end.
    pub(crate) async fn next(&mut self, io: &Io) -> Result<Option<Vec<u8>>, Errno> {
        self.until(io, b'\n').await
    }

    /// The same with another byte that ends lines.
    pub(crate) async fn until(&mut self, io: &Io, end: u8) -> Result<Option<Vec<u8>>, Errno> {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == end) {
                return Ok(Some(self.buffer.drain(..=at).collect()));
            }
            let Some(fd) = self.fd.filter(|_| !self.ended) else {
                let rest = std::mem::take(&mut self.buffer);
                return Ok((!rest.is_empty()).then_some(rest));
            };
            let part = io.read(fd).await?;
            if part.is_empty() {
                self.ended = true;
                self.close(io).await;
            }
            self.buffer.extend_from_slice(&part);
        }
    }

    /// Whether a whole line is at hand without waiting.
    pub(crate) fn has_line(&self) -> bool {
        self.buffer.contains(&b'\n')
    }

    /// Closes the file.
    pub(crate) async fn close(&mut self, io: &Io) {
        if let Some(fd) = self.fd.take().filter(|fd| *fd != Fd::STDIN) {
            io.close(fd).await;
        }
    }
}

/// Output gathered until there is enough of it, or nothing more to read without waiting.
#[derive(Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
}

impl Output {
    /// Adds bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes what was gathered.
    pub(crate) async fn flush(&mut self, io: &Io) {
        if !self.bytes.is_empty() {
            io.write_all(Fd::STDOUT, &std::mem::take(&mut self.bytes))
                .await;
        }
    }

    /// What was gathered, instead of writing it.
    pub(crate) fn take(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes if much was gathered, or if the reader would have to wait.
    pub(crate) async fn pace(&mut self, io: &Io, lines: &Lines) {
        if self.bytes.len() > 32_768 || !lines.has_line() {
            self.flush(io).await;
        }
    }
}

/// The directory part and the name of a path.
pub(crate) fn split_path(path: &str) -> (&str, &str) {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rfind('/') {
        Some(0) => ("/", &trimmed[1..]),
        Some(at) => (&trimmed[..at], &trimmed[at + 1..]),
        None => (".", trimmed),
    }
}

/// A directory and a name as one path.
pub(crate) fn join(dir: &str, name: &str) -> String {
    if dir.ends_with('/') {
        format!("{dir}{name}")
    } else {
        format!("{dir}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(
            (size("10"), size("2K"), size("1kB"), size("x")),
            (Some(10), Some(2048), Some(1000), None)
        );
        assert_eq!(
            [human(100), human(4096), human(10_240), human(1_500_000)],
            ["100", "4.0K", "10K", "1.5M"]
        );
    }
}
