//! Large answers are compressed for clients that take it so.
//!
//! Models apiserver/pkg/endpoints/handlers/responsewriters/writers.go.

use bytes::Bytes;
use miniz_oxide::deflate::compress_to_vec;

use crate::answer::Head;

/// A smaller answer is not worth the work.
const THRESHOLD: usize = 128 << 10;
/// The fastest.
const LEVEL: u8 = 1;
/// Magic, deflate, no flags, no time, fastest, Unix: RFC 1952.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3];
/// The polynomial of its checksum, reflected.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// Whether a client takes answers of this path compressed.
pub(crate) fn wanted(path: &str, accept_encoding: &str) -> bool {
    // What a pod answers is passed on as it is, and documents are served as files.
    let own = !path.starts_with("/openapi/") && !path.contains("/proxy");
    own && accept_encoding
        .split(',')
        .any(|coding| coding.trim() == "gzip")
}

/// Compresses an answer, if it is large and an object.
pub(crate) fn compress(head: &mut Head) {
    let is_object = head.headers.iter().any(|(name, kind)| {
        let kinds = [
            "application/json",
            "application/yaml",
            "application/vnd.kubernetes.protobuf",
        ];
        name.eq_ignore_ascii_case("Content-Type") && kinds.iter().any(|it| kind.starts_with(it))
    });
    if head.more || !is_object || head.body.len() <= THRESHOLD {
        return;
    }
    head.body = gzip(&head.body).into();
    let headers = [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    head.headers.extend(headers);
}

fn gzip(bytes: &Bytes) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    out.extend(compress_to_vec(bytes, LEVEL));
    out.extend(checksum(bytes).to_le_bytes());
    // The length is kept modulo 2^32.
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut table = [0_u32; 256];
    for (byte, entry) in (0_u32..).zip(table.iter_mut()) {
        *entry = (0..8).fold(byte, |sum, _| match sum & 1 {
            0 => sum >> 1,
            _ => (sum >> 1) ^ POLYNOMIAL,
        });
    }
    let step = |sum: u32, byte: &u8| table[usize::from(sum as u8 ^ byte)] ^ (sum >> 8);
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn who_takes_gzip_gets_it_where_it_is_worth_it() {
        #[track_caller]
        fn check(size: usize, kind: &str, compressed: bool) {
            let mut head = Head {
                status: 200,
                headers: vec![("Content-Type".to_owned(), kind.to_owned())],
                body: vec![b'x'; size].into(),
                more: false,
            };
            compress(&mut head);
            let coded = head
                .headers
                .iter()
                .any(|(name, _)| name == "Content-Encoding");
            assert_eq!(coded, compressed, "{size} {kind}");
            if coded {
                let end = head.body.len() - 8;
                let plain = miniz_oxide::inflate::decompress_to_vec(&head.body[10..end]);
                assert_eq!(plain.map(|plain| plain.len()).ok(), Some(size));
            }
        }
        check(THRESHOLD, "application/json", false);
        check(THRESHOLD + 1, "application/json", true);
        check(THRESHOLD + 1, "application/vnd.kubernetes.protobuf", true);
        check(THRESHOLD + 1, "text/plain", false);
        assert!(wanted("/api/v1/pods", "deflate, gzip"));
        assert!(!wanted("/api/v1/pods", "identity"));
        assert!(!wanted("/openapi/v3/api/v1", "gzip"));
        assert!(!wanted("/api/v1/namespaces/a/pods/x/proxy/", "gzip"));
    }
}
