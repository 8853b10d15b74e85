//! Large answers are compressed for clients that take it so.
//!
//! Models apiserver/pkg/endpoints/handlers/responsewriters/writers.go.

use lab::gzip::{Level, gzip};

use crate::answer::Head;

/// A smaller answer is not worth the work.
const THRESHOLD: usize = 128 << 10;

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
    head.body = gzip(&head.body, Level::Fastest).into();
    let headers = [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    head.headers.extend(headers);
}

#[cfg(test)]
mod tests {
    use lab::gzip::gunzip;

    use super::*;

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
                let plain = gunzip(&head.body).map(|plain| plain.len());
                assert_eq!(plain, Ok(size));
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
