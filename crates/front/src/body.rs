//! Bodies of answers: whole, or in parts as they come from the world.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::answer::Part;
use crate::connection::Call;
use crate::protobuf;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// All of it.
    Whole(Option<Bytes>),
    /// In parts.
    Stream {
        /// What is there.
        first: Option<Bytes>,
        /// What follows.
        rest: Box<Call>,
        /// Events, for a client that takes them in protobuf only.
        in_protobuf: bool,
    },
}

impl AnswerBody {
    /// All of it.
    pub(crate) fn whole(bytes: Bytes) -> AnswerBody {
        AnswerBody::Whole(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

/// The server broke off.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the API server broke off its answer")
    }
}

impl std::error::Error for BrokenOff {}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let (first, call, in_protobuf) = match self.get_mut() {
            AnswerBody::Whole(bytes) => {
                return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))));
            }
            AnswerBody::Stream {
                first,
                rest,
                in_protobuf,
            } => (first, rest, *in_protobuf),
        };
        if let Some(bytes) = first.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        loop {
            return Poll::Ready(match std::task::ready!(call.poll(cx)) {
                Some(Part::Data(bytes)) if bytes.is_empty() => continue,
                Some(Part::Data(bytes)) if in_protobuf => {
                    let frames = protobuf::frames(&bytes).ok_or(BrokenOff);
                    Some(frames.map(|frames| Frame::data(frames.into())))
                }
                Some(Part::Data(bytes)) => Some(Ok(Frame::data(bytes))),
                Some(Part::Broken) => Some(Err(BrokenOff)),
                Some(Part::End | Part::Head(_)) | None => None,
            });
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, AnswerBody::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            AnswerBody::Stream { .. } => SizeHint::default(),
        }
    }
}
