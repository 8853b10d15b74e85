//! Transfers: from a URL to the last byte of its answer, redirects included.
//! Models lib/http.c and the error sentences of lib/strerror.c.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use client::certificate::Certificate;
use machine::{Errno, Fd, Io};
use net::http::{Body, Headers, Method, Request, Response, percent_encode, reason};
use sim::Instant;

use super::options::Given;
use super::output::Output;
use super::report::{self, Report};
use crate::fetch::{self, Exchange, Fault, Part};
use crate::resolve;
use crate::url::Url;

/// What went wrong, with curl's number for it.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// The exit code.
    pub(super) code: i32,
    /// The sentence behind the code.
    pub(super) message: String,
    /// The transfer up to there.
    pub(super) report: Box<Report>,
    /// Whether the connection was refused.
    pub(super) refused: bool,
}

impl Failure {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
            report: Box::default(),
            refused: false,
        }
    }
}

/// Options, the body to send, and the connection that may be used again.
pub(super) struct Session {
    io: Io,
    /// The options.
    pub(super) given: Given,
    body: Option<Rc<[u8]>>,
    pool: Option<Pooled>,
    made: u32,
}

#[derive(Clone, Debug)]
struct Pooled {
    addr: SocketAddrV4,
    host: String,
    fd: Fd,
    stream: u32,
    number: u32,
}

/// Points of time a transfer is measured against.
#[derive(Clone, Copy, Debug)]
struct Clock {
    begun: Instant,
    end: Option<Instant>,
}

/// How one request went.
enum Answer {
    Done,
    /// Go there instead.
    Redirect(Url),
}

const TRUST: &str = "SSL certificate problem: unable to get local issuer certificate
More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the web page mentioned above.";

impl Session {
    /// A session without connections.
    pub(super) fn new(io: Io, given: Given) -> Session {
        Session {
            io,
            given,
            body: None,
            pool: None,
            made: 0,
        }
    }

    /// Reads what is to be sent.
    pub(super) async fn prepare(&mut self) -> Result<(), Failure> {
        let names = [
            "data",
            "data-ascii",
            "data-binary",
            "data-raw",
            "data-urlencode",
            "json",
        ];
        let mut body: Option<Vec<u8>> = None;
        for (name, text) in self.given.of(&names) {
            let part = self.data(name, &text).await?;
            match &mut body {
                Some(body) => {
                    if name != "json" {
                        body.push(b'&');
                    }
                    body.extend(part);
                }
                None => body = Some(part),
            }
        }
        if let Some(path) = self.given.value("upload-file") {
            let read = crate::io::slurp(&self.io, path).await;
            body = Some(read.map_err(|_| {
                Failure::new(
                    26,
                    format!("Failed to open/read local data from file/application: {path}"),
                )
            })?);
        }
        self.body = body.map(Rc::from);
        Ok(())
    }

    /// One `-d` and its like.
    async fn data(&self, name: &str, text: &str) -> Result<Vec<u8>, Failure> {
        let file = |path: &str| {
            let path = path.to_owned();
            async move {
                let read = crate::io::slurp(&self.io, &path).await;
                read.map_err(|_| Failure::new(26, format!("Failed to open {path}")))
            }
        };
        match name {
            "data-raw" => Ok(text.as_bytes().to_vec()),
            "data-urlencode" => {
                let (name, content) = match text.find(['=', '@']) {
                    Some(at) if text[at..].starts_with('@') => {
                        (&text[..at], file(&text[at + 1..]).await?)
                    }
                    Some(at) => (&text[..at], text.as_bytes()[at + 1..].to_vec()),
                    None => ("", text.as_bytes().to_vec()),
                };
                let encoded = percent_encode(&String::from_utf8_lossy(&content));
                let equals = if name.is_empty() { "" } else { "=" };
                Ok(format!("{name}{equals}{encoded}").into_bytes())
            }
            name => match text.strip_prefix('@') {
                Some(path) => {
                    let mut bytes = file(path).await?;
                    if matches!(name, "data" | "data-ascii") {
                        bytes.retain(|byte| !matches!(byte, b'\n' | b'\r'));
                    }
                    Ok(bytes)
                }
                None => Ok(text.as_bytes().to_vec()),
            },
        }
    }

    /// Closes the connection that was kept.
    pub(super) async fn close(&mut self) {
        if let Some(pooled) = self.pool.take() {
            self.io.close(pooled.fd).await;
        }
    }

