//! Port forwarding: each connection that a client forwards is an exchange of its own in the world.
//! Clients bring theirs in SPDY (upgraded at once, or inside of a WebSocket), or in the channels of
//! a WebSocket.
//!
//! Models kubelet/pkg/cri/streaming/portforward/{httpstream,websocket}.go.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::answer::Part;
use crate::connection::Connection;
use crate::exchange::head_of;
use crate::room;
use crate::spdy::{Frame, Reader, Writer};
use crate::upgrade::goodbye;

/// Frames that may wait to be written, and parts of a connection that wait to be sent on.
const WAITING: usize = 64;
/// Bytes inside of a WebSocket that wait to be read as SPDY.
const TUNNEL: usize = 64 << 10;

/// Where connections are to be forwarded to.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    pub(crate) connection: Connection,
    /// The path of its `portforward`, without a query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// Something to be sent to the client: a stream or channel, bytes, and whether they are its last.
type Out = (u32, Bytes, bool);

impl Pod {
    fn request(&self, port: &str) -> room::Request {
        room::Request {
            method: "POST".to_owned(),
            target: format!("{}?ports={port}", self.path),
            headers: self.headers.clone(),
            more: true,
            ..room::Request::default()
        }
    }
}

/// Forwards one connection; what goes wrong is said on `error`.
async fn forward(
    pod: Pod,
    port: String,
    (data, error): (u32, u32),
    mut input: mpsc::Receiver<Bytes>,
    out: mpsc::Sender<Out>,
) {
    let mut call = pod.connection.send(pod.request(&port));
    let refused = match head_of(&mut call).await {
        Ok(head) if head.status == 101 => None,
        Ok(head) => Some(reason(&head.body)),
        Err(failure) => Some(failure.to_string()),
    };
    if let Some(why) = refused {
        // A client that is gone need not be told.
        let _ = out.send((error, why.into(), true)).await;
        let _ = out.send((data, Bytes::new(), true)).await;
        return;
    }
    let mut sends = true;
    loop {
        tokio::select! {
            part = call.next() => match part {
                Some(Part::Data(bytes)) => {
                    if out.send((data, bytes, false)).await.is_err() {
                        return;
                    }
                }
                Some(Part::Head(_)) => {}
                Some(Part::End | Part::Broken) | None => break,
            },
            bytes = input.recv(), if sends => match bytes {
                Some(bytes) => call.data(bytes),
                None => {
                    sends = false;
                    call.end();
                }
            },
            () = out.closed() => return,
        }
    }
    let _ = out.send((data, Bytes::new(), true)).await;
    let _ = out.send((error, Bytes::new(), true)).await;
}

/// What a refusal says: the message of a Status, or its text.
fn reason(body: &Bytes) -> String {
    let status: Option<Value> = serde_json::from_slice(body).ok();
    let message = status
        .as_ref()
        .and_then(|status| status["message"].as_str());
    message.map_or_else(
        || String::from_utf8_lossy(body).trim().to_owned(),
        str::to_owned,
    )
}

/// Serves a client that speaks SPDY.
pub(crate) async fn over_spdy(io: impl AsyncRead + AsyncWrite + Send + 'static, pod: Pod) {
    let (read, mut write) = tokio::io::split(io);
    let (frames, mut to_write) = mpsc::channel::<Vec<u8>>(WAITING);
    let (out, mut outs) = mpsc::channel::<Out>(WAITING);
    let writing = tokio::spawn(async move {
        loop {
            let frame = tokio::select! {
                Some(frame) = to_write.recv() => frame,
                Some((stream, bytes, fin)) = outs.recv() => Writer::data(stream, &bytes, fin),
                else => return,
            };
            if write.write_all(&frame).await.is_err() || write.flush().await.is_err() {
                return;
            }
        }
    });
    let mut reader = Reader::new(read);
    let mut writer = Writer::default();
    // Streams for errors by the request they belong to, and connections by their stream.
    let mut errors: BTreeMap<String, u32> = BTreeMap::new();
    let mut inputs: BTreeMap<u32, mpsc::Sender<Bytes>> = BTreeMap::new();
    while let Ok(frame) = reader.next().await {
        match frame {
            Frame::Open {
                stream, headers, ..
            } => {
                let field = |name: &str| {
                    let found = headers.iter().find(|(key, _)| key == name);
                    found.map(|(_, value)| value.clone()).unwrap_or_default()
                };
                if frames.send(writer.reply(stream)).await.is_err() {
                    break;
                }
                let request = field("requestid");
                if field("streamtype") == "error" {
                    errors.insert(request, stream);
                    continue;
                }
                let Some(error) = errors.remove(&request) else {
                    break;
                };
                let (input, taken) = mpsc::channel(WAITING);
                inputs.insert(stream, input);
                let lane = (stream, error);
                let forwarded = forward(pod.clone(), field("port"), lane, taken, out.clone());
                tokio::spawn(forwarded);
            }
            Frame::Data { stream, bytes, fin } => {
                if let Some(input) = inputs.get(&stream)
                    && !bytes.is_empty()
                {
                    // A connection that has ended takes no more.
                    let _ = input.send(bytes).await;
                }
                if fin {
                    inputs.remove(&stream);
                }
            }
            Frame::Reset(stream) => {
                inputs.remove(&stream);
            }
            Frame::Ping(number) => {
                if frames.send(Writer::ping(number)).await.is_err() {
                    break;
                }
            }
            Frame::GoAway => break,
            Frame::Other => {}
        }
    }
    writing.abort();
}

