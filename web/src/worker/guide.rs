//! The lesson panel, out of a session.

use lesson::{Phase, Seen, Session};

use super::catalog;
use crate::protocol::{Check, CheckState, Choice, Hint, LessonView, Question, Step};

/// What the panel shows of the step at `shown`. `id` is the lesson's id on the page.
pub fn view(session: &Session, id: &str, shown: usize) -> LessonView {
    let lesson = session.lesson();
    let (step, stands) = (&lesson.steps[shown], &session.steps()[shown]);
    let check = |(check, seen): (&lesson::Check, &Seen)| Check {
        label: check.label.to_string(),
        state: match (stands.done || seen.met, seen.overdue) {
            (true, _) => CheckState::Met,
            (false, true) => CheckState::Failed,
            (false, false) => CheckState::Waiting,
        },
        saw: seen.saw.clone(),
    };
    let taken = session.current();
    let steps = lesson.steps.iter().zip(session.steps()).enumerate();
    let made = step
        .mistakes
        .iter()
        .zip(&stands.mistakes)
        .filter(|(_, made)| **made);
    LessonView {
        id: id.to_owned(),
        title: lesson.title.to_string(),
        track: catalog::title(&lesson.track),
        steps: steps
            .map(|(at, (step, stands))| Step {
                title: step.title.to_string(),
                done: stands.done,
                open: at <= taken || (at == taken + 1 && session.steps()[taken].done),
            })
            .collect(),
        current: shown as u32,
        taken: taken as u32,
        text: step.text.to_string(),
        question: step.predict.as_ref().map(|asked| Question {
            text: asked.question.to_string(),
            choices: asked
                .choices
                .iter()
                .map(|choice| Choice {
                    text: choice.text.to_string(),
                    correct: choice.correct,
                    feedback: choice.feedback.to_string(),
                })
                .collect(),
            chosen: stands.predicted.map(|at| at as u32),
        }),
        checks: step.checks.iter().zip(&stands.seen).map(check).collect(),
        mistakes: made.map(|(mistake, _)| mistake.say.to_string()).collect(),
        hints: step
            .hints
            .iter()
            .take(stands.hints)
            .map(|hint| Hint {
                text: hint.to_string(),
            })
            .collect(),
        hints_total: step.hints.len() as u32,
        step_done: stands.done,
        finished: *session.phase() == Phase::Finished,
        debrief: lesson.debrief.to_string(),
    }
}
