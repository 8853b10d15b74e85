//! Brace expansion: `{a,b}` and `{1..3}` make several words of one, before anything else does.
//!
//! Models braces.c of bash.

use std::rc::Rc;

use crate::syntax::ir::{Part, Word};

/// Words one word may become; more is refused by leaving the braces alone.
const MAX_WORDS: usize = 100_000;

/// A character with braces' meaning, or a part that braces do not look into.
#[derive(Clone, Debug)]
enum Unit {
    Char(char),
    Part(Part),
}

/// The words `word` stands for, in order.
pub fn expand(word: &Word) -> Vec<Word> {
    let has_brace = word
        .parts
        .iter()
        .any(|part| matches!(part, Part::Literal(text) if text.contains('{')));
    if !has_brace {
        return vec![word.clone()];
    }
    let mut units = Vec::new();
    for part in word.parts.iter() {
        match part {
            Part::Literal(text) => units.extend(text.chars().map(Unit::Char)),
            other => units.push(Unit::Part(other.clone())),
        }
    }
    let expanded = expand_units(&units, 0);
    if expanded.len() > MAX_WORDS {
        return vec![word.clone()];
    }
    expanded.into_iter().map(|units| join(&units)).collect()
}

fn expand_units(units: &[Unit], depth: u32) -> Vec<Vec<Unit>> {
    for (open, unit) in units.iter().enumerate() {
        if !matches!(unit, Unit::Char('{')) || depth > 20 {
            continue;
        }
        let Some((close, commas)) = matching(units, open) else {
            continue;
        };
        let inner = &units[open + 1..close];
        let middles = if commas.is_empty() {
            match sequence(inner) {
                Some(words) => words,
                None => continue,
            }
        } else {
            let mut middles = Vec::new();
            let mut start = open + 1;
            for end in commas.into_iter().chain([close]) {
                middles.extend(expand_units(&units[start..end], depth + 1));
                start = end + 1;
            }
            middles
        };
        let tails = expand_units(&units[close + 1..], depth);
        let mut out = Vec::new();
        for middle in &middles {
            for tail in &tails {
                if out.len() > MAX_WORDS {
                    return out;
                }
                out.push([&units[..open], middle, tail].concat());
            }
        }
        return out;
    }
    vec![units.to_vec()]
}

/// The brace that closes the one at `open`, and the commas at its level.
fn matching(units: &[Unit], open: usize) -> Option<(usize, Vec<usize>)> {
    let mut depth = 0;
    let mut commas = Vec::new();
    for (at, unit) in units.iter().enumerate().skip(open) {
        match unit {
            Unit::Char('{') => depth += 1,
            Unit::Char('}') => {
                depth -= 1;
                if depth == 0 {
                    return Some((at, commas));
                }
            }
            Unit::Char(',') if depth == 1 => commas.push(at),
            _ => {}
        }
    }
    None
}

/// `1..5`, `01..10..2`, `a..e`.
fn sequence(units: &[Unit]) -> Option<Vec<Vec<Unit>>> {
    let text: String = units
        .iter()
        .map(|unit| match unit {
            Unit::Char(c) => Some(*c),
            Unit::Part(_) => None,
        })
        .collect::<Option<_>>()?;
    let pieces: Vec<&str> = text.split("..").collect();
    let (from, to, step) = match pieces[..] {
        [from, to] => (from, to, 1),
        [from, to, step] => (from, to, step.parse::<i64>().ok()?),
        _ => return None,
    };
    let step = step.unsigned_abs().max(1);
    let chars = |text: &str| text.chars().map(Unit::Char).collect::<Vec<_>>();
    if let (Ok(from_number), Ok(to_number)) = (from.parse::<i64>(), to.parse::<i64>()) {
        let padded = |text: &str| text.trim_start_matches('-').starts_with('0') && text.len() > 1;
        let width = if padded(from) || padded(to) {
            from.len().max(to.len())
        } else {
            0
        };
        let numbers = steps(from_number, to_number, step)?;
        return Some(
            numbers
                .iter()
                .map(|n| chars(&format!("{n:0width$}")))
                .collect(),
        );
    }
    let single = |text: &str| {
        let mut all = text.chars();
        let first = all.next().filter(char::is_ascii_alphabetic)?;
        all.next().is_none().then_some(i64::from(u32::from(first)))
    };
    let letters = steps(single(from)?, single(to)?, step)?;
    let letter = |n: &i64| vec![Unit::Char(char::from(u8::try_from(*n).unwrap_or(b'?')))];
    Some(letters.iter().map(letter).collect())
}

fn steps(from: i64, to: i64, step: u64) -> Option<Vec<i64>> {
    let count = from.abs_diff(to) / step;
    if count >= MAX_WORDS as u64 {
        return None;
    }
    let signed = i64::try_from(step).ok()? * if to < from { -1 } else { 1 };
    (0..=count as i64)
        .map(|n| signed.checked_mul(n).map(|offset| from + offset))
        .collect()
}

fn join(units: &[Unit]) -> Word {
    let mut parts = Vec::new();
    let mut text = String::new();
    for unit in units {
        match unit {
            Unit::Char(c) => text.push(*c),
            Unit::Part(part) => {
                if !text.is_empty() {
                    parts.push(Part::Literal(Rc::from(text.as_str())));
                    text.clear();
                }
                parts.push(part.clone());
            }
        }
    }
    if !text.is_empty() {
        parts.push(Part::Literal(text.into()));
    }
    Word::new(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let words = expand(&Word::literal(text));
        let texts: Vec<String> = words
            .iter()
            .map(|word| word.as_literal().unwrap_or("").to_owned())
            .collect();
        assert_eq!(texts.join(" "), expected);
    }

    #[test]
    fn braces_make_words() {
        check("a{b,c}d", "abd acd");
        check("{a,b}{1,2}", "a1 a2 b1 b2");
        check("x{a,{b,c}y}z", "xaz xbyz xcyz");
        check("{1..5}", "1 2 3 4 5");
        check("{5..1..2}", "5 3 1");
        check("{01..03}", "01 02 03");
        check("{a..e..2}", "a c e");
        check("{-1..1}", "-1 0 1");
        check("a{,b}", "a ab");
        check("{a}", "{a}");
        check("{}", "{}");
        check("{a,b", "{a,b");
        check("{1..99999999999999999999}", "{1..99999999999999999999}");
        check("{1..9999999999}", "{1..9999999999}");
        check("{{a,b}", "{a {b");
        check("'{x}' {a..}", "'{x}' {a..}");
    }
}
