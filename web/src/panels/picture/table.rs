//! The picture as tables: the same facts in rows.

use std::rc::Rc;

use yew::prelude::*;

use super::mark::{mark, name};
use crate::protocol::{Machine, Picture, Pod, Service};

/// Draws machines and pods as tables.
pub fn tables(picture: &Picture) -> Html {
    let mut pods: Vec<&Rc<Pod>> = picture.pods.values().collect();
    pods.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    html! {
        <>
            <table class="grid">
                <caption>{ "Machines" }</caption>
                <thead><tr>
                    { for ["Name", "Status", "Role", "Address", "Version", "Not running"].map(head) }
                </tr></thead>
                <tbody>{ for picture.machines.values().map(|machine| machine_row(machine)) }</tbody>
            </table>
            <table class="grid" style="margin-top:var(--space-5)">
                <caption>{ "Services" }</caption>
                <thead><tr>
                    { for ["Namespace", "Name", "Type", "ClusterIP", "Ports", "Endpoints"].map(head) }
                </tr></thead>
                <tbody>{ for picture.services.values().map(|service| service_row(service)) }</tbody>
            </table>
            <table class="grid" style="margin-top:var(--space-5)">
                <caption>{ format!("{} pods", pods.len()) }</caption>
                <thead><tr>
                    { for ["Namespace", "Name", "Ready", "Status", "Restarts", "IP", "Node"].map(head) }
                </tr></thead>
                <tbody>{ for pods.iter().map(|pod| pod_row(pod)) }</tbody>
            </table>
        </>
    }
}

fn head(name: &str) -> Html {
    html! { <th scope="col">{ name }</th> }
}

fn machine_row(machine: &Machine) -> Html {
    let ready = if machine.ready { "Ready" } else { "NotReady" };
    let status = if machine.schedulable {
        ready.to_owned()
    } else {
        format!("{ready},SchedulingDisabled")
    };
    let down = machine.components.iter();
    let down = down.filter(|part| part.started.is_none());
    let down: Vec<&str> = down.map(|part| part.name.as_str()).collect();
    let down = down.join(", ");
    html! {
        <tr key={machine.name.clone()}>
            <td>{ &machine.name }</td><td>{ status }</td><td>{ &machine.role }</td>
            <td>{ &machine.ip }</td><td>{ &machine.version }</td><td>{ down }</td>
        </tr>
    }
}

fn service_row(service: &Service) -> Html {
    let (ready, all) = service.ready();
    html! {
        <tr key={service.uid.clone()}>
            <td>{ &service.namespace }</td><td>{ &service.name }</td><td>{ &service.kind }</td>
            <td>{ &service.cluster_ip }</td><td>{ service.port_words() }</td>
            <td>{ format!("{ready} of {all} ready") }</td>
        </tr>
    }
}

fn pod_row(pod: &Pod) -> Html {
    let none = || "<none>".to_owned();
    html! {
        <tr key={pod.uid.clone()}>
            <td>{ &pod.namespace }</td>
            <td>{ &pod.name }</td>
            <td>{ format!("{}/{}", pod.ready, pod.containers) }</td>
            <td><span class="told" data-state={name(pod.state)}>{ mark(pod.state, None) }{ &pod.status }</span></td>
            <td>{ pod.restarts }</td>
            <td>{ if pod.ip.is_empty() { none() } else { pod.ip.clone() } }</td>
            <td>{ pod.node.clone().unwrap_or_else(none) }</td>
        </tr>
    }
}
