//! The file a Redis leaves on the disk: every key with its value, in Redis' own format.
//!
//! Models src/rdb.c for strings; the checksum at its end is left out, as `rdbchecksum no` does.

use std::rc::Rc;

use super::keys::Map;

const MAGIC: &[u8] = b"REDIS0012";
const SELECT: u8 = 0xfe;
const END: u8 = 0xff;
const STRING: u8 = 0;

/// The file's bytes.
pub(super) fn dump(keys: &Map) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    if !keys.is_empty() {
        out.extend([SELECT, 0]);
    }
    for (key, value) in keys {
        out.push(STRING);
        text(key, &mut out);
        text(value, &mut out);
    }
    out.push(END);
    out.extend([0; 8]);
    out
}

/// The keys in a file; `None` if it is none of Redis'.
pub(super) fn load(bytes: &[u8]) -> Option<Map> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut keys = Map::new();
    loop {
        let (kind, after) = rest.split_first()?;
        rest = after;
        match *kind {
            END => return Some(keys),
            SELECT => rest = &rest[1..],
            STRING => {
                let key = take(&mut rest)?;
                let value = take(&mut rest)?;
                keys.insert(key, value);
            }
            _ => return None,
        }
    }
}

/// A length in six bits, fourteen or thirty-two, and the bytes.
fn text(bytes: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    match length {
        0..64 => out.push(length as u8),
        64..16_384 => out.extend([0x40 | (length >> 8) as u8, length as u8]),
        _ => {
            out.push(0x80);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

fn take(rest: &mut &[u8]) -> Option<Rc<[u8]>> {
    let (first, mut after) = rest.split_first()?;
    let low = usize::from(*first & 0x3f);
    let length = match first >> 6 {
        0 => low,
        1 => {
            let (second, more) = after.split_first()?;
            after = more;
            low << 8 | usize::from(*second)
        }
        _ => {
            let (number, more) = after.split_first_chunk::<4>()?;
            after = more;
            u32::from_be_bytes(*number) as usize
        }
    };
    let value = after.get(..length)?;
    *rest = &after[length..];
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dumped_is_loaded_again() {
        let mut keys = Map::new();
        for length in [0, 5, 63, 64, 300, 20_000] {
            let value = vec![b'x'; length];
            keys.insert(format!("k{length}").as_bytes().into(), value.into());
        }
        let bytes = dump(&keys);
        assert_eq!(load(&bytes), Some(keys));
        assert_eq!(load(&bytes[..40]), None);
        assert_eq!(load(b"REDIS0012"), None);
        assert_eq!(load(&dump(&Map::new())), Some(Map::new()));
    }
}
