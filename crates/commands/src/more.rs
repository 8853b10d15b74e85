//! `more`: shows text, all of it at once; see `less`.

use crate::help::tool;
use crate::less::main;

tool!(
    "more",
    "Show text page by page",
    "more [FILE]...",
    main,
    [("echo hi | more", "hi\n")]
);
