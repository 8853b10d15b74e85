//! Services, as chips between the tray and the machines.

use std::rc::Rc;

use yew::prelude::*;

use super::scene::is_system;
use crate::panels::icons::{Icon, icon};
use crate::protocol::{Picture, Service};

/// Draws the Services.
pub fn services(picture: &Picture, open: Option<&str>, inspect: &Callback<String>) -> Html {
    let mut all: Vec<&Rc<Service>> = picture.services.values().collect();
    if all.is_empty() {
        return Html::default();
    }
    all.sort_by_key(|service| (is_own(service), &service.namespace, &service.name));
    html! {
        <section class="services" aria-label="Services">
            <h3>{ "Services" }</h3>
            { for all.into_iter().map(|service| chip(service, open, inspect)) }
        </section>
    }
}

/// Whether a Service is the cluster's own.
fn is_own(service: &Service) -> bool {
    is_system(&service.namespace)
        || (service.namespace == "default" && service.name == "kubernetes")
}

fn chip(service: &Rc<Service>, open: Option<&str>, inspect: &Callback<String>) -> Html {
    let uid = service.uid.clone();
    let onclick = inspect.reform(move |_: MouseEvent| uid.clone());
    let (ready, all) = service.ready();
    let outside = service.kind == "ExternalName";
    let count = match (ready, all) {
        _ if outside => "elsewhere".to_owned(),
        (0, 0) => "no endpoints".to_owned(),
        (ready, all) if ready == all => format!("{ready} ready"),
        (ready, all) => format!("{ready} of {all} ready"),
    };
    html! {
        <button class={classes!("service", is_own(service).then_some("quiet"))} key={service.uid.clone()}
            id={element_id(&service.uid)} data-empty={(ready == 0 && !outside).then_some("")}
            aria-haspopup="dialog" aria-expanded={(open == Some(&service.uid)).to_string()}
            title={format!("{} {}", service.kind, service.port_words())} {onclick}>
            { icon(Icon::Service) }
            <span class="who"><span class="ns">{ format!("{}/", service.namespace) }</span>{ &service.name }</span>
            <span class="ip">{ &service.cluster_ip }</span>
            <span class="count">{ count }</span>
        </button>
    }
}

/// The id of a Service's chip in the document.
pub fn element_id(uid: &str) -> String {
    format!("service-{uid}")
}
