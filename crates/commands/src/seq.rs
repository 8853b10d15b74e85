//! `seq`. Models coreutils src/seq.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{Output, complain, missing_operand, usage_error};

tool!(
    "seq",
    "Print numbers from FIRST to LAST, in steps of INCREMENT",
    "seq [OPTION]... LAST",
    main,
    [
        ("seq 3", "1\n2\n3\n"),
        ("seq -s, 2 2 6", "2,4,6\n"),
        ("seq -w 9 10", "09\n10\n"),
        ("seq 3 -1 2", "3\n2\n"),
        ("seq 0 0.5 1", "0.0\n0.5\n1.0\n"),
        (
            "seq x",
            "seq: invalid floating point argument: 'x'\nTry 'seq --help' for more information.\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('f', "format"),
    value('s', "separator"),
    flag('w', "equal-width"),
];

async fn main(io: Io) -> i32 {
    // A negative number is no option.
    let mut words: Vec<_> = io.args().to_vec();
    let number = words
        .iter()
        .skip(1)
        .position(|word| word.parse::<f64>().is_ok());
    let valued = |at: usize| matches!(&*words[at], "-s" | "-f");
    if let Some(at) = number.map(|at| at + 1).filter(|at| !valued(at - 1)) {
        words.insert(at, "--".into());
    }
    let args = match args::parse_leading(FLAGS, &words) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut numbers = Vec::new();
    let mut decimals = 0;
    for text in &args.operands {
        let Ok(number) = text.parse::<f64>() else {
            let what = format!("invalid floating point argument: '{text}'");
            return usage_error(&io, &what, 1).await;
        };
        decimals = decimals.max(text.split_once('.').map_or(0, |(_, part)| part.len()));
        numbers.push(number);
    }
    let (first, step, last) = match numbers[..] {
        [last] => (1.0, 1.0, last),
        [first, last] => (first, 1.0, last),
        [first, step, last] => (first, step, last),
        [] => return missing_operand(&io, 1).await,
        _ => {
            let what = format!("extra operand '{}'", args.operands[3]);
            return usage_error(&io, &what, 1).await;
        }
    };
    if step == 0.0 {
        complain(
            &io,
            &format!("invalid Zero increment value: '{}'", args.operands[1]),
        )
        .await;
        return 1;
    }
    let separator = args.value('s').map_or("\n", |text| text);
    let shown = |value: f64| format!("{value:.decimals$}");
    let width = if args.has('w') {
        shown(first).len().max(shown(last).len())
    } else {
        0
    };
    let mut out = Output::default();
    let mut count = 0u64;
    loop {
        let value = first + step * count as f64;
        // A little tolerance for what decimals lose.
        let beyond = if step > 0.0 {
            value > last + step * 1e-9
        } else {
            value < last + step * 1e-9
        };
        if beyond {
            break;
        }
        if count > 0 {
            out.push(separator.as_bytes());
        }
        let text = match args.value('f') {
            Some(format) => {
                let arg = value.to_string();
                shell::printf::format(format, &[arg.as_str().into()], sim::Instant::ZERO).text
            }
            None => {
                let text = shown(value);
                match text.strip_prefix('-') {
                    Some(digits) if width > 0 => format!("-{digits:0>0$}", width - 1),
                    _ => format!("{text:0>width$}"),
                }
            }
        };
        out.push(text.as_bytes());
        count += 1;
        if count.is_multiple_of(4096) {
            out.flush(&io).await;
        }
    }
    if count > 0 {
        out.push(b"\n");
    }
    out.flush(&io).await;
    0
}
