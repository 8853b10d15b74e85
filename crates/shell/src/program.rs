//! The shell as an executable: its options, its startup files.
//!
//! Models shell.c of bash.

use std::rc::Rc;

use machine::{Fd, Poll, Program, Signal, Sys, Wake};

use crate::eval::{Frame, Shell, Source};
use crate::interactive::Interactive;
use crate::state::{Flavor, SET_OPTIONS, State};

/// GNU bash.
pub fn bash() -> Box<dyn Program> {
    Main::boxed(Setup::Arguments(Flavor::Bash))
}

/// dash: `sh` of Debian and Ubuntu.
pub fn dash() -> Box<dyn Program> {
    Main::boxed(Setup::Arguments(Flavor::Dash))
}

/// The `sh` of busybox.
pub fn ash() -> Box<dyn Program> {
    Main::boxed(Setup::Arguments(Flavor::Ash))
}

/// A script that is run with bash, each of its top-level commands told to the outside as
/// [`machine::Outside::Command`] when it begins and when it ends. Started with
/// [`machine::Exec::Program`]; the process's arguments become `$0`, `$1` and on.
pub fn script(text: &str) -> Box<dyn Program> {
    Main::boxed(Setup::Told(text.into()))
}

/// A shell that has not looked at its arguments yet, or has.
#[derive(Debug, Clone)]
struct Main {
    setup: Setup,
    shell: Option<Shell>,
}

#[derive(Debug, Clone)]
enum Setup {
    Arguments(Flavor),
    Told(Rc<str>),
}

impl Main {
    fn boxed(setup: Setup) -> Box<dyn Program> {
        Box::new(Main { setup, shell: None })
    }

    fn start(&self, sys: &mut Sys<'_>) -> Result<Shell, i32> {
        match &self.setup {
            Setup::Arguments(flavor) => from_arguments(*flavor, sys),
            Setup::Told(text) => {
                let mut shell = Shell::new(State::new(Flavor::Bash, sys));
                shell.state.names_line = true;
                shell.state.params = sys.args().iter().skip(1).cloned().collect();
                shell.push(Frame::Source(Source::text(text, 1).told()));
                Ok(shell)
            }
        }
    }
}

impl Program for Main {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        if self.shell.is_none() {
            match self.start(sys) {
                Ok(shell) => self.shell = Some(shell),
                Err(code) => return Poll::Exit(code),
            }
        }
        match &mut self.shell {
            Some(shell) => shell.poll(sys, why),
            None => Poll::Pending,
        }
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn handles(&self, signal: Signal) -> bool {
        self.shell
            .as_ref()
            .is_some_and(|shell| shell.handles(signal))
    }
}

/// What the options ask for.
#[derive(Default)]
struct Asked {
    command: bool,
    stdin: bool,
    interactive: bool,
    login: bool,
    norc: bool,
    noprofile: bool,
    rcfile: Option<Rc<str>>,
}

fn from_arguments(flavor: Flavor, sys: &mut Sys<'_>) -> Result<Shell, i32> {
    let args = sys.args();
    let mut shell = Shell::new(State::new(flavor, sys));
    let name: Rc<str> = args.first().cloned().unwrap_or_else(|| "bash".into());
    let login_name = name.starts_with('-');
    let short: Rc<str> = name.trim_start_matches('-').into();
    shell.state.name = short;
    let mut asked = Asked {
        login: login_name,
        ..Asked::default()
    };
    let operands = options(&mut shell, sys, &args[1.min(args.len())..], &mut asked)?;
    let terminal = sys.is_tty(Fd::STDIN) && sys.is_tty(Fd::STDERR);
    let from_stdin = !asked.command && (asked.stdin || operands.is_empty());
    let interactive = asked.interactive || (from_stdin && terminal);
    if asked.command {
        let [text, rest @ ..] = &operands[..] else {
            said(
                sys,
                &format!("{}: -c: option requires an argument\n", shell.state.name),
            );
            return Err(2);
        };
        if let [name, params @ ..] = rest {
            shell.state.arg0 = name.clone();
            shell.state.name = name.clone();
            shell.state.params = params.into();
        }
        shell.state.names_line = !interactive;
        shell.state.function_source = Some("environment");
        shell.allow_exec();
        shell.push(Frame::Source(Source::text(text, 1).called("-c: ")));
    } else if from_stdin {
        shell.state.params = operands.into();
        if !interactive {
            shell.state.names_line = true;
            shell.state.function_source = Some("main");
            shell.push(Frame::Source(Source::stdin()));
        }
    } else {
        script_file(&mut shell, sys, &operands)?;
    }
    if interactive {
        shell.become_interactive(sys, asked.login);
        if from_stdin {
            shell.push(Frame::Source(Source::person()));
        }
    }
    startup_files(&mut shell, sys, &asked, interactive);
    Ok(shell)
}