    /// A transfer: progress table, requests, output.
    pub(super) async fn run(&mut self, url: &str, output: &mut Output) -> Result<Report, Failure> {
        let io = self.io.clone();
        let begun = io.now().await;
        let limit = self.given.seconds("max-time");
        let clock = Clock {
            begun,
            end: limit.map(|limit| begun + limit),
        };
        let quiet = self.given.on("silent") || self.given.on("no-progress-meter");
        let table = !quiet && !output.is_terminal(&io).await;
        let mut report = Report {
            url: url.into(),
            ..Report::default()
        };
        if table {
            let first = report::line(&report);
            io.eprint(&format!("{}{first}", report::TITLE)).await;
        }
        let result = self.follow(url, output, clock, &mut report).await;
        report.total = io.now().await.since(begun);
        if table {
            io.eprint(&format!("{}\n", report::line(&report))).await;
        }
        match result {
            Ok(()) => {
                output.finish(&io).await;
                Ok(report)
            }
            Err(failure) => Err(Failure {
                report: Box::new(report),
                ..failure
            }),
        }
    }

    async fn follow(
        &mut self,
        text: &str,
        output: &mut Output,
        clock: Clock,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let bad = |bad: crate::url::Bad| Failure::new(3, bad.message());
        let mut url = Url::parse(text).map_err(bad)?;
        if self.given.on("get")
            && let Some(body) = self.body.take()
        {
            let more = String::from_utf8_lossy(&body).into_owned();
            url.query = Some(match url.query.take() {
                Some(query) => format!("{query}&{more}"),
                None => more,
            });
        }
        if let Some(file) = self
            .given
            .value("upload-file")
            .filter(|_| url.file_name().is_empty())
        {
            url.path.push_str(crate::io::split_path(file).1);
        }
        let mut method = self.method();
        let limit: i64 = self.given.number("max-redirs").unwrap_or(50);
        loop {
            report.url = url.to_string().into();
            report.scheme = url.scheme.to_uppercase().into();
            report.method = method.as_str().into();
            if url.scheme == "telnet" {
                return self.telnet(&url, output, clock, report).await;
            }
            if !matches!(url.scheme.as_str(), "http" | "https") {
                let why = format!(
                    "Protocol \"{}\" not supported or disabled in libcurl",
                    url.scheme
                );
                return Err(Failure::new(1, why));
            }
            match self.request(&url, &method, output, clock, report).await? {
                Answer::Done => return Ok(()),
                Answer::Redirect(to) => {
                    if i64::from(report.redirects) == limit && limit >= 0 {
                        return Err(Failure::new(
                            47,
                            format!("Maximum ({limit}) redirects followed"),
                        ));
                    }
                    let so_far = self.io.now().await.since(clock.begun);
                    report.redirecting = so_far;
                    report.redirects += 1;
                    self.tell(&format!("Issue another request to this URL: '{to}'"))
                        .await;
                    // As browsers do; 307 and 308 keep the method.
                    if matches!(report.code, 301..=303)
                        && method == "POST"
                        && !self.given.on("request")
                    {
                        method = "GET".to_owned();
                        self.body = None;
                    }
                    url = to;
                }
            }
        }
    }

    fn method(&self) -> String {
        if let Some(method) = self.given.value("request") {
            return method.to_string();
        }
        let method = if self.given.on("head") {
            "HEAD"
        } else if self.given.on("upload-file") {
            "PUT"
        } else if self.body.is_some() {
            "POST"
        } else {
            "GET"
        };
        method.to_owned()
    }

