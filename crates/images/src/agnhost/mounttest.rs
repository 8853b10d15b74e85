//! `agnhost mounttest`: tells of files, and makes some, as its arguments say.
//! Models test/images/agnhost/mounttest.

use machine::{Errno, FileKind, Sys};
use sim::Duration;

use crate::site::{self, Work, say};

const NEW: &str = "mount-tester new file\n";
/// What `statfs(2)` says of ext4.
const EXT4: u32 = 0xef53;

/// Does what the arguments say. What is to be looked at again and again is all that is done when time
/// has passed since.
pub(super) fn work(sys: &mut Sys<'_>, since: Duration) -> Work {
    let mut failed = false;
    if since == Duration::ZERO {
        failed |= told(sys, "fs_type", |sys, path| {
            let kind = match sys.is_in_memory(path)? {
                true => "tmpfs".to_owned(),
                false => EXT4.to_string(),
            };
            Ok(format!("mount type of {path:?}: {kind}\n"))
        });
        for (flag, mode) in [
            ("new_file_0644", 0o644),
            ("new_file_0666", 0o666),
            ("new_file_0660", 0o660),
            ("new_file_0777", 0o777),
        ] {
            failed |= told(sys, flag, |sys, path| {
                let is_new = !sys.exists(path);
                sys.write_file(path, NEW.as_bytes())?;
                if is_new {
                    sys.chmod(path, mode)?;
                }
                content(sys, path)
            });
        }
        failed |= told(sys, "file_mode", |sys, path| {
            let stat = sys.stat(path)?;
            let kind = match stat.kind {
                FileKind::Dir => "d",
                FileKind::Symlink => "L",
                FileKind::Device => "Dc",
                FileKind::Socket => "S",
                FileKind::File => "",
            };
            let mode = permissions(kind, stat.mode);
            Ok(format!("mode of file {path:?}: {mode}\n"))
        });
        failed |= told(sys, "file_perm", |sys, path| {
            let mode = permissions("", sys.stat(path)?.mode & 0o777);
            Ok(format!("perms of file {path:?}: {mode}\n"))
        });
        failed |= told(sys, "file_owner", |sys, path| {
            let (uid, gid) = sys.stat(path).map(|stat| (stat.uid, stat.gid))?;
            Ok(format!(
                "owner UID of {path:?}: {uid}\nowner GID of {path:?}: {gid}\n"
            ))
        });
        failed |= told(sys, "file_content", content);
    }
    match site::flag(sys, "file_content_in_loop") {
        Some(path) => again(sys, &path, since),
        None => Work::Done(i32::from(failed)),
    }
}

/// Tells of the file that a flag names; true if that failed.
fn told(
    sys: &mut Sys<'_>,
    flag: &str,
    of: impl Fn(&mut Sys<'_>, &str) -> Result<String, Errno>,
) -> bool {
    let Some(path) = site::flag(sys, flag).filter(|path| !path.is_empty()) else {
        return false;
    };
    let text = of(sys, &path);
    let failed = text.is_err();
    let why = |errno: Errno| errno.go_message();
    say(
        sys,
        &text.unwrap_or_else(|errno| match flag {
            "fs_type" => format!("error from statfs({path:?}): {}\n", why(errno)),
            "file_mode" | "file_perm" => {
                format!("error from Stat({path:?}): stat {path}: {}\n", why(errno))
            }
            "file_owner" => format!("error from stat({path:?}): {}\n", why(errno)),
            "file_content" => {
                let why = why(errno);
                format!("error reading file content for {path:?}: open {path}: {why}\n")
            }
            _ => format!(
                "error writing new file {path:?}: open {path}: {}\n",
                why(errno)
            ),
        }),
    );
    failed
}

fn content(sys: &mut Sys<'_>, path: &str) -> Result<String, Errno> {
    let bytes = sys.read_file(path)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(format!("content of file {path:?}: {text}\n"))
}

/// Looks at a file every two seconds: until it is as it was made, unless that is not awaited.
fn again(sys: &mut Sys<'_>, path: &str, since: Duration) -> Work {
    let limit = site::flag(sys, "retry_time").and_then(|secs| secs.parse().ok());
    let limit = Duration::from_secs(limit.unwrap_or(180));
    let awaits = site::flag(sys, "break_on_expected_content").as_deref() != Some("false");
    let read = sys.read_file(path);
    match &read {
        Err(errno) => {
            let why = errno.go_message();
            say(
                sys,
                &format!("Error reading file {path}: open {path}: {why}, retrying\n"),
            );
        }
        Ok(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            say(sys, &format!("content of file {path:?}: {text}\n"));
            if awaits && text == NEW {
                return Work::Done(0);
            }
            if awaits {
                let why = format!("Unexpected content. Expected: {NEW}. Retrying");
                say(sys, &why);
            }
        }
    }
    let pause = Duration::from_secs(2);
    match since + pause < limit {
        true => Work::Again(pause),
        false => Work::Done(i32::from(read.is_err())),
    }
}

/// A mode as Go writes it.
fn permissions(kind: &str, mode: u32) -> String {
    let mut text = kind.to_owned();
    for (bit, letter) in [(0o4000, 'u'), (0o2000, 'g'), (0o1000, 't')] {
        if mode & bit != 0 {
            text.push(letter);
        }
    }
    if text.is_empty() {
        text.push('-');
    }
    for (i, letter) in "rwxrwxrwx".chars().enumerate() {
        let on = mode & (0o400 >> i) != 0;
        text.push(if on { letter } else { '-' });
    }
    text
}
