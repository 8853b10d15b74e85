//! Requests that turn their connection into something else: commands in containers, and
//! forwarded ports. Over a WebSocket commands have the channels that the kubelet speaks itself, so
//! that messages are only passed on.
//!
//! Models apiserver/pkg/util/proxy/{streamtranslator,websocket}.go.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::header;
use hyper::http::request::Parts;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ring::digest;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use crate::answer::{Head, Part};
use crate::body::AnswerBody;
use crate::channels;
use crate::connection::{Call, Connection};
use crate::exchange::{Failure, begin, head_of, response};
use crate::forward::{self, Pod};
use crate::room;
use lab::base64;

/// The protocols of channels, the best first.
const CHANNELS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
/// The protocol of forwarded ports in SPDY, alone and inside of a WebSocket.
const PORT_FORWARD: &str = "portforward.k8s.io";
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
const SPDY: &str = "SPDY/3.1";
const STREAM_PROTOCOL: &str = "X-Stream-Protocol-Version";
/// Messages of a client, at most.
const MESSAGE: usize = 32 << 20;

/// What a connection is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A WebSocket.
    Socket {
        /// The protocols the client speaks, in its order.
        protocols: Vec<String>,
        /// What the handshake is to prove.
        key: String,
    },
    /// SPDY, with the protocols the client speaks inside of it.
    Spdy {
        /// In its order.
        protocols: Vec<String>,
    },
}

/// What a request wants its connection to become.
pub(crate) fn wanted(request: &Request<Incoming>) -> Option<Wanted> {
    let headers = request.headers();
    let upgrade = headers.get(header::UPGRADE)?.to_str().ok()?;
    let listed = |name: &str| {
        let values = headers.get_all(name).iter();
        let words = values.filter_map(|value| value.to_str().ok());
        let words = words.flat_map(|value| value.split(','));
        words.map(|word| word.trim().to_owned()).collect()
    };
    if upgrade.eq_ignore_ascii_case(SPDY) {
        return Some(Wanted::Spdy {
            protocols: listed(STREAM_PROTOCOL),
        });
    }
    if !upgrade.eq_ignore_ascii_case("websocket") {
        return None;
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok()?;
    Some(Wanted::Socket {
        protocols: listed(header::SEC_WEBSOCKET_PROTOCOL.as_str()),
        key: key.to_owned(),
    })
}

/// Answers such a request.
///
/// # Errors
/// As [`crate::exchange::serve`].
pub(crate) async fn serve(
    connection: Connection,
    mut request: Request<Incoming>,
    wanted: Wanted,
) -> Result<Response<AnswerBody>, Failure> {
    let upgraded = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    if parts.uri.path().ends_with("/portforward") {
        return forwards(connection, &parts, upgraded, wanted).await;
    }
    let (protocols, known) = match &wanted {
        Wanted::Socket { protocols, .. } => (protocols, &CHANNELS[..]),
        Wanted::Spdy { protocols } => (protocols, &CHANNELS[1..]),
    };
    let protocol = chosen(protocols, known)?;
    let ask = room::Request {
        more: true,
        ..begin(&parts)
    };
    let mut call = connection.send(ask);
    let head = head_of(&mut call).await?;
    if head.status != 101 {
        return refusal(head);
    }
    let response = wanted.accept(protocol)?;
    match wanted {
        Wanted::Socket { .. } => tokio::spawn(carry(upgraded, call)),
        Wanted::Spdy { .. } => {
            let expected = channels::expected(parts.uri.query().unwrap_or(""));
            tokio::spawn(async move {
                if let Ok(io) = upgraded.await {
                    channels::over_spdy(TokioIo::new(io), call, expected).await;
                }
            })
        }
    };
    Ok(response)
}

/// Answers a request to forward ports.
async fn forwards(
    connection: Connection,
    parts: &Parts,
    upgraded: OnUpgrade,
    wanted: Wanted,
) -> Result<Response<AnswerBody>, Failure> {
    let (protocols, known) = match &wanted {
        Wanted::Socket { protocols, .. } => (protocols, &[TUNNEL, CHANNELS[1]][..]),
        Wanted::Spdy { protocols } => (protocols, &[PORT_FORWARD][..]),
    };
    let protocol = chosen(protocols, known)?;
    let pod = Pod {
        connection,
        path: parts.uri.path().to_owned(),
        headers: begin(parts).headers,
    };
    // Whether the client may is asked without a port: then the kubelet finds that one lacks.
    let mut call = pod.connection.send(room::Request {
        target: pod.path.clone(),
        ..begin(parts)
    });
    let head = head_of(&mut call).await?;
    if !matches!(head.status, 101 | 400) {
        return refusal(head);
    }
    drop(call);
    let response = wanted.accept(protocol)?;
    let ports = ports(parts.uri.query().unwrap_or(""));
    tokio::spawn(async move {
        match wanted {
            Wanted::Spdy { .. } => {
                if let Ok(io) = upgraded.await {
                    forward::over_spdy(TokioIo::new(io), pod).await;
                }
            }
            Wanted::Socket { .. } => match socket(upgraded).await {
                None => {}
                Some(socket) if protocol == TUNNEL => {
                    forward::over_spdy(forward::tunnel(socket), pod).await;
                }
                Some(socket) => forward::over_channels(socket, pod, ports).await,
            },
        }
    });
    Ok(response)
}

/// The ports of a query: `ports=80,81` or `ports=80&ports=81`.
fn ports(query: &str) -> Vec<u16> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let values = pairs.filter(|(name, _)| *name == "ports");
    values
        .flat_map(|(_, value)| value.split("%2C").flat_map(|value| value.split(',')))
        .filter_map(|port| port.parse().ok())
        .collect()
}

