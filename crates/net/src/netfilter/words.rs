//! The words of a line of iptables-restore, and words as iptables-save prints them.
//! Models iptables/xshared.c (add_param_to_argv) and libxtables/xtables.c (xtables_save_string).

use std::rc::Rc;

/// Splits a line as iptables-restore does: quotes hold words together, a backslash inside quotes
/// takes the next character as it is.
pub fn split(line: &str) -> Vec<Rc<str>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => word.get_or_insert_default().extend(chars.next()),
            ' ' | '\t' | '\n' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words.into_iter().map(Rc::from).collect()
}

/// Appends a blank and `text`, in quotes unless it consists of letters, digits, `_` and `-`.
pub(crate) fn save(out: &mut String, text: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    out.push(' ');
    if !text.is_empty() && text.chars().all(plain) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '\'') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        let words = split(line);
        let words: Vec<&str> = words.iter().map(|word| &**word).collect();
        assert_eq!(words, expected, "{line}");
    }

    #[test]
    fn quotes_hold_words_together() {
        check("-A INPUT  -j DROP", &["-A", "INPUT", "-j", "DROP"]);
        check(r#"--comment "a b" x"#, &["--comment", "a b", "x"]);
        check(r#"--comment "say \"hi\"""#, &["--comment", "say \"hi\""]);
        check(r#"--comment """#, &["--comment", ""]);
        check(r"a\b", &[r"a\b"]);
    }

    #[test]
    fn what_is_saved_is_read_again() {
        for text in ["plain", "demo/web", "it's \"quoted\" \\", ""] {
            let mut out = String::new();
            save(&mut out, text);
            check(&out, &[text]);
        }
    }
}
