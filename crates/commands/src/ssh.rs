//! `ssh`: a shell or a command on another machine. Models OpenSSH 9.6's ssh.c and clientloop.c.
//!
//! Keys are not modelled: every machine of a world knows the others, and whoever may log in there
//! is let in. Neither are forwarded ports.

mod server;
pub(crate) mod wire;

use std::net::SocketAddrV4;
use std::rc::Rc;

use machine::{Caught, Errno, ExitStatus, Fd, Io, Payload, Signal};
use sim::Duration;

use crate::{Example, Tool, help, resolve};
pub(crate) use server::sshd;
use wire::{BANNER, Screen, Wire};

/// The tool.
pub(crate) const TOOL: Tool = Tool {
    name: "ssh",
    summary: "OpenSSH remote login client",
    usage: "ssh [options] [user@]host [command [argument ...]]",
    examples: EXAMPLES,
    run: |io| Box::pin(main(io)),
    program: || machine::tool_catching(|io| Box::pin(main(io)), CATCHES),
};

const EXAMPLES: &[Example] = &[
    Example {
        command: "ssh nosuch true",
        output: "ssh: Could not resolve hostname nosuch: Temporary failure in name resolution\r\n",
    },
    Example {
        command: "ssh 127.0.0.1 -p 9 true; echo $?",
        output: "ssh: connect to host 127.0.0.1 port 9: Connection refused\r\n255\n",
    },
];

const CATCHES: &[Signal] = &[Signal::Hup, Signal::Int, Signal::Term, Signal::Winch];

const USAGE: &str = "usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-B bind_interface] [-b bind_address]
           [-c cipher_spec] [-D [bind_address:]port] [-E log_file]
           [-e escape_char] [-F configfile] [-I pkcs11] [-i identity_file]
           [-J destination] [-L address] [-l login_name] [-m mac_spec]
           [-O ctl_cmd] [-o option] [-P tag] [-p port] [-R address]
           [-S ctl_path] [-W host:port] [-w local_tun[:remote_tun]]
           destination [command [argument ...]]
       ssh [-Q query_option]
";

/// The code ssh ends with if it, and not the command, fails.
pub(crate) const FAILED: i32 = 255;

/// Where to, as whom, and how.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The name as typed.
    pub(crate) host: Rc<str>,
    /// The user there.
    pub(crate) user: Rc<str>,
    /// The port.
    pub(crate) port: u16,
    /// When to give up connecting.
    pub(crate) limit: Option<Duration>,
    /// Whether warnings and notes are left out.
    pub(crate) quiet: bool,
}

/// What the command line says.
struct Line {
    target: Target,
    command: Option<Rc<str>>,
    /// `-t` given so many times; `-T` is none at all.
    tty: Option<bool>,
    no_input: bool,
    no_command: bool,
}

async fn main(io: Io) -> i32 {
    if help::wanted(&io) {
        return help::show(&io, TOOL.usage, TOOL.summary, EXAMPLES).await;
    }
    let line = match read(&io) {
        Ok(line) => line,
        Err(message) => {
            io.eprint(&message).await;
            return if message.starts_with("OpenSSH") {
                0
            } else {
                FAILED
            };
        }
    };
    let fd = match open(&io, &line.target).await {
        Ok(fd) => fd,
        Err(message) => {
            io.eprint(&message).await;
            return FAILED;
        }
    };
    let terminal = io.sys(|sys| sys.is_tty(Fd::STDIN)).await;
    let wants_tty = line.tty.unwrap_or(line.command.is_none());
    if wants_tty && !terminal && !line.target.quiet {
        let note = "Pseudo-terminal will not be allocated because stdin is not a terminal.\r\n";
        io.eprint(note).await;
    }
    let tty = wants_tty && terminal;
    if !line.no_command {
        let size = io
            .sys(|sys| sys.tty_size(Fd::STDIN))
            .await
            .unwrap_or((80, 24));
        let term = io.env("TERM").unwrap_or_else(|| "xterm".into());
        let screen = tty.then_some(Screen {
            columns: size.0,
            rows: size.1,
            term,
        });
        send(
            &io,
            fd,
            Wire::Open {
                command: line.command.clone(),
                screen,
            },
        )
        .await;
    }
    if tty {
        let _ = io.sys(|sys| sys.tty_raw(Fd::STDIN, true)).await;
    }
    let end = pump(&io, fd, &line, tty).await;
    if tty {
        let _ = io.sys(|sys| sys.tty_raw(Fd::STDIN, false)).await;
    }
    finish(&io, &line.target, tty, end).await
}

