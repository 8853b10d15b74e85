//! `zcat`: see `gzip`. Models gzip's zcat.in.

use crate::gzip::main;
use crate::help::tool;

tool!(
    "zcat",
    "Print the contents of compressed files",
    "zcat [OPTION]... [FILE]...",
    main,
    [("echo hi > a; gzip a; zcat a.gz", "hi\n")]
);
