//! The picture of the cluster: machines as tanks, pods as tiles, a tray for pods that wait.

pub mod details;
pub mod events;
pub mod machine;
pub mod mark;
pub mod motion;
pub mod pod;
pub mod scene;
pub mod table;
pub mod tell;

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use yew::prelude::*;

use super::bench::maximise;
use super::icons::{Icon, icon};
use crate::app::{Act, Pane};
use crate::protocol::Picture;
use details::Details;
use machine::MachineTank;
use motion::Flight;
use pod::{Size, tiles};
use scene::Scene;

/// A screen reader is told of changes at most this often.
const TELL_EVERY_MS: u32 = 2500;

/// How many events stand below the machines.
const EVENTS_SHOWN: usize = 8;

/// What the picture shows.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct PictureProps {
    /// Machines and pods.
    pub picture: Rc<Picture>,
    /// The world is being made: what is going on, and its age in nanoseconds.
    pub opening: Option<(String, u64)>,
    /// As a table.
    pub table: bool,
    /// It has the whole page.
    pub maximised: bool,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// What the picture reacts to.
#[derive(Debug)]
pub enum Msg {
    /// Show the details of a pod or machine, or of nothing when they are open already.
    Inspect(String),
    /// Close the details.
    Close,
    /// It is time to tell what changed.
    Tell,
}

/// The picture.
#[derive(Debug)]
pub struct PicturePane {
    scene: Scene,
    open: Option<String>,
    flights: Vec<Flight>,
    told: Rc<Picture>,
    said: String,
    telling: Option<Timeout>,
}

impl Component for PicturePane {
    type Message = Msg;
    type Properties = PictureProps;

    fn create(ctx: &Context<Self>) -> Self {
        let picture = ctx.props().picture.clone();
        PicturePane {
            scene: scene::arrange(&picture),
            open: None,
            flights: Vec::new(),
            told: picture,
            said: String::new(),
            telling: None,
        }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Inspect(of) => {
                self.open = if self.open.as_ref() == Some(&of) {
                    None
                } else {
                    Some(of)
                }
            }
            Msg::Close => self.open = None,
            Msg::Tell => {
                self.telling = None;
                let now = ctx.props().picture.clone();
                self.said = tell::tell(&self.told, &now).unwrap_or_default();
                self.told = now;
            }
        }
        true
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &PictureProps) -> bool {
        let new = ctx.props();
        if Rc::ptr_eq(&old.picture, &new.picture) {
            return true;
        }
        self.flights = motion::prepare(&old.picture, &new.picture, &self.scene);
        self.scene = scene::arrange(&new.picture);
        if old.picture.pods.is_empty() {
            self.told = new.picture.clone();
        } else if self.telling.is_none() {
            let tell = ctx.link().callback(|()| Msg::Tell);
            self.telling = Some(Timeout::new(TELL_EVERY_MS, move || tell.emit(())));
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let toggle = props.act.reform(|_: MouseEvent| Act::ToggleTable);
        let (sign, word) = if props.table {
            (Icon::Boxes, "Show as a picture")
        } else {
            (Icon::Table, "Show as tables")
        };
        html! {
            <section class="pane picture" id="picture" tabindex="-1" aria-label="Cluster"
                style="position:relative">
                <header>
                    <h2>{ "Cluster" }</h2>
                    <span class="label">{ self.sum(props) }</span>
                    <span class="fill"></span>
                    <button class="icon-button" aria-label={word} title={word} onclick={toggle}>
                        { icon(sign) }
                    </button>
                    { maximise(Pane::Picture, props.maximised, &props.act) }
                </header>
                <div class="body scroll" tabindex="0">{ self.body(ctx) }</div>
                if let Some(of) = self.open.clone() {
                    <Details {of} picture={props.picture.clone()} act={props.act.clone()}
                        close={ctx.link().callback(|()| Msg::Close)} />
                }
                <p class="unseen" role="status" aria-live="polite">{ &self.said }</p>
            </section>
        }
    }

    fn rendered(&mut self, _ctx: &Context<Self>, _first: bool) {
        motion::start(std::mem::take(&mut self.flights));
    }
}

impl PicturePane {
    fn sum(&self, props: &PictureProps) -> String {
        let (machines, pods) = (props.picture.machines.len(), props.picture.pods.len());
        if machines == 0 {
            String::new()
        } else {
            format!("{machines} machines, {pods} pods")
        }
    }

    fn body(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        if props.picture.machines.is_empty() {
            return blank(props);
        }
        if props.table {
            return html! { <>{ table::tables(&props.picture) }{ recent(&props.picture) }</> };
        }
        let inspect = ctx.link().callback(Msg::Inspect);
        let machines = self.scene.machines.iter().map(|tank| {
            html! {
                <MachineTank key={tank.machine.name.clone()} tank={tank.clone()}
                    open={self.open.clone()} inspect={inspect.clone()} />
            }
        });
        html! {
            <>
                { self.tray(&inspect) }
                <div class="shelf">{ for machines }</div>
                { recent(&props.picture) }
            </>
        }
    }

    fn tray(&self, inspect: &Callback<String>) -> Html {
        let tray = &self.scene.tray;
        let size = if tray.len() > 12 {
            Size::Dense
        } else {
            Size::Roomy
        };
        html! {
            <section class="tray" aria-label="Pods without a machine">
                if tray.is_empty() {
                    <p>{ "No pod waits for a machine." }</p>
                } else {
                    <h3>{ format!("{} waiting for a machine", tray.len()) }</h3>
                    { tiles(tray, size, self.open.as_deref(), inspect) }
                }
            </section>
        }
    }
}

fn recent(picture: &Picture) -> Html {
    if picture.events.is_empty() {
        return Html::default();
    }
    html! {
        <section class="events" aria-label="Latest events">
            <h3>{ "Latest events" }</h3>
            { events::latest(picture.events.iter(), EVENTS_SHOWN) }
        </section>
    }
}

fn blank(props: &PictureProps) -> Html {
    match &props.opening {
        Some((doing, at)) => html! {
            <div class="blank" role="status">
                <p>{ format!("{doing}…") }</p>
                <span class="bar" aria-hidden="true"><i></i></span>
                <p class="label">
                    { format!("{} s of the cluster's own time", at / 1_000_000_000) }
                </p>
            </div>
        },
        None => html! {
            <div class="blank">
                <p>{ "The API server shows no machines." }</p>
                <p class="label">{ "When it answers again, they come back." }</p>
            </div>
        },
    }
}
