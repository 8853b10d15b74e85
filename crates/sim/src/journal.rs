//! The journal: what happened, in order, each entry naming the entry that caused it.
//!
//! "Why?" is a walk up the causes. The running hash over all entries is what two runs are compared
//! by; old entries may be forgotten, the hash never forgets.

use core::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use crate::{EntryId, Instant, MachineId};

/// What sort of thing happened. Declared once, as a `static`, where it happens.
#[derive(Debug)]
pub struct Kind {
    /// A dotted name: `net.syn`, `api.create`.
    pub name: &'static str,
    /// The sentence, with `{0}` to `{3}` for the arguments.
    pub says: &'static str,
}

/// An argument of an entry's sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Arg {
    /// No argument.
    #[default]
    None,
    /// A number.
    U64(u64),
    /// An IPv4 address.
    Ip(Ipv4Addr),
    /// An IPv4 address and a port.
    Addr(SocketAddrV4),
    /// A text, shared.
    Str(Rc<str>),
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arg::None => Ok(()),
            Arg::U64(n) => n.fmt(f),
            Arg::Ip(ip) => ip.fmt(f),
            Arg::Addr(addr) => addr.fmt(f),
            Arg::Str(s) => f.write_str(s),
        }
    }
}

impl From<u64> for Arg {
    fn from(n: u64) -> Self {
        Arg::U64(n)
    }
}

impl From<u32> for Arg {
    fn from(n: u32) -> Self {
        Arg::U64(u64::from(n))
    }
}

impl From<u16> for Arg {
    fn from(n: u16) -> Self {
        Arg::U64(u64::from(n))
    }
}

impl From<Ipv4Addr> for Arg {
    fn from(ip: Ipv4Addr) -> Self {
        Arg::Ip(ip)
    }
}

impl From<SocketAddrV4> for Arg {
    fn from(addr: SocketAddrV4) -> Self {
        Arg::Addr(addr)
    }
}

impl From<&Rc<str>> for Arg {
    fn from(text: &Rc<str>) -> Self {
        Arg::Str(text.clone())
    }
}

impl From<Rc<str>> for Arg {
    fn from(text: Rc<str>) -> Self {
        Arg::Str(text)
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Arg::Str(text.into())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Arg::Str(text.into())
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its own id; ids count up by one.
    pub id: EntryId,
    /// When.
    pub at: Instant,
    /// On which machine.
    pub machine: MachineId,
    /// What caused it; [`EntryId::NONE`] at the start of a chain.
    pub cause: EntryId,
    /// What sort of thing.
    pub kind: &'static Kind,
    /// The arguments of its sentence.
    pub args: [Arg; 4],
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.kind.says;
        while let Some(open) = rest.find('{') {
            f.write_str(&rest[..open])?;
            let digit = rest
                .as_bytes()
                .get(open + 1)
                .map_or(0, |b| b.wrapping_sub(b'0'));
            match self.args.get(usize::from(digit)) {
                Some(arg) if rest.as_bytes().get(open + 2) == Some(&b'}') => {
                    arg.fmt(f)?;
                    rest = &rest[open + 3..];
                }
                _ => {
                    f.write_str("{")?;
                    rest = &rest[open + 1..];
                }
            }
        }
        f.write_str(rest)
    }
}

/// Entries kept together; a full chunk is shared between clones of a world.
const CHUNK: usize = 1024;
/// Chunks remembered. 256 chunks of 1,024 entries are some 30 MB at most.
const CHUNKS_KEPT: usize = 256;

/// All that happened, newest last. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    full: std::collections::VecDeque<Rc<Vec<Entry>>>,
    open: Vec<Entry>,
    forgotten: u64,
    len: u64,
    hash: u64,
}

