//! What a save holds: which place, and every input with its moment. The world itself is not kept;
//! it comes out of its seed and its inputs again, the same.

use std::rc::Rc;

use lab::{Input, Logged, TerminalId};
use serde::{Deserialize, Serialize};
use sim::Instant;

use crate::codec;
use crate::protocol::Place;

/// The format of this file's types. Another number means another page.
const FORMAT: u32 = 1;

/// A save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The place.
    pub place: Place,
    /// The world's seed.
    pub seed: u64,
    /// The world's moment, nanoseconds since it began.
    pub at: u64,
    /// What came in.
    pub log: Vec<KeptInput>,
    /// The steps of a lesson that have begun.
    pub steps: Vec<KeptStep>,
}

/// How far a learner is in a step that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptStep {
    /// Its checks held.
    pub done: bool,
    /// Hints that were shown.
    pub hints: u32,
    /// The answer to its question.
    pub answer: Option<u32>,
    /// When it began, nanoseconds since the world began.
    pub began: u64,
    /// How many inputs had come until then.
    pub inputs: u32,
}

/// An input and when it came, nanoseconds since the world began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptInput {
    at: u64,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum What {
    OpenTerminal(String, u16, u16),
    Keys(u32, Vec<u8>),
    Resize(u32, u16, u16),
    CloseTerminal(u32),
    Edited(u64, Option<String>),
    Power(String, bool),
    Run(String, String),
}

impl Kept {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(&(FORMAT, self))
    }

    /// Reads what [`Kept::encode`] wrote, or says in a sentence why it cannot.
    pub fn decode(bytes: &[u8]) -> Result<Kept, String> {
        match codec::decode::<(u32, Kept)>(bytes) {
            Ok((FORMAT, kept)) => Ok(kept),
            Ok((format, _)) => Err(format!(
                "The save has format {format}, this page has {FORMAT}."
            )),
            Err(why) => Err(format!("The save is damaged: {why}.")),
        }
    }
}

impl From<&Logged> for KeptInput {
    fn from(logged: &Logged) -> KeptInput {
        let what = match &logged.input {
            Input::OpenTerminal {
                machine,
                columns,
                rows,
            } => What::OpenTerminal(machine.to_string(), *columns, *rows),
            Input::Keys { terminal, bytes } => What::Keys(terminal.0, bytes.to_vec()),
            Input::Resize {
                terminal,
                columns,
                rows,
            } => What::Resize(terminal.0, *columns, *rows),
            Input::CloseTerminal { terminal } => What::CloseTerminal(terminal.0),
            Input::Edited { request, text } => {
                What::Edited(*request, text.as_ref().map(|text| text.to_string()))
            }
            Input::Power { machine, on } => What::Power(machine.to_string(), *on),
            Input::Run { machine, command } => What::Run(machine.to_string(), command.to_string()),
            Input::Wire { .. } => unreachable!("nothing leads into a page from outside"),
        };
        KeptInput {
            at: logged.at.as_nanos(),
            what,
        }
    }
}

impl From<KeptInput> for Logged {
    fn from(kept: KeptInput) -> Logged {
        let input = match kept.what {
            What::OpenTerminal(machine, columns, rows) => Input::OpenTerminal {
                machine: machine.into(),
                columns,
                rows,
            },
            What::Keys(terminal, bytes) => Input::Keys {
                terminal: TerminalId(terminal),
                bytes: bytes.into(),
            },
            What::Resize(terminal, columns, rows) => Input::Resize {
                terminal: TerminalId(terminal),
                columns,
                rows,
            },
            What::CloseTerminal(terminal) => Input::CloseTerminal {
                terminal: TerminalId(terminal),
            },
            What::Edited(request, text) => Input::Edited {
                request,
                text: text.map(Rc::from),
            },
            What::Power(machine, on) => Input::Power {
                machine: machine.into(),
                on,
            },
            What::Run(machine, command) => Input::Run {
                machine: machine.into(),
                command: command.into(),
            },
        };
        Logged {
            at: Instant::from_nanos(kept.at),
            input,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_is_kept() {
        let terminal = TerminalId(3);
        let inputs = [
            Input::OpenTerminal {
                machine: "node01".into(),
                columns: 80,
                rows: 24,
            },
            Input::Keys {
                terminal,
                bytes: Rc::from(*b"ls\r"),
            },
            Input::Resize {
                terminal,
                columns: 100,
                rows: 30,
            },
            Input::CloseTerminal { terminal },
            Input::Edited {
                request: 9,
                text: Some("a: b\n".into()),
            },
            Input::Edited {
                request: 10,
                text: None,
            },
            Input::Power {
                machine: "node02".into(),
                on: false,
            },
            Input::Run {
                machine: "controlplane".into(),
                command: "kubectl get pods".into(),
            },
        ];
        let log: Vec<Logged> = (1u64..)
            .zip(inputs)
            .map(|(n, input)| Logged {
                at: Instant::from_nanos(n * 1_000),
                input,
            })
            .collect();
        let step = KeptStep {
            done: true,
            hints: 2,
            answer: Some(1),
            began: 5,
            inputs: 3,
        };
        let kept = Kept {
            place: Place::Sandbox,
            seed: u64::MAX,
            at: 77,
            log: log.iter().map(KeptInput::from).collect(),
            steps: vec![step],
        };
        let back = Kept::decode(&kept.encode()).expect("it was just encoded");
        assert_eq!(back, kept);
        assert_eq!(
            back.log.into_iter().map(Logged::from).collect::<Vec<_>>(),
            log
        );
    }

    #[test]
    fn another_format_and_damage_are_told() {
        let kept = Kept {
            place: Place::Sandbox,
            seed: 1,
            at: 0,
            log: Vec::new(),
            steps: Vec::new(),
        };
        let other = codec::encode(&(FORMAT + 1, &kept));
        assert_eq!(
            Kept::decode(&other).unwrap_err(),
            "The save has format 2, this page has 1."
        );
        assert!(
            Kept::decode(&[1, 2, 3])
                .unwrap_err()
                .starts_with("The save is damaged")
        );
    }
}
