//! `kubectl create token`.
//!
//! Models kubectl/pkg/cmd/create/create_token.go.

use api::{Value, object};
use net::http::Method;

use super::{exactly_one_name, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, value, values};
use crate::kubectl::print::{self, Format};
use crate::kubectl::session::{Call, Session};

/// The generator.
pub(super) const VERB: Verb = Verb {
    name: "create token",
    summary: "Request a service account token",
    usage: "kubectl create token SERVICE_ACCOUNT_NAME [options]",
    flags: generator_flags!(
        values("audience"),
        value("duration"),
        value("bound-object-kind"),
        value("bound-object-name"),
        value("bound-object-uid"),
    ),
    interspersed: true,
    run: |session, line| Box::pin(create(session, line)),
};

async fn create(session: &Session, line: &Line) -> Outcome {
    let name = exactly_one_name(line)?;
    let mut spec = object!({
        "audiences": (Value::from(
            line.list("audience")
                .iter()
                .map(|audience| audience.as_str().into())
                .collect::<Vec<Value>>(),
        )),
        "boundObjectRef": (bound(line)?),
    });
    if line.text("duration").starts_with('-') {
        return Err(Failure::message(
            "--duration must be greater than or equal to 0",
        ));
    }
    if let Some(span) = line.duration("duration")? {
        if span.subsec_nanos() != 0 {
            return Err(Failure::message(
                "--duration cannot be expressed in units less than seconds",
            ));
        }
        if span.as_secs() > 0 {
            spec.set("expirationSeconds", span.as_secs());
        }
    }
    let request = object!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {},
        "spec": (spec),
    });
    let path = format!(
        "/api/v1/namespaces/{}/serviceaccounts/{name}/token",
        session.namespace
    );
    let answer = session
        .call(Call::send(Method::Post, path, request))
        .await
        .map_err(|failure| match failure {
            Failure::Status(status) => Failure::message(format!(
                "failed to create token: {}",
                status.str_at("message")
            )),
            other => other,
        })?;
    let text = match print::format(line)? {
        Format::Table { .. } => format!("{}\n", answer.str_at("status.token")),
        format => print::typed_object(&format, answer)?,
    };
    session.io.print(&text).await;
    Ok(())
}

/// The object that the token lives as long as.
fn bound(line: &Line) -> Outcome<Value> {
    let (kind, name) = (
        line.text("bound-object-kind"),
        line.text("bound-object-name"),
    );
    let uid = line.text("bound-object-uid");
    if kind.is_empty() {
        let wrong = [("bound-object-name", name), ("bound-object-uid", uid)]
            .into_iter()
            .find(|(_, text)| !text.is_empty());
        return match wrong {
            Some((flag, _)) => Err(Failure::message(format!(
                "--{flag} can only be set if --bound-object-kind is provided"
            ))),
            None => Ok(Value::Null),
        };
    }
    if !["Node", "Pod", "Secret"].contains(&kind) {
        return Err(Failure::message(
            "supported --bound-object-kind values are Node, Pod, Secret",
        ));
    }
    if name.is_empty() {
        return Err(Failure::message(
            "--bound-object-name is required if --bound-object-kind is provided",
        ));
    }
    let mut reference = object!({ "apiVersion": "v1", "kind": (kind), "name": (name) });
    if !uid.is_empty() {
        reference.set("uid", uid);
    }
    Ok(reference)
}
