//! Apache's web server: the files under its document root, without its configuration.
//! Models httpd 2.4 and the image of docker.io/library/httpd.

use std::net::SocketAddrV4;

use machine::Sys;
use machine::fs::Node;
use net::http::{Method, Request, Response, reason};

use crate::definition::{Definition, Tags, Versions};
use crate::site::{self, Answer, Site, say};
use crate::userland::{Userland, put, text};

/// `docker.io/library/httpd`
pub(crate) static HTTPD: Definition = Definition {
    repository: "docker.io/library/httpd",
    tags: Tags {
        words: &["latest", "alpine", "2"],
        versions: &[Versions::of(2, 4..=4)],
        suffixes: &["alpine", "trixie", "bookworm"],
    },
    userland: Userland::Debian,
    layers: &[("httpd {tag}", 15_300_000)],
    cmd: &["httpd-foreground"],
    working_dir: "/usr/local/apache2",
    ports: &[80],
    stop_signal: "SIGTERM",
    files: |tree, _| {
        put(
            tree,
            "/usr/local/bin/httpd-foreground",
            Node::binary("httpd"),
        );
        text(tree, "/usr/local/apache2/htdocs/index.html", PAGE);
    },
    programs: &[("httpd", || site::program(&Httpd))],
    ..Definition::PLAIN
};

const PAGE: &str = "<html><body><h1>It works!</h1></body></html>\n";
const ROOT: &str = "/usr/local/apache2/htdocs";

#[derive(Debug)]
struct Httpd;

impl Site for Httpd {
    fn ports(&self, _sys: &mut Sys<'_>) -> Result<Vec<u16>, String> {
        Ok(vec![80])
    }

    fn greeting(&self, _port: u16) -> Option<String> {
        Some("AH00094: Command line: 'httpd -D FOREGROUND'\n".to_owned())
    }

    fn answer(&self, sys: &mut Sys<'_>, client: SocketAddrV4, request: &Request) -> Answer {
        let path = request.path();
        let outside = path.split('/').any(|part| part == "..");
        let file = match path.ends_with('/') {
            true => format!("{ROOT}{path}index.html"),
            false => format!("{ROOT}{path}"),
        };
        let found = sys.read_file(&file).ok().filter(|_| !outside);
        let kind = match file.rsplit_once('.').map_or("", |(_, kind)| kind) {
            "html" | "htm" => "text/html",
            "json" => "application/json",
            _ => "text/plain",
        };
        let mut response = match found {
            Some(bytes) => Response::new(200, bytes.to_vec()).with_header("Content-Type", kind),
            None => {
                let page = format!(
                    "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n\
                     <title>404 {0}</title>\n</head><body>\n<h1>{0}</h1>\n<p>The requested URL \
                     was not found on this server.</p>\n</body></html>\n",
                    reason(404)
                );
                Response::new(404, page)
                    .with_header("Content-Type", "text/html; charset=iso-8859-1")
            }
        };
        let size = response.body.size();
        response.headers.set("Server", "Apache/2.4.66 (Unix)");
        response.headers.set("Content-Length", size.to_string());
        if request.method == Method::Head {
            response.body = net::http::Body::Empty;
        }
        let (ip, method, status) = (client.ip(), request.method, response.status);
        let at = shell_date(sys);
        let target = &request.target;
        say(
            sys,
            &format!("{ip} - - [{at}] \"{method} {target} HTTP/1.1\" {status} {size}\n"),
        );
        Answer::Send(response)
    }
}

/// Now, as access logs have it.
fn shell_date(sys: &Sys<'_>) -> String {
    shell::date::format("%d/%b/%Y:%H:%M:%S +0000", sys.now().unix_secs(), 0)
}