/// The bytes inside of a WebSocket's messages, as a stream.
pub(crate) fn tunnel<S>(socket: WebSocketStream<S>) -> DuplexStream
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (inner, outer) = tokio::io::duplex(TUNNEL);
    tokio::spawn(async move {
        let (mut out, mut input) = socket.split();
        let (mut read, mut write) = tokio::io::split(outer);
        let inwards = async move {
            while let Some(Ok(message)) = input.next().await {
                if let Message::Binary(bytes) = message
                    && write.write_all(&bytes).await.is_err()
                {
                    return;
                }
            }
        };
        let outwards = async move {
            let mut buffer = BytesMut::with_capacity(TUNNEL);
            while let Ok(1..) = read.read_buf(&mut buffer).await {
                let bytes = buffer.split().freeze();
                if out.send(Message::Binary(bytes)).await.is_err() {
                    return;
                }
            }
            // The client may have left first.
            let _ = out.send(goodbye()).await;
        };
        tokio::select! {
            () = inwards => {}
            () = outwards => {}
        }
    });
    inner
}

/// Serves a client that has two channels of a WebSocket for each port: the connection, and what
/// goes wrong with it. Each begins with the port's number.
pub(crate) async fn over_channels<S>(socket: WebSocketStream<S>, pod: Pod, ports: Vec<u16>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut to_client, mut input) = socket.split();
    let (out, mut outs) = mpsc::channel::<Out>(WAITING);
    let mut inputs = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let data = u32::try_from(index * 2).unwrap_or(u32::MAX);
        for channel in [data, data + 1] {
            let number = Bytes::copy_from_slice(&port.to_le_bytes());
            if to_client.send(message(channel, &number)).await.is_err() {
                return;
            }
        }
        let (input, taken) = mpsc::channel(WAITING);
        inputs.push(input);
        let lane = (data, data + 1);
        let forwarded = forward(pod.clone(), port.to_string(), lane, taken, out.clone());
        tokio::spawn(forwarded);
    }
    drop(out);
    loop {
        tokio::select! {
            next = outs.recv() => match next {
                Some((_, bytes, _)) if bytes.is_empty() => {}
                Some((channel, bytes, _)) => {
                    if to_client.send(message(channel, &bytes)).await.is_err() {
                        return;
                    }
                }
                None => {
                    // The client may have left first.
                    let _ = to_client.send(goodbye()).await;
                    return;
                }
            },
            next = input.next() => match next {
                Some(Ok(Message::Binary(bytes))) => {
                    let channel = bytes.first().map_or(usize::MAX, |byte| usize::from(*byte));
                    if let Some(input) = inputs.get(channel / 2).filter(|_| channel % 2 == 0) {
                        // A connection that has ended takes no more.
                        let _ = input.send(bytes.slice(1..)).await;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

fn message(channel: u32, bytes: &Bytes) -> Message {
    let mut whole = BytesMut::with_capacity(bytes.len() + 1);
    whole.put_u8(u8::try_from(channel).unwrap_or(u8::MAX));
    whole.put_slice(bytes);
    Message::Binary(whole.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_said_in_its_own_words() {
        #[track_caller]
        fn check(body: &'static str, expected: &str) {
            assert_eq!(reason(&Bytes::from_static(body.as_bytes())), expected);
        }
        check("{\"kind\":\"Status\",\"message\":\"no\"}", "no");
        check("error forwarding port 80\n", "error forwarding port 80");
    }
}
