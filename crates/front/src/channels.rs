//! Commands in containers for clients that speak SPDY: each of its streams is a channel of the
//! messages that the kubelet speaks.
//!
//! Models kubelet/pkg/cri/streaming/remotecommand/httpstream.go.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::answer::Part;
use crate::connection::Call;
use crate::spdy::{Frame, Reader, Writer};

const STDIN: u8 = 0;
const ERROR: u8 = 3;
const CLOSE: u8 = 255;
/// The channels by the type of their stream.
const TYPES: [(&str, u8); 5] = [
    ("stdin", STDIN),
    ("stdout", 1),
    ("stderr", 2),
    ("error", ERROR),
    ("resize", 4),
];
/// How long a client may take to open its streams.
const PATIENCE: Duration = Duration::from_secs(30);
/// Frames that may wait to be taken in.
const WAITING: usize = 64;

/// How many streams a client opens for a request: what its query asks for, one for errors, and one
/// for the size of a terminal.
pub(crate) fn expected(query: &str) -> usize {
    let asked = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.any(|(key, value)| key == name && matches!(value, "1" | "true"))
    };
    let tty = asked("tty");
    let stderr = asked("stderr") && !tty;
    let wanted = [asked("stdin"), asked("stdout"), stderr, tty];
    1 + wanted.into_iter().filter(|wanted| *wanted).count()
}

/// Carries a command's streams until it has ended.
pub(crate) async fn over_spdy(
    io: impl AsyncRead + AsyncWrite + Send + 'static,
    mut call: Call,
    expected: usize,
) {
    let (read, mut write) = tokio::io::split(io);
    let (sender, mut frames) = mpsc::channel(WAITING);
    let reading = tokio::spawn(async move {
        let mut reader = Reader::new(read);
        while let Ok(frame) = reader.next().await {
            if sender.send(frame).await.is_err() {
                return;
            }
        }
    });
    let mut streams = Streams::default();
    let opening = async {
        while streams.by_channel.len() < expected {
            let frame = frames.recv().await?;
            streams.take(frame, &call, &mut write).await.ok()?;
        }
        Some(())
    };
    if let Ok(Some(())) = tokio::time::timeout(PATIENCE, opening).await {
        loop {
            let done = tokio::select! {
                part = call.next() => streams.give(part, &mut write).await,
                frame = frames.recv() => match frame {
                    None => break,
                    Some(frame) => streams.take(frame, &call, &mut write).await.map(|()| false),
                },
            };
            if !matches!(done, Ok(false)) {
                break;
            }
        }
    }
    reading.abort();
}

#[derive(Debug, Default)]
struct Streams {
    writer: Writer,
    by_channel: BTreeMap<u8, u32>,
}

impl Streams {
    /// Takes in a frame of the client.
    async fn take(
        &mut self,
        frame: Frame,
        call: &Call,
        write: &mut (impl AsyncWrite + Unpin),
    ) -> std::io::Result<()> {
        match frame {
            Frame::Open {
                stream, headers, ..
            } => {
                let kind = headers.iter().find(|(name, _)| name == "streamtype");
                let kind = kind.map_or("", |(_, value)| value.as_str());
                if let Some((_, channel)) = TYPES.iter().find(|(name, _)| *name == kind) {
                    self.by_channel.insert(*channel, stream);
                }
                write.write_all(&self.writer.reply(stream)).await?;
            }
            Frame::Data { stream, bytes, fin } => {
                let channel = self.by_channel.iter().find(|(_, id)| **id == stream);
                let Some((channel, _)) = channel else {
                    return Ok(());
                };
                if !bytes.is_empty() {
                    let mut message = BytesMut::with_capacity(bytes.len() + 1);
                    message.put_u8(*channel);
                    message.put_slice(&bytes);
                    call.data(message.freeze());
                }
                if fin && *channel == STDIN {
                    call.data(Bytes::from_static(&[CLOSE, STDIN]));
                }
            }
            Frame::Ping(number) => write.write_all(&Writer::ping(number)).await?,
            Frame::Reset(_) | Frame::GoAway | Frame::Other => {}
        }
        write.flush().await
    }

    /// Gives out a part of the answer; true if it was the last.
    async fn give(
        &self,
        part: Option<Part>,
        write: &mut (impl AsyncWrite + Unpin),
    ) -> std::io::Result<bool> {
        let over = match part {
            Some(Part::Data(message)) => {
                let channel = message.first().copied().unwrap_or(CLOSE);
                if let Some(stream) = self.by_channel.get(&channel) {
                    let frame = Writer::data(*stream, &message[1..], channel == ERROR);
                    write.write_all(&frame).await?;
                }
                false
            }
            Some(Part::Head(_)) => false,
            Some(Part::End | Part::Broken) | None => {
                for stream in self.by_channel.values() {
                    write.write_all(&Writer::data(*stream, b"", true)).await?;
                }
                true
            }
        };
        write.flush().await?;
        Ok(over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_how_many_streams_come() {
        assert_eq!(expected("command=ls&stdout=true&stderr=true"), 3);
        assert_eq!(expected("stdin=1&stdout=true&stderr=true&tty=true"), 4);
        assert_eq!(expected(""), 1);
    }
}
