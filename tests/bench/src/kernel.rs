//! The bare kernel: machines, timers and messages, nothing of Kubernetes. Half of the programs wait
//! for timers, half play ping-pong over the network, each with a program on the next machine.

use std::net::{Ipv4Addr, SocketAddrV4};

use machine::testing::spec;
use machine::{Exec, Fd, Payload, Poll, Program, Spawn, Sys, Wake, World};
use net::Ipv4Net;
use sim::{Duration, EntryId, Instant, MachineId};

const PORT: u16 = 7;
const TICK: Duration = Duration::from_micros(500);

/// A world of machines that do nothing but this.
pub struct Kernel {
    world: World,
}

impl Kernel {
    /// Makes `machines` machines on one wire, running.
    ///
    /// # Panics
    /// With more than 250 machines.
    #[must_use]
    pub fn new(machines: u8) -> Kernel {
        assert!(machines <= 250, "one network of 250 machines at most");
        let mut world = World::new(1, |_| None);
        let segment = world.net.add_segment();
        let ids: Vec<MachineId> = (1..=machines)
            .map(|number| {
                let id = world.add_machine(spec(&format!("m{number:03}")));
                let ns = world.host(id).netns;
                let nic = world
                    .net
                    .add_uplink(ns, "eth0", segment)
                    .expect("the first link");
                world.net.set_up(nic).expect("it is there");
                let own = Ipv4Net::new(address(number), 24);
                world.net.addr_add(nic, own).expect("the first address");
                world.boot(id, EntryId::NONE);
                id
            })
            .collect();
        world.run(Instant::ZERO + Duration::from_millis(1), u64::MAX);
        for (number, id) in (1..=machines).zip(ids) {
            let peer = SocketAddrV4::new(address(number % machines + 1), PORT);
            start(&mut world, id, Box::new(Server::default()));
            start(&mut world, id, Box::new(Player { peer, socket: None }));
            start(&mut world, id, Box::new(Ticker));
        }
        Kernel { world }
    }

    /// Lets this many events happen.
    pub fn run(&mut self, events: u64) -> u64 {
        let end = self.world.now() + Duration::from_secs(3600);
        self.world.run(end, events)
    }
}

fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, number)
}

fn start(world: &mut World, id: MachineId, program: Box<dyn Program>) {
    let spawn = Spawn::new(Exec::Program(program), vec!["bench".into()]);
    let spawned = world.enter(id, EntryId::NONE, |sys| sys.spawn(spawn));
    spawned
        .expect("it is switched on")
        .expect("a program can be run");
}

/// Waits for one timer after the other.
#[derive(Clone, Debug)]
struct Ticker;

impl Program for Ticker {
    fn poll(&mut self, sys: &mut Sys<'_>, _why: Wake) -> Poll {
        sys.timer(TICK);
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Sends back what comes.
#[derive(Clone, Debug, Default)]
struct Server {
    listener: Option<Fd>,
    connections: Vec<Fd>,
}

impl Program for Server {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => {
                let any = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT);
                self.listener = Some(sys.listen(any).expect("the port is free"));
                self.accept(sys);
            }
            Wake::Ready(fd) if Some(fd) == self.listener => self.accept(sys),
            Wake::Ready(fd) => echo(sys, fd),
            _ => {}
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

impl Server {
    fn accept(&mut self, sys: &mut Sys<'_>) {
        while let Some(Ok(fd)) = self.listener.map(|listener| sys.accept(listener)) {
            self.connections.push(fd);
            echo(sys, fd);
        }
    }
}

fn echo(sys: &mut Sys<'_>, fd: Fd) {
    while let Ok(Some(payload)) = sys.recv(fd) {
        sys.send(fd, payload).expect("the peer is there");
    }
}

/// Sends one message to and fro.
#[derive(Clone, Debug)]
struct Player {
    peer: SocketAddrV4,
    socket: Option<Fd>,
}

impl Program for Player {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match (why, self.socket) {
            // The servers of machines that come later do not listen yet.
            (Wake::Start, _) => drop(sys.timer(TICK)),
            (Wake::Timer(_), _) => {
                let fd = sys.connect(self.peer).expect("there is a route");
                self.socket = Some(fd);
                self.serve(sys, fd);
            }
            (_, Some(fd)) => self.serve(sys, fd),
            _ => {}
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

impl Player {
    fn serve(&self, sys: &mut Sys<'_>, fd: Fd) {
        if sys.connected(fd).is_err() {
            return;
        }
        let mut received = false;
        while let Ok(Some(_)) = sys.recv(fd) {
            received = true;
        }
        let begins = sys.cause() == EntryId::NONE;
        if received || begins {
            let _ = sys.send(fd, Payload::Bytes([0; 64].into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_and_messages_keep_the_kernel_busy() {
        let mut kernel = Kernel::new(4);
        assert_eq!(kernel.run(20_000), 20_000);
        let span = kernel.world.now();
        // Four tickers alone make several events a millisecond.
        assert!(span < Instant::ZERO + Duration::from_secs(10), "{span:?}");
    }
}
