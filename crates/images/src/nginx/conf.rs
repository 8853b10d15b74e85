//! nginx's configuration language: directives and blocks, as far as static files and fixed answers
//! need it.
//! Models src/core/ngx_conf_file.c.

use std::rc::Rc;

use machine::Sys;

/// What a configuration comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conf {
    pub(super) servers: Vec<ServerConf>,
}

/// A `server` block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServerConf {
    pub(super) ports: Vec<u16>,
    pub(super) name: String,
    pub(super) rules: Rules,
    pub(super) locations: Vec<Location>,
}

/// A `location` block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) exact: bool,
    pub(super) path: String,
    pub(super) rules: Rules,
}

/// What a block says of requests; what it does not say, the block around it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) root: Option<String>,
    pub(super) index: Option<Vec<String>>,
    pub(super) answer: Option<(u16, String)>,
    pub(super) default_type: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) proxied: bool,
}

/// Directives that are known and change nothing here.
const IGNORED: [&str; 30] = [
    "user",
    "worker_processes",
    "pid",
    "error_log",
    "access_log",
    "log_format",
    "sendfile",
    "tcp_nopush",
    "tcp_nodelay",
    "keepalive_timeout",
    "gzip",
    "gzip_types",
    "charset",
    "client_max_body_size",
    "error_page",
    "types_hash_max_size",
    "server_tokens",
    "autoindex",
    "expires",
    "internal",
    "allow",
    "deny",
    "worker_connections",
    "daemon",
    "proxy_set_header",
    "proxy_http_version",
    "proxy_read_timeout",
    "stub_status",
    "absolute_redirect",
    "try_files",
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// A directive: its words, and the directives of its block if it has one.
#[derive(Clone, Debug)]
struct Directive {
    words: Vec<String>,
    block: Option<Vec<Directive>>,
    file: Rc<str>,
    line: usize,
}

/// Gives the texts of the files a path (with `*` in its last part) names.
pub(super) type Files<'a> = dyn FnMut(&str) -> Result<Vec<(String, String)>, String> + 'a;

impl Conf {
    /// The ports of all servers, once each, in order.
    pub(super) fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self
            .servers
            .iter()
            .flat_map(|s| s.ports.iter().copied())
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

/// Reads a configuration.
///
/// # Errors
/// nginx's own sentence, without `nginx: [emerg]`.
pub(super) fn read(path: &str, files: &mut Files<'_>) -> Result<Conf, String> {
    let mut conf = Conf::default();
    for directive in load(path, files)? {
        top(&mut conf, &directive, files)?;
    }
    Ok(conf)
}

/// The files of a machine for [`read`].
pub(super) fn files(sys: &mut Sys<'_>, path: &str) -> Result<Vec<(String, String)>, String> {
    let (dir, pattern) = path.rsplit_once('/').unwrap_or(("", path));
    let Some((before, after)) = pattern.split_once('*') else {
        let text = sys
            .read_to_string(path)
            .map_err(|errno| format!("open() \"{path}\" failed ({}: {errno})", errno.number()))?;
        return Ok(vec![(path.to_owned(), text)]);
    };
    let entries = sys.read_dir(dir).unwrap_or_default();
    let fits = |name: &str| {
        name.len() >= before.len() + after.len()
            && name.starts_with(before)
            && name.ends_with(after)
    };
    let names = entries
        .iter()
        .filter(|entry| fits(&entry.name) && !entry.name.starts_with('.'));
    let paths: Vec<String> = names.map(|entry| format!("{dir}/{}", entry.name)).collect();
    Ok(paths
        .into_iter()
        .filter_map(|path| Some((path.clone(), sys.read_to_string(&path).ok()?)))
        .collect())
}

fn load(path: &str, files: &mut Files<'_>) -> Result<Vec<Directive>, String> {
    let full = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/etc/nginx/{path}")
    };
    let mut all = Vec::new();
    for (file, text) in files(&full)? {
        let file: Rc<str> = file.into();
        let tokens = tokens(&text, &file)?;
        let mut rest = tokens.as_slice();
        all.extend(block(&mut rest, &file, false)?);
    }
    Ok(all)
}

fn tokens(text: &str, file: &str) -> Result<Vec<(Token, usize)>, String> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            '#' => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            '{' => tokens.push((Token::Open, line)),
            '}' => tokens.push((Token::Close, line)),
            ';' => tokens.push((Token::End, line)),
            quote @ ('"' | '\'') => {
                let (mut word, begin) = (String::new(), line);
                loop {
                    match chars.next() {
                        None => {
                            return Err(format!(
                                "unexpected end of file, expecting \"{quote}\" in {file}:{begin}"
                            ));
                        }
                        Some(c) if c == quote => break,
                        Some('\\') => match chars.next() {
                            Some('n') => word.push('\n'),
                            Some('t') => word.push('\t'),
                            Some(c) => word.push(c),
                            None => {}
                        },
                        Some(c) => {
                            line += usize::from(c == '\n');
                            word.push(c);
                        }
                    }
                }
                tokens.push((Token::Word(word), begin));
            }
            c => {
                let mut word = String::from(c);
                while let Some(c) = chars
                    .peek()
                    .filter(|c| !c.is_whitespace() && !"{};".contains(**c))
                {
                    word.push(*c);
                    chars.next();
                }
                tokens.push((Token::Word(word), line));
            }
        }
    }
    Ok(tokens)
}

