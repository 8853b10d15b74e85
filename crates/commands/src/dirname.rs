//! `dirname`. Models coreutils src/dirname.c.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::{missing_operand, split_path, usage_error};

tool!(
    "dirname",
    "Strip the last component from file names",
    "dirname [OPTION] NAME...",
    main,
    [("dirname /a/b a /", "/a\n.\n/\n")]
);

const FLAGS: &[args::Flag] = &[flag('z', "zero")];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.operands.is_empty() {
        return missing_operand(&io, 1).await;
    }
    for name in &args.operands {
        let root = !name.is_empty() && name.chars().all(|c| c == '/');
        io.print(&format!(
            "{}\n",
            if root { "/" } else { split_path(name).0 }
        ))
        .await;
    }
    0
}