/// How a session ended.
enum End {
    /// The command did.
    Exit(ExitStatus),
    /// The user cut it off.
    Cut,
    /// The other side is gone.
    Lost(Option<Errno>),
    /// A signal ended the client.
    Signalled,
}

async fn finish(io: &Io, target: &Target, tty: bool, end: End) -> i32 {
    let host = &target.host;
    match end {
        End::Exit(status) => {
            if tty && !target.quiet {
                io.eprint(&format!("Connection to {host} closed.\r\n"))
                    .await;
            }
            match status {
                ExitStatus::Code(code) => code,
                ExitStatus::Signal(_) => FAILED,
            }
        }
        End::Cut => {
            io.eprint(&format!("Connection to {host} closed.\r\n"))
                .await;
            FAILED
        }
        End::Lost(None) => {
            io.eprint(&format!("Connection to {host} closed by remote host.\r\n"))
                .await;
            if tty {
                io.eprint(&format!("Connection to {host} closed.\r\n"))
                    .await;
            }
            FAILED
        }
        End::Lost(Some(errno)) => {
            let why = errno.message();
            io.eprint(&format!("client_loop: send disconnect: {why}\r\n"))
                .await;
            FAILED
        }
        End::Signalled => FAILED,
    }
}

/// Connects and logs in: a descriptor, or what to say.
pub(crate) async fn open(io: &Io, target: &Target) -> Result<Fd, String> {
    let Target {
        host,
        user,
        port,
        limit,
        ..
    } = target;
    let ip = resolve::name(io, host).await.map_err(|fault| {
        let why = fault.message();
        format!("ssh: Could not resolve hostname {host}: {why}\r\n")
    })?;
    let fd = io
        .connect(SocketAddrV4::new(ip, *port), *limit)
        .await
        .map_err(|errno| {
            format!(
                "ssh: connect to host {host} port {port}: {}\r\n",
                errno.message()
            )
        })?;
    let lost = || {
        format!(
            "kex_exchange_identification: Connection closed by remote host\r\n\
             Connection closed by {ip} port {port}\r\n"
        )
    };
    match io.recv(fd).await {
        Ok(Some(banner)) if banner.bytes().starts_with(b"SSH-") => {}
        Ok(Some(_)) => {
            return Err(format!(
                "Bad remote protocol version identification from {ip} port {port}\r\n"
            ));
        }
        Err(Errno::ECONNRESET) => {
            return Err(format!(
                "kex_exchange_identification: read: Connection reset by peer\r\n\
                 Connection reset by {ip} port {port}\r\n"
            ));
        }
        Ok(None) | Err(_) => return Err(lost()),
    }
    let _ = io.send(fd, BANNER.as_bytes().into()).await;
    send(io, fd, Wire::Login { user: user.clone() }).await;
    match Wire::of(io.recv(fd).await.ok().flatten()).as_deref() {
        Some(Wire::Welcome) => Ok(fd),
        Some(Wire::Refused) => Err(format!("{user}@{host}: Permission denied (publickey).\r\n")),
        _ => Err(lost()),
    }
}

pub(crate) async fn send(io: &Io, fd: Fd, wire: Wire) {
    // A server that is gone shows when the next message is awaited.
    let _ = io.send(fd, wire.payload()).await;
}

