//! `watch`: a command run again and again, its output on one screen. Models procps-ng's src/watch.c.

use std::rc::Rc;

use machine::{Exec, Fd, Io, Signal, Spawn};
use shell::width::char_width;
use sim::Duration;

use crate::args::{self, Args, flag, maybe, value};
use crate::calendar::ctime;
use crate::sleep::{Span, interval};
use crate::{Example, Tool, help, io as tools, run};

/// The tool.
pub(crate) const TOOL: Tool = Tool {
    name: "watch",
    summary: "Execute a program periodically, showing output fullscreen",
    usage: "watch [options] command",
    examples: EXAMPLES,
    run: |io| Box::pin(main(io)),
    program: || machine::tool_catching(|io| Box::pin(main(io)), CATCHES),
};

const EXAMPLES: &[Example] = &[
    Example {
        command: "watch -n nonsense date",
        output: "watch: failed to parse argument: 'nonsense'\n",
    },
    Example {
        command: "watch -t -e false </dev/null | cat -v; echo",
        output: "^[[?1049h^[[H\n^[[J\ncommand exit with a non-zero status, press a key to exit^[[?1049l\n",
    },
];

const CATCHES: &[Signal] = &[Signal::Int, Signal::Term, Signal::Hup, Signal::Winch];

const FLAGS: &[args::Flag] = &[
    flag('b', "beep"),
    flag('c', "color"),
    flag('C', "no-color"),
    maybe('d', "differences"),
    flag('e', "errexit"),
    flag('g', "chgexit"),
    value('n', "interval"),
    flag('p', "precise"),
    value('q', "equexit"),
    flag('r', "no-rerun"),
    flag('t', "no-title"),
    flag('w', "no-wrap"),
    flag('x', "exec"),
];

/// The other screen of the terminal, so that the first comes back as it was.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";

/// A character on the screen, the colors it is shown in, and whether it differs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cell {
    char: char,
    style: Rc<str>,
}

async fn main(io: Io) -> i32 {
    if help::wanted(&io) {
        return help::show(&io, TOOL.usage, TOOL.summary, EXAMPLES).await;
    }
    let args = match args::parse_leading(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return tools::usage_error(&io, &message, 1).await,
    };
    if args.operands.is_empty() {
        io.eprint(&format!("\nUsage:\n {} \n", TOOL.usage)).await;
        return 1;
    }
    let period = match args.value('n') {
        None => Duration::from_secs(2),
        // The shortest that is allowed.
        Some(text) => match interval(&text.replace(',', ".")) {
            Some(Span::Finite(span)) => span.max(Duration::from_millis(100)),
            _ => {
                tools::complain(&io, &format!("failed to parse argument: '{text}'")).await;
                return 1;
            }
        },
    };
    io.print(ENTER).await;
    let code = repeat(&io, &args, period).await;
    io.print(LEAVE).await;
    code
}

async fn repeat(io: &Io, args: &Args, period: Duration) -> i32 {
    let mut before: Option<Vec<Vec<Cell>>> = None;
    let mut size = size_of(io).await;
    loop {
        let Some((output, code)) = output_of(io, args).await else {
            return 0;
        };
        let title = if args.has('t') {
            String::new()
        } else {
            title(io, args, period, size.0).await
        };
        let rows = usize::from(size.1).saturating_sub(if args.has('t') { 0 } else { 2 });
        let screen = lay_out(
            &output,
            usize::from(size.0),
            rows,
            args.has('c'),
            !args.has('w'),
        );
        let changed = before.as_ref().is_some_and(|before| *before != screen);
        let compared = before.as_ref().filter(|_| args.has('d'));
        let mut text = String::from("\x1b[H");
        if !args.has('t') {
            text.push_str(&format!("{title}\x1b[K\n\x1b[K\n"));
        }
        text.push_str(&draw(&screen, compared));
        // What was below is cleared; a full screen must not scroll.
        if screen.len() < rows {
            text.push_str("\n\x1b[J");
        }
        io.print(&text).await;
        if code != 0 && args.has('b') {
            io.print("\x07").await;
        }
        if code != 0 && args.has('e') {
            let note = "\ncommand exit with a non-zero status, press a key to exit";
            io.print(note).await;
            // Until a key comes, or the input ends.
            let _ = io.read(Fd::STDIN).await;
            return 8;
        }
        if changed && args.has('g') {
            return 0;
        }
        before = Some(screen);
        match pause(io, period, size).await {
            Pause::Over => {}
            Pause::Resized(now) => {
                size = now;
                before = None;
                io.print("\x1b[2J").await;
            }
            Pause::Ended => return 0,
        }
    }
}

