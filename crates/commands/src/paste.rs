//! `paste`. Models coreutils src/paste.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, inputs, slurp_text, usage_error};

tool!(
    "paste",
    "Merge lines of files",
    "paste [OPTION]... [FILE]...",
    main,
    [
        ("seq 3 | paste -sd,", "1,2,3\n"),
        (
            "printf 'a\\nb\\n' > x; printf '1\\n2\\n' > y; paste x y",
            "a\t1\nb\t2\n"
        ),
        ("seq 4 | paste - -", "1\t2\n3\t4\n"),
    ]
);

const FLAGS: &[args::Flag] = &[value('d', "delimiters"), flag('s', "serial")];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let given = args.value('d').map_or("\t", |text| text);
    let delimiters: Vec<char> = shell::syntax::unescape_ansi(given).chars().collect();
    let between = |at: usize| match delimiters.is_empty() {
        true => String::new(),
        false => delimiters[at % delimiters.len()].to_string(),
    };
    let paths = inputs(&args);
    let dashes = paths.iter().filter(|path| &***path == "-").count();
    let mut columns: Vec<Vec<String>> = Vec::new();
    let mut seen = 0;
    let mut stdin: Option<Vec<String>> = None;
    for path in &paths {
        if &**path == "-" && dashes > 1 {
            if stdin.is_none() {
                let text = slurp_text(&io, "-").await.unwrap_or_default();
                stdin = Some(text.lines().map(str::to_owned).collect());
            }
            let all = stdin.as_deref().unwrap_or_default();
            columns.push(all.iter().skip(seen).step_by(dashes).cloned().collect());
            seen += 1;
            continue;
        }
        match slurp_text(&io, path).await {
            Ok(text) => columns.push(text.lines().map(str::to_owned).collect()),
            Err(errno) => {
                complain(&io, &format!("{path}: {}", errno.message())).await;
                return 1;
            }
        }
    }
    let mut out = String::new();
    if args.has('s') {
        for lines in &columns {
            for (at, line) in lines.iter().enumerate() {
                if at > 0 {
                    out.push_str(&between(at - 1));
                }
                out.push_str(line);
            }
            out.push('\n');
        }
    } else {
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..rows {
            for (at, lines) in columns.iter().enumerate() {
                if at > 0 {
                    out.push_str(&between(at - 1));
                }
                out.push_str(lines.get(row).map_or("", |line| line));
            }
            out.push('\n');
        }
    }
    io.print(&out).await;
    0
}
