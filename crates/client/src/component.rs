//! What a component of the control plane shows to the process it lives in. An adaptor of a dozen
//! lines can run any of them: send what is outgoing, hand back what comes in, call again in time.

use sim::Instant;

use crate::{CallId, Env, Incoming, Outgoing};

/// A component as a state machine.
pub trait Component {
    /// Begins; called once.
    fn start(&mut self, env: &mut Env<'_>);

    /// Takes a part of an answer to one of its calls.
    fn on_incoming(&mut self, env: &mut Env<'_>, call: CallId, incoming: &Incoming);

    /// Does what is due. Calling it early does no harm.
    fn on_time(&mut self, env: &mut Env<'_>);

    /// When `on_time` is to be called at the latest.
    fn next_deadline(&self) -> Option<Instant>;

    /// Takes what the process is to do next on the component's behalf.
    fn next_outgoing(&mut self) -> Option<Outgoing>;

    /// The process was asked to end: what is to be given back goes out now.
    fn stop(&mut self, env: &mut Env<'_>);

    /// Whether it has to end by itself, as one does that lost its lease.
    fn must_exit(&self) -> bool;
}
