//! Forwarded ports: connections the runtime makes inside a sandbox, on behalf of a caller.
//! Models containerd's internal/cri/server/sandbox_portforward_linux.go.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::{Errno, Fd, Sys};
use net::Payload;

use crate::cri::{Code, Error, Message, Reply};
use crate::runtime::daemon::{Caller, Containerd, Outcome, unknown};

/// A connection into a sandbox, and for whom.
#[derive(Clone, Debug)]
pub(crate) struct Forward {
    pub(crate) caller: Caller,
    pub(crate) sandbox: Rc<str>,
    port: u16,
    /// The namespace's name, for what is said if the connection fails.
    netns: Rc<str>,
    stands: bool,
    /// What came before the connection stood.
    waiting: Vec<Payload>,
}

impl Containerd {
    pub(super) fn port_forward(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        id: &Rc<str>,
        port: u16,
    ) -> Outcome {
        let sandbox = self.store.sandboxes.get(id);
        let sandbox = sandbox.ok_or_else(|| {
            let desc = format!("failed to find sandbox \"{id}\" in store: not found");
            Error::new(Code::NotFound, desc)
        })?;
        if !sandbox.status.ready {
            let desc = format!("sandbox container \"{id}\" is not running");
            return Err(unknown(&desc));
        }
        let netns = sandbox.netns;
        let named = sys.named_netns().into_iter().find(|(_, id)| *id == netns);
        let forward = Forward {
            caller,
            sandbox: id.clone(),
            port,
            netns: named.map_or_else(|| "host".into(), |(name, _)| name),
            stands: false,
            waiting: Vec::new(),
        };
        let own = sys.netns();
        let connected = sys.set_netns(netns).and_then(|()| {
            let connected = sys.connect(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
            sys.set_netns(own)?;
            connected
        });
        let fd = connected.map_err(|errno| forward.failed(errno))?;
        self.forwards.insert(fd, forward);
        self.forward_ready(sys, fd);
        Ok(None)
    }

    /// A connection stands, has something, or has ended.
    pub(super) fn forward_ready(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        let Some(forward) = self.forwards.get_mut(&fd) else {
            return;
        };
        let caller = forward.caller;
        if !forward.stands {
            match sys.connected(fd) {
                Err(Errno::EAGAIN) => return,
                Err(errno) => {
                    let failed = forward.failed(errno);
                    sys.close(fd);
                    self.forwards.remove(&fd);
                    return self.answer(sys, caller, Err(failed));
                }
                Ok(()) => {
                    forward.stands = true;
                    for payload in std::mem::take(&mut forward.waiting) {
                        // A peer that is gone shows in what is received.
                        let _ = sys.send(fd, payload);
                    }
                    self.answer(sys, caller, Ok(Reply::Streaming));
                }
            }
        }
        loop {
            match sys.recv(fd) {
                Ok(Some(payload)) => {
                    let message = Message::Forwarded(caller.1, Some(payload));
                    self.tell(sys, caller.0, message);
                }
                Err(Errno::EAGAIN) => return,
                Ok(None) | Err(_) => {
                    sys.close(fd);
                    self.forwards.remove(&fd);
                    return self.tell(sys, caller.0, Message::Forwarded(caller.1, None));
                }
            }
        }
    }

    /// The caller sends something, or closes its side.
    pub(super) fn forward_input(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        payload: Option<Payload>,
    ) {
        let Some(payload) = payload else {
            return self.end_forwards(sys, |forward| forward.caller == caller);
        };
        let found = self.forwards.iter_mut().find(|(_, f)| f.caller == caller);
        match found {
            Some((_, forward)) if !forward.stands => forward.waiting.push(payload),
            Some((fd, _)) => {
                let _ = sys.send(*fd, payload);
            }
            None => {}
        }
    }

    /// Closes the connections of a caller, or of a sandbox.
    pub(super) fn end_forwards(&mut self, sys: &mut Sys<'_>, ends: impl Fn(&Forward) -> bool) {
        self.forwards.retain(|fd, forward| {
            let ends = ends(forward);
            if ends {
                sys.close(*fd);
            }
            !ends
        });
    }
}

impl Forward {
    fn failed(&self, errno: Errno) -> Error {
        let Forward {
            port,
            netns,
            sandbox,
            ..
        } = self;
        let why = errno.go_message();
        unknown(&format!(
            "failed to execute portforward in network namespace \"/var/run/netns/{netns}\": failed \
             to connect to localhost:{port} inside namespace \"{sandbox}\", IPv4: dial tcp4 \
             127.0.0.1:{port}: connect: {why} IPv6 dial tcp6 [::1]:{port}: connect: {why} "
        ))
    }
}
