//! curl's command line: long options take their value as the next word, unlike GNU's.
//! Models src/tool_getparam.c.

use std::rc::Rc;
use std::str::FromStr;

use sim::Duration;

/// What was given.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    options: Vec<(&'static str, Rc<str>)>,
    /// The addresses, in order.
    pub(super) urls: Vec<Rc<str>>,
}

/// A command line that makes no sense.
#[derive(Debug)]
pub(super) struct Misuse {
    /// Lines to say.
    pub(super) message: String,
    /// Whether the manual is recommended too.
    pub(super) try_manual: bool,
}

/// Letter (or a space), name, whether it takes a value.
const OPTIONS: &[(char, &str, bool)] = &[
    ('#', "progress-bar", false),
    ('0', "http1.0", false),
    ('1', "tlsv1", false),
    ('4', "ipv4", false),
    ('6', "ipv6", false),
    ('A', "user-agent", true),
    ('D', "dump-header", true),
    ('E', "cert", true),
    ('G', "get", false),
    ('H', "header", true),
    ('I', "head", false),
    ('L', "location", false),
    ('N', "no-buffer", false),
    ('O', "remote-name", false),
    ('R', "remote-time", false),
    ('S', "show-error", false),
    ('T', "upload-file", true),
    ('V', "version", false),
    ('X', "request", true),
    ('b', "cookie", true),
    ('d', "data", true),
    ('e', "referer", true),
    ('f', "fail", false),
    ('g', "globoff", false),
    ('h', "help", false),
    ('i', "include", false),
    ('j', "junk-session-cookies", false),
    ('k', "insecure", false),
    ('m', "max-time", true),
    ('n', "netrc", false),
    ('o', "output", true),
    ('q', "disable", false),
    ('s', "silent", false),
    ('u', "user", true),
    ('v', "verbose", false),
    ('w', "write-out", true),
    (' ', "cacert", true),
    (' ', "capath", true),
    (' ', "compressed", false),
    (' ', "connect-timeout", true),
    (' ', "connect-to", true),
    (' ', "create-dirs", false),
    (' ', "data-ascii", true),
    (' ', "data-binary", true),
    (' ', "data-raw", true),
    (' ', "data-urlencode", true),
    (' ', "fail-early", false),
    (' ', "fail-with-body", false),
    (' ', "http1.1", false),
    (' ', "http2", false),
    (' ', "http2-prior-knowledge", false),
    (' ', "json", true),
    (' ', "key", true),
    (' ', "location-trusted", false),
    (' ', "max-redirs", true),
    (' ', "no-keepalive", false),
    (' ', "no-progress-meter", false),
    (' ', "noproxy", true),
    (' ', "oauth2-bearer", true),
    (' ', "output-dir", true),
    (' ', "path-as-is", false),
    (' ', "resolve", true),
    (' ', "retry", true),
    (' ', "retry-all-errors", false),
    (' ', "retry-connrefused", false),
    (' ', "retry-delay", true),
    (' ', "retry-max-time", true),
    (' ', "tlsv1.2", false),
    (' ', "tlsv1.3", false),
    (' ', "url", true),
];

/// Reads a command line.
pub(super) fn read(args: &[Rc<str>]) -> Result<Given, Misuse> {
    let mut given = Given::default();
    let mut rest = args.iter().skip(1);
    let mut ended = false;
    while let Some(arg) = rest.next() {
        if ended || !arg.starts_with('-') || arg.len() == 1 {
            given.urls.push(arg.clone());
        } else if &**arg == "--" {
            ended = true;
        } else if let Some(name) = arg.strip_prefix("--") {
            let (name, off) = match name.strip_prefix("no-").filter(|_| find(name).is_none()) {
                Some(positive) => (positive, true),
                None => (name, false),
            };
            let (name, takes) = find(name).ok_or_else(|| unknown(arg))?;
            if off {
                given.options.retain(|(own, _)| *own != name);
                continue;
            }
            let value = if takes {
                rest.next().cloned().ok_or_else(|| lacks(arg))?
            } else {
                "".into()
            };
            given.add(name, value);
        } else {
            for (at, letter) in arg.char_indices().skip(1) {
                let option = OPTIONS
                    .iter()
                    .find(|(own, ..)| *own == letter && letter != ' ');
                let (_, name, takes) = option.ok_or_else(|| unknown(arg))?;
                if !takes {
                    given.add(name, "".into());
                    continue;
                }
                let attached = &arg[at + letter.len_utf8()..];
                let value = match attached {
                    "" => rest
                        .next()
                        .cloned()
                        .ok_or_else(|| lacks(&format!("-{letter}")))?,
                    attached => attached.into(),
                };
                given.add(name, value);
                break;
            }
        }
    }
    if given.urls.is_empty() && !given.on("version") && !given.on("help") {
        // With no words at all there is only the hint.
        let message = match args.len() {
            0 | 1 => String::new(),
            _ => "curl: (2) no URL specified\n".to_owned(),
        };
        return Err(Misuse {
            message,
            try_manual: true,
        });
    }
    for name in [
        "max-time",
        "connect-timeout",
        "retry",
        "max-redirs",
        "retry-delay",
    ] {
        let fits = given
            .value(name)
            .is_none_or(|text| text.parse::<f64>().is_ok());
        if !fits {
            let message = format!("curl: option --{name}: expected a proper numerical parameter\n");
            return Err(Misuse {
                message,
                try_manual: false,
            });
        }
    }
    Ok(given)
}

