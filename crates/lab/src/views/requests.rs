//! The latest requests of terminals and pods: who asked whom, and the way the packets took.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use commands::netwhy::{Fate, Station, Way, Writer};
use net::Record;
use sim::{Duration, Instant};

use crate::lab::Lab;

/// Requests that are remembered.
const KEPT: usize = 40;
/// What becomes of a packet where it arrives is known within this time.
const SETTLED: Duration = Duration::from_millis(1);
/// An answer comes within this time, or none.
const ANSWER: Duration = Duration::from_millis(1500);

/// A request: a packet that began something, and the answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// Its number.
    pub id: u64,
    /// When it was made last.
    pub at: Instant,
    /// The command that made it.
    pub command: String,
    /// The Service that it was for: namespace and name.
    pub service: Option<(Rc<str>, Rc<str>)>,
    /// How often it was made.
    pub times: u32,
    /// The way there, and the way of the answer if there was one.
    pub ways: Vec<WayView>,
}

/// A way, with the pods on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayView {
    /// The way.
    pub way: Way,
    /// For each station, namespace and name of the pod whose network it is.
    pub pods: Vec<Option<(String, String)>>,
}

/// Who makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker<'a> {
    /// A machine, by its name.
    Machine(&'a str),
    /// A pod, by namespace and name.
    Pod(&'a str, &'a str),
}

/// Reads requests; remembers what it read.
#[derive(Clone, Debug, Default)]
pub struct RequestReader {
    next: u64,
    kept: Vec<Rc<RequestView>>,
}

/// Namespace and name by address.
type Named = BTreeMap<Ipv4Addr, (String, String)>;

/// Whose the addresses of the cluster are.
struct Addresses {
    pods: Named,
    services: Named,
}

impl RequestReader {
    /// A reader that knows nothing of what was before.
    pub fn from_now(lab: &Lab) -> RequestReader {
        RequestReader {
            next: lab.world.net.latest().map_or(0, |latest| latest.next()),
            kept: Vec::new(),
        }
    }

    /// The latest requests, oldest first; none when there is no news.
    pub fn read(&mut self, lab: &Lab) -> Option<&[Rc<RequestView>]> {
        let latest = lab.world.net.latest()?;
        let reset = latest.next() < self.next;
        if reset {
            *self = RequestReader::default();
        }
        let settled = |record: &Record| {
            let last = record.trace.hops.last();
            last.is_none_or(|hop| hop.at + SETTLED < lab.now())
        };
        let mut news = latest
            .since(self.next)
            .take_while(|(_, record)| settled(record))
            .peekable();
        if news.peek().is_none() {
            return reset.then_some(&[]);
        }
        let known = Addresses::of(lab);
        for (number, record) in news {
            self.next = number + 1;
            self.take(number, record, lab, &known);
        }
        let surplus = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..surplus);
        Some(&self.kept)
    }

    fn take(&mut self, number: u64, record: &Record, lab: &Lab, known: &Addresses) {
        let way = Way::of(record, &|machine| lab.world.host(machine).name().clone());
        let stations = way.stations.iter();
        let view = WayView {
            pods: stations
                .map(|station| pod_of(station, lab, &known.pods))
                .collect(),
            way,
        };
        let at = record.trace.hops.last().map_or(lab.now(), |hop| hop.at);
        let open = self
            .kept
            .iter_mut()
            .rev()
            .find(|request| answers(&view.way, request, at));
        if let Some(request) = open {
            Rc::make_mut(request).ways.push(view);
            return;
        }
        if self
            .kept
            .iter()
            .any(|request| echoes(&view.way, request, at))
        {
            return;
        }
        let words = record.command.as_deref().unwrap_or_default();
        let mut request = RequestView {
            id: number,
            at,
            command: words.join(" "),
            service: service_of(&view.way, &known.services),
            times: 1,
            ways: vec![view],
        };
        let known = self.kept.iter().position(|known| again(known, &request));
        if let Some(known) = known.map(|at| self.kept.remove(at)) {
            request.id = known.id;
            request.times = known.times + 1;
        }
        self.kept.push(Rc::new(request));
    }
}

