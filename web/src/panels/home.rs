//! The home page: what this is, and the lessons.

use std::rc::Rc;

use yew::prelude::*;

use super::emblem;
use super::icons::{Icon, icon};
use crate::app::{Progress, Route};
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

/// The first lesson that is not finished, and whether it was begun.
fn next_lesson<'a>(tracks: &'a [Track], progress: &Progress) -> Option<(&'a LessonCard, bool)> {
    let cards = tracks.iter().flat_map(|track| &track.lessons);
    let standing = |card: &LessonCard| progress.of(&card.id);
    let mut open = cards.filter(|card| !standing(card).is_some_and(|s| s.finished()));
    open.next()
        .map(|card| (card, standing(card).is_some_and(|s| s.done > 0)))
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
    let finished = track
        .lessons
        .iter()
        .filter(|card| progress.of(&card.id).is_some_and(|s| s.finished()));
    let sum = format!("{} of {} done", finished.count(), track.lessons.len());
    let cards = track
        .lessons
        .iter()
        .enumerate()
        .map(|(at, card)| lesson(at, card, progress));
    html! {
        <section class="track-row" aria-labelledby={format!("track-{}", track.id)}>
            <div>
                <h2 id={format!("track-{}", track.id)}>{ &track.title }</h2>
                <p class="sum">{ sum }</p>
            </div>
            <div class="cards">{ for cards }</div>
        </section>
    }
}

fn lesson(at: usize, card: &LessonCard, progress: &Progress) -> Html {
    let standing = progress.of(&card.id);
    let finished = standing.is_some_and(|s| s.finished());
    html! {
        <a class="card" href={address(&Place::Lesson(card.id.clone()))}>
            <span class="number" aria-hidden="true">{ format!("{:02}", at + 1) }</span>
            <h3>{ &card.title }</h3>
            <span class="stand" data-done={finished.then_some("")}>
                if finished {
                    { icon(Icon::Check) }{ "Done" }
                } else if let Some(standing) = standing.filter(|s| s.done > 0) {
                    <span class="pips" aria-hidden="true">
                        { for (0..standing.steps).map(|n| html! {
                            <i data-done={(n < standing.done).then_some("")}></i>
                        }) }
                    </span>
                    { format!("{} of {} steps", standing.done, standing.steps) }
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
        minutes => format!("{} steps, {minutes} min", card.steps),
    }
}
