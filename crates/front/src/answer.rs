//! The way an answer takes from the world to the client it is for: a queue that never makes the
//! world wait. A client that reads too slowly loses its answer, as a slow watcher does upstream.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What may wait for a client, in bytes, before it counts as too slow.
pub(crate) const WAITING: usize = 16 << 20;

/// A part of an answer.
#[derive(Debug)]
pub(crate) enum Part {
    /// Its beginning.
    Head(Head),
    /// More of its body.
    Data(Bytes),
    /// It is complete.
    End,
    /// It breaks off here, and the connection with it.
    Broken,
}

/// How an answer begins.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// `Data` follows.
    pub(crate) more: bool,
}

/// The world's end of the queue.
#[derive(Debug)]
pub(crate) struct Sink {
    parts: UnboundedSender<Part>,
    waiting: Arc<AtomicUsize>,
}

/// The client's end.
#[derive(Debug)]
pub(crate) struct Answer {
    parts: UnboundedReceiver<Part>,
    waiting: Arc<AtomicUsize>,
}

/// A new queue.
pub(crate) fn answer() -> (Sink, Answer) {
    let (sender, receiver) = unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let sink = Sink {
        parts: sender,
        waiting: waiting.clone(),
    };
    let answer = Answer {
        parts: receiver,
        waiting,
    };
    (sink, answer)
}

fn size(part: &Part) -> usize {
    match part {
        Part::Data(bytes) => bytes.len(),
        // A single answer may be of any size.
        Part::Head(_) | Part::End | Part::Broken => 0,
    }
}

impl Sink {
    /// Adds a part; false if nobody reads any more, or too slowly.
    pub(crate) fn put(&self, part: Part) -> bool {
        let size = size(&part);
        let before = self.waiting.fetch_add(size, Ordering::Relaxed);
        if before > 0 && before + size > WAITING {
            return false;
        }
        self.parts.send(part).is_ok()
    }
}

impl Answer {
    /// The next part; `None` if the client was too slow for the rest.
    pub(crate) async fn next(&mut self) -> Option<Part> {
        let part = self.parts.recv().await;
        self.took(part)
    }

    /// The same for a poll.
    pub(crate) fn poll(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Part>> {
        self.parts.poll_recv(cx).map(|part| self.took(part))
    }

    fn took(&self, part: Option<Part>) -> Option<Part> {
        if let Some(part) = &part {
            self.waiting.fetch_sub(size(part), Ordering::Relaxed);
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_too_slowly_is_cut_off_and_one_large_part_is_not() {
        let (sink, mut answer) = answer();
        let large = Bytes::from(vec![0; WAITING + 1]);
        assert!(sink.put(Part::Data(large)));
        assert!(!sink.put(Part::Data(Bytes::from_static(b"x"))));
        drop(sink);
        assert!(matches!(answer.parts.blocking_recv(), Some(Part::Data(_))));
        assert!(answer.parts.blocking_recv().is_none());
    }
}
