//! The Corefile: server blocks, and in them plugins with their arguments and blocks.
//! Models coredns/caddy/caddyfile (lexer and parser).

use std::rc::Rc;

/// Words of one line, and the block behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Directive {
    /// The line it begins on, from 1.
    pub(super) line: usize,
    /// Its name and arguments.
    pub(super) words: Vec<Rc<str>>,
    /// The lines of its block; one level is all plugins have.
    pub(super) block: Vec<Directive>,
}

/// A server block: for which zones and ports, and its plugins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// `.:53`, `cluster.local`, `dns://example.org:1053`.
    pub(super) keys: Vec<Rc<str>>,
    pub(super) directives: Vec<Directive>,
}

#[derive(Clone, Debug)]
struct Token {
    line: usize,
    text: Rc<str>,
}

/// The error of one line, in the words the server exits with.
pub(super) fn error(line: usize, what: &str) -> String {
    format!("/etc/coredns/Corefile:{line} - Error during parsing: {what}")
}

/// Reads a Corefile.
///
/// # Errors
/// In CoreDNS' words.
pub(super) fn read(text: &str) -> Result<Vec<Block>, String> {
    let mut tokens = tokens(text).into_iter().peekable();
    let mut blocks = Vec::new();
    while let Some(first) = tokens.next() {
        let mut block = Block::default();
        let mut last = first.clone();
        let mut next = Some(first);
        while let Some(token) = next {
            if &*token.text == "{" {
                last = token;
                break;
            }
            let keys = token.text.split(',').filter(|key| !key.is_empty());
            block.keys.extend(keys.map(Rc::from));
            last = token;
            next = tokens.next();
        }
        block.directives = directives(&mut tokens, last.line)?;
        blocks.push(block);
    }
    Ok(blocks)
}

/// The lines up to the brace that closes a block.
fn directives(
    tokens: &mut std::iter::Peekable<std::vec::IntoIter<Token>>,
    opened: usize,
) -> Result<Vec<Directive>, String> {
    let mut found: Vec<Directive> = Vec::new();
    let mut line = opened;
    loop {
        let Some(token) = tokens.next() else {
            return Err(error(line, "Unexpected EOF"));
        };
        match &*token.text {
            "}" => return Ok(found),
            "{" => {
                let block = directives(tokens, token.line)?;
                match found.last_mut() {
                    Some(owner) => owner.block = block,
                    None => return Err(error(token.line, "Unexpected '{'")),
                }
            }
            _ => match found.last_mut().filter(|last| last.line == token.line) {
                Some(last) => last.words.push(token.text),
                None => found.push(Directive {
                    line: token.line,
                    words: vec![token.text],
                    block: Vec::new(),
                }),
            },
        }
        line = token.line;
    }
}

/// Words, with double quotes around those that have blanks; a `#` where a word may begin starts a
/// comment.
fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => {
                    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                    rest.split_at(end)
                }
            };
            found.push(Token {
                line: number + 1,
                text: word.into(),
            });
            rest = after.trim_start();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_keys_and_directives() {
        let text = "# comment\n.:53 {\n  errors\n  health {\n    lameduck 5s # five\n  }\n}\n\
                    a.org, b.org {\n  hosts \"/etc/my hosts\"\n}\n";
        let blocks = read(text).expect("it can be read");
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[1].keys, ["a.org".into(), "b.org".into()]);
        let health = &blocks[0].directives[1];
        assert_eq!((health.line, &*health.words[0]), (4, "health"));
        assert_eq!(health.block[0].words, ["lameduck".into(), "5s".into()]);
        assert_eq!(&*blocks[1].directives[0].words[1], "/etc/my hosts");
    }

    #[test]
    fn what_is_not_closed_is_told() {
        assert_eq!(
            read(".:53 {\n  errors\n").unwrap_err(),
            "/etc/coredns/Corefile:2 - Error during parsing: Unexpected EOF"
        );
    }
}
