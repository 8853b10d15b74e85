//! What there is to know of one pod, machine or Service.

use std::rc::Rc;

use yew::prelude::*;

use super::events;
use super::machine::{bytes, cores};
use crate::app::Act;
use crate::panels::icons::{Icon, icon};
use crate::protocol::{Event, Machine, Picture, Pod, Service, Slice};

/// The details of one thing.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct DetailsProps {
    /// A pod's or Service's uid, or a machine's name.
    pub of: AttrValue,
    /// Where it is looked up.
    pub picture: Rc<Picture>,
    /// Close the details.
    pub close: Callback<()>,
    /// Show the way of a request to this destination.
    pub ask: Callback<String>,
    /// Where acts go.
    pub act: Callback<Act>,
}

/// Draws the details, nothing when the thing is gone.
#[component]
pub fn Details(props: &DetailsProps) -> Html {
    let card = use_node_ref();
    {
        let card = card.clone();
        use_effect_with(props.of.clone(), move |_| {
            if let Some(card) = card.cast::<web_sys::HtmlElement>() {
                // Focus never throws on an element of this page.
                let _ = card.focus();
            }
        });
    }
    let picture = &props.picture;
    let (kind, name, body) = match (
        picture.pods.get(&*props.of),
        picture.machines.get(&*props.of),
    ) {
        (Some(pod), _) => ("Pod", pod.name.clone(), pod_body(pod, props)),
        (None, Some(machine)) => ("Node", machine.name.clone(), machine_body(machine, props)),
        (None, None) => match picture.services.get(&*props.of) {
            Some(service) => (
                "Service",
                service.name.clone(),
                service_body(service, props),
            ),
            None => ("Gone", String::new(), gone()),
        },
    };
    let close = props.close.reform(|_: MouseEvent| ());
    let escape = {
        let close = props.close.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                close.emit(());
            }
        })
    };
    html! {
        <section class="details" role="dialog" aria-label={format!("{kind} {name}")} tabindex="-1"
            ref={card} onkeydown={escape}>
            <header>
                <h3><small>{ kind }</small>{ name }</h3>
                <button class="icon-button" aria-label="Close" onclick={close}>{ icon(Icon::Close) }</button>
            </header>
            <div class="body scroll">{ body }</div>
        </section>
    }
}

fn gone() -> Html {
    html! { <p>{ "It is no longer in the cluster." }</p> }
}

fn pod_body(pod: &Pod, props: &DetailsProps) -> Html {
    let owner = pod
        .owner
        .as_ref()
        .map(|owner| format!("{}/{}", owner.kind, owner.name));
    let about = |event: &&Rc<Event>| {
        event.kind == "Pod" && event.name == pod.name && event.namespace == pod.namespace
    };
    let command = format!("kubectl describe pod {} -n {}", pod.name, pod.namespace);
    html! {
        <>
            if !pod.why.is_empty() {
                <p class="why"><b>{ "Why" }</b>{ &pod.why }</p>
            }
            <dl>
                { row("Status", pod.status.clone()) }
                { row("Ready", format!("{} of {} containers", pod.ready, pod.containers)) }
                { row("Restarts", pod.restarts.to_string()) }
                { mono("Namespace", pod.namespace.clone()) }
                { mono("Node", pod.node.clone().unwrap_or_else(|| "none yet".to_owned())) }
                { mono("IP", if pod.ip.is_empty() { "none yet".to_owned() } else { pod.ip.clone() }) }
                { mono("Image", pod.images.join(", ")) }
                { for owner.map(|owner| mono("Controlled by", owner)) }
                if pod.is_static {
                    { row("Made by", "a manifest on the machine's disk".to_owned()) }
                }
            </dl>
            { history(props, about) }
            { ask(command, props) }
        </>
    }
}

