//! Shell patterns: `*`, `?`, `[…]`, and extended `@(a|b)`. Text to text; knows no files.
//!
//! A match keeps the set of places it may have reached, so no pattern takes exponential time.
//!
//! Models lib/glob/sm_loop.c of bash.

/// A pattern, read once.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    elements: Vec<Element>,
}

#[derive(Debug, Clone, PartialEq)]
enum Element {
    Char(char),
    Any,
    Star,
    Set(Set),
    /// The character before the parenthesis, and the alternatives.
    Group(char, Vec<Vec<Element>>),
}

#[derive(Debug, Clone, PartialEq)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
    classes: Vec<Class>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Class {
    Alnum,
    Alpha,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
}

/// Nesting of groups beyond this is taken as text.
const MAX_NESTING: u32 = 20;

impl Pattern {
    /// Reads a pattern; `\x` is the character `x` itself.
    pub fn new(text: &str) -> Pattern {
        let chars: Vec<char> = text.chars().collect();
        let mut pos = 0;
        Pattern {
            elements: sequence(&chars, &mut pos, 0),
        }
    }

    /// Whether it holds anything but plain characters.
    pub fn is_plain(&self) -> bool {
        self.elements
            .iter()
            .all(|element| matches!(element, Element::Char(_)))
    }

    /// Its text, if it is plain.
    pub fn as_plain(&self) -> Option<String> {
        self.elements
            .iter()
            .map(|element| match element {
                Element::Char(c) => Some(*c),
                _ => None,
            })
            .collect()
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        self.ends(&chars, 0)[chars.len()]
    }

    /// Whether the pattern begins with a literal dot, which hidden names ask for.
    pub fn begins_with_dot(&self) -> bool {
        matches!(self.elements.first(), Some(Element::Char('.')))
    }

    /// The end of the shortest or longest match that begins at `start`, in characters.
    pub fn match_at(&self, text: &[char], start: usize, longest: bool) -> Option<usize> {
        let ends = self.ends(text, start);
        let mut found = ends
            .iter()
            .enumerate()
            .filter(|(_, reached)| **reached)
            .map(|(i, _)| i);
        if longest {
            found.next_back()
        } else {
            found.next()
        }
    }

    /// Where a match beginning at `start` may end: one flag for each place, the end included.
    fn ends(&self, text: &[char], start: usize) -> Vec<bool> {
        let mut from = vec![false; text.len() + 1];
        from[start] = true;
        advance(&self.elements, text, from)
    }
}

fn advance(elements: &[Element], text: &[char], mut from: Vec<bool>) -> Vec<bool> {
    for element in elements {
        let mut to = vec![false; text.len() + 1];
        match element {
            Element::Star => {
                let mut reached = false;
                for (place, here) in from.iter().enumerate() {
                    reached |= here;
                    to[place] = reached;
                }
            }
            Element::Group(kind, alternatives) => to = group(*kind, alternatives, text, &from),
            _ => {
                for (place, c) in text.iter().enumerate() {
                    to[place + 1] = from[place] && element.takes(*c);
                }
            }
        }
        if !to.contains(&true) {
            return to;
        }
        from = to;
    }
    from
}

fn group(kind: char, alternatives: &[Vec<Element>], text: &[char], from: &[bool]) -> Vec<bool> {
    let once = |from: &[bool]| {
        let mut to = vec![false; from.len()];
        for alternative in alternatives {
            for (place, reached) in advance(alternative, text, from.to_vec()).iter().enumerate() {
                to[place] |= reached;
            }
        }
        to
    };
    match kind {
        '@' => once(from),
        '?' => join(from, &once(from)),
        '!' => {
            // From each place by itself: every end that the alternatives do not reach.
            let mut to = vec![false; from.len()];
            for start in (0..from.len()).filter(|start| from[*start]) {
                let mut single = vec![false; from.len()];
                single[start] = true;
                let reached = once(&single);
                for end in start..from.len() {
                    to[end] |= !reached[end];
                }
            }
            to
        }
        _ => {
            let mut all = once(from);
            loop {
                let next = join(&all, &once(&all));
                if next == all {
                    break;
                }
                all = next;
            }
            if kind == '*' { join(from, &all) } else { all }
        }
    }
}

fn join(a: &[bool], b: &[bool]) -> Vec<bool> {
    a.iter().zip(b).map(|(a, b)| *a || *b).collect()
}

impl Element {
    fn takes(&self, c: char) -> bool {
        match self {
            Element::Char(own) => *own == c,
            Element::Any => true,
            Element::Set(set) => set.contains(c) != set.negated,
            Element::Star | Element::Group(..) => false,
        }
    }
}

impl Set {
    fn contains(&self, c: char) -> bool {
        self.ranges
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&c))
            || self.classes.iter().any(|class| class.contains(c))
    }
}

impl Class {
    fn named(name: &str) -> Option<Class> {
        Some(match name {
            "alnum" => Class::Alnum,
            "alpha" => Class::Alpha,
            "blank" => Class::Blank,
            "cntrl" => Class::Cntrl,
            "digit" => Class::Digit,
            "graph" => Class::Graph,
            "lower" => Class::Lower,
            "print" => Class::Print,
            "punct" => Class::Punct,
            "space" => Class::Space,
            "upper" => Class::Upper,
            "xdigit" => Class::Xdigit,
            _ => return None,
        })
    }

