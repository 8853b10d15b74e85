//! Inputs on their way into a save. What the worker has not confirmed yet is kept, so that a worker
//! that dies takes nothing with it.

use crate::protocol::{Input, ToWorker};

/// Numbered inputs that no save holds yet.
#[derive(Debug, Default)]
pub struct Outbox {
    last: u64,
    waiting: Vec<(u64, Input)>,
}

impl Outbox {
    /// Numbers an input and keeps it until a save holds it.
    pub fn post(&mut self, input: Input) -> ToWorker {
        self.last += 1;
        self.waiting.push((self.last, input.clone()));
        ToWorker::Input {
            number: self.last,
            input,
        }
    }

    /// A save holds everything up to this number.
    pub fn saved(&mut self, through: u64) {
        self.waiting.retain(|(number, _)| *number > through);
    }

    /// What to send again to a new worker after the last save.
    pub fn again(&self) -> impl Iterator<Item = ToWorker> + '_ {
        self.waiting.iter().map(|(number, input)| ToWorker::Input {
            number: *number,
            input: input.clone(),
        })
    }

    /// Gives up what is waiting: it belongs to a world that is no more, or it kills its worker.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_save_holds_is_sent_again() {
        let mut outbox = Outbox::default();
        outbox.post(Input::RevealHint);
        outbox.post(Input::GoToStep(1));
        outbox.post(Input::RestartStep);
        outbox.saved(2);
        let again: Vec<ToWorker> = outbox.again().collect();
        assert_eq!(
            again,
            [ToWorker::Input {
                number: 3,
                input: Input::RestartStep
            }]
        );
        outbox.forget();
        assert_eq!(outbox.again().count(), 0);
        let next = outbox.post(Input::RevealHint);
        assert_eq!(
            next,
            ToWorker::Input {
                number: 4,
                input: Input::RevealHint
            }
        );
    }
}
