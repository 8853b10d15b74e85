//! Texts and what becomes of them.

use super::{Aliases, parse_command, words_before};

#[track_caller]
fn errors(text: &str, expected: &str) {
    let aliases = Aliases::new();
    let mut pos = 0;
    let mut line = 1;
    let mut text = text.into();
    let error = loop {
        match parse_command(&text, pos, line, &aliases, true) {
            Ok(parsed) if parsed.list.is_none() => break "none".to_owned(),
            Ok(parsed) => (text, pos, line) = (parsed.text, parsed.pos, parsed.line),
            Err(error) => {
                let more = if error.incomplete() { " …" } else { "" };
                break format!("{}: {error}{more}", error.line);
            }
        }
    };
    assert_eq!(error, expected);
}

#[test]
fn mistakes_are_told_from_unfinished_text() {
    errors("echo )", "1: syntax error near unexpected token `)'");
    errors("done", "1: syntax error near unexpected token `done'");
    errors("}", "1: syntax error near unexpected token `}'");
    errors("if true; then", "2: syntax error: unexpected end of file …");
    errors(
        "echo a\nif x\nthen )\nfi",
        "3: syntax error near unexpected token `)'",
    );
    errors(
        "echo \"a",
        "1: unexpected EOF while looking for matching `\"' …",
    );
    errors(
        "echo ok\n\necho \"a\nb\nc\n",
        "3: unexpected EOF while looking for matching `\"' …",
    );
    errors(
        "cat <<E\nabc\n",
        "3: here-document delimited by end-of-file (wanted `E') …",
    );
    errors(
        "echo ${a",
        "1: unexpected EOF while looking for matching `}' …",
    );
    errors(
        "echo `ls",
        "1: unexpected EOF while looking for matching ``' …",
    );
    errors("a;;b", "1: syntax error near unexpected token `;;'");
    errors("a (b)", "1: syntax error near unexpected token `b'");
    errors(
        "foo() echo hi",
        "1: syntax error near unexpected token `echo'",
    );
    errors(
        "echo a >",
        "1: syntax error near unexpected token `newline'",
    );
    errors("a && ; b", "1: syntax error near unexpected token `;'");
    errors("a & & b", "1: syntax error near unexpected token `&'");
    errors("{ }", "1: syntax error near unexpected token `}'");
    errors("( )", "1: syntax error near unexpected token `)'");
    errors(
        "for i in a; echo",
        "1: syntax error near unexpected token `echo'",
    );
    errors("[[ a b ]]", "1: conditional binary operator expected");
    errors("99999999999999>x", "none");
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [
        ("( ", ")"),
        ("$(", ")"),
        ("${x:-", "}"),
        ("{ ", "; }"),
        ("\"$(", ")\""),
    ] {
        let text = format!("echo; {}a{}", open.repeat(5000), close.repeat(5000));
        let aliases = Aliases::new();
        let error = parse_command(&text.into(), 0, 1, &aliases, false).expect_err("too deep");
        assert!(error.to_string().contains("nested deeper"), "{error}");
    }
}

#[test]
fn well_formed_texts_are_read_to_the_end() {
    for text in [
        "a; b & c && d || e | f |& g",
        "for i in a b; do echo $i; done > x 2>&1",
        "for ((i=0; i<3; i++)); do :; done",
        "case $x in (a|b) echo;; *) ;& c) ;; esac",
        "while read -r l; do echo \"$l\"; done < <(ls)",
        "x=(a b [5]=c) y[3]+=1 export z=$(ls) cmd",
        "if [[ -f x && ( $a == *.c || $b =~ ^(a|b)$ ) ]]; then :; elif x; then y; else z; fi",
        "f() { local x=1; }; function g { :; }; function h() ( : )",
        "cat <<A <<'B'\n$x\nA\n$y\nB\necho hi",
        "echo $(cat <<E\nhi\nE\n) `date` $((1+(2*3))) $((ls); (pwd)) ${x:-${y#a}} ${#x} ${x//a\\//b}",
        "! true; time ls; time -p ls; !",
        "echo a\\\nb # comment\necho c",
        "> f; < g cat; &> h ls; ls >&2 2>&-",
        "declare -A m=([a]=1 [b c]=2); echo ${m[@]} ${!m[@]} ${!p*}",
        "echo {a,b}{1..3} @(a|b) !(c) $'a\\n' $\"x\"",
    ] {
        let aliases = Aliases::new();
        let (mut pos, mut line, mut rest) = (0, 1, text.into());
        loop {
            let parsed = parse_command(&rest, pos, line, &aliases, false)
                .unwrap_or_else(|error| panic!("{text:?}: {error}"));
            (rest, pos, line) = (parsed.text, parsed.pos, parsed.line);
            if parsed.list.is_none() {
                break;
            }
        }
    }
}

#[test]
fn aliases_expand_where_a_command_begins() {
    let mut aliases = Aliases::new();
    aliases.insert("k".into(), "kubectl".into());
    aliases.insert("ls".into(), "ls -F".into());
    aliases.insert("sudo".into(), "sudo ".into());
    aliases.insert("ll".into(), "ls -l | head".into());
    for (text, expected) in [
        ("k get k", "kubectl get k"),
        ("ls; ls", "ls -F; ls -F"),
        ("sudo k k", "sudo  kubectl k"),
        ("if k; then ll; fi", "if kubectl; then ls -F -l | head; fi"),
        ("\\k 'k' x=1 k", "\\k 'k' x=1 k"),
        ("x=1 k a", "x=1 k a"),
    ] {
        let parsed = parse_command(&text.into(), 0, 1, &aliases, false).expect("well formed");
        assert_eq!(&*parsed.text, expected);
    }
}

#[test]
fn words_for_completion() {
    let check = |text: &str, words: &[&str], at: usize| {
        assert_eq!(
            words_before(text, text.len()),
            (words.iter().map(|w| w.to_string()).collect(), at)
        );
    };
    check("kubectl get po", &["kubectl", "get", "po"], 12);
    check("kubectl get ", &["kubectl", "get", ""], 12);
    check("ls | gre", &["gre"], 5);
    check("echo 'a b", &["echo", "a b"], 5);
    check("cat < fi", &["cat", "fi"], 6);
    check("a; if b; then c d", &["then", "c", "d"], 16);
    check("", &[""], 0);
}
