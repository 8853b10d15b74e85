//! `wget`: downloads over HTTP. Models GNU Wget 1.21 (src/http.c, src/retr.c), and on a BusyBox
//! system networking/wget.c. Recursion, FTP and resuming are not modelled.

use std::net::SocketAddrV4;
use std::rc::Rc;

use machine::{Errno, Fd, Io};
use net::http::{Body, Headers, Method, Request, Response};
use sim::{Duration, Instant};

use crate::args::{self, Args, flag, value};
use crate::calendar::strftime;
use crate::fetch::{Exchange, Fault, Part};
use crate::help::tool;
use crate::io::usage_error;
use crate::resolve;
use crate::url::Url;

tool!(
    "wget",
    "Download files over HTTP",
    "wget [-qS] [-O file] [-T seconds] [--spider] [--header line] URL...",
    main,
    [
        (
            "printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nhi\\n' | nc -l 8080 > /dev/null & sleep 0.1; wget -qO- 127.0.0.1:8080/x",
            "hi\n"
        ),
        ("wget -q http://127.0.0.1:81/; echo $?", "4\n"),
        (
            "wget -T 2 -t 1 http://127.0.0.1:81/ 2>&1 | tail -n +2",
            "Connecting to 127.0.0.1:81... failed: Connection refused.\n"
        ),
        (
            "wget nosuch 2>&1 | tail -n +2; wget",
            "Resolving nosuch (nosuch)... failed: Temporary failure in name resolution.\nwget: unable to resolve host address ‘nosuch’\nwget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('q', "quiet"),
    flag('S', "server-response"),
    flag('c', "continue"),
    flag('4', "inet4-only"),
    value('O', "output-document"),
    value('P', "directory-prefix"),
    value('T', "timeout"),
    value('t', "tries"),
    value('U', "user-agent"),
    value('Y', ""),
    flag('\u{1}', "spider"),
    value('\u{2}', "header"),
    value('\u{3}', "post-data"),
    flag('\u{4}', "no-check-certificate"),
    flag('n', "no-verbose"),
    flag('\u{5}', "content-on-error"),
    value('\u{6}', "method"),
    value('\u{7}', "body-data"),
    value('\u{8}', "max-redirect"),
];

/// How often a redirection is followed.
const REDIRECTIONS: u32 = 20;

/// One download.
struct Get<'a> {
    io: &'a Io,
    args: &'a Args,
    busybox: bool,
    limit: Option<Duration>,
}

/// Why a download failed: what is said, and the exit status.
struct Fail(String, i32);

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    if args.operands.is_empty() {
        let text = "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n";
        io.eprint(text).await;
        return 1;
    }
    if args.has('c') {
        let what = sim::unmodelled!("resuming a download");
        io.eprint(&format!("wget: {what}\n")).await;
        return 1;
    }
    let seconds = args.value('T').and_then(|text| text.parse().ok());
    let get = Get {
        io: &io,
        args: &args,
        busybox: resolve::is_busybox(&io).await,
        limit: Some(Duration::from_secs(seconds.unwrap_or(900))),
    };
    let mut status = 0;
    for url in args.operands.clone() {
        if let Err(Fail(text, code)) = get.url(&url).await {
            if get.busybox || !args.has('q') {
                io.eprint(&text).await;
            }
            status = if get.busybox { 1 } else { code };
        }
    }
    status
}

