//! Keys: bytes of a raw terminal to what they ask for.

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Key {
    Char(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    /// Ctrl-D.
    DeleteOrEnd,
    Interrupt,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    /// The first line of the history.
    First,
    /// The line being typed.
    Last,
    WordLeft,
    WordRight,
    KillEnd,
    KillStart,
    /// Back to a blank.
    KillWord,
    KillWordLeft,
    KillWordRight,
    Yank,
    /// The last word of the line before.
    YankLast,
    Transpose,
    UpperWord,
    LowerWord,
    CapitalWord,
    Clear,
    Search,
    Undo,
    /// Ctrl-G.
    Abort,
    Escape,
    PasteBegin,
    PasteEnd,
    Unknown,
}

/// Bytes of a key that is not complete yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Decoder {
    pending: Vec<u8>,
}

impl Decoder {
    /// Takes a byte; a key once it is complete.
    pub(super) fn feed(&mut self, byte: u8) -> Option<Key> {
        self.pending.push(byte);
        let key = decode(&self.pending)?;
        self.pending.clear();
        Some(key)
    }
}

/// The key these bytes are, or nothing while more must come.
fn decode(bytes: &[u8]) -> Option<Key> {
    match bytes {
        [0x1b] => None,
        [0x1b, 0x1b] => Some(Key::Escape),
        [0x1b, b'[' | b'O'] => None,
        [0x1b, b'[' | b'O', rest @ ..] => sequence(rest),
        [0x1b, byte] => Some(meta(*byte)),
        [byte] if *byte < 0x20 || *byte == 0x7f => Some(control(*byte)),
        [byte] if *byte < 0x80 => Some(Key::Char(*byte as char)),
        [first, ..] => {
            let length = match first {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            };
            if bytes.len() < length {
                return None;
            }
            let c = std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| text.chars().next());
            Some(c.map_or(Key::Unknown, Key::Char))
        }
        [] => None,
    }
}

fn control(byte: u8) -> Key {
    match byte {
        1 => Key::Home,
        2 => Key::Left,
        3 => Key::Interrupt,
        4 => Key::DeleteOrEnd,
        5 => Key::End,
        6 => Key::Right,
        7 => Key::Abort,
        8 | 0x7f => Key::Backspace,
        9 => Key::Tab,
        10 | 13 => Key::Enter,
        11 => Key::KillEnd,
        12 => Key::Clear,
        14 => Key::Down,
        16 => Key::Up,
        18 => Key::Search,
        20 => Key::Transpose,
        21 => Key::KillStart,
        23 => Key::KillWord,
        25 => Key::Yank,
        31 => Key::Undo,
        _ => Key::Unknown,
    }
}

fn meta(byte: u8) -> Key {
    match byte {
        b'b' => Key::WordLeft,
        b'f' => Key::WordRight,
        b'd' => Key::KillWordRight,
        8 | 0x7f => Key::KillWordLeft,
        b'.' | b'_' => Key::YankLast,
        b'u' => Key::UpperWord,
        b'l' => Key::LowerWord,
        b'c' => Key::CapitalWord,
        b'<' => Key::First,
        b'>' => Key::Last,
        _ => Key::Unknown,
    }
}

/// What stands behind `ESC [`.
fn sequence(rest: &[u8]) -> Option<Key> {
    let (last, parameters) = rest.split_last()?;
    if !(b'@'..=b'~').contains(last) {
        return None;
    }
    let with_control = parameters.ends_with(b";5") || parameters.ends_with(b";3");
    Some(match (last, parameters) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) if with_control => Key::WordRight,
        (b'D', _) if with_control => Key::WordLeft,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'~', b"3") => Key::Delete,
        (b'~', b"3;5") => Key::KillWordRight,
        (b'~', b"200") => Key::PasteBegin,
        (b'~', b"201") => Key::PasteEnd,
        _ => Key::Unknown,
    })
}
