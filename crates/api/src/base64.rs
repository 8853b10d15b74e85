//! Standard base64 with padding, as encoding/base64's `StdEncoding` of Go reads and writes it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text of `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i > chunk.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    out
}

/// The bytes of `text`, line ends left out. The error is the place of the first wrong byte, as Go
/// counts it.
pub fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut letters = text
        .bytes()
        .enumerate()
        .filter(|(_, b)| !matches!(b, b'\r' | b'\n'));
    loop {
        let mut bits = 0;
        for place in 0..4 {
            let Some((at, letter)) = letters.next() else {
                // Go points at the beginning of a group that is cut short.
                return if place == 0 {
                    Ok(out)
                } else {
                    Err(text.len() - place)
                };
            };
            if letter == b'=' {
                return padded(out, bits, place, at, &mut letters, text.len());
            }
            let found = ALPHABET.iter().position(|l| *l == letter).ok_or(at)?;
            bits = bits << 6 | u32::try_from(found).unwrap_or(0);
        }
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
}

/// The end of a text whose last group has `place` letters before the padding at `at`.
fn padded(
    mut out: Vec<u8>,
    bits: u32,
    place: usize,
    at: usize,
    letters: &mut dyn Iterator<Item = (usize, u8)>,
    len: usize,
) -> Result<Vec<u8>, usize> {
    let bytes = match place {
        2 => {
            let (next_at, next) = letters.next().ok_or(len)?;
            if next != b'=' {
                return Err(next_at);
            }
            (bits << 12).to_be_bytes()
        }
        3 => (bits << 6).to_be_bytes(),
        _ => return Err(at),
    };
    if let Some((extra, _)) = letters.next() {
        return Err(extra);
    }
    out.extend_from_slice(&bytes[1..place]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        #[track_caller]
        fn check(plain: &str, text: &str) {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text), Ok(plain.as_bytes().to_vec()));
        }
        check("", "");
        check("b", "Yg==");
        check("bc", "YmM=");
        check("bcd", "YmNk");
        check("hunter2", "aHVudGVyMg==");
        assert_eq!(decode("Ym\nNk\n"), Ok(b"bcd".to_vec()));
    }

    #[test]
    fn errors_are_at_gos_places() {
        #[track_caller]
        fn check(text: &str, at: usize) {
            assert_eq!(decode(text), Err(at), "{text}");
        }
        check("notbase64!", 9);
        check("a b", 1);
        check("=", 0);
        check("Yg=x", 3);
        check("Yg==x", 4);
    }
}
