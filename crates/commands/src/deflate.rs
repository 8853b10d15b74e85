//! DEFLATE as gzip files have it: what is packed here has blocks with the fixed codes, what others
//! packed may have any. Models RFC 1951 and RFC 1952.

/// How far back a repeat may lie.
const WINDOW: usize = 32_768;
/// The longest repeat.
const LONGEST: usize = 258;

/// Lengths of repeats by code, from 257 on: the shortest, and how many bits more tell the rest.
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// Distances by code, in the same form.
const DISTANCES: [(u16, u8); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12_289, 12),
    (16_385, 13),
    (24_577, 13),
];

/// The order in which the lengths of the codes for lengths are told.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The bytes as a gzip file without a name in it.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    out.extend(pack(bytes));
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
        let mut bits = Bits {
            bytes: &rest[start..],
            at: 0,
        };
        let bytes = unpack(&mut bits).ok_or("unexpected end of file")?;
        let end = start + bits.at.div_ceil(8);
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

#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    bits: usize,
}

impl Writer {
    /// Puts bits, the lowest first.
    fn put(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.bits % 8 == 0 {
                self.out.push(0);
            }
            if value >> bit & 1 == 1
                && let Some(last) = self.out.last_mut()
            {
                *last |= 1 << (self.bits % 8);
            }
            self.bits += 1;
        }
    }

    /// Puts a code, the highest bit first.
    fn code(&mut self, value: u32, count: u32) {
        self.put(value.reverse_bits() >> (32 - count), count);
    }

    /// A literal, the end, or the length of a repeat, in the fixed code.
    fn symbol(&mut self, symbol: u32) {
        match symbol {
            0..144 => self.code(0x30 + symbol, 8),
            144..256 => self.code(0x190 + symbol - 144, 9),
            256..280 => self.code(symbol - 256, 7),
            _ => self.code(0xc0 + symbol - 280, 8),
        }
    }

    fn repeat(&mut self, length: usize, distance: usize) {
        let (code, extra, bits) = place(&LENGTHS, length);
        self.symbol(257 + code);
        self.put(extra, bits);
        let (code, extra, bits) = place(&DISTANCES, distance);
        self.code(code, 5);
        self.put(extra, bits);
    }
}

/// The code a value falls under, and what is told beside it.
fn place(table: &[(u16, u8)], value: usize) -> (u32, u32, u32) {
    let code = table
        .iter()
        .rposition(|(least, _)| usize::from(*least) <= value)
        .unwrap_or(0);
    let (least, bits) = table[code];
    let number = |value: usize| u32::try_from(value).unwrap_or(0);
    (
        number(code),
        number(value - usize::from(least)),
        bits.into(),
    )
}

/// One block with the fixed codes. A repeat is what the last place with the same three bytes has.
fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.put(1, 1);
    writer.put(1, 2);
    let mut seen = vec![usize::MAX; 1 << 12];
    let key = |at: usize| {
        let three = u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], 0]);
        (three.wrapping_mul(0x9e37_79b1) >> 20) as usize
    };
    let mut at = 0;
    while at < bytes.len() {
        let mut length = 0;
        let mut before = usize::MAX;
        if at + 3 <= bytes.len() {
            before = std::mem::replace(&mut seen[key(at)], at);
            if before != usize::MAX && at - before <= WINDOW {
                let pairs = bytes[before..].iter().zip(&bytes[at..]);
                length = pairs.take(LONGEST).take_while(|(a, b)| a == b).count();
            }
        }
        if length >= 3 {
            writer.repeat(length, at - before);
            at += length;
        } else {
            writer.symbol(bytes[at].into());
            at += 1;
        }
    }
    writer.symbol(256);
    writer.out
}

struct Bits<'a> {
    bytes: &'a [u8],
    /// The next bit.
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }

    fn take(&mut self, count: u8) -> Option<usize> {
        let mut value = 0;
        for bit in 0..count {
            value |= (self.bit()? as usize) << bit;
        }
        Some(value)
    }
}

