//! The form in which a person picks a request to see its way.

use std::rc::Rc;

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::party::{askers, destination, destinations};
use crate::app::Act;
use crate::panels::icons::{Icon, icon};
use crate::protocol::Picture;

/// The form.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct AskProps {
    /// What to choose from.
    pub picture: Rc<Picture>,
    /// What is asked for to begin with.
    pub to: AttrValue,
    /// Why the last request could not be made, empty if it could.
    pub refused: Rc<str>,
    /// Where acts go.
    pub act: Callback<Act>,
    /// A request was asked for.
    pub asked: Callback<()>,
}

/// Draws the form.
#[component]
pub fn Ask(props: &AskProps) -> Html {
    let from = use_state(|| None::<String>);
    // What is typed is kept here: whatever is drawn anew would else have the old text again.
    let typed = use_state(|| props.to.clone());
    {
        let typed = typed.clone();
        use_effect_with(props.to.clone(), move |to| typed.set(to.clone()));
    }
    let oninput = {
        let typed = typed.clone();
        Callback::from(move |event: InputEvent| {
            let input = event.target_dyn_into::<HtmlInputElement>();
            typed.set(input.map(|input| input.value().into()).unwrap_or_default());
        })
    };
    let to = use_node_ref();
    let wrong = use_state(String::new);
    let all = askers(&props.picture);
    // Who was chosen may be gone; then it is the first.
    let chosen = all
        .iter()
        .find(|(name, _)| Some(name) == from.as_ref())
        .or(all.first())
        .cloned();
    let onchange = {
        let from = from.clone();
        Callback::from(move |event: Event| {
            let select = event.target_dyn_into::<HtmlSelectElement>();
            from.set(select.map(|select| select.value()));
        })
    };
    let onsubmit = {
        let (chosen, to, wrong, props) = (chosen.clone(), to.clone(), wrong.clone(), props.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = to.cast::<HtmlInputElement>().map(|input| input.value());
            let Some((_, from)) = chosen.clone() else {
                return;
            };
            match destination(&text.unwrap_or_default(), &props.picture) {
                Ok((to, udp)) => {
                    wrong.set(String::new());
                    props.act.emit(Act::Ask { from, to, udp });
                    props.asked.emit(());
                }
                Err(why) => wrong.set(why),
            }
        })
    };
    let is_chosen = |name: &String| chosen.as_ref().is_some_and(|(chosen, _)| chosen == name);
    let option = |(name, _): &(String, _)| {
        html! { <option key={name.clone()} value={name.clone()} selected={is_chosen(name)}>{ name }</option> }
    };
    let refused = match (wrong.is_empty(), props.refused.is_empty()) {
        (false, _) => wrong.to_string(),
        (true, false) => format!("It cannot be made: {}.", props.refused),
        (true, true) => String::new(),
    };
    let names = destinations(&props.picture);
    html! {
        <form class="pick" {onsubmit}>
            <label>{ "From" }<select {onchange}>{ for all.iter().map(option) }</select></label>
            <label>{ "To" }
                <input ref={to} list="destinations" autocomplete="off" spellcheck="false"
                    placeholder="namespace/service:port or ip:port" value={(*typed).clone()} {oninput} />
            </label>
            <datalist id="destinations">
                { for names.iter().map(|name| html! { <option key={name.clone()} value={name.clone()} /> }) }
            </datalist>
            <button class="button primary" type="submit">{ icon(Icon::Way) }{ "Show the way" }</button>
            if !refused.is_empty() {
                <p class="wrong" role="alert">{ refused }</p>
            } else {
                <p class="note">{ "Sent in a copy of the cluster: nothing changes here." }</p>
            }
        </form>
    }
}
