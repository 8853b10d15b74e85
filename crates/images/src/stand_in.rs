//! Stands in for images nobody modelled: their names can be pulled and run, so that a lesson may use
//! them.
//!
//! A container of such an image that names no command runs a small web server on the TCP ports it
//! declares; the runtime tells it these in the variable [`node::image::PORTS_VARIABLE`], since
//! here, unlike in the real image, nobody else could know them. One that names a command runs that
//! in a BusyBox system, with a bash where that can be expected.

use std::net::SocketAddrV4;
use std::rc::Rc;

use machine::fs::Node;
use machine::{Program, Sys};
use net::http::Request;
use node::image::{Image, ImageConfig, Layer, PORTS_VARIABLE, digest};
use node::reference::Reference;
use sim::Stream;

use crate::site::{self, Answer, Site, say};
use crate::userland::{Userland, put, tools};

/// The name of the program in its executable.
pub(crate) const PROGRAM: &str = "stand-in";
/// Ports served if none are declared: the usual two.
const USUAL_PORTS: [u16; 2] = [80, 8080];

/// The program.
pub(crate) fn program() -> Box<dyn Program> {
    site::program(&StandIn)
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
    // Most images stand on a distribution with a bash, and many have a curl.
    if !["alpine", "busybox", "slim"]
        .iter()
        .any(|small| name.contains(small))
    {
        put(&mut root, "/bin/bash", Node::binary("bash"));
        tools(&mut root, "/usr/bin", &[&["curl"]]);
    }
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
#[derive(Debug)]
struct StandIn;

impl Site for StandIn {
    fn ports(&self, sys: &mut Sys<'_>) -> Result<Vec<u16>, String> {
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
        Ok(ports)
    }

    fn greeting(&self, port: u16) -> Option<String> {
        Some(format!("listening on port {port}\n"))
    }

    fn answer(&self, sys: &mut Sys<'_>, _client: SocketAddrV4, request: &Request) -> Answer {
        let name = sys.args().get(1).cloned().unwrap_or_else(|| Rc::from(""));
        say(sys, &format!("{} {}\n", request.method, request.target));
        Answer::text(format!("{name}\nHostname: {}\n", sys.hostname()))
    }
}
