//! `find`. Models the tests and actions people use of GNU findutils.

use std::rc::Rc;

use machine::{DirEntry, Exec, FileKind, Io, Spawn, Stat};
use shell::pattern::Pattern;

use crate::files;
use crate::help::tool;
use crate::io::{complain, join, split_path};

tool!(
    "find",
    "Search for files in a directory hierarchy",
    "find [path...] [expression]",
    main,
    [
        (
            "mkdir -p d/e; touch d/a.txt d/e/b.txt; find d -name '*.txt'",
            "d/a.txt\nd/e/b.txt\n"
        ),
        ("mkdir -p d/e; touch d/a; find d -type d", "d\nd/e\n"),
        (
            "mkdir d; touch d/a d/b; find d -type f -exec echo got {} \\;",
            "got d/a\ngot d/b\n"
        ),
        (
            "mkdir d; touch d/a d/b; find d -type f ! -name a -print",
            "d/b\n"
        ),
        ("mkdir -p d/e/f; find d -maxdepth 1", "d\nd/e\n"),
        ("find nope", "find: ‘nope’: No such file or directory\n"),
        ("find . -nope", "find: unknown predicate `-nope'\n"),
    ]
);

#[derive(Debug, Clone)]
enum Test {
    Name(String, bool),
    Path(String, bool),
    Type(char),
    Empty,
    Size(char, u64, u64),
    Minutes(char, i64, i64),
    Newer(i64),
    Perm(u32, char),
    User(u32),
    Print,
    Print0,
    Delete,
    Prune,
    Quit,
    Exec { words: Vec<Rc<str>>, many: bool },
    True,
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
}

#[derive(Default)]
struct Options {
    min_depth: usize,
    max_depth: Option<usize>,
    depth_first: bool,
    follow: bool,
    has_action: bool,
}

/// What a visit came to.
#[derive(Default)]
struct Visit {
    pruned: bool,
    quit: bool,
}

async fn main(io: Io) -> i32 {
    let words: Vec<Rc<str>> = io.args().iter().skip(1).cloned().collect();
    let start = words
        .iter()
        .position(|word| word.starts_with('-') && word.len() > 1 || matches!(&**word, "!" | "("))
        .unwrap_or(words.len());
    let mut options = Options::default();
    let mut paths: Vec<Rc<str>> = words[..start].to_vec();
    let mut rest = &words[start..];
    while let Some(word) = rest
        .first()
        .filter(|word| matches!(&***word, "-L" | "-H" | "-P"))
    {
        options.follow = &**word == "-L";
        rest = &rest[1..];
        let more = rest
            .iter()
            .position(|word| word.starts_with(['-', '!', '(']))
            .unwrap_or(rest.len());
        paths.extend(rest[..more].iter().cloned());
        rest = &rest[more..];
    }
    if paths.is_empty() {
        paths.push(".".into());
    }
    let mut parser = Parser {
        io: &io,
        words: rest,
        at: 0,
        options: &mut options,
    };
    let test = match parser.whole().await {
        Ok(test) => test,
        Err(message) => {
            complain(&io, &message).await;
            return 1;
        }
    };
    let mut status = 0;
    let mut gathered: Vec<Rc<str>> = Vec::new();
    let mut out = String::new();
    for path in &paths {
        match walk(
            &io,
            path,
            &test,
            &options,
            &mut gathered,
            &mut out,
            &mut status,
        )
        .await
        {
            Ok(true) => break,
            Ok(false) => {}
            Err(errno) => {
                io.print(&std::mem::take(&mut out)).await;
                complain(&io, &format!("‘{path}’: {}", errno.message())).await;
                status = 1;
            }
        }
    }
    io.print(&out).await;
    if let (Some(words), false) = (many(&test), gathered.is_empty()) {
        let all: Vec<Rc<str>> = words
            .iter()
            .flat_map(|word| {
                if &**word == "{}" {
                    gathered.clone()
                } else {
                    vec![word.clone()]
                }
            })
            .collect();
        status |= i32::from(run(&io, all).await != 0);
    }
    status
}