async fn size_of(io: &Io) -> (u16, u16) {
    io.sys(|sys| sys.tty_size(Fd::STDOUT))
        .await
        .unwrap_or((80, 24))
}

#[derive(Clone, Copy)]
enum Pause {
    Over,
    Resized((u16, u16)),
    Ended,
}

/// Waits; a signal ends it, unless it is that the terminal has another size.
async fn pause(io: &Io, period: Duration, size: (u16, u16)) -> Pause {
    let caught = io.caught();
    let end = io.deadline(period).await;
    io.until(move |sys| {
        while let Some(signal) = caught.take() {
            if signal != Signal::Winch {
                return Some(Pause::Ended);
            }
        }
        let now = sys.tty_size(Fd::STDOUT).unwrap_or(size);
        if now != size {
            return Some(Pause::Resized(now));
        }
        (sys.now() >= end).then_some(Pause::Over)
    })
    .await
}

/// What the command prints, errors included, and its code; nothing if a signal came.
async fn output_of(io: &Io, args: &Args) -> Option<(String, i32)> {
    let words = args.operands.clone();
    let (path, words) = if args.has('x') {
        match run::find(io, &words[0]).await {
            Some(path) => (path, words),
            None => {
                let text = format!(
                    "watch: unable to execute '{}': No such file or directory\n",
                    words[0]
                );
                return Some((text, 127));
            }
        }
    } else {
        (
            "/bin/sh".into(),
            vec!["sh".into(), "-c".into(), words.join(" ").into()],
        )
    };
    let (read, write) = match io.sys(|sys| sys.pipe()).await {
        Ok(ends) => ends,
        Err(errno) => return Some((format!("watch: {}\n", errno.message()), 1)),
    };
    let mut spawn = Spawn::new(Exec::Path(path), words);
    spawn.fds = vec![
        (Fd::STDIN, Fd::STDIN),
        (Fd::STDOUT, write),
        (Fd::STDERR, write),
    ];
    let started = io.spawn(spawn).await;
    io.close(write).await;
    let child = match started {
        Ok(child) => child,
        Err(errno) => {
            io.close(read).await;
            return Some((format!("watch: {}\n", errno.message()), 1));
        }
    };
    let mut all = Vec::new();
    loop {
        let caught = io.caught();
        let part = io
            .until(move |sys| {
                while let Some(signal) = caught.take() {
                    if signal != Signal::Winch {
                        return Some(None);
                    }
                }
                match sys.read(read, 65_536) {
                    Err(machine::Errno::EAGAIN) => None,
                    Ok(bytes) => Some(Some(bytes)),
                    Err(_) => Some(Some(Rc::from([]))),
                }
            })
            .await?;
        if part.is_empty() {
            break;
        }
        all.extend_from_slice(&part);
    }
    io.close(read).await;
    let code = io.wait(child).await.shell_code();
    Some((tools::text(&all), code))
}

/// `Every 2.0s: date        node01: Mon Jan  5 09:00:00 2026`, as wide as the screen.
async fn title(io: &Io, args: &Args, period: Duration, columns: u16) -> String {
    let (now, host) = io.sys(|sys| (sys.now(), sys.hostname())).await;
    let tenths = period.as_millis() / 100;
    let left = format!(
        "Every {}.{}s: {}",
        tenths / 10,
        tenths % 10,
        args.operands.join(" ")
    );
    let right = format!("{host}: {}", ctime(now));
    let columns = usize::from(columns);
    let room = columns.saturating_sub(right.chars().count() + 1);
    if room < 10 {
        return left.chars().take(columns).collect();
    }
    let left = match left.chars().count() > room {
        true => format!(
            "{}...",
            left.chars()
                .take(room.saturating_sub(3))
                .collect::<String>()
        ),
        false => left,
    };
    let fill = columns - right.chars().count() - left.chars().count();
    format!("{left}{}{right}", " ".repeat(fill))
}

