//! What an expression is made of.

use super::{Node, Repeat};

/// Groups within groups, at most.
const NESTED: u32 = 100;
/// Lengths that what stands behind a place may have, at most.
const LENGTHS: usize = 32;

/// The tree of an expression, and how many groups it has.
pub(super) fn parse(pattern: &str) -> Result<(Node, usize), String> {
    let mut parser = Parser {
        chars: pattern.chars().collect(),
        at: 0,
        groups: 0,
        nested: 0,
    };
    let root = parser.either()?;
    if parser.at < parser.chars.len() {
        return Err("unmatched closing parenthesis".to_owned());
    }
    Ok((root, parser.groups))
}

impl Node {
    /// The lengths it may have, in characters; `None` if there is no telling.
    fn lengths(&self) -> Option<Vec<usize>> {
        let mut found = match self {
            Node::Char(_) | Node::Any | Node::Set(..) => vec![1],
            Node::Start | Node::End | Node::Word(_) | Node::Look { .. } => vec![0],
            Node::Group(_, what) => what.lengths()?,
            Node::All(nodes) => {
                let mut sums = vec![0_usize];
                for node in nodes {
                    let more = node.lengths()?;
                    let each = |sum: usize| more.iter().map(move |more| sum + more);
                    sums = sums.into_iter().flat_map(each).collect();
                    if sums.len() > LENGTHS {
                        return None;
                    }
                }
                sums
            }
            Node::Either(nodes) => {
                let each: Option<Vec<_>> = nodes.iter().map(Node::lengths).collect();
                each?.concat()
            }
            Node::Repeat(repeat) if repeat.least == repeat.most => {
                let times = repeat.least as usize;
                repeat
                    .what
                    .lengths()?
                    .iter()
                    .map(|length| length.checked_mul(times))
                    .collect::<Option<_>>()?
            }
            Node::Repeat(_) | Node::Back(_) | Node::Keep => return None,
        };
        found.sort_unstable();
        found.dedup();
        (found.len() <= LENGTHS).then_some(found)
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    groups: usize,
    nested: u32,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.chars[self.at..]
            .iter()
            .copied()
            .take(text.len())
            .eq(text.chars());
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn either(&mut self) -> Result<Node, String> {
        let mut branches = Vec::new();
        loop {
            let mut nodes = Vec::new();
            while self.peek().is_some_and(|c| c != '|' && c != ')') {
                let node = self.atom()?;
                nodes.push(self.repeated(node)?);
            }
            branches.push(Node::All(nodes));
            if !self.take("|") {
                return Ok(Node::Either(branches));
            }
        }
    }

    fn atom(&mut self) -> Result<Node, String> {
        if self.take("(") {
            return self.group();
        }
        let c = self.peek().unwrap_or_default();
        self.at += 1;
        Ok(match c {
            '.' => Node::Any,
            '^' => Node::Start,
            '$' => Node::End,
            '[' => {
                let negative = self.take("^");
                Node::Set(self.set()?, negative)
            }
            '\\' => {
                let Some(c) = self.peek() else {
                    return Err("\\ at end of pattern".to_owned());
                };
                self.at += 1;
                match c {
                    '1'..='9' => Node::Back(c as usize - '0' as usize),
                    'b' | 'B' => Node::Word(c == 'b'),
                    'K' => Node::Keep,
                    'A' => Node::Start,
                    'z' | 'Z' => Node::End,
                    'D' | 'S' | 'W' => Node::Set(class(c.to_ascii_lowercase()), true),
                    'd' | 's' | 'w' => Node::Set(class(c), false),
                    _ => Node::Char(plain(c)),
                }
            }
            _ => Node::Char(c),
        })
    }

    fn group(&mut self) -> Result<Node, String> {
        let looks = [
            ("?=", true, false),
            ("?!", true, true),
            ("?<=", false, false),
            ("?<!", false, true),
        ];
        let look = looks.iter().find(|(start, ..)| self.take(start));
        let number = match look {
            Some(_) => None,
            None if self.take("?:") => None,
            None if self.peek() == Some('?') => {
                return Err("unrecognized character after (?".into());
            }
            None => {
                self.groups += 1;
                Some(self.groups)
            }
        };
        self.nested += 1;
        if self.nested > NESTED {
            return Err("parentheses are too deeply nested".to_owned());
        }
        let what = Box::new(self.either()?);
        self.nested -= 1;
        if !self.take(")") {
            return Err("missing closing parenthesis".to_owned());
        }
        let Some((_, ahead, negative)) = look else {
            return Ok(Node::Group(number, what));
        };
        let behind = match ahead {
            true => None,
            false => Some(
                what.lengths()
                    .ok_or("lookbehind assertion is not fixed length")?,
            ),
        };
        Ok(Node::Look {
            behind,
            negative: *negative,
            what,
        })
    }

    fn repeated(&mut self, mut node: Node) -> Result<Node, String> {
        loop {
            let (least, most) = match self.peek() {
                Some('*') => (0, u32::MAX),
                Some('+') => (1, u32::MAX),
                Some('?') => (0, 1),
                Some('{') => match self.interval() {
                    Some(found) => found,
                    None => return Ok(node),
                },
                _ => return Ok(node),
            };
            self.at += 1;
            let lazy = self.take("?");
            node = Node::Repeat(Repeat {
                what: Box::new(node),
                least,
                most,
                lazy,
            });
        }
    }

    /// `{2,3}`, up to its last brace; what only looks like it stands for itself.
    fn interval(&mut self) -> Option<(u32, u32)> {
        let rest: String = self.chars[self.at + 1..].iter().collect();
        let (inner, _) = rest.split_once('}')?;
        let (least, most) = match inner.split_once(',') {
            Some((least, "")) => (least.parse().ok()?, u32::MAX),
            Some((least, most)) => (least.parse().ok()?, most.parse().ok()?),
            None => (inner.parse().ok()?, inner.parse().ok()?),
        };
        self.at += inner.chars().count() + 1;
        Some((least, most))
    }

    /// The ranges of a bracket expression behind `[` or `[^`.
    fn set(&mut self) -> Result<Vec<(char, char)>, String> {
        let mut ranges = Vec::new();
        let first = self.at;
        loop {
            let Some(mut c) = self.peek() else {
                return Err("missing terminating ] for character class".to_owned());
            };
            self.at += 1;
            match c {
                ']' if self.at > first + 1 => return Ok(ranges),
                '[' if self.peek() == Some(':') => {
                    let rest: String = self.chars[self.at + 1..].iter().collect();
                    if let Some((name, _)) = rest.split_once(":]") {
                        ranges.extend(named(name)?);
                        self.at += name.len() + 3;
                        continue;
                    }
                }
                '\\' => {
                    c = self.peek().unwrap_or('\\');
                    self.at += 1;
                    if matches!(c, 'd' | 's' | 'w') {
                        ranges.extend(class(c));
                        continue;
                    }
                    c = plain(c);
                }
                _ => {}
            }
            let end = match (self.peek(), self.chars.get(self.at + 1)) {
                (Some('-'), Some(end)) if *end != ']' => Some(*end),
                _ => None,
            };
            if end.is_some() {
                self.at += 2;
            }
            ranges.push((c, end.unwrap_or(c)));
        }
    }
}

/// What a letter behind a backslash stands for.
fn plain(c: char) -> char {
    match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'f' => '\u{c}',
        'e' => '\u{1b}',
        c => c,
    }
}

fn class(letter: char) -> Vec<(char, char)> {
    match letter {
        'd' => vec![('0', '9')],
        's' => vec![('\t', '\r'), (' ', ' ')],
        _ => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
    }
}

fn named(name: &str) -> Result<Vec<(char, char)>, String> {
    Ok(match name {
        "alpha" => vec![('A', 'Z'), ('a', 'z')],
        "digit" => class('d'),
        "alnum" => vec![('0', '9'), ('A', 'Z'), ('a', 'z')],
        "upper" => vec![('A', 'Z')],
        "lower" => vec![('a', 'z')],
        "space" => class('s'),
        "blank" => vec![(' ', ' '), ('\t', '\t')],
        "punct" => vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "print" => vec![(' ', '~')],
        "graph" => vec![('!', '~')],
        "cntrl" => vec![('\0', '\u{1f}'), ('\u{7f}', '\u{7f}')],
        "xdigit" => vec![('0', '9'), ('A', 'F'), ('a', 'f')],
        "word" => class('w'),
        _ => return Err("unknown POSIX class name".to_owned()),
    })
}
