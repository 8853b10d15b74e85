//! Random streams: one per machine and purpose, each a function of the world's seed and its name,
//! so that adding one reshuffles no other.

/// The alphabet of Kubernetes' generated names: no vowels, no look-alikes.
/// Source: staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go.
const ALPHANUMS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A stream of pseudo-random numbers (PCG-XSH-RR 64/32), plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    state: u64,
    increment: u64,
}

impl Stream {
    /// The stream called `name` of a world with this `seed`.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let mut stream = Self {
            state: 0,
            increment: (hash << 1) | 1,
        };
        stream.next_u32();
        stream.state = stream.state.wrapping_add(seed ^ hash.rotate_left(17));
        stream.next_u32();
        stream
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        let old = self.state;
        self.state = old
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(self.increment);
        let xorshifted = (((old >> 18) ^ old) >> 27) as u32;
        xorshifted.rotate_right((old >> 59) as u32)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        (u64::from(self.next_u32()) << 32) | u64::from(self.next_u32())
    }

    /// An even choice of `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        // Values past the last whole multiple of n would favour small results: draw again.
        let limit = u64::MAX - u64::MAX % n;
        loop {
            let value = self.next_u64();
            if value < limit {
                return value % n;
            }
        }
    }

    /// `len` letters of Kubernetes' alphabet for generated names.
    pub fn alnum(&mut self, len: usize) -> String {
        (0..len)
            .map(|_| char::from(ALPHANUMS[self.index(ALPHANUMS.len())]))
            .collect()
    }

    /// `len` lower-case hexadecimal digits.
    pub fn hex(&mut self, len: usize) -> String {
        (0..len)
            .map(|_| char::from(b"0123456789abcdef"[self.index(16)]))
            .collect()
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.next_u64(), self.next_u64());
        let variant = 0x8000 | (b >> 48 & 0x3fff);
        let (high, mid, low) = (a >> 32, a >> 16 & 0xffff, a & 0xfff);
        format!(
            "{high:08x}-{mid:04x}-4{low:03x}-{variant:04x}-{:012x}",
            b & 0xffff_ffff_ffff
        )
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_seed_and_name_alone() {
        let draw = |seed, name| Stream::new(seed, name).next_u64();
        assert_eq!(draw(1, "node01"), draw(1, "node01"));
        assert_ne!(draw(1, "node01"), draw(2, "node01"));
        assert_ne!(draw(1, "node01"), draw(1, "node02"));
    }

    #[test]
    fn names_and_uuids_have_their_forms() {
        let mut stream = Stream::new(7, "test");
        assert!(stream.alnum(64).bytes().all(|b| ALPHANUMS.contains(&b)));
        let uuid = stream.uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!("89ab".contains(&uuid[19..20]));
    }

    #[test]
    fn below_is_even_enough() {
        let mut stream = Stream::new(3, "dice");
        let mut counts = [0_u32; 6];
        for _ in 0..6000 {
            counts[usize::try_from(stream.below(6)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|c| (850..1150).contains(c)), "{counts:?}");
    }
}
