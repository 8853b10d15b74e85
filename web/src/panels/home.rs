//! The home page: what this is, and the lessons.

use std::rc::Rc;

use yew::prelude::*;

use super::emblem;
use super::icons::{Icon, icon};
use crate::app::{Progress, Route, Sum, minutes_left};
use crate::protocol::{LessonCard, Place, Track};

/// What the home page shows.
#[derive(Clone, Debug)]
pub struct HomeProps {
    /// The lessons, none while the worker is on its way.
    pub tracks: Option<Rc<Vec<Track>>>,
    /// How far one came.
    pub progress: Rc<Progress>,
}

/// Draws the home page.
pub fn home(props: &HomeProps) -> Html {
    let next = props
        .tracks
        .as_deref()
        .and_then(|tracks| next_lesson(tracks, &props.progress));
    html! {
        <div class="home scroll">
            <div>
                <section class="hero">
                    <div>
                        <h1>{ "A Kubernetes cluster under glass" }</h1>
                        <p class="lede">
                            { "Kubarium is a model of a Kubernetes cluster, small enough to run in \
                               this tab and faithful enough that what you type here works on a \
                               real one. Break it; it is yours." }
                        </p>
                        <div class="resume">
                            if let Some((card, begun)) = next {
                                <a class="button primary" href={address(&Place::Lesson(card.id.clone()))}>
                                    { if begun { "Go on with " } else { "Begin with " } }
                                    { format!("“{}”", card.title) }
                                    { icon(Icon::Next) }
                                </a>
                            }
                            <a class="button" href={address(&Place::Sandbox)}>{ "Open the sandbox" }</a>
                        </div>
                    </div>
                    { emblem::scene() }
                </section>
                { tracks(props) }
                <footer>
                    { "Everything runs on your computer. Nothing you type leaves it, and your \
                       progress is kept in this browser only." }
                </footer>
            </div>
        </div>
    }
}

fn address(place: &Place) -> String {
    format!("#{}", Route::Work(place.clone()).hash())
}

/// The lesson to go on with, and whether it was begun: one that was begun, or the first that was not.
fn next_lesson<'a>(tracks: &'a [Track], progress: &Progress) -> Option<(&'a LessonCard, bool)> {
    let standing = |card: &LessonCard| progress.of(&card.id);
    let open: Vec<&LessonCard> = tracks
        .iter()
        .flat_map(|track| &track.lessons)
        .filter(|card| !standing(card).is_some_and(|s| s.finished()))
        .collect();
    let begun = |card: &&&LessonCard| standing(card).is_some_and(|s| s.done > 0);
    match open.iter().find(begun) {
        Some(card) => Some((card, true)),
        None => open.first().map(|card| (*card, false)),
    }
}

fn tracks(props: &HomeProps) -> Html {
    match props.tracks.as_deref() {
        None => html! {
            <section class="track-row" aria-busy="true">
                <h2>{ "Lessons" }</h2>
                <div class="cards">
                    <div class="skeleton"></div>
                    <div class="skeleton"></div>
                    <span class="unseen" role="status">{ "Loading the lessons" }</span>
                </div>
            </section>
        },
        Some(tracks) if tracks.is_empty() => html! {
            <p class="empty">{ "There are no lessons in this build. The sandbox is open all the same." }</p>
        },
        Some(tracks) => tracks.iter().map(|t| track(t, &props.progress)).collect(),
    }
}

fn track(track: &Track, progress: &Progress) -> Html {
    let sum = progress.sum(track.lessons.iter());
    let cards = track
        .lessons
        .iter()
        .enumerate()
        .map(|(at, card)| lesson(at, card, progress));
    html! {
        <section class="track-row" aria-labelledby={format!("track-{}", track.id)}>
            <div>
                <h2 id={format!("track-{}", track.id)}>{ &track.title }</h2>
                if !track.summary.is_empty() {
                    <p class="about">{ &track.summary }</p>
                }
                { standing(sum) }
            </div>
            <div class="cards">{ for cards }</div>
        </section>
    }
}

