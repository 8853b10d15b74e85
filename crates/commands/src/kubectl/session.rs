//! One run of kubectl: its flags' effect on where requests go and as whom, and the requests.
//!
//! Models cli-runtime's ConfigFlags and client-go's rest.Request as far as they are seen.

use std::cell::{Cell, RefCell};
use std::net::SocketAddrV4;
use std::rc::Rc;

use api::{Value, body_value};
use client::kubeconfig::{self, Access, Picks};
use machine::{Fd, Io};
use net::Errno;
use net::http::{Body, Frame, Message, Method, Request, Response};

use super::config_files::{ConfigFiles, Missing, find};
use super::failure::{Failure, Outcome};
use super::flags::Line;
use super::trace;

/// kubectl gives up connecting after this long.
const DIAL_TIMEOUT: sim::Duration = sim::Duration::from_secs(30);

/// What a request accepts.
pub(crate) const JSON: &str = "application/json";
/// What a request accepts that will be printed as a table.
pub(crate) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

/// A request, before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) accept: &'static str,
    /// Media type and contents; a string is sent as it is.
    pub(crate) body: Option<(&'static str, Value)>,
}

impl Call {
    /// `GET target` for JSON.
    pub(crate) fn get(target: impl Into<String>) -> Call {
        Call {
            method: Method::Get,
            target: target.into(),
            accept: JSON,
            body: None,
        }
    }

    /// A request with a JSON body.
    pub(crate) fn send(method: Method, target: impl Into<String>, body: Value) -> Call {
        Call {
            method,
            target: target.into(),
            accept: JSON,
            body: Some((JSON, body)),
        }
    }
}

/// A run of kubectl.
pub(crate) struct Session {
    pub(crate) io: Io,
    /// Where requests go, and as whom.
    pub(crate) access: Access,
    /// The namespace of the command.
    pub(crate) namespace: String,
    /// Whether it was named on the command line.
    pub(crate) namespace_given: bool,
    /// `kubectl/v1.36.2`: the program, and the release it is of.
    agent: Rc<str>,
    line: Line,
    conn: Cell<Option<Fd>>,
    /// Whether an object was printed already.
    pub(super) printed: Cell<bool>,
    next_stream: Cell<u32>,
    discovered: RefCell<Option<Rc<super::discovery::Discovery>>>,
    /// How many of its warnings were printed.
    told: Cell<usize>,
}

impl Session {
    /// Reads the configuration a command line asks for.
    pub(crate) async fn open(io: &Io, line: &Line) -> Outcome<Session> {
        let access = access(io, line).await?;
        let session = Session::with(io, line, access).await;
        if line.has("v") {
            let files = ConfigFiles::read(io, line, Missing::IsAnError).await?;
            trace::start(&session, &files.read_paths()).await;
        }
        Ok(session)
    }

    /// The run of a verb. One that reads and writes the configuration itself bears a broken one.
    pub(crate) async fn of_verb(io: &Io, line: &Line, verb: &str) -> Outcome<Session> {
        match verb.starts_with("config ") {
            true => Ok(Session::with(io, line, Access::default()).await),
            false => Session::open(io, line).await,
        }
    }

    async fn with(io: &Io, line: &Line, access: Access) -> Session {
        let release = io.sys(|sys| sys.version()).await;
        let agent = format!("{}/{release}", crate::io::own_name(io)).into();
        let given = line
            .get("namespace")
            .filter(|n| !n.is_empty())
            .map(str::to_owned);
        let namespace_given = given.is_some();
        let namespace = given.unwrap_or_else(|| match &*access.namespace {
            "" => "default".to_owned(),
            namespace => namespace.to_owned(),
        });
        Session {
            io: io.clone(),
            access,
            namespace,
            namespace_given,
            agent,
            line: line.clone(),
            conn: Cell::new(None),
            printed: Cell::new(false),
            next_stream: Cell::new(1),
            discovered: RefCell::new(None),
            told: Cell::new(0),
        }
    }

