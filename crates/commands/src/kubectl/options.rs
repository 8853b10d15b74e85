//! `kubectl options`: the flags of every command.
//!
//! Models kubectl/pkg/cmd/options/options.go.

use super::Verb;
use super::failure::Outcome;
use super::flags::{Flag, GLOBAL};
use super::session::Session;

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "options",
    summary: "Print the list of flags inherited by all commands",
    usage: "kubectl options [flags] [options]",
    flags: &[],
    interspersed: true,
    run: |session, _| Box::pin(options(session)),
};

async fn options(session: &Session) -> Outcome {
    let mut text = String::from("The following options can be passed to any command:\n\n");
    let mut flags: Vec<&Flag> = GLOBAL.iter().collect();
    flags.sort_by_key(|flag| flag.name);
    for flag in flags.into_iter().filter(|flag| flag.name != "help") {
        text.push_str(&super::flag_line(flag));
    }
    session.io.print(&text).await;
    Ok(())
}
