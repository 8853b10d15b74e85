//! Files as gzip writes them. Models RFC 1952; what is packed in them is `miniz_oxide`'s business.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// As gzip packs without being asked for more or less.
const LEVEL: u8 = 6;
/// What a file may become, at most: a few bytes can stand for very many.
const LIMIT: usize = 64 << 20;

/// The bytes as a gzip file without a name in it.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    out.extend(compress_to_vec(bytes, LEVEL));
    out.extend(crc(bytes).to_le_bytes());
    out.extend(
        u32::try_from(bytes.len() & 0xffff_ffff)
            .unwrap_or(0)
            .to_le_bytes(),
    );
    out
}

/// What is in a gzip file, all of its members; the error is gzip's word for it.
pub(crate) fn gunzip(file: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut all = Vec::new();
    let mut rest = file;
    loop {
        let start = begin(rest)?;
        let (bytes, packed) = unpack(&rest[start..], LIMIT - all.len())?;
        let end = start + packed;
        let trailer = rest.get(end..end + 8).ok_or("unexpected end of file")?;
        if crc(&bytes).to_le_bytes() != trailer[..4] {
            return Err("invalid compressed data--crc error");
        }
        all.extend(bytes);
        rest = &rest[end + 8..];
        if !rest.starts_with(&[0x1f, 0x8b]) {
            return Ok(all);
        }
    }
}

/// What is packed at the beginning of `bytes`, and how many of them it takes.
fn unpack(bytes: &[u8], limit: usize) -> Result<(Vec<u8>, usize), &'static str> {
    let mut state = Box::new(DecompressorOxide::new());
    let mut out = vec![0; bytes.len().saturating_mul(2).clamp(64, limit.max(64))];
    let (mut read, mut written) = (0, 0);
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    loop {
        let (status, more_read, more_written) =
            decompress(&mut state, &bytes[read..], &mut out, written, flags);
        (read, written) = (read + more_read, written + more_written);
        match status {
            TINFLStatus::Done => {
                out.truncate(written);
                return Ok((out, read));
            }
            TINFLStatus::HasMoreOutput if out.len() < limit => {
                out.resize(out.len().saturating_mul(2).min(limit), 0);
            }
            TINFLStatus::HasMoreOutput => return Err("No space left on device"),
            TINFLStatus::Failed => return Err("invalid compressed data--format violated"),
            _ => return Err("unexpected end of file"),
        }
    }
}

/// Where the packed bytes begin, behind the header.
fn begin(file: &[u8]) -> Result<usize, &'static str> {
    if !file.starts_with(&[0x1f, 0x8b, 8]) {
        return Err("not in gzip format");
    }
    let short = "unexpected end of file";
    let flags = *file.get(3).ok_or(short)?;
    let mut at = 10;
    if flags & 4 != 0 {
        let size = file.get(at..at + 2).ok_or(short)?;
        at += 2 + usize::from(u16::from_le_bytes([size[0], size[1]]));
    }
    // A name and a comment, each up to a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let text = file.get(at..).ok_or(short)?;
            at += 1 + text.iter().position(|byte| *byte == 0).ok_or(short)?;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    if at > file.len() { Err(short) } else { Ok(at) }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8]) -> usize {
        let packed = gzip(bytes);
        assert_eq!(gunzip(&packed).as_deref(), Ok(bytes));
        packed.len()
    }

    #[test]
    fn what_is_packed_comes_back() {
        check(b"");
        check(b"a");
        check(b"hello hello hello hello\n");
        check(&(0..=255).collect::<Vec<u8>>());
        assert!(check(&[0; 100_000]) < 1000);
        assert!(check("kind: Pod\nmetadata:\n".repeat(500).as_bytes()) < 500);
    }

    #[test]
    fn what_others_packed_is_read() {
        // `printf 'abcabcabc%s' "$(seq 1 60 | tr -d '\n')" | gzip -n`, with codes of its own.
        let text = "abcabcabc".to_owned() + &(1..=60).map(|n| n.to_string()).collect::<String>();
        let file = api::base64::decode(OTHERS).expect("base64");
        assert_eq!(gunzip(&file).as_deref(), Ok(text.as_bytes()));
        assert_eq!(gunzip(&file[..30]), Err("unexpected end of file"));
        assert_eq!(gunzip(b"plain"), Err("not in gzip format"));
        let mut twice = file.clone();
        twice.extend(gzip(b"more"));
        assert_eq!(gunzip(&twice), Ok((text + "more").into_bytes()));
    }

    const OTHERS: &str = "H4sIAAAAAAAAAx3CCQ3DAAwEMEq5Lw+ctvw5TJrl5/2ef1BOzx4KACEYQWOwOBZBUjTD5nB5KkGUZEWt0epchmnZjtvj9aWCMIqTdCab6/oBivpz8XgAAAA=";
}
