//! Asking webhooks over the network: a request that needs their answers waits for them, and is then
//! judged from its beginning with what they said.
//!
//! Models apiserver/pkg/util/webhook and the REST client that it makes.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use api::{Status, Str, Value, body, body_value, status};
use net::Errno;
use net::http::{Body, Method, Request, Response};
use sim::{Duration, Instant};

use crate::admission;
use crate::effect::{Action, CallId, Cx, Peer};
use crate::server::{ApiServer, Ask, Purpose};
use crate::write::{Origin, Write};

/// How a webhook is told who asks.
const AGENT: &str = "kube-apiserver-admission";

/// What a webhook is to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Which webhook, and in which round it is asked.
    pub(crate) hook: Str,
    /// Its `clientConfig`.
    pub(crate) config: Value,
    /// How long it may think.
    pub(crate) timeout_secs: i64,
    /// The AdmissionReview, but for its uid.
    pub(crate) review: Value,
}

/// A webhook that was asked.
#[derive(Clone, Debug)]
pub(crate) struct Consulted {
    question: Question,
    /// The uid that the answer has to have.
    uid: String,
    /// Nothing while it is being asked.
    outcome: Option<Outcome>,
}

/// What a webhook said, or why it said nothing.
pub(crate) type Outcome = Result<Value, String>;

/// Who waits for answers.
#[derive(Clone, Debug)]
pub(crate) enum Waiting {
    /// A write.
    Write(Box<Write>),
    /// Something that admission is asked about before it is done.
    Gate(Box<Gate>),
}

/// What is to be created or connected to below an object, and what follows if admission allows it.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    /// The creation of `object`.
    pub(crate) write: Box<Write>,
    pub(crate) object: Value,
    pub(crate) then: Then,
}

/// What follows.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// A connection to a kubelet.
    Connect(Box<Ask>),
    /// A pod is tied to a node.
    Bind(Box<Write>),
    /// A pod is evicted.
    Evict(Box<Write>),
}

/// Webhooks that are being asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consultations {
    open: BTreeMap<u64, Open>,
    next: u64,
    /// Until when calls may take.
    limits: BTreeMap<CallId, Instant>,
}

#[derive(Clone, Debug)]
struct Open {
    waiting: Waiting,
    asked: Vec<Consulted>,
}

impl Consultations {
    /// When the next call has taken too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.limits.values().min().copied()
    }
}

impl Write {
    /// What a webhook said to a question, if it was asked.
    pub(crate) fn said(&self, question: &Question) -> Option<(&str, &Outcome)> {
        let same = |one: &&Consulted| {
            one.question.hook == question.hook && one.question.review.same(&question.review)
        };
        let found = self.consulted.iter().find(same)?;
        Some((&found.uid, found.outcome.as_ref()?))
    }
}

impl Waiting {
    fn write(&mut self) -> &mut Write {
        match self {
            Waiting::Write(write) => write,
            Waiting::Gate(gate) => &mut gate.write,
        }
    }
}

/// The stand-in for a refusal while webhooks are asked; nobody sees it.
pub(crate) fn asking() -> Status {
    status::internal("webhooks are being asked")
}

impl ApiServer {
    /// Asks admission about what is below an object, and does what follows if it is allowed.
    pub(crate) fn pass(&mut self, cx: &mut Cx<'_>, mut gate: Box<Gate>) {
        cx.cause = gate.write.cause;
        let Gate { write, object, .. } = &mut *gate;
        let judged = admission::validate(self, write, object, None);
        if !gate.write.asks.is_empty() {
            return self.consult(cx, Waiting::Gate(gate));
        }
        let Gate { write, then, .. } = *gate;
        let done = judged.and_then(|()| match then {
            Then::Connect(ask) => self.pod_connect(cx, &ask, write.kind, write.resource),
            Then::Bind(mut binding) => {
                binding.warnings = write.warnings.clone();
                self.attempt(cx, binding);
                Ok(())
            }
            Then::Evict(mut eviction) => {
                eviction.warnings = write.warnings.clone();
                self.evict(cx, eviction)
            }
        });
        if let (Err(status), Origin::Client(stream, accept)) = (done, &write.origin) {
            self.refuse(cx, *stream, *accept, &status);
        }
    }

    /// Asks what there is to ask; whoever waits goes on when all is answered.
    pub(crate) fn consult(&mut self, cx: &mut Cx<'_>, mut waiting: Waiting) {
        let id = self.consultations.next;
        self.consultations.next += 1;
        let questions = std::mem::take(&mut waiting.write().asks);
        let mut asked = Vec::new();
        for (index, question) in questions.into_iter().enumerate() {
            let uid = self.random.uuid();
            let outcome = match self.destination(&question) {
                Err(why) => Some(Err(why)),
                Ok(addr) => {
                    let request = request(&question, &uid);
                    let purpose = Purpose::Webhook { id, index, addr };
                    let call = self.call(cx, Peer::Kubelet(addr), request, purpose);
                    let secs = u64::try_from(question.timeout_secs).unwrap_or(10);
                    let limit = cx.now + Duration::from_secs(secs);
                    self.consultations.limits.insert(call, limit);
                    None
                }
            };
            asked.push(Consulted {
                question,
                uid,
                outcome,
            });
        }
        self.consultations.open.insert(id, Open { waiting, asked });
        self.go_on(cx, id);
    }

    /// Goes on with who waits, if nothing is on its way any more.
    fn go_on(&mut self, cx: &mut Cx<'_>, id: u64) {
        let Some(open) = self.consultations.open.get(&id) else {
            return;
        };
        if open.asked.iter().any(|one| one.outcome.is_none()) {
            return;
        }
        let Some(Open { mut waiting, asked }) = self.consultations.open.remove(&id) else {
            return;
        };
        waiting.write().consulted.extend(asked);
        match waiting {
            Waiting::Write(write) => self.attempt(cx, write),
            Waiting::Gate(gate) => self.pass(cx, gate),
        }
    }

