//! Conditions: `[[ … ]]`, and the tests it shares with `test`.

use machine::{FileKind, Sys};

use crate::expand::{Expander, Stop};
use crate::pattern::Pattern;
use crate::regex::Regex;
use crate::state::State;
use crate::syntax::ir::Cond;
use crate::vars::Value;

impl Expander<'_, '_> {
    /// Whether a condition holds; the inner error is worded for behind the shell's name.
    pub(crate) fn condition(&mut self, cond: &Cond) -> Result<Result<bool, String>, Stop> {
        macro_rules! held {
            ($cond:expr) => {
                match self.condition($cond)? {
                    Ok(held) => held,
                    error => return Ok(error),
                }
            };
        }
        Ok(match cond {
            Cond::Word(word) => {
                let word = self.single(word)?;
                self.trace_condition(&["-n", &word]);
                Ok(!word.is_empty())
            }
            Cond::Not(inner) => Ok(!held!(inner)),
            Cond::And(left, right) => Ok(held!(left) && held!(right)),
            Cond::Or(left, right) => Ok(held!(left) || held!(right)),
            Cond::Unary(op, word) => {
                let word = self.single(word)?;
                self.trace_condition(&[&format!("-{op}"), &word]);
                unary_test(Some(self.state), self.sys, *op, &word)
            }
            Cond::Binary(op, left, right) => {
                let left = self.single(left)?;
                if self.state.options.xtrace {
                    let right = self.single(right)?;
                    self.trace_condition(&[&left, op, &right]);
                }
                match &**op {
                    "=" | "==" | "!=" => {
                        let pattern = self.pattern(right)?;
                        let matched = if self.state.options.shopt("nocasematch") {
                            Pattern::new(&pattern.to_lowercase()).matches(&left.to_lowercase())
                        } else {
                            Pattern::new(&pattern).matches(&left)
                        };
                        Ok(matched == (&**op != "!="))
                    }
                    "=~" => {
                        let regex = self.regex(right)?;
                        self.matches_regex(&left, &regex)
                    }
                    "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => {
                        let left = self.evaluate(&left)?;
                        let right = self.single(right)?;
                        let right = self.evaluate(&right)?;
                        Ok(compare(op, left, right))
                    }
                    _ => {
                        let right = self.single(right)?;
                        binary_test(self.sys, op, &left, &right)
                    }
                }
            }
        })
    }

    /// Notes what `set -x` shows of one test.
    fn trace_condition(&mut self, words: &[&str]) {
        if self.state.options.xtrace {
            let shown: Vec<String> = words
                .iter()
                .map(|word| {
                    if word.is_empty() {
                        "''".to_owned()
                    } else {
                        (*word).to_owned()
                    }
                })
                .collect();
            self.state.traced.push(format!("[[ {} ]]", shown.join(" ")));
        }
    }

    fn matches_regex(&mut self, text: &str, regex: &str) -> Result<bool, String> {
        // A mistake in the expression is status 2 without a word, as in bash.
        let Ok(regex) = Regex::extended(regex, self.state.options.shopt("nocasematch")) else {
            return Err(format!("[[: invalid regular expression `{regex}'"));
        };
        let found = regex.captures(text, 0);
        let groups = found.as_ref().map_or_else(Vec::new, |groups| {
            groups
                .iter()
                .map(|span| span.map_or("", |(from, to)| &text[from..to]))
                .collect()
        });
        let elements = groups
            .iter()
            .enumerate()
            .map(|(i, group)| (i as u64, (*group).into()));
        self.state.vars.entry("BASH_REMATCH").value =
            Value::Indexed(std::rc::Rc::new(elements.collect()));
        Ok(found.is_some())
    }
}

fn compare(op: &str, left: i64, right: i64) -> bool {
    match op {
        "-eq" => left == right,
        "-ne" => left != right,
        "-lt" => left < right,
        "-le" => left <= right,
        "-gt" => left > right,
        _ => left >= right,
    }
}

/// `-f file` and its like; the operator without its dash. Without a state nothing is a variable.
pub(crate) fn unary_test(
    state: Option<&State>,
    sys: &mut Sys<'_>,
    op: char,
    word: &str,
) -> Result<bool, String> {
    let mode = |sys: &mut Sys<'_>| sys.stat(word).map_or(0, |stat| stat.mode);
    let kind = |sys: &mut Sys<'_>| sys.stat(word).ok().map(|stat| stat.kind);
    Ok(match op {
        'n' => !word.is_empty(),
        'z' => word.is_empty(),
        'e' | 'a' => sys.stat(word).is_ok(),
        'f' => kind(sys) == Some(FileKind::File),
        'd' => kind(sys) == Some(FileKind::Dir),
        'c' => kind(sys) == Some(FileKind::Device),
        'S' => kind(sys) == Some(FileKind::Socket),
        'L' | 'h' => sys
            .lstat(word)
            .is_ok_and(|stat| stat.kind == FileKind::Symlink),
        's' => sys.stat(word).is_ok_and(|stat| stat.size > 0),
        'r' | 'w' => sys.stat(word).is_ok_and(|stat| may(sys, &stat, op)),
        'x' => sys.stat(word).is_ok_and(|stat| stat.mode & 0o111 != 0),
        'u' => mode(sys) & 0o4000 != 0,
        'g' => mode(sys) & 0o2000 != 0,
        'k' => mode(sys) & 0o1000 != 0,
        'O' => sys.stat(word).is_ok_and(|stat| stat.uid == sys.uid()),
        'G' => sys.stat(word).is_ok(),
        't' => word
            .trim()
            .parse()
            .is_ok_and(|fd| sys.is_tty(machine::Fd(fd))),
        'v' => state.is_some_and(|state| is_set(state, word)),
        'o' => state.is_some_and(|state| state.options.clone().is_on(word)),
        'R' | 'b' | 'p' | 'N' => false,
        _ => return Err(format!("-{op}: unary operator expected")),
    })
}

fn is_set(state: &State, word: &str) -> bool {
    let (name, index) = word.split_once('[').unwrap_or((word, ""));
    let Some(variable) = state.vars.get(name) else {
        return false;
    };
    match index.strip_suffix(']') {
        Some(index) => crate::vars::element(&variable.value, index).is_some(),
        None => variable.value != Value::Unset,
    }
}

fn may(sys: &Sys<'_>, stat: &machine::Stat, op: char) -> bool {
    let bit = if op == 'r' { 4 } else { 2 };
    let shift = if stat.uid == sys.uid() { 6 } else { 0 };
    sys.uid() == 0 || stat.mode >> shift & bit != 0
}

/// `a -nt b` and comparisons of strings and integers, as `test` has them.
pub(crate) fn binary_test(
    sys: &mut Sys<'_>,
    op: &str,
    left: &str,
    right: &str,
) -> Result<bool, String> {
    let integer = |text: &str| {
        text.trim()
            .parse::<i64>()
            .map_err(|_| format!("{text}: integer expression expected"))
    };
    Ok(match op {
        "=" | "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => {
            compare(op, integer(left)?, integer(right)?)
        }
        "-nt" | "-ot" | "-ef" => {
            let (a, b) = (sys.stat(left).ok(), sys.stat(right).ok());
            match (op, a, b) {
                ("-ef", Some(_), Some(_)) => left == right,
                ("-nt", Some(a), Some(b)) => a.mtime > b.mtime,
                ("-ot", Some(a), Some(b)) => a.mtime < b.mtime,
                ("-nt", Some(_), None) | ("-ot", None, Some(_)) => true,
                _ => false,
            }
        }
        _ => return Err(format!("{op}: binary operator expected")),
    })
}
