//! `read`

use std::rc::Rc;

use machine::{Errno, Fd, Sys};
use sim::{Duration, Instant};

use super::{Builtin, Outcome, is_name};
use crate::eval::{Frame, Shell, Step};
use crate::vars::Value;

pub(super) const READ: Builtin = Builtin {
    name: "read",
    usage: "read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]",
    posix: true,
    run: read,
};

/// A `read` under way.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    names: Vec<Rc<str>>,
    array: Option<Rc<str>>,
    delimiter: u8,
    raw: bool,
    limit: Option<usize>,
    silent: bool,
    deadline: Option<Instant>,
    fd: Fd,
    bytes: Vec<u8>,
    /// For each byte whether a backslash protected it.
    protected: Vec<bool>,
    escaped: bool,
}

fn read(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let mut reading = Reading::line();
    let mut prompt = None;
    let mut rest = args[1..].iter();
    while let Some(arg) = rest.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            reading.names.push(arg.clone());
            reading.names.extend(rest.by_ref().cloned());
            break;
        };
        if letters == "-" {
            reading.names.extend(rest.by_ref().cloned());
            break;
        }
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            match letter {
                'r' => reading.raw = true,
                's' => reading.silent = true,
                'e' => {}
                'a' | 'd' | 'i' | 'n' | 'N' | 'p' | 't' | 'u' => {
                    let attached: String = letters.by_ref().collect();
                    let value = match attached.is_empty() {
                        false => Rc::from(attached),
                        true => match rest.next() {
                            Some(value) => value.clone(),
                            None => {
                                let what = "option requires an argument";
                                shell.complain(&format!("read: -{letter}: {what}"));
                                return Outcome::Status(2);
                            }
                        },
                    };
                    match letter {
                        'a' => reading.array = Some(value),
                        'd' => reading.delimiter = value.bytes().next().unwrap_or(0),
                        'n' | 'N' => reading.limit = value.parse().ok(),
                        'p' => prompt = Some(value),
                        'u' => reading.fd = Fd(value.parse().unwrap_or(0)),
                        't' => {
                            let millis = millis(&value);
                            sys.timer(Duration::from_millis(millis));
                            reading.deadline = Some(sys.now() + Duration::from_millis(millis));
                        }
                        _ => {}
                    }
                }
                other => return shell.bad_option(&READ, other),
            }
        }
    }
    if let Some(bad) = reading.names.iter().find(|name| !is_name(name)) {
        shell.complain(&format!("read: `{bad}': not a valid identifier"));
        return Outcome::Status(1);
    }
    if sys.is_tty(reading.fd) {
        if let Some(prompt) = prompt {
            shell.print_error(&prompt);
        }
        if reading.silent || reading.limit.is_some() {
            let _ = sys.tty_raw(reading.fd, true);
        }
    }
    shell.push(Frame::Read(Box::new(reading)));
    Outcome::Frames
}

/// Seconds with a fraction, as milliseconds.
fn millis(text: &str) -> u64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    whole.parse::<u64>().unwrap_or(0) * 1000 + part.parse::<u64>().unwrap_or(0)
}

impl Shell {
    pub(crate) fn step_read(&mut self, sys: &mut Sys<'_>, mut reading: Box<Reading>) -> Step {
        let status = loop {
            if reading
                .limit
                .is_some_and(|limit| reading.bytes.len() >= limit)
            {
                break 0;
            }
            match sys.read(reading.fd, 1) {
                Ok(bytes) if bytes.is_empty() => break 1,
                Ok(bytes) => {
                    let mut byte = bytes[0];
                    // Raw terminals send a carriage return for the Enter key, and no signals.
                    if sys.is_tty(reading.fd) && (reading.silent || reading.limit.is_some()) {
                        match byte {
                            b'\r' => byte = b'\n',
                            3 => {
                                self.end_reading(sys, &reading);
                                self.raise(machine::Signal::Int);
                                return Step::Go;
                            }
                            4 => break 1,
                            _ => {}
                        }
                    }
                    if reading.take(byte) {
                        break 0;
                    }
                }
                Err(Errno::EAGAIN) => {
                    if reading
                        .deadline
                        .is_some_and(|deadline| sys.now() >= deadline)
                    {
                        break 142;
                    }
                    self.push(Frame::Read(reading));
                    return Step::Wait;
                }
                Err(errno) => {
                    self.complain(&format!("read: read error: {}", errno.message()));
                    break 1;
                }
            }
        };
        self.end_reading(sys, &reading);
        self.assign_read(&reading);
        self.state.status = status;
        Step::Go
    }

