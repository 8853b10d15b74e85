//! `scp`: files between machines, over a session of sshd. Models OpenSSH 9.6's scp.c, which speaks
//! SFTP; its requests are those of `ssh/wire.rs`.

use std::rc::Rc;

use machine::{Errno, Fd, Io};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{join, split_path};
use crate::ssh::wire::{Ask, Reply, Wire};
use crate::ssh::{self, Target};

tool!(
    "scp",
    "OpenSSH secure file copy",
    "scp [-prq] [-P port] [-o ssh_option] source ... target",
    main,
    [
        (
            "scp /nope nosuch:",
            "ssh: Could not resolve hostname nosuch: Temporary failure in name resolution\r\nscp: Connection closed\r\n"
        ),
        (
            "scp a",
            "usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]\n           [-i identity_file] [-J destination] [-l limit] [-o ssh_option]\n           [-P port] [-S program] [-X sftp_option] source ... target\n"
        ),
    ]
);

const USAGE: &str = "usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]
           [-i identity_file] [-J destination] [-l limit] [-o ssh_option]
           [-P port] [-S program] [-X sftp_option] source ... target
";

const FLAGS: &[args::Flag] = &[
    flag('3', ""),
    flag('4', ""),
    flag('6', ""),
    flag('A', ""),
    flag('B', ""),
    flag('C', ""),
    flag('O', ""),
    flag('p', ""),
    flag('q', ""),
    flag('r', ""),
    flag('s', ""),
    flag('T', ""),
    flag('v', ""),
    value('c', ""),
    value('F', ""),
    value('i', ""),
    value('l', ""),
    value('o', ""),
    value('P', ""),
];

/// One end of a copy.
#[derive(Clone, Debug)]
struct End {
    /// `user@host`, for files elsewhere.
    place: Option<Rc<str>>,
    path: Rc<str>,
}

/// A copy being made: the options, and the one connection in use.
struct Copy {
    io: Io,
    recursive: bool,
    progress: bool,
    status: i32,
    base: Target,
    open: Option<(Rc<str>, Fd)>,
}

async fn main(io: Io) -> i32 {
    let Ok(args) = args::parse(FLAGS, io.args()) else {
        io.eprint(USAGE).await;
        return 1;
    };
    let [sources @ .., target] = &args.operands[..] else {
        io.eprint(USAGE).await;
        return 1;
    };
    if sources.is_empty() {
        io.eprint(USAGE).await;
        return 1;
    }
    let user = io.env("USER").unwrap_or_else(|| "root".into());
    let mut base = Target {
        host: "".into(),
        user,
        port: 22,
        limit: None,
        quiet: args.has('q'),
    };
    for (letter, text) in args
        .options
        .iter()
        .filter(|(letter, _)| matches!(letter, 'o' | 'P'))
    {
        if let Err(message) = ssh::option(&mut base, *letter, text) {
            io.eprint(&message).await;
            return 1;
        }
    }
    let progress = !args.has('q') && io.sys(|sys| sys.is_tty(Fd::STDOUT)).await;
    let recursive = args.has('r');
    let mut copy = Copy {
        io: io.clone(),
        recursive,
        progress,
        status: 0,
        base,
        open: None,
    };
    let target = end(target);
    for source in sources {
        if copy
            .one(&end(source), &target, sources.len() > 1)
            .await
            .is_err()
        {
            copy.status = 255;
            break;
        }
    }
    copy.status
}

/// `host:path` or a path here: a colon counts unless a slash stands before it.
fn end(word: &str) -> End {
    match word.find([':', '/']) {
        Some(at) if at > 0 && word[at..].starts_with(':') => End {
            place: Some(word[..at].into()),
            path: word[at + 1..].into(),
        },
        _ => End {
            place: None,
            path: word.into(),
        },
    }
}

/// The connection could not be made, and that was said.
struct Unconnected;

impl Copy {
    async fn one(&mut self, from: &End, to: &End, several: bool) -> Result<(), Unconnected> {
        let (io, verb) = (
            self.io.clone(),
            if from.place.is_some() {
                "remote open"
            } else {
                "stat local"
            },
        );
        // A target elsewhere is connected to before anything is looked at.
        if to.place.is_some() {
            self.connect(to).await?;
        }
        let (dir, mode) = match self.ask(from, Ask::Stat(from.path.clone())).await? {
            Ok(Reply::Stat { dir, mode }) => (dir, mode),
            Ok(_) => return Ok(()),
            Err(errno) => {
                self.status = 1;
                let text = format!("scp: {verb} \"{}\": {}\r\n", from.path, errno.message());
                io.eprint(&text).await;
                return Ok(());
            }
        };
        let into = matches!(
            self.ask(to, Ask::Stat(to.path.clone())).await?,
            Ok(Reply::Stat { dir: true, .. })
        );
        if several && !into {
            self.status = 1;
            io.eprint(&format!("scp: {}: Not a directory\r\n", to.path))
                .await;
            return Ok(());
        }
        let name = split_path(&from.path).1.to_owned();
        let path: Rc<str> = match (into, &*to.path) {
            (true, "") => name.clone().into(),
            (true, path) => join(path, &name).into(),
            (false, path) => path.into(),
        };
        let to = End { path, ..to.clone() };
        if dir && !self.recursive {
            self.status = 1;
            let text = match &from.place {
                Some(_) => format!("scp: download {}: not a regular file\r\n", from.path),
                None => format!(
                    "scp: local \"{}\" is not a regular file\r\nscp: failed to upload file {} to {}\r\n",
                    from.path, from.path, to.path
                ),
            };
            io.eprint(&text).await;
            return Ok(());
        }
        // Directories are walked with a list of what is left, not by recursion.
        let mut todo = vec![(from.clone(), to, dir, mode)];
        while let Some((from, to, dir, mode)) = todo.pop() {
            if !dir {
                self.file(&from, &to, mode).await?;
                continue;
            }
            if let Err(errno) = self.ask(&to, Ask::MakeDir(to.path.clone())).await? {
                self.complain(&to, errno).await;
                continue;
            }
            let Ok(Reply::Names(names)) = self.ask(&from, Ask::List(from.path.clone())).await?
            else {
                continue;
            };
            for name in names.iter().rev() {
                let from = End {
                    path: join(&from.path, name).into(),
                    ..from.clone()
                };
                let to = End {
                    path: join(&to.path, name).into(),
                    ..to.clone()
                };
                if let Ok(Reply::Stat { dir, mode }) =
                    self.ask(&from, Ask::Stat(from.path.clone())).await?
                {
                    todo.push((from, to, dir, mode));
                }
            }
        }
        Ok(())
    }

