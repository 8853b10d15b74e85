//! Terminals: the line discipline between a keyboard and a program.
//!
//! Models the parts of drivers/tty/n_tty.c that are seen: echo, line editing, `^C`, `^\`, `^Z`,
//! `^D`, and newlines on output.

use std::collections::VecDeque;

use sim::{Pid, typed_id};

use crate::pipe::Waiters;
use crate::process::Signal;

typed_id!(
    /// A terminal of a machine.
    TtyId(u32)
);

/// Where what is written to a terminal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// To the world outside: a terminal of the page.
    Outside,
    /// To the process that holds the master side (sshd, a container runtime).
    Master,
}

/// A terminal.
#[derive(Clone, Debug)]
pub struct Tty {
    /// Where its output goes.
    pub screen: Screen,
    /// Width and height in characters.
    pub size: (u16, u16),
    /// Raw: no echo, no line editing, no signals from keys.
    pub raw: bool,
    /// The process group that reads and gets signals.
    pub foreground: Option<Pid>,
    /// Whether the other side is gone.
    pub hung_up: bool,
    pub(crate) line: Vec<u8>,
    pub(crate) input: VecDeque<u8>,
    pub(crate) eof: bool,
    pub(crate) output: VecDeque<u8>,
    pub(crate) waiters: Waiters,
    pub(crate) master_waiters: Waiters,
    pub(crate) slaves: u32,
    pub(crate) masters: u32,
}

/// What typing came to, besides input.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) echo: Vec<u8>,
    pub(crate) signals: Vec<Signal>,
}

impl Tty {
    pub(crate) fn new(screen: Screen, size: (u16, u16)) -> Tty {
        Tty {
            screen,
            size,
            raw: false,
            foreground: None,
            hung_up: false,
            line: Vec::new(),
            input: VecDeque::new(),
            eof: false,
            output: VecDeque::new(),
            waiters: Waiters::new(),
            master_waiters: Waiters::new(),
            slaves: 0,
            masters: 0,
        }
    }

    /// Takes keys from the other side.
    pub(crate) fn typed(&mut self, bytes: &[u8]) -> Typed {
        let mut typed = Typed::default();
        if self.raw {
            self.input.extend(bytes);
            return typed;
        }
        for &byte in bytes {
            match byte {
                3 => self.signal(&mut typed, Signal::Int, b"^C"),
                26 => self.signal(&mut typed, Signal::Tstp, b"^Z"),
                28 => self.signal(&mut typed, Signal::Quit, b"^\\"),
                4 if self.line.is_empty() => self.eof = true,
                4 => self.input.extend(self.line.drain(..)),
                8 | 127 => self.erase(&mut typed),
                21 => {
                    while !self.line.is_empty() {
                        self.erase(&mut typed);
                    }
                }
                b'\r' | b'\n' => {
                    typed.echo.extend(b"\r\n");
                    self.line.push(b'\n');
                    self.input.extend(self.line.drain(..));
                }
                0..=31 => {
                    typed.echo.extend([b'^', byte + 64]);
                    self.line.push(byte);
                }
                _ => {
                    typed.echo.push(byte);
                    self.line.push(byte);
                }
            }
        }
        typed
    }

    fn signal(&mut self, typed: &mut Typed, signal: Signal, echo: &[u8]) {
        self.line.clear();
        typed.echo.extend(echo);
        typed.signals.push(signal);
    }

    /// Takes back one character, all bytes of it.
    fn erase(&mut self, typed: &mut Typed) {
        while let Some(byte) = self.line.pop() {
            if byte & 0xc0 != 0x80 {
                typed.echo.extend(b"\x08 \x08");
                break;
            }
        }
    }

    /// What a program writes, as the screen gets it: newlines return the carriage.
    pub(crate) fn cook(bytes: &[u8]) -> Vec<u8> {
        let mut cooked = Vec::with_capacity(bytes.len() + 8);
        let mut before = 0;
        for &byte in bytes {
            if byte == b'\n' && before != b'\r' {
                cooked.push(b'\r');
            }
            cooked.push(byte);
            before = byte;
        }
        cooked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(keys: &[u8], input: &str, echo: &str) {
        let mut tty = Tty::new(Screen::Outside, (80, 24));
        let typed = tty.typed(keys);
        let got: Vec<u8> = tty.input.into_iter().collect();
        assert_eq!(String::from_utf8_lossy(&got), input);
        assert_eq!(String::from_utf8_lossy(&typed.echo), echo);
    }

    #[test]
    fn lines_are_edited_before_they_are_read() {
        check(b"ls\r", "ls\n", "ls\r\n");
        check(b"lx\x7fs\r", "ls\n", "lx\x08 \x08s\r\n");
        check("é\x7fe\r".as_bytes(), "e\n", "é\x08 \x08e\r\n");
        check(b"abc\x15d\r", "d\n", "abc\x08 \x08\x08 \x08\x08 \x08d\r\n");
        check(b"half", "", "half");
        check(b"half\x04", "half", "half");
    }

    #[test]
    fn keys_send_signals() {
        let mut tty = Tty::new(Screen::Outside, (80, 24));
        let typed = tty.typed(b"abc\x03");
        assert_eq!(
            (typed.signals, typed.echo),
            (vec![Signal::Int], b"abc^C".to_vec())
        );
        assert!(tty.input.is_empty() && tty.line.is_empty());
    }
}
