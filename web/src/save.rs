//! The envelope of a save: text that says what it is and notices damage.
//!
//! `kubarium-save 1 <checksum> <base64>`. Text, because it is kept in the browser's local storage
//! and because a person may download it, mail it and upload it again.

use std::fmt;

const MAGIC: &str = "kubarium-save";
const VERSION: &str = "1";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Why a save cannot be used. `Display` gives a sentence for the person it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It does not begin as a save does.
    NotASave,
    /// It was written by another version of Kubarium.
    Version(String),
    /// It does not have all its parts.
    Incomplete,
    /// A character that base64 does not have, and where it stands.
    Character(char, usize),
    /// The checksum does not fit the content.
    Checksum,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::NotASave => write!(f, "This is not a Kubarium save."),
            Damage::Version(version) => {
                write!(
                    f,
                    "This save has format {version}; this page reads format {VERSION}."
                )
            }
            Damage::Incomplete => write!(f, "The save is cut short."),
            Damage::Character(found, at) => {
                write!(
                    f,
                    "The save is damaged: {found:?} at character {at} cannot be right."
                )
            }
            Damage::Checksum => {
                write!(
                    f,
                    "The save is damaged: its checksum does not match its content."
                )
            }
        }
    }
}

/// The text to keep for a blob.
pub fn seal(blob: &[u8]) -> String {
    format!(
        "{MAGIC} {VERSION} {:016x} {}",
        checksum(blob),
        to_base64(blob)
    )
}

/// The blob in a text that [`seal`] made.
pub fn open(text: &str) -> Result<Vec<u8>, Damage> {
    let text = text.trim_matches(['\r', '\n']);
    let mut parts = text.split(' ');
    if parts.next() != Some(MAGIC) {
        return Err(Damage::NotASave);
    }
    let version = parts.next().ok_or(Damage::Incomplete)?;
    if version != VERSION {
        return Err(Damage::Version(version.to_owned()));
    }
    let sum = parts.next().ok_or(Damage::Incomplete)?;
    let body = parts.next().ok_or(Damage::Incomplete)?;
    let at = text.len() - body.len();
    let blob = from_base64(body).map_err(|damage| match damage {
        Damage::Character(found, offset) => Damage::Character(found, at + offset),
        other => other,
    })?;
    match u64::from_str_radix(sum, 16) {
        Ok(sum) if sum == checksum(&blob) => Ok(blob),
        _ => Err(Damage::Checksum),
    }
}

/// FNV-1a, 64 bits: enough to notice damage, which is all it is for.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0u32, |word, (i, byte)| {
            word | u32::from(*byte) << (16 - 8 * i)
        });
        for i in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * i)) as usize & 63]));
        }
        for _ in chunk.len()..3 {
            text.push('=');
        }
    }
    text
}

fn from_base64(text: &str) -> Result<Vec<u8>, Damage> {
    if !text.len().is_multiple_of(4) {
        return Err(Damage::Incomplete);
    }
    let digits = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut word, mut bits) = (0u32, 0);
    for (at, digit) in digits.char_indices() {
        let value = ALPHABET
            .iter()
            .position(|known| char::from(*known) == digit);
        word = word << 6 | value.ok_or(Damage::Character(digit, at))? as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_damage(text: &str, damage: Damage) {
        assert_eq!(open(text), Err(damage));
    }

    #[test]
    fn what_is_sealed_opens_again() {
        for length in 0..40u8 {
            let blob: Vec<u8> = (0..length).map(|n| n.wrapping_mul(37) ^ 0xa5).collect();
            assert_eq!(open(&seal(&blob)), Ok(blob));
        }
    }

    #[test]
    fn base64_is_the_usual_one() {
        assert_eq!(to_base64(b"Kubarium"), "S3ViYXJpdW0=");
    }

    #[test]
    fn damage_is_named() {
        let good = seal(b"seed and inputs");
        check_damage("", Damage::NotASave);
        check_damage("<html>", Damage::NotASave);
        check_damage("kubarium-save", Damage::Incomplete);
        check_damage("kubarium-save 7 0 AAAA", Damage::Version("7".to_owned()));
        check_damage(&good[..good.len() - 2], Damage::Incomplete);
        let at = good.len() - 6;
        check_damage(
            &format!("{}!{}", &good[..at], &good[at + 1..]),
            Damage::Character('!', at),
        );
        let flipped = if &good[at..=at] == "A" { "B" } else { "A" };
        check_damage(
            &format!("{}{flipped}{}", &good[..at], &good[at + 1..]),
            Damage::Checksum,
        );
    }
}
