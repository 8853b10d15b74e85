//! `sshd`, as `/usr/sbin/sshd -D` of `ssh.service`. What it does is in `ssh/server.rs`.

use machine::Io;

use crate::{Tool, help};

/// The tool.
pub(crate) const TOOL: Tool = Tool {
    name: "sshd",
    summary: "OpenSSH daemon",
    usage: "sshd [-D]",
    examples: &[],
    run: |io| Box::pin(main(io)),
    program: crate::ssh::sshd,
};

/// Called as another tool it only tells of itself: a daemon is a program of its own.
async fn main(io: Io) -> i32 {
    help::show(&io, TOOL.usage, TOOL.summary, &[]).await
}
