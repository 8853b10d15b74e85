//! `sha256sum`. Models coreutils src/digest.c; the function is that of FIPS 180-4.

use machine::Io;

use crate::checksum;
use crate::help::tool;

tool!(
    "sha256sum",
    "Print SHA256 checksums",
    "sha256sum [OPTION]... [FILE]...",
    main,
    [(
        "echo -n abc | sha256sum",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n"
    ),]
);

async fn main(io: Io) -> i32 {
    checksum::run(&io, digest).await
}

const PRIMES: [u64; 64] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193,
    197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293, 307,
    311,
];

/// The first 32 bits behind the point of the `power`-th root of a number.
fn root_bits(number: u64, power: u32) -> u32 {
    // The largest r with r^power <= number * 2^(32 * power), so that r holds 32 binary places.
    let wide = u128::from(number) << (32 * power);
    let (mut low, mut high) = (0u128, 1u128 << 38);
    while high - low > 1 {
        let middle = (low + high) / 2;
        let fits = (0..power).try_fold(1u128, |product, _| product.checked_mul(middle));
        if fits.is_some_and(|product| product <= wide) {
            low = middle
        } else {
            high = middle
        }
    }
    low as u32
}

/// The digest in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut hash: Vec<u32> = PRIMES[..8]
        .iter()
        .map(|prime| root_bits(*prime, 2))
        .collect();
    let constants: Vec<u32> = PRIMES.iter().map(|prime| root_bits(*prime, 3)).collect();
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((bytes.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut words: Vec<u32> = block
            .chunks(4)
            .map(|w| u32::from_be_bytes([w[0], w[1], w[2], w[3]]))
            .collect();
        for at in 16..64 {
            let (a, b) = (words[at - 15], words[at - 2]);
            let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            words.push(
                words[at - 16]
                    .wrapping_add(s0)
                    .wrapping_add(words[at - 7])
                    .wrapping_add(s1),
            );
        }
        let mut v = hash.clone();
        for at in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = v[4] & v[5] ^ !v[4] & v[6];
            let one = v[7]
                .wrapping_add(s1)
                .wrapping_add(choice)
                .wrapping_add(constants[at])
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
    hash.iter().map(|word| format!("{word:08x}")).collect()
}
