//! `editor`: what `vi` does, by another name.

use crate::help::tool;
use crate::vi::edit;

tool!(
    "editor",
    "Edit text files",
    "editor [FILE]...",
    edit,
    [(
        "editor notes; echo $?",
        "editor: standard input is no terminal: there is nobody to edit 'notes'\n1\n"
    ),]
);
