//! The page as a whole: bar on top, then home, the workbench, or what went wrong.

use yew::prelude::*;

use super::{Act, Model, Phase};
use crate::panels::bench::Bench;
use crate::panels::editor::EditorDialog;
use crate::panels::home::Home;
use crate::panels::notices::Notices;
use crate::panels::topbar::Topbar;
use crate::panels::trouble::Trouble;

/// Draws everything.
pub(super) fn page(model: &Model, kept: bool, act: &Callback<Act>) -> Html {
    let running = matches!(model.phase, Phase::Opening { .. } | Phase::Working);
    let working = model.place().is_some() && running;
    html! {
        <>
            <a class="skip" href="#main" onclick={skip}>{ "Skip to the content" }</a>
            <div class="page">
                <Topbar
                    {working}
                    lesson={model.lesson.clone()}
                    sandbox={model.place() == Some(&crate::protocol::Place::Sandbox)}
                    clock={model.clock}
                    theme={model.theme}
                    act={act.clone()}
                />
                <main id="main" tabindex="-1" style="min-height:0">{ content(model, kept, act) }</main>
            </div>
            if let Some(editing) = model.editing.clone() {
                <EditorDialog key={editing.request} editing={editing.clone()} act={act.clone()} />
            }
            <Notices notices={model.notices.clone()} act={act.clone()} />
            <div id="flights" aria-hidden="true"></div>
        </>
    }
}

fn content(model: &Model, kept: bool, act: &Callback<Act>) -> Html {
    let Some(place) = model.place() else {
        return html! {
            <Home
                tracks={model.tracks.clone()}
                progress={model.progress.clone()}
                act={act.clone()}
            />
        };
    };
    match &model.phase {
        Phase::Refused(why) => html! {
            <Trouble
                title="The saved cluster cannot be read"
                why={why.clone()}
                detail={AttrValue::default()}
                advice="Start this place afresh, or keep the damaged save as a file first. Your \
                        progress in lessons is kept apart and is not touched."
                can_retry={false}
                {kept}
                act={act.clone()}
            />
        },
        Phase::Impossible(why) => html! {
            <Trouble
                title="This cannot be opened"
                why="The world was not made, or never got ready."
                detail={why.clone()}
                advice="A lesson's author can mend this; the other lessons and the sandbox are not \
                        touched."
                can_retry={true}
                {kept}
                act={act.clone()}
            />
        },
        Phase::Broken(why) => html! {
            <Trouble
                title="The cluster's worker broke twice in a row"
                why="Going on from the last save meets the same fault again."
                detail={why.clone()}
                advice="Try once more without what was typed last, or start this place afresh. \
                        The save holds what is needed to find the fault; please keep it."
                can_retry={true}
                {kept}
                act={act.clone()}
            />
        },
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
                machines={model.machines.clone()}
                tabs={model.tabs.clone()}
                active={model.active}
                paused={model.clock.speed == crate::protocol::Speed::Paused}
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
