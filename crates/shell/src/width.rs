//! How many columns of a terminal a text takes.

/// Columns of one character: 0 for marks that combine, 2 for wide ones.
pub fn char_width(c: char) -> usize {
    match u32::from(c) {
        0..=0x1f | 0x7f..=0x9f => 0,
        0x20..=0x2ff => 1,
        0x300..=0x36f | 0x200b..=0x200f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Columns of a text without escape sequences.
pub fn text_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Columns of a text that may hold escape sequences (`ESC [ … letter`), which take none.
pub fn visible_width(text: &str) -> usize {
    let mut width = 0;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\x1b' {
            width += char_width(c);
            continue;
        }
        match chars.next() {
            Some('[') => {
                chars.by_ref().find(|c| ('@'..='~').contains(c));
            }
            // A title: up to the bell.
            Some(']') => {
                chars.by_ref().find(|c| *c == '\x07');
            }
            _ => {}
        }
    }
    width
}

/// Names in columns, filled downwards, as `ls` and completion list them; each line ends with a
/// newline.
pub fn columns(names: &[String], columns: usize) -> String {
    let cell = names.iter().map(|name| text_width(name)).max().unwrap_or(0) + 2;
    let across = (columns / cell).max(1);
    let rows = names.len().div_ceil(across);
    let mut out = String::new();
    for row in 0..rows {
        let mut line = String::new();
        let mut at = row;
        while at < names.len() {
            line.push_str(&names[at]);
            let last = at + rows >= names.len();
            if !last {
                line.push_str(&" ".repeat(cell - text_width(&names[at])));
            }
            at += rows;
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths() {
        assert_eq!(text_width("aé漢🙂"), 6);
        assert_eq!(visible_width("\x1b[1;31mab\x1b[0m"), 2);
    }

    #[test]
    fn columns_fill_downwards() {
        let names: Vec<String> = ["a", "bb", "c", "d", "e"].map(String::from).to_vec();
        assert_eq!(columns(&names, 8), "a   d\nbb  e\nc\n");
        assert_eq!(columns(&names, 80), "a   bb  c   d   e\n");
    }
}