    /// Sends a request and gives its answer as an object. A Status of failure is a failure.
    pub(crate) async fn call(&self, call: Call) -> Outcome<Value> {
        let (response, _) = self.begin(call).await?;
        self.print_warnings(&response).await;
        let value = body_value(&response.body)
            .map_err(|_| Failure::message("the server's answer is no JSON"))?;
        if response.status >= 400 {
            Err(failed(&response, value))
        } else {
            Ok(value)
        }
    }

    /// `GET target` as text (logs, raw paths).
    pub(crate) async fn text(&self, target: &str) -> Outcome<Vec<u8>> {
        let (response, stream) = self.begin(Call::get(target)).await?;
        if response.status >= 400 {
            return Err(failed(
                &response,
                body_value(&response.body).unwrap_or_default(),
            ));
        }
        let mut text = response.body.bytes().to_vec();
        if response.more {
            while let Some(part) = self.next_part(stream).await? {
                text.extend_from_slice(&part.bytes());
            }
        }
        Ok(text)
    }

    /// Sends a request whose answer goes on in parts ([`Session::next_part`]).
    pub(crate) async fn stream(&self, call: Call) -> Outcome<(Rc<Response>, u32)> {
        let (response, stream) = self.begin(call).await?;
        if response.status >= 400 {
            return Err(failed(
                &response,
                body_value(&response.body).unwrap_or_default(),
            ));
        }
        Ok((response, stream))
    }

    /// The same of a request that changes the protocol; a refusal is quoted.
    pub(crate) async fn upgrade(&self, call: Call) -> Outcome<(Rc<Response>, u32)> {
        let (response, stream) = self.begin(call).await?;
        if response.status < 400 {
            return Ok((response, stream));
        }
        let value = body_value(&response.body).unwrap_or_default();
        let text = match value.kind() {
            "Status" => value.str("message").to_owned(),
            _ => String::from_utf8_lossy(&response.body.bytes()).into_owned(),
        };
        Err(Failure::message(format!(
            "unable to upgrade connection: {}",
            text.trim()
        )))
    }

    /// The next part of a streamed answer; `None` at its end.
    pub(crate) async fn next_part(&self, stream: u32) -> Outcome<Option<Body>> {
        let Some(fd) = self.conn.get() else {
            return Ok(None);
        };
        loop {
            let payload = self
                .io
                .recv(fd)
                .await
                .map_err(|errno| self.lost("", errno))?;
            let Some(payload) = payload else {
                return Ok(None);
            };
            let Some(message) = payload.downcast_rc::<Message>() else {
                continue;
            };
            if message.stream == stream {
                match &message.frame {
                    Frame::Data(body) => return Ok(Some(body.clone())),
                    Frame::End | Frame::Reset => return Ok(None),
                    _ => {}
                }
            }
        }
    }

    /// Gives a streamed answer up, as a cancelled request does: the server works for it no more.
    pub(crate) async fn cancel(&self, stream: u32) {
        if let Some(fd) = self.conn.get() {
            // Where the connection is lost, so is the stream.
            let _ = self
                .io
                .send(fd, Message::payload(stream, Frame::Reset))
                .await;
        }
    }

    /// Gives a broken connection up; the next request makes another.
    pub(crate) async fn forget(&self) {
        if let Some(fd) = self.conn.take() {
            self.io.close(fd).await;
        }
    }

    /// The connection that streams travel on, for commands that read and write at once.
    pub(crate) fn connection(&self) -> Option<Fd> {
        self.conn.get()
    }

    /// What the server serves; asked once.
    pub(crate) async fn discovery(&self) -> Outcome<Rc<super::discovery::Discovery>> {
        if let Some(known) = self.discovered.borrow().clone() {
            return Ok(known);
        }
        let found = match super::discovery::discover(self).await {
            Ok(found) => {
                let groups = || found.groups();
                super::unreachable::remember(self, &self.line, groups).await;
                Rc::new(found)
            }
            Err(failure) => return Err(super::unreachable::told(self, &self.line, failure).await),
        };
        *self.discovered.borrow_mut() = Some(found.clone());
        Ok(found)
    }

    /// `172.30.1.2:6443`.
    pub(crate) fn host(&self) -> String {
        let rest = self
            .access
            .server
            .split_once("://")
            .map_or(&*self.access.server, |(_, r)| r);
        rest.split('/').next().unwrap_or(rest).to_owned()
    }