    /// One request and its answer.
    async fn request(
        &mut self,
        url: &Url,
        method: &str,
        output: &mut Output,
        clock: Clock,
        report: &mut Report,
    ) -> Result<Answer, Failure> {
        let Some(verb) = Method::parse(method) else {
            let what = sim::unmodelled!("this request method");
            return Err(Failure::new(1, format!("{method}: {what}")));
        };
        let peer = if url.scheme == "https" {
            self.identity().await?
        } else {
            None
        };
        let conn = self.connection(url, clock, report).await?;
        if url.scheme == "https" {
            self.secure(&conn, report, clock).await?;
        }
        let h2 = url.scheme == "https" && !self.given.on("http1.1");
        let mut request = Request::new(verb, url.target());
        request.headers = self.headers(url);
        request.peer = peer;
        if let Some(body) = &self.body {
            request.body = Body::from(body.clone());
        }
        self.show_request(&request, h2, output).await;
        report.request += request.size();
        report.sent += request.body.size();
        report.pretransfer = self.io.now().await.since(clock.begun);
        let by = clock.end;
        let begun = Exchange::begin(&self.io, conn.fd, conn.stream, request, by).await;
        let mut exchange = match begun {
            Ok(exchange) => exchange,
            Err(fault) => return Err(self.broken(fault, &conn, clock, report).await),
        };
        let mut target = None;
        let mut skips = false;
        loop {
            let part = match exchange.next(&self.io).await {
                Ok(part) => part,
                Err(fault) => return Err(self.broken(fault, &conn, clock, report).await),
            };
            match part {
                Part::Head(response) => {
                    report.first = self.io.now().await.since(clock.begun);
                    target = self.head(url, &response, h2, output, report).await?;
                    skips = target.is_some();
                    if response.status >= 400 && self.given.on("fail") {
                        let why = format!("The requested URL returned error: {}", response.status);
                        self.tell(&why).await;
                        self.drop(&conn).await;
                        return Err(Failure::new(22, why));
                    }
                }
                Part::Data(_) if skips || verb == Method::Head => {}
                Part::Data(bytes) => {
                    report.received += bytes.len() as u64;
                    if self.given.on("verbose") && !output.is_terminal(&self.io).await {
                        self.io
                            .eprint(&format!("{{ [{} bytes data]\n", bytes.len()))
                            .await;
                    }
                    output.write(&self.io, &bytes, report).await?;
                }
                Part::End => break,
                Part::Garbage => {
                    self.tell("Received HTTP/0.9 when not allowed").await;
                    self.drop(&conn).await;
                    return Err(Failure::new(1, "Received HTTP/0.9 when not allowed"));
                }
            }
        }
        self.keep(conn, exchange.framed).await;
        if report.code >= 400 && self.given.on("fail-with-body") {
            let why = format!("The requested URL returned error: {}", report.code);
            return Err(Failure::new(22, why));
        }
        Ok(target.map_or(Answer::Done, Answer::Redirect))
    }

    /// A connection to where the URL leads: the one at hand, or a new one.
    async fn connection(
        &mut self,
        url: &Url,
        clock: Clock,
        report: &mut Report,
    ) -> Result<Pooled, Failure> {
        let ip = self.address(url).await?;
        let addr = SocketAddrV4::new(ip, url.port());
        let since = |now: Instant| now.since(clock.begun);
        report.lookup = since(self.io.now().await);
        report.remote = Some(addr);
        if let Some(pooled) = self.pool.take() {
            if pooled.addr == addr && pooled.host == url.host {
                let text = format!("Re-using existing connection with host {}", url.host);
                self.tell(&text).await;
                report.connect = report.lookup;
                return Ok(Pooled {
                    stream: pooled.stream + 2,
                    ..pooled
                });
            }
            self.io.close(pooled.fd).await;
        }
        self.tell(&format!("  Trying {addr}...")).await;
        let limit = self
            .given
            .seconds("connect-timeout")
            .map(|limit| clock.begun + limit);
        let by = [limit, clock.end].into_iter().flatten().min();
        let fd = match fetch::connect(&self.io, addr, by).await {
            Ok(fd) => fd,
            Err(errno) => return Err(self.unconnected(url, addr, errno, limit, clock).await),
        };
        report.connect = since(self.io.now().await);
        report.connects += 1;
        report.local = self
            .io
            .sys(move |sys| sys.net().local_addr(sys.socket(fd)?).ok())
            .await;
        self.tell(&format!(
            "Connected to {} ({ip}) port {}",
            url.host,
            url.port()
        ))
        .await;
        let number = self.made;
        self.made += 1;
        Ok(Pooled {
            addr,
            host: url.host.clone(),
            fd,
            stream: 1,
            number,
        })
    }

