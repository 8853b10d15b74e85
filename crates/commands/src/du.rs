//! `du`. Models coreutils src/du.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, human, usage_error};

tool!(
    "du",
    "Estimate file space usage",
    "du [OPTION]... [FILE]...",
    main,
    [
        ("mkdir d; echo hi > d/f; du -a d", "4\td/f\n8\td\n"),
        ("mkdir d; du -sh d", "4.0K\td\n")
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('c', "total"),
    flag('h', "human-readable"),
    flag('k', ""),
    flag('m', ""),
    flag('s', "summarize"),
    flag('x', "one-file-system"),
    value('d', "max-depth"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let paths = if args.operands.is_empty() {
        vec![".".into()]
    } else {
        args.operands.clone()
    };
    let depth = match args.has('s') {
        true => 0,
        false => args
            .value('d')
            .and_then(|text| text.parse().ok())
            .unwrap_or(usize::MAX),
    };
    let shown = |blocks: u64| match () {
        () if args.has('h') => human(blocks * 1024),
        () if args.has('m') => blocks.div_ceil(1024).to_string(),
        () => blocks.to_string(),
    };
    let mut status = 0;
    let mut total = 0;
    for path in &paths {
        let name = path.to_string();
        let rows = io
            .sys(move |sys| {
                let stat = sys.lstat(&name)?;
                let mut rows = Vec::new();
                let size = measure(sys, &name, stat.is_dir(), stat.size, 0, &mut rows);
                Ok::<_, machine::Errno>((rows, size))
            })
            .await;
        match rows {
            Ok((rows, size)) => {
                total += size;
                let wanted = rows.iter().filter(|row| {
                    row.depth <= depth && (row.is_dir || args.has('a') || row.depth == 0)
                });
                let text: String = wanted
                    .map(|row| format!("{}\t{}\n", shown(row.blocks), row.path))
                    .collect();
                io.print(&text).await;
            }
            Err(errno) => {
                complain(&io, &format!("cannot access '{path}': {}", errno.message())).await;
                status = 1;
            }
        }
    }
    if args.has('c') {
        io.print(&format!("{}\ttotal\n", shown(total))).await;
    }
    status
}

#[derive(Clone)]
struct Row {
    blocks: u64,
    path: String,
    depth: usize,
    is_dir: bool,
}

/// Blocks of 1 KiB of what is at and below a path; what is below comes first.
fn measure(
    sys: &mut machine::Sys<'_>,
    path: &str,
    is_dir: bool,
    size: u64,
    depth: usize,
    rows: &mut Vec<Row>,
) -> u64 {
    let mut blocks = size.div_ceil(4096) * 4;
    if is_dir {
        for entry in sys.read_dir(path).unwrap_or_default() {
            let below = format!("{path}/{}", entry.name);
            blocks += measure(
                sys,
                &below,
                entry.stat.is_dir(),
                entry.stat.size,
                depth + 1,
                rows,
            );
        }
    }
    rows.push(Row {
        blocks,
        path: path.to_owned(),
        depth,
        is_dir,
    });
    blocks
}
