//! `perl`: the image that the documentation of Jobs computes π with, and as much of the language as
//! one line of that kind needs: `print` of texts, numbers and `bpi(N)`, `sleep`, `exit`. Everything
//! else of Perl is not modelled.

mod pi;

use machine::fs::Node;
use machine::{Io, tool};
use sim::Duration;

use crate::definition::{Definition, Tags, Versions};
use crate::userland::{Userland, put};

/// `docker.io/library/perl`
pub(crate) static IMAGE: Definition = Definition {
    repository: "docker.io/library/perl",
    tags: Tags {
        words: &["latest", "stable", "slim", "bookworm", "slim-bookworm", "5"],
        versions: &[Versions::of(5, 8..=42)],
        suffixes: &[
            "slim",
            "threaded",
            "slim-threaded",
            "bookworm",
            "slim-bookworm",
            "bullseye",
            "buster",
        ],
    },
    userland: Userland::Debian,
    layers: &[("perl {tag}", 305_000_000)],
    cmd: &["perl5", "-de0"],
    working_dir: "/usr/src/app",
    files: |tree, _| {
        for path in ["/usr/local/bin/perl", "/usr/local/bin/perl5"] {
            put(tree, path, Node::binary("perl"));
        }
    },
    programs: &[("perl", || tool(|io| Box::pin(main(io))))],
    ..Definition::PLAIN
};

/// More digits of π than this nobody waits for.
const MOST_DIGITS: usize = 20_000;
const OUTSIDE: i32 = 255;

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    code: Option<String>,
    /// `-l`: each print ends its line.
    lines: bool,
    /// `-Mbignum=bpi` or the like: `bpi` is known.
    bpi: bool,
}

/// One step of the program.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Print { texts: Vec<Text>, line: bool },
    Sleep(u64),
    Exit(i32),
}

#[derive(Debug, PartialEq, Eq)]
enum Text {
    Plain(String),
    /// π to so many digits.
    Pi(usize),
}

async fn main(io: Io) -> i32 {
    let wanted = match read(&io.args()[1..]) {
        Ok(wanted) => wanted,
        Err(text) => {
            io.eprint(&format!("{text}\n")).await;
            return 29;
        }
    };
    let outside = sim::unmodelled!("Perl beyond print, sleep and exit");
    let steps = wanted.code.as_deref().and_then(|code| parse(code, &wanted));
    let Some(steps) = steps else {
        io.eprint(&format!("perl: {outside}\n")).await;
        return OUTSIDE;
    };
    for step in steps {
        match step {
            Step::Exit(code) => return code,
            Step::Sleep(secs) => io.sleep(Duration::from_secs(secs)).await,
            Step::Print { texts, line } => {
                let mut shown = String::new();
                for text in texts {
                    match text {
                        Text::Plain(text) => shown.push_str(&text),
                        Text::Pi(digits) => {
                            // Some four seconds for two thousand digits.
                            let micros = u64::try_from(digits * digits).unwrap_or(u64::MAX);
                            io.sleep(Duration::from_micros(micros)).await;
                            shown.push_str(&pi::digits(digits));
                        }
                    }
                }
                if line {
                    shown.push('\n');
                }
                io.print(&shown).await;
            }
        }
    }
    0
}

/// Reads the switches; the error is Perl's.
fn read(args: &[std::rc::Rc<str>]) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let Some(switches) = arg.strip_prefix('-') else {
            return Ok(wanted);
        };
        let mut letters = switches.chars();
        while let Some(letter) = letters.next() {
            match letter {
                'w' | 'n' | 'W' => {}
                'l' => wanted.lines = true,
                'e' | 'E' => {
                    let code = args
                        .next()
                        .ok_or_else(|| format!("No code specified for -{letter}."))?;
                    wanted.code = Some(code.to_string());
                }
                'M' | 'm' => {
                    let module: String = letters.by_ref().collect();
                    wanted.bpi |= module.ends_with("bpi");
                }
                other => {
                    return Err(format!(
                        "Unrecognized switch: -{other}  (-h will show valid options)."
                    ));
                }
            }
        }
    }
    Ok(wanted)
}

/// The steps of a program; `None` if there is more in it than is modelled.
fn parse(code: &str, wanted: &Wanted) -> Option<Vec<Step>> {
    let statements = code.split(';').map(str::trim);
    let statements = statements.filter(|statement| !statement.is_empty());
    statements
        .map(|statement| step(statement, wanted))
        .collect()
}

fn step(statement: &str, wanted: &Wanted) -> Option<Step> {
    let end = statement.find(|c: char| !c.is_ascii_alphabetic());
    let (word, rest) = statement.split_at(end.unwrap_or(statement.len()));
    let rest = rest.trim();
    let inner = rest
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let rest = inner.unwrap_or(rest).trim();
    match word {
        "print" | "say" => {
            let texts: Option<Vec<Text>> = pieces(rest)
                .into_iter()
                .map(|piece| text(piece.trim(), wanted))
                .collect();
            let line = wanted.lines || word == "say";
            texts.map(|texts| Step::Print { texts, line })
        }
        "sleep" => rest.parse().ok().map(Step::Sleep),
        "exit" if rest.is_empty() => Some(Step::Exit(0)),
        "exit" => rest.parse().ok().map(Step::Exit),
        _ => None,
    }
}

/// A list apart at its commas, those in texts not counting.
fn pieces(list: &str) -> Vec<&str> {
    let (mut quote, mut from) = (None, 0);
    let mut pieces = Vec::new();
    for (at, letter) in list.char_indices() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, ',') => {
                pieces.push(&list[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&list[from..]);
    pieces
}

fn text(piece: &str, wanted: &Wanted) -> Option<Text> {
    let quoted = |mark: char| {
        let inner = piece.strip_prefix(mark)?.strip_suffix(mark)?;
        (!inner.contains(mark)).then_some(inner)
    };
    if let Some(plain) = quoted('\'') {
        return Some(Text::Plain(plain.to_owned()));
    }
    if let Some(text) = quoted('"') {
        // Variables would have to be put in.
        let plain = text.replace("\\n", "\n").replace("\\t", "\t");
        return (!plain.contains(['$', '@', '\\'])).then_some(Text::Plain(plain));
    }
    if let Some(digits) = piece.strip_prefix("bpi(").and_then(|p| p.strip_suffix(')')) {
        let digits: usize = digits.trim().parse().ok()?;
        return (wanted.bpi && digits <= MOST_DIGITS).then_some(Text::Pi(digits));
    }
    piece.parse::<i64>().ok()?;
    Some(Text::Plain(piece.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(args: &[&str]) -> Option<Vec<Step>> {
        let args: Vec<_> = args.iter().map(|arg| (*arg).into()).collect();
        let wanted = read(&args).expect("known switches");
        parse(wanted.code.as_deref()?, &wanted)
    }

    #[test]
    fn one_line_programs() {
        let pi = Step::Print {
            texts: vec![Text::Pi(2000)],
            line: true,
        };
        assert_eq!(
            steps(&["-Mbignum=bpi", "-wle", "print bpi(2000)"]),
            Some(vec![pi])
        );
        let plain = |text: &str| Text::Plain(text.to_owned());
        let hello = Step::Print {
            texts: vec![plain("a, b"), plain("\n")],
            line: false,
        };
        assert_eq!(
            steps(&["-e", r#"print "a, b", "\n"; sleep 3; exit 4"#]),
            Some(vec![hello, Step::Sleep(3), Step::Exit(4)])
        );
        assert_eq!(steps(&["-wle", "print bpi(10)"]), None);
        assert_eq!(steps(&["-e", "my $x = 1"]), None);
    }
}
