//! The page as a whole: bar on top, then home, the workbench, or what went wrong.

use yew::prelude::*;

use super::{Act, Model, Phase};
use crate::panels::bench::Bench;
use crate::panels::editor::EditorDialog;
use crate::panels::home::{HomeProps, home};
use crate::panels::notices::{NoticesProps, notices};
use crate::panels::topbar::{TopbarProps, topbar};
use crate::panels::trouble::{TroubleProps, trouble};
use crate::protocol::{Place, Speed};

/// Draws everything.
pub(super) fn page(model: &Model, kept: bool, act: &Callback<Act>) -> Html {
    let running = matches!(model.phase, Phase::Opening { .. } | Phase::Working);
    let working = model.place().is_some() && running;
    html! {
        <>
            <a class="skip" href="#main" onclick={skip}>{ "Skip to the content" }</a>
            <div class="page">
                { topbar(&TopbarProps {
                    working,
                    lesson: model.lesson.clone(),
                    sandbox: model.place() == Some(&Place::Sandbox),
                    clock: model.clock,
                    theme: model.theme,
                    act: act.clone(),
                }) }
                <main id="main" tabindex="-1" style="min-height:0">{ content(model, kept, act) }</main>
            </div>
            if let Some(editing) = model.editing.clone() {
                <EditorDialog key={editing.request} editing={editing.clone()} act={act.clone()} />
            }
            { notices(&NoticesProps { notices: model.notices.clone(), act: act.clone() }) }
            <div id="flights" aria-hidden="true"></div>
        </>
    }
}

fn content(model: &Model, kept: bool, act: &Callback<Act>) -> Html {
    let Some(place) = model.place() else {
        return home(&HomeProps {
            tracks: model.tracks.clone(),
            progress: model.progress.clone(),
        });
    };
    let trouble = |title, why: &str, detail: &str, advice, can_retry| {
        trouble(&TroubleProps {
            title,
            why: why.to_owned(),
            detail: detail.to_owned(),
            advice,
            can_retry,
            kept,
            act: act.clone(),
        })
    };
    match &model.phase {
        Phase::Refused(why) => trouble(
            "The saved cluster cannot be read",
            why,
            "",
            "Start this place afresh, or keep the damaged save as a file first. Your progress in \
             lessons is kept apart and is not touched.",
            false,
        ),
        Phase::Impossible(why) => trouble(
            "This cannot be opened",
            "The world was not made, or never got ready.",
            why,
            "A lesson's author can mend this; other lessons and the sandbox are not touched.",
            true,
        ),
        Phase::Broken(why) => trouble(
            "The cluster's worker broke twice in a row",
            "Going on from the last save meets the same fault again.",
            why,
            "Try once more without what was typed last, or start this place afresh. The save holds \
             what is needed to find the fault; please keep it.",
            true,
        ),
        phase => html! {
            <Bench
                place={place.clone()}
                opening={match phase {
                    Phase::Opening { doing, at } => Some((doing.clone(), *at)),
                    _ => None,
                }}
                lesson={model.lesson.clone()}
                next_lesson={model.next_lesson()}
                picture={model.picture.clone()}
                requests={model.requests.clone()}
                refused={model.refused.clone()}
                machines={model.machines.clone()}
                tabs={model.tabs.clone()}
                active={model.active}
                paused={model.clock.speed == Speed::Paused}
                maximised={model.maximised}
                pane={model.pane}
                settings={model.settings.clone()}
                act={act.clone()}
            />
        },
    }
}

/// The address after `#` is the route, so a skip link must move the focus by itself.
fn skip(event: MouseEvent) {
    event.prevent_default();
    crate::services::page::focus("#main");
}
