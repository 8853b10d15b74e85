//! `kubectl auth whoami`.

use api::{Value, object};
use net::http::Method;

use super::columns;
use crate::kubectl::Verb;
use crate::kubectl::act;
use crate::kubectl::failure::Outcome;
use crate::kubectl::flags::Line;
use crate::kubectl::print::{self, Format};
use crate::kubectl::session::{Call, Session};

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "auth whoami",
    summary: "Experimental: Check self subject attributes",
    usage: "kubectl auth whoami",
    flags: &[act::OUTPUT],
    interspersed: true,
    run: |session, line| Box::pin(whoami(session, line)),
};

async fn whoami(session: &Session, line: &Line) -> Outcome {
    let ask = object!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "SelfSubjectReview",
    });
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer = session.call(Call::send(Method::Post, path, ask)).await?;
    let format = print::format(line)?;
    if line.has("output") && !matches!(format, Format::Table { .. }) {
        session
            .io
            .print(&print::typed_object(&format, answer)?)
            .await;
        return Ok(());
    }
    let user = answer.at("status.userInfo");
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let list = |items: &[Value]| {
        let items: Vec<&str> = items.iter().map(Value::as_str).collect();
        format!("[{}]", items.join(" "))
    };
    let mut rows = vec![
        row("ATTRIBUTE", "VALUE".to_owned()),
        row("Username", user.str("username").to_owned()),
    ];
    if !user.str("uid").is_empty() {
        rows.push(row("UID", user.str("uid").to_owned()));
    }
    if !user.list_at("groups").is_empty() {
        rows.push(row("Groups", list(user.list_at("groups"))));
    }
    for (key, values) in user.get("extra").entries() {
        rows.push(row(&format!("Extra: {key}"), list(values.list())));
    }
    session.io.print(&columns(&rows)).await;
    Ok(())
}
