//! The explainer: the latest requests, and for one of them the way its packets took, station by
//! station and rule by rule. It shows what `netwhy` prints.

pub mod ask;
pub mod party;
pub mod path;
pub mod rows;

use std::rc::Rc;

use yew::prelude::*;

use super::icons::{Icon, icon};
use crate::app::Act;
use crate::protocol::{Picture, Request, Way};
use ask::Ask;
use path::Path;
use rows::{fate_name, rows, sign};

pub use party::{service, trail};

#[cfg(test)]
pub(crate) use party::tests;

/// More rows than this are not drawn.
const ROWS: usize = 40;
/// Stands for the request that was asked for last, whatever its number.
const ASKED: u64 = u64::MAX;

/// What the explainer shows.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct ExplainerProps {
    /// The latest requests, oldest first.
    pub requests: Rc<Vec<Rc<Request>>>,
    /// Where objects are looked up.
    pub picture: Rc<Picture>,
    /// Why the request that was asked for last could not be made.
    pub refused: Rc<str>,
    /// The request that was picked, none for the latest.
    pub picked: Option<u64>,
    /// What the form asks for to begin with.
    pub to: AttrValue,
    /// Pick a request, or none.
    pub pick: Callback<Option<u64>>,
    /// Show the details of an object.
    pub inspect: Callback<String>,
    /// Close the explainer.
    pub close: Callback<()>,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// Which way of a request is shown, and which station of it is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct View {
    request: u64,
    way: usize,
    /// None until a person chose: then the decisive one is open.
    open: Option<Option<usize>>,
}

/// Draws the explainer.
#[component]
pub fn Explainer(props: &ExplainerProps) -> Html {
    let panel = use_node_ref();
    {
        let panel = panel.clone();
        use_effect_with((), move |()| {
            if let Some(panel) = panel.cast::<web_sys::HtmlElement>() {
                // Focus never throws on an element of this page.
                let _ = panel.focus();
            }
        });
    }
    let view = use_state(View::default);
    let known = |id: u64| {
        let mut requests = props.requests.iter().rev();
        requests.find(|request| request.id == id || (id == ASKED && request.asked))
    };
    let latest = || props.requests.last();
    let shown = props.picked.and_then(known).or_else(latest).cloned();
    let escape = {
        let close = props.close.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                close.emit(());
            }
        })
    };
    let asked = props.pick.reform(|()| Some(ASKED));
    let pick = props.pick.reform(Some);
    let open = shown.as_ref().map(|request| request.id);
    html! {
        <section class="explainer" role="dialog" aria-label="Requests and their ways" tabindex="-1"
            ref={panel} onkeydown={escape} data-picked={props.picked.map(|_| "")}>
            <header>
                <h3>{ icon(Icon::Way) }{ "The way of a request" }</h3>
                <span class="fill"></span>
                <button class="icon-button" aria-label="Close" onclick={props.close.reform(|_: MouseEvent| ())}>
                    { icon(Icon::Close) }
                </button>
            </header>
            <div class="sides">
                <div class="asked scroll">
                    <Ask picture={props.picture.clone()} to={props.to.clone()}
                        refused={props.refused.clone()} act={props.act.clone()} {asked} />
                    <h4>{ "Latest requests" }</h4>
                    if props.requests.is_empty() {
                        <p class="none">
                            { "None yet. Whatever a terminal or a pod asks of the network appears here: \
                               try curl, or kubectl exec and wget." }
                        </p>
                    }
                    { rows(&props.requests, ROWS, open, &pick) }
                </div>
                <div class="tale scroll" tabindex="0">
                    if let Some(request) = shown {
                        { told(&request, &view, props) }
                    } else {
                        <p class="none">{ "Make a request, or pick one to be made: its way is shown here." }</p>
                    }
                </div>
            </div>
        </section>
    }
}

fn told(request: &Rc<Request>, view: &UseStateHandle<View>, props: &ExplainerProps) -> Html {
    let now = match view.request == request.id {
        true => **view,
        false => View {
            request: request.id,
            ..View::default()
        },
    };
    let Some(way) = request.ways.get(now.way).or(request.ways.first()) else {
        return Html::default();
    };
    let open = now.open.unwrap_or_else(|| Some(party::decisive(way)));
    let turn = {
        let view = view.clone();
        Callback::from(move |open| {
            view.set(View {
                open: Some(open),
                ..now
            })
        })
    };
    let trail = trail(request);
    let back = props.pick.reform(|_: MouseEvent| None);
    html! {
        <>
            <button class="button quiet back" onclick={back}>{ icon(Icon::Next) }{ "All requests" }</button>
            <p class="command">
                <code>{ &request.command }</code>
                if request.asked {
                    <span class="tag">{ "in a copy" }</span>
                }
                if request.times > 1 {
                    <span class="tag">{ format!("{} times", request.times) }</span>
                }
            </p>
            <p class="parties">
                <b>{ trail.from }</b>
                if let Some(service) = trail.service {
                    { icon(Icon::Next) }<b>{ icon(Icon::Service) }{ service }</b>
                }
                { icon(Icon::Next) }<b>{ trail.to }</b>
            </p>
            if request.ways.len() > 1 {
                <div class="segments" role="radiogroup" aria-label="Direction">
                    { for request.ways.iter().enumerate().map(|(at, way)| direction(at, way, now, view)) }
                </div>
            }
            <p class="outcome" data-fate={fate_name(way.fate)}>
                { sign(way.fate) }
                <span><b>{ &way.what }</b>{ " " }<code>{ &way.flow }</code>{ format!(": {}", way.end) }</span>
            </p>
            <Path way={way.clone()} {open} {turn} picture={props.picture.clone()}
                inspect={props.inspect.clone()} />
            { netwhy(request, props) }
        </>
    }
}

fn direction(at: usize, way: &Way, now: View, view: &UseStateHandle<View>) -> Html {
    let words = match at {
        0 => "There",
        _ => "Answer",
    };
    let view = view.clone();
    let onclick = Callback::from(move |_: MouseEvent| {
        view.set(View {
            way: at,
            open: None,
            ..now
        });
    });
    html! {
        <button role="radio" aria-checked={(now.way == at).to_string()} title={way.what.clone()}
            {onclick}>{ words }</button>
    }
}

/// The same in a terminal, for what a terminal of a machine began.
fn netwhy(request: &Request, props: &ExplainerProps) -> Html {
    let first = request.ways.first().and_then(|way| way.stations.first());
    if request.asked || first.is_none_or(|first| first.pod.is_some()) {
        return Html::default();
    }
    let command = format!("netwhy {}", request.command);
    let onclick = {
        let command = command.clone();
        props
            .act
            .reform(move |_: MouseEvent| Act::Type(command.clone()))
    };
    html! {
        <p class="acts">
            <button class="button" {onclick}>{ icon(Icon::Terminal) }{ "Type netwhy" }</button>
            <span class="note">{ "prints the same in the terminal." }</span>
        </p>
    }
}
