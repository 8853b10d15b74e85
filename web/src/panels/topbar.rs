//! The bar on top: where one is, the world's time, the theme.

use std::rc::Rc;

use yew::prelude::*;

use super::emblem;
use super::icons::{Icon, icon};
use super::time::{TimeProps, time_controls};
use crate::app::{Act, Clock, Route, Theme};
use crate::protocol::LessonView;

/// What the bar shows.
#[derive(Clone, Debug)]
pub struct TopbarProps {
    /// A world is open.
    pub working: bool,
    /// The lesson that is open.
    pub lesson: Option<Rc<LessonView>>,
    /// The sandbox is open.
    pub sandbox: bool,
    /// The world's time.
    pub clock: Clock,
    /// Light or dark.
    pub theme: Theme,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// Draws the bar.
pub fn topbar(props: &TopbarProps) -> Html {
    let (sign, name) = match props.theme {
        Theme::System => (Icon::System, "as the system"),
        Theme::Light => (Icon::Sun, "light"),
        Theme::Dark => (Icon::Moon, "dark"),
    };
    let label = format!("Theme: {name}. Change it");
    let onclick = props.act.reform(|_: MouseEvent| Act::NextTheme);
    html! {
        <header class="topbar" data-working={props.working.then_some("")}>
            <a class="brand" href={format!("#{}", Route::Home.hash())} aria-label="Kubarium, all lessons">
                { emblem::mark() }
                <span>{ "Kubarium" }</span>
            </a>
            <div class="where">{ place(props) }</div>
            if props.working {
                { time_controls(&TimeProps { clock: props.clock, act: props.act.clone() }) }
            }
            <button class="icon-button" aria-label={label.clone()} title={label} {onclick}>
                { icon(sign) }
            </button>
        </header>
    }
}

fn place(props: &TopbarProps) -> Html {
    match &props.lesson {
        Some(lesson) => html! {
            <>
                <span class="slash" aria-hidden="true">{ "/" }</span>
                <span class="track">{ &lesson.track }</span>
                <span class="slash" aria-hidden="true">{ "/" }</span>
                <b>{ &lesson.title }</b>
            </>
        },
        None if props.sandbox => html! {
            <>
                <span class="slash" aria-hidden="true">{ "/" }</span>
                <b>{ "Sandbox" }</b>
            </>
        },
        None => Html::default(),
    }
}
