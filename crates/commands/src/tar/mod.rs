//! `tar`: makes archives, lists them and takes them apart, packed by gzip or not.
//! Other compressions are not modelled.
//! Models GNU tar's src/tar.c, create.c, extract.c and list.c.

pub(crate) mod archive;
mod options;
pub(crate) mod tree;

use machine::{Fd, Io};
use net::gzip::{Level, gunzip, gzip};
use sim::Civil;

use crate::files::{group_name, is_dir, mode_text, user_name};
use crate::help::tool;
use crate::io::{complain, join};

use archive::{Content, Entry};
use options::{Mode, Options};

tool!(
    "tar",
    "Save many files together into a single archive, and restore files from the archive",
    "tar [OPTION...] [FILE]...",
    main,
    [
        (
            "mkdir d; echo hi > d/a; tar cf d.tar d; tar tf d.tar",
            "d/\nd/a\n"
        ),
        (
            "mkdir d e; echo hi > d/a; tar cf - d | tar xf - -C e; cat e/d/a",
            "hi\n"
        ),
        (
            "mkdir d; echo hi > d/a; tar czf d.tgz d; tar xzf d.tgz -O; tar tf d.tgz",
            "hi\nd/\nd/a\n"
        ),
        (
            "echo hi > a; tar xzf a",
            "\ngzip: stdin: not in gzip format\ntar: Child returned status 1\ntar: Error is not \
             recoverable: exiting now\n"
        ),
        (
            "tar cf x.tar nope",
            "tar: nope: Cannot stat: No such file or directory\ntar: Exiting with failure status \
             due to previous errors\n"
        ),
        (
            "tar xf nope.tar",
            "tar: nope.tar: Cannot open: No such file or directory\ntar: Error is not recoverable: \
             exiting now\n"
        ),
    ]
);

async fn main(io: Io) -> i32 {
    let options = match options::read(io.args()) {
        Ok(options) => options,
        Err(why) => {
            complain(&io, &why).await;
            let hint = "Try 'tar --help' or 'tar --usage' for more information.\n";
            io.eprint(hint).await;
            return 2;
        }
    };
    if options.otherwise_packed {
        complain(
            &io,
            &sim::unmodelled!("compressions beside gzip").to_string(),
        )
        .await;
        return 2;
    }
    if !is_dir(&io, &options.directory).await {
        let why = format!(
            "{}: Cannot open: No such file or directory",
            options.directory
        );
        complain(&io, &why).await;
        complain(&io, "Error is not recoverable: exiting now").await;
        return 2;
    }
    match options.mode {
        Mode::Create => create(&io, &options).await,
        Mode::Extract | Mode::List => unpack(&io, &options).await,
    }
}

async fn create(io: &Io, options: &Options) -> i32 {
    if options.files.is_empty() {
        complain(io, "Cowardly refusing to create an empty archive").await;
        let hint = "Try 'tar --help' or 'tar --usage' for more information.\n";
        io.eprint(hint).await;
        return 2;
    }
    let mut entries = Vec::new();
    let mut failed = false;
    let mut stripped = false;
    for file in &options.files {
        if file.starts_with('/') && !stripped {
            stripped = true;
            complain(io, "Removing leading `/' from member names").await;
        }
        let path = match file.starts_with('/') {
            true => file.clone(),
            false => join(&options.directory, file),
        };
        let name = file.trim_matches('/');
        let name = if name.is_empty() { "." } else { name };
        if let Err(errno) = tree::gather(io, &path, name, &mut entries).await {
            failed = true;
            let why = errno.message();
            complain(io, &format!("{file}: Cannot stat: {why}")).await;
        }
    }
    let excluded = |entry: &Entry| options.exclude.iter().any(|p| matches(p, &entry.name));
    entries.retain(|entry| !excluded(entry));
    if options.verbose > 0 {
        let listing: String = entries.iter().map(|e| format!("{}\n", shown(e))).collect();
        // Where the archive is what is printed, names go elsewhere.
        match options.archive.as_str() {
            "-" => io.eprint(&listing).await,
            _ => io.print(&listing).await,
        }
    }
    let mut bytes = archive::write(&entries);
    if options.gzip || options.by_name && is_packed(&options.archive) {
        bytes = gzip(&bytes, Level::Usual);
    }
    if options.archive == "-" {
        io.write_all(Fd::STDOUT, &bytes).await;
    } else if let Err(errno) = io.write_file(&options.archive, &bytes).await {
        let why = errno.message();
        complain(io, &format!("{}: Cannot open: {why}", options.archive)).await;
        complain(io, "Error is not recoverable: exiting now").await;
        return 2;
    }
    if failed {
        complain(io, "Exiting with failure status due to previous errors").await;
        return 2;
    }
    0
}

