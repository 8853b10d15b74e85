//! Columns that end with tabs, aligned over neighbouring lines.
//!
//! Models Go's text/tabwriter with a padding of two blanks, as `kubectl describe` uses it.

const PADDING: usize = 2;

/// Replaces tabs by blanks so that cells of neighbouring lines line up.
pub(crate) fn tabulate(text: &str) -> String {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let lines: Vec<Vec<&str>> = body
        .split('\n')
        .map(|line| line.split('\t').collect())
        .collect();
    let mut out = String::with_capacity(text.len() * 2);
    format(&lines, &mut Vec::new(), &mut out);
    if !text.ends_with('\n') {
        out.pop();
    }
    out
}

/// Formats lines whose first columns have the given widths. A column goes on for as long as
/// neighbouring lines have a cell in it that ends with a tab.
fn format(lines: &[Vec<&str>], widths: &mut Vec<usize>, out: &mut String) {
    let column = widths.len();
    let mut done = 0;
    let mut at = 0;
    while at < lines.len() {
        if column + 1 >= lines[at].len() {
            at += 1;
            continue;
        }
        write(&lines[done..at], widths, out);
        done = at;
        let mut width = 0;
        while at < lines.len() && column + 1 < lines[at].len() {
            width = width.max(lines[at][column].chars().count() + PADDING);
            at += 1;
        }
        widths.push(width);
        format(&lines[done..at], widths, out);
        widths.pop();
        done = at;
    }
    write(&lines[done..], widths, out);
}

fn write(lines: &[Vec<&str>], widths: &[usize], out: &mut String) {
    for line in lines {
        for (at, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(at) {
                let pad = width.saturating_sub(cell.chars().count());
                out.extend(std::iter::repeat_n(' ', pad));
            }
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_the_column_ends_it() {
        let text = "Name:\tweb\nStart Time:\tnow\nIPs:\n  IP:\t10.0.0.1\nControlled By:\tx\n";
        let expect = "Name:        web\nStart Time:  now\nIPs:\n  IP:           10.0.0.1\n\
                      Controlled By:  x\n";
        assert_eq!(tabulate(text), expect);
    }
}