/// An option by its name or the beginning of it.
fn find(name: &str) -> Option<(&'static str, bool)> {
    let exact = OPTIONS.iter().find(|(_, own, _)| *own == name);
    let option = exact.or_else(|| {
        let mut fits = OPTIONS
            .iter()
            .filter(|(_, own, _)| own.starts_with(name) && !name.is_empty());
        fits.next().filter(|_| fits.next().is_none())
    });
    option.map(|(_, name, takes)| (*name, *takes))
}

fn unknown(arg: &str) -> Misuse {
    let name = arg.strip_prefix("--").filter(|name| !name.is_empty());
    let several = name.is_some_and(|name| OPTIONS.iter().any(|(_, own, _)| own.starts_with(name)));
    let what = if several { "ambiguous" } else { "unknown" };
    Misuse {
        message: format!("curl: option {arg}: is {what}\n"),
        try_manual: true,
    }
}

fn lacks(arg: &str) -> Misuse {
    Misuse {
        message: format!("curl: option {arg}: requires parameter\n"),
        try_manual: true,
    }
}

impl Given {
    fn add(&mut self, name: &'static str, value: Rc<str>) {
        match name {
            "url" => self.urls.push(value),
            name => self.options.push((name, value)),
        }
    }

    /// Whether an option was given.
    pub(super) fn on(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The value of an option, the last one given.
    pub(super) fn value(&self, name: &str) -> Option<&Rc<str>> {
        self.options
            .iter()
            .rev()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value)
    }

    /// All values of an option.
    pub(super) fn values(&self, name: &str) -> Vec<Rc<str>> {
        self.of(&[name])
            .into_iter()
            .map(|(_, value)| value)
            .collect()
    }

    /// All options of these names, in order.
    pub(super) fn of(&self, names: &[&str]) -> Vec<(&'static str, Rc<str>)> {
        let wanted = self.options.iter().filter(|(own, _)| names.contains(own));
        wanted.cloned().collect()
    }

    /// The value of an option as a number.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.value(name)?.parse().ok()
    }

    /// The value of an option as a span of seconds; zero is none.
    pub(super) fn seconds(&self, name: &str) -> Option<Duration> {
        let millis = (self.number::<f64>(name)? * 1000.0) as u64;
        (millis > 0).then(|| Duration::from_millis(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let args: Vec<Rc<str>> = line.split(' ').map(Rc::from).collect();
        let said = match read(&args) {
            Ok(given) => {
                let options: Vec<String> = given
                    .options
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                format!("{} | {}", options.join(" "), given.urls.join(" "))
            }
            Err(misuse) => misuse.message,
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn command_lines() {
        check(
            "curl -sSo /dev/null -w%{http_code} a",
            "silent= show-error= output=/dev/null write-out=%{http_code} | a",
        );
        check(
            "curl a --max-time 3 --connect-ti 2 b",
            "max-time=3 connect-timeout=2 | a b",
        );
        check(
            "curl --connect-t 2 b",
            "curl: option --connect-t: is ambiguous\n",
        );
        check("curl -s --no-silent a", " | a");
        check(
            "curl --max-time=3 a",
            "curl: option --max-time=3: is unknown\n",
        );
        check("curl -m", "curl: option -m: requires parameter\n");
        check("curl -s", "curl: (2) no URL specified\n");
        check(
            "curl -m x a",
            "curl: option --max-time: expected a proper numerical parameter\n",
        );
        check("curl", "");
    }
}
