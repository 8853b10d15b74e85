//! Whole networks, driven as a world drives them: packets in, what sockets and people see out.

extern crate kubarium_net as net;

mod iptables;
mod nat;
mod reach;
mod tcp;
mod topology;
mod world;