/// A Huffman code: how many codes there are of each length, and the symbols in the codes' order.
struct Code {
    counts: [u16; 16],
    symbols: Vec<u16>,
}

impl Code {
    fn new(lengths: &[u8]) -> Code {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for length in 1..16u8 {
            let of_it = (0u16..).zip(lengths).filter(|(_, own)| **own == length);
            symbols.extend(of_it.map(|(symbol, _)| symbol));
            let count = lengths.iter().filter(|own| **own == length).count();
            counts[usize::from(length)] = u16::try_from(count).unwrap_or(0);
        }
        Code { counts, symbols }
    }

    fn next(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let (mut code, mut first, mut index) = (0i32, 0i32, 0i32);
        for count in self.counts.iter().skip(1) {
            code |= bits.bit()? as i32;
            let count = i32::from(*count);
            if code - count < first {
                let at = usize::try_from(index + code - first).ok()?;
                return self.symbols.get(at).map(|symbol| usize::from(*symbol));
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

fn unpack(bits: &mut Bits<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let last = bits.bit()? == 1;
        match bits.take(2)? {
            0 => {
                bits.at = bits.at.next_multiple_of(8);
                let size = bits.take(16)?;
                bits.take(16)?;
                let from = bits.at / 8;
                out.extend_from_slice(bits.bytes.get(from..from + size)?);
                bits.at += size * 8;
            }
            1 => {
                let length = |symbol: u16| match symbol {
                    0..144 => 8,
                    144..256 => 9,
                    256..280 => 7,
                    _ => 8,
                };
                let lengths: Vec<u8> = (0..288).map(length).collect();
                block(bits, &mut out, &Code::new(&lengths), &Code::new(&[5; 30]))?;
            }
            2 => {
                let (lengths, distances) = codes(bits)?;
                block(bits, &mut out, &lengths, &distances)?;
            }
            _ => return None,
        }
        if last {
            return Some(out);
        }
    }
}

/// The codes a block brings along.
fn codes(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    let (literals, distances) = (bits.take(5)? + 257, bits.take(5)? + 1);
    let told = bits.take(4)? + 4;
    let mut lengths = [0; 19];
    for place in ORDER.iter().take(told) {
        lengths[*place] = u8::try_from(bits.take(3)?).ok()?;
    }
    let code = Code::new(&lengths);
    let mut all: Vec<u8> = Vec::new();
    while all.len() < literals + distances {
        let (value, times) = match code.next(bits)? {
            16 => (*all.last()?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (u8::try_from(length).ok()?, 1),
        };
        all.resize(all.len() + times, value);
    }
    let (first, second) = all.split_at(literals);
    Some((Code::new(first), Code::new(second)))
}

fn block(bits: &mut Bits<'_>, out: &mut Vec<u8>, lengths: &Code, distances: &Code) -> Option<()> {
    loop {
        let symbol = lengths.next(bits)?;
        if symbol == 256 {
            return Some(());
        }
        if let Ok(byte) = u8::try_from(symbol) {
            out.push(byte);
            continue;
        }
        let (least, extra) = *LENGTHS.get(symbol - 257)?;
        let length = usize::from(least) + bits.take(extra)?;
        let (least, extra) = *DISTANCES.get(distances.next(bits)?)?;
        let distance = usize::from(least) + bits.take(extra)?;
        let from = out.len().checked_sub(distance)?;
        for at in from..from + length {
            out.push(*out.get(at)?);
        }
    }
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
    }

    const OTHERS: &str = "H4sIAAAAAAAAAx3CCQ3DAAwEMEq5Lw+ctvw5TJrl5/2ef1BOzx4KACEYQWOwOBZBUjTD5nB5KkGUZEWt0epchmnZjtvj9aWCMIqTdCab6/oBivpz8XgAAAA=";
}
