//! System calls on files as tools use them.

use std::rc::Rc;

use machine::{DirEntry, Errno, FileKind, Io, Stat, Sys};

/// What a path names, links followed.
pub(crate) async fn stat(io: &Io, path: &str) -> Result<Stat, Errno> {
    let path = path.to_owned();
    io.sys(move |sys| sys.stat(&path)).await
}

/// What a path names, a link itself.
pub(crate) async fn lstat(io: &Io, path: &str) -> Result<Stat, Errno> {
    let path = path.to_owned();
    io.sys(move |sys| sys.lstat(&path)).await
}

/// Entries of a directory by name.
pub(crate) async fn read_dir(io: &Io, path: &str) -> Result<Vec<DirEntry>, Errno> {
    let path = path.to_owned();
    io.sys(move |sys| sys.read_dir(&path)).await
}

/// Whether a path names a directory.
pub(crate) async fn is_dir(io: &Io, path: &str) -> bool {
    stat(io, path).await.is_ok_and(|stat| stat.is_dir())
}

/// Permissions as `ls -l` writes them: `drwxr-xr-x`.
pub(crate) fn mode_text(stat: &Stat) -> String {
    let mut text = String::from(match stat.kind {
        FileKind::Dir => "d",
        FileKind::File => "-",
        FileKind::Symlink => "l",
        FileKind::Device => "c",
        FileKind::Socket => "s",
    });
    for shift in [6, 3, 0] {
        let bits = stat.mode >> shift & 7;
        let special = stat.mode & (0o1000 << (shift / 3)) != 0;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (special, bits & 1 != 0, shift) {
            (false, true, _) => 'x',
            (false, false, _) => '-',
            (true, true, 0) => 't',
            (true, false, 0) => 'T',
            (true, true, _) => 's',
            (true, false, _) => 'S',
        });
    }
    text
}

/// A mode like `755` or `u+x,go-w`, applied to an old one.
pub(crate) fn change_mode(text: &str, old: u32, is_dir: bool) -> Option<u32> {
    if text.chars().all(|c| c.is_digit(8)) && !text.is_empty() {
        return u32::from_str_radix(text, 8)
            .ok()
            .filter(|mode| *mode <= 0o7777);
    }
    let mut mode = old;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at(at);
        let mut mask = 0;
        for c in who.chars() {
            mask |= match c {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        if who.is_empty() {
            mask = 0o7777;
        }
        let mut chars = rest.chars().peekable();
        while let Some(op) = chars.next() {
            let mut bits = 0;
            while let Some(c) = chars.next_if(|c| !"+-=".contains(*c)) {
                bits |= match c {
                    'r' => 0o444,
                    'w' => 0o222,
                    'x' => 0o111,
                    'X' if is_dir || old & 0o111 != 0 => 0o111,
                    'X' => 0,
                    's' => 0o6000,
                    't' => 0o1000,
                    _ => return None,
                };
            }
            match op {
                '+' => mode |= bits & mask,
                '-' => mode &= !(bits & mask),
                '=' => mode = mode & !(mask & 0o777) | bits & mask,
                _ => return None,
            }
        }
    }
    Some(mode)
}

/// The name of a user, or its number.
pub(crate) fn user_name(sys: &Sys<'_>, uid: u32) -> String {
    let user = sys.host().users().into_iter().find(|user| user.uid == uid);
    user.map_or_else(|| uid.to_string(), |user| user.name.to_string())
}

/// The name of a group, or its number.
pub(crate) fn group_name(sys: &mut Sys<'_>, gid: u32) -> String {
    groups(sys)
        .into_iter()
        .find(|(_, own)| *own == gid)
        .map_or_else(|| gid.to_string(), |(n, _)| n)
}

/// Groups of `/etc/group` with their numbers.
pub(crate) fn groups(sys: &mut Sys<'_>) -> Vec<(String, u32)> {
    let text = sys.read_to_string("/etc/group").unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            Some((name, fields.nth(1)?.parse().ok()?))
        })
        .collect()
}

