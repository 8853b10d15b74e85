//! The audit log of kube-apiserver: a line for each entry, in a file that is put aside when it has
//! grown, or on the standard output.
//!
//! Models apiserver/plugin/pkg/audit/log and gopkg.in/natefinch/lumberjack.v2.

use machine::{Fd, Sys};
use sim::Instant;

use super::flags::Flags;

/// A file is put aside at 100 MB where nothing else is said.
const DEFAULT_SIZE: u64 = 100;
const MEGABYTE: u64 = 1 << 20;
const DAY_NANOS: u64 = 24 * 3600 * 1_000_000_000;

/// Where entries go.
#[derive(Clone, Debug, Default)]
pub(super) struct AuditLog {
    /// `-` is the standard output; empty is nowhere.
    path: String,
    /// A file of more bytes than this is put aside.
    max_size: u64,
    /// So many files are kept aside; 0 keeps all.
    max_backups: usize,
    /// Files aside are kept so many days; 0 keeps them for ever.
    max_age_days: u64,
    written: u64,
}

impl AuditLog {
    /// What the command line says.
    pub(super) fn of(flags: &Flags) -> Result<AuditLog, String> {
        let number = |name: &str| -> Result<u64, String> {
            let text = flags.or(name, "0");
            let number: i64 = text.parse().map_err(|_| {
                format!(
                    "invalid argument {text:?} for \"--{name}\" flag: strconv.ParseInt: parsing \
                     {text:?}: invalid syntax"
                )
            })?;
            u64::try_from(number)
                .map_err(|_| format!("--{name} {number} can't be a negative number"))
        };
        let format = flags.or("audit-log-format", "json");
        match format {
            "json" => {}
            "legacy" => return Err(sim::unmodelled!("the audit log's legacy format").to_string()),
            _ => {
                return Err(format!(
                    "invalid audit log format {format}, allowed formats are \"legacy,json\""
                ));
            }
        }
        let mode = flags.or("audit-log-mode", "blocking");
        if !["batch", "blocking", "blocking-strict"].contains(&mode) {
            return Err(format!(
                "invalid audit log mode {mode}, allowed modes are \"batch,blocking,blocking-strict\""
            ));
        }
        let (size, age) = (number("audit-log-maxsize")?, number("audit-log-maxage")?);
        Ok(AuditLog {
            path: flags.or("audit-log-path", "").to_owned(),
            max_size: MEGABYTE * if size == 0 { DEFAULT_SIZE } else { size },
            max_backups: usize::try_from(number("audit-log-maxbackup")?).unwrap_or(usize::MAX),
            max_age_days: age,
            written: 0,
        })
    }

    /// Makes sure that the file can be written.
    pub(super) fn open(&self, sys: &mut Sys<'_>) -> Result<(), String> {
        if self.is_file() {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let said = |why: &str| why.to_lowercase();
            sys.mkdir_all(folder).map_err(|errno| {
                format!("ensureLogFile: mkdir {folder}: {}", said(errno.message()))
            })?;
            sys.append_file(&self.path, b"").map_err(|errno| {
                format!(
                    "ensureLogFile: open {}: {}",
                    self.path,
                    said(errno.message())
                )
            })?;
        }
        Ok(())
    }

    fn is_file(&self) -> bool {
        !matches!(self.path.as_str(), "" | "-")
    }

    /// Writes an entry.
    pub(super) fn write(&mut self, sys: &mut Sys<'_>, line: &str) {
        let line = format!("{line}\n");
        if !self.is_file() {
            if self.path == "-" {
                let _ = sys.write(Fd::STDOUT, line.as_bytes());
            }
            return;
        }
        if self.written == 0 {
            self.written = sys.stat(&self.path).map_or(0, |stat| stat.size);
        }
        if self.written + line.len() as u64 > self.max_size {
            self.rotate(sys);
        }
        // What cannot be written is lost, and the request goes on.
        if sys.append_file(&self.path, line.as_bytes()).is_ok() {
            self.written += line.len() as u64;
        }
    }

    /// Puts the file aside under its name and the time, and removes those that are too many or too
    /// old.
    fn rotate(&mut self, sys: &mut Sys<'_>) {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let (stem, end) = match name.rfind('.') {
            Some(at) => name.split_at(at),
            None => (name, ""),
        };
        let aside = |time: String| format!("{stem}-{time}{end}");
        let _ = sys.rename(&self.path, &format!("{folder}/{}", aside(stamp(sys.now()))));
        self.written = 0;
        let mut kept: Vec<String> = sys
            .read_dir(folder)
            .unwrap_or_default()
            .into_iter()
            .map(|entry| entry.name.to_string())
            .filter(|name| name.starts_with(&format!("{stem}-")) && name.ends_with(end))
            .collect();
        kept.sort_by(|a, b| b.cmp(a));
        let age = DAY_NANOS.saturating_mul(self.max_age_days);
        let oldest = Instant::from_nanos(sys.now().as_nanos().saturating_sub(age));
        let oldest = (age > 0).then(|| aside(stamp(oldest)));
        for (i, name) in kept.iter().enumerate() {
            let old = oldest.as_ref().is_some_and(|oldest| name < oldest);
            if old || (self.max_backups > 0 && i >= self.max_backups) {
                let _ = sys.remove(&format!("{folder}/{name}"));
            }
        }
    }
}

/// `2026-01-05T09-00-00.123`
fn stamp(now: Instant) -> String {
    let text = now.rfc3339_micro().replace(':', "-");
    text[..text.len() - 4].to_owned()
}
