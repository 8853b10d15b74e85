//! Recordings: the ways of packets that begin something, for who asks why they went there. A packet
//! sent while a recording is on takes its way down; so do the answers to it.
//! Nothing real works like this; it is where the trace of `walk.rs` becomes visible.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use sim::EntryId;

use crate::net::Net;
use crate::packet::{Icmp, Packet, PacketBody, Proto, Segment};
use crate::trace::{DropReason, Flow, Trace, Verdict};

/// Records kept of what was sent last.
const LATEST: usize = 256;

/// A recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordingId(u64);

/// What recordings hold, and which one is on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recordings {
    on: Sender,
    made: u64,
    kept: BTreeMap<RecordingId, Vec<Record>>,
    latest: Option<Latest>,
}

/// Who sends, as far as recordings want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The recording that its packets belong to.
    pub recording: Option<RecordingId>,
    /// Its command line, if its packets belong to the latest.
    pub command: Option<Rc<[Rc<str>]>>,
}

/// The records made last, numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct Latest {
    first: u64,
    records: VecDeque<Record>,
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
    /// The command line of who began it, if that is known.
    pub command: Option<Rc<[Rc<str>]>>,
}

impl Latest {
    /// The number that the next record will have.
    pub fn next(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    /// Records from this number on, as far as they are kept.
    pub fn since(&self, number: u64) -> impl Iterator<Item = (u64, &Record)> {
        let skipped = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        (self.first..).zip(&self.records).skip(skipped)
    }

    fn push(&mut self, record: Record) {
        if self.records.len() == LATEST {
            self.records.pop_front();
            self.first += 1;
        }
        self.records.push_back(record);
    }
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

    /// From now on the latest records are kept, of senders whose command is known.
    pub fn keep_latest(&mut self) {
        self.recordings.latest.get_or_insert_default();
    }

    /// The latest records, if they are kept.
    #[inline]
    pub fn latest(&self) -> Option<&Latest> {
        self.recordings.latest.as_ref()
    }

    /// Whether there is any recording.
    #[inline]
    pub fn has_recordings(&self) -> bool {
        self.recordings.latest.is_some() || !self.recordings.kept.is_empty()
    }

    /// Says whose the packets are that are sent from now on.
    pub fn record_for(&mut self, sender: Sender) {
        self.recordings.on = sender;
    }

    /// A packet is about to be sent by a socket.
    #[inline]
    pub(crate) fn record_sent(&self, packet: &mut Packet) {
        let on = &self.recordings.on;
        if *on != Sender::default() && name_of(packet).is_some() {
            packet.trace.get_or_insert_default().sender = on.clone();
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
        let (Some(trace), Some(what)) = (&packet.trace, name_of(packet)) else {
            return;
        };
        let Recordings { kept, latest, .. } = &mut self.recordings;
        let own = trace.sender.recording.and_then(|id| kept.get_mut(&id));
        let latest = latest.as_mut().filter(|_| trace.sender.command.is_some());
        if own.is_none() && latest.is_none() {
            return;
        }
        let same = |record: &&mut Record| {
            record.cause == packet.cause
                && record.what == what
                && record.trace.outcome() == Some(Verdict::Delivered)
        };
        let first = trace.hops.first().map(|hop| hop.before);
        let record = || Record {
            proto: packet.proto(),
            what,
            flow: first.unwrap_or(packet.flow()),
            trace: Trace::clone(trace),
            lost,
            cause: packet.cause,
            command: trace.sender.command.clone(),
        };
        if let Some(own) = own {
            match own.iter_mut().find(same) {
                Some(known) => known.lost = lost,
                None => own.push(record()),
            }
        }
        if let Some(latest) = latest {
            match latest.records.iter_mut().rev().find(same) {
                Some(known) => known.lost = lost,
                None => latest.push(record()),
            }
        }
    }
}

impl Packet {
    /// This packet answers `asked`: it is recorded if that was.
    pub(crate) fn record_like(mut self, asked: &Option<Box<Trace>>) -> Packet {
        let asked = asked.as_ref().map(|trace| &trace.sender);
        if let Some(sender) = asked.filter(|sender| **sender != Sender::default()) {
            self.trace.get_or_insert_default().sender = sender.clone();
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
