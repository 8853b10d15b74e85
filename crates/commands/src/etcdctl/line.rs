//! Command lines as etcd's two tools read them, flags before and behind words, and the variables
//! that stand for flags.
//!
//! Models github.com/spf13/pflag and client/pkg/flags.

use std::rc::Rc;

use machine::Io;

/// A flag: its name, its letter (or a blank), and whether it takes a value.
pub(crate) type Spec = (&'static str, char, bool);

/// A command line taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    flags: Vec<(&'static str, Rc<str>)>,
    /// The words that are no flags: the command and its arguments.
    pub(crate) words: Vec<Rc<str>>,
}

impl Line {
    /// Takes a command line apart; the error is what stands behind `Error: `.
    pub(crate) fn read(specs: &[&[Spec]], args: &[Rc<str>]) -> Result<Line, String> {
        let mut line = Line::default();
        let specs = || specs.iter().flat_map(|list| list.iter());
        let mut rest = args.iter().skip(1);
        while let Some(arg) = rest.next() {
            if &**arg == "--" {
                line.words.extend(rest.cloned());
                break;
            }
            let (spec, attached) = if let Some(long) = arg.strip_prefix("--") {
                let (name, value) = long
                    .split_once('=')
                    .map_or((long, None), |(n, v)| (n, Some(v)));
                let spec = specs().find(|(known, _, _)| *known == name);
                (
                    spec.ok_or_else(|| format!("unknown flag: --{name}"))?,
                    value,
                )
            } else if let Some(short) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                let letter = short.chars().next().unwrap_or('-');
                let spec = specs().find(|(_, known, _)| *known == letter);
                let spec =
                    spec.ok_or_else(|| format!("unknown shorthand flag: '{letter}' in -{short}"))?;
                let value = &short[letter.len_utf8()..];
                let value = value.strip_prefix('=').unwrap_or(value);
                (spec, (!value.is_empty()).then_some(value))
            } else {
                line.words.push(arg.clone());
                continue;
            };
            let value: Rc<str> = match (attached, spec.2) {
                (Some(value), _) => value.into(),
                (None, false) => "true".into(),
                (None, true) => match rest.next() {
                    Some(value) => value.clone(),
                    None if arg.starts_with("--") => {
                        return Err(format!("flag needs an argument: --{}", spec.0));
                    }
                    None => {
                        return Err(format!("flag needs an argument: '{}' in {arg}", spec.1));
                    }
                },
            };
            line.flags.push((spec.0, value));
        }
        Ok(line)
    }

    /// The value of a flag, the last one given.
    pub(crate) fn get(&self, name: &str) -> Option<Rc<str>> {
        let given = self.flags.iter().rev().find(|(known, _)| *known == name);
        given.map(|(_, value)| value.clone())
    }

    /// The same, or what the variable `ETCDCTL_…` says.
    pub(crate) fn get_or_env(&self, io: &Io, name: &str) -> Option<Rc<str>> {
        let variable = format!("ETCDCTL_{}", name.replace('-', "_").to_uppercase());
        self.get(name).or_else(|| io.env(&variable))
    }

    /// Whether a flag without a value is set.
    pub(crate) fn on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| &*value == "true")
    }

    /// A number; an error as pflag has it.
    pub(crate) fn number(&self, name: &str) -> Result<u64, String> {
        let Some(text) = self.get(name) else {
            return Ok(0);
        };
        text.parse().map_err(|_| {
            format!(
                "invalid argument \"{text}\" for \"--{name}\" flag: strconv.ParseInt: parsing \
                 \"{text}\": invalid syntax"
            )
        })
    }

    /// The format to write in.
    pub(crate) fn format(&self, io: &Io) -> Rc<str> {
        self.get_or_env(io, "write-out")
            .unwrap_or_else(|| "simple".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[Spec] = &[
        ("prefix", ' ', false),
        ("write-out", 'w', true),
        ("limit", ' ', true),
    ];

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let args: Vec<Rc<str>> = text.split(' ').map(Rc::from).collect();
        let said = match Line::read(&[SPECS], &args) {
            Ok(line) => {
                let flags = line
                    .flags
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"));
                format!(
                    "{} | {}",
                    flags.collect::<Vec<_>>().join(" "),
                    line.words.join(" ")
                )
            }
            Err(message) => message,
        };
        assert_eq!(said, expected, "{text}");
    }

    #[test]
    fn command_lines_are_taken_apart() {
        check(
            "x get --prefix a -w table",
            "prefix=true write-out=table | get a",
        );
        check("x -wjson --limit=3 get", "write-out=json limit=3 | get");
        check("x --prefix=false -- -w", "prefix=false | -w");
        check("x --nope", "unknown flag: --nope");
        check("x -z", "unknown shorthand flag: 'z' in -z");
        check("x --limit", "flag needs an argument: --limit");
        check("x -w", "flag needs an argument: 'w' in -w");
    }
}
