//! Regular expressions with what an automaton cannot do: back-references, look-around and `\K`.
//!
//! Matches by trying, within a number of steps; an expression that needs more is taken not to match.
//! Models pcre2pattern(3), without possessive repeats, atomic groups, recursion and conditions.

mod parse;

use std::rc::Rc;

use crate::regex::Span;
use parse::parse;

/// Steps after which a text is given up.
const STEPS: u32 = 2_000_000;
/// Nodes within nodes, at most, while matching: each takes some of the stack.
const DEPTH: u32 = 500;

/// A compiled expression.
#[derive(Debug, Clone)]
pub(crate) struct Backtrack {
    root: Rc<Node>,
    groups: usize,
    ignore_case: bool,
}

#[derive(Debug)]
enum Node {
    Char(char),
    Any,
    /// Ranges, and whether everything else is meant.
    Set(Vec<(char, char)>, bool),
    Start,
    End,
    /// A boundary of a word, or none.
    Word(bool),
    Group(Option<usize>, Box<Node>),
    All(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Repeat),
    Back(usize),
    Look {
        /// The lengths, in characters, of what stands behind the place; none: it stands before it.
        behind: Option<Vec<usize>>,
        negative: bool,
        what: Box<Node>,
    },
    /// `\K`: the match begins here.
    Keep,
}

/// A node so many times.
#[derive(Debug)]
struct Repeat {
    what: Box<Node>,
    least: u32,
    most: u32,
    /// As seldom as can be, not as often.
    lazy: bool,
}

impl Backtrack {
    /// Whether an expression has something in it that nothing simpler matches.
    pub(crate) fn is_needed(pattern: &str) -> bool {
        let mut rest = pattern;
        while let Some(at) = rest.find(['\\', '(']) {
            let escaped = rest[at..].starts_with('\\');
            let after = &rest[at + 1..];
            if escaped {
                if after.starts_with(|c: char| matches!(c, '1'..='9' | 'K')) {
                    return true;
                }
                rest = after
                    .get(after.chars().next().map_or(0, char::len_utf8)..)
                    .unwrap_or("");
                continue;
            }
            if ["?=", "?!", "?<=", "?<!"]
                .iter()
                .any(|look| after.starts_with(look))
            {
                return true;
            }
            rest = after;
        }
        false
    }

    pub(crate) fn new(pattern: &str, ignore_case: bool) -> Result<Backtrack, String> {
        let (root, groups) = parse(pattern)?;
        Ok(Backtrack {
            root: Rc::new(root),
            groups,
            ignore_case,
        })
    }

    /// The groups of the first match at or after a byte offset; the first is the whole.
    pub(crate) fn captures(&self, text: &str, from: usize) -> Option<Vec<Span>> {
        let starts = text[from..].char_indices().map(|(at, _)| from + at);
        let mut steps = 0;
        for start in starts.chain([text.len()]) {
            let mut state = State {
                groups: vec![None; self.groups + 1],
                start,
                steps,
                depth: 0,
            };
            let mut end = None;
            let found = self.run(text, &self.root, start, &mut state, &mut |at, _| {
                end = Some(at);
                true
            });
            if let (true, Some(end)) = (found, end) {
                let mut groups = state.groups;
                groups[0] = Some((state.start.min(end), end));
                return Some(groups);
            }
            steps = state.steps;
            if steps > STEPS {
                break;
            }
        }
        None
    }

    fn same(&self, a: char, b: char) -> bool {
        a == b || self.ignore_case && a.to_lowercase().eq(b.to_lowercase())
    }

    fn in_set(&self, c: char, ranges: &[(char, char)]) -> bool {
        let within = |c: char| ranges.iter().any(|(from, to)| (*from..=*to).contains(&c));
        within(c)
            || self.ignore_case && (c.to_lowercase().any(within) || c.to_uppercase().any(within))
    }

    /// Whether the node matches at a place and what comes after it does, too.
    fn run(&self, text: &str, node: &Node, at: usize, state: &mut State, next: Next<'_>) -> bool {
        state.steps += 1;
        if state.depth > DEPTH {
            state.steps = STEPS + 1;
        }
        if state.steps > STEPS {
            return false;
        }
        state.depth += 1;
        let found = self.try_node(text, node, at, state, next);
        state.depth -= 1;
        found
    }

