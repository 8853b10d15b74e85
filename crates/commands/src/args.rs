//! Command lines as GNU's `getopt_long` reads them: options in any order, values attached or not,
//! long names that may be shortened, and its words for mistakes.

use std::rc::Rc;

/// An option a tool knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    /// Its letter, by which it is asked for; a letter that cannot be typed for one that only has a
    /// long name.
    pub(crate) short: char,
    /// Its long name, or "".
    pub(crate) long: &'static str,
    /// Whether it takes a value.
    pub(crate) value: Takes,
}

/// Whether an option takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// None.
    Nothing,
    /// One, attached or the next word.
    Value,
    /// One if it is attached.
    Maybe,
}

/// An option without a value.
pub(crate) const fn flag(short: char, long: &'static str) -> Flag {
    Flag {
        short,
        long,
        value: Takes::Nothing,
    }
}

/// An option with a value.
pub(crate) const fn value(short: char, long: &'static str) -> Flag {
    Flag {
        short,
        long,
        value: Takes::Value,
    }
}

/// An option whose value may be attached.
pub(crate) const fn maybe(short: char, long: &'static str) -> Flag {
    Flag {
        short,
        long,
        value: Takes::Maybe,
    }
}

/// A command line taken apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Args {
    /// Options in the order given.
    pub(crate) options: Vec<(char, Rc<str>)>,
    /// Everything else.
    pub(crate) operands: Vec<Rc<str>>,
}

impl Args {
    /// Whether an option was given.
    pub(crate) fn has(&self, short: char) -> bool {
        self.options.iter().any(|(own, _)| *own == short)
    }

    /// The value of an option, the last one given.
    pub(crate) fn value(&self, short: char) -> Option<&Rc<str>> {
        self.options
            .iter()
            .rev()
            .find(|(own, _)| *own == short)
            .map(|(_, value)| value)
    }

    /// All values of an option.
    pub(crate) fn values(&self, short: char) -> impl Iterator<Item = &Rc<str>> {
        self.options
            .iter()
            .filter(move |(own, _)| *own == short)
            .map(|(_, value)| value)
    }

    /// Which of these options was given last.
    pub(crate) fn last_of(&self, letters: &str) -> Option<char> {
        self.options
            .iter()
            .rev()
            .map(|(own, _)| *own)
            .find(|own| letters.contains(*own))
    }
}

/// Takes a command line apart; options may stand behind operands. The error is what stands behind
/// the tool's name: `invalid option -- 'z'`.
pub(crate) fn parse(flags: &[Flag], args: &[Rc<str>]) -> Result<Args, String> {
    read(flags, args, false)
}

/// The same, but the first operand ends the options, as for tools that run another command.
pub(crate) fn parse_leading(flags: &[Flag], args: &[Rc<str>]) -> Result<Args, String> {
    read(flags, args, true)
}

fn read(flags: &[Flag], args: &[Rc<str>], leading: bool) -> Result<Args, String> {
    let mut out = Args::default();
    let mut rest = args.iter().skip(1);
    while let Some(arg) = rest.next() {
        if &**arg == "--" {
            out.operands.extend(rest.cloned());
            break;
        }
        if let Some(long) = arg.strip_prefix("--") {
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let flag = find_long(flags, name)?;
            let value = match (flag.value, attached) {
                (Takes::Nothing, Some(_)) => {
                    return Err(format!(
                        "option '--{}' doesn't allow an argument",
                        flag.long
                    ));
                }
                (Takes::Nothing, None) | (Takes::Maybe, None) => "".into(),
                (_, Some(value)) => value.into(),
                (Takes::Value, None) => match rest.next() {
                    Some(value) => value.clone(),
                    None => {
                        return Err(format!("option '--{}' requires an argument", flag.long));
                    }
                },
            };
            out.options.push((flag.short, value));
            continue;
        }
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            out.operands.push(arg.clone());
            if leading {
                out.operands.extend(rest.cloned());
                break;
            }
            continue;
        };
        for (at, letter) in letters.char_indices() {
            let Some(flag) = flags.iter().find(|flag| flag.short == letter) else {
                return Err(format!("invalid option -- '{letter}'"));
            };
            if flag.value == Takes::Nothing {
                out.options.push((letter, "".into()));
                continue;
            }
            let attached = &letters[at + letter.len_utf8()..];
            let value = match (attached, flag.value) {
                ("", Takes::Value) => match rest.next() {
                    Some(value) => value.clone(),
                    None => return Err(format!("option requires an argument -- '{letter}'")),
                },
                (attached, _) => attached.into(),
            };
            out.options.push((letter, value));
            break;
        }
    }
    Ok(out)
}

fn find_long(flags: &[Flag], name: &str) -> Result<Flag, String> {
    if let Some(flag) = flags
        .iter()
        .find(|flag| flag.long == name && !name.is_empty())
    {
        return Ok(*flag);
    }
    let fits: Vec<&Flag> = flags
        .iter()
        .filter(|flag| !name.is_empty() && flag.long.starts_with(name))
        .collect();
    match &fits[..] {
        [flag] => Ok(**flag),
        [] => Err(format!("unrecognized option '--{name}'")),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|flag| format!("'--{}'", flag.long))
                .collect();
            let names = names.join(" ");
            Err(format!(
                "option '--{name}' is ambiguous; possibilities: {names}"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[
        flag('a', "all"),
        value('n', "lines"),
        maybe('c', "color"),
        flag('\u{1}', "almost"),
    ];

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let args: Vec<Rc<str>> = line.split(' ').map(Rc::from).collect();
        let said = match parse(FLAGS, &args) {
            Ok(args) => {
                let options: Vec<String> = args
                    .options
                    .iter()
                    .map(|(letter, value)| format!("{letter}={value}"))
                    .collect();
                format!("{} | {}", options.join(" "), args.operands.join(" "))
            }
            Err(message) => message,
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn command_lines() {
        check("x -an5 f --all g", "a= n=5 a= | f g");
        check("x -n 5 --lines=6 --lines 7 - -- -a", "n=5 n=6 n=7 | - -a");
        check("x --color --color=never -cauto", "c= c=never c=auto | ");
        check("x --lin=3", "n=3 | ");
        check("x -z", "invalid option -- 'z'");
        check("x --nope", "unrecognized option '--nope'");
        check("x -n", "option requires an argument -- 'n'");
        check("x --lines", "option '--lines' requires an argument");
        check("x --all=1", "option '--all' doesn't allow an argument");
        check(
            "x --al",
            "option '--al' is ambiguous; possibilities: '--all' '--almost'",
        );
    }
}
