//! The mark of a pod: for each state a shape and a sign of its own, for parts of the cluster theirs.

use yew::prelude::*;

use super::scene::Part;
use crate::protocol::PodState;

/// The name of a state in markup and style sheet.
pub fn name(state: PodState) -> &'static str {
    match state {
        PodState::Unscheduled => "unscheduled",
        PodState::Starting => "starting",
        PodState::NotReady => "not-ready",
        PodState::Running => "running",
        PodState::Completed => "completed",
        PodState::Failing => "failing",
        PodState::Terminating => "terminating",
        PodState::Unknown => "unknown",
    }
}

/// Draws the mark of a state, or of a part that runs.
pub fn mark(state: PodState, part: Option<Part>) -> Html {
    let sign = match (state, part) {
        (PodState::Running, Some(part)) => part_sign(part),
        _ => state_sign(state),
    };
    html! {
        <span class="mark" aria-hidden="true">
            <svg viewBox="0 0 18 18" fill="none" stroke="currentColor" stroke-width="1.7"
                stroke-linecap="round" stroke-linejoin="round">{ sign }</svg>
        </span>
    }
}

fn state_sign(state: PodState) -> Html {
    match state {
        PodState::Running => html! {
            <>
                <circle cx="9" cy="9" r="7" fill="currentColor" stroke="none" />
                <path d="m6 9.2 2.1 2.2 4-4.6" stroke="var(--surface)" />
            </>
        },
        PodState::NotReady => html! {
            <>
                <circle cx="9" cy="9" r="6.3" />
                <path d="M9 2.7a6.3 6.3 0 0 1 0 12.6z" fill="currentColor" stroke="none" />
            </>
        },
        PodState::Starting => html! {
            <>
                <circle cx="9" cy="9" r="6.3" opacity=".3" />
                <path class="turn" d="M9 2.7A6.3 6.3 0 0 1 15.3 9" />
            </>
        },
        PodState::Unscheduled => html! {
            <>
                <circle cx="9" cy="9" r="6.3" stroke-dasharray="2.2 2.7" />
                <path d="M9 5.8V9l2 1.6" />
            </>
        },
        PodState::Failing => html! {
            <>
                <path d="M9 2.2 16.4 15H1.6z" fill="currentColor" stroke-width="1.3" />
                <path d="M9 7.2v3.4M9 12.7v.1" stroke="var(--surface)" stroke-width="1.6" />
            </>
        },
        PodState::Terminating => html! {
            <>
                <rect x="2.7" y="2.7" width="12.6" height="12.6" rx="3" stroke-dasharray="2.4 2.4" />
                <path d="m6.5 6.5 5 5m0-5-5 5" />
            </>
        },
        PodState::Completed => html! {
            <>
                <rect x="2.7" y="2.7" width="12.6" height="12.6" rx="3" />
                <path d="m6 9.2 2.1 2.2 4-4.6" />
            </>
        },
        PodState::Unknown => html! {
            <>
                <path d="m9 1.7 7.3 7.3L9 16.3 1.7 9z" />
                <path d="M7.6 7.5a1.450 1.450 0 1 1 1.4 1.9M9 11.9v.1" stroke-width="1.5" />
            </>
        },
    }
}

fn part_sign(part: Part) -> Html {
    let path = match part {
        Part::Etcd => {
            "M3.5 5c0-1.5 2.5-2.5 5.5-2.5s5.5 1 5.5 2.5-2.5 2.5-5.5 2.5S3.5 6.5 3.5 5z\
             M3.5 5v8c0 1.5 2.5 2.5 5.5 2.5s5.5-1 5.5-2.5V5M3.5 9c0 1.5 2.5 2.5 5.5 2.5s5.5-1 5.5-2.5"
        }
        Part::ApiServer => "M3 15.5V7a6 6 0 0 1 12 0v8.5M1.5 15.5h15M7 15.5V9a2 2 0 0 1 4 0v6.5",
        Part::Scheduler => "M9 16.5V1.5M9 3h5l2 1.9-2 1.9H9M9 8.2H4l-2 1.9 2 1.9h5",
        Part::Controllers => {
            "M14.9 7.5A6.2 6.2 0 0 0 3.6 6M3.1 10.5A6.2 6.2 0 0 0 14.4 12M3.3 2.5V6h3.5M14.7 15.5V12h-3.5"
        }
        Part::Dns => {
            "M9 2.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM2.5 9h13M9 2.5c-4.2 4-4.2 9 0 13 4.2-4 4.2-9 0-13z"
        }
        Part::Proxy => "M2 6h13M12 3l3 3-3 3M16 12H3M6 9l-3 3 3 3",
    };
    html! { <path d={path} /> }
}