fn block(
    rest: &mut &[(Token, usize)],
    file: &Rc<str>,
    inner: bool,
) -> Result<Vec<Directive>, String> {
    let mut all = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut begin = 0;
    let mut last = 1;
    while let Some(((token, line), more)) = rest.split_first() {
        *rest = more;
        last = *line;
        match token {
            Token::Word(word) => {
                if words.is_empty() {
                    begin = *line;
                }
                words.push(word.clone());
            }
            Token::End | Token::Open if words.is_empty() => {
                let sign = if *token == Token::End { ';' } else { '{' };
                return Err(format!("unexpected \"{sign}\" in {file}:{line}"));
            }
            Token::End => {
                let (words, file) = (std::mem::take(&mut words), file.clone());
                all.push(Directive {
                    words,
                    block: None,
                    file,
                    line: begin,
                });
            }
            Token::Open => {
                let words = std::mem::take(&mut words);
                let inside = block(rest, file, true)?;
                all.push(Directive {
                    words,
                    block: Some(inside),
                    file: file.clone(),
                    line: begin,
                });
            }
            Token::Close if !words.is_empty() || !inner => {
                return Err(format!("unexpected \"}}\" in {file}:{line}"));
            }
            Token::Close => return Ok(all),
        }
    }
    if inner || !words.is_empty() {
        let expecting = if words.is_empty() {
            "\"}\""
        } else {
            "\";\" or \"}\""
        };
        return Err(format!(
            "unexpected end of file, expecting {expecting} in {file}:{last}"
        ));
    }
    Ok(all)
}

impl Directive {
    fn name(&self) -> &str {
        &self.words[0]
    }

    fn word(&self, n: usize) -> Result<&str, String> {
        self.words.get(n).map(String::as_str).ok_or_else(|| {
            format!(
                "invalid number of arguments in \"{}\" directive in {}:{}",
                self.name(),
                self.file,
                self.line
            )
        })
    }

    fn unknown(&self) -> String {
        format!(
            "unknown directive \"{}\" in {}:{}",
            self.name(),
            self.file,
            self.line
        )
    }

    fn inside(&self) -> Result<&[Directive], String> {
        self.block.as_deref().ok_or_else(|| {
            let (name, file, line) = (self.name(), &self.file, self.line);
            format!("directive \"{name}\" has no opening \"{{\" in {file}:{line}")
        })
    }
}

fn top(conf: &mut Conf, directive: &Directive, files: &mut Files<'_>) -> Result<(), String> {
    match directive.name() {
        "http" => {
            for inner in directive.inside()? {
                top(conf, inner, files)?;
            }
        }
        "events" | "types" | "stream" | "upstream" | "map" => {
            directive.inside()?;
        }
        "include" => {
            if !directive.word(1)?.ends_with("mime.types") {
                for inner in load(directive.word(1)?, files)? {
                    top(conf, &inner, files)?;
                }
            }
        }
        "server" => {
            let mut server = ServerConf::default();
            for inner in directive.inside()? {
                in_server(&mut server, inner)?;
            }
            if server.ports.is_empty() {
                server.ports.push(80);
            }
            conf.servers.push(server);
        }
        "default_type" => {}
        name if IGNORED.contains(&name) => {}
        _ => return Err(directive.unknown()),
    }
    Ok(())
}

