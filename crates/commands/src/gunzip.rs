//! `gunzip`: see `gzip`. Models gzip's gunzip.in.

use crate::gzip::main;
use crate::help::tool;

tool!(
    "gunzip",
    "Expand compressed files",
    "gunzip [OPTION]... [FILE]...",
    main,
    [("echo hi > a; gzip a; gunzip a.gz; cat a", "hi\n")]
);