    /// A webhook was reached and has answered, or could not be.
    pub(crate) fn consulted(
        &mut self,
        cx: &mut Cx<'_>,
        call: CallId,
        (id, index): (u64, usize),
        outcome: Result<&Response, String>,
    ) {
        self.consultations.limits.remove(&call);
        let Some(open) = self.consultations.open.get_mut(&id) else {
            return;
        };
        let Some(asked) = open.asked.get_mut(index) else {
            return;
        };
        asked.outcome = Some(match outcome {
            Err(why) => Err(posting(&asked.question, &why)),
            Ok(response) => read(&asked.question, response),
        });
        self.go_on(cx, id);
    }

    /// The words for a call that did not come about.
    pub(crate) fn unreached(addr: SocketAddrV4, errno: Errno) -> String {
        match errno {
            Errno::ECONNRESET => "EOF".to_owned(),
            errno => format!("dial tcp {addr}: connect: {}", errno.go_message()),
        }
    }

    /// Gives up calls that take too long.
    pub(crate) fn consultations_timer(&mut self, cx: &mut Cx<'_>) {
        let limits = self.consultations.limits.iter();
        let late = limits.filter(|(_, limit)| **limit <= cx.now);
        let late: Vec<CallId> = late.map(|(call, _)| *call).collect();
        for call in late {
            self.consultations.limits.remove(&call);
            if let Some(Purpose::Webhook { id, index, .. }) = self.calls.remove(&call) {
                cx.act(Action::CallReset(call));
                let why = "context deadline exceeded".to_owned();
                self.consulted(cx, call, (id, index), Err(why));
            }
        }
    }

    /// Where a webhook is.
    fn destination(&self, question: &Question) -> Result<SocketAddrV4, String> {
        let failed = |why: String| posting(question, &why);
        let to = question.config.get("service");
        if !to.is_map() {
            return outside(question.config.str("url")).map_err(failed);
        }
        let (namespace, name) = (to.str("namespace"), to.str("name"));
        let port = to.i64_at("port").unwrap_or(443);
        let key = format!("{namespace}/{name}");
        let service = self.resources.lookup("", "services", &key);
        let service = service.ok_or_else(|| failed(format!("service {name:?} not found")))?;
        let ports = service.value.list_at("spec.ports");
        if !ports.iter().any(|one| one.i64_at("port") == Some(port)) {
            return Err(failed(format!(
                "no service port {port} found for service {name:?}"
            )));
        }
        let ip = service.value.str_at("spec.clusterIP");
        match (ip.parse::<Ipv4Addr>(), u16::try_from(port)) {
            (Ok(ip), Ok(port)) => Ok(SocketAddrV4::new(ip, port)),
            _ => Err(failed(format!(
                "dial tcp: lookup {name}.{namespace}.svc: no such host"
            ))),
        }
    }
}

/// The address of a URL with an address in it. Names outside the cluster are asked of nobody.
fn outside(url: &str) -> Result<SocketAddrV4, String> {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let host = rest.split('/').next().unwrap_or_default();
    let (host, port) = host.rsplit_once(':').unwrap_or((host, "443"));
    match (host.parse::<Ipv4Addr>(), port.parse::<u16>()) {
        (Ok(ip), Ok(port)) => Ok(SocketAddrV4::new(ip, port)),
        _ => Err(format!("dial tcp: lookup {host}: no such host")),
    }
}

/// The URL that is called.
fn url(question: &Question) -> String {
    let secs = question.timeout_secs;
    let to = question.config.get("service");
    if !to.is_map() {
        return format!("{}?timeout={secs}s", question.config.str("url"));
    }
    let (namespace, name) = (to.str("namespace"), to.str("name"));
    let port = to.i64_at("port").unwrap_or(443);
    let path = to.str("path").trim_start_matches('/');
    format!("https://{name}.{namespace}.svc:{port}/{path}?timeout={secs}s")
}

/// `Post "https://…": why`
fn posting(question: &Question, why: &str) -> String {
    format!("Post \"{}\": {why}", url(question))
}

fn request(question: &Question, uid: &str) -> Request {
    let url = url(question);
    let rest = url.strip_prefix("https://").unwrap_or(&url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = Request::new(Method::Post, format!("/{path}"))
        .with_header("Host", host.strip_suffix(":443").unwrap_or(host))
        .with_header("User-Agent", AGENT);
    if is_trusted(question) {
        let mut review = question.review.clone();
        review.set("request.uid", uid);
        return request
            .with_header("Content-Type", "application/json")
            .with_header("Accept", "application/json, */*")
            .with_body(body(review));
    }
    request
}

/// Whether the server's certificate is believed: an authority has to be named. Keys and signatures are
/// not modelled, so whose it is decides nothing.
fn is_trusted(question: &Question) -> bool {
    !question.config.str("caBundle").is_empty()
}

fn read(question: &Question, response: &Response) -> Result<Value, String> {
    if !is_trusted(question) {
        let why =
            "tls: failed to verify certificate: x509: certificate signed by unknown authority";
        return Err(posting(question, why));
    }
    let text = match &response.body {
        Body::Empty => String::new(),
        body => body.text().trim().to_owned(),
    };
    if !(200..=206).contains(&response.status) {
        let status = status::generic(response.status, "post", "", "", "", &text);
        return Err(status.message);
    }
    body_value(&response.body).map_err(|error| {
        let why = error.message;
        format!("couldn't get version/kind; json parse error: {why}")
    })
}
