//! The part of a TLS handshake that two programs judge each other by: the certificates. Keys,
//! ciphers and records are not modelled; a connection whose handshake fails carries nothing.
//!
//! A client that wants to know whom it talks to sends [`ClientHello`] as its first request. Whoever
//! skips that is known by [`crate::http::Request::peer`] alone.
//!
//! Models RFC 8446, sections 4 and 6.2.

use std::any::Any;
use std::rc::Rc;

use crate::Shared;
use crate::http::{Body, Method, Request};

/// A client's side: the PEM file it shows, if it has one.
#[derive(Clone, Debug)]
pub struct ClientHello {
    /// The text of the certificate file.
    pub certificate: Option<Rc<str>>,
}

/// A server's side.
#[derive(Clone, Debug)]
pub struct ServerHello {
    /// The text of the server's certificate file.
    pub certificate: Rc<str>,
    /// Why the server ends the connection, as alerts are worded; it does so once the client has had
    /// its chance to object first.
    pub alert: Option<&'static str>,
}

impl ClientHello {
    /// The request that carries it.
    #[must_use]
    pub fn request(certificate: Option<Rc<str>>) -> Request {
        let hello = ClientHello { certificate };
        Request::new(Method::Options, "*").with_body(Body::shared(Rc::new(hello)))
    }
}

impl Shared for ClientHello {
    fn size(&self) -> u64 {
        517
    }

    fn bytes(&self) -> Vec<u8> {
        b"\x16\x03\x01".to_vec()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Shared for ServerHello {
    fn size(&self) -> u64 {
        self.certificate.len() as u64 + 128
    }

    fn bytes(&self) -> Vec<u8> {
        b"\x16\x03\x03".to_vec()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