    /// Sends a request and does not wait for its answer, for commands that attend to several
    /// exchanges at once: the connection, and the number of the exchange on it.
    pub(crate) async fn send(&self, request: Request) -> Outcome<(Fd, u32)> {
        let target = request.target.clone();
        let (fd, stream) = self.exchange(&target).await?;
        let frame = Frame::Request(Rc::new(request));
        let sent = self.io.send(fd, Message::payload(stream, frame)).await;
        sent.map_err(|errno| self.lost(&target, errno))?;
        Ok((fd, stream))
    }

    /// The connection, made if there is none yet, and the number of the next exchange on it.
    async fn exchange(&self, target: &str) -> Outcome<(Fd, u32)> {
        let fd = match self.conn.get() {
            Some(fd) => fd,
            None => {
                let fd = self
                    .io
                    .connect(self.addr()?, Some(DIAL_TIMEOUT))
                    .await
                    .map_err(|errno| self.lost(target, errno))?;
                self.conn.set(Some(fd));
                fd
            }
        };
        let stream = self.next_stream.get();
        self.next_stream.set(stream + 2);
        Ok((fd, stream))
    }

    async fn begin(&self, call: Call) -> Outcome<(Rc<Response>, u32)> {
        self.tell_of_words().await;
        let (fd, stream) = self.exchange(&call.target).await?;
        let request = self.request(&call);
        if self.verbosity() < trace::ANSWERS {
            return match self.io.http_on(fd, stream, request).await {
                Ok(response) => Ok((response, stream)),
                Err(errno) => Err(self.cut(fd, &call, errno).await),
            };
        }
        trace::request(self, &request).await;
        let start = self.io.now().await;
        match self.io.http_on(fd, stream, request.clone()).await {
            Ok(response) => {
                let took = self.io.now().await.since(start);
                trace::response(self, &request, &response, took.as_millis()).await;
                Ok((response, stream))
            }
            Err(errno) => Err(self.cut(fd, &call, errno).await),
        }
    }

    /// What is to be said of words that mean more than one thing, once each.
    async fn tell_of_words(&self) {
        let known = self.discovered.borrow().clone();
        while let Some(text) = known
            .as_ref()
            .and_then(|known| known.warning(self.told.get()))
        {
            self.told.set(self.told.get() + 1);
            self.io.eprint(&format!("Warning: {text}\n")).await;
        }
    }

    /// Gives a connection up that broke.
    async fn cut(&self, fd: Fd, call: &Call, errno: Errno) -> Failure {
        self.io.close(fd).await;
        self.conn.set(None);
        self.lost(&call.target, errno)
    }

    /// How much `-v` wants to see.
    pub(crate) fn verbosity(&self) -> u32 {
        self.line.text("v").parse().unwrap_or(0)
    }

    /// A line of the log on standard error: `I1121 01:35:44.584773   12553 file.go:1] text`.
    pub(crate) async fn klog(&self, place: &str, text: &str) {
        self.klog_as('I', place, text).await;
    }

    /// The same of an error: the line begins with `E`.
    pub(crate) async fn klog_error(&self, place: &str, text: &str) {
        self.klog_as('E', place, text).await;
    }

    /// The same of a warning: the line begins with `W`.
    pub(crate) async fn klog_warning(&self, place: &str, text: &str) {
        self.klog_as('W', place, text).await;
    }

    /// The same of what ends the command: the line begins with `F`.
    pub(crate) async fn klog_fatal(&self, place: &str, text: &str) {
        self.klog_as('F', place, text).await;
    }

    async fn klog_as(&self, severity: char, place: &str, text: &str) {
        let (now, pid) = self.io.sys(|sys| (sys.now(), sys.pid())).await;
        let c = now.civil();
        let line = format!(
            "{severity}{:02}{:02} {:02}:{:02}:{:02}.{:06} {pid:>7} {place}] {text}\n",
            c.month,
            c.day,
            c.hour,
            c.minute,
            c.second,
            now.subsec_nanos() / 1000,
        );
        self.io.eprint(&line).await;
    }

