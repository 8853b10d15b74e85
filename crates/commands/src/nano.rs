//! `nano`: what `vi` does, by another name.

use crate::help::tool;
use crate::vi::edit;

tool!(
    "nano",
    "Edit text files",
    "nano [FILE]...",
    edit,
    [(
        "nano notes; echo $?",
        "nano: standard input is no terminal: there is nobody to edit 'notes'\n1\n"
    ),]
);
