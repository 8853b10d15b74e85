//! Requests as rows that open the explainer.

use std::rc::Rc;

use yew::prelude::*;

use super::party::trail;
use crate::panels::icons::{Icon, icon};
use crate::panels::time::wall_time;
use crate::protocol::{Fate, Request};

/// Draws requests, the latest first; a click gives the number.
pub fn rows(
    requests: &[Rc<Request>],
    most: usize,
    open: Option<u64>,
    pick: &Callback<u64>,
) -> Html {
    let row = |request: &Rc<Request>| {
        let id = request.id;
        let onclick = pick.reform(move |_: MouseEvent| id);
        html! {
            <li key={id}>
                <button class="request" data-fate={fate_name(fate(request))}
                    aria-pressed={open.map(|open| (open == id).to_string())} {onclick}>
                    { sign(fate(request)) }
                    <span class="said">{ &request.command }</span>
                    <time>{ wall_time(request.unix_secs) }</time>
                    <span class="trail">{ trail_line(request) }</span>
                </button>
            </li>
        }
    };
    html! { <ul class="requests">{ for requests.iter().rev().take(most).map(row) }</ul> }
}

/// How a request ended.
pub fn fate(request: &Request) -> Fate {
    request.ways.first().map_or(Fate::Lost, |way| way.fate)
}

/// The name of an end in markup and style sheet.
pub fn fate_name(fate: Fate) -> &'static str {
    match fate {
        Fate::Arrived => "arrived",
        Fate::Refused => "refused",
        Fate::Lost => "lost",
    }
}

/// The sign of an end, with its word for who does not see it.
pub fn sign(fate: Fate) -> Html {
    let (sign, word) = match fate {
        Fate::Arrived => (Icon::Check, "Arrived"),
        Fate::Refused => (Icon::Refused, "Refused"),
        Fate::Lost => (Icon::Close, "Lost"),
    };
    html! { <span class="fate" title={word}>{ icon(sign) }<span class="unseen">{ word }</span></span> }
}

fn trail_line(request: &Request) -> Html {
    let trail = trail(request);
    let arrow = || icon(Icon::Next);
    html! {
        <>
            <span>{ trail.from }</span>
            if let Some(service) = trail.service {
                { arrow() }<span>{ service }</span>
            }
            { arrow() }<span>{ trail.to }</span>
            if request.times > 1 {
                <span class="times">{ format!("×{}", request.times) }</span>
            }
        </>
    }
}