/// The lines of the screen.
fn lay_out(text: &str, columns: usize, rows: usize, colored: bool, wraps: bool) -> Vec<Vec<Cell>> {
    let mut screen: Vec<Vec<Cell>> = Vec::new();
    let mut style: Rc<str> = "".into();
    for line in text.lines() {
        let mut row: Vec<Cell> = Vec::new();
        let mut width = 0;
        let mut chars = line.chars();
        while let Some(char) = chars.next() {
            if char == '\x1b' {
                let code = escape(&mut chars);
                if colored && code.ends_with('m') {
                    style = match code.as_str() {
                        "[m" | "[0m" => "".into(),
                        code => format!("{style}\x1b{code}").into(),
                    };
                }
                continue;
            }
            let span = if char == '\t' {
                8 - width % 8
            } else {
                char_width(char)
            };
            if width + span > columns {
                if !wraps {
                    break;
                }
                screen.push(std::mem::take(&mut row));
                width = 0;
            }
            width += span;
            let shown = if char == '\t' { ' ' } else { char };
            let copies = if char == '\t' { span } else { 1 };
            if !char.is_control() || char == '\t' {
                row.extend(std::iter::repeat_n(
                    Cell {
                        char: shown,
                        style: style.clone(),
                    },
                    copies,
                ));
            }
        }
        screen.push(row);
        if screen.len() >= rows {
            break;
        }
    }
    screen.truncate(rows);
    screen
}

/// The rest of an escape sequence.
fn escape(chars: &mut std::str::Chars<'_>) -> String {
    let mut code = String::new();
    for char in chars.by_ref() {
        code.push(char);
        if code.len() > 1 && ('@'..='~').contains(&char) || code.len() == 1 && char != '[' {
            break;
        }
    }
    code
}

/// The lines with their colors; what differs from `before` is shown inverted.
fn draw(screen: &[Vec<Cell>], before: Option<&Vec<Vec<Cell>>>) -> String {
    let mut text = String::new();
    let blank = Cell {
        char: ' ',
        style: "".into(),
    };
    for (y, row) in screen.iter().enumerate() {
        let old = before.map(|before| before.get(y).map_or(&[][..], |row| row));
        let mut current = String::new();
        for (x, cell) in row.iter().enumerate() {
            let differs = old.is_some_and(|old| old.get(x).unwrap_or(&blank) != cell);
            let style = format!("{}{}", cell.style, if differs { "\x1b[7m" } else { "" });
            if style != current {
                if !current.is_empty() {
                    text.push_str("\x1b[0m");
                }
                text.push_str(&style);
                current = style;
            }
            text.push(cell.char);
        }
        if !current.is_empty() {
            text.push_str("\x1b[0m");
        }
        text.push_str("\x1b[K");
        if y + 1 < screen.len() {
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, columns: usize, rows: usize, colored: bool, expected: &str) {
        let screen = lay_out(text, columns, rows, colored, true);
        let shown = draw(&screen, None)
            .replace("\x1b[K", "")
            .replace('\x1b', "^");
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_screen_is_filled() {
        check("abc\ndefgh\nx\n", 4, 9, false, "abc\ndefg\nh\nx");
        check("a\nb\nc\n", 4, 2, false, "a\nb");
        check("\x1b[31mred\x1b[0m\n", 9, 9, false, "red");
        check("\x1b[31mred\x1b[0m x\n", 9, 9, true, "^[31mred^[0m x");
        check("a\tb\n", 20, 9, false, "a       b");
    }

    #[test]
    fn differences_are_inverted() {
        let screens = ["abc\n", "abd\n"].map(|text| lay_out(text, 9, 9, false, true));
        let shown = draw(&screens[1], Some(&screens[0])).replace('\x1b', "^");
        assert_eq!(shown, "ab^[7md^[0m^[K");
    }
}
