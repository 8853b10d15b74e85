//! The way of a packet as a row of stations; the one that is open tells what happened there.

use std::rc::Rc;

use yew::prelude::*;

use super::party::{place, service, slice_of};
use crate::panels::icons::{Icon, icon};
use crate::protocol::{Fate, Met, Picture, Station, Way, Writer};
use crate::services::page;

/// A way.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct PathProps {
    /// The way.
    pub way: Way,
    /// The station that is open.
    pub open: Option<usize>,
    /// Open a station, or close it.
    pub turn: Callback<Option<usize>>,
    /// Where Services are looked up.
    pub picture: Rc<Picture>,
    /// Show the details of an object.
    pub inspect: Callback<String>,
}

/// Draws a way.
#[component]
pub fn Path(props: &PathProps) -> Html {
    let last = props.way.stations.len().saturating_sub(1);
    let turn = props.turn.clone();
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        let at = event
            .target_dyn_into::<web_sys::Element>()
            .and_then(|element| element.id().strip_prefix("stop-")?.parse::<usize>().ok());
        let Some(at) = at else { return };
        let to = match &*event.key() {
            "ArrowDown" | "ArrowRight" => (at + 1).min(last),
            "ArrowUp" | "ArrowLeft" => at.saturating_sub(1),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        turn.emit(Some(to));
        page::focus(&format!("#stop-{to}"));
    });
    let stations = props.way.stations.iter().enumerate();
    html! {
        <ol class="way" {onkeydown}>{ for stations.map(|(at, s)| stop(at, s, at == last, props)) }</ol>
    }
}

fn stop(at: usize, station: &Station, last: bool, props: &PathProps) -> Html {
    let open = props.open == Some(at);
    let onclick = props
        .turn
        .reform(move |_: MouseEvent| (!open).then_some(at));
    let failed = last && props.way.fate != Fate::Arrived;
    let changed = station.before != station.after;
    let sign = match (failed, &station.pod) {
        (true, _) => Icon::Close,
        (_, Some(_)) => Icon::Pod,
        _ if station.did.starts_with("on the wire") => Icon::Wire,
        _ => Icon::Machine,
    };
    let look = if failed {
        "bad"
    } else if last {
        "end"
    } else {
        ""
    };
    html! {
        <li key={at} data-look={look}>
            <button class="stop" id={format!("stop-{at}")} aria-expanded={open.to_string()} {onclick}>
                <span class="knot" aria-hidden="true">{ icon(sign) }</span>
                <span class="where">{ place(station) }
                    if station.pod.is_some() {
                        <small>{ format!("on {}", station.machine) }</small>
                    }
                </span>
                <span class="tags">
                    if changed {
                        <span class="tag nat">{ "NAT" }</span>
                    }
                    if !station.rules.is_empty() {
                        <span class="tag">{ rules_word(station.rules.len()) }</span>
                    }
                </span>
                <span class="did">{ &station.did }</span>
            </button>
            if open {
                { facts(station, failed, props) }
            }
        </li>
    }
}

fn rules_word(count: usize) -> String {
    match count {
        1 => "1 rule".to_owned(),
        _ => format!("{count} rules"),
    }
}

fn facts(station: &Station, failed: bool, props: &PathProps) -> Html {
    let netns = match station.netns.as_str() {
        "" => "the machine's own",
        netns => netns,
    };
    let links = match (&station.inbound, &station.outbound) {
        (Some(inbound), Some(outbound)) => format!("in {inbound}, out {outbound}"),
        (Some(inbound), None) => format!("in {inbound}"),
        (None, Some(outbound)) => format!("out {outbound}"),
        (None, None) => String::new(),
    };
    let last = station.rules.len().saturating_sub(1);
    let rules = station.rules.iter().enumerate();
    let rules = rules.map(|(at, met)| rule(met, failed && at == last, props));
    let changed = station.before != station.after;
    html! {
        <div class="happened">
            <dl>
                <dt>{ "Namespace" }</dt><dd>{ netns }</dd>
                if !links.is_empty() {
                    <dt>{ "Interfaces" }</dt><dd>{ links }</dd>
                }
                if changed {
                    <dt>{ "Came as" }</dt><dd>{ &station.before }</dd>
                    <dt>{ "Went on as" }</dt><dd>{ compared(&station.before, &station.after) }</dd>
                } else {
                    <dt>{ "Addresses" }</dt><dd>{ &station.before }</dd>
                }
                if let Some(route) = &station.route {
                    <dt>{ "Route" }</dt><dd>{ route }</dd>
                }
            </dl>
            if !station.rules.is_empty() {
                <h5>{ "Rules it met, in order" }</h5>
                <ol class="rules">{ for rules }</ol>
            }
            <p class="verdict">{ &station.did }</p>
        </div>
    }
}

/// `after`, with what differs from `before` marked.
fn compared(before: &str, after: &str) -> Html {
    let sides = |flow: &str| {
        let (src, dst) = flow.split_once(" > ").unwrap_or((flow, ""));
        [src.to_owned(), dst.to_owned()]
    };
    let [src, dst] = sides(after);
    let [was_src, was_dst] = sides(before);
    let side = |is: String, was: String| {
        if is == was {
            html! { { is } }
        } else {
            html! { <mark>{ is }</mark> }
        }
    };
    html! { <>{ side(src, was_src) }{ " > " }{ side(dst, was_dst) }</> }
}

fn rule(met: &Met, fatal: bool, props: &PathProps) -> Html {
    let plain = !fatal && met.made.is_none() && !matches!(met.writer, Some(Writer::Service { .. }));
    let number = match met.number {
        0 => "policy".to_owned(),
        number => number.to_string(),
    };
    html! {
        <li class="rule" data-plain={plain.then_some("")} data-fatal={fatal.then_some("")}>
            <p class="chain">
                <span>{ &met.table }</span><b>{ &met.chain }</b><span>{ number }</span>
            </p>
            <code>{ met.text.clone().unwrap_or_else(|| format!("-P {} DROP", met.chain)) }</code>
            if let Some(made) = &met.made {
                <p class="made">{ "makes it " }<mark>{ made }</mark></p>
            }
            { for met.writer.as_ref().map(|writer| written(writer, props)) }
        </li>
    }
}

fn written(writer: &Writer, props: &PathProps) -> Html {
    let (namespace, name, endpoint) = match writer {
        Writer::EveryService => {
            return html! { <p class="writer">{ "written by kube-proxy, for every Service" }</p> };
        }
        Writer::Service {
            namespace,
            name,
            endpoint,
        } => (namespace, name, endpoint),
    };
    let Some(object) = service(&props.picture, namespace, name) else {
        return html! {
            <p class="writer">{ format!("written for Service {namespace}/{name}, which is gone") }</p>
        };
    };
    let uid = object.uid.clone();
    let onclick = props.inspect.reform(move |_: MouseEvent| uid.clone());
    let slice = endpoint
        .as_ref()
        .and_then(|endpoint| slice_of(object, endpoint));
    let (kind, named) = match slice {
        Some(slice) => ("EndpointSlice", format!("{namespace}/{slice}")),
        None => ("Service", format!("{namespace}/{name}")),
    };
    html! {
        <p class="writer">
            { "written for " }
            <button class="object" aria-haspopup="dialog" {onclick}>
                { icon(Icon::Service) }{ kind }{ " " }<b>{ named }</b>
            </button>
            if let Some(endpoint) = endpoint {
                { format!(", endpoint {endpoint}") }
            }
        </p>
    }
}
