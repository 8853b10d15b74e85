//! What terminals have shown, so that they can be filled again: after a reload, and when a step
//! is begun again and the world goes back.

use std::collections::BTreeMap;

use lab::Output;

/// Bytes kept for a terminal at most.
const KEPT: usize = 256 << 10;
/// Clears a terminal and its past.
const RESET: &[u8] = b"\x1bc\x1b[3J";

/// What each terminal has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screens {
    shown: BTreeMap<u32, Vec<u8>>,
}

impl Screens {
    /// A terminal shows these bytes.
    pub fn show(&mut self, terminal: u32, bytes: &[u8]) {
        let shown = self.shown.entry(terminal).or_default();
        shown.extend_from_slice(bytes);
        // Cut seldom, and after a line, so that no control sequence is torn.
        if shown.len() > 2 * KEPT {
            let from = shown.len() - KEPT;
            let line = shown[from..]
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            shown.drain(..from + line);
        }
    }

    /// Terminals show what a world said.
    pub fn show_all(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Terminal { terminal, bytes } => self.show(terminal.0, bytes),
                Output::TerminalClosed { terminal, .. } => self.forget(terminal.0),
                _ => {}
            }
        }
    }

    /// A terminal is gone.
    pub fn forget(&mut self, terminal: u32) {
        self.shown.remove(&terminal);
    }

    /// What to send so that a terminal shows just this again.
    pub fn again(&self, terminal: u32) -> Vec<u8> {
        let shown = self.shown.get(&terminal).map_or(&[][..], Vec::as_slice);
        [RESET, shown].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_past_is_cut_after_a_line() {
        let mut screens = Screens::default();
        for n in 0..200_000 {
            screens.show(1, format!("line {n}\r\n").as_bytes());
        }
        let again = screens.again(1);
        assert!(again.len() < 2 * KEPT + 100);
        assert!(again.starts_with(&[RESET, b"line "].concat()));
        assert!(again.ends_with(b"line 199999\r\n"));
        screens.forget(1);
        assert_eq!(screens.again(1), RESET);
    }
}
