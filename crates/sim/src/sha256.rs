//! SHA-256, for names that upstream derives from a hash. Models FIPS 180-4.

const PRIMES: [u64; 64] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193,
    197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293, 307,
    311,
];
/// The initial hash value: of the square roots of the first eight primes.
const INITIAL: [u32; 8] = first_root_bits(2);
/// A constant per round: of the cube roots of the first 64 primes.
const ROUNDS: [u32; 64] = first_root_bits(3);

const fn first_root_bits<const N: usize>(power: u32) -> [u32; N] {
    let mut bits = [0; N];
    let mut at = 0;
    while at < N {
        bits[at] = root_bits(PRIMES[at], power);
        at += 1;
    }
    bits
}

/// The first 32 bits behind the point of the `power`-th root of a number.
const fn root_bits(number: u64, power: u32) -> u32 {
    // The largest r with r^power <= number * 2^(32 * power), so that r holds 32 binary places.
    let wide = (number as u128) << (32 * power);
    let (mut low, mut high) = (0u128, 1u128 << 38);
    while high - low > 1 {
        let middle = (low + high) / 2;
        match middle.checked_pow(power) {
            Some(product) if product <= wide => low = middle,
            _ => high = middle,
        }
    }
    low as u32
}

/// The digest of some bytes.
#[must_use]
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut hash = INITIAL;
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if padded.len() - bytes.len() < 9 {
        padded.resize(padded.len() + 64, 0);
    }
    let length = padded.len() - 8;
    padded[length..].copy_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        mix(&mut hash, block);
    }
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(hash) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// The digest in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn mix(hash: &mut [u32; 8], block: &[u8]) {
    let mut words = [0u32; 64];
    for (word, w) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([w[0], w[1], w[2], w[3]]);
    }
    for at in 16..64 {
        let (a, b) = (words[at - 15], words[at - 2]);
        let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
        let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
        words[at] = words[at - 16]
            .wrapping_add(s0)
            .wrapping_add(words[at - 7])
            .wrapping_add(s1);
    }
    let mut v = *hash;
    for at in 0..64 {
        let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
        let choice = v[4] & v[5] ^ !v[4] & v[6];
        let one = v[7]
            .wrapping_add(s1)
            .wrapping_add(choice)
            .wrapping_add(ROUNDS[at])
            .wrapping_add(words[at]);
        let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
        let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2];
        let two = s0.wrapping_add(majority);
        v.rotate_right(1);
        v[4] = v[4].wrapping_add(one);
        v[0] = one.wrapping_add(two);
    }
    for (total, part) in hash.iter_mut().zip(v) {
        *total = total.wrapping_add(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(hex(text.as_bytes()), expected);
    }

    #[test]
    fn the_examples_of_the_standard() {
        check(
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        );
        check(
            "abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        );
        check(
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        );
    }

    #[test]
    fn the_length_finds_room_at_every_size() {
        for size in [55, 56, 63, 64, 119, 120] {
            let (one, other) = (vec![0; size], vec![0; size + 1]);
            assert_ne!(digest(&one), digest(&other), "{size}");
        }
        check(
            &"a".repeat(64),
            "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb",
        );
    }
}