/// The path a path leads to once links and dots are resolved; the last name need not exist if
/// `lenient`.
pub(crate) fn real_path(sys: &mut Sys<'_>, path: &str, lenient: bool) -> Result<String, Errno> {
    let mut done: Vec<String> = Vec::new();
    let full = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{}/{path}", sys.cwd())
    };
    let mut todo: Vec<String> = full.split('/').rev().map(str::to_owned).collect();
    let mut links = 0;
    while let Some(name) = todo.pop() {
        match name.as_str() {
            "" | "." => continue,
            ".." => {
                done.pop();
                continue;
            }
            _ => done.push(name),
        }
        let here = format!("/{}", done.join("/"));
        match sys.lstat(&here) {
            Ok(stat) => {
                if let Some(target) = stat.target {
                    links += 1;
                    if links > 40 {
                        return Err(Errno::ELOOP);
                    }
                    done.pop();
                    if target.starts_with('/') {
                        done.clear();
                    }
                    todo.extend(target.split('/').rev().map(str::to_owned));
                } else if !stat.is_dir() && todo.iter().any(|name| !name.is_empty()) {
                    return Err(Errno::ENOTDIR);
                }
            }
            Err(Errno::ENOENT) if lenient && todo.iter().all(|name| name.is_empty()) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(format!("/{}", done.join("/")))
}

/// Copies a file, a link, or a directory with what is below it; failures as (path, why).
pub(crate) fn copy_tree(
    sys: &mut Sys<'_>,
    from: &str,
    to: &str,
    preserve: bool,
    failures: &mut Vec<(String, Errno)>,
) {
    let result = (|| -> Result<(), Errno> {
        let stat = sys.lstat(from)?;
        match stat.kind {
            FileKind::Dir => {
                match sys.stat(to) {
                    Ok(stat) if stat.is_dir() => {}
                    Ok(_) => return Err(Errno::ENOTDIR),
                    Err(_) => sys.mkdir(to, stat.mode)?,
                }
                for entry in sys.read_dir(from)? {
                    let (from, to) = (
                        format!("{from}/{}", entry.name),
                        format!("{to}/{}", entry.name),
                    );
                    copy_tree(sys, &from, &to, preserve, failures);
                }
            }
            FileKind::Symlink => {
                let target = stat.target.clone().unwrap_or_default();
                let _ = sys.remove(to);
                sys.symlink(&target, to)?;
                return Ok(());
            }
            _ => copy_file(sys, from, to)?,
        }
        if preserve {
            sys.chmod(to, stat.mode)?;
            let _ = sys.chown(to, stat.uid, stat.gid);
        }
        Ok(())
    })();
    if let Err(errno) = result {
        failures.push((from.to_owned(), errno));
    }
}

/// Copies the contents of a file; a new file gets the mode of the old one.
pub(crate) fn copy_file(sys: &mut Sys<'_>, from: &str, to: &str) -> Result<(), Errno> {
    let new = sys.stat(to).is_err();
    let mode = sys.stat(from)?.mode;
    if let Ok(object) = sys.read_object(from) {
        sys.write_object(to, object)?;
    } else {
        let bytes: Rc<[u8]> = sys.read_file(from)?;
        sys.write_file(to, &bytes)?;
    }
    if new { sys.chmod(to, mode) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_change() {
        let check =
            |text: &str, old: u32, new: Option<u32>| assert_eq!(change_mode(text, old, false), new);
        check("755", 0o644, Some(0o755));
        check("+x", 0o644, Some(0o755));
        check("u+x,go-r", 0o644, Some(0o700));
        check("a=r", 0o777, Some(0o444));
        check("u=rw,go=", 0o777, Some(0o600));
        check("+t", 0o777, Some(0o1777));
        check("8", 0, None);
        check("u*x", 0, None);
    }
}