async fn unpack(io: &Io, options: &Options) -> i32 {
    let fatal = "Error is not recoverable: exiting now";
    let bytes = match options.archive.as_str() {
        "-" => io.read_all(Fd::STDIN).await,
        path => io.read_file(path).await.map(|bytes| bytes.to_vec()),
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(errno) => {
            let why = errno.message();
            complain(io, &format!("{}: Cannot open: {why}", options.archive)).await;
            complain(io, fatal).await;
            return 2;
        }
    };
    // What is packed shows it itself, except to a tar that reads from a pipe.
    let packed = bytes.starts_with(&[0x1f, 0x8b]) && (options.gzip || options.archive != "-");
    let bytes = match (packed, options.gzip) {
        (true, _) => match gunzip(&bytes) {
            Ok(bytes) => bytes,
            Err(why) => return unpacked_badly(io, why).await,
        },
        (false, true) => return unpacked_badly(io, "not in gzip format").await,
        (false, false) => bytes,
    };
    let Some(entries) = archive::read(&bytes) else {
        complain(io, "This does not look like a tar archive").await;
        complain(io, "Exiting with failure status due to previous errors").await;
        return 2;
    };
    let mut missing: Vec<&String> = options.files.iter().collect();
    let mut failed = false;
    for mut entry in entries {
        let wanted = options.files.iter().find(|file| {
            let file = file.trim_end_matches('/');
            entry.name == file || entry.name.starts_with(&format!("{file}/"))
        });
        if !options.files.is_empty() && wanted.is_none() {
            continue;
        }
        missing.retain(|file| Some(*file) != wanted);
        if options.exclude.iter().any(|p| matches(p, &entry.name)) {
            continue;
        }
        if options.mode == Mode::List {
            let line = match options.verbose {
                0 => shown(&entry),
                _ => long(io, &entry).await,
            };
            io.print(&format!("{line}\n")).await;
            continue;
        }
        if options.verbose > 0 {
            io.print(&format!("{}\n", shown(&entry))).await;
        }
        let mut parts = entry.name.split('/').skip(options.strip);
        let name = parts.by_ref().collect::<Vec<_>>().join("/");
        if name.is_empty() {
            continue;
        }
        entry.name = name;
        if options.to_stdout {
            if let Content::File(bytes) = &entry.content {
                io.write_all(Fd::STDOUT, bytes).await;
            }
            continue;
        }
        let path = join(&options.directory, &entry.name);
        if let Err(errno) = tree::put(io, &path, &entry, options.keep_owner).await {
            failed = true;
            let why = errno.message();
            complain(io, &format!("{}: Cannot open: {why}", entry.name)).await;
        }
    }
    for file in &missing {
        complain(io, &format!("{file}: Not found in archive")).await;
    }
    if failed || !missing.is_empty() {
        complain(io, "Exiting with failure status due to previous errors").await;
        return 2;
    }
    0
}

/// Whether the name of an archive asks for gzip.
fn is_packed(name: &str) -> bool {
    [".gz", ".tgz", ".taz"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// What is printed where gzip, which real tars start for it, has failed.
async fn unpacked_badly(io: &Io, why: &str) -> i32 {
    io.eprint(&format!("\ngzip: stdin: {why}\n")).await;
    complain(io, "Child returned status 1").await;
    complain(io, "Error is not recoverable: exiting now").await;
    2
}

/// An entry's name as it is listed: a directory's ends in a slash.
fn shown(entry: &Entry) -> String {
    match entry.content {
        Content::Dir => format!("{}/", entry.name),
        _ => entry.name.clone(),
    }
}

/// `-rw-r--r-- root/root 6 2026-01-05 09:00 d/a`
async fn long(io: &Io, entry: &Entry) -> String {
    let stat = tree::stat_of(entry);
    let at = i64::try_from(entry.mtime).unwrap_or(0);
    let (uid, gid) = entry.owner;
    let (user, group) = io
        .sys(move |sys| (user_name(sys, uid), group_name(sys, gid)))
        .await;
    let owner = format!("{user}/{group}");
    let size = stat.size.to_string();
    let width = 18_usize.saturating_sub(owner.len() + 1).max(size.len());
    let c = Civil::from_unix(at);
    let link = match &entry.content {
        Content::Symlink(to) => format!(" -> {to}"),
        _ => String::new(),
    };
    format!(
        "{} {owner} {size:>width$} {:04}-{:02}-{:02} {:02}:{:02} {}{link}",
        mode_text(&stat),
        c.year,
        c.month,
        c.day,
        c.hour,
        c.minute,
        shown(entry)
    )
}

/// Whether a pattern of `--exclude` fits a name or its last part.
fn matches(pattern: &str, name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    let pattern = pattern.trim_end_matches('/');
    let fits = |name: &str| match pattern.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => name == pattern,
    };
    fits(name) || fits(last) || name.starts_with(&format!("{pattern}/"))
}