    fn contains(self, c: char) -> bool {
        match self {
            Class::Alnum => c.is_alphanumeric(),
            Class::Alpha => c.is_alphabetic(),
            Class::Blank => c == ' ' || c == '\t',
            Class::Cntrl => c.is_control(),
            Class::Digit => c.is_ascii_digit(),
            Class::Graph => !c.is_control() && !c.is_whitespace(),
            Class::Lower => c.is_lowercase(),
            Class::Print => !c.is_control(),
            Class::Punct => c.is_ascii_punctuation(),
            Class::Space => c.is_whitespace(),
            Class::Upper => c.is_uppercase(),
            Class::Xdigit => c.is_ascii_hexdigit(),
        }
    }
}

/// Reads up to the end, or within a group up to `|` or `)`.
fn sequence(chars: &[char], pos: &mut usize, nesting: u32) -> Vec<Element> {
    let mut elements = Vec::new();
    while let Some(&c) = chars.get(*pos) {
        if nesting > 0 && (c == '|' || c == ')') {
            break;
        }
        *pos += 1;
        let extended = chars.get(*pos) == Some(&'(') && nesting < MAX_NESTING;
        if extended && matches!(c, '?' | '*' | '+' | '@' | '!') {
            let open = *pos;
            *pos += 1;
            if let Some(alternatives) = alternatives(chars, pos, nesting + 1) {
                elements.push(Element::Group(c, alternatives));
                continue;
            }
            *pos = open;
        }
        elements.push(match c {
            '*' if elements.last() == Some(&Element::Star) => continue,
            '*' => Element::Star,
            '?' => Element::Any,
            '\\' => {
                let escaped = chars.get(*pos).copied().unwrap_or('\\');
                *pos += 1;
                Element::Char(escaped)
            }
            '[' => set(chars, pos).unwrap_or(Element::Char('[')),
            _ => Element::Char(c),
        });
    }
    elements
}

fn alternatives(chars: &[char], pos: &mut usize, nesting: u32) -> Option<Vec<Vec<Element>>> {
    let mut all = Vec::new();
    loop {
        all.push(sequence(chars, pos, nesting));
        let end = *chars.get(*pos)?;
        *pos += 1;
        if end == ')' {
            return Some(all);
        }
    }
}

/// A bracket expression behind its `[`; `None` if it never closes, when `[` is just a character.
fn set(chars: &[char], pos: &mut usize) -> Option<Element> {
    let mut at = *pos;
    let mut set = Set {
        negated: false,
        ranges: Vec::new(),
        classes: Vec::new(),
    };
    if matches!(chars.get(at), Some('!' | '^')) {
        set.negated = true;
        at += 1;
    }
    let first = at;
    loop {
        let mut c = *chars.get(at)?;
        if c == ']' && at > first {
            *pos = at + 1;
            return Some(Element::Set(set));
        }
        if c == '[' && chars.get(at + 1) == Some(&':') {
            let name: String = chars[at + 2..].iter().take_while(|c| **c != ':').collect();
            let end = at + 2 + name.chars().count();
            if chars.get(end + 1) == Some(&']')
                && let Some(class) = Class::named(&name)
            {
                set.classes.push(class);
                at = end + 2;
                continue;
            }
        }
        if c == '\\' {
            at += 1;
            c = *chars.get(at)?;
        }
        at += 1;
        let mut high = c;
        if chars.get(at) == Some(&'-') && chars.get(at + 1).is_some_and(|next| *next != ']') {
            high = chars[at + 1];
            at += 2;
            if high == '\\' {
                high = *chars.get(at)?;
                at += 1;
            }
        }
        set.ranges.push((c, high));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let compiled = Pattern::new(pattern);
        for text in yes {
            assert!(compiled.matches(text), "{pattern} should match {text:?}");
        }
        for text in no {
            assert!(
                !compiled.matches(text),
                "{pattern} should not match {text:?}"
            );
        }
    }

    #[test]
    fn patterns_match() {
        check("*.txt", &["a.txt", ".txt"], &["a.txt2", "txt"]);
        check("a?c", &["abc", "aéc"], &["ac", "abbc"]);
        check("[a-c]*[!0-9]", &["bx", "ab"], &["d", "b1"]);
        check("[]x]", &["]", "x"], &["a"]);
        check("[[:digit:]_-]", &["4", "_", "-"], &["a"]);
        check("[a", &["[a"], &["a"]);
        check("\\*", &["*"], &["a"]);
        check("", &[""], &["a"]);
        check("*a*a*a*a*a*a*a*a*b", &[], &[&"a".repeat(2000)]);
    }

    #[test]
    fn extended_patterns_match() {
        check("@(ab|c)d", &["abd", "cd"], &["d", "abcd"]);
        check("?(ab)d", &["abd", "d"], &["ababd"]);
        check("+(ab)", &["ab", "abab"], &["", "aba"]);
        check("*(ab|c)", &["", "abcab"], &["b"]);
        check("!(*.txt)", &["a", "txt"], &["a.txt"]);
        check("a+(b|@(c|d))e", &["abe", "acdbe"], &["ae"]);
    }

    #[test]
    fn shortest_and_longest_from_a_place() {
        let text: Vec<char> = "a/b/c".chars().collect();
        let pattern = Pattern::new("*/");
        assert_eq!(pattern.match_at(&text, 0, false), Some(2));
        assert_eq!(pattern.match_at(&text, 0, true), Some(4));
        assert_eq!(pattern.match_at(&text, 4, true), None);
    }
}