/// Takes the options and returns the operands.
fn options(
    shell: &mut Shell,
    sys: &mut Sys<'_>,
    args: &[Rc<str>],
    asked: &mut Asked,
) -> Result<Vec<Rc<str>>, i32> {
    let bash = shell.state.flavor == Flavor::Bash;
    let mut rest = args;
    while let Some(first) = rest.first() {
        let on = first.starts_with('-');
        if !(on || first.starts_with('+')) || first.len() < 2 {
            break;
        }
        rest = &rest[1..];
        match &**first {
            "--" => break,
            "--login" => asked.login = true,
            "--norc" => asked.norc = true,
            "--noprofile" => asked.noprofile = true,
            "--posix" | "--noediting" | "--verbose" => {}
            "--rcfile" | "--init-file" => {
                asked.rcfile = rest.first().cloned();
                rest = rest.get(1..).unwrap_or_default();
            }
            "--version" if bash => {
                let version = "GNU bash, version 5.2.21(1)-release (x86_64-pc-linux-gnu)\n";
                let _ = sys.write(Fd::STDOUT, version.as_bytes());
                return Err(0);
            }
            long if long.starts_with("--") => {
                said(
                    sys,
                    &format!("{}: {long}: invalid option\n", shell.state.name),
                );
                return Err(2);
            }
            letters => {
                for letter in letters.chars().skip(1) {
                    match letter {
                        'c' => asked.command = on,
                        's' => asked.stdin = true,
                        'i' => asked.interactive = true,
                        'l' => asked.login = true,
                        'o' | 'O' => {
                            let name = rest.first().cloned().unwrap_or_default();
                            rest = rest.get(1..).unwrap_or_default();
                            if letter == 'o' && !shell.state.options.set(&name, on) {
                                let own = &shell.state.name;
                                said(sys, &format!("{own}: {name}: invalid option name\n"));
                                return Err(2);
                            }
                        }
                        _ => {
                            let known = SET_OPTIONS.iter().find(|(_, own)| *own == letter);
                            let Some((name, _)) = known else {
                                let own = &shell.state.name;
                                said(sys, &format!("{own}: -{letter}: invalid option\n"));
                                return Err(2);
                            };
                            shell.state.options.set(name, on);
                        }
                    }
                }
            }
        }
    }
    Ok(rest.to_vec())
}

fn script_file(shell: &mut Shell, sys: &mut Sys<'_>, operands: &[Rc<str>]) -> Result<(), i32> {
    let [path, params @ ..] = operands else {
        return Ok(());
    };
    let own = shell.state.name.clone();
    let text = match sys.stat(path) {
        Ok(stat) if stat.is_dir() => {
            said(sys, &format!("{own}: {path}: Is a directory\n"));
            return Err(126);
        }
        _ => match sys.read_file(path) {
            Ok(bytes) if bytes.iter().take(200).any(|byte| *byte == 0) => {
                said(
                    sys,
                    &format!("{path}: {path}: cannot execute binary file\n"),
                );
                return Err(126);
            }
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(errno) => {
                said(
                    sys,
                    &match shell.state.flavor {
                        Flavor::Bash => format!("{own}: {path}: {}\n", errno.message()),
                        Flavor::Dash => format!("{own}: 0: cannot open {path}: No such file\n"),
                        Flavor::Ash => format!("{own}: can't open '{path}': {}\n", errno.message()),
                    },
                );
                return Err(if shell.state.flavor == Flavor::Bash {
                    127
                } else {
                    2
                });
            }
        },
    };
    shell.state.arg0 = path.clone();
    shell.state.name = path.clone();
    shell.state.names_line = true;
    shell.state.params = params.into();
    shell.push(Frame::Source(Source::text(&text, 1)));
    Ok(())
}

/// Startup files run before anything else: the last pushed is the first.
fn startup_files(shell: &mut Shell, sys: &mut Sys<'_>, asked: &Asked, interactive: bool) {
    let home = shell.state.home(sys);
    let mut files: Vec<String> = Vec::new();
    if asked.login && !asked.noprofile {
        files.push("/etc/profile".into());
        let own = [".bash_profile", ".bash_login", ".profile"].map(|name| format!("{home}/{name}"));
        files.extend(own.into_iter().find(|path| sys.exists(path)));
    } else if interactive && shell.state.flavor == Flavor::Bash && !asked.norc {
        files.push("/etc/bash.bashrc".into());
        files.push(match &asked.rcfile {
            Some(file) => file.to_string(),
            None => format!("{home}/.bashrc"),
        });
    } else if interactive && let Some(file) = shell.state.vars.text("ENV") {
        files.push(file.to_string());
    }
    for file in files.iter().rev() {
        if let Ok(text) = sys.read_to_string(file) {
            shell.push(Frame::Sourced(None));
            shell.push(Frame::Source(Source::text(&text, 1)));
        }
    }
}

fn said(sys: &mut Sys<'_>, text: &str) {
    let _ = sys.write(Fd::STDERR, text.as_bytes());
}

impl Shell {
    fn become_interactive(&mut self, sys: &mut Sys<'_>, login: bool) {
        self.interactive = Some(Box::new(Interactive::new(login)));
        self.state.options.interactive = true;
        if let Some(tty) = self.tty(sys) {
            // A group of its own, in front: keys reach what it starts, not the shell.
            self.state.options.monitor = true;
            let _ = sys.set_pgrp(sys.pid(), None);
            let _ = sys.tty_foreground(tty, sys.pid());
        }
        let prompt = match self.state.flavor {
            Flavor::Bash => "\\s-\\v\\$ ",
            Flavor::Dash => "\\$ ",
            Flavor::Ash => "\\w \\$ ",
        };
        for (name, text) in [("PS1", prompt), ("PS2", "> ")] {
            if self.state.vars.get(name).is_none() {
                let _ = self.state.vars.set(name, text);
            }
        }
        self.resized(sys);
        self.load_history(sys);
    }
}
