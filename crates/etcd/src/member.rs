//! The members of the cluster and what a member says of itself.
//!
//! Models server/etcdserver/api/membership and the Status call.

use std::rc::Rc;

use sim::Duration;

use crate::ids::{cluster_id, member_id};

/// How a member is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its own version: `3.6.8`.
    pub version: Rc<str>,
    /// `--name`.
    pub name: Rc<str>,
    /// `--initial-advertise-peer-urls`.
    pub peer_urls: Vec<Rc<str>>,
    /// `--initial-cluster-token`.
    pub token: Rc<str>,
    /// `--advertise-client-urls`.
    pub client_urls: Vec<Rc<str>>,
    /// `--client-cert-auth`: refuse clients that show no certificate.
    pub client_cert_auth: bool,
    /// `--quota-backend-bytes`.
    pub quota_bytes: u64,
    /// How long writing a batch of log entries to the disk takes.
    pub fsync: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            version: crate::wire::VERSION.into(),
            name: "default".into(),
            peer_urls: vec!["http://localhost:2380".into()],
            token: "etcd-cluster".into(),
            client_urls: vec!["http://localhost:2379".into()],
            client_cert_auth: false,
            quota_bytes: 2 << 30,
            fsync: Duration::from_micros(1500),
        }
    }
}

/// A member as `etcdctl member list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number, written in hexadecimal.
    pub id: u64,
    /// Its name; empty before it has started.
    pub name: Rc<str>,
    /// Where other members reach it.
    pub peer_urls: Vec<Rc<str>>,
    /// Where clients reach it.
    pub client_urls: Vec<Rc<str>>,
    /// It does not vote.
    pub is_learner: bool,
}

/// The cluster as its data remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The cluster's number.
    pub id: u64,
    /// This member's number.
    pub member_id: u64,
    /// All members.
    pub members: Vec<Member>,
    /// The raft term: rises by one each time the member starts.
    pub raft_term: u64,
    /// The last log entry.
    pub raft_index: u64,
}

impl Cluster {
    /// A fresh cluster of this one member.
    pub fn bootstrap(config: &Config) -> Cluster {
        let member_id = member_id(&config.peer_urls, &config.token);
        Cluster {
            id: cluster_id(&[member_id]),
            member_id,
            members: vec![Member {
                id: member_id,
                name: config.name.clone(),
                peer_urls: config.peer_urls.clone(),
                client_urls: config.client_urls.clone(),
                is_learner: false,
            }],
            raft_term: 1,
            // The configuration change that added the member, and the version that was set.
            raft_index: 3,
        }
    }
}

/// What the Status call answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// etcd's version.
    pub version: Rc<str>,
    /// Bytes the database file takes.
    pub db_size: u64,
    /// Bytes of it that are in use.
    pub db_size_in_use: u64,
    /// Bytes it may take.
    pub quota: u64,
    /// The leader's number.
    pub leader: u64,
    /// The last log entry.
    pub raft_index: u64,
    /// The last log entry that was applied.
    pub raft_applied_index: u64,
    /// The raft term.
    pub raft_term: u64,
    /// Does this member not vote?
    pub is_learner: bool,
    /// What is wrong.
    pub errors: Vec<Rc<str>>,
}
