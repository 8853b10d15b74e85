//! A table of values under ids that are found in constant time, never reused, and cheap to clone:
//! clones share chunks until one of them writes.

use core::fmt;
use core::marker::PhantomData;
use std::rc::Rc;

/// Values per chunk: what a clone copies on its first write to any of them.
const CHUNK: usize = 32;

/// An id that is a plain number.
pub(crate) trait Key: Copy {
    fn from_raw(raw: u64) -> Self;
    fn raw(self) -> u64;
}

/// The table. A key is the slot's index and how often the slot was used before.
pub(crate) struct Slab<K, T> {
    chunks: Vec<Rc<Vec<Slot<T>>>>,
    /// Index of the first free slot, which names the next.
    free: Option<u32>,
    len: usize,
    key: PhantomData<K>,
}

#[derive(Clone)]
struct Slot<T> {
    generation: u32,
    state: State<T>,
}

#[derive(Clone)]
enum State<T> {
    Used(T),
    Free { next: Option<u32> },
}

impl<K: Key, T: Clone> Slab<K, T> {
    pub(crate) const fn new() -> Self {
        Slab {
            chunks: Vec::new(),
            free: None,
            len: 0,
            key: PhantomData,
        }
    }

    /// Adds what `make` makes of its own id.
    pub(crate) fn insert_with(&mut self, make: impl FnOnce(K) -> T) -> K {
        self.len += 1;
        if let Some(index) = self.free {
            let slot = self.slot_mut(index);
            let key = key(index, slot.generation);
            let next = match slot.state {
                State::Free { next } => next,
                State::Used(_) => None,
            };
            slot.state = State::Used(make(key));
            self.free = next;
            return key;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Rc::new(Vec::with_capacity(CHUNK)));
        }
        let chunks = self.chunks.len();
        let chunk = Rc::make_mut(&mut self.chunks[chunks - 1]);
        let index = u32::try_from((chunks - 1) * CHUNK + chunk.len()).unwrap_or(u32::MAX);
        let key = key(index, 0);
        chunk.push(Slot {
            generation: 0,
            state: State::Used(make(key)),
        });
        key
    }

    #[inline]
    pub(crate) fn get(&self, key: K) -> Option<&T> {
        let (index, generation) = split(key);
        let slot = self
            .chunks
            .get(index as usize / CHUNK)?
            .get(index as usize % CHUNK)?;
        match &slot.state {
            State::Used(value) if slot.generation == generation => Some(value),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        let (index, generation) = split(key);
        let chunk = self.chunks.get_mut(index as usize / CHUNK)?;
        // Asked first, so that a stale id does not cost a clone its own copy of the chunk.
        if chunk.get(index as usize % CHUNK)?.generation != generation {
            return None;
        }
        match &mut Rc::make_mut(chunk)[index as usize % CHUNK].state {
            State::Used(value) => Some(value),
            State::Free { .. } => None,
        }
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<T> {
        self.get(key)?;
        let (index, generation) = split(key);
        let free = self.free;
        let slot = self.slot_mut(index);
        slot.generation = generation.wrapping_add(1);
        let old = core::mem::replace(&mut slot.state, State::Free { next: free });
        self.free = Some(index);
        self.len -= 1;
        match old {
            State::Used(value) => Some(value),
            State::Free { .. } => None,
        }
    }

    /// Every value, in the order of its slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.chunks.iter().enumerate().flat_map(|(chunk, slots)| {
            slots
                .iter()
                .enumerate()
                .filter_map(move |(at, slot)| match &slot.state {
                    State::Used(value) => {
                        let index = u32::try_from(chunk * CHUNK + at).unwrap_or(u32::MAX);
                        Some((key(index, slot.generation), value))
                    }
                    State::Free { .. } => None,
                })
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn slot_mut(&mut self, index: u32) -> &mut Slot<T> {
        &mut Rc::make_mut(&mut self.chunks[index as usize / CHUNK])[index as usize % CHUNK]
    }
}

#[inline]
fn split<K: Key>(key: K) -> (u32, u32) {
    let raw = key.raw();
    ((raw & u64::from(u32::MAX)) as u32, (raw >> 32) as u32)
}

#[inline]
fn key<K: Key>(index: u32, generation: u32) -> K {
    K::from_raw(u64::from(generation) << 32 | u64::from(index))
}

impl<K, T> Clone for Slab<K, T> {
    fn clone(&self) -> Self {
        let Self {
            chunks,
            free,
            len,
            key,
        } = self;
        Slab {
            chunks: chunks.clone(),
            free: *free,
            len: *len,
            key: *key,
        }
    }
}

impl<K, T> fmt::Debug for Slab<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slab({})", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SocketId;

    #[test]
    fn ids_of_removed_values_find_nothing_even_when_the_slot_is_used_again() {
        let mut slab: Slab<SocketId, u32> = Slab::new();
        let first = slab.insert_with(|_| 1);
        let second = slab.insert_with(|_| 2);
        assert_eq!(slab.remove(first), Some(1));
        let third = slab.insert_with(|_| 3);
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.get_mut(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(third), Some(&3));
        let all: Vec<_> = slab.iter().map(|(key, value)| (key, *value)).collect();
        assert_eq!(all, [(third, 3), (second, 2)]);
        assert_eq!(slab.len(), 2);
    }

    #[test]
    fn clones_do_not_see_each_other() {
        let mut slab: Slab<SocketId, u32> = Slab::new();
        let keys: Vec<_> = (0..100).map(|n| slab.insert_with(|_| n)).collect();
        let mut clone = slab.clone();
        *clone.get_mut(keys[70]).expect("there") = 1;
        clone.remove(keys[3]);
        assert_eq!(slab.get(keys[70]), Some(&70));
        assert_eq!(slab.get(keys[3]), Some(&3));
        assert!(
            Rc::ptr_eq(&slab.chunks[1], &clone.chunks[1]),
            "untouched chunks stay shared"
        );
    }
}