/// Makes a request in a copy of the world, and tells what became of it there.
///
/// # Errors
/// There is no such asker, or it has no network.
pub fn ask(
    lab: &Lab,
    asker: Asker<'_>,
    to: SocketAddrV4,
    udp: bool,
) -> Result<Rc<RequestView>, String> {
    let mut lab = lab.clone();
    lab.world.net.keep_latest();
    let mut reader = RequestReader::from_now(&lab);
    let udp = if udp { "u" } else { "" };
    let command: Rc<str> = format!("nc -z{udp}w1 {} {}", to.ip(), to.port()).into();
    let run = match asker {
        Asker::Machine(machine) => lab.run_at_terminal(machine, &command)?,
        Asker::Pod(namespace, pod) => lab.run_in_pod(namespace, pod, &command)?,
    };
    let end = lab.now() + ANSWER;
    lab.step_run(run, end, u64::MAX);
    lab.advance((lab.now() + SETTLED + SETTLED).min(end), u64::MAX);
    let requests = reader.read(&lab).unwrap_or_default();
    let made = |request: &&Rc<RequestView>| request.command == *command;
    let made = requests.iter().find(made).cloned();
    made.ok_or_else(|| "no packet was sent: there is no route to that address".to_owned())
}

impl Addresses {
    fn of(lab: &Lab) -> Addresses {
        let objects = lab.objects();
        let named = |resource: &str, path: &str| -> Named {
            let own = objects.list(resource).into_iter();
            let own = own.filter(|object| !object.bool_at("spec.hostNetwork"));
            own.filter_map(|object| {
                let ip = object.str_at(path).parse().ok()?;
                Some((
                    ip,
                    (object.namespace().to_owned(), object.name().to_owned()),
                ))
            })
            .collect()
        };
        Addresses {
            pods: named("pods", "status.podIP"),
            services: named("services", "spec.clusterIP"),
        }
    }
}

fn pod_of(station: &Station, lab: &Lab, pods: &Named) -> Option<(String, String)> {
    if lab.world.host(station.machine).netns == station.netns {
        return None;
    }
    let space = lab.world.net.netns(station.netns)?;
    let mut own = pods.iter().filter(|(ip, _)| space.is_local(**ip));
    own.next().map(|(_, pod)| pod.clone())
}

/// The Service that a packet is for: by the rules it met, or by its address alone where the connection
/// was known and met none.
fn service_of(way: &Way, services: &Named) -> Option<(Rc<str>, Rc<str>)> {
    let mut rules = way.stations.iter().flat_map(|station| &station.rules);
    let by_rule = rules.find_map(|met| match &met.writer {
        Some(Writer::Service {
            namespace, name, ..
        }) => Some((namespace.clone(), name.clone())),
        _ => None,
    });
    by_rule.or_else(|| {
        let (namespace, name) = services.get(way.flow.flow.dst.ip())?;
        Some((namespace.as_str().into(), name.as_str().into()))
    })
}

/// Whether a packet is the answer to a request that has none yet.
fn answers(way: &Way, request: &RequestView, at: Instant) -> bool {
    let [asked] = request.ways.as_slice() else {
        return false;
    };
    let last = asked.way.stations.last();
    let sent = asked.way.flow.flow;
    let came = last.map_or(sent, |station| station.after.flow);
    let back = way.flow.flow;
    let reversed = (back.src, back.dst) == (came.dst, came.src);
    let refused = way.what == "ICMP error" && asked.way.fate != Fate::Arrived;
    let told = refused && back.dst.ip() == came.src.ip();
    (reversed || told) && at.since(request.at) < ANSWER
}

/// Whether a packet answers what a request asked, though not in its latest shape: a resolver sends two
/// questions before it has an answer.
fn echoes(way: &Way, request: &RequestView, at: Instant) -> bool {
    let last = request
        .ways
        .first()
        .and_then(|asked| asked.way.stations.last());
    last.is_some_and(|last| {
        let (came, back) = (last.after.flow, way.flow.flow);
        (back.src, back.dst.ip()) == (came.dst, came.src.ip()) && at.since(request.at) < ANSWER
    })
}

/// Whether `request` is `known`, made once more.
fn again(known: &RequestView, request: &RequestView) -> bool {
    let (Some(old), Some(new)) = (known.ways.first(), request.ways.first()) else {
        return false;
    };
    let place = |way: &Way| way.stations.first().map(|first| first.netns);
    known.command == request.command
        && place(&old.way) == place(&new.way)
        && (old.way.what, old.way.flow.flow.dst) == (new.way.what, new.way.flow.flow.dst)
}
