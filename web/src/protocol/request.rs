//! Requests and the way their packets took, as the model explains it (`commands::netwhy`).

use serde::{Deserialize, Serialize};

/// A request: a packet that began something, and the answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its number.
    pub id: u64,
    /// The machines' wall clock when it was made last, seconds since 1970.
    pub unix_secs: i64,
    /// The command that made it.
    pub command: String,
    /// The Service that it was for: namespace and name.
    pub service: Option<(String, String)>,
    /// How often it was made.
    pub times: u32,
    /// It was made in a copy of the world, to see what would be.
    pub asked: bool,
    /// The way there, and the way of the answer if there was one.
    pub ways: Vec<Way>,
}

/// The way of one packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// What the packet is: `TCP SYN`.
    pub what: String,
    /// Addresses as it was sent.
    pub flow: String,
    /// How it ended, a phrase.
    pub end: String,
    /// The family of that end.
    pub fate: Fate,
    /// Where it came through.
    pub stations: Vec<Station>,
}

/// How a packet ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// It was delivered.
    Arrived,
    /// Its sender was told that it is not wanted.
    Refused,
    /// It was lost.
    Lost,
}

/// What one network namespace or bridge did with the packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Station {
    /// The machine.
    pub machine: String,
    /// The namespace, empty for the machine's own.
    pub netns: String,
    /// Namespace and name of the pod whose network it is.
    pub pod: Option<(String, String)>,
    /// The interface it came in by.
    pub inbound: Option<String>,
    /// The interface it left by.
    pub outbound: Option<String>,
    /// What was done with it, a phrase.
    pub did: String,
    /// The route that was chosen.
    pub route: Option<String>,
    /// The rules that it met, in order.
    pub rules: Vec<Met>,
    /// Addresses as it came.
    pub before: String,
    /// Addresses as it left.
    pub after: String,
}

/// A rule that was met, or the policy of a chain that dropped the packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// The table.
    pub table: String,
    /// The chain.
    pub chain: String,
    /// Its place in the chain, 0 for the policy.
    pub number: u32,
    /// The rule as `iptables-save` prints it; none for the policy.
    pub text: Option<String>,
    /// Addresses it gave the packet.
    pub made: Option<String>,
    /// For whom it was written, as far as that can be told.
    pub writer: Option<Writer>,
}

/// What a rule was written for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Writer {
    /// For all Services alike.
    EveryService,
    /// For one Service.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The one of its endpoints, for a rule of an EndpointSlice.
        endpoint: Option<String>,
    },
}

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Asker {
    /// A machine.
    Machine(String),
    /// A pod: namespace and name.
    Pod(String, String),
}
