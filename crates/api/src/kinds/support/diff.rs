//! The difference of two texts as `diff -U3` prints it, without the lines that name files.

/// Unchanged lines around a change.
const CONTEXT: usize = 3;
/// Texts that differ in more lines times lines than this are not compared line by line.
const MAX_TABLE: usize = 1_000_000;

/// One line of both texts laid over each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// The hunks that turn `old` into `new`; empty if they are equal.
pub fn unified(old: &str, new: &str) -> String {
    let lines = overlay(
        &old.lines().collect::<Vec<_>>(),
        &new.lines().collect::<Vec<_>>(),
    );
    let mut out = String::new();
    let mut at = 0;
    while let Some(first) = (at..lines.len()).find(|i| changed(lines[*i])) {
        let start = first.saturating_sub(CONTEXT).max(at);
        let mut last = first;
        // Changes whose contexts touch are one hunk.
        while let Some(next) =
            (last + 1..lines.len().min(last + 2 * CONTEXT + 2)).find(|i| changed(lines[*i]))
        {
            last = next;
        }
        let end = lines.len().min(last + CONTEXT + 1);
        hunk(&lines, start..end, &mut out);
        at = end;
    }
    out
}

fn changed(line: Line<'_>) -> bool {
    !matches!(line, Line::Same(_))
}

fn hunk(lines: &[Line<'_>], range: std::ops::Range<usize>, out: &mut String) {
    let count = |part: &[Line<'_>], in_old: bool| {
        part.iter()
            .filter(|line| match line {
                Line::Same(_) => true,
                Line::Old(_) => in_old,
                Line::New(_) => !in_old,
            })
            .count()
    };
    let side = |in_old: bool| {
        let (before, len) = (
            count(&lines[..range.start], in_old),
            count(&lines[range.clone()], in_old),
        );
        match len {
            0 => format!("{before},0"),
            1 => format!("{}", before + 1),
            _ => format!("{},{len}", before + 1),
        }
    };
    out.push_str(&format!("@@ -{} +{} @@\n", side(true), side(false)));
    for line in &lines[range.clone()] {
        let (mark, text) = match line {
            Line::Same(text) => (' ', text),
            Line::Old(text) => ('-', text),
            Line::New(text) => ('+', text),
        };
        out.push(mark);
        out.push_str(text);
        out.push('\n');
    }
}

/// Both texts over each other, with as many lines in common as there can be.
fn overlay<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - head;
    let tails = old.iter().rev().zip(new.iter().rev()).take(rest);
    let tail = tails.take_while(|(a, b)| a == b).count();
    let mut out: Vec<Line<'a>> = old[..head].iter().map(|line| Line::Same(line)).collect();
    middle(
        &old[head..old.len() - tail],
        &new[head..new.len() - tail],
        &mut out,
    );
    out.extend(old[old.len() - tail..].iter().map(|line| Line::Same(line)));
    out
}

/// The longest common subsequence of what head and tail leave, by the classic table.
fn middle<'a>(old: &[&'a str], new: &[&'a str], out: &mut Vec<Line<'a>>) {
    if old.len().saturating_mul(new.len()) > MAX_TABLE {
        out.extend(old.iter().map(|line| Line::Old(line)));
        out.extend(new.iter().map(|line| Line::New(line)));
        return;
    }
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push(Line::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]
        {
            out.push(Line::Old(old[i]));
            i += 1;
        } else {
            out.push(Line::New(new[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &str, new: &str, expect: &str) {
        let lines = |text: &str| {
            text.split(' ')
                .map(|w| format!("{w}\n"))
                .collect::<String>()
        };
        assert_eq!(unified(&lines(old), &lines(new)), expect);
    }

    #[test]
    fn hunks() {
        check("a b", "a b", "");
        check("a b c", "a x c", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
        check(
            "1 2 3 4 5 6",
            "1 2 3 4 5 6 7",
            "@@ -4,3 +4,4 @@\n 4\n 5\n 6\n+7\n",
        );
        check(
            "a 1 2 3 4 5 6 b",
            "A 1 2 3 4 5 6 B",
            "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n",
        );
        check(
            "a 1 2 3 4 5 6 7 b",
            "A 1 2 3 4 5 6 7 B",
            "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n",
        );
    }
}
