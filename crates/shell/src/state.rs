//! What a shell knows that its commands can ask for or change: variables, parameters, options,
//! functions, aliases. Not what it is in the middle of doing.

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::Sys;
use sim::{Instant, Pid};

use crate::syntax::Aliases;
use crate::syntax::ir::Command;
use crate::vars::{Env, Value, Variable, Vars};

/// Which shell this is: they differ in how they say things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// GNU bash.
    Bash,
    /// dash, the `sh` of Debian and Ubuntu.
    Dash,
    /// The `sh` of busybox.
    Ash,
}

/// Options of `set` and `shopt`.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `-a`
    pub allexport: bool,
    /// `-e`
    pub errexit: bool,
    /// `-f`
    pub noglob: bool,
    /// `-n`
    pub noexec: bool,
    /// `-u`
    pub nounset: bool,
    /// `-v`
    pub verbose: bool,
    /// `-x`
    pub xtrace: bool,
    /// `-C`
    pub noclobber: bool,
    /// `-m`
    pub monitor: bool,
    /// `-o pipefail`
    pub pipefail: bool,
    /// `-i`: it talks to a person.
    pub interactive: bool,
    /// `-o posix` and the `-o` options that change nothing here.
    pub others: Vec<&'static str>,
    /// What `shopt` switched away from its default.
    pub shopt: Rc<BTreeMap<&'static str, bool>>,
}

/// `set -o` names and letters, in the order bash lists them.
pub(crate) const SET_OPTIONS: &[(&str, char)] = &[
    ("allexport", 'a'),
    ("braceexpand", 'B'),
    ("emacs", ' '),
    ("errexit", 'e'),
    ("errtrace", 'E'),
    ("functrace", 'T'),
    ("hashall", 'h'),
    ("histexpand", 'H'),
    ("history", ' '),
    ("ignoreeof", ' '),
    ("interactive-comments", ' '),
    ("keyword", 'k'),
    ("monitor", 'm'),
    ("noclobber", 'C'),
    ("noexec", 'n'),
    ("noglob", 'f'),
    ("nolog", ' '),
    ("notify", 'b'),
    ("nounset", 'u'),
    ("onecmd", 't'),
    ("physical", 'P'),
    ("pipefail", ' '),
    ("posix", ' '),
    ("privileged", 'p'),
    ("verbose", 'v'),
    ("vi", ' '),
    ("xtrace", 'x'),
];

/// Options of `shopt` and whether they are on at first.
pub(crate) const SHOPT: &[(&str, bool)] = &[
    ("autocd", false),
    ("cdspell", false),
    ("checkhash", false),
    ("checkwinsize", true),
    ("cmdhist", true),
    ("complete_fullquote", true),
    ("dotglob", false),
    ("expand_aliases", false),
    ("extglob", false),
    ("failglob", false),
    ("globstar", false),
    ("histappend", false),
    ("hostcomplete", true),
    ("inherit_errexit", false),
    ("interactive_comments", true),
    ("lastpipe", false),
    ("login_shell", false),
    ("nocaseglob", false),
    ("nocasematch", false),
    ("nullglob", false),
    ("progcomp", true),
    ("promptvars", true),
    ("sourcepath", true),
];

impl Options {
    /// The switch of a `set -o` name; `None` for one that is only remembered.
    pub fn switch(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "allexport" => &mut self.allexport,
            "errexit" => &mut self.errexit,
            "noglob" => &mut self.noglob,
            "noexec" => &mut self.noexec,
            "nounset" => &mut self.nounset,
            "verbose" => &mut self.verbose,
            "xtrace" => &mut self.xtrace,
            "noclobber" => &mut self.noclobber,
            "monitor" => &mut self.monitor,
            "pipefail" => &mut self.pipefail,
            _ => return None,
        })
    }

    /// Sets a `set -o` option; false if there is none of this name.
    pub fn set(&mut self, name: &str, on: bool) -> bool {
        if let Some(switch) = self.switch(name) {
            *switch = on;
            return true;
        }
        let Some((name, _)) = SET_OPTIONS.iter().find(|(own, _)| *own == name) else {
            return false;
        };
        self.others.retain(|own| own != name);
        if on != starts_on(name) {
            self.others.push(name);
        }
        true
    }

    /// Whether a `set -o` option is on.
    pub fn is_on(&mut self, name: &str) -> bool {
        match self.switch(name) {
            Some(switch) => *switch,
            None => starts_on(name) != self.others.contains(&name),
        }
    }

    /// Whether a `shopt` option is on.
    pub fn shopt(&self, name: &str) -> bool {
        let default = SHOPT
            .iter()
            .find(|(own, _)| *own == name)
            .is_some_and(|(_, on)| *on);
        self.shopt.get(name).copied().unwrap_or(default)
    }

    /// `$-`
    pub fn letters(&self) -> String {
        let mut letters = String::new();
        for (letter, on) in [
            ('a', self.allexport),
            ('e', self.errexit),
            ('f', self.noglob),
            ('h', true),
            ('i', self.interactive),
            ('m', self.monitor),
            ('n', self.noexec),
            ('u', self.nounset),
            ('v', self.verbose),
            ('x', self.xtrace),
            ('B', true),
            ('C', self.noclobber),
            ('H', self.interactive),
        ] {
            if on {
                letters.push(letter);
            }
        }
        letters
    }
}

