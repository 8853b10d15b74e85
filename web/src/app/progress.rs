//! How far one came in each lesson. Kept as a line for each; a damaged line is dropped.

use std::collections::BTreeMap;

use crate::protocol::{LessonCard, LessonView};

/// Progress in one lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Steps done.
    pub done: u32,
    /// Steps in all.
    pub steps: u32,
}

impl Standing {
    /// Every step is done.
    pub fn finished(self) -> bool {
        self.steps > 0 && self.done == self.steps
    }
}

/// Progress in several lessons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many there are.
    pub lessons: u32,
    /// How many are finished.
    pub finished: u32,
    /// Their steps.
    pub steps: u32,
    /// Steps done.
    pub done: u32,
    /// How long they take.
    pub minutes: u32,
    /// How long the steps take that are not done.
    pub left: u32,
}

/// The minutes that a lesson takes from here on, as if its steps were equally long.
pub fn minutes_left(card: &LessonCard, done: u32) -> u32 {
    let open = card.steps.saturating_sub(done);
    (card.minutes * open).div_ceil(card.steps.max(1))
}

/// Progress by lesson id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    standings: BTreeMap<String, Standing>,
}

impl Progress {
    /// Where one stands in a lesson that was begun.
    pub fn of(&self, id: &str) -> Option<Standing> {
        self.standings.get(id).copied()
    }

    /// Where one stands in some lessons together.
    pub fn sum<'a>(&self, cards: impl Iterator<Item = &'a LessonCard>) -> Sum {
        cards.fold(Sum::default(), |sum, card| {
            let done = self.of(&card.id).map_or(0, |s| s.done.min(card.steps));
            Sum {
                lessons: sum.lessons + 1,
                finished: sum.finished + u32::from(card.steps > 0 && done == card.steps),
                steps: sum.steps + card.steps,
                done: sum.done + done,
                minutes: sum.minutes + card.minutes,
                left: sum.left + minutes_left(card, done),
            }
        })
    }

    /// Takes in how a lesson looks now; says whether that is news. Progress never goes back:
    /// starting again does not undo having learned it.
    pub fn note(&mut self, lesson: &LessonView) -> bool {
        let done = lesson.steps.iter().filter(|step| step.done).count() as u32;
        let steps = lesson.steps.len() as u32;
        let old = self.of(&lesson.id);
        let best = old
            .filter(|old| old.steps == steps)
            .map_or(done, |old| old.done.max(done));
        let new = Standing { done: best, steps };
        self.standings.insert(lesson.id.clone(), new);
        old != Some(new)
    }

    /// Reads what [`Progress::print`] wrote.
    pub fn parse(text: &str) -> Progress {
        let standing = |line: &str| {
            let mut words = line.split(' ');
            let (id, done, steps) = (words.next()?, words.next()?, words.next()?);
            let (done, steps) = (done.parse().ok()?, steps.parse().ok()?);
            (done <= steps).then(|| (id.to_owned(), Standing { done, steps }))
        };
        Progress {
            standings: text.lines().filter_map(standing).collect(),
        }
    }

    /// As lines to keep.
    pub fn print(&self) -> String {
        let line = |(id, s): (&String, &Standing)| format!("{id} {} {}\n", s.done, s.steps);
        self.standings.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lessons_add_up() {
        let card = |id: &str, steps, minutes| LessonCard {
            id: id.to_owned(),
            title: String::new(),
            summary: String::new(),
            minutes,
            steps,
        };
        let cards = [card("a/1", 4, 20), card("a/2", 3, 10), card("a/3", 2, 0)];
        let progress = Progress::parse("a/1 1 4\na/2 3 3\na/9 1 1\n");
        let expected = Sum {
            lessons: 3,
            finished: 1,
            steps: 9,
            done: 4,
            minutes: 30,
            left: 15,
        };
        assert_eq!(progress.sum(cards.iter()), expected);
    }

    #[test]
    fn damaged_lines_cost_only_themselves() {
        let read = Progress::parse("basics/01-a 2 3\nbasics/02-b two 3\n\nbasics/03-c 9 3\nx");
        assert_eq!(read.print(), "basics/01-a 2 3\n");
        assert_eq!(read.of("basics/01-a"), Some(Standing { done: 2, steps: 3 }));
        assert!(!read.of("basics/01-a").unwrap().finished());
        assert_eq!(Progress::parse(&read.print()), read);
    }
}
