//! How nginx answers a request: which server and location, which file, which error.
//! Models src/http/modules/ngx_http_static_module.c, ngx_http_index_module.c and the log module.

use machine::http::StreamRef;
use machine::{Errno, Fd, FileKind, Sys};
use net::http::{Body, Headers, Method, Request, Response, percent_decode, reason};
use sim::Instant;

use super::conf::{Rules, ServerConf};
use super::{Worker, stamp};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Headers behind `Server` and `Date`, in their order.
const HEADERS: [&str; 7] = [
    "Content-Type",
    "Content-Length",
    "Last-Modified",
    "Connection",
    "Location",
    "ETag",
    "Accept-Ranges",
];

impl Worker {
    pub(super) fn answer(&mut self, sys: &mut Sys<'_>, to: StreamRef, request: &Request) {
        self.served += 1;
        let client = sys
            .peer(to.conn)
            .map_or_else(|_| "-".to_owned(), |peer| peer.ip().to_string());
        let host = request.headers.get("Host").unwrap_or("").to_owned();
        let port = host
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok())
            .unwrap_or(80);
        let servers = self.servers.clone();
        let found = servers
            .iter()
            .find(|server| server.ports.contains(&port))
            .or_else(|| servers.first());
        let Some(server) = found else {
            return self.http.close(sys, to.conn);
        };
        let mut response = match self.respond(sys, server, request, &client) {
            Ok(response) => response,
            Err(code) => self.error(code),
        };
        let now = sys.now();
        let own = std::mem::take(&mut response.headers);
        let mut headers = Headers::default();
        headers.set("Server", format!("nginx/{}", self.version));
        headers.set("Date", http_date(now));
        // In the order in which nginx writes them; what the configuration adds comes last.
        for name in HEADERS {
            match name {
                "Content-Length" => headers.set(name, response.body.size().to_string()),
                "Connection" => headers.set(name, "keep-alive"),
                _ => {
                    if let Some(value) = own.get(name) {
                        headers.set(name, value.to_owned());
                    }
                }
            }
        }
        for (name, value) in own.iter() {
            if headers.get(name).is_none() {
                headers.set(name, value.to_owned());
            }
        }
        response.headers = headers;
        let (status, length) = (response.status, response.body.size());
        if request.method == Method::Head {
            response.body = Body::Empty;
        }
        self.http.respond(sys, to, response);
        log_access(sys, &client, request, status, length);
    }

    fn respond(
        &self,
        sys: &mut Sys<'_>,
        server: &ServerConf,
        request: &Request,
        client: &str,
    ) -> Result<Response, u16> {
        let path = normalise(&percent_decode(request.path())).ok_or(400_u16)?;
        let location = server
            .locations
            .iter()
            .find(|location| location.exact && location.path == path)
            .or_else(|| {
                let fitting = server
                    .locations
                    .iter()
                    .filter(|l| !l.exact && path.starts_with(&l.path));
                fitting.max_by_key(|location| location.path.len())
            });
        let own = location.map_or(&server.rules, |location| &location.rules);
        if own.proxied {
            let what = sim::unmodelled!("nginx as a proxy");
            return Ok(plain(501, &format!("{what}\n")));
        }
        let answer = own.answer.as_ref().or(server.rules.answer.as_ref());
        let mut response = match answer {
            Some((code, text)) => self.fixed(sys, *code, text, request, client),
            None => self.file(sys, server, own, request, &path, client)?,
        };
        for (name, value) in server.rules.headers.iter().chain(&own.headers) {
            response.headers.set(name, value.as_str());
        }
        Ok(response)
    }

    /// `return CODE TEXT`.
    fn fixed(
        &self,
        sys: &Sys<'_>,
        code: u16,
        text: &str,
        request: &Request,
        client: &str,
    ) -> Response {
        let host = request.headers.get("Host").unwrap_or("");
        let text = [
            ("$request_uri", &*request.target),
            ("$hostname", &*sys.hostname()),
            ("$remote_addr", client),
            ("$host", host.split(':').next().unwrap_or(host)),
            ("$uri", request.path()),
        ]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        });
        match code {
            301 | 302 | 303 | 307 | 308 => self.error(code).with_header("Location", text),
            _ if text.is_empty() => self.error(code),
            _ => plain(code, &text),
        }
    }

    fn file(
        &self,
        sys: &mut Sys<'_>,
        server: &ServerConf,
        own: &Rules,
        request: &Request,
        path: &str,
        client: &str,
    ) -> Result<Response, u16> {
        if !matches!(request.method, Method::Get | Method::Head) {
            return Err(405);
        }
        let default = "/etc/nginx/html".to_owned();
        let root = own
            .root
            .as_ref()
            .or(server.rules.root.as_ref())
            .unwrap_or(&default);
        let mut file = format!("{root}{path}");
        let mut stat = sys.stat(&file);
        if stat.as_ref().is_ok_and(|stat| stat.kind == FileKind::Dir) {
            if !path.ends_with('/') {
                let host = request.headers.get("Host").unwrap_or("");
                let to = format!("http://{host}{path}/");
                return Ok(self.error(301).with_header("Location", to));
            }
            let named = own.index.as_ref().or(server.rules.index.as_ref());
            let names = named
                .cloned()
                .unwrap_or_else(|| vec!["index.html".to_owned()]);
            let index = names
                .iter()
                .map(|name| format!("{file}{name}"))
                .find(|path| sys.exists(path));
            match index {
                Some(path) => file = path,
                None => {
                    let why = format!("directory index of \"{file}\" is forbidden");
                    self.log_error(sys, &why, server, request, client);
                    return Err(403);
                }
            }
            stat = sys.stat(&file);
        }
        let read = stat.and_then(|stat| Ok((stat, sys.read_file(&file)?)));
        let (stat, bytes) = match read {
            Ok(found) => found,
            Err(errno) => {
                let number = errno.number();
                let why = format!("open() \"{file}\" failed ({number}: {errno})");
                self.log_error(sys, &why, server, request, client);
                return Err(if errno == Errno::EACCES { 403 } else { 404 });
            }
        };
        let kind = own
            .default_type
            .as_deref()
            .unwrap_or("application/octet-stream");
        let etag = format!("\"{:x}-{:x}\"", stat.mtime.unix_secs(), bytes.len());
        Ok(Response::new(200, Body::from(bytes))
            .with_header("Content-Type", mime_type(&file).unwrap_or(kind))
            .with_header("Last-Modified", http_date(stat.mtime))
            .with_header("ETag", etag)
            .with_header("Accept-Ranges", "bytes"))
    }

    /// An error page of nginx's own.
    fn error(&self, code: u16) -> Response {
        let title = match reason(code) {
            "" => code.to_string(),
            reason => format!("{code} {reason}"),
        };
        let version = &self.version;
        let page = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>\
             </center>\r\n<hr><center>nginx/{version}</center>\r\n</body>\r\n</html>\r\n"
        );
        Response::new(code, page).with_header("Content-Type", "text/html")
    }

    fn log_error(
        &self,
        sys: &mut Sys<'_>,
        why: &str,
        server: &ServerConf,
        request: &Request,
        client: &str,
    ) {
        let (stamp, pid, number) = (stamp(sys.now()), sys.pid(), self.served);
        let host = request.headers.get("Host").unwrap_or("");
        let line = format!(
            "{stamp} [error] {pid}#{pid}: *{number} {why}, client: {client}, server: {}, request: \
             \"{} {} HTTP/1.1\", host: \"{host}\"\n",
            server.name, request.method, request.target
        );
        // A log nobody reads any more is not written.
        let _ = sys.write(Fd::STDERR, line.as_bytes());
    }
}

