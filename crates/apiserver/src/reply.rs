//! Answers: which form the client accepts, and the response that has it.
//!
//! Models apiserver/pkg/endpoints/handlers/{negotiation,responsewriters}.

use std::rc::Rc;

use api::{Measured, Status, Value};
use net::http::{Body, Request, Response};

use crate::cache::Entry;
use crate::request::Query;
use crate::table::Include;

/// Which objects the client wants, as a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Transform {
    /// As they are.
    #[default]
    None,
    /// `as=Table`
    Table,
    /// `as=PartialObjectMetadata`
    Metadata,
    /// `as=PartialObjectMetadataList`
    MetadataList,
    /// `as=APIGroupDiscoveryList`
    Discovery,
    /// `as=APIGroupDiscoveryList;v=v2beta1`
    BetaDiscovery,
}

/// The form in which a client accepts answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accept {
    pub(crate) transform: Transform,
    /// What a table's rows carry.
    pub(crate) include: Include,
    /// YAML instead of JSON.
    yaml: bool,
    /// Lines and indents, for people.
    pretty: bool,
    /// The object as it is would do as well.
    pub(crate) has_plain: bool,
    /// Nothing that the client accepts can be had.
    pub(crate) impossible: bool,
}

impl Accept {
    /// Reads a request's wishes.
    pub(crate) fn of(request: &Request, query: &Query) -> Accept {
        let agent = request.headers.get("User-Agent").unwrap_or("");
        let person = ["curl", "Wget", "Mozilla/5.0"]
            .iter()
            .any(|name| agent.starts_with(name));
        let mut accept = Accept {
            include: Include::of(&query.include_object),
            pretty: query.pretty.unwrap_or(person),
            ..Accept::default()
        };
        let header = request.headers.get("Accept").unwrap_or("*/*");
        let chosen = header.split(',').find_map(|range| media_type(range.trim()));
        let mut ranges = header
            .split(',')
            .filter_map(|range| media_type(range.trim()));
        accept.has_plain = ranges.any(|(_, transform)| transform == Transform::None);
        match chosen {
            Some((yaml, transform)) => {
                accept.yaml = yaml;
                accept.transform = transform;
            }
            None => accept.impossible = true,
        }
        accept
    }
}

impl Accept {
    /// Whether the answer is written as text at once.
    pub(crate) fn is_for_people(self) -> bool {
        self.yaml || self.pretty
    }

    /// Whether the answer is to be YAML.
    pub(crate) fn is_yaml(self) -> bool {
        self.yaml
    }
}

/// Whether YAML is asked for and the transformation; `None` for what cannot be had.
fn media_type(range: &str) -> Option<(bool, Transform)> {
    let mut parts = range.split(';').map(str::trim);
    let yaml = match parts.next()? {
        "application/yaml" => true,
        "" | "application/json" | "*/*" | "application/*" => false,
        _ => return None,
    };
    let parts: Vec<&str> = parts.collect();
    let beta = parts.contains(&"v=v2beta1");
    let mut transform = Transform::None;
    for part in parts {
        transform = match part.split_once('=') {
            Some(("as", "Table")) => Transform::Table,
            Some(("as", "PartialObjectMetadata")) => Transform::Metadata,
            Some(("as", "PartialObjectMetadataList")) => Transform::MetadataList,
            Some(("as", "APIGroupDiscoveryList")) if beta => Transform::BetaDiscovery,
            Some(("as", "APIGroupDiscoveryList")) => Transform::Discovery,
            Some(("as", _)) => return None,
            _ => transform,
        };
    }
    Some((yaml, transform))
}

/// What the server can write, as it says so when nothing fits.
pub(crate) const MEDIA_TYPES: [&str; 4] = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/cbor",
];

/// An object as the client wants it written.
pub(crate) fn object(code: u16, value: &Value, accept: Accept) -> Response {
    let mut response = if accept.is_for_people() {
        written(code, value, accept)
    } else {
        measured(code, Measured::new(value.clone()))
    };
    if value.kind() == "APIGroupDiscoveryList" {
        name_form(&mut response, value.api_version());
    }
    response
}

/// Clients tell by its type that a page of discovery is the aggregated one.
fn name_form(response: &mut Response, api_version: &str) {
    let plain = response.headers.get("Content-Type").unwrap_or_default();
    let (group, version) = api_version.split_once('/').unwrap_or_default();
    let named = format!("{plain};g={group};v={version};as=APIGroupDiscoveryList");
    response.headers.set("Content-Type", named);
}

/// A cached object as the client wants it written.
pub(crate) fn entry(code: u16, entry: &Entry, accept: Accept) -> Response {
    if accept.is_for_people() {
        return written(code, &entry.value, accept);
    }
    measured(code, Measured::with_len(entry.value.clone(), entry.len))
}

/// An object whose length is known, as JSON.
pub(crate) fn measured(code: u16, measured: Measured) -> Response {
    Response::new(code, Body::shared(Rc::new(measured)))
        .with_header("Content-Type", "application/json")
}

fn written(code: u16, value: &Value, accept: Accept) -> Response {
    if accept.yaml {
        let text = api::yaml::to_string(value);
        return Response::new(code, text).with_header("Content-Type", "application/yaml");
    }
    let text = json_for_people(value);
    Response::new(code, text).with_header("Content-Type", "application/json")
}

/// JSON with indents of two spaces, as the server writes it for curl and browsers.
fn json_for_people(value: &Value) -> String {
    let mut text = String::new();
    for line in value.to_json_pretty().lines() {
        let indent = line.len() - line.trim_start().len();
        text.push_str(&" ".repeat(indent / 2));
        text.push_str(line.trim_start());
        text.push('\n');
    }
    text.pop();
    text
}

/// A Status as the client wants it written.
pub(crate) fn status(status: &Status, accept: Accept) -> Response {
    let mut value = status.to_value();
    // The token that goes on where a list expired belongs to the metadata, which a Status made
    // elsewhere does not have.
    if let Some(token) = value.remove("details.continue") {
        value.set("metadata.continue", token);
    }
    let mut response = object(status.code, &value, accept);
    if let Some(secs) = status.details.i64_at("retryAfterSeconds") {
        response.headers.set("Retry-After", secs.to_string());
    }
    response
}

/// Adds warnings, each a header of its own.
pub(crate) fn warn(response: &mut Response, warnings: &[String]) {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        response
            .headers
            .add("Warning", format!("299 - \"{quoted}\""));
    }
}

/// A page of plain text.
pub(crate) fn text(code: u16, text: impl Into<String>) -> Response {
    Response::new(code, text.into())
        .with_header("Content-Type", "text/plain; charset=utf-8")
        .with_header("X-Content-Type-Options", "nosniff")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, expected: Option<(bool, Transform)>) {
        let request = Request::get("/api/v1/pods").with_header("Accept", accept);
        let read = Accept::of(&request, &Query::default());
        let read = (!read.impossible).then_some((read.yaml, read.transform));
        assert_eq!(read, expected, "{accept}");
    }

    #[test]
    fn the_first_form_that_can_be_had_is_chosen() {
        check("application/json", Some((false, Transform::None)));
        check("*/*", Some((false, Transform::None)));
        check("application/yaml", Some((true, Transform::None)));
        check("image/png", None);
        check(
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            Some((false, Transform::Table)),
        );
        check(
            "application/json;as=Nothing;v=v1;g=meta.k8s.io,application/json",
            Some((false, Transform::None)),
        );
        check(
            "application/vnd.kubernetes.protobuf,application/json",
            Some((false, Transform::None)),
        );
    }
}
