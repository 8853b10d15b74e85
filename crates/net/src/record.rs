//! Recordings: the ways of packets that begin something, for who asks why they went there. A packet
//! sent while a recording is on takes its way down; so do the answers to it.
//! Nothing real works like this; it is where the trace of `walk.rs` becomes visible.

use std::collections::BTreeMap;

use sim::EntryId;

use crate::net::Net;
use crate::packet::{Icmp, Packet, PacketBody, Proto, Segment};
use crate::trace::{DropReason, Flow, Trace, Verdict};

/// A recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordingId(u64);

/// What recordings hold, and which one is on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recordings {
    on: Option<RecordingId>,
    made: u64,
    kept: BTreeMap<RecordingId, Vec<Record>>,
}

/// A packet and the way it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its protocol.
    pub proto: Proto,
    /// What it is: `TCP SYN`, `ICMP echo reply`.
    pub what: &'static str,
    /// Addresses as it was sent.
    pub flow: Flow,
    /// Its way, up to where it arrived or was lost.
    pub trace: Trace,
    /// Why it was lost, if it was.
    pub lost: Option<DropReason>,
    /// The entry of its sending.
    pub cause: EntryId,
}

impl Net {
    /// Begins a recording, which holds nothing and is not on.
    pub fn begin_recording(&mut self) -> RecordingId {
        self.recordings.made += 1;
        let id = RecordingId(self.recordings.made);
        self.recordings.kept.insert(id, Vec::new());
        id
    }

    /// Ends a recording; what it holds, in the order of arrivals and losses.
    pub fn end_recording(&mut self, id: RecordingId) -> Vec<Record> {
        self.recordings.kept.remove(&id).unwrap_or_default()
    }

    /// Whether there is any recording.
    #[inline]
    pub fn has_recordings(&self) -> bool {
        !self.recordings.kept.is_empty()
    }

    /// Says whose the packets are that are sent from now on.
    pub fn record_for(&mut self, id: Option<RecordingId>) {
        self.recordings.on = id;
    }

    /// A packet is about to be sent by a socket.
    #[inline]
    pub(crate) fn record_sent(&self, packet: &mut Packet) {
        if let Some(id) = self.recordings.on
            && name_of(packet).is_some()
        {
            packet.trace.get_or_insert_default().recording = Some(id);
        }
    }

    /// A packet has reached the namespace it is for.
    #[inline]
    pub(crate) fn record_arrival(&mut self, packet: &Packet) {
        if self.has_recordings() {
            self.record(packet, None);
        }
    }

    /// A packet was lost, or refused where it arrived.
    #[inline]
    pub(crate) fn record_loss(&mut self, packet: &Packet, reason: DropReason) {
        if self.has_recordings() {
            self.record(packet, Some(reason));
        }
    }

    fn record(&mut self, packet: &Packet, lost: Option<DropReason>) {
        let Some(trace) = &packet.trace else { return };
        let kept = trace
            .recording
            .and_then(|id| self.recordings.kept.get_mut(&id));
        let (Some(kept), Some(what)) = (kept, name_of(packet)) else {
            return;
        };
        let same = |record: &&mut Record| {
            record.cause == packet.cause
                && record.what == what
                && record.trace.outcome() == Some(Verdict::Delivered)
        };
        if let Some(record) = kept.iter_mut().find(same) {
            record.lost = lost;
            return;
        }
        let trace = Trace::clone(trace);
        let first = trace.hops.first().map(|hop| hop.before);
        kept.push(Record {
            proto: packet.proto(),
            what,
            flow: first.unwrap_or(packet.flow()),
            trace,
            lost,
            cause: packet.cause,
        });
    }
}

impl Packet {
    /// This packet answers `asked`: it is recorded if that was.
    pub(crate) fn record_like(mut self, asked: &Option<Box<Trace>>) -> Packet {
        if let Some(id) = asked.as_ref().and_then(|trace| trace.recording) {
            self.trace.get_or_insert_default().recording = Some(id);
        }
        self
    }
}

/// What a packet is called; none for those that only go on with something.
fn name_of(packet: &Packet) -> Option<&'static str> {
    Some(match &packet.body {
        PacketBody::Tcp { segment, .. } => match segment {
            Segment::Syn => "TCP SYN",
            Segment::SynAck(_) => "TCP SYN-ACK",
            Segment::Rst { .. } => "TCP RST",
            Segment::Data(_) | Segment::Fin => return None,
        },
        PacketBody::Udp { .. } => "UDP",
        PacketBody::Icmp(Icmp::EchoRequest { .. }) => "ICMP echo request",
        PacketBody::Icmp(Icmp::EchoReply { .. }) => "ICMP echo reply",
        PacketBody::Icmp(Icmp::Error { .. }) => "ICMP error",
    })
}