    fn end_reading(&mut self, sys: &mut Sys<'_>, reading: &Reading) {
        if reading.silent || reading.limit.is_some() {
            let _ = sys.tty_raw(reading.fd, false);
        }
    }

    fn assign_read(&mut self, reading: &Reading) {
        let text = String::from_utf8_lossy(&reading.bytes).into_owned();
        // Protection is kept by byte; characters inherit it from their first.
        let chars: Vec<(char, bool)> = text
            .char_indices()
            .map(|(at, c)| (c, reading.protected.get(at).copied().unwrap_or(false)))
            .collect();
        let ifs = self.state.text_or("IFS", " \t\n");
        if let Some(array) = &reading.array {
            let fields = fields(&chars, &ifs, usize::MAX);
            let elements = fields
                .into_iter()
                .enumerate()
                .map(|(at, text)| (at as u64, text.into()));
            self.state.vars.entry(array).value = Value::Indexed(Rc::new(elements.collect()));
            return;
        }
        if reading.names.is_empty() {
            let whole: String = chars.iter().map(|(c, _)| *c).collect();
            let _ = self.state.vars.set("REPLY", whole);
            return;
        }
        let mut fields = fields(&chars, &ifs, reading.names.len()).into_iter();
        for name in &reading.names {
            let text = fields.next().unwrap_or_default();
            if let Err(message) = self.state.vars.set(name, text) {
                self.complain(&message);
            }
        }
    }
}

impl Reading {
    /// A `read` without options: a line, into `REPLY`.
    pub(crate) fn line() -> Reading {
        Reading {
            names: Vec::new(),
            array: None,
            delimiter: b'\n',
            raw: false,
            limit: None,
            silent: false,
            deadline: None,
            fd: Fd::STDIN,
            bytes: Vec::new(),
            protected: Vec::new(),
            escaped: false,
        }
    }

    /// Takes a byte; true if it was the delimiter.
    fn take(&mut self, byte: u8) -> bool {
        if std::mem::take(&mut self.escaped) {
            if byte != b'\n' {
                self.bytes.push(byte);
                self.protected.push(true);
            }
            return false;
        }
        if byte == b'\\' && !self.raw {
            self.escaped = true;
            return false;
        }
        if byte == self.delimiter {
            return true;
        }
        self.bytes.push(byte);
        self.protected.push(false);
        false
    }
}

/// At most `most` fields; the last takes the rest, without the blanks around it.
fn fields(chars: &[(char, bool)], ifs: &str, most: usize) -> Vec<String> {
    let separates = |(c, protected): &(char, bool)| !protected && ifs.contains(*c);
    let blank = |unit: &(char, bool)| separates(unit) && unit.0.is_ascii_whitespace();
    let mut out = Vec::new();
    let mut at = 0;
    while at < chars.len() && blank(&chars[at]) {
        at += 1;
    }
    while at < chars.len() {
        if out.len() + 1 == most {
            let mut end = chars.len();
            while end > at && blank(&chars[end - 1]) {
                end -= 1;
            }
            let rest = &chars[at..end];
            // A single delimiter at the very end belongs to the field before it.
            let hard = rest
                .iter()
                .filter(|unit| separates(unit) && !blank(unit))
                .count();
            let rest = match rest.split_last() {
                Some((last, before)) if hard == 1 && separates(last) => before,
                _ => rest,
            };
            out.push(rest.iter().map(|(c, _)| *c).collect());
            return out;
        }
        let start = at;
        while at < chars.len() && !separates(&chars[at]) {
            at += 1;
        }
        out.push(chars[start..at].iter().map(|(c, _)| *c).collect());
        while at < chars.len() && blank(&chars[at]) {
            at += 1;
        }
        if at < chars.len() && separates(&chars[at]) {
            at += 1;
            while at < chars.len() && blank(&chars[at]) {
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, ifs: &str, most: usize, expected: &[&str]) {
        let chars: Vec<(char, bool)> = text.chars().map(|c| (c, false)).collect();
        assert_eq!(fields(&chars, ifs, most), expected);
    }

    #[test]
    fn lines_are_divided_among_names() {
        check("  a b  c  ", " \t\n", 2, &["a", "b  c"]);
        check("a:b:c", ":", 2, &["a", "b:c"]);
        check("a:b:", ":", 2, &["a", "b"]);
        check("a::b", ":", 3, &["a", "", "b"]);
        check("one", " ", 1, &["one"]);
    }
}
