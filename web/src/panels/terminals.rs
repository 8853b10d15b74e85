//! Terminals: a tab for each, opened on a machine of choice.

use std::rc::Rc;

use web_sys::HtmlElement;
use yew::prelude::*;

use super::bench::maximise;
use super::icons::{Icon, icon};
use crate::app::{Act, Pane, Tab};
use crate::protocol::Input;
use crate::services::glue;

/// What the terminals pane shows.
#[derive(Clone, Debug)]
pub struct TerminalsProps {
    /// A tab for each terminal.
    pub tabs: Rc<Vec<Tab>>,
    /// The one that is shown.
    pub active: Option<u32>,
    /// Machines a terminal can be opened on.
    pub machines: Rc<Vec<String>>,
    /// The world is being made.
    pub opening: Option<(String, u64)>,
    /// Time stands still.
    pub paused: bool,
    /// Terminals are read out.
    pub aloud: bool,
    /// It has the whole page.
    pub maximised: bool,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// Draws the terminals pane.
pub fn terminals_pane(props: &TerminalsProps) -> Html {
    let aloud = props.act.reform(|_: MouseEvent| Act::ToggleAloud);
    let tabs = props.tabs.iter().map(|tab| {
        tab_head(&TabProps {
            tab: tab.clone(),
            on: props.active == Some(tab.terminal),
            number: number(tab, &props.tabs),
            act: props.act.clone(),
        })
    });
    let screens = props.tabs.iter().map(|tab| {
        html! { <Screen key={tab.terminal} tab={tab.clone()}
        hidden={props.active != Some(tab.terminal)} /> }
    });
    html! {
        <section class="pane terminals" id="terminals" tabindex="-1" aria-label="Terminals">
            <header>
                <div class="tabs" role="tablist" aria-label="Terminals">{ for tabs }</div>
                if !props.machines.is_empty() {
                    <OpenMenu machines={props.machines.clone()} act={props.act.clone()} />
                }
                <span class="fill"></span>
                <span class="unseen">
                    { "In a terminal, F6 and Shift+F6 move to the next pane and the one before." }
                </span>
                <button class="icon-button" aria-label="Read terminals to a screen reader"
                    title="Read terminals to a screen reader"
                    aria-pressed={props.aloud.to_string()} onclick={aloud}>
                    { icon(Icon::Aloud) }
                </button>
                { maximise(Pane::Terminals, props.maximised, &props.act) }
            </header>
            <div class="screens">
                // A list of its own: its members are told apart by their keys, not by their place.
                <>{ for screens }</>
                if props.tabs.is_empty() {
                    { empty(props) }
                }
                if props.paused && !props.tabs.is_empty() {
                    <div class="still" role="status">
                        { "Time stands still: keys wait." }
                        <button class="button" onclick={props.act.reform(|_: MouseEvent| Act::TogglePause)}>
                            { icon(Icon::Play) }{ "Go on" }
                        </button>
                    </div>
                }
            </div>
        </section>
    }
}

/// Terminals on one machine are told apart by number, from the second on.
fn number(tab: &Tab, tabs: &[Tab]) -> Option<usize> {
    let same = tabs.iter().filter(|other| other.machine == tab.machine);
    let mut before = same
        .take_while(|other| other.terminal != tab.terminal)
        .peekable();
    before.peek()?;
    Some(before.count() + 1)
}

fn empty(props: &TerminalsProps) -> Html {
    match &props.opening {
        Some((doing, at)) => html! {
            <p class="booting" role="status">
                { format!("{doing}… {}.{:01} s", at / 1_000_000_000, at / 100_000_000 % 10) }
            </p>
        },
        None => html! {
            <div class="blank">
                <p>{ "No terminal is open." }</p>
                if let Some(first) = props.machines.first().cloned() {
                    <button class="button" onclick={props.act.reform(move |_: MouseEvent| {
                        Act::OpenTerminal(first.clone())
                    })}>
                        { icon(Icon::Terminal) }{ "Open one" }
                    </button>
                }
            </div>
        },
    }
}

#[derive(Clone, Debug)]
struct TabProps {
    tab: Tab,
    on: bool,
    number: Option<usize>,
    act: Callback<Act>,
}

fn tab_head(props: &TabProps) -> Html {
    let terminal = props.tab.terminal;
    let name = match props.number {
        Some(number) => format!("{} {number}", props.tab.machine),
        None => props.tab.machine.clone(),
    };
    let show = props
        .act
        .reform(move |_: MouseEvent| Act::ShowTerminal(terminal));
    let close = props
        .act
        .reform(move |_: MouseEvent| Act::World(Input::CloseTerminal(terminal)));
    let closing = format!("Close {name}");
    html! {
        <div class="tab" key={terminal} data-on={props.on.then_some("")}>
            <button class="name" role="tab" aria-selected={props.on.to_string()}
                aria-controls={format!("terminal-{terminal}")} onclick={show}>{ name }</button>
            <button class="close" aria-label={closing.clone()} title={closing} onclick={close}>
                { icon(Icon::Close) }
            </button>
        </div>
    }
}

#[derive(Clone, Debug, PartialEq, Properties)]
struct ScreenProps {
    tab: Tab,
    hidden: bool,
}

/// The element a terminal lives in. The terminal itself is xterm.js's.
#[component]
fn Screen(props: &ScreenProps) -> Html {
    let host = use_node_ref();
    let Tab { terminal, machine } = props.tab.clone();
    {
        let host = host.clone();
        use_effect_with(terminal, move |terminal| {
            if let Some(host) = host.cast::<HtmlElement>() {
                // The promise ends when the font is there; nobody waits for it here.
                let _ = glue::attach_terminal(*terminal, &host, &format!("Terminal on {machine}"));
            }
        });
    }
    html! {
        <div class="screen" id={format!("terminal-{terminal}")} role="tabpanel"
            hidden={props.hidden} ref={host}></div>
    }
}

#[derive(Clone, Debug, PartialEq, Properties)]
struct OpenProps {
    machines: Rc<Vec<String>>,
    act: Callback<Act>,
}

/// The `+`: with one machine it opens a terminal there, else it asks where.
#[component]
fn OpenMenu(props: &OpenProps) -> Html {
    let open = use_state(|| false);
    let toggle = {
        let (open, props) = (open.clone(), props.clone());
        Callback::from(move |_: MouseEvent| match &props.machines[..] {
            [only] => props.act.emit(Act::OpenTerminal(only.clone())),
            _ => open.set(!*open),
        })
    };
    let leave = {
        let open = open.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                open.set(false);
            }
        })
    };
    let item = |machine: &String| {
        let (open, act, machine) = (open.clone(), props.act.clone(), machine.clone());
        let name = machine.clone();
        let onclick = move |_: MouseEvent| {
            open.set(false);
            act.emit(Act::OpenTerminal(machine.clone()));
        };
        html! { <li><button {onclick}>{ "Terminal on " }<code>{ name }</code></button></li> }
    };
    html! {
        <div class="menu" onkeydown={leave}>
            <button class="icon-button" aria-label="Open a terminal" title="Open a terminal"
                aria-expanded={open.to_string()} onclick={toggle}>
                { icon(Icon::Plus) }
            </button>
            if *open {
                <ul>{ for props.machines.iter().map(item) }</ul>
            }
        </div>
    }
}
