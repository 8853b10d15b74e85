//! What is said at the page's edge.

use std::rc::Rc;

use yew::prelude::*;

use super::icons::{Icon, icon};
use crate::app::{Act, Notice};

/// What is said.
#[derive(Clone, Debug)]
pub struct NoticesProps {
    /// Oldest first.
    pub notices: Rc<Vec<Notice>>,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// Draws the notices; a screen reader hears new ones.
pub fn notices(props: &NoticesProps) -> Html {
    let notice = |notice: &Notice| {
        let id = notice.id;
        let onclick = props.act.reform(move |_: MouseEvent| Act::Dismiss(id));
        let sign = if notice.bad {
            Icon::Warning
        } else {
            Icon::Info
        };
        html! {
            <div class="notice" key={id} data-bad={notice.bad.then_some("")}>
                { icon(sign) }
                <p>{ &notice.text }</p>
                <button class="icon-button" aria-label="Dismiss" {onclick}>{ icon(Icon::Close) }</button>
            </div>
        }
    };
    html! {
        <div class="notices" role="status" aria-live="polite">
            { for props.notices.iter().map(notice) }
        </div>
    }
}