    /// Whether a node of one character matches the next one.
    fn fits(&self, node: &Node, c: char) -> bool {
        match node {
            Node::Char(wanted) => self.same(c, *wanted),
            Node::Any => c != '\n',
            Node::Set(ranges, negative) => self.in_set(c, ranges) != *negative,
            _ => false,
        }
    }

    fn try_node(
        &self,
        text: &str,
        node: &Node,
        at: usize,
        state: &mut State,
        next: Next<'_>,
    ) -> bool {
        let here = text[at..].chars().next();
        match node {
            Node::Char(_) | Node::Any | Node::Set(..) => match here {
                Some(c) if self.fits(node, c) => next(at + c.len_utf8(), state),
                _ => false,
            },
            Node::Start => at == 0 && next(at, state),
            Node::End => at == text.len() && next(at, state),
            Node::Word(wanted) => {
                let is_word = |c: char| c == '_' || c.is_alphanumeric();
                let before = text[..at].chars().next_back().is_some_and(is_word);
                let after = here.is_some_and(is_word);
                (before != after) == *wanted && next(at, state)
            }
            Node::Group(number, what) => self.group(text, (*number, what), at, state, next),
            Node::All(nodes) => self.all(text, nodes, at, state, next),
            Node::Either(nodes) => nodes
                .iter()
                .any(|node| self.run(text, node, at, state, next)),
            Node::Repeat(repeat) if repeat.what.is_one() => {
                self.repeat_one(text, repeat, at, state, next)
            }
            Node::Repeat(repeat) => self.repeat(text, repeat, (0, at), state, next),
            Node::Back(number) => match state.groups.get(*number).copied().flatten() {
                Some((from, to)) if text[at..].starts_with(&text[from..to]) => {
                    next(at + to - from, state)
                }
                _ => false,
            },
            Node::Look {
                behind,
                negative,
                what,
            } => {
                let found = self.looks(text, what, at, behind.as_deref(), state);
                found != *negative && next(at, state)
            }
            Node::Keep => {
                let before = std::mem::replace(&mut state.start, at);
                next(at, state) || {
                    state.start = before;
                    false
                }
            }
        }
    }

    fn group(
        &self,
        text: &str,
        (number, what): (Option<usize>, &Node),
        at: usize,
        state: &mut State,
        next: Next<'_>,
    ) -> bool {
        let Some(number) = number else {
            return self.run(text, what, at, state, next);
        };
        self.run(text, what, at, state, &mut |end, state| {
            let before = state.groups[number].replace((at, end));
            next(end, state) || {
                state.groups[number] = before;
                false
            }
        })
    }

    fn all(
        &self,
        text: &str,
        nodes: &[Node],
        at: usize,
        state: &mut State,
        next: Next<'_>,
    ) -> bool {
        match nodes {
            [] => next(at, state),
            [first, rest @ ..] => self.run(text, first, at, state, &mut |at, state| {
                self.all(text, rest, at, state, next)
            }),
        }
    }

    fn repeat(
        &self,
        text: &str,
        repeat: &Repeat,
        (count, at): (u32, usize),
        state: &mut State,
        next: Next<'_>,
    ) -> bool {
        let Repeat {
            what,
            least,
            most,
            lazy,
        } = repeat;
        let enough = count >= *least;
        if enough && *lazy && next(at, state) {
            return true;
        }
        let more = count < *most
            && self.run(text, what, at, state, &mut |end, state| {
                // Something empty repeats for ever.
                (end > at || !enough) && self.repeat(text, repeat, (count + 1, end), state, next)
            });
        more || enough && !*lazy && next(at, state)
    }

    /// One character repeated: counted, not gone into, since a line may be long.
    fn repeat_one(
        &self,
        text: &str,
        repeat: &Repeat,
        at: usize,
        state: &mut State,
        next: Next<'_>,
    ) -> bool {
        let Repeat {
            what,
            least,
            most,
            lazy,
        } = repeat;
        let (least, most) = (*least as usize, *most as usize);
        // Where so many of them end: none, one, two, …
        let mut ends = vec![at];
        loop {
            let (count, place) = (ends.len() - 1, ends[ends.len() - 1]);
            if *lazy && count >= least && next(place, state) {
                return true;
            }
            state.steps += 1;
            let may = count < most && state.steps <= STEPS;
            match text[place..].chars().next() {
                Some(c) if may && self.fits(what, c) => ends.push(place + c.len_utf8()),
                _ => break,
            }
        }
        let mut ends = ends.iter().skip(least).rev();
        !*lazy && ends.any(|end| state.steps <= STEPS && next(*end, state))
    }

