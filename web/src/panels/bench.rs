//! The workbench: lesson, picture and terminals, and the lines between them.

use std::rc::Rc;

use web_sys::HtmlElement;
use yew::prelude::*;

use super::divider::{Divider, Line};
use super::icons::{Icon, icon};
use super::lesson::LessonPane;
use super::picture::PicturePane;
use super::terminals::{TerminalsProps, terminals_pane};
use crate::app::{Act, Pane, Settings, Tab};
use crate::protocol::{LessonView, Picture, Place, Request};

/// Width of the lesson where nobody chose one, in pixels.
const LESSON_PX: u32 = 432;

/// What the workbench shows.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct BenchProps {
    /// What is open.
    pub place: Place,
    /// The world is being made: what is going on, and its age in nanoseconds.
    pub opening: Option<(String, u64)>,
    /// The lesson, when it is known.
    pub lesson: Option<Rc<LessonView>>,
    /// The lesson after this one.
    pub next_lesson: Option<String>,
    /// Machines and pods.
    pub picture: Rc<Picture>,
    /// The latest requests, oldest first.
    pub requests: Rc<Vec<Rc<Request>>>,
    /// Why the request that was asked for last could not be made.
    pub refused: Rc<str>,
    /// Machines a terminal can be opened on.
    pub machines: Rc<Vec<String>>,
    /// Terminals.
    pub tabs: Rc<Vec<Tab>>,
    /// The terminal that is shown.
    pub active: Option<u32>,
    /// Time stands still.
    pub paused: bool,
    /// The pane that has the whole page.
    pub maximised: Option<Pane>,
    /// The pane a narrow page shows.
    pub pane: Pane,
    /// Sizes and such.
    pub settings: Rc<Settings>,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// Draws the workbench.
#[component]
pub fn Bench(props: &BenchProps) -> Html {
    let bench = use_node_ref();
    let sandbox = props.place == Place::Sandbox;
    let Settings {
        lesson_px,
        terminals_percent,
        ..
    } = *props.settings;
    let style = {
        let lesson = lesson_px
            .map(|px| format!("--lesson:{px}px;"))
            .unwrap_or_default();
        format!("{lesson}--terminals:{terminals_percent}%")
    };
    let restyle = |name: &'static str, unit: &'static str| {
        let bench = bench.clone();
        Callback::from(move |value: u32| {
            if let Some(bench) = bench.cast::<HtmlElement>() {
                // A custom property takes any value.
                let _ = bench.style().set_property(name, &format!("{value}{unit}"));
            }
        })
    };
    html! {
        <div class="bench" ref={bench.clone()} {style}
            data-sandbox={sandbox.then_some("")}
            data-max={props.maximised.map(Pane::name)}
            data-tab={props.pane.name()}>
            if !sandbox {
                <LessonPane
                    lesson={props.lesson.clone()}
                    next_lesson={props.next_lesson.clone()}
                    maximised={props.maximised == Some(Pane::Lesson)}
                    act={props.act.clone()}
                />
                <Divider line={Line::Vertical} label="Width of the lesson"
                    value={lesson_px.unwrap_or(LESSON_PX)} range={(272, 900)}
                    moving={restyle("--lesson", "px")} moved={props.act.reform(Act::SetLessonWidth)} />
            }
            <PicturePane
                picture={props.picture.clone()}
                requests={props.requests.clone()}
                refused={props.refused.clone()}
                opening={props.opening.clone()}
                table={props.settings.table}
                maximised={props.maximised == Some(Pane::Picture)}
                act={props.act.clone()}
            />
            <Divider line={Line::Horizontal} label="Height of the terminals"
                value={terminals_percent} range={(10, 85)}
                moving={restyle("--terminals", "%")} moved={props.act.reform(Act::SetTerminalsHeight)} />
            { terminals_pane(&TerminalsProps {
                tabs: props.tabs.clone(),
                active: props.active,
                machines: props.machines.clone(),
                opening: props.opening.clone(),
                paused: props.paused,
                aloud: props.settings.aloud,
                maximised: props.maximised == Some(Pane::Terminals),
                act: props.act.clone(),
            }) }
            <nav class="panes" role="tablist" aria-label="Panes">{ for tabs(props, sandbox) }</nav>
        </div>
    }
}

fn tabs(props: &BenchProps, sandbox: bool) -> impl Iterator<Item = Html> {
    let shown = Pane::ALL
        .into_iter()
        .filter(move |pane| !sandbox || *pane != Pane::Lesson);
    shown.map(move |pane| {
        let (sign, word) = match pane {
            Pane::Lesson => (Icon::Book, "Lesson"),
            Pane::Picture => (Icon::Boxes, "Cluster"),
            Pane::Terminals => (Icon::Terminal, "Terminal"),
        };
        let done = pane == Pane::Lesson && props.lesson.as_ref().is_some_and(|l| l.step_done);
        let onclick = props.act.reform(move |_: MouseEvent| Act::ShowPane(pane));
        html! {
            <button role="tab" aria-selected={(props.pane == pane).to_string()}
                aria-controls={pane.name()} {onclick}>
                { icon(sign) }{ word }
                if done {
                    <span class="news" title="Step done">{ icon(Icon::Check) }</span>
                }
            </button>
        }
    })
}

/// The button that gives a pane the whole page.
pub fn maximise(pane: Pane, maximised: bool, act: &Callback<Act>) -> Html {
    let word = if maximised {
        "Back to all panes"
    } else {
        "Give this pane the whole page"
    };
    let onclick = act.reform(move |_: MouseEvent| Act::Maximise(pane));
    html! {
        <button class="icon-button maximise" aria-label={word} title={word}
            aria-pressed={maximised.to_string()} {onclick}>
            { icon(if maximised { Icon::Restore } else { Icon::Maximise }) }
        </button>
    }
}