    async fn address(&self, url: &Url) -> Result<Ipv4Addr, Failure> {
        for entry in self.given.values("resolve") {
            let mut fields = entry.trim_start_matches('+').splitn(3, ':');
            let (host, port, addr) = (fields.next(), fields.next(), fields.next());
            let here = host.is_some_and(|host| host == "*" || host.eq_ignore_ascii_case(&url.host))
                && port.is_some_and(|port| port == url.port().to_string());
            if let Some(ip) = addr
                .filter(|_| here)
                .and_then(|addr| addr.split(',').next()?.parse().ok())
            {
                self.tell(&format!(
                    "Added {}:{}:{ip} to DNS cache",
                    url.host,
                    url.port()
                ))
                .await;
                self.tell(&format!("Hostname {} was found in DNS cache", url.host))
                    .await;
                return Ok(ip);
            }
        }
        match resolve::name(&self.io, &url.host).await {
            Ok(ip) => {
                if url.host.parse::<Ipv4Addr>().is_err() {
                    self.tell(&format!("Host {}:{} was resolved.", url.host, url.port()))
                        .await;
                    self.tell("IPv6: (none)").await;
                    self.tell(&format!("IPv4: {ip}")).await;
                }
                Ok(ip)
            }
            Err(_) => {
                let why = format!("Could not resolve host: {}", url.host);
                self.tell(&why).await;
                self.tell("Closing connection").await;
                Err(Failure::new(6, why))
            }
        }
    }

    async fn unconnected(
        &self,
        url: &Url,
        addr: SocketAddrV4,
        errno: Errno,
        limit: Option<Instant>,
        clock: Clock,
    ) -> Failure {
        let now = self.io.now().await;
        let millis = now.since(clock.begun).as_millis();
        let (ip, port) = (addr.ip(), addr.port());
        let passed = |end: Option<Instant>| end.is_some_and(|end| now >= end);
        let ours = errno == Errno::ETIMEDOUT;
        let failure = if ours && passed(clock.end) {
            Failure::new(
                28,
                format!("Connection timed out after {millis} milliseconds"),
            )
        } else {
            let early = ours && passed(limit);
            let why = if early {
                "Timeout was reached"
            } else {
                "Couldn't connect to server"
            };
            if !early {
                let text = format!("connect to {ip} port {port} failed: {}", errno.message());
                self.tell(&text).await;
            }
            let text = format!(
                "Failed to connect to {} port {port} after {millis} ms: {why}",
                url.host
            );
            Failure::new(if ours { 28 } else { 7 }, text)
        };
        self.tell(&failure.message).await;
        self.tell("Closing connection").await;
        Failure {
            refused: errno == Errno::ECONNREFUSED,
            ..failure
        }
    }

    /// Whom the client certificate names.
    async fn identity(&self) -> Result<Option<Rc<str>>, Failure> {
        let Some(path) = self.given.value("cert") else {
            return Ok(None);
        };
        let path = path.split(':').next().unwrap_or_default();
        let text = self.io.read_to_string(path).await.ok();
        match text.and_then(|text| Certificate::from_pem(&text)) {
            Some(certificate) => Ok(Some(certificate.subject)),
            None => {
                let why = "(no key found, wrong pass phrase, or wrong file format?)";
                let text = format!("could not load PEM client certificate from {path}, {why}");
                Err(Failure::new(58, text))
            }
        }
    }

    /// Whether the server is trusted: what it shows is signed by the cluster's authority, which no
    /// machine trusts unless told to.
    async fn secure(
        &mut self,
        conn: &Pooled,
        report: &mut Report,
        clock: Clock,
    ) -> Result<(), Failure> {
        report.secured = self.io.now().await.since(clock.begun);
        if conn.stream > 1 {
            return Ok(());
        }
        self.tell("ALPN: curl offers h2,http/1.1").await;
        if !self.given.on("insecure") {
            let Some(path) = self.given.value("cacert") else {
                self.tell("SSL certificate problem: unable to get local issuer certificate")
                    .await;
                self.drop(conn).await;
                return Err(Failure::new(60, TRUST));
            };
            let text = self.io.read_to_string(path).await.ok();
            if text.and_then(|text| Certificate::from_pem(&text)).is_none() {
                let why = format!("error setting certificate file: {path}");
                self.drop(conn).await;
                return Err(Failure::new(77, why));
            }
        }
        self.tell("SSL connection using TLSv1.3 / TLS_AES_128_GCM_SHA256 / X25519 / RSASSA-PSS")
            .await;
        if !self.given.on("http1.1") {
            self.tell("ALPN: server accepted h2").await;
            self.tell("using HTTP/2").await;
        }
        Ok(())
    }

