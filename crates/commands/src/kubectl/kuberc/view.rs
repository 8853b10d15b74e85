//! `kubectl kuberc view`.
//!
//! Models kubectl/pkg/cmd/kuberc/view.go.

use api::object;
use machine::Fd;

use super::{GROUP, default_path, read, write};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::Line;
use crate::kubectl::print::{self, Format};
use crate::kubectl::session::Session;

pub(super) async fn view(session: &Session, line: &Line) -> Outcome {
    let io = &session.io;
    let path = match line.text("kuberc") {
        "" => default_path(io),
        path => path.to_owned(),
    };
    let Ok(text) = io.read_to_string(&path).await else {
        return propose(session, &path).await;
    };
    let preferences = read(&text).unwrap_or_else(
        || object!({ "aliases": [], "apiVersion": "v1", "defaults": [], "kind": "Preference" }),
    );
    let text = match print::format(line)? {
        Format::Table { .. } => print::typed_object(&Format::Yaml, preferences)?,
        format => print::typed_object(&format, preferences)?,
    };
    io.print(&text).await;
    Ok(())
}

/// Where there is no file, one is proposed.
async fn propose(session: &Session, path: &str) -> Outcome {
    let io = &session.io;
    let text = format!(
        "kuberc file not found at {path}\nWould you like to generate a default kuberc file with \
         recommended options? (y/N): "
    );
    io.print(&text).await;
    let answer = io.read(Fd::STDIN).await.unwrap_or_default();
    if !answer.trim_ascii().eq_ignore_ascii_case(b"y") {
        return Err(Failure::Exit(String::new(), 2));
    }
    let preferences = object!({
        "aliases": null,
        "apiVersion": (format!("{GROUP}v1beta1")),
        "defaults": [
            { "command": "apply", "options": [{ "default": "true", "name": "server-side" }] },
            { "command": "delete", "options": [{ "default": "true", "name": "interactive" }] },
        ],
        "kind": "Preference",
    });
    write(io, path, &preferences).await
}
