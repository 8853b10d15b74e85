//! Quoting: text to a word of the shell language that means it.

/// As `${x@Q}`, `set -x`'s cousin and `declare -p`'s: always in single quotes.
pub fn shell(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return ansi(text);
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// As `set -x` shows a word: quoted only where it must be.
pub fn traced(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,^".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        shell(text)
    }
}

/// As `printf %q`: backslashes.
pub fn escaped(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    if text.chars().any(char::is_control) {
        return ansi(text);
    }
    let mut out = String::new();
    for c in text.chars() {
        if !(c.is_alphanumeric() || "_-./:=@%+".contains(c)) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// In double quotes, as `declare -p` and `alias` in other shells do.
pub fn double(text: &str) -> String {
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return ansi(text);
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

fn ansi(text: &str) -> String {
    let mut out = String::from("$'");
    for c in text.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x1b' => out.push_str("\\E"),
            '\x07' => out.push_str("\\a"),
            c if c.is_control() => out.push_str(&format!("\\{:03o}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}