    /// A call as the request that is sent.
    pub(crate) fn request(&self, call: &Call) -> Request {
        let mut request = Request::new(call.method, call.target.as_str());
        request.headers.set("Accept", call.accept);
        request.headers.set(
            "User-Agent",
            format!("{} (linux/amd64) kubernetes/0b6b32d", self.agent),
        );
        if let Some((media_type, value)) = &call.body {
            request.headers.set("Content-Type", *media_type);
            request.body = match value {
                Value::Str(text) => Body::Bytes(text.as_bytes().into()),
                value => api::body(value.clone()),
            };
        }
        self.identify(&mut request);
        request
    }

    /// Says in a request whose it is.
    pub(crate) fn identify(&self, request: &mut Request) {
        if let Some(token) = &self.access.identity.token {
            request
                .headers
                .set("Authorization", format!("Bearer {token}"));
        }
        if let Some(user) = self.line.get("as") {
            request.headers.set("Impersonate-User", user);
        }
        for group in self.line.all("as-group") {
            request.headers.add("Impersonate-Group", group.as_str());
        }
        if let Some(uid) = self.line.get("as-uid") {
            request.headers.set("Impersonate-Uid", uid);
        }
        for extra in self.line.all("as-user-extra") {
            if let Some((key, value)) = extra.split_once('=') {
                request
                    .headers
                    .add(&format!("Impersonate-Extra-{key}"), value);
            }
        }
        if let Some(user) = self.line.get("username") {
            let pair = format!("{user}:{}", self.line.text("password"));
            let pair = crate::base64::encode(pair.as_bytes());
            request
                .headers
                .set("Authorization", format!("Basic {pair}"));
        }
        request.peer = self.access.identity.certificate.clone();
    }

    async fn print_warnings(&self, response: &Response) {
        for (name, value) in response.headers.iter() {
            if name.eq_ignore_ascii_case("Warning") {
                // `299 - "text"`
                let text = value.splitn(3, ' ').nth(2).unwrap_or(value);
                let inner = text
                    .strip_prefix('"')
                    .and_then(|text| text.strip_suffix('"'));
                let text = inner
                    .unwrap_or(text)
                    .replace("\\\"", "\"")
                    .replace("\\\\", "\\");
                self.io.eprint(&format!("Warning: {text}\n")).await;
            }
        }
    }

    fn addr(&self) -> Outcome<SocketAddrV4> {
        self.access.addr().ok_or_else(|| {
            Failure::Plain(format!(
                "Unable to connect to the server: dial tcp: lookup {}: no such host",
                self.host().split(':').next().unwrap_or_default()
            ))
        })
    }

    fn lost(&self, target: &str, errno: Errno) -> Failure {
        let url = format!("{}{target}", self.access.server);
        Failure::Connection {
            host: self.host(),
            url,
            errno,
        }
    }
}

fn failed(response: &Response, value: Value) -> Failure {
    if value.kind() == "Status" {
        return Failure::Status(value);
    }
    let text = String::from_utf8_lossy(&response.body.bytes()).into_owned();
    Failure::Plain(format!("Error from server: {}", text.trim()))
}

