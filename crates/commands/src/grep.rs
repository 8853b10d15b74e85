//! `grep`. Models GNU grep's src/grep.c.

use std::collections::VecDeque;
use std::rc::Rc;

use machine::{Fd, Io};
use shell::pattern::Pattern;
use shell::regex::Regex;

use crate::args::{self, Args, flag, maybe, value};
use crate::files;
use crate::help::tool;
use crate::io::{Lines, Output, complain, join, own_name, slurp_text, split_path, text};

tool!(
    "grep",
    "Print lines that match patterns",
    "grep [OPTION]... PATTERNS [FILE]...",
    main,
    [
        ("printf 'one\\ntwo\\nthree\\n' | grep t", "two\nthree\n"),
        ("printf 'one\\ntwo\\n' | grep -vn o; echo $?", "1\n"),
        ("printf 'a1\\nb2\\n' | grep -oE '[0-9]+'", "1\n2\n"),
        ("seq 9 | grep -A1 -B1 5", "4\n5\n6\n"),
        ("seq 9 | grep -c '[2-4]'", "3\n"),
        ("seq 20 | grep -C1 -E '^(5|9)$'", "4\n5\n6\n--\n8\n9\n10\n"),
        ("echo 'foo foobar' | grep -ow foo", "foo\n"),
        (
            "mkdir d; echo x > d/a; echo y > d/b; grep -r x d",
            "d/a:x\n"
        ),
        ("echo x | grep -q x && echo found", "found\n"),
        (
            "grep x nope; echo $?",
            "grep: nope: No such file or directory\n2\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('A', "after-context"),
    flag('a', "text"),
    value('B', "before-context"),
    value('C', "context"),
    flag('c', "count"),
    maybe('\u{1}', "color"),
    maybe('\u{2}', "colour"),
    flag('E', "extended-regexp"),
    value('e', "regexp"),
    flag('F', "fixed-strings"),
    value('f', "file"),
    flag('G', "basic-regexp"),
    flag('H', "with-filename"),
    flag('h', "no-filename"),
    value('\u{3}', "include"),
    value('\u{4}', "exclude"),
    value('\u{5}', "exclude-dir"),
    flag('\u{6}', "line-buffered"),
    flag('i', "ignore-case"),
    flag('I', ""),
    flag('y', ""),
    flag('L', "files-without-match"),
    flag('l', "files-with-matches"),
    value('m', "max-count"),
    flag('n', "line-number"),
    flag('o', "only-matching"),
    flag('P', "perl-regexp"),
    flag('q', "quiet"),
    flag('\u{7}', "silent"),
    flag('R', "dereference-recursive"),
    flag('r', "recursive"),
    flag('s', "no-messages"),
    flag('v', "invert-match"),
    flag('w', "word-regexp"),
    flag('x', "line-regexp"),
    flag('Z', "null"),
];

/// What to look for and how to show it.
struct Search {
    patterns: Vec<Regex>,
    args: Args,
    before: usize,
    after: usize,
    has_context: bool,
    most: usize,
    names: bool,
    colours: bool,
}

async fn main(io: Io) -> i32 {
    // `-5` is `-C 5`.
    let words: Vec<Rc<str>> = io
        .args()
        .iter()
        .scan(false, |valued, arg| {
            let is_value = std::mem::replace(
                valued,
                matches!(&**arg, "-e" | "-f" | "-A" | "-B" | "-C" | "-m"),
            );
            Some((is_value, arg))
        })
        .map(|(is_value, arg)| match arg.strip_prefix('-') {
            Some(digits)
                if !is_value
                    && !digits.is_empty()
                    && digits.bytes().all(|b| b.is_ascii_digit()) =>
            {
                format!("-C{digits}").into()
            }
            _ => arg.clone(),
        })
        .collect();
    let mut args = match args::parse(FLAGS, &words) {
        Ok(args) => args,
        Err(message) => return usage(&io, Some(&message)).await,
    };
    let mut texts: Vec<String> = args
        .values('e')
        .flat_map(|text| text.split('\n'))
        .map(str::to_owned)
        .collect();
    for path in args.values('f') {
        match slurp_text(&io, path).await {
            Ok(text) => texts.extend(text.lines().map(str::to_owned)),
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 2;
            }
        }
    }
    if !args.has('e') && !args.has('f') {
        if args.operands.is_empty() {
            return usage(&io, None).await;
        }
        texts.extend(args.operands.remove(0).split('\n').map(str::to_owned));
    }
    let kind = match &*own_name(&io) {
        "egrep" => 'E',
        "fgrep" => 'F',
        _ => args.last_of("EFGP").unwrap_or('G'),
    };
    let fold = args.has('i') || args.has('y');
    let mut patterns = Vec::new();
    for text in &texts {
        let compiled = match kind {
            'E' => Regex::extended(text, fold),
            'F' => Regex::fixed(text, fold),
            'P' => Regex::perl(text, fold),
            _ => Regex::basic(text, fold),
        };
        match compiled {
            Ok(regex) => patterns.push(regex),
            Err(message) => {
                complain(&io, &message).await;
                return 2;
            }
        }
    }
    let mut numbers = [0; 3];
    for (at, letter) in ['A', 'B', 'm'].into_iter().enumerate() {
        let given = args
            .value(letter)
            .or_else(|| args.value('C').filter(|_| letter != 'm'));
        match given.map(|text| text.parse::<usize>()) {
            None => numbers[at] = if letter == 'm' { usize::MAX } else { 0 },
            Some(Ok(number)) => numbers[at] = number,
            Some(Err(_)) => {
                let text = given.cloned().unwrap_or_default();
                let what = if letter == 'm' {
                    "invalid max count"
                } else {
                    "invalid context length argument"
                };
                let what = if letter == 'm' {
                    what.to_owned()
                } else {
                    format!("{text}: {what}")
                };
                complain(&io, &what).await;
                return 2;
            }
        }
    }
    let recursive = args.has('r') || args.has('R');
    let mut paths = args.operands.clone();
    if paths.is_empty() {
        paths.push(if recursive { ".".into() } else { "-".into() });
    }
    let names = !args.has('h') && (args.has('H') || recursive || paths.len() > 1);
    let wanted = args
        .value('\u{1}')
        .or(args.value('\u{2}'))
        .map(|text| &**text);
    let colours = match wanted {
        Some("always") => true,
        Some("" | "auto") => io.sys(|sys| sys.is_tty(Fd::STDOUT)).await,
        _ => false,
    };
    let [after, before, most] = numbers;
    let has_context = args.has('A') || args.has('B') || args.has('C');
    let search = Search {
        patterns,
        args,
        before,
        after,
        has_context,
        most,
        names,
        colours,
    };
    let mut todo: Vec<(String, bool)> = paths
        .iter()
        .rev()
        .map(|path| (path.to_string(), true))
        .collect();
    let (mut found, mut failed) = (false, false);
    while let Some((path, given)) = todo.pop() {
        if path != "-" && files::is_dir(&io, &path).await {
            if recursive {
                let entries = files::read_dir(&io, &path).await.unwrap_or_default();
                for entry in entries.iter().rev() {
                    // Without an operand the paths are shown without their `./`.
                    let below = match path == "." && search.args.operands.is_empty() {
                        true => entry.name.to_string(),
                        false => join(&path, &entry.name),
                    };
                    if entry.stat.kind != machine::FileKind::Symlink || search.args.has('R') {
                        todo.push((below, false));
                    }
                }
            } else if !search.args.has('s') {
                complain(&io, &format!("{path}: Is a directory")).await;
            }
            continue;
        }
        if !given && !search.wants(&path) {
            continue;
        }
        match search.file(&io, &path).await {
            Ok(matched) => {
                found |= matched;
                if found && search.quiet() {
                    return 0;
                }
            }
            Err(errno) => {
                failed = true;
                if !search.args.has('s') {
                    complain(&io, &format!("{path}: {}", errno.message())).await;
                }
            }
        }
    }
    if failed { 2 } else { i32::from(!found) }
}

async fn usage(io: &Io, message: Option<&str>) -> i32 {
    let name = own_name(io);
    if let Some(message) = message {
        complain(io, message).await;
    }
    io.eprint(&format!(
        "Usage: {name} [OPTION]... PATTERNS [FILE]...\nTry '{name} --help' for more information.\n"
    ))
    .await;
    2
}

impl Search {
    fn quiet(&self) -> bool {
        self.args.has('q') || self.args.has('\u{7}')
    }

    /// Whether a file met on the way is to be looked into.
    fn wants(&self, path: &str) -> bool {
        let name = split_path(path).1;
        let fits = |letter: char, text: &str| {
            self.args
                .values(letter)
                .any(|pattern| Pattern::new(pattern).matches(text))
        };
        let in_excluded = path.split('/').rev().skip(1).any(|dir| fits('\u{5}', dir));
        (!self.args.has('\u{3}') || fits('\u{3}', name)) && !fits('\u{4}', name) && !in_excluded
    }

    /// The matches in a line, in order and not empty unless that is all there is.
    fn matches(&self, line: &str, first_only: bool) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut at = 0;
        while at <= line.len() {
            let next = self
                .patterns
                .iter()
                .filter_map(|regex| self.find(regex, line, at));
            // The leftmost, and of those the longest.
            let best = next.min_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
            let Some((from, to)) = best else { break };
            found.push((from, to));
            if first_only {
                break;
            }
            at = if to > from {
                to
            } else {
                to + line[to..].chars().next().map_or(1, char::len_utf8)
            };
        }
        found
    }

    /// The first match of one pattern that `-w` and `-x` let pass.
    fn find(&self, regex: &Regex, line: &str, from: usize) -> Option<(usize, usize)> {
        let mut at = from;
        loop {
            let (start, end) = regex.find(line, at)?;
            let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let whole = start == 0 && end == line.len();
            let bounded =
                !word(line[..start].chars().next_back()) && !word(line[end..].chars().next());
            if (!self.args.has('x') || whole) && (!self.args.has('w') || bounded) {
                return Some((start, end));
            }
            at = start + line[start..].chars().next()?.len_utf8();
        }
    }

    /// Looks through one file; whether a line was selected.
    async fn file(&self, io: &Io, path: &str) -> Result<bool, machine::Errno> {
        let mut lines = Lines::open(io, path).await?;
        let shown = if path == "-" {
            "(standard input)"
        } else {
            path
        };
        let mut out = Output::default();
        let mut count = 0;
        let mut number = 0;
        let mut held: VecDeque<(usize, String)> = VecDeque::new();
        let mut trailing = 0;
        let mut last_shown = 0;
        let silent = self.quiet() || self.args.has('c') || self.args.has('l') || self.args.has('L');
        while let Some(bytes) = lines.next(io).await? {
            number += 1;
            if number == 1 && bytes.contains(&0) && !self.args.has('a') {
                return Ok(self.binary(io, shown, &bytes).await);
            }
            let line = text(&bytes);
            let line = line.strip_suffix('\n').unwrap_or(&line);
            let spans = self.matches(line, !(self.args.has('o') || self.colours));
            let selected = spans.is_empty() == self.args.has('v');
            if selected {
                count += 1;
                if silent {
                    if self.quiet() || self.args.has('l') || self.args.has('L') {
                        break;
                    }
                } else {
                    for (at, before) in held.drain(..) {
                        self.gap(&mut out, &mut last_shown, at);
                        self.line(&mut out, shown, at, &before, '-', &[]);
                    }
                    self.gap(&mut out, &mut last_shown, number);
                    self.line(&mut out, shown, number, line, ':', &spans);
                    trailing = self.after;
                }
                if count == self.most {
                    break;
                }
            } else if trailing > 0 && !silent {
                trailing -= 1;
                self.gap(&mut out, &mut last_shown, number);
                self.line(&mut out, shown, number, line, '-', &spans);
            } else if self.before > 0 && !silent {
                if held.len() == self.before {
                    held.pop_front();
                }
                held.push_back((number, line.to_owned()));
            }
            out.pace(io, &lines).await;
        }
        lines.close(io).await;
        let end = if self.args.has('Z') { '\0' } else { '\n' };
        if !self.quiet() {
            if self.args.has('l') && count > 0 || self.args.has('L') && count == 0 {
                out.push(format!("{shown}{end}").as_bytes());
            } else if self.args.has('c') && !self.args.has('l') && !self.args.has('L') {
                let prefix = if self.names {
                    format!("{shown}:")
                } else {
                    String::new()
                };
                out.push(format!("{prefix}{count}\n").as_bytes());
            }
        }
        out.flush(io).await;
        Ok(if self.args.has('L') {
            count == 0
        } else {
            count > 0
        })
    }

    async fn binary(&self, io: &Io, shown: &str, bytes: &[u8]) -> bool {
        let found = !self.matches(&text(bytes), true).is_empty() && !self.args.has('I');
        if found && !self.quiet() {
            io.print(&format!("{}: {shown}: binary file matches\n", own_name(io)))
                .await;
        }
        found
    }

    /// The line between groups that do not touch.
    fn gap(&self, out: &mut Output, last: &mut usize, number: usize) {
        if self.has_context && *last > 0 && number > *last + 1 {
            out.push(b"--\n");
        }
        *last = number;
    }

    fn line(
        &self,
        out: &mut Output,
        name: &str,
        number: usize,
        line: &str,
        mark: char,
        spans: &[(usize, usize)],
    ) {
        let colour = |code: &str, text: &str| match self.colours {
            true => format!("\x1b[{code}m\x1b[K{text}\x1b[m\x1b[K"),
            false => text.to_owned(),
        };
        let mark_text = colour("36", &mark.to_string());
        let mut prefix = String::new();
        if self.names {
            prefix.push_str(&format!("{}{mark_text}", colour("35", name)));
        }
        if self.args.has('n') {
            prefix.push_str(&format!("{}{mark_text}", colour("32", &number.to_string())));
        }
        if self.args.has('o') {
            if mark == ':' && !self.args.has('v') {
                for (from, to) in spans.iter().filter(|(from, to)| to > from) {
                    out.push(
                        format!("{prefix}{}\n", colour("01;31", &line[*from..*to])).as_bytes(),
                    );
                }
            }
            return;
        }
        let mut shown = String::new();
        let mut at = 0;
        if self.colours && mark == ':' && !self.args.has('v') {
            for (from, to) in spans.iter().filter(|(from, to)| to > from) {
                shown.push_str(&line[at..*from]);
                shown.push_str(&colour("01;31", &line[*from..*to]));
                at = *to;
            }
        }
        shown.push_str(&line[at..]);
        out.push(format!("{prefix}{shown}\n").as_bytes());
    }
}