/// What came next, from either side.
#[derive(Clone)]
enum Next {
    Remote(Payload),
    Lost(Option<Errno>),
    Typed(Rc<[u8]>),
    Resized(u16, u16),
    Signalled,
}

/// Carries bytes both ways until the command ends.
async fn pump(io: &Io, fd: Fd, line: &Line, tty: bool) -> End {
    let mut typing = !line.no_input && !line.no_command;
    if !typing && !line.no_command {
        send(io, fd, Wire::Eof).await;
    }
    let mut size = io.sys(|sys| sys.tty_size(Fd::STDIN)).await.ok();
    let mut escape = Escape::default();
    loop {
        match next(io, fd, typing, size.filter(|_| tty)).await {
            Next::Remote(payload) => match Wire::of(Some(payload)).as_deref() {
                Some(Wire::Data(bytes)) => io.write_all(Fd::STDOUT, bytes).await,
                Some(Wire::Error(bytes)) => io.write_all(Fd::STDERR, bytes).await,
                Some(Wire::Exit(status)) => return End::Exit(*status),
                _ => {}
            },
            Next::Lost(errno) => return End::Lost(errno),
            Next::Typed(bytes) if bytes.is_empty() => {
                typing = false;
                send(io, fd, Wire::Eof).await;
            }
            Next::Typed(bytes) => {
                if tty && escape.cuts(&bytes) {
                    return End::Cut;
                }
                send(io, fd, Wire::Data(bytes)).await;
            }
            Next::Resized(columns, rows) => {
                size = Some((columns, rows));
                send(io, fd, Wire::Resize(columns, rows)).await;
            }
            Next::Signalled => return End::Signalled,
        }
    }
}

async fn next(io: &Io, fd: Fd, typing: bool, size: Option<(u16, u16)>) -> Next {
    let caught: Caught = io.caught();
    io.until(move |sys| {
        while let Some(signal) = caught.take() {
            if signal != Signal::Winch {
                return Some(Next::Signalled);
            }
        }
        match sys.recv(fd) {
            Ok(Some(payload)) => return Some(Next::Remote(payload)),
            Ok(None) => return Some(Next::Lost(None)),
            Err(Errno::EAGAIN) => {}
            Err(Errno::ECONNRESET) => return Some(Next::Lost(None)),
            Err(errno) => return Some(Next::Lost(Some(errno))),
        }
        if let Ok(now) = sys.tty_size(Fd::STDIN)
            && size.is_some_and(|size| size != now)
        {
            return Some(Next::Resized(now.0, now.1));
        }
        match typing.then(|| sys.read(Fd::STDIN, 32_768)) {
            Some(Ok(bytes)) => Some(Next::Typed(bytes)),
            Some(Err(Errno::EAGAIN)) | None => None,
            Some(Err(_)) => Some(Next::Typed(Rc::from([]))),
        }
    })
    .await
}

/// `~.` at the beginning of a line cuts the connection.
struct Escape {
    at_start: bool,
    tilde: bool,
}

impl Default for Escape {
    fn default() -> Self {
        Escape {
            at_start: true,
            tilde: false,
        }
    }
}

impl Escape {
    fn cuts(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            if self.tilde && *byte == b'.' {
                return true;
            }
            self.tilde = self.at_start && *byte == b'~';
            self.at_start = matches!(byte, b'\r' | b'\n');
        }
        false
    }
}