fn refusal(head: Head) -> Result<Response<AnswerBody>, Failure> {
    let (mut refused, body) = response(head)?;
    *refused.body_mut() = AnswerBody::whole(body);
    Ok(refused)
}

/// The first of the client's protocols that is known.
fn chosen<'a>(offered: &[String], known: &[&'a str]) -> Result<&'a str, Failure> {
    let mut found = offered
        .iter()
        .filter_map(|offered| known.iter().find(|known| *known == offered));
    let why = "the server knows none of the protocols that the client offers";
    let unknown = Failure::Refused(StatusCode::FORBIDDEN, why);
    found.next().copied().ok_or(unknown)
}

impl Wanted {
    /// `101 Switching Protocols`.
    fn accept(&self, protocol: &str) -> Result<Response<AnswerBody>, Failure> {
        let (upgrade, name, proof) = match self {
            Wanted::Socket { key, .. } => {
                let name = header::SEC_WEBSOCKET_PROTOCOL.as_str();
                ("websocket", name, Some(proof(key)))
            }
            Wanted::Spdy { .. } => (SPDY, STREAM_PROTOCOL, None),
        };
        let mut response = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, upgrade)
            .header(name, protocol);
        if let Some(proof) = proof {
            response = response.header(header::SEC_WEBSOCKET_ACCEPT, proof);
        }
        response
            .body(AnswerBody::whole(Bytes::new()))
            .map_err(|_| Failure::Broken)
    }
}

/// What RFC 6455 wants to see of a key.
fn proof(key: &str) -> String {
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    base64::encode(hash.as_ref())
}

/// The socket, once the client has it.
async fn socket(upgraded: OnUpgrade) -> Option<WebSocketStream<TokioIo<Upgraded>>> {
    let io = TokioIo::new(upgraded.await.ok()?);
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE))
        .max_frame_size(Some(MESSAGE));
    Some(WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await)
}

/// The end of a socket: clients take one without a reason for a failure.
pub(crate) fn goodbye() -> Message {
    Message::Close(Some(CloseFrame {
        code: CloseCode::Normal,
        reason: "".into(),
    }))
}

/// Passes messages on, both ways, until either side ends.
async fn carry(upgraded: OnUpgrade, mut call: Call) {
    let Some(socket) = socket(upgraded).await else {
        return;
    };
    let (mut out, mut input) = socket.split();
    loop {
        tokio::select! {
            part = call.next() => match part {
                Some(Part::Data(bytes)) => {
                    if out.send(Message::Binary(bytes)).await.is_err() {
                        return;
                    }
                }
                Some(Part::Head(_)) => {}
                Some(Part::End | Part::Broken) | None => {
                    // The client may have left by itself.
                    let _ = out.send(goodbye()).await;
                    let _ = out.close().await;
                    return;
                }
            },
            message = input.next() => match message {
                Some(Ok(Message::Binary(bytes))) => call.data(bytes),
                Some(Ok(Message::Text(text))) => call.data(text.into()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_is_that_of_the_standard() {
        // The example of RFC 6455, section 1.3.
        assert_eq!(
            proof("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn the_client_chooses_among_what_is_known() {
        let offered = ["v3.channel.k8s.io", "v4.channel.k8s.io"].map(str::to_owned);
        let found = chosen(&offered, &CHANNELS).expect("one is known");
        assert_eq!(found, "v4.channel.k8s.io");
        assert!(chosen(&offered[..1], &CHANNELS).is_err());
    }
}
