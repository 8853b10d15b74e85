//! `unexpand`: blanks become tabs. Models coreutils src/unexpand.c; stops are a fixed distance apart.

use machine::Io;

use crate::args::{self, flag, value};
use crate::expand::print_changed;
use crate::help::tool;

tool!(
    "unexpand",
    "Convert spaces to tabs",
    "unexpand [OPTION]... [FILE]...",
    main,
    [
        (
            "echo '        a  b' | unexpand | od -c | head -1",
            "0000000  \\t   a           b  \\n\n"
        ),
        (
            "echo '    a   b' | unexpand -t 4 | od -c | head -1",
            "0000000  \\t   a  \\t   b  \\n\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "all"),
    flag('\u{1}', "first-only"),
    value('t', "tabs"),
];

async fn main(io: Io) -> i32 {
    print_changed(&io, FLAGS, |text, width, args| {
        let all = (args.has('a') || args.has('t')) && !args.has('\u{1}');
        let lines = text.split_inclusive('\n');
        lines.map(|line| shortened(line, width, all)).collect()
    })
    .await
}

/// A line whose blanks that reach a stop are a tab, where there are two of them at least.
fn shortened(line: &str, width: usize, all: bool) -> String {
    let mut out = String::new();
    let (mut column, mut blanks, mut leading) = (0, 0, true);
    for letter in line.chars() {
        if letter == ' ' && (all || leading) {
            column += 1;
            blanks += 1;
            if column % width == 0 {
                out.push_str(if blanks > 1 || leading { "\t" } else { " " });
                blanks = 0;
            }
            continue;
        }
        out.push_str(&" ".repeat(blanks));
        (blanks, leading) = (0, false);
        out.push(letter);
        column += if letter == '\t' {
            width - column % width
        } else {
            1
        };
    }
    out + &" ".repeat(blanks)
}
