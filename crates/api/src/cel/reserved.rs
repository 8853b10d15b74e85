//! Names the language keeps for itself, and how Kubernetes spells fields that have such a name.
//!
//! Models k8s.io/apiserver/pkg/cel/escaping.go.

use std::rc::Rc;

/// Names the language keeps for itself.
pub(super) const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Kubernetes spells field names that are no CEL names with these words between underscores.
pub(super) fn unescape(name: &Rc<str>) -> Rc<str> {
    if !name.contains("__") {
        return name.clone();
    }
    let words = [
        ("__underscores__", "__"),
        ("__dot__", "."),
        ("__dash__", "-"),
        ("__slash__", "/"),
    ];
    let mut out = String::new();
    let mut rest = &**name;
    while let Some(c) = rest.chars().next() {
        let word = words.iter().find(|(word, _)| rest.starts_with(word));
        let (text, len) = match word {
            Some((word, text)) => (*text, word.len()),
            None => (&rest[..c.len_utf8()], c.len_utf8()),
        };
        out.push_str(text);
        rest = &rest[len..];
    }
    let inner = out.strip_prefix("__").and_then(|r| r.strip_suffix("__"));
    match inner {
        Some(word) if RESERVED.contains(&word) || word == "in" => word.into(),
        _ => out.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names() {
        assert_eq!(&*unescape(&"a__dash__b".into()), "a-b");
        assert_eq!(&*unescape(&"__namespace__".into()), "namespace");
        assert_eq!(&*unescape(&"x__underscores__y".into()), "x__y");
        assert_eq!(&*unescape(&"__init__".into()), "__init__");
    }
}