    async fn file(&mut self, from: &End, to: &End, mode: u32) -> Result<(), Unconnected> {
        let bytes = match self.ask(from, Ask::Read(from.path.clone())).await? {
            Ok(Reply::Bytes(bytes)) => bytes,
            Ok(_) => return Ok(()),
            Err(errno) => {
                self.complain(from, errno).await;
                return Ok(());
            }
        };
        let length = bytes.len();
        let written = self
            .ask(to, Ask::Write(to.path.clone(), bytes, mode))
            .await?;
        if let Err(errno) = written {
            self.complain(to, errno).await;
            if to.place.is_some() {
                let text = format!(
                    "scp: failed to upload file {} to {}\r\n",
                    from.path, to.path
                );
                self.io.eprint(&text).await;
            }
            return Ok(());
        }
        if self.progress {
            let name = split_path(&from.path).1;
            let rate = crate::io::human(length as u64);
            self.io
                .print(&format!(
                    "{name:<48} 100% {length:>4}  {rate:>8}B/s   00:00    \n"
                ))
                .await;
        }
        Ok(())
    }

    async fn complain(&mut self, end: &End, errno: Errno) {
        self.status = 1;
        let what = if end.place.is_some() {
            "dest open"
        } else {
            "open local"
        };
        let text = format!("scp: {what} \"{}\": {}\r\n", end.path, errno.message());
        self.io.eprint(&text).await;
    }

    /// Asks whoever has the files of this end.
    async fn ask(&mut self, end: &End, ask: Ask) -> Result<Result<Reply, Errno>, Unconnected> {
        if end.place.is_none() {
            return Ok(self.io.sys(move |sys| here(sys, &ask)).await);
        }
        let fd = self.connect(end).await?;
        ssh::send(&self.io, fd, Wire::Ask(ask)).await;
        loop {
            let received = self.io.recv(fd).await.ok().flatten();
            if received.is_none() {
                self.io.eprint("scp: Connection closed\r\n").await;
                return Err(Unconnected);
            }
            if let Some(Wire::Reply(reply)) = Wire::of(received).as_deref() {
                return Ok(reply.clone());
            }
        }
    }

    async fn connect(&mut self, end: &End) -> Result<Fd, Unconnected> {
        let place = end.place.clone().unwrap_or_default();
        if let Some((open, fd)) = self.open.clone() {
            if open == place {
                return Ok(fd);
            }
            self.io.close(fd).await;
        }
        let mut target = self.base.clone();
        let placed = ssh::place(&mut target, &place);
        let opened = match placed {
            Ok(()) => ssh::open(&self.io, &target).await,
            Err(message) => Err(message),
        };
        match opened {
            Ok(fd) => {
                self.open = Some((place, fd));
                Ok(fd)
            }
            Err(message) => {
                self.io
                    .eprint(&format!("{message}scp: Connection closed\r\n"))
                    .await;
                Err(Unconnected)
            }
        }
    }
}

/// The same requests for the files of this machine.
fn here(sys: &mut machine::Sys<'_>, ask: &Ask) -> Result<Reply, Errno> {
    match ask {
        Ask::Stat(path) => {
            let stat = sys.stat(path)?;
            Ok(Reply::Stat {
                dir: stat.is_dir(),
                mode: stat.mode,
            })
        }
        Ask::List(path) => {
            let entries = sys.read_dir(path)?;
            Ok(Reply::Names(
                entries.into_iter().map(|entry| entry.name).collect(),
            ))
        }
        Ask::Read(path) => sys.read_file(path).map(Reply::Bytes),
        Ask::Write(path, bytes, mode) => {
            let new = !sys.exists(path);
            sys.write_file(path, bytes)?;
            if new {
                sys.chmod(path, mode & 0o777).map(|()| Reply::Done)
            } else {
                Ok(Reply::Done)
            }
        }
        Ask::MakeDir(path) => match sys.mkdir(path, 0o755) {
            Ok(()) | Err(Errno::EEXIST) => Ok(Reply::Done),
            Err(errno) => Err(errno),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_before_a_slash_names_a_machine() {
        let place = |word: &str| end(word).place.map(|place| place.to_string());
        assert_eq!(place("node01:/tmp/a:b"), Some("node01".to_owned()));
        assert_eq!(place("root@node01:"), Some("root@node01".to_owned()));
        assert_eq!(place("./a:b"), None);
        assert_eq!(place(":x"), None);
    }
}
