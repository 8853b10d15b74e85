//! Bodies of answers: whole, or in parts as they come from the world.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::answer::Part;
use crate::connection::Call;
use crate::identity::Identity;
use crate::issued;
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
        /// What is done to each part.
        changes: Changes,
    },
}

/// What is done to the events of an answer on their way out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// Real certificates are put in by this authority.
    pub(crate) issuer: Option<Arc<Identity>>,
    /// The client takes them in protobuf only.
    pub(crate) in_protobuf: bool,
}

impl Changes {
    fn apply(&self, mut bytes: Bytes) -> Result<Bytes, BrokenOff> {
        if let Some(issuer) = &self.issuer {
            bytes = issued::issue(bytes, issuer);
        }
        match self.in_protobuf {
            true => protobuf::frames(&bytes).map(Bytes::from).ok_or(BrokenOff),
            false => Ok(bytes),
        }
    }
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
        let (first, call, changes) = match self.get_mut() {
            AnswerBody::Whole(bytes) => {
                return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))));
            }
            AnswerBody::Stream {
                first,
                rest,
                changes,
            } => (first, rest, changes),
        };
        if let Some(bytes) = first.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        loop {
            return Poll::Ready(match std::task::ready!(call.poll(cx)) {
                Some(Part::Data(bytes)) if bytes.is_empty() => continue,
                Some(Part::Data(bytes)) => Some(changes.apply(bytes).map(Frame::data)),
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