/// Visits a path and what is below it; true if `-quit` was met.
async fn walk(
    io: &Io,
    path: &str,
    test: &Test,
    options: &Options,
    gathered: &mut Vec<Rc<str>>,
    out: &mut String,
    status: &mut i32,
) -> Result<bool, machine::Errno> {
    let stat = if options.follow {
        files::stat(io, path).await
    } else {
        files::lstat(io, path).await
    }?;
    // Paths still to visit with their depth; true once what is below has been visited.
    let mut todo: Vec<(String, Stat, usize, bool)> = vec![(path.to_owned(), stat, 0, false)];
    while let Some((path, stat, depth, after)) = todo.pop() {
        let deeper = stat.is_dir() && options.max_depth.is_none_or(|most| depth < most);
        let visits = depth >= options.min_depth && (!options.depth_first || after || !deeper);
        if after || !options.depth_first || !deeper {
            let mut visit = Visit::default();
            if visits {
                let (held, seen) = evaluate(io, test, &path, &stat, gathered, out).await;
                visit = seen;
                if held && !options.has_action {
                    out.push_str(&format!("{path}\n"));
                }
            }
            if out.len() > 8192 {
                io.print(&std::mem::take(out)).await;
            }
            if visit.quit {
                return Ok(true);
            }
            if after || !deeper || visit.pruned {
                continue;
            }
        } else {
            todo.push((path.clone(), stat.clone(), depth, true));
        }
        match files::read_dir(io, &path).await {
            Ok(entries) => {
                for DirEntry { name, stat } in entries.into_iter().rev() {
                    let below = join(&path, &name);
                    todo.push((below, stat, depth + 1, false));
                }
            }
            Err(errno) => {
                io.print(&std::mem::take(out)).await;
                complain(io, &format!("‘{path}’: {}", errno.message())).await;
                *status = 1;
            }
        }
    }
    Ok(false)
}