fn in_server(server: &mut ServerConf, directive: &Directive) -> Result<(), String> {
    match directive.name() {
        "listen" => {
            let text = directive.word(1)?;
            // IPv6 is not modelled: such a line listens on the same port as its IPv4 twin.
            let port = text
                .rsplit(':')
                .next()
                .unwrap_or(text)
                .trim_end_matches(']');
            let port = port.parse().map_err(|_| {
                let (file, line) = (&directive.file, directive.line);
                format!("invalid port in \"{text}\" of the \"listen\" directive in {file}:{line}")
            })?;
            server.ports.push(port);
        }
        "server_name" => directive.word(1)?.clone_into(&mut server.name),
        "location" => {
            let (exact, path) = match directive.word(1)? {
                "=" => (true, directive.word(2)?),
                "^~" => (false, directive.word(2)?),
                "~" | "~*" => {
                    let what = sim::unmodelled!("regular expressions in nginx locations");
                    let (file, line) = (&directive.file, directive.line);
                    return Err(format!("{what} in {file}:{line}"));
                }
                path => (false, path),
            };
            let mut location = Location {
                exact,
                path: path.to_owned(),
                rules: Rules::default(),
            };
            for inner in directive.inside()? {
                in_rules(&mut location.rules, inner)?;
            }
            server.locations.push(location);
        }
        _ => in_rules(&mut server.rules, directive)?,
    }
    Ok(())
}

fn in_rules(rules: &mut Rules, directive: &Directive) -> Result<(), String> {
    match directive.name() {
        "root" | "alias" => rules.root = Some(directive.word(1)?.to_owned()),
        "index" => rules.index = Some(directive.words[1..].to_vec()),
        "default_type" => rules.default_type = Some(directive.word(1)?.to_owned()),
        "add_header" => {
            rules
                .headers
                .push((directive.word(1)?.to_owned(), directive.word(2)?.to_owned()));
        }
        "proxy_pass" | "fastcgi_pass" => rules.proxied = true,
        "return" => {
            let first = directive.word(1)?;
            let text = directive.words.get(2).cloned().unwrap_or_default();
            rules.answer = Some(match first.parse() {
                Ok(code) => (code, text),
                Err(_) => (302, first.to_owned()),
            });
        }
        "if" | "limit_except" => {
            let what = sim::unmodelled!("conditions in nginx's configuration");
            return Err(format!("{what} in {}:{}", directive.file, directive.line));
        }
        name if IGNORED.contains(&name) => {}
        _ => return Err(directive.unknown()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(text: &str) -> Result<Conf, String> {
        read("/c", &mut |path| match path {
            "/c" => Ok(vec![("/c".to_owned(), text.to_owned())]),
            "/d/*.conf" => Ok(vec![(
                "/d/a.conf".to_owned(),
                "server { listen 8080; }".to_owned(),
            )]),
            other => Err(format!(
                "open() \"{other}\" failed (2: No such file or directory)"
            )),
        })
    }

    #[test]
    fn servers_and_locations_are_read() {
        let conf = conf(
            "http { include /d/*.conf; # more\n server { listen 0.0.0.0:81; root /srv;\n\
             location = /x { return 200 \"a b\\n\"; } location / { index a.html b.html; } } }",
        )
        .unwrap();
        assert_eq!(conf.ports(), [81, 8080]);
        let server = &conf.servers[1];
        assert_eq!(server.rules.root.as_deref(), Some("/srv"));
        assert_eq!(
            server.locations[0].rules.answer,
            Some((200, "a b\n".to_owned()))
        );
        assert!(server.locations[0].exact);
        assert_eq!(
            server.locations[1].rules.index.as_ref().map(Vec::len),
            Some(2)
        );
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        #[track_caller]
        fn check(text: &str, expect: &str) {
            assert_eq!(conf(text).unwrap_err(), expect);
        }
        check(
            "server {\n listen 80;\n",
            "unexpected end of file, expecting \"}\" in /c:2",
        );
        check(
            "server {\n foo bar;\n}",
            "unknown directive \"foo\" in /c:2",
        );
        check("server { root }", "unexpected \"}\" in /c:1");
        check("}", "unexpected \"}\" in /c:1");
        check(
            "server { root; }",
            "invalid number of arguments in \"root\" directive in /c:1",
        );
        check(
            "include /none;",
            "open() \"/none\" failed (2: No such file or directory)",
        );
        check("http;", "directive \"http\" has no opening \"{\" in /c:1");
    }
}