impl Journal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes an entry and returns its id. At most four arguments are kept.
    pub fn note(
        &mut self,
        at: Instant,
        machine: MachineId,
        cause: EntryId,
        kind: &'static Kind,
        args: &[Arg],
    ) -> EntryId {
        debug_assert!(args.len() <= 4, "an entry has at most four arguments");
        let mut kept: [Arg; 4] = Default::default();
        for (slot, arg) in kept.iter_mut().zip(args) {
            *slot = arg.clone();
        }
        self.len += 1;
        let entry = Entry {
            id: EntryId(self.len),
            at,
            machine,
            cause,
            kind,
            args: kept,
        };
        self.hash = fold_entry(self.hash, &entry);
        if self.open.len() == CHUNK {
            let full = std::mem::replace(&mut self.open, Vec::with_capacity(CHUNK));
            self.full.push_back(Rc::new(full));
            if self.full.len() > CHUNKS_KEPT {
                self.full.pop_front();
                self.forgotten += CHUNK as u64;
            }
        }
        self.open.push(entry);
        EntryId(self.len)
    }

    /// The entry with this id, unless it was never written or is already forgotten.
    #[must_use]
    pub fn get(&self, id: EntryId) -> Option<&Entry> {
        let index = usize::try_from(id.0.checked_sub(1 + self.forgotten)?).ok()?;
        match self.full.get(index / CHUNK) {
            Some(chunk) => chunk.get(index % CHUNK),
            None => self.open.get(index - self.full.len() * CHUNK),
        }
    }

    /// The chain of causes from `id` up to its start: the entry itself first.
    pub fn why(&self, id: EntryId) -> impl Iterator<Item = &Entry> {
        let mut next = id;
        std::iter::from_fn(move || {
            let entry = self.get(next)?;
            next = entry.cause;
            Some(entry)
        })
    }

    /// The entries still remembered from `id` on (inclusive), oldest first.
    pub fn since(&self, id: EntryId) -> impl Iterator<Item = &Entry> {
        (id.0.max(self.forgotten + 1)..=self.len).filter_map(|n| self.get(EntryId(n)))
    }

    /// Entries written since the beginning, forgotten ones included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A running hash over every entry ever written: equal journals, equal hashes.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

fn fold(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn fold_text(hash: u64, text: &str) -> u64 {
    let mut hash = fold(hash, text.len() as u64);
    for chunk in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = fold(hash, u64::from_le_bytes(word));
    }
    hash
}

fn fold_entry(hash: u64, entry: &Entry) -> u64 {
    let Entry {
        id,
        at,
        machine,
        cause,
        kind,
        args,
    } = entry;
    let mut hash = [id.0, at.as_nanos(), u64::from(machine.0), cause.0]
        .into_iter()
        .fold(hash, fold);
    hash = fold_text(hash, kind.name);
    for arg in args {
        hash = match arg {
            Arg::None => hash,
            Arg::U64(n) => fold(fold(hash, 1), *n),
            Arg::Ip(ip) => fold(fold(hash, 2), u64::from(u32::from(*ip))),
            Arg::Str(text) => fold_text(fold(hash, 3), text),
            Arg::Addr(addr) => {
                let ip = u64::from(u32::from(*addr.ip()));
                fold(fold(hash, 4), ip << 16 | u64::from(addr.port()))
            }
        };
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    static TYPED: Kind = Kind {
        name: "test.typed",
        says: "{0} typed {1}",
    };
    static RAN: Kind = Kind {
        name: "test.ran",
        says: "pid {0} ran {{1}",
    };

    fn at(n: u64) -> Instant {
        Instant::from_nanos(n)
    }

    #[test]
    fn entries_read_as_sentences_and_chain_to_their_cause() {
        let mut journal = Journal::new();
        let typed = journal.note(
            at(1),
            MachineId(1),
            EntryId::NONE,
            &TYPED,
            &["ann".into(), "ls".into()],
        );
        let ran = journal.note(
            at(2),
            MachineId(1),
            typed,
            &RAN,
            &[7_u64.into(), "ls".into()],
        );
        let chain: Vec<String> = journal.why(ran).map(ToString::to_string).collect();
        assert_eq!(chain, ["pid 7 ran {ls", "ann typed ls"]);
    }

    #[test]
    fn old_chunks_are_forgotten_but_hashed() {
        let mut journal = Journal::new();
        let total = (CHUNK * (CHUNKS_KEPT + 3)) as u64;
        for n in 0..total {
            journal.note(at(n), MachineId(1), EntryId::NONE, &TYPED, &[n.into()]);
        }
        assert_eq!(journal.len(), total);
        assert!(journal.get(EntryId(1)).is_none());
        assert_eq!(
            journal.get(EntryId(total)).map(|e| e.id),
            Some(EntryId(total))
        );
        let oldest = journal.since(EntryId::NONE).next().map(|e| e.id);
        assert_eq!(oldest, Some(EntryId(2 * CHUNK as u64 + 1)));
    }

    #[test]
    fn any_difference_changes_the_hash() {
        let run = |text: &str| {
            let mut journal = Journal::new();
            journal.note(at(1), MachineId(1), EntryId::NONE, &TYPED, &[text.into()]);
            journal.hash()
        };
        assert_eq!(run("a"), run("a"));
        assert_ne!(run("a"), run("b"));
    }
}