/// How far one is in a track.
fn standing(sum: Sum) -> Html {
    let Sum {
        steps,
        done,
        minutes,
        left,
        ..
    } = sum;
    let percent = (done * 100).checked_div(steps).unwrap_or(0);
    let finished = steps > 0 && done == steps;
    let time = match (minutes, done, finished) {
        (0, ..) | (_, _, true) => String::new(),
        (_, 0, _) => format!(", {}", duration(minutes)),
        _ => format!(", {} left", duration(left)),
    };
    let words = match (done, finished) {
        (_, true) => format!("All {steps} steps done"),
        (0, _) => format!("{}, {steps} steps{time}", lessons(sum.lessons)),
        _ => format!("{done} of {steps} steps{time}"),
    };
    html! {
        <>
            <span class="meter" aria-hidden="true" data-done={finished.then_some("")}>
                <i style={format!("width:{percent}%")}></i>
            </span>
            <p class="sum">{ words }</p>
        </>
    }
}

fn lessons(count: u32) -> String {
    match count {
        1 => "1 lesson".to_owned(),
        _ => format!("{count} lessons"),
    }
}

/// Minutes for people: `45 min`, `1 h 20 min`.
fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn lesson(at: usize, card: &LessonCard, progress: &Progress) -> Html {
    let standing = progress.of(&card.id);
    let finished = standing.is_some_and(|s| s.finished());
    let begun = standing.filter(|s| s.done > 0);
    html! {
        <a class="card" href={address(&Place::Lesson(card.id.clone()))} data-done={finished.then_some("")}>
            <span class="number" aria-hidden="true">
                if finished { { icon(Icon::Check) } } else { { format!("{:02}", at + 1) } }
            </span>
            <h3>{ &card.title }</h3>
            <span class="stand" data-done={finished.then_some("")}>
                if finished {
                    { format!("Done, {} steps", card.steps) }
                } else if let Some(standing) = begun {
                    <span class="pips" aria-hidden="true">
                        { for (0..standing.steps).map(|n| html! {
                            <i data-done={(n < standing.done).then_some("")}></i>
                        }) }
                    </span>
                    { format!("{} of {} steps", standing.done, standing.steps) }
                    if card.minutes > 0 {
                        { format!(", {} left", duration(minutes_left(card, standing.done))) }
                    }
                } else {
                    { length(card) }
                }
            </span>
            <p>{ &card.summary }</p>
        </a>
    }
}

fn length(card: &LessonCard) -> String {
    match card.minutes {
        0 => format!("{} steps", card.steps),
        minutes => format!("{} steps, {}", card.steps, duration(minutes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(id: &str) -> LessonCard {
        LessonCard {
            id: id.to_owned(),
            title: String::new(),
            summary: String::new(),
            minutes: 0,
            steps: 2,
        }
    }

    #[test]
    fn what_was_begun_is_gone_on_with() {
        let track = |id: &str, lessons| Track {
            id: id.to_owned(),
            title: String::new(),
            summary: String::new(),
            lessons,
        };
        let tracks = [
            track("a", vec![card("a/1"), card("a/2")]),
            track("b", vec![card("b/1")]),
        ];
        let next = |progress: &str| {
            let progress = Progress::parse(progress);
            next_lesson(&tracks, &progress).map(|(card, begun)| (card.id.clone(), begun))
        };
        let some = |id: &str, begun| Some((id.to_owned(), begun));
        assert_eq!(next(""), some("a/1", false));
        assert_eq!(next("a/1 2 2\n"), some("a/2", false));
        assert_eq!(next("a/1 2 2\nb/1 1 2\n"), some("b/1", true));
        assert_eq!(next("a/1 2 2\na/2 2 2\nb/1 2 2\n"), None);
    }

    #[test]
    fn durations_are_short() {
        assert_eq!([45, 60, 80].map(duration), ["45 min", "1 h", "1 h 20 min"]);
    }
}