fn machine_body(machine: &Machine, props: &DetailsProps) -> Html {
    let on_it = |pod: &&Rc<Pod>| pod.node.as_deref() == Some(machine.name.as_str());
    let pods = props.picture.pods.values().filter(on_it).count();
    let state = match (machine.ready, machine.schedulable) {
        (true, true) => "Ready",
        (true, false) => "Ready, takes no new pods",
        (false, _) => "NotReady",
    };
    let taints = if machine.taints.is_empty() {
        "none".to_owned()
    } else {
        machine.taints.join(", ")
    };
    let about = |event: &&Rc<Event>| event.kind == "Node" && event.name == machine.name;
    let parts = machine.components.iter();
    let down: Vec<&str> = parts
        .filter(|part| part.started.is_none())
        .map(|part| part.name.as_str())
        .collect();
    html! {
        <>
            <dl>
                { row("Status", state.to_owned()) }
                { mono("Address", machine.ip.clone()) }
                { mono("Kubelet", machine.version.clone()) }
                if !down.is_empty() {
                    { row("Not running", down.join(", ")) }
                }
                { row("CPU requested", format!("{} of {}", cores(machine.cpu_requested), cores(machine.cpu_total))) }
                { row("Memory requested", format!("{} of {}", bytes(machine.memory_requested), bytes(machine.memory_total))) }
                { row("Pods", format!("{pods} of {}", machine.pods_total)) }
                { mono("Taints", taints) }
            </dl>
            { history(props, about) }
            { ask(format!("kubectl describe node {}", machine.name), props) }
        </>
    }
}

fn service_body(service: &Service, props: &DetailsProps) -> Html {
    let or_none = |text: &str| if text.is_empty() { "none" } else { text }.to_owned();
    let (namespace, name) = (&service.namespace, &service.name);
    let to = match service.ports.first() {
        Some(port) => format!("{namespace}/{name}:{}", port.port),
        None => format!("{namespace}/{name}"),
    };
    let ask_way = props.ask.reform(move |_: MouseEvent| to.clone());
    let about = |event: &&Rc<Event>| {
        event.kind == "Service" && event.name == *name && event.namespace == *namespace
    };
    html! {
        <>
            <dl>
                { row("Type", service.kind.clone()) }
                { mono("Namespace", namespace.clone()) }
                { mono("ClusterIP", or_none(&service.cluster_ip)) }
                { mono("Ports", or_none(&service.port_words())) }
                { mono("Selector", or_none(&service.selector)) }
            </dl>
            { for service.slices.iter().map(slice) }
            { history(props, about) }
            <div class="acts">
                <button class="button" onclick={ask_way}>{ icon(Icon::Way) }{ "Ask it" }</button>
            </div>
            { ask(format!("kubectl describe service {name} -n {namespace}"), props) }
        </>
    }
}

fn slice(slice: &Slice) -> Html {
    let endpoint = |endpoint: &crate::protocol::Endpoint| {
        let (sign, word) = match endpoint.ready {
            true => (Icon::Check, "Ready"),
            false => (Icon::Close, "Not ready"),
        };
        html! {
            <li data-ready={endpoint.ready.then_some("")}>
                <span title={word}>{ icon(sign) }<span class="unseen">{ word }</span></span>
                <code>{ &endpoint.address }</code>
                <span>{ &endpoint.pod }<small>{ format!(" {}", endpoint.node) }</small></span>
            </li>
        }
    };
    html! {
        <>
            <h4>{ "EndpointSlice " }<code>{ &slice.name }</code></h4>
            if slice.endpoints.is_empty() {
                <p class="none">{ "No endpoints: no ready pod has the labels of the selector." }</p>
            }
            <ul class="endpoints">{ for slice.endpoints.iter().map(endpoint) }</ul>
        </>
    }
}

fn row(name: &'static str, value: String) -> Html {
    html! { <><dt>{ name }</dt><dd>{ value }</dd></> }
}

fn mono(name: &'static str, value: String) -> Html {
    html! { <><dt>{ name }</dt><dd class="mono">{ value }</dd></> }
}

fn history(props: &DetailsProps, about: impl Fn(&&Rc<Event>) -> bool) -> Html {
    let events: Vec<&Rc<Event>> = props.picture.events.iter().filter(about).collect();
    if events.is_empty() {
        return Html::default();
    }
    html! { <><h4>{ "Events" }</h4>{ events::of_one(events.into_iter(), 12) }</> }
}

fn ask(command: String, props: &DetailsProps) -> Html {
    let onclick = props
        .act
        .reform(move |_: MouseEvent| Act::Type(command.clone()));
    html! {
        <div class="acts">
            <button class="button" {onclick}>{ icon(Icon::Terminal) }{ "Type kubectl describe" }</button>
        </div>
    }
}
