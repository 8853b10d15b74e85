//! `kubectl completion`: a script that tells a shell to ask `kubectl __complete`.
//!
//! Models kubectl/pkg/cmd/completion/completion.go. The bash of this world asks a tool by itself,
//! so its script has no functions of its own.

use super::Verb;
use super::failure::{Failure, Outcome};
use super::flags::Line;
use super::session::Session;

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "completion",
    summary: "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)",
    usage: "kubectl completion SHELL",
    flags: &[],
    interspersed: true,
    run: |session, line| Box::pin(completion(session, line)),
};

/// For bash; it is as well a file of `/usr/share/bash-completion/completions`.
pub(crate) const BASH: &str = "\
# bash completion V2 for kubectl                              -*- shell-script -*-
#
# Candidates come from `kubectl __complete`. For an alias:
#   alias k=kubectl
#   complete -o default -F __start_kubectl k

complete -o default -F __start_kubectl kubectl
";

async fn completion(session: &Session, line: &Line) -> Outcome {
    let usage = |text: &str| Err(Failure::hint(line, text));
    match line.args.as_slice() {
        [] => usage("Shell not specified."),
        [shell] => match shell.as_str() {
            "bash" => {
                session.io.print(BASH).await;
                Ok(())
            }
            "zsh" | "fish" | "powershell" => Err(Failure::message(
                sim::unmodelled!("completion for zsh, fish and powershell").to_string(),
            )),
            other => usage(&format!("Unsupported shell type {other:?}.")),
        },
        _ => usage("Too many arguments. Expected only the shell type."),
    }
}