    fn headers(&self, url: &Url) -> Headers {
        let mut headers = Headers::new();
        headers.add("Host", url.authority());
        let user = self
            .given
            .value("user")
            .map(|user| user.to_string())
            .or_else(|| url.user.clone());
        if let Some(user) = user {
            headers.add(
                "Authorization",
                format!("Basic {}", api::base64::encode(user.as_bytes())),
            );
        } else if let Some(token) = self.given.value("oauth2-bearer") {
            headers.add("Authorization", format!("Bearer {token}"));
        }
        let agent = self
            .given
            .value("user-agent")
            .map_or("curl/8.5.0", |agent| agent);
        if !agent.is_empty() {
            headers.add("User-Agent", agent);
        }
        let json = self.given.on("json");
        headers.add("Accept", if json { "application/json" } else { "*/*" });
        if let Some(referer) = self.given.value("referer") {
            headers.add("Referer", referer.clone());
        }
        if let Some(cookie) = self.given.value("cookie") {
            headers.add("Cookie", cookie.clone());
        }
        let mut kind = match (&self.body, json) {
            (Some(_), true) => Some("application/json"),
            (Some(_), false) if !self.given.on("upload-file") => {
                Some("application/x-www-form-urlencoded")
            }
            _ => None,
        };
        for line in self.given.values("header") {
            if let Some((name, value)) = line.split_once(':') {
                let (name, value) = (name.trim(), value.trim());
                if name.eq_ignore_ascii_case("content-type") {
                    kind = None;
                }
                match value {
                    "" => headers.remove(name),
                    value if headers.get(name).is_some() => headers.set(name, value),
                    value => headers.add(name, value),
                }
            } else if let Some(name) = line.strip_suffix(';') {
                headers.add(name, "");
            }
        }
        if let Some(body) = &self.body {
            headers.add("Content-Length", body.len().to_string());
        }
        if let Some(kind) = kind {
            headers.add("Content-Type", kind);
        }
        headers
    }

    async fn show_request(&self, request: &Request, h2: bool, output: &Output) {
        if !self.given.on("verbose") {
            return;
        }
        let version = if h2 { "HTTP/2" } else { "HTTP/1.1" };
        let mut text = format!("> {} {} {version}\r\n", request.method, request.target);
        for (name, value) in request.headers.iter() {
            text.push_str(&format!("> {name}: {value}\r\n"));
        }
        text.push_str("> \r\n");
        if !request.body.is_empty() && !output.is_terminal(&self.io).await {
            text.push_str(&format!("}} [{} bytes data]\n", request.body.size()));
        }
        self.io.eprint(&text).await;
    }

    /// Takes note of a head, and shows it where it is wanted; gives where to go instead.
    async fn head(
        &self,
        url: &Url,
        response: &Response,
        h2: bool,
        output: &mut Output,
        report: &mut Report,
    ) -> Result<Option<Url>, Failure> {
        report.code = response.status;
        report.version = if h2 { "2" } else { "1.1" }.into();
        report.content_type = response
            .headers
            .get("Content-Type")
            .unwrap_or_default()
            .into();
        let length = response
            .headers
            .get("Content-Length")
            .and_then(|text| text.parse().ok());
        report.expected = length.filter(|_| !self.given.on("head"));
        let lines = head_lines(response, h2);
        report.head += lines.iter().map(|line| line.len() as u64 + 2).sum::<u64>();
        if self.given.on("verbose") {
            let text: String = lines.iter().map(|line| format!("< {line}\r\n")).collect();
            self.io.eprint(&text).await;
        }
        let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        if let Some(path) = self.given.value("dump-header") {
            match &**path {
                "-" => self.io.print(&text).await,
                path => {
                    let _ = self.io.write_file(path, text.as_bytes()).await;
                }
            }
        }
        if self.given.on("include") || self.given.on("head") {
            output.write(&self.io, text.as_bytes(), report).await?;
        }
        let location = response
            .headers
            .get("Location")
            .filter(|_| (300..400).contains(&response.status));
        let Some(location) = location else {
            return Ok(None);
        };
        let to = url
            .join(location)
            .map_err(|bad| Failure::new(3, bad.message()))?;
        if self.given.on("location") || self.given.on("location-trusted") {
            self.tell("Ignoring the response-body").await;
            return Ok(Some(to));
        }
        report.redirect = to.to_string().into();
        Ok(None)
    }

