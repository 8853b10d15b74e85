//! Stands in for images nobody modelled: their names can be pulled and run, so that a lesson may use
//! them.
//!
//! A container of such an image that names no command runs a small web server on the TCP ports it
//! declares; the runtime tells it these in the variable [`node::image::PORTS_VARIABLE`], since
//! here, unlike in the real image, nobody else could know them. One that names a command runs that
//! in a BusyBox system.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::fs::Node;
use machine::http::{Server, ServerEvent};
use machine::{Fd, Poll, Program, Signal, Sys, Wake};
use net::http::Response;
use node::image::{Image, ImageConfig, Layer, PORTS_VARIABLE, digest};
use node::reference::Reference;
use sim::Stream;

use crate::userland::{Userland, put};

/// The name of the program in its executable.
pub(crate) const PROGRAM: &str = "stand-in";
/// Ports served if none are declared: the usual two.
const USUAL_PORTS: [u16; 2] = [80, 8080];

/// The program.
pub(crate) fn program() -> Box<dyn Program> {
    Box::new(StandIn {
        server: Server::new(),
    })
}

/// The image that stands in for `reference`: a BusyBox system, a server, a plausible size.
pub(crate) fn image(reference: &Reference) -> Image {
    let name = reference.to_string();
    let mut dice = Stream::new(0, &name);
    let size = 12_000_000 + dice.below(80_000_000);
    let mut layers: Vec<Layer> = Userland::Alpine
        .layers()
        .iter()
        .map(|(name, size)| Layer {
            digest: digest(&format!("layer {name}")),
            size: *size,
        })
        .collect();
    layers.push(Layer {
        digest: digest(&format!("layer of {name}")),
        size,
    });
    let mut root = Userland::Alpine.tree();
    put(&mut root, "/usr/local/bin/stand-in", Node::binary(PROGRAM));
    let config = ImageConfig {
        cmd: vec!["/usr/local/bin/stand-in".into(), name.as_str().into()],
        stand_in: true,
        ..ImageConfig::default()
    };
    Image {
        digest: digest(&format!("manifest {name}")),
        id: digest(&format!("config {name}")),
        layers: layers.into(),
        config,
        root,
    }
}

/// A web server that says who it is. Arguments: what it stands for, then ports, if the image knows
/// them.
#[derive(Clone, Debug)]
struct StandIn {
    server: Server,
}

impl StandIn {
    fn start(&mut self, sys: &mut Sys<'_>) -> Result<(), String> {
        let env = sys.env();
        let declared = env.get(PORTS_VARIABLE).map_or("", |ports| ports);
        let args = sys.args();
        let known = args.iter().skip(2).map(|arg| &**arg);
        let mut ports: Vec<u16> = declared
            .split(',')
            .chain(known)
            .filter_map(|port| port.parse().ok())
            .collect();
        if ports.is_empty() {
            ports.extend(USUAL_PORTS);
        }
        let mut served = 0;
        let mut failed = None;
        for port in ports {
            let addr = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
            match self.server.listen(sys, addr) {
                Ok(()) => {
                    served += 1;
                    say(sys, &format!("listening on port {port}\n"));
                }
                // Containers of one pod share its ports: the first one has it.
                Err(errno) => failed = Some(format!("listen on port {port}: {errno}\n")),
            }
        }
        match failed {
            Some(why) if served == 0 => Err(why),
            _ => Ok(()),
        }
    }
}

impl Program for StandIn {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => {
                if let Err(why) = self.start(sys) {
                    let _ = sys.write(Fd::STDERR, why.as_bytes());
                    return Poll::Exit(1);
                }
            }
            Wake::Signal(_) => return Poll::Exit(0),
            Wake::Ready(fd) => {
                let mut events = Vec::new();
                self.server.on_ready(sys, fd, &mut events);
                for event in events {
                    if let ServerEvent::Request(to, request) = event {
                        let name = sys.args().get(1).cloned().unwrap_or_else(|| Rc::from(""));
                        let text = format!("{name}\nHostname: {}\n", sys.hostname());
                        let response =
                            Response::new(200, text).with_header("Content-Type", "text/plain");
                        self.server.respond(sys, to, response);
                        say(sys, &format!("{} {}\n", request.method, request.target));
                    }
                }
            }
            _ => {}
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn handles(&self, signal: Signal) -> bool {
        matches!(signal, Signal::Term | Signal::Int | Signal::Quit)
    }
}

fn say(sys: &mut Sys<'_>, text: &str) {
    // A log nobody reads any more is not written.
    let _ = sys.write(Fd::STDOUT, text.as_bytes());
}