fn starts_on(name: &str) -> bool {
    matches!(name, "braceexpand" | "hashall" | "interactive-comments")
}

/// See the module.
#[derive(Debug, Clone)]
pub struct State {
    /// Which shell it is.
    pub flavor: Flavor,
    /// Variables.
    pub vars: Vars,
    /// `$0`
    pub arg0: Rc<str>,
    /// How it calls itself in messages: `bash`, `bash: line 3`, `./script.sh: line 3`.
    pub name: Rc<str>,
    /// Whether messages name the line.
    pub names_line: bool,
    /// The name while a function runs, where the functions come from no file.
    pub function_source: Option<&'static str>,
    /// `$1` and on.
    pub params: Rc<[Rc<str>]>,
    /// `$?`
    pub status: i32,
    /// `PIPESTATUS`
    pub pipe_status: Vec<i32>,
    /// `$!`
    pub last_background: Option<Pid>,
    /// `$$`: the process of the first shell, whatever subshell this is.
    pub pid: Pid,
    /// `$_`
    pub last_argument: Rc<str>,
    /// Options.
    pub options: Options,
    /// Functions by name.
    pub functions: Rc<BTreeMap<Rc<str>, Rc<Command>>>,
    /// Aliases by name.
    pub aliases: Rc<Aliases>,
    /// Names of the functions being run, innermost last, with the line each was called from.
    pub calls: Vec<(Rc<str>, u32)>,
    /// The line being run.
    pub line: u32,
    /// When the shell began, for `$SECONDS`.
    pub started: Instant,
    /// The generator behind `$RANDOM`, seeded from the machine when first used.
    pub random: Option<u32>,
    /// `umask`
    pub umask: u32,
    /// Directories of `pushd`.
    pub dirs: Vec<Rc<str>>,
    /// The status of the last command substitution, which a bare assignment takes over.
    pub substituted: Option<i32>,
    /// What `set -x` shows of a condition that was just tested.
    pub(crate) traced: Vec<String>,
}

impl State {
    /// A shell's state at its start, from the process it is.
    pub fn new(flavor: Flavor, sys: &mut Sys<'_>) -> State {
        let env: Env = sys.env();
        let mut vars = Vars::from_env(&env);
        let cwd = sys.cwd();
        let pwd_is_right = vars.text("PWD").is_some_and(|pwd| pwd == cwd);
        let mut default = |name: &str, text: Rc<str>| {
            if vars.get(name).is_none() {
                vars.entry(name).value = Value::Text(text);
            }
        };
        if flavor == Flavor::Bash {
            default("BASH_VERSION", "5.2.21(1)-release".into());
            default("HOSTTYPE", "x86_64".into());
            default("OSTYPE", "linux-gnu".into());
            default("MACHTYPE", "x86_64-pc-linux-gnu".into());
            default("BASH", "/bin/bash".into());
        }
        default(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into(),
        );
        default("HOSTNAME", sys.hostname());
        default("PS4", "+ ".into());
        default("OPTIND", "1".into());
        let uid: Rc<str> = sys.uid().to_string().into();
        for name in ["UID", "EUID"] {
            let value = Value::Text(uid.clone());
            let variable = Variable {
                value,
                readonly: true,
                integer: true,
                ..Variable::default()
            };
            *vars.entry(name) = variable;
        }
        vars.entry("IFS").value = Value::Text(" \t\n".into());
        if !pwd_is_right {
            vars.entry("PWD").value = Value::Text(cwd);
        }
        vars.entry("PWD").exported = true;
        let level = vars
            .text("SHLVL")
            .and_then(|text| text.parse::<i64>().ok())
            .unwrap_or(0);
        let shlvl = Variable {
            value: Value::Text((level + 1).to_string().into()),
            exported: true,
            ..Variable::default()
        };
        *vars.entry("SHLVL") = shlvl;
        let ppid = sys
            .host()
            .process(sys.pid())
            .map_or(Pid(0), |process| process.ppid);
        let value = Value::Text(ppid.0.to_string().into());
        let variable = Variable {
            value,
            readonly: true,
            integer: true,
            ..Variable::default()
        };
        *vars.entry("PPID") = variable;
        let arg0 = sys.args().first().cloned().unwrap_or_else(|| "bash".into());
        State {
            flavor,
            vars,
            name: arg0.clone(),
            arg0,
            names_line: false,
            function_source: None,
            params: Rc::from([]),
            status: 0,
            pipe_status: vec![0],
            last_background: None,
            pid: sys.pid(),
            last_argument: "".into(),
            options: Options::default(),
            functions: Rc::default(),
            aliases: Rc::default(),
            calls: Vec::new(),
            line: 0,
            started: sys.now(),
            random: None,
            umask: 0o022,
            dirs: Vec::new(),
            substituted: None,
            traced: Vec::new(),
        }
    }

