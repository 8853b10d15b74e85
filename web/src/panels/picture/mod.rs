//! The picture of the cluster: machines as tanks, pods as tiles, a tray for pods that wait.

pub mod details;
pub mod events;
pub mod machine;
pub mod mark;
pub mod motion;
pub mod packets;
pub mod pod;
pub mod scene;
pub mod services;
pub mod table;
pub mod tell;

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use yew::prelude::*;

use super::bench::maximise;
use super::explain::Explainer;
use super::explain::rows::rows;
use super::icons::{Icon, icon};
use crate::app::{Act, Pane};
use crate::protocol::{Etcd, Picture, Request};
use crate::services::page;
use details::Details;
use machine::MachineTank;
use motion::Flight;
use pod::{Size, tiles};
use scene::Scene;

/// A screen reader is told of changes at most this often.
const TELL_EVERY_MS: u32 = 2500;

/// How many events stand below the machines.
const EVENTS_SHOWN: usize = 8;

/// How many requests stand below the machines.
const REQUESTS_SHOWN: usize = 4;

/// What the picture shows.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct PictureProps {
    /// Machines and pods.
    pub picture: Rc<Picture>,
    /// The latest requests, oldest first.
    pub requests: Rc<Vec<Rc<Request>>>,
    /// Why the request that was asked for last could not be made.
    pub refused: Rc<str>,
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
    /// Show the details of a pod, machine or Service, or of nothing when they are open already.
    Inspect(String),
    /// Close the details.
    Close,
    /// Explain a request, the latest if none is named.
    Explain(Option<u64>),
    /// Ask for a request to this destination.
    Ask(String),
    /// Close the explainer.
    Enough,
    /// It is time to tell what changed.
    Tell,
}

/// The picture.
#[derive(Debug)]
pub struct PicturePane {
    scene: Scene,
    open: Option<String>,
    /// The explainer is open, and the request that was picked in it.
    explaining: Option<Option<u64>>,
    asks: String,
    flights: Vec<Flight>,
    restarted: Vec<(String, String)>,
    packets: Vec<Rc<Request>>,
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
            explaining: None,
            asks: String::new(),
            flights: Vec::new(),
            restarted: Vec::new(),
            packets: Vec::new(),
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
            Msg::Explain(picked) => self.explaining = Some(picked),
            Msg::Ask(to) => {
                self.open = None;
                self.asks = to;
                self.explaining = Some(None);
            }
            Msg::Enough => {
                self.explaining = None;
                self.open = None;
                page::focus("#picture .explain");
            }
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
        if !Rc::ptr_eq(&old.requests, &new.requests) {
            self.packets = packets::fresh(&old.requests, &new.requests);
        }
        if Rc::ptr_eq(&old.picture, &new.picture) {
            return true;
        }
        motion::depart(&old.picture, &new.picture);
        self.restarted = motion::restarted(&old.picture, &new.picture);
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
                    { etcd(&props.picture) }
                    <span class="fill"></span>
                    <button class="icon-button explain" aria-label="The way of a request"
                        title="The way of a request" aria-pressed={self.explaining.is_some().to_string()}
                        onclick={self.explain(ctx)}>
                        { icon(Icon::Way) }<span>{ "Requests" }</span>
                    </button>
                    <button class="icon-button" aria-label={word} title={word} onclick={toggle}>
                        { icon(sign) }
                    </button>
                    { maximise(Pane::Picture, props.maximised, &props.act) }
                </header>
                <div class="body scroll" tabindex="0">{ self.body(ctx) }</div>
                if let Some(picked) = self.explaining {
                    <Explainer requests={props.requests.clone()} picture={props.picture.clone()}
                        refused={props.refused.clone()} {picked} to={self.asks.clone()}
                        pick={ctx.link().callback(Msg::Explain)}
                        inspect={ctx.link().callback(Msg::Inspect)}
                        close={ctx.link().callback(|()| Msg::Enough)} act={props.act.clone()} />
                }
                if let Some(of) = self.open.clone() {
                    <Details {of} picture={props.picture.clone()} act={props.act.clone()}
                        close={ctx.link().callback(|()| Msg::Close)}
                        ask={ctx.link().callback(Msg::Ask)} />
                }
                <p class="unseen" role="status" aria-live="polite">{ &self.said }</p>
            </section>
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, _first: bool) {
        motion::start(std::mem::take(&mut self.flights));
        motion::swell(&std::mem::take(&mut self.restarted), &self.scene);
        let packets = std::mem::take(&mut self.packets);
        if !packets.is_empty() && self.explaining.is_none() {
            packets::start(&packets, &ctx.props().picture, &self.scene);
        }
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
            return html! {
                <>{ table::tables(&props.picture) }{ self.requests(ctx) }{ recent(&props.picture) }</>
            };
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
                { fell(&props.picture) }
                { self.tray(&inspect) }
                { services::services(&props.picture, self.open.as_deref(), &inspect) }
                <div class="shelf">{ for machines }</div>
                { self.requests(ctx) }
                { recent(&props.picture) }
            </>
        }
    }

    /// Opens the explainer, or closes it.
    fn explain(&self, ctx: &Context<Self>) -> Callback<MouseEvent> {
        let open = self.explaining.is_some();
        ctx.link().callback(move |_| match open {
            true => Msg::Enough,
            false => Msg::Explain(None),
        })
    }

    fn requests(&self, ctx: &Context<Self>) -> Html {
        let requests = &ctx.props().requests;
        if requests.is_empty() {
            return Html::default();
        }
        let pick = ctx.link().callback(|id| Msg::Explain(Some(id)));
        html! {
            <section class="latest" aria-label="Latest requests">
                <h3>{ "Latest requests" }</h3>
                { rows(requests, REQUESTS_SHOWN, None, &pick) }
            </section>
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

/// Where etcd stands.
fn etcd(picture: &Picture) -> Html {
    let Etcd {
        revision,
        fell_from,
    } = picture.etcd;
    if picture.machines.is_empty() {
        return Html::default();
    }
    let words = match revision {
        0 => "etcd has no data".to_owned(),
        _ => format!("etcd revision {revision}"),
    };
    let odd = revision == 0 || fell_from.is_some();
    html! {
        <span class="etcd" data-odd={odd.then_some("")} title="The number of etcd's last write">
            { icon(Icon::Store) }{ words }
        </span>
    }
}

/// That etcd went back, if it did.
fn fell(picture: &Picture) -> Html {
    let Etcd {
        revision,
        fell_from: Some(before),
    } = picture.etcd
    else {
        return Html::default();
    };
    html! {
        <p class="fell">
            { icon(Icon::Again) }
            <span>
                <b>{ format!("etcd went back from revision {before}.") }</b>
                { format!(" It holds what was there at the snapshot, and has gone on to {revision} since.") }
            </span>
        </p>
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
