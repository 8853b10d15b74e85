//! `tree`: a directory and what is below it, drawn. Models tree 2.1's tree.c.

use machine::{FileKind, Io, Sys};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::usage_error;

tool!(
    "tree",
    "List contents of directories in a tree-like format",
    "tree [-adf] [-L LEVEL] [DIRECTORY]...",
    main,
    [
        (
            "mkdir -p a/b; touch a/b/c a/d; tree a",
            "a\n├── b\n│   └── c\n└── d\n\n2 directories, 2 files\n"
        ),
        (
            "mkdir -p a/b; touch a/b/c; tree -L 1 -d a",
            "a\n└── b\n\n2 directories\n"
        ),
        (
            "tree nope; echo $?",
            "nope  [error opening dir]\n\n0 directories, 0 files\n2\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', ""),
    flag('d', ""),
    flag('f', ""),
    flag('C', ""),
    flag('n', ""),
    flag('h', ""),
    flag('p', ""),
    flag('\u{1}', "noreport"),
    flag('\u{2}', "dirsfirst"),
    value('I', ""),
    value('L', ""),
    value('P', ""),
];

struct Wish {
    all: bool,
    dirs_only: bool,
    paths: bool,
    depth: usize,
}

#[derive(Clone, Default)]
struct Drawn {
    text: String,
    dirs: usize,
    files: usize,
}

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let depth = match args.value('L').map(|text| text.parse()) {
        None => usize::MAX,
        Some(Ok(depth)) if depth > 0 => depth,
        Some(_) => {
            io.eprint("tree: Invalid level, must be greater than 0.\n")
                .await;
            return 1;
        }
    };
    let wish = Wish {
        all: args.has('a'),
        dirs_only: args.has('d'),
        paths: args.has('f'),
        depth,
    };
    let mut roots = args.operands.clone();
    if roots.is_empty() {
        roots.push(".".into());
    }
    let (drawn, failed) = io
        .sys(move |sys| {
            let (mut drawn, mut failed) = (Drawn::default(), false);
            for root in roots {
                if !sys.stat(&root).is_ok_and(|stat| stat.is_dir()) {
                    drawn
                        .text
                        .push_str(&format!("{root}  [error opening dir]\n"));
                    failed = true;
                    continue;
                }
                drawn.text.push_str(&format!("{root}\n"));
                drawn.dirs += 1;
                draw(sys, &root, "", 1, &wish, &mut drawn);
            }
            (drawn, failed)
        })
        .await;
    io.print(&drawn.text).await;
    if !args.has('\u{1}') {
        let plural = |count: usize, one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {many}"),
        };
        let dirs = plural(drawn.dirs, "directory", "directories");
        let files = match args.has('d') {
            true => String::new(),
            false => format!(", {}", plural(drawn.files, "file", "files")),
        };
        io.print(&format!("\n{dirs}{files}\n")).await;
    }
    if failed { 2 } else { 0 }
}

fn draw(sys: &mut Sys<'_>, dir: &str, margin: &str, level: usize, wish: &Wish, drawn: &mut Drawn) {
    let mut entries = sys.read_dir(dir).unwrap_or_default();
    entries.retain(|entry| {
        (wish.all || !entry.name.starts_with('.')) && (!wish.dirs_only || entry.stat.is_dir())
    });
    let count = entries.len();
    for (at, entry) in entries.into_iter().enumerate() {
        let last = at + 1 == count;
        let path = crate::io::join(dir, &entry.name);
        let name = if wish.paths { &*path } else { &*entry.name };
        let branch = if last { "└── " } else { "├── " };
        let target = match (entry.stat.kind, &entry.stat.target) {
            (FileKind::Symlink, Some(target)) => format!(" -> {target}"),
            _ => String::new(),
        };
        drawn
            .text
            .push_str(&format!("{margin}{branch}{name}{target}\n"));
        if entry.stat.is_dir() {
            drawn.dirs += 1;
            if level < wish.depth {
                let more = if last { "    " } else { "│   " };
                let margin = format!("{margin}{more}");
                draw(sys, &path, &margin, level + 1, wish, drawn);
            }
        } else {
            drawn.files += 1;
        }
    }
}