    /// A variable's text, or what stands in for an unset one.
    pub fn text_or(&self, name: &str, default: &str) -> Rc<str> {
        self.vars.text(name).unwrap_or_else(|| default.into())
    }

    /// What stands before a message: `bash: line 3: `.
    pub fn prefix(&self) -> String {
        match (self.names_line, self.flavor) {
            (false, _) | (true, Flavor::Ash) => format!("{}: ", self.name),
            (true, Flavor::Bash) => {
                let source = self.function_source.filter(|_| !self.calls.is_empty());
                format!("{}: line {}: ", source.unwrap_or(&self.name), self.line)
            }
            (true, Flavor::Dash) => format!("{}: {}: ", self.name, self.line),
        }
    }

    /// Home directory.
    pub fn home(&self, sys: &Sys<'_>) -> Rc<str> {
        self.vars.text("HOME").unwrap_or_else(|| {
            let uid = sys.uid();
            sys.host()
                .users()
                .into_iter()
                .find(|user| user.uid == uid)
                .map_or_else(|| "/".into(), |user| user.home)
        })
    }

    /// The value of a variable the shell itself makes up when asked.
    pub fn dynamic(&mut self, name: &str, sys: &mut Sys<'_>) -> Option<Value> {
        let text = |text: String| Some(Value::Text(text.into()));
        match name {
            "RANDOM" => text((self.next_random(sys) & 0x7fff).to_string()),
            "SRANDOM" => {
                let high = self.next_random(sys) << 16;
                text((high ^ self.next_random(sys)).to_string())
            }
            "LINENO" => text(self.line.to_string()),
            "SECONDS" => text(sys.now().since(self.started).as_secs().to_string()),
            "EPOCHSECONDS" => text(sys.now().unix_secs().to_string()),
            "BASHPID" => text(sys.pid().0.to_string()),
            "FUNCNAME" if !self.calls.is_empty() => {
                let names = self.calls.iter().rev().map(|(name, _)| name.clone());
                let elements = names
                    .enumerate()
                    .map(|(i, name)| (i as u64, name))
                    .collect();
                Some(Value::Indexed(Rc::new(elements)))
            }
            "PIPESTATUS" => {
                let texts = self
                    .pipe_status
                    .iter()
                    .map(|status| Rc::from(status.to_string()));
                let elements = texts
                    .enumerate()
                    .map(|(i, text)| (i as u64, text))
                    .collect();
                Some(Value::Indexed(Rc::new(elements)))
            }
            "DIRSTACK" => Some(Value::Text(sys.cwd())),
            _ => None,
        }
    }

    /// The generator of bash's `$RANDOM`: a Park-Miller sequence.
    fn next_random(&mut self, sys: &mut Sys<'_>) -> u32 {
        let seed = match self.random {
            Some(seed) => seed,
            None => u32::try_from(sys.random().below(0x7fff_fffe)).unwrap_or(1) + 1,
        };
        let next = (u64::from(seed) * 16807 % 0x7fff_ffff) as u32;
        self.random = Some(next);
        (next >> 16) ^ (next & 0xffff)
    }
}
