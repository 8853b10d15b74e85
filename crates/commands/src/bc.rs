//! `bc`: a calculator. Models GNU bc 1.07's bc/execute.c and lib/number.c for expressions, variables
//! and `sqrt`; statements, functions of one's own and the library of `-l` are not modelled, but for
//! the digits that it sets.

mod expression;
mod number;

use machine::{Fd, Io};

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::{complain, slurp_text, usage_error};

use expression::Calculator;
pub(crate) use number::thousandths;

tool!(
    "bc",
    "Calculate with numbers of any precision",
    "bc [OPTION]... [FILE]...",
    main,
    [
        ("echo '2 + 3 * 4' | bc", "14\n"),
        ("echo 'scale=2; 10/4; 1/3' | bc", "2.50\n.33\n"),
        ("echo '7/2; 7%2; -7/2; 2^10' | bc", "3\n1\n-3\n1024\n"),
        ("bc <<< '1.5 * 2.25'", "3.37\n"),
        ("bc <<< '0.1 + 0.25; (3 > 2) && (2 == 2)'", ".35\n1\n"),
        ("bc <<< 'obase=16; 255; obase=2; 5'", "FF\n101\n"),
        ("bc <<< 'ibase=16; FF'", "255\n"),
        (
            "bc <<< 'scale=4; sqrt(2); x=3; x*x; x++; x'",
            "1.4142\n9\n3\n4\n"
        ),
        ("echo '1/3' | bc -l", ".33333333333333333333\n"),
        (
            "echo '1/0' | bc",
            "Runtime error (func=(main), adr=3): Divide by zero\n"
        ),
        ("echo '2 +' | bc", "(standard_in) 1: syntax error\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('l', "mathlib"),
    flag('q', "quiet"),
    flag('s', "standard"),
    flag('w', "warn"),
    flag('i', "interactive"),
    flag('v', "version"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('v') {
        io.print("bc 1.07.1\n").await;
        return 0;
    }
    let mut calculator = Calculator::new(if args.has('l') { 20 } else { 0 });
    for path in &args.operands {
        match slurp_text(&io, path).await {
            Ok(text) => {
                if run(&io, &mut calculator, &text).await {
                    return 0;
                }
            }
            Err(_) => {
                complain(&io, &format!("File {path} is unavailable.")).await;
                return 1;
            }
        }
    }
    let mut lines = crate::io::Lines::of(Fd::STDIN);
    while let Ok(Some(line)) = lines.next(&io).await {
        if run(&io, &mut calculator, &crate::io::text(&line)).await {
            break;
        }
    }
    0
}

/// Works on lines; gives whether there was a `quit`.
async fn run(io: &Io, calculator: &mut Calculator, text: &str) -> bool {
    for line in text.lines() {
        let done = calculator.line(line);
        io.print(&done.shown).await;
        if let Some(error) = done.error {
            io.eprint(&format!("{error}\n")).await;
        }
        if done.quits {
            return true;
        }
    }
    false
}