fn plain(code: u16, text: &str) -> Response {
    Response::new(code, text).with_header("Content-Type", "text/plain")
}

/// The path without `.`, `..` and doubled slashes; none if it leads out of the root.
fn normalise(path: &str) -> Option<String> {
    let mut done: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                done.pop()?;
            }
            name => done.push(name),
        }
    }
    let last = path.rsplit('/').next().unwrap_or("");
    let slash = if !done.is_empty() && matches!(last, "" | "." | "..") {
        "/"
    } else {
        ""
    };
    Some(format!("/{}{slash}", done.join("/")))
}

fn mime_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(match extension {
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "js" => "application/javascript",
        "json" => "application/json",
        "xml" => "text/xml",
        "txt" => "text/plain",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "jpg" | "jpeg" => "image/jpeg",
        _ => return None,
    })
}

/// `Mon, 05 Jan 2026 09:00:00 GMT`
fn http_date(at: Instant) -> String {
    let c = at.civil();
    let (day, month) = (
        DAYS[c.weekday as usize % 7],
        MONTHS[(c.month as usize + 11) % 12],
    );
    format!(
        "{day}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        c.day, c.year, c.hour, c.minute, c.second
    )
}

/// The line of the access log, in nginx's combined format.
fn log_access(sys: &mut Sys<'_>, client: &str, request: &Request, status: u16, length: u64) {
    let c = sys.now().civil();
    let month = MONTHS[(c.month as usize + 11) % 12];
    let header = |name: &str| request.headers.get(name).unwrap_or("-").to_owned();
    let line = format!(
        "{client} - - [{:02}/{month}/{:04}:{:02}:{:02}:{:02} +0000] \"{} {} HTTP/1.1\" {status} \
         {length} \"{}\" \"{}\" \"{}\"\n",
        c.day,
        c.year,
        c.hour,
        c.minute,
        c.second,
        request.method,
        request.target,
        header("Referer"),
        header("User-Agent"),
        header("X-Forwarded-For"),
    );
    // A log nobody reads any more is not written.
    let _ = sys.write(Fd::STDOUT, line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        #[track_caller]
        fn check(path: &str, expect: Option<&str>) {
            assert_eq!(normalise(path).as_deref(), expect, "{path}");
        }
        check("/", Some("/"));
        check("/a//b/./c", Some("/a/b/c"));
        check("/a/b/..", Some("/a/"));
        check("/a/", Some("/a/"));
        check("/../etc/passwd", None);
    }

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(Instant::ZERO), "Mon, 05 Jan 2026 09:00:00 GMT");
    }
}
