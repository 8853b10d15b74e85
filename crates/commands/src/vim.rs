//! `vim`: what `vi` does, by another name.

use crate::help::tool;
use crate::vi::edit;

tool!(
    "vim",
    "Edit text files",
    "vim [FILE]...",
    edit,
    [(
        "vim notes; echo $?",
        "vim: standard input is no terminal: there is nobody to edit 'notes'\n1\n"
    ),]
);
