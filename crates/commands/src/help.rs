//! `tool --help`, made from what a tool says of itself.

use machine::Io;

use crate::Example;

/// Whether the command line asks for help and nothing else.
pub(crate) fn wanted(io: &Io) -> bool {
    matches!(io.args(), [_, help] if &**help == "--help")
}

/// Prints the help of a tool.
pub(crate) async fn show(io: &Io, usage: &str, summary: &str, examples: &[Example]) -> i32 {
    let mut text = format!("Usage: {usage}\n{summary}.\n");
    if !examples.is_empty() {
        text.push_str("\nExamples:\n");
        for example in examples {
            text.push_str(&format!("  {}\n", example.command));
        }
    }
    io.print(&text).await;
    0
}

/// Defines `TOOL`: name, summary, usage, main function, and examples as (command, output).
macro_rules! tool {
    ($name:literal, $summary:literal, $usage:literal, $main:ident, [$(($command:literal, $output:literal)),* $(,)?]) => {
        /// See the module.
        pub(crate) const TOOL: $crate::Tool = $crate::Tool {
            name: $name,
            summary: $summary,
            usage: $usage,
            examples: EXAMPLES,
            run: |io| Box::pin(begin(io)),
            program: || machine::tool(|io| Box::pin(begin(io))),
        };

        const EXAMPLES: &[$crate::Example] =
            &[$($crate::Example { command: $command, output: $output }),*];

        async fn begin(io: machine::Io) -> i32 {
            if $crate::help::wanted(&io) {
                return $crate::help::show(&io, $usage, $summary, EXAMPLES).await;
            }
            $main(io).await
        }
    };
}

pub(crate) use tool;
