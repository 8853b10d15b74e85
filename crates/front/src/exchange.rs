//! One request of a client: read from its connection, sent into the world, its answer passed on.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};

use crate::answer::{Head, Part};
use crate::body::{AnswerBody, Changes};
use crate::connection::Connection;
use crate::gzip;
use crate::issued;
use crate::openapi;
use crate::protobuf;
use crate::room;
use crate::upgrade;

/// What the API server takes as a body, at most. One byte more is sent on, for it to refuse.
const LIMIT: usize = 3 << 20;
/// So much more of a body that is too large is read and thrown away: a client that still writes
/// would not read the answer.
const WASTE: usize = 64 << 20;
/// What the world's messages can carry.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
/// A client has this long to send its body.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fields that concern one hop only.
const HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Why a client gets no answer of the API server.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It is told so.
    Refused(StatusCode, &'static str),
    /// The connection ends.
    Broken,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Refused(status, why) => write!(f, "{status}: {why}"),
            Failure::Broken => f.write_str("the connection to the API server broke"),
        }
    }
}

impl std::error::Error for Failure {}

/// Answers a request.
///
/// # Errors
/// The connection into the world broke: that of the client is to end, too.
pub(crate) async fn serve(
    connection: Connection,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Failure> {
    let answered = match upgrade::wanted(&request) {
        _ if !METHODS.contains(&request.method().as_str()) => Err(Failure::Refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "the API has no such method",
        )),
        Some(wanted) => upgrade::serve(connection, request, wanted).await,
        None => pass_on(&connection, request).await,
    };
    match answered {
        Err(Failure::Refused(status, why)) => Ok(plain(status, why)),
        answered => answered,
    }
}

async fn pass_on(
    connection: &Connection,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Failure> {
    let (parts, body) = request.into_parts();
    let encoding = parts.headers.get(header::ACCEPT_ENCODING);
    let encoding = encoding.and_then(|value| value.to_str().ok()).unwrap_or("");
    let compressed = gzip::wanted(parts.uri.path(), encoding);
    let body = tokio::time::timeout(PATIENCE, collect(body))
        .await
        .map_err(|_| Failure::Refused(StatusCode::REQUEST_TIMEOUT, "the body did not come"))??;
    let mut request = room::Request {
        body,
        ..begin(&parts)
    };
    read_protobuf(&mut request);
    let document = ask_for_json(&mut request);
    let in_protobuf = accept_protobuf(&mut request);
    let issuer = connection.identity().cloned();
    let issuer = issuer.filter(|_| issued::asked_for(&request.target));
    let mut call = connection.send(request);
    let mut head = head_of(&mut call).await?;
    if let Some(form) = document {
        write_document(&mut head, form);
    }
    if let Some(issuer) = &issuer {
        head.body = issued::issue(head.body, issuer);
    }
    let more = head.more;
    let in_protobuf = in_protobuf && write_protobuf(&mut head);
    if compressed {
        gzip::compress(&mut head);
    }
    let (mut response, first) = response(head)?;
    *response.body_mut() = if more {
        let first = Some(first).filter(|bytes| !bytes.is_empty());
        AnswerBody::Stream {
            first,
            rest: Box::new(call),
            changes: Changes {
                issuer,
                in_protobuf,
            },
        }
    } else {
        AnswerBody::whole(first)
    };
    Ok(response)
}

/// The API server of the world reads JSON and YAML. What cannot be read here is sent on as it is,
/// for it to refuse.
fn read_protobuf(request: &mut room::Request) {
    let mut headers = request.headers.iter_mut();
    let header =
        headers.find(|(name, value)| name == "Content-Type" && value.starts_with(PROTOBUF));
    if let Some((_, content_type)) = header
        && let Some(json) = protobuf::to_json(&request.body)
    {
        "application/json".clone_into(content_type);
        request.body = json.into();
    }
}

/// Whether a client takes protobuf and nothing else; the API server of the world is asked for JSON
/// then.
fn accept_protobuf(request: &mut room::Request) -> bool {
    let mut headers = request.headers.iter_mut();
    let Some((_, accept)) = headers.find(|(name, _)| name == "Accept") else {
        return false;
    };
    let only = accept
        .split(',')
        .all(|range| range.trim().starts_with(PROTOBUF));
    if only {
        *accept = accept.replace(PROTOBUF, "application/json");
    }
    only
}

/// Writes an answer in protobuf; false if it is of a kind that has none.
fn write_protobuf(head: &mut Head) -> bool {
    let mut headers = head.headers.iter_mut();
    let header = headers
        .find(|(name, value)| name == "Content-Type" && value.starts_with("application/json"));
    let Some((_, content_type)) = header else {
        return false;
    };
    let body = match head.more {
        true => protobuf::frames(&head.body),
        false => serde_json::from_slice(&head.body)
            .ok()
            .and_then(|object| protobuf::from_json(&object)),
    };
    let Some(body) = body else {
        return false;
    };
    *content_type = content_type.replace("application/json", PROTOBUF);
    if head.more {
        content_type.push_str(";stream=watch");
    }
    head.body = body.into();
    true
}

/// The document of the API is to be had in protobuf, too; the world writes it in JSON.
fn ask_for_json(request: &mut room::Request) -> Option<&'static str> {
    let mut headers = request.headers.iter_mut();
    let (_, accept) = headers.find(|(name, _)| name == "Accept")?;
    let form = openapi::wanted(&request.target, accept)?;
    "application/json".clone_into(accept);
    Some(form)
}

