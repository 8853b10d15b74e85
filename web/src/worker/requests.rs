//! Requests for the wire: what changed since the page heard of them last.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::rc::Rc;

use lab::Lab;
use lab::views::{self, Fate as LabFate, RequestReader, RequestView, WayView};

use crate::protocol::{Asker, Fate, FromWorker, Met, Request, Station, Way, Writer};

/// Numbers of requests that were asked for begin here: they are none of the world's.
const ASKED: u64 = 1 << 62;

/// The requests the page knows.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    reader: RequestReader,
    told: BTreeMap<u64, Rc<RequestView>>,
    asked: u64,
}

impl Requests {
    /// What the page has to hear of, if anything.
    pub fn news(&mut self, lab: &Lab) -> Option<FromWorker> {
        let now = self.reader.read(lab)?;
        let reset = now.is_empty();
        if reset {
            self.told.clear();
        }
        let is_told = |request: &&Rc<RequestView>| {
            let told = self.told.get(&request.id);
            told.is_some_and(|told| Rc::ptr_eq(told, request))
        };
        let news = now.iter().filter(|request| !is_told(request));
        let requests: Vec<Request> = news.map(|view| request(view, view.id, false)).collect();
        self.told = now.iter().map(|view| (view.id, view.clone())).collect();
        (reset || !requests.is_empty()).then_some(FromWorker::Requests { reset, requests })
    }

    /// Makes a request in a copy of the world.
    pub fn ask(&mut self, lab: &Lab, from: &Asker, to: &str, udp: bool) -> FromWorker {
        let to: Result<SocketAddrV4, _> = to.parse();
        let to = to.map_err(|_| "that is no address with a port".to_owned());
        let from = match from {
            Asker::Machine(name) => views::Asker::Machine(name),
            Asker::Pod(namespace, name) => views::Asker::Pod(namespace, name),
        };
        self.asked += 1;
        let id = ASKED + self.asked;
        let view = to.and_then(|to| views::ask(lab, from, to, udp));
        FromWorker::Asked(view.map(|view| Box::new(request(&view, id, true))))
    }

    /// The page knows nothing any more.
    pub fn forget(&mut self) {
        self.reader = RequestReader::default();
        self.told.clear();
    }
}

fn request(view: &RequestView, id: u64, asked: bool) -> Request {
    let service = view.service.as_ref();
    Request {
        id,
        unix_secs: view.at.unix_secs(),
        command: view.command.clone(),
        service: service.map(|(namespace, name)| (namespace.to_string(), name.to_string())),
        times: view.times,
        asked,
        ways: view.ways.iter().map(way).collect(),
    }
}

fn way(view: &WayView) -> Way {
    let WayView { way, pods } = view;
    Way {
        what: way.what.to_owned(),
        flow: way.flow.to_string(),
        end: way.end.clone(),
        fate: match way.fate {
            LabFate::Arrived => Fate::Arrived,
            LabFate::Refused => Fate::Refused,
            LabFate::Lost => Fate::Lost,
        },
        stations: way
            .stations
            .iter()
            .zip(pods)
            .map(|(at, pod)| station(at, pod))
            .collect(),
    }
}

fn station(view: &views::Station, pod: &Option<(String, String)>) -> Station {
    let name = |link: &Option<Rc<str>>| link.as_deref().map(str::to_owned);
    Station {
        machine: view.machine_name.to_string(),
        netns: view.netns_name.to_string(),
        pod: pod.clone(),
        inbound: name(&view.inbound),
        outbound: name(&view.outbound),
        did: view.did.clone(),
        route: view.route.clone(),
        rules: view.rules.iter().map(met).collect(),
        before: view.before.to_string(),
        after: view.after.to_string(),
    }
}

fn met(view: &views::Met) -> Met {
    Met {
        table: view.table.to_string(),
        chain: view.chain.to_string(),
        number: view.number,
        text: view.text.clone(),
        made: view.made.as_ref().map(ToString::to_string),
        writer: view.writer.as_ref().map(|writer| match writer {
            views::Writer::EveryService => Writer::EveryService,
            views::Writer::Service {
                namespace,
                name,
                endpoint,
            } => Writer::Service {
                namespace: namespace.to_string(),
                name: name.to_string(),
                endpoint: endpoint.map(|endpoint| endpoint.to_string()),
            },
        }),
    }
}
