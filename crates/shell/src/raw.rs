//! Bytes that are no characters, in text: `printf '\377'` writes one byte, and texts here are UTF-8.
//!
//! A byte from 0x80 on stands as a character of its own in the last private plane until it is written,
//! as Python's surrogateescape has it.

/// Byte 0 would be this character; those below 0x80 are plain characters.
const BASE: u32 = 0x10_FF00;

/// The character that a byte stands as.
pub(crate) fn character(byte: u8) -> char {
    match byte.is_ascii() {
        true => char::from(byte),
        false => char::from_u32(BASE + u32::from(byte)).unwrap_or('\u{fffd}'),
    }
}

fn byte(c: char) -> Option<u8> {
    let byte = u32::from(c).checked_sub(BASE)?;
    u8::try_from(byte).ok().filter(|byte| !byte.is_ascii())
}

/// What is written for a text.
#[must_use]
pub fn bytes(text: &str) -> Vec<u8> {
    if !text.contains(|c| byte(c).is_some()) {
        return text.as_bytes().to_vec();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut room = [0; 4];
    for c in text.chars() {
        match byte(c) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(c.encode_utf8(&mut room).as_bytes()),
        }
    }
    out
}

/// A text whose bytes make characters wherever they can.
pub(crate) fn settled(text: String) -> String {
    if !text.contains(|c| byte(c).is_some()) {
        return text;
    }
    let mut out = String::new();
    for chunk in bytes(&text).utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|byte| character(*byte)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        let check = |given: &[u8]| {
            let text = settled(given.iter().map(|byte| character(*byte)).collect());
            assert_eq!(bytes(&text), given);
            text
        };
        assert_eq!(check(b"plain"), "plain");
        assert_eq!(check(b"caf\xc3\xa9"), "café");
        assert_eq!(check(b"\xff\xfe").chars().count(), 2);
        check(b"a\xffb\xc3");
    }
}
