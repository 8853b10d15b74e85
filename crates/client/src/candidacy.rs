//! A component's part in the election of its leader, the same for all of them: it acts while it
//! leads, and ends when it loses. Without an election it leads from the start.
//! Models what the commands in cmd/ do with client-go/tools/leaderelection.

use api::{Str, Value};
use sim::Instant;

use crate::{
    Client, Election, Env, EventType, Incoming, Involved, LEASES, LeaderElector, Leadership,
    Occurrence, Severity,
};

/// Whether a component leads, and how it comes to.
#[derive(Clone, Debug)]
pub struct Candidacy {
    elector: Option<LeaderElector>,
    /// Where upstream's log says that leadership was lost: `server.go:320`.
    place: &'static str,
    leading: bool,
    lost: bool,
}

impl Candidacy {
    /// A candidacy for the lease `name`; without a holder there is no election.
    #[must_use]
    pub fn new(name: &str, holder: Option<Str>, place: &'static str) -> Candidacy {
        Candidacy {
            elector: holder.map(|holder| LeaderElector::new(Election::of(name, holder))),
            place,
            leading: false,
            lost: false,
        }
    }

    /// Whether the component acts.
    #[must_use]
    pub fn is_leading(&self) -> bool {
        self.leading
    }

    /// Whether it led once and may not go on.
    #[must_use]
    pub fn has_lost(&self) -> bool {
        self.lost
    }

    /// Begins to stand for election. Whether the component leads at once.
    pub fn start<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T) -> bool {
        match &mut self.elector {
            Some(elector) => elector.start(env, client, tag),
            None => self.leading = true,
        }
        self.leading
    }

    /// Takes the answer to a call of the election. If it is won, gives the event that says so.
    pub fn on_incoming<T>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: T,
        incoming: &Incoming,
    ) -> Option<Occurrence> {
        let elector = self.elector.as_mut()?;
        let change = elector.on_incoming(env, client, tag, incoming);
        self.follow(env, change)
    }

    /// Does what is due. If the election is won, gives the event that says so.
    pub fn on_time<T>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: T,
    ) -> Option<Occurrence> {
        let change = self.elector.as_mut()?.on_time(env, client, tag);
        self.follow(env, change)
    }

    /// When `on_time` is to be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.elector.as_ref().and_then(LeaderElector::next_deadline)
    }

    /// Leads no longer, and leaves the lease to expire.
    pub fn step_down(&mut self) {
        self.leading = false;
    }

    /// Leads no longer, and gives the lease back.
    pub fn release<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T) {
        self.leading = false;
        if let Some(elector) = &mut self.elector {
            elector.release(env, client, tag);
        }
    }

    fn follow(&mut self, env: &mut Env<'_>, change: Option<Leadership>) -> Option<Occurrence> {
        match change? {
            Leadership::Won => {
                self.leading = true;
                self.won()
            }
            Leadership::Lost => {
                (self.leading, self.lost) = (false, true);
                env.log(Severity::Error, self.place, "\"Leaderelection lost\"");
                None
            }
        }
    }

    fn won(&self) -> Option<Occurrence> {
        let elector = self.elector.as_ref()?;
        let lease = elector.lease().cloned().unwrap_or(Value::Null);
        Some(Occurrence {
            involved: Involved::of(&LEASES, &lease),
            event_type: EventType::Normal,
            reason: "LeaderElection".into(),
            action: Str::default(),
            message: format!("{} became leader", elector.election().identity),
        })
    }
}
