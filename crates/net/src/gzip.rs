//! Files as gzip writes them. Models RFC 1952; what is packed in them is `miniz_oxide`'s business.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// How much work packing is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As little as can be.
    Fastest,
    /// As much as gzip takes without being asked for more or less.
    Usual,
}

/// The polynomial of the checksum, reflected.
const POLYNOMIAL: u32 = 0xedb8_8320;
/// What a file may become, at most: a few bytes can stand for very many.
const LIMIT: usize = 64 << 20;

/// The bytes as a gzip file without a name in it.
#[must_use]
pub fn gzip(bytes: &[u8], level: Level) -> Vec<u8> {
    let (level, mark) = match level {
        Level::Fastest => (1, 4),
        Level::Usual => (6, 0),
    };
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, mark, 3];
    out.extend(compress_to_vec(bytes, level));
    out.extend(checksum(bytes).to_le_bytes());
    // The length is kept modulo 2^32.
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

/// What is in a gzip file, all of its members.
///
/// # Errors
/// gzip's word for what is wrong with it.
pub fn gunzip(file: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut all = Vec::new();
    let mut rest = file;
    loop {
        let start = begin(rest)?;
        let (bytes, packed) = unpack(&rest[start..], LIMIT - all.len())?;
        let end = start + packed;
        let trailer = rest.get(end..end + 8).ok_or("unexpected end of file")?;
        if checksum(&bytes).to_le_bytes() != trailer[..4] {
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

/// CRC-32, a table's entry for each byte.
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

    #[track_caller]
    fn check(bytes: &[u8]) -> usize {
        let packed = gzip(bytes, Level::Usual);
        assert_eq!(gunzip(&packed).as_deref(), Ok(bytes));
        packed.len()
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
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
        let file = OTHERS;
        assert_eq!(gunzip(&file).as_deref(), Ok(text.as_bytes()));
        assert_eq!(gunzip(&file[..30]), Err("unexpected end of file"));
        assert_eq!(gunzip(b"plain"), Err("not in gzip format"));
        let mut twice = file.to_vec();
        twice.extend(gzip(b"more", Level::Fastest));
        assert_eq!(gunzip(&twice), Ok((text + "more").into_bytes()));
    }

    const OTHERS: [u8; 89] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x1d, 0xc2, 0x09, 0x0d, 0xc3,
        0x00, 0x0c, 0x04, 0x30, 0x4a, 0xb9, 0x2f, 0x0f, 0x9c, 0xb6, 0xfc, 0x39, 0x4c, 0x9a, 0xe5,
        0xe7, 0xfd, 0x9e, 0x7f, 0x50, 0x4e, 0xcf, 0x1e, 0x0a, 0x00, 0x21, 0x18, 0x41, 0x63, 0xb0,
        0x38, 0x16, 0x41, 0x52, 0x34, 0xc3, 0xe6, 0x70, 0x79, 0x2a, 0x41, 0x94, 0x64, 0x45, 0xad,
        0xd1, 0xea, 0x5c, 0x86, 0x69, 0xd9, 0x8e, 0xdb, 0xe3, 0xf5, 0xa5, 0x82, 0x30, 0x8a, 0x93,
        0x74, 0x26, 0x9b, 0xeb, 0xfa, 0x01, 0x8a, 0xfa, 0x73, 0xf1, 0x78, 0x00, 0x00, 0x00,
    ];
}