    /// Whether something stands before a place, or behind it.
    fn looks(
        &self,
        text: &str,
        what: &Node,
        at: usize,
        behind: Option<&[usize]>,
        state: &mut State,
    ) -> bool {
        let Some(lengths) = behind else {
            return self.run(text, what, at, state, &mut |_, _| true);
        };
        lengths.iter().any(|length| {
            let start = match length.checked_sub(1) {
                None => Some(at),
                Some(before) => text[..at]
                    .char_indices()
                    .rev()
                    .nth(before)
                    .map(|(at, _)| at),
            };
            start.is_some_and(|start| self.run(text, what, start, state, &mut |end, _| end == at))
        })
    }
}

impl Node {
    /// Whether it always is one character.
    fn is_one(&self) -> bool {
        matches!(self, Node::Char(_) | Node::Any | Node::Set(..))
    }
}

/// What comes after a node: asked with the place behind it.
type Next<'a> = &'a mut dyn FnMut(usize, &mut State) -> bool;

struct State {
    groups: Vec<Span>,
    start: usize,
    steps: u32,
    depth: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: Option<&str>) {
        let found = Backtrack::new(pattern, false).expect("compiles");
        let found = found.captures(text, 0).and_then(|groups| groups[0]);
        assert_eq!(
            found.map(|(from, to)| &text[from..to]),
            expected,
            "{pattern}"
        );
    }

    #[test]
    fn look_around_and_what_was_found() {
        check("(?<=a)\\d(?=b)", "a1c a2b", Some("2"));
        check("foo(?!baz)\\w*", "foobaz foobar", Some("foobar"));
        check("(?<!x)y+", "xy yy", Some("yy"));
        check("token: *\\K[^ ]+", "the token:  abc d", Some("abc"));
        check("(\\w+) \\1", "one two two", Some("two two"));
        check("a.*?c", "abcbc", Some("abc"));
        check("(?:ab){2,3}", "xababab", Some("ababab"));
        check(
            "[[:digit:].]+(?=/\\d+)",
            "inet 10.0.0.1/24",
            Some("10.0.0.1"),
        );
        check("^(a*)*$", "aaab", None);
        check("x|(?=y)", "ay", Some(""));
        check("(?<=ab|c)\\w", "abx", Some("x"));
        check("(?<=^|,)[^,]+", "a,b", Some("a"));
        check("a{2,3}?(?=a)", "aaaa", Some("aa"));
        check("a{3}(?=b)", "aab aaaab", Some("aaa"));
        check("[^x]{2,}(?=x)", "ax aax", Some(" aa"));
    }

    #[test]
    fn long_lines_and_deep_expressions_end() {
        let line = format!("\"name\":\"{}\"", "ab".repeat(50_000));
        let found = Backtrack::new("(?<=\"name\":\")[^\"]*", false).expect("compiles");
        let found = found.captures(&line, 0).and_then(|groups| groups[0]);
        assert_eq!(found, Some((8, 100_008)));
        check("(?=a)(ab)*", &"ab".repeat(10), Some(&"ab".repeat(10)));
        // Each round is a level deeper: this is given up.
        check("(?=a)(ab)*$", &"ab".repeat(50_000), None);
        check("(?=a)(a*)*$", &format!("{}b", "a".repeat(5000)), None);
        let deep = format!("(?=a){}{}", "(".repeat(5000), ")".repeat(5000));
        assert!(Backtrack::new(&deep, false).is_err());
        assert!(Backtrack::new("(?<=a*)b", false).is_err());
    }

    #[test]
    fn what_needs_it_is_known() {
        for (pattern, expected) in [
            ("a(b)c", false),
            ("\\\\1", false),
            ("(a)\\1", true),
            ("a(?=b)", true),
            ("a(?:b)", false),
            ("\\(?=", false),
            ("a\\Kb", true),
        ] {
            assert_eq!(Backtrack::is_needed(pattern), expected, "{pattern}");
        }
        assert!(Backtrack::new("(?=a", false).is_err());
        assert!(Backtrack::new("a)", false).is_err());
    }
}