/// Whether a path passes, acting on the way.
async fn evaluate(
    io: &Io,
    test: &Test,
    path: &str,
    stat: &Stat,
    gathered: &mut Vec<Rc<str>>,
    out: &mut String,
) -> (bool, Visit) {
    let mut visit = Visit::default();
    let now = io.now().await.unix_secs();
    // An explicit stack instead of recursion: each entry is a test and what to do with its value.
    enum Task<'a> {
        Eval(&'a Test),
        Not,
        And(&'a Test),
        Or(&'a Test),
    }
    let mut tasks = vec![Task::Eval(test)];
    let mut held = true;
    while let Some(task) = tasks.pop() {
        match task {
            Task::Not => held = !held,
            Task::And(right) => {
                if held {
                    tasks.push(Task::Eval(right));
                }
            }
            Task::Or(right) => {
                if !held {
                    tasks.push(Task::Eval(right));
                }
            }
            Task::Eval(Test::Not(inner)) => tasks.extend([Task::Not, Task::Eval(inner)]),
            Task::Eval(Test::And(left, right)) => {
                tasks.extend([Task::And(right), Task::Eval(left)])
            }
            Task::Eval(Test::Or(left, right)) => tasks.extend([Task::Or(right), Task::Eval(left)]),
            Task::Eval(test) => {
                held = match test {
                    Test::Print => {
                        out.push_str(&format!("{path}\n"));
                        true
                    }
                    Test::Print0 => {
                        out.push_str(&format!("{path}\0"));
                        true
                    }
                    Test::Prune => {
                        visit.pruned = true;
                        true
                    }
                    Test::Quit => {
                        visit.quit = true;
                        true
                    }
                    Test::Delete => {
                        let name = path.to_owned();
                        match io.sys(move |sys| sys.remove(&name)).await {
                            Ok(()) => true,
                            Err(errno) => {
                                let why = errno.message();
                                complain(io, &format!("cannot delete ‘{path}’: {why}")).await;
                                false
                            }
                        }
                    }
                    Test::Exec { many: true, .. } => {
                        gathered.push(path.into());
                        true
                    }
                    Test::Exec { words, many: false } => {
                        io.print(&std::mem::take(out)).await;
                        let all = words.iter().map(|word| word.replace("{}", path).into());
                        run(io, all.collect()).await == 0
                    }
                    Test::Empty if stat.is_dir() => files::read_dir(io, path)
                        .await
                        .is_ok_and(|entries| entries.is_empty()),
                    other => fits(other, path, stat, now),
                };
            }
        }
    }
    (held, visit)
}

fn fits(test: &Test, path: &str, stat: &Stat, now: i64) -> bool {
    let matches = |pattern: &str, text: &str, fold: bool| {
        if fold {
            Pattern::new(&pattern.to_lowercase()).matches(&text.to_lowercase())
        } else {
            Pattern::new(pattern).matches(text)
        }
    };
    let compare = |sign: char, value: i64, limit: i64| match sign {
        '+' => value > limit,
        '-' => value < limit,
        _ => value == limit,
    };
    match test {
        Test::Name(pattern, fold) => {
            let name = if path == "/" { "/" } else { split_path(path).1 };
            matches(pattern, name, *fold)
        }
        Test::Path(pattern, fold) => matches(pattern, path, *fold),
        Test::Type(letter) => match stat.kind {
            FileKind::Dir => *letter == 'd',
            FileKind::File => *letter == 'f',
            FileKind::Symlink => *letter == 'l',
            FileKind::Device => *letter == 'c',
            FileKind::Socket => *letter == 's',
        },
        Test::Empty => stat.kind == FileKind::File && stat.size == 0,
        Test::Size(sign, count, unit) => {
            compare(*sign, stat.size.div_ceil(*unit) as i64, *count as i64)
        }
        Test::Minutes(sign, count, unit) => {
            compare(*sign, (now - stat.mtime.unix_secs()) / unit, *count)
        }
        Test::Newer(than) => stat.mtime.unix_secs() > *than,
        Test::Perm(mode, sign) => match sign {
            '-' => stat.mode & mode == *mode,
            '/' => stat.mode & mode != 0 || *mode == 0,
            _ => stat.mode == *mode,
        },
        Test::User(uid) => stat.uid == *uid,
        _ => true,
    }
}

async fn run(io: &Io, words: Vec<Rc<str>>) -> i32 {
    let Some(program) = words.first().cloned() else {
        return 0;
    };
    let Some(path) = crate::run::find(io, &program).await else {
        complain(io, &format!("‘{program}’: No such file or directory")).await;
        return 127;
    };
    match io
        .spawn(Spawn::new(Exec::Path(path), words).with_stdio())
        .await
    {
        Ok(pid) => io.wait(pid).await.shell_code(),
        Err(errno) => {
            complain(io, &format!("‘{program}’: {}", errno.message())).await;
            126
        }
    }
}

/// The words of an `-exec … +`, if there is one.
fn many(test: &Test) -> Option<&Vec<Rc<str>>> {
    match test {
        Test::Exec { words, many: true } => Some(words),
        Test::Not(inner) => many(inner),
        Test::And(left, right) | Test::Or(left, right) => many(left).or_else(|| many(right)),
        _ => None,
    }
}

struct Parser<'a> {
    io: &'a Io,
    words: &'a [Rc<str>],
    at: usize,
    options: &'a mut Options,
}

impl Parser<'_> {
    async fn whole(&mut self) -> Result<Test, String> {
        // Parentheses nest on a stack of their own: alternatives, each with its terms so far.
        let mut stack: Vec<(Vec<Test>, Option<Test>, bool)> = vec![(Vec::new(), None, false)];
        while let Some(word) = self.words.get(self.at).cloned() {
            self.at += 1;
            let top = stack.last_mut().expect("one stays");
            match &*word {
                "(" => stack.push((Vec::new(), None, false)),
                ")" => {
                    let done = stack.pop().expect("one stays");
                    let Some(top) = stack.last_mut() else {
                        return Err("paths must precede expression: `)'".to_owned());
                    };
                    let inner = close(done);
                    add(top, inner);
                }
                "!" | "-not" => top.2 = !top.2,
                "-a" | "-and" => {}
                "-o" | "-or" => {
                    let term = top.1.take().unwrap_or(Test::True);
                    top.0.push(term);
                }
                _ => {
                    let test = self.primary(&word).await?;
                    add(stack.last_mut().expect("one stays"), test);
                }
            }
        }
        if stack.len() > 1 {
            return Err(
                "invalid expression; I was expecting to find a ')' somewhere but did not see one."
                    .to_owned(),
            );
        }
        Ok(close(stack.pop().expect("one stays")))
    }

    fn operand(&mut self, name: &str) -> Result<Rc<str>, String> {
        let found = self.words.get(self.at).cloned();
        self.at += 1;
        found.ok_or_else(|| format!("missing argument to `{name}'"))
    }

    async fn primary(&mut self, name: &str) -> Result<Test, String> {
        Ok(match name {
            "-name" | "-iname" => Test::Name(self.operand(name)?.to_string(), name == "-iname"),
            "-path" | "-wholename" | "-ipath" => {
                Test::Path(self.operand(name)?.to_string(), name == "-ipath")
            }
            "-type" => {
                let text = self.operand(name)?;
                match &*text {
                    "f" | "d" | "l" | "c" | "s" | "b" | "p" => {
                        Test::Type(text.chars().next().unwrap_or('f'))
                    }
                    _ => return Err(format!("Unknown argument to -type: {text}")),
                }
            }
            "-empty" => Test::Empty,
            "-true" => Test::True,
            "-false" => Test::Not(Box::new(Test::True)),
            "-size" => {
                let text = self.operand(name)?;
                let (sign, rest) = signed(&text);
                let (digits, unit) = match rest.chars().last() {
                    Some('c') => (&rest[..rest.len() - 1], 1),
                    Some('k') => (&rest[..rest.len() - 1], 1024),
                    Some('M') => (&rest[..rest.len() - 1], 1 << 20),
                    Some('G') => (&rest[..rest.len() - 1], 1 << 30),
                    Some('b') => (&rest[..rest.len() - 1], 512),
                    _ => (rest, 512),
                };
                let count = digits
                    .parse()
                    .map_err(|_| format!("Invalid argument `{text}' to -size"))?;
                Test::Size(sign, count, unit)
            }
            "-mmin" | "-mtime" | "-amin" | "-cmin" | "-atime" | "-ctime" => {
                let text = self.operand(name)?;
                let (sign, rest) = signed(&text);
                let count = rest
                    .parse()
                    .map_err(|_| format!("invalid argument `{text}' to `{name}'"))?;
                Test::Minutes(sign, count, if name.ends_with("min") { 60 } else { 86_400 })
            }
            "-newer" => {
                let path = self.operand(name)?;
                let stat = files::stat(self.io, &path).await;
                let stat = stat.map_err(|errno| format!("‘{path}’: {}", errno.message()))?;
                Test::Newer(stat.mtime.unix_secs())
            }
            "-perm" => {
                let text = self.operand(name)?;
                let (sign, rest) = match text.chars().next() {
                    Some(sign @ ('-' | '/')) => (sign, &text[1..]),
                    _ => ('=', &*text),
                };
                let mode = files::change_mode(rest, 0, false);
                Test::Perm(mode.ok_or_else(|| format!("invalid mode ‘{text}’"))?, sign)
            }
            "-user" => {
                let text = self.operand(name)?.to_string();
                let named = text.clone();
                let uid = self
                    .io
                    .sys(move |sys| {
                        let users = sys.host().users();
                        let found = users
                            .iter()
                            .find(|user| *user.name == *named)
                            .map(|user| user.uid);
                        found.or_else(|| named.parse().ok())
                    })
                    .await;
                Test::User(uid.ok_or_else(|| format!("‘{text}’ is not the name of a known user"))?)
            }
            "-maxdepth" | "-mindepth" => {
                let text = self.operand(name)?;
                let depth = text.parse().map_err(|_| {
                    format!(
                        "Expected a positive decimal integer argument to {name}, but got ‘{text}’"
                    )
                })?;
                if name == "-maxdepth" {
                    self.options.max_depth = Some(depth);
                } else {
                    self.options.min_depth = depth;
                }
                Test::True
            }
            "-depth" => {
                self.options.depth_first = true;
                Test::True
            }
            "-follow" => {
                self.options.follow = true;
                Test::True
            }
            "-xdev" | "-mount" => Test::True,
            "-prune" => Test::Prune,
            "-print" => self.action(Test::Print),
            "-print0" => self.action(Test::Print0),
            "-quit" => self.action(Test::Quit),
            "-delete" => {
                self.options.depth_first = true;
                self.action(Test::Delete)
            }
            "-exec" | "-ok" => {
                let mut words = Vec::new();
                loop {
                    let Some(word) = self.words.get(self.at).cloned() else {
                        return Err(format!("missing argument to `{name}'"));
                    };
                    self.at += 1;
                    let plus =
                        &*word == "+" && words.last().is_some_and(|last: &Rc<str>| &**last == "{}");
                    if &*word == ";" || plus {
                        return Ok(self.action(Test::Exec { words, many: plus }));
                    }
                    words.push(word);
                }
            }
            _ if name.starts_with('-') => return Err(format!("unknown predicate `{name}'")),
            _ => return Err(format!("paths must precede expression: `{name}'")),
        })
    }

    fn action(&mut self, test: Test) -> Test {
        self.options.has_action = true;
        test
    }
}

fn add(top: &mut (Vec<Test>, Option<Test>, bool), test: Test) {
    let test = if std::mem::take(&mut top.2) {
        Test::Not(Box::new(test))
    } else {
        test
    };
    top.1 = Some(match top.1.take() {
        Some(left) => Test::And(Box::new(left), Box::new(test)),
        None => test,
    });
}

fn close((alternatives, last, _): (Vec<Test>, Option<Test>, bool)) -> Test {
    let last = last.unwrap_or(Test::True);
    alternatives.into_iter().rev().fold(last, |right, left| {
        Test::Or(Box::new(left), Box::new(right))
    })
}

fn signed(text: &str) -> (char, &str) {
    match text.chars().next() {
        Some(sign @ ('+' | '-')) => (sign, &text[1..]),
        _ => ('=', text),
    }
}