impl Get<'_> {
    /// Says something of the progress.
    async fn tell(&self, text: &str) {
        if !self.args.has('q') && !self.args.has('n') {
            self.io.eprint(text).await;
        }
    }

    async fn url(&self, text: &str) -> Result<(), Fail> {
        let mut url = self.read(text)?;
        for _ in 0..=REDIRECTIONS {
            match self.request(&url).await? {
                None => return Ok(()),
                Some(location) => {
                    let bad = |_| Fail(format!("{location}: Invalid host name.\n"), 1);
                    url = url.join(&location).map_err(bad)?;
                }
            }
        }
        Err(Fail(format!("{REDIRECTIONS} redirections exceeded.\n"), 8))
    }

    fn read(&self, text: &str) -> Result<Url, Fail> {
        let bad = |_| match self.busybox {
            true => Fail(format!("wget: bad address '{text}'\n"), 1),
            false => Fail(format!("{text}: Invalid host name.\n"), 1),
        };
        let url = Url::parse(text).map_err(bad)?;
        match &*url.scheme {
            "http" | "https" => Ok(url),
            scheme if self.busybox => {
                Err(Fail(format!("wget: not an http or ftp url: {scheme}\n"), 1))
            }
            scheme => Err(Fail(format!("{text}: Unsupported scheme ‘{scheme}’.\n"), 1)),
        }
    }

    /// One request; gives where to go instead.
    async fn request(&self, url: &Url) -> Result<Option<Rc<str>>, Fail> {
        let io = self.io;
        if !self.busybox {
            let now = strftime("%Y-%m-%d %H:%M:%S", io.now().await);
            self.tell(&format!("--{now}--  {url}\n")).await;
        }
        let fd = self.connect(url).await?;
        let spider = self.args.has('\u{1}');
        if !self.busybox {
            self.tell("HTTP request sent, awaiting response... ").await;
        }
        let by: Option<Instant> = match self.limit {
            Some(limit) => Some(io.deadline(limit).await),
            None => None,
        };
        let begun = Exchange::begin(io, fd, 1, self.message(url), by).await;
        let mut exchange = begun.map_err(|fault| self.lost(fault))?;
        let part = exchange.next(io).await.map_err(|fault| self.lost(fault))?;
        let Part::Head(head) = part else {
            return Err(self.lost(Fault::Closed));
        };
        let went_on = self.head(url, &head).await?;
        if went_on.is_none() && !spider {
            self.body(url, &head, &mut exchange).await?;
        }
        io.close(fd).await;
        Ok(went_on)
    }

    fn message(&self, url: &Url) -> Request {
        let args = self.args;
        let body = args.value('\u{3}').or(args.value('\u{7}'));
        let method = match (args.value('\u{6}'), body) {
            (Some(name), _) => Method::parse(name).unwrap_or(Method::Get),
            (None, Some(_)) => Method::Post,
            (None, None) if args.has('\u{1}') => Method::Head,
            (None, None) => Method::Get,
        };
        let mut headers = Headers::new();
        headers.add("Host", url.authority());
        let agent = if self.busybox { "Wget" } else { "Wget/1.21.4" };
        headers.add(
            "User-Agent",
            args.value('U').map_or(agent, |agent| &**agent),
        );
        if !self.busybox {
            headers.add("Accept", "*/*");
            headers.add("Accept-Encoding", "identity");
            headers.add("Connection", "Keep-Alive");
        }
        if let Some(body) = body {
            headers.add("Content-Type", "application/x-www-form-urlencoded");
            headers.add("Content-Length", body.len().to_string());
        }
        for line in args.values('\u{2}') {
            if let Some((name, value)) = line.split_once(':') {
                headers.set(name.trim(), value.trim());
            }
        }
        Request {
            method,
            target: url.target().into(),
            headers,
            body: body.map_or(Body::Empty, |body| Body::Bytes(body.as_bytes().into())),
            more: false,
            peer: None,
        }
    }

    async fn connect(&self, url: &Url) -> Result<Fd, Fail> {
        let (host, port) = (&url.host, url.port());
        let literal = host.parse().ok();
        let ip = match literal {
            Some(ip) => ip,
            None if self.busybox => {
                let found = resolve::name(self.io, host).await;
                found.map_err(|_| Fail(format!("wget: bad address '{}'\n", url.authority()), 1))?
            }
            None => {
                self.tell(&format!("Resolving {host} ({host})... ")).await;
                match resolve::name(self.io, host).await {
                    Ok(ip) => {
                        self.tell(&format!("{ip}\n")).await;
                        ip
                    }
                    Err(fault) => {
                        let why = fault.message();
                        let text = format!(
                            "failed: {why}.\nwget: unable to resolve host address ‘{host}’\n"
                        );
                        return Err(Fail(text, 4));
                    }
                }
            }
        };
        let begin = match (self.busybox, literal) {
            (true, _) => format!("Connecting to {} ({ip}:{port})\n", url.authority()),
            (false, Some(_)) => format!("Connecting to {host}:{port}... "),
            (false, None) => format!("Connecting to {host} ({host})|{ip}|:{port}... "),
        };
        self.tell(&begin).await;
        let connected = self.io.connect(SocketAddrV4::new(ip, port), self.limit);
        match connected.await {
            Ok(fd) => {
                if !self.busybox {
                    self.tell("connected.\n").await;
                }
                Ok(fd)
            }
            Err(Errno::ETIMEDOUT) if self.busybox && self.args.has('T') => {
                Err(Fail("wget: download timed out\n".to_owned(), 1))
            }
            Err(errno) => {
                let why = errno.message();
                Err(match self.busybox {
                    true => Fail(
                        format!("wget: can't connect to remote host ({ip}): {why}\n"),
                        1,
                    ),
                    false => Fail(format!("failed: {why}.\n"), 4),
                })
            }
        }
    }

    fn lost(&self, fault: Fault) -> Fail {
        let text = match (fault, self.busybox) {
            (Fault::TimedOut, true) => "wget: download timed out\n",
            (_, true) => "wget: error getting response\n",
            (Fault::TimedOut, false) => {
                "Read error (Connection timed out) in headers.\nGiving up.\n\n"
            }
            (_, false) => "No data received.\nGiving up.\n\n",
        };
        Fail(text.to_owned(), 4)
    }

    /// The answer's head: tells of it, and gives where to go instead.
    async fn head(&self, url: &Url, head: &Response) -> Result<Option<Rc<str>>, Fail> {
        let status = head.status;
        let reason = net::http::reason(status);
        if self.args.has('S') {
            let mut text = format!("  HTTP/1.1 {status} {reason}\n");
            for (name, value) in head.headers.iter() {
                text.push_str(&format!("  {name}: {value}\n"));
            }
            let first = if self.busybox { "" } else { "\n" };
            self.io.eprint(&format!("{first}{text}")).await;
        } else if !self.busybox {
            self.tell(&format!("{status} {reason}\n")).await;
        }
        let location = head.headers.get("Location");
        if let (301 | 302 | 303 | 307 | 308, Some(location)) = (status, location) {
            if !self.busybox {
                self.tell(&format!("Location: {location} [following]\n"))
                    .await;
            }
            return Ok(Some(location.into()));
        }
        let failed = status >= 400;
        match (failed, self.busybox) {
            (true, true) => Err(Fail(
                format!("wget: server returned error: HTTP/1.1 {status} {reason}\n"),
                1,
            )),
            (true, false) if self.args.has('\u{1}') => Err(Fail(
                "Remote file does not exist -- broken link!!!\n\n".to_owned(),
                8,
            )),
            (true, false) if !self.args.has('\u{5}') => {
                let now = strftime("%Y-%m-%d %H:%M:%S", self.io.now().await);
                Err(Fail(format!("{now} ERROR {status}: {reason}.\n\n"), 8))
            }
            _ => {
                if self.args.has('\u{1}') {
                    self.spider(url, head).await;
                }
                Ok(None)
            }
        }
    }

    async fn spider(&self, _: &Url, head: &Response) {
        if self.busybox {
            return self.tell("remote file exists\n").await;
        }
        let text = format!(
            "{}Remote file exists and could contain further links,\nbut recursion is disabled -- not retrieving.\n\n",
            length(head)
        );
        self.tell(&text).await;
    }

    /// The body: to a file, or to the standard output.
    async fn body(&self, url: &Url, head: &Response, exchange: &mut Exchange) -> Result<(), Fail> {
        let io = self.io;
        let name: Rc<str> = match self.args.value('O') {
            Some(name) => name.clone(),
            None => {
                let last = match url.file_name() {
                    "" => "index.html",
                    name => name,
                };
                match self.args.value('P') {
                    Some(dir) => format!("{dir}/{last}").into(),
                    None => last.into(),
                }
            }
        };
        let to_output = &*name == "-";
        match (self.busybox, to_output) {
            (true, true) => self.tell("writing to stdout\n").await,
            (true, false) => self.tell(&format!("saving to '{name}'\n")).await,
            (false, true) => {
                self.tell(&format!("{}Saving to: ‘STDOUT’\n\n", length(head)))
                    .await
            }
            (false, false) => {
                self.tell(&format!("{}Saving to: ‘{name}’\n\n", length(head)))
                    .await
            }
        }
        let mut bytes: Vec<u8> = Vec::new();
        loop {
            match exchange.next(io).await {
                Ok(Part::Data(part)) if to_output => {
                    io.write_all(Fd::STDOUT, &part).await;
                    bytes.extend_from_slice(&part);
                }
                Ok(Part::Data(part)) => bytes.extend_from_slice(&part),
                Ok(Part::End) => break,
                Ok(_) => {}
                Err(Fault::Closed) => break,
                Err(fault) => return Err(self.lost(fault)),
            }
        }
        if !to_output && let Err(errno) = io.write_file(&name, &bytes).await {
            let why = errno.message();
            return Err(match self.busybox {
                true => Fail(format!("wget: can't open '{name}': {why}\n"), 1),
                false => Fail(
                    format!("{name}: {why}\n\nCannot write to ‘{name}’ ({why}).\n"),
                    3,
                ),
            });
        }
        self.done(&name, to_output, bytes.len()).await;
        Ok(())
    }

    async fn done(&self, name: &str, to_output: bool, size: usize) {
        if self.busybox {
            self.tell(&progress(name, size)).await;
            let text = match to_output {
                true => "written to stdout\n".to_owned(),
                false => format!("'{name}' saved\n"),
            };
            return self.tell(&text).await;
        }
        let now = strftime("%Y-%m-%d %H:%M:%S", self.io.now().await);
        let end = match to_output {
            true => format!("written to stdout [{size}/{size}]"),
            false => format!("‘{name}’ saved [{size}/{size}]"),
        };
        self.tell(&format!("{now} - {end}\n\n")).await;
    }
}

/// The bar that BusyBox draws, once all is there. Models libbb/progress.c on 80 columns.
fn progress(name: &str, size: usize) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    let (size, unit) = match size {
        0..100_000 => (size, ' '),
        _ => (size.div_ceil(1024), 'k'),
    };
    let bar = "*".repeat(32);
    format!("\r{name:20.20} 100% |{bar}|{size:>6}{unit} 0:00:00 ETA\n")
}

/// `Length: 615 [text/html]`.
fn length(head: &Response) -> String {
    let kind = head.headers.get("Content-Type");
    let kind = kind.map_or(String::new(), |kind| {
        format!(" [{}]", kind.split(';').next().unwrap_or_default())
    });
    match head.headers.get("Content-Length") {
        Some(length) => format!("Length: {length}{kind}\n"),
        None => format!("Length: unspecified{kind}\n"),
    }
}
