//! Events of the cluster, as a list.

use std::rc::Rc;

use yew::prelude::*;

use crate::panels::icons::{Icon, icon};
use crate::panels::time::wall_time;
use crate::protocol::Event;

/// Draws events, the latest first, with what they are about.
pub fn latest<'a>(events: impl DoubleEndedIterator<Item = &'a Rc<Event>>, most: usize) -> Html {
    let row = |event: &Rc<Event>| {
        html! {
            <li class="event" key={event.uid.clone()} data-warning={event.warning.then_some("")}>
                <time>{ wall_time(event.unix_secs) }</time>
                { sign(event) }
                <span class="reason">{ &event.reason }</span>
                <span class="about">
                    <code>{ format!("{}/{}", event.kind.to_lowercase(), event.name) }</code>
                    { format!(" {}", event.message) }
                    { times(event) }
                </span>
            </li>
        }
    };
    html! { <ul>{ for events.rev().take(most).map(row) }</ul> }
}

/// Draws events of one object, the latest first.
pub fn of_one<'a>(events: impl DoubleEndedIterator<Item = &'a Rc<Event>>, most: usize) -> Html {
    let row = |event: &Rc<Event>| {
        html! {
            <li class="event" key={event.uid.clone()} data-warning={event.warning.then_some("")}>
                <time>{ wall_time(event.unix_secs) }</time>
                { sign(event) }
                <span class="reason">{ &event.reason }</span>
                <span class="about">{ &event.message }{ times(event) }</span>
            </li>
        }
    };
    html! { <ul>{ for events.rev().take(most).map(row) }</ul> }
}

fn sign(event: &Event) -> Html {
    if event.warning {
        html! { <>{ icon(Icon::Warning) }<span class="unseen">{ "Warning" }</span></> }
    } else {
        icon(Icon::Info)
    }
}

fn times(event: &Event) -> Html {
    if event.count > 1 {
        html! { { format!(" (×{})", event.count) } }
    } else {
        Html::default()
    }
}