/// Reads the command line; the error is what to say.
fn read(io: &Io) -> Result<Line, String> {
    let mut target = Target {
        host: "".into(),
        user: io
            .env("USER")
            .or_else(|| io.env("LOGNAME"))
            .unwrap_or_else(|| "root".into()),
        port: 22,
        limit: None,
        quiet: false,
    };
    let (mut tty, mut no_input, mut no_command) = (None, false, false);
    let mut command: Vec<Rc<str>> = Vec::new();
    let mut rest = io.args().iter().skip(1).cloned();
    while let Some(word) = rest.next() {
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            if target.host.is_empty() {
                place(&mut target, &word)?;
                continue;
            }
            command = std::iter::once(word).chain(rest).collect();
            break;
        };
        if &*word == "--" {
            continue;
        }
        for (at, letter) in letters.char_indices() {
            match letter {
                't' => tty = Some(true),
                'T' => tty = Some(false),
                'n' => no_input = true,
                'N' => no_command = true,
                'q' => target.quiet = true,
                'V' => {
                    return Err(
                        "OpenSSH_9.6p1 Ubuntu-3ubuntu13.14, OpenSSL 3.0.13 30 Jan 2024\n".into(),
                    );
                }
                '4' | '6' | 'A' | 'a' | 'C' | 'f' | 'G' | 'g' | 'K' | 'k' | 'M' | 's' | 'v'
                | 'X' | 'x' | 'Y' | 'y' => {}
                'B' | 'b' | 'c' | 'D' | 'E' | 'e' | 'F' | 'I' | 'i' | 'J' | 'L' | 'l' | 'm'
                | 'O' | 'o' | 'P' | 'p' | 'Q' | 'R' | 'S' | 'W' | 'w' => {
                    let attached = &letters[at + letter.len_utf8()..];
                    let value = match attached {
                        "" => rest.next().ok_or_else(|| {
                            format!("ssh: option requires an argument -- {letter}\n{USAGE}")
                        })?,
                        attached => attached.into(),
                    };
                    option(&mut target, letter, &value)?;
                    break;
                }
                letter => return Err(format!("ssh: unknown option -- {letter}\n{USAGE}")),
            }
        }
    }
    if target.host.is_empty() {
        return Err(USAGE.to_owned());
    }
    let command = (!command.is_empty()).then(|| Rc::from(command.join(" ")));
    Ok(Line {
        target,
        command,
        tty,
        no_input,
        no_command,
    })
}

/// `[user@]host` or `ssh://[user@]host[:port]`.
pub(crate) fn place(target: &mut Target, word: &str) -> Result<(), String> {
    let word = match word.strip_prefix("ssh://") {
        Some(rest) => match rest.rsplit_once(':') {
            Some((rest, port)) => {
                target.port = port.parse().map_err(|_| format!("Bad port '{port}'\r\n"))?;
                rest
            }
            None => rest,
        },
        None => word,
    };
    match word.rsplit_once('@') {
        Some((user, host)) => {
            target.user = user.into();
            target.host = host.into();
        }
        None => target.host = word.into(),
    }
    Ok(())
}

/// An option that has a value; those that only matter for keys and ciphers change nothing here.
pub(crate) fn option(target: &mut Target, letter: char, value: &str) -> Result<(), String> {
    match letter {
        'l' => target.user = value.into(),
        'p' | 'P' => {
            target.port = value
                .parse()
                .map_err(|_| format!("Bad port '{value}'\r\n"))?
        }
        'D' | 'J' | 'L' | 'R' | 'W' | 'w' => {
            return Err(format!(
                "ssh: -{letter}: {}\r\n",
                sim::unmodelled!("forwarding over ssh")
            ));
        }
        'o' => {
            let (name, value) = value.split_once(['=', ' ']).unwrap_or((value, ""));
            match name.to_ascii_lowercase().as_str() {
                "connecttimeout" => {
                    target.limit = value.trim().parse().ok().map(Duration::from_secs)
                }
                "port" => return option(target, 'p', value.trim()),
                "user" => target.user = value.trim().into(),
                "loglevel" => target.quiet = matches!(value.trim(), "QUIET" | "FATAL" | "ERROR"),
                _ => {}
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escape_counts_at_the_beginning_of_a_line() {
        let cuts = |keys: &str| Escape::default().cuts(keys.as_bytes());
        assert!(cuts("~."));
        assert!(cuts("ls\r~."));
        assert!(!cuts("a~."));
        assert!(!cuts("~x."));
    }
}