fn write_document(head: &mut Head, form: &str) {
    let content_type = |(name, _): &&mut (String, String)| name == "Content-Type";
    if head.status == 200
        && !head.more
        && let Some(document) = openapi::to_protobuf(&head.body)
        && let Some((_, kind)) = head.headers.iter_mut().find(content_type)
    {
        form.clone_into(kind);
        head.body = document.into();
        head.headers.retain(|(name, _)| name != "Content-Length");
    }
}

/// A request without its body, as the world gets it.
pub(crate) fn begin(parts: &hyper::http::request::Parts) -> room::Request {
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let headers = parts.headers.iter();
    let headers = headers.filter(|(name, _)| !HOP.contains(name));
    room::Request {
        method: parts.method.as_str().to_owned(),
        target: target.to_owned(),
        headers: headers
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (title_case(name.as_str()), value)
            })
            .collect(),
        ..room::Request::default()
    }
}

/// The head of an answer.
pub(crate) async fn head_of(call: &mut crate::connection::Call) -> Result<Head, Failure> {
    match call.next().await {
        Some(Part::Head(head)) => Ok(head),
        _ => Err(Failure::Broken),
    }
}

/// An answer that has its status and headers, and the beginning of its body.
pub(crate) fn response(head: Head) -> Result<(Response<AnswerBody>, Bytes), Failure> {
    let status = StatusCode::from_u16(head.status).map_err(|_| Failure::Broken)?;
    let mut response = Response::new(AnswerBody::whole(Bytes::new()));
    *response.status_mut() = status;
    fill(response.headers_mut(), &head.headers);
    Ok((response, head.body))
}

fn fill(to: &mut HeaderMap, from: &[(String, String)]) {
    for (name, value) in from {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        // A header that HTTP cannot carry is none.
        if let (Ok(name), Ok(value)) = (name, value)
            && !HOP.contains(&name)
        {
            to.append(name, value);
        }
    }
}

/// The body, or so much of it that it is seen to be too large.
async fn collect(mut body: Incoming) -> Result<Bytes, Failure> {
    let mut all = BytesMut::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::Broken)?;
        if let Ok(data) = frame.into_data() {
            let room = (LIMIT + 1).saturating_sub(all.len());
            all.extend_from_slice(&data[..data.len().min(room)]);
            seen += data.len();
            if seen > WASTE {
                break;
            }
        }
    }
    Ok(all.freeze())
}

/// `content-type` as people write it: `Content-Type`.
fn title_case(name: &str) -> String {
    let mut upper = true;
    name.chars()
        .map(|c| {
            let cased = if upper { c.to_ascii_uppercase() } else { c };
            upper = c == '-';
            cased
        })
        .collect()
}

fn plain(status: StatusCode, why: &'static str) -> Response<AnswerBody> {
    let body = AnswerBody::whole(Bytes::from(format!("{why}\n")));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_are_written_as_people_do() {
        assert_eq!(title_case("impersonate-user"), "Impersonate-User");
        assert_eq!(title_case("accept"), "Accept");
    }
}
