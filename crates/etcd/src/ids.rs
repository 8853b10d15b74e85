//! Numbers of members and clusters: made of their peer URLs and the cluster's token, so that a
//! restored cluster has numbers that every tool can compute again.
//!
//! Models server/etcdserver/api/membership/{member,cluster}.go.

use std::rc::Rc;

/// The number of a member with these peer URLs in the cluster that the token names.
pub(crate) fn member_id(peer_urls: &[Rc<str>], token: &str) -> u64 {
    let mut urls: Vec<&str> = peer_urls.iter().map(|url| &**url).collect();
    urls.sort_unstable();
    first_eight(&sha1(format!("{}{token}", urls.concat()).as_bytes()))
}

/// The number of a cluster that begins with these members.
pub(crate) fn cluster_id(members: &[u64]) -> u64 {
    let mut members = members.to_vec();
    members.sort_unstable();
    let bytes: Vec<u8> = members.iter().flat_map(|id| id.to_be_bytes()).collect();
    first_eight(&sha1(&bytes))
}

fn first_eight(digest: &[u8; 20]) -> u64 {
    digest[..8]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// FIPS 180-4, section 6.1.
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if padded.len() < message.len() + 9 {
        padded.resize(padded.len() + 64, 0);
    }
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        mix(&mut state, block);
    }
    let mut digest = [0; 20];
    for (to, word) in digest.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

fn mix(state: &mut [u32; 5], block: &[u8]) {
    let mut words = [0u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for at in 16..80 {
        words[at] =
            (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (round, word) in words.iter().enumerate() {
        let (choice, constant) = match round {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(choice)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(*word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What etcd 3.5.1 made of the same.
    #[test]
    fn numbers_are_those_etcd_makes() {
        let cases = [
            (
                "http://localhost:2380",
                "etcd-cluster",
                0x8e9e_05c5_2164_694d,
                0xcdf8_1819_4e3a_8c32,
            ),
            (
                "https://127.0.0.1:2380",
                "etcd-cluster-1",
                0xe92d_66ac_d89e_cf29,
                0x7581_d6eb_2d25_405b,
            ),
        ];
        for (url, token, member, cluster) in cases {
            let id = member_id(&[url.into()], token);
            assert_eq!((id, cluster_id(&[id])), (member, cluster), "{url} {token}");
        }
    }
}