async fn access(io: &Io, line: &Line) -> Outcome<Access> {
    let given = |name: &str| line.global(name).filter(|text| !text.is_empty());
    let files = ConfigFiles::read(io, line, Missing::IsAnError).await?;
    let config = files.merged();
    // Files the configuration names are read first; a tool may not read inside a closure.
    let mut contents = std::collections::BTreeMap::new();
    for entry in config.list_at("users") {
        for key in ["client-certificate", "tokenFile"] {
            let name = entry.get("user").str(key);
            if !name.is_empty()
                && let Ok(text) = io.read_to_string(name).await
            {
                contents.insert(name.to_owned(), text);
            }
        }
    }
    let current = given("context").unwrap_or(config.str("current-context"));
    if !current.is_empty() && find(&config, "contexts", current).is_none() {
        return Err(Failure::Plain(format!(
            "Error in configuration: context was not found for specified context: {current}"
        )));
    }
    if let Some(cluster) = given("cluster")
        && find(&config, "clusters", cluster).is_none()
    {
        let why = format!("no server found for cluster {cluster:?}");
        return Err(Failure::message(why));
    }
    check_timeout(line)?;
    refuse_parts(io, line, &config, current).await?;
    let picks = Picks {
        context: given("context"),
        cluster: given("cluster"),
        // The bindings' own flag of this name says who is bound.
        user: given("user").filter(|_| !line.command.ends_with("rolebinding")),
    };
    let resolved = kubeconfig::resolve_picked(&config, picks, |name| contents.get(name).cloned());
    let mut access = resolved.map_err(Failure::message)?;
    if let Some(server) = given("server") {
        access.server = match server.contains("://") {
            true => server.into(),
            false => format!("http://{server}").into(),
        };
    }
    if access.server.is_empty() {
        // Inside a pod the service account says where the cluster is.
        in_cluster(io, &mut access).await;
    }
    if access.server.is_empty() {
        access.server = "http://localhost:8080".into();
    }
    if let Some(token) = line.get("token") {
        // A certificate is sent as well, and counts first.
        access.identity.token = Some(token.into());
    }
    Ok(access)
}

/// Refuses groups without a user whom they are of, and files that are not there.
async fn refuse_parts(io: &Io, line: &Line, config: &Value, context: &str) -> Outcome {
    let given = |name: &str| line.global(name).filter(|text| !text.is_empty());
    let context = find(config, "contexts", context).map(|entry| entry.get("context"));
    let part = |flag: &str| {
        given(flag)
            .or_else(|| Some(context?.str(flag)))
            .unwrap_or_default()
    };
    // The bindings' own flag of this name says who is bound.
    let user = match line.command.ends_with("rolebinding") {
        true => context.map_or("", |context| context.str("user")),
        false => part("user"),
    };
    let more = ["as-group", "as-uid", "as-user-extra"];
    if line.text("as").is_empty() && more.iter().any(|flag| !line.text(flag).is_empty()) {
        return Err(Failure::message(format!(
            "requesting uid, groups or user-extra for {user} without impersonating a user"
        )));
    }
    let cluster = part("cluster");
    for (flag, what, list, inner, of) in [
        ("client-certificate", "client-cert", "users", "user", user),
        ("client-key", "client-key", "users", "user", user),
        (
            "certificate-authority",
            "certificate-authority",
            "clusters",
            "cluster",
            cluster,
        ),
    ] {
        let entry = find(config, list, of).map(|entry| entry.get(inner));
        let inline = entry.is_some_and(|entry| entry.has(&format!("{flag}-data")));
        let own = entry.map_or("", |entry| entry.str(flag));
        let path = given(flag).unwrap_or(if inline { "" } else { own });
        if path.is_empty() {
            continue;
        }
        if let Err(errno) = io.read_file(path).await {
            let why = errno.message().to_lowercase();
            return Err(Failure::message(format!(
                "unable to read {what} {path} for {of} due to open {path}: {why}"
            )));
        }
    }
    Ok(())
}

/// `--request-timeout` is a number of seconds or a duration.
fn check_timeout(line: &Line) -> Outcome {
    let text = line.get("request-timeout").unwrap_or("0");
    match text.parse::<u32>().is_ok() || api::time::parse_go_duration(text).is_some() {
        true => Ok(()),
        false => Err(Failure::message(
            "Invalid timeout value. Timeout must be a single integer in seconds, or an integer \
             followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
        )),
    }
}

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

async fn in_cluster(io: &Io, access: &mut Access) {
    let (Some(host), Some(port)) = (
        io.env("KUBERNETES_SERVICE_HOST"),
        io.env("KUBERNETES_SERVICE_PORT"),
    ) else {
        return;
    };
    let Ok(token) = io.read_to_string(&format!("{ACCOUNT}/token")).await else {
        return;
    };
    access.server = format!("https://{host}:{port}").into();
    access.identity.token = Some(token.trim().into());
    if let Ok(namespace) = io.read_to_string(&format!("{ACCOUNT}/namespace")).await {
        access.namespace = namespace.trim().into();
    }
}
