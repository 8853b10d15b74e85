//! The page when a world cannot be opened: what happened, and what one can do.

use yew::prelude::*;

use super::icons::{Icon, icon};
use crate::app::Act;

/// What went wrong.
#[derive(Clone, Debug)]
pub struct TroubleProps {
    /// In a few words.
    pub title: &'static str,
    /// In a sentence.
    pub why: String,
    /// As the machine said it, may be empty.
    pub detail: String,
    /// What one can do.
    pub advice: &'static str,
    /// Trying again may help.
    pub can_retry: bool,
    /// There is a save to download.
    pub kept: bool,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// Draws the trouble and the ways out.
pub fn trouble(props: &TroubleProps) -> Html {
    let on = |act: Act| props.act.reform(move |_: MouseEvent| act.clone());
    html! {
        <div class="trouble" role="alert">
            <div>
                <h1>{ props.title }</h1>
                <p>{ &props.why }</p>
                if !props.detail.is_empty() {
                    <pre>{ &props.detail }</pre>
                }
                <p>{ props.advice }</p>
                <div class="acts">
                    if props.can_retry {
                        <button class="button primary" onclick={on(Act::TryAgain)}>{ "Try once more" }</button>
                    }
                    <button class={if props.can_retry { "button" } else { "button primary" }}
                        onclick={on(Act::StartFresh)}>{ "Start afresh" }</button>
                    if props.kept {
                        <button class="button quiet" onclick={on(Act::DownloadSave)}>
                            { icon(Icon::Download) }{ "Download the save" }
                        </button>
                    }
                </div>
            </div>
        </div>
    }
}
