//! Files and archives: what is on the disk as entries, and entries put on the disk.

use machine::{Errno, FileKind, Io, Stat, Sys};
use sim::Instant;

use super::archive::{Content, Entry};

/// Gathers what is at `path`, and all below it, under the name `name`.
pub(crate) async fn gather(
    io: &Io,
    path: &str,
    name: &str,
    entries: &mut Vec<Entry>,
) -> Result<(), Errno> {
    let (path, name) = (path.to_owned(), name.to_owned());
    let found = io
        .sys(move |sys| {
            let mut found = Vec::new();
            add(sys, &path, &name, &mut found).map(|()| found)
        })
        .await?;
    entries.extend(found);
    Ok(())
}

fn add(sys: &mut Sys<'_>, path: &str, name: &str, found: &mut Vec<Entry>) -> Result<(), Errno> {
    let stat = sys.lstat(path)?;
    let content = match stat.kind {
        FileKind::Dir => Content::Dir,
        FileKind::File => Content::File(sys.read_file(path)?.to_vec()),
        FileKind::Symlink => Content::Symlink(stat.target.as_deref().unwrap_or("").to_owned()),
        // What is no file is left out.
        FileKind::Device | FileKind::Socket => return Ok(()),
    };
    let is_dir = content == Content::Dir;
    found.push(Entry {
        name: name.to_owned(),
        mode: stat.mode,
        owner: (stat.uid, stat.gid),
        mtime: u64::try_from(stat.mtime.unix_secs()).unwrap_or(0),
        content,
    });
    if is_dir {
        for entry in sys.read_dir(path)? {
            let below = format!("{}/{}", path.trim_end_matches('/'), entry.name);
            // What goes away meanwhile, or may not be read, is left out.
            let _ = add(sys, &below, &format!("{name}/{}", entry.name), found);
        }
    }
    Ok(())
}

/// Puts an entry at `path`, with the directories above it.
pub(crate) async fn put(io: &Io, path: &str, entry: &Entry, keep_owner: bool) -> Result<(), Errno> {
    let (path, entry) = (path.to_owned(), entry.clone());
    io.sys(move |sys| {
        if let Some((above, _)) = path.rsplit_once('/')
            && !above.is_empty()
        {
            sys.mkdir_all(above)?;
        }
        match &entry.content {
            Content::Dir => {
                sys.mkdir_all(&path)?;
            }
            Content::File(bytes) => sys.write_file(&path, bytes)?,
            Content::Symlink(to) => {
                // A link that is there already is replaced.
                let _ = sys.remove(&path);
                return sys.symlink(to, &path);
            }
        }
        sys.chmod(&path, entry.mode)?;
        if keep_owner && sys.uid() == 0 {
            sys.chown(&path, entry.owner.0, entry.owner.1)?;
        }
        Ok(())
    })
    .await
}

/// What `ls` would say of an entry.
pub(crate) fn stat_of(entry: &Entry) -> Stat {
    let (kind, size) = match &entry.content {
        Content::File(bytes) => (FileKind::File, bytes.len() as u64),
        Content::Dir => (FileKind::Dir, 0),
        Content::Symlink(_) => (FileKind::Symlink, 0),
    };
    Stat {
        kind,
        mode: entry.mode,
        uid: entry.owner.0,
        gid: entry.owner.1,
        size,
        mtime: Instant::ZERO,
        target: None,
    }
}
