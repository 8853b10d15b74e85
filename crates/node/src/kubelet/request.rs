//! Single requests the kubelet makes of pods: for probes and hooks. A connection each, as upstream
//! keeps none alive.
//! Models pkg/probe/http and pkg/probe/tcp.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::Str;
use machine::{Errno, Fd, Sys};
use net::http::{Frame, Message, Request};
use sim::Duration;

use crate::kubelet::State;
use crate::kubelet::due::Due;
use crate::kubelet::probe::{ProbeAction, ProbeResult};
use crate::kubelet::prober::ProbeId;

/// For whom a request is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A probe.
    Probe(ProbeId),
    /// The hook that runs for a unit of a pod.
    Hook(Str, usize),
}

#[derive(Clone, Debug)]
struct OneRequest {
    owner: Owner,
    addr: SocketAddrV4,
    /// The request and its URL; none if connecting is all that is wanted.
    http: Option<(Rc<Request>, String)>,
    sent: bool,
}

/// Requests under way, by their connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    open: BTreeMap<Fd, OneRequest>,
}

impl State {
    /// Makes a request; its result goes to its owner.
    pub(crate) fn request(
        &mut self,
        sys: &mut Sys<'_>,
        owner: Owner,
        action: &ProbeAction,
        pod_ip: &str,
        timeout: Duration,
    ) {
        let (host, port, http) = match action {
            ProbeAction::Http(get) => {
                let url = get.url(pod_ip);
                let mut request = Request::get(get.path.clone());
                let host = if get.host.is_empty() {
                    pod_ip
                } else {
                    &get.host
                };
                request
                    .headers
                    .set("Host", format!("{host}:{}", get.port.unwrap_or(0)));
                request.headers.set("User-Agent", "kube-probe/1.36");
                request.headers.set("Accept", "*/*");
                for (name, value) in &get.headers {
                    request.headers.set(name, value.clone());
                }
                request.headers.set("Connection", "close");
                (host.to_owned(), get.port, Some((Rc::new(request), url)))
            }
            ProbeAction::Tcp(host, port) => {
                let host = if host.is_empty() { pod_ip } else { host };
                (host.to_owned(), *port, None)
            }
            ProbeAction::Exec(_) | ProbeAction::Grpc => return,
        };
        let Some(port) = port else {
            let why = "unable to get port: no such named port".to_owned();
            return self.request_done(sys, owner, ProbeResult::Error(why));
        };
        let ip = if host == "localhost" {
            Some(Ipv4Addr::LOCALHOST)
        } else {
            host.parse().ok()
        };
        let Some(ip) = ip else {
            let why = format!("dial tcp: lookup {host}: no such host");
            return self.request_done(sys, owner, ProbeResult::Failure(why));
        };
        let addr = SocketAddrV4::new(ip, port);
        let one = OneRequest {
            owner,
            addr,
            http,
            sent: false,
        };
        match sys.connect(addr) {
            Ok(fd) => {
                self.requests.open.insert(fd, one);
                self.timetable
                    .set(Due::Request(fd), Some(sys.now() + timeout));
                self.request_ready(sys, fd);
            }
            Err(errno) => {
                let why = one.failed_to_connect(errno);
                self.request_done(sys, one.owner, ProbeResult::Failure(why));
            }
        }
    }

    /// A connection has something to tell; others' descriptors are left alone.
    pub(crate) fn request_ready(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        let Some(one) = self.requests.open.get_mut(&fd) else {
            return;
        };
        if !one.sent {
            match sys.connected(fd) {
                Ok(()) => {}
                Err(Errno::EAGAIN) => return,
                Err(errno) => {
                    let why = one.failed_to_connect(errno);
                    return self.close_request(sys, fd, ProbeResult::Failure(why));
                }
            }
            let Some((request, _)) = &one.http else {
                return self.close_request(sys, fd, ProbeResult::Success);
            };
            one.sent = true;
            let message = Message::payload(1, Frame::Request(request.clone()));
            // A connection that broke shows when it is read from.
            let _ = sys.send(fd, message);
        }
        let url = one.http.as_ref().map_or("", |(_, url)| url);
        let result = match sys.recv(fd) {
            Err(Errno::EAGAIN) => return,
            Ok(Some(payload)) => match payload.downcast::<Message>().map(|m| &m.frame) {
                Some(Frame::Response(response)) if (200..400).contains(&response.status) => {
                    ProbeResult::Success
                }
                Some(Frame::Response(response)) => ProbeResult::Failure(format!(
                    "HTTP probe failed with statuscode: {}",
                    response.status
                )),
                _ => ProbeResult::Failure(format!("Get \"{url}\": EOF")),
            },
            Ok(None) => ProbeResult::Failure(format!("Get \"{url}\": EOF")),
            Err(errno) => {
                ProbeResult::Failure(format!("Get \"{url}\": read: {}", errno.go_message()))
            }
        };
        self.close_request(sys, fd, result);
    }

    pub(crate) fn request_timed_out(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        let Some(one) = self.requests.open.get(&fd) else {
            return;
        };
        let addr = one.addr;
        let why = match &one.http {
            Some((_, url)) => {
                let while_what = if one.sent {
                    "while awaiting headers"
                } else {
                    "while waiting for connection"
                };
                format!(
                    "Get \"{url}\": context deadline exceeded (Client.Timeout exceeded {while_what})"
                )
            }
            None => format!("dial tcp {addr}: i/o timeout"),
        };
        self.close_request(sys, fd, ProbeResult::Failure(why));
    }

    fn close_request(&mut self, sys: &mut Sys<'_>, fd: Fd, result: ProbeResult) {
        sys.close(fd);
        self.timetable.set(Due::Request(fd), None);
        if let Some(one) = self.requests.open.remove(&fd) {
            self.request_done(sys, one.owner, result);
        }
    }

    fn request_done(&mut self, sys: &mut Sys<'_>, owner: Owner, result: ProbeResult) {
        match owner {
            Owner::Probe(id) => self.probe_done(sys, &id, result),
            Owner::Hook(uid, unit) => {
                let result = match result {
                    ProbeResult::Success => Ok(()),
                    ProbeResult::Failure(why) | ProbeResult::Error(why) => Err(why),
                };
                self.hook_done(&uid, unit, result);
            }
        }
    }
}

impl OneRequest {
    fn failed_to_connect(&self, errno: Errno) -> String {
        let dial = format!("dial tcp {}: connect: {}", self.addr, errno.go_message());
        match &self.http {
            Some((_, url)) => format!("Get \"{url}\": {dial}"),
            None => dial,
        }
    }
}
