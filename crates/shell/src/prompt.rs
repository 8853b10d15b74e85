//! Prompts: the backslash escapes of `PS1`.
//!
//! Models decode_prompt_string in parse.y of bash.

use machine::Sys;

use crate::state::State;

/// A prompt string with its backslash escapes resolved.
pub(crate) fn expand(text: &str, state: &State, sys: &Sys<'_>) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(escape) = chars.next() else {
            out.push('\\');
            break;
        };
        match escape {
            'u' => out.push_str(&user_name(sys)),
            'h' => {
                let hostname = sys.hostname();
                out.push_str(hostname.split('.').next().unwrap_or_default());
            }
            'H' => out.push_str(&sys.hostname()),
            'w' => out.push_str(&working_directory(state, sys)),
            'W' => {
                let path = working_directory(state, sys);
                let last = path.rsplit('/').next().unwrap_or_default();
                out.push_str(if last.is_empty() { "/" } else { last });
            }
            '$' => out.push(if sys.uid() == 0 { '#' } else { '$' }),
            's' => out.push_str(state.arg0.rsplit('/').next().unwrap_or_default()),
            'v' => out.push_str("5.2"),
            'V' => out.push_str("5.2.21"),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            'a' => out.push('\x07'),
            'e' => out.push('\x1b'),
            '\\' => out.push('\\'),
            't' | 'A' | 'T' | '@' | 'd' => {
                let now = sys.now().rfc3339();
                let (date, time) = now.split_once('T').unwrap_or((&now, ""));
                out.push_str(match escape {
                    'd' => date,
                    'A' => time.get(..5).unwrap_or_default(),
                    _ => time.trim_end_matches('Z'),
                });
            }
            // The line editor measures what it prints, so the brackets say nothing new.
            '[' | ']' => {}
            '0'..='7' => {
                let mut value = escape as u32 - '0' as u32;
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(8)) {
                    value = value * 8 + digit;
                    chars.next();
                    if value > 0o77 {
                        break;
                    }
                }
                out.extend(char::from_u32(value));
            }
            other => out.extend(['\\', other]),
        }
    }
    out
}

/// The name of the user this process runs as.
pub(crate) fn user_name(sys: &Sys<'_>) -> String {
    let uid = sys.uid();
    let user = sys.host().users().into_iter().find(|user| user.uid == uid);
    user.map_or_else(
        || "I have no name!".to_owned(),
        |user| user.name.to_string(),
    )
}

/// The working directory with the home directory shortened to `~`.
fn working_directory(state: &State, sys: &Sys<'_>) -> String {
    let cwd = sys.cwd();
    let home = state.home(sys);
    match cwd.strip_prefix(&*home) {
        Some(rest) if &*home != "/" && (rest.is_empty() || rest.starts_with('/')) => {
            format!("~{rest}")
        }
        _ => cwd.to_string(),
    }
}