    async fn broken(
        &mut self,
        fault: Fault,
        conn: &Pooled,
        clock: Clock,
        report: &Report,
    ) -> Failure {
        let Report {
            received, expected, ..
        } = *report;
        let begun = report.code != 0;
        let failure = match fault {
            Fault::TimedOut => {
                let millis = self.io.now().await.since(clock.begun).as_millis();
                let of = expected.map_or(String::new(), |all| format!(" out of {all}"));
                let text = format!(
                    "Operation timed out after {millis} milliseconds with {received}{of} bytes received"
                );
                Failure::new(28, text)
            }
            Fault::Closed if !begun => Failure::new(52, "Empty reply from server"),
            Fault::Closed => match expected {
                Some(all) => {
                    let left = all.saturating_sub(received);
                    Failure::new(18, format!("end of response with {left} bytes missing"))
                }
                None => Failure::new(18, "transfer closed with outstanding read data remaining"),
            },
            Fault::Broken(Errno::EPIPE) => Failure::new(55, "Send failure: Broken pipe"),
            Fault::Broken(errno) => Failure::new(56, format!("Recv failure: {}", errno.message())),
        };
        self.tell(&failure.message).await;
        self.drop(conn).await;
        failure
    }

    async fn keep(&mut self, conn: Pooled, framed: bool) {
        if framed {
            let text = format!(
                "Connection #{} to host {} left intact",
                conn.number, conn.host
            );
            self.tell(&text).await;
            self.pool = Some(conn);
        } else {
            self.drop(&conn).await;
        }
    }

    async fn drop(&self, conn: &Pooled) {
        self.tell("Closing connection").await;
        self.io.close(conn.fd).await;
    }

    /// Says something about the transfer, if `-v` was given.
    async fn tell(&self, text: &str) {
        if self.given.on("verbose") {
            self.io.eprint(&format!("* {text}\n")).await;
        }
    }

    /// A bare connection between the standard input and output.
    async fn telnet(
        &mut self,
        url: &Url,
        output: &mut Output,
        clock: Clock,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let conn = self.connection(url, clock, report).await?;
        if let Some(end) = clock.end {
            self.io.sys(move |sys| sys.timer_at(end)).await;
        }
        let (fd, end) = (conn.fd, clock.end);
        let mut typing = true;
        loop {
            match either(&self.io, fd, typing, end).await {
                Either::Typed(bytes) if bytes.is_empty() => typing = false,
                Either::Typed(bytes) => {
                    let _ = self.io.send(fd, (&*bytes).into()).await;
                }
                Either::Came(bytes) => {
                    report.received += bytes.len() as u64;
                    output.write(&self.io, &bytes, report).await?;
                }
                Either::Over => break,
                Either::TimedOut => {
                    return Err(self.broken(Fault::TimedOut, &conn, clock, report).await);
                }
            }
        }
        self.drop(&conn).await;
        Ok(())
    }
}

#[derive(Clone)]
enum Either {
    Typed(Rc<[u8]>),
    Came(Rc<[u8]>),
    Over,
    TimedOut,
}

async fn either(io: &Io, fd: Fd, typing: bool, end: Option<Instant>) -> Either {
    io.until(move |sys| {
        match sys.recv(fd) {
            Ok(Some(payload)) => return Some(Either::Came(payload.bytes())),
            Err(Errno::EAGAIN) => {}
            Ok(None) | Err(_) => return Some(Either::Over),
        }
        if end.is_some_and(|end| sys.now() >= end) {
            return Some(Either::TimedOut);
        }
        match typing.then(|| sys.read(Fd::STDIN, 65_536)) {
            Some(Ok(bytes)) => Some(Either::Typed(bytes)),
            Some(Err(Errno::EAGAIN)) | None => None,
            Some(Err(_)) => Some(Either::Typed(Rc::from([]))),
        }
    })
    .await
}

/// The lines of a head, the empty one included, without their ends.
fn head_lines(response: &Response, h2: bool) -> Vec<String> {
    let status = response.status;
    let mut lines = vec![if h2 {
        format!("HTTP/2 {status} ")
    } else {
        format!("HTTP/1.1 {status} {}", reason(status))
    }];
    for (name, value) in response.headers.iter() {
        let name = if h2 {
            name.to_ascii_lowercase()
        } else {
            name.to_owned()
        };
        if !(h2 && matches!(name.as_str(), "connection" | "transfer-encoding")) {
            lines.push(format!("{name}: {value}"));
        }
    }
    lines.push(String::new());
    lines
}
