//! Who of several equal components leads: a Lease that the leader renews and the others wait to see
//! expire. Says when leadership is won or lost; what that means is for the owner to decide.
//! Models client-go/tools/leaderelection/leaderelection.go.

use api::{Str, Value, object};
use net::http::Request;
use sim::{Duration, Instant};

use crate::{CallId, Client, Env, Error, Incoming, LEASES, Severity, answer, request};

/// How an election is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Election {
    /// Namespace of the Lease.
    pub namespace: Str,
    /// Its name: `kube-scheduler`.
    pub name: Str,
    /// Who stands for election: `controlplane_5d991461-11db-43b1-b293-7140d0dd9745`.
    pub identity: Str,
    /// How long others wait after a renewal they saw.
    pub lease_duration: Duration,
    /// How long the leader goes on without a renewal.
    pub renew_deadline: Duration,
    /// Pause between attempts.
    pub retry_period: Duration,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// This one leads from now on.
    Won,
    /// This one leads no longer; upstream's components exit.
    Lost,
}

/// One candidate.
#[derive(Clone, Debug)]
pub struct LeaderElector {
    election: Election,
    leading: bool,
    released: bool,
    /// The Lease as last read or written, and when it was first seen so.
    lease: Option<Value>,
    observed: Instant,
    /// When the last renewal that succeeded was begun.
    renewed: Instant,
    step: Step,
}

#[derive(Clone, Debug)]
enum Step {
    Stopped,
    Waiting {
        until: Instant,
    },
    Calling {
        call: CallId,
        began: Instant,
        write: Option<Value>,
    },
}

impl Election {
    /// An election in `kube-system` with upstream's times: 15 s, 10 s, 2 s.
    pub fn of(name: impl Into<Str>, identity: impl Into<Str>) -> Election {
        Election {
            namespace: "kube-system".into(),
            name: name.into(),
            identity: identity.into(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        }
    }
}

impl LeaderElector {
    /// A candidate that waits for `start`.
    #[must_use]
    pub fn new(election: Election) -> LeaderElector {
        LeaderElector {
            election,
            leading: false,
            released: false,
            lease: None,
            observed: Instant::ZERO,
            renewed: Instant::ZERO,
            step: Step::Stopped,
        }
    }

    /// Whether this one leads.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.leading
    }

    /// How the election is held.
    #[must_use]
    pub fn election(&self) -> &Election {
        &self.election
    }

    /// The Lease as last seen.
    #[must_use]
    pub fn lease(&self) -> Option<&Value> {
        self.lease.as_ref()
    }

    /// Begins to stand for election.
    pub fn start<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T) {
        let lock = self.lock();
        env.log(
            Severity::Info,
            "leaderelection.go:258",
            &format!("\"Attempting to acquire leader lease...\" lock=\"{lock}\""),
        );
        self.attempt(env, client, tag);
    }

    /// When `on_time` is to be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let step = match self.step {
            Step::Stopped => return None,
            Step::Waiting { until } => until,
            Step::Calling { began, .. } => began + self.call_timeout(),
        };
        let lost = self
            .leading
            .then(|| self.renewed + self.election.renew_deadline);
        Some(lost.map_or(step, |lost| lost.min(step)))
    }

    /// Attempts, renews or gives up, whichever is due.
    pub fn on_time<T>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: T,
    ) -> Option<Leadership> {
        if self.leading && self.renewed + self.election.renew_deadline <= env.now {
            return Some(self.lose(env, client));
        }
        match self.step {
            Step::Waiting { until } if until <= env.now => self.attempt(env, client, tag),
            Step::Calling { call, began, .. } if began + self.call_timeout() <= env.now => {
                client.cancel(call);
                self.wait(env);
            }
            _ => {}
        }
        None
    }

    /// Takes the answer to the call it has under way.
    pub fn on_incoming<T>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: T,
        incoming: &Incoming,
    ) -> Option<Leadership> {
        let Step::Calling { began, write, .. } = std::mem::replace(&mut self.step, Step::Stopped)
        else {
            return None;
        };
        if self.released {
            return None;
        }
        match (answer(incoming), write) {
            (Ok(lease), Some(_)) => {
                self.observe(env.now, lease);
                self.renewed = began;
                self.wait(env);
                if !std::mem::replace(&mut self.leading, true) {
                    let lock = self.lock();
                    let text = format!("\"Successfully acquired lease\" lock=\"{lock}\"");
                    env.log(Severity::Info, "leaderelection.go:272", &text);
                    return Some(Leadership::Won);
                }
            }
            (Ok(lease), None) => {
                self.observe(env.now, lease);
                self.claim(env, client, tag);
            }
            (Err(error), None) if error.is_not_found() => {
                self.lease = None;
                self.claim(env, client, tag);
            }
            (Err(error), _) => self.on_error(env, &error),
        }
        None
    }

    /// Gives the Lease back, as a component that is asked to end does.
    pub fn release<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T) {
        if !self.leading {
            return;
        }
        (self.leading, self.released) = (false, true);
        let mut lease = self.record(env.now);
        lease.set("spec.holderIdentity", "");
        lease.set("spec.leaseDurationSeconds", 1);
        self.write(env, client, tag, lease);
    }

    /// The leader renews what it knows; others look first.
    fn attempt<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T) {
        if self.leading && self.holder() == &*self.election.identity {
            self.claim(env, client, tag);
            return;
        }
        let election = &self.election;
        let look = request::get(&LEASES, &election.namespace, &election.name);
        self.call(env, client, tag, look, None);
    }

    /// Writes the Lease, unless another holds it.
    fn claim<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T) {
        let held = !self.holder().is_empty() && self.holder() != &*self.election.identity;
        if held && self.observed + self.election.lease_duration > env.now {
            self.wait(env);
            return;
        }
        let lease = self.record(env.now);
        self.write(env, client, tag, lease);
    }

    /// The Lease as this one writes it at `now`.
    fn record(&self, now: Instant) -> Value {
        let Election {
            namespace,
            name,
            identity,
            lease_duration,
            ..
        } = &self.election;
        let mut lease = self.lease.clone().unwrap_or_else(|| {
            object! {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": { "name": name, "namespace": namespace },
            }
        });
        let mine = self.holder() == &**identity;
        let transitions = lease.i64_at("spec.leaseTransitions");
        if !mine {
            let handed_over = i64::from(self.lease.is_some());
            lease.set(
                "spec.leaseTransitions",
                transitions.unwrap_or(0) + handed_over,
            );
            lease.set("spec.acquireTime", now.rfc3339_micro());
        }
        lease.set("spec.holderIdentity", identity);
        lease.set("spec.leaseDurationSeconds", lease_duration.as_secs());
        lease.set("spec.renewTime", now.rfc3339_micro());
        lease
    }

    fn write<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>, tag: T, lease: Value) {
        let request = if self.lease.is_some() {
            request::update(&LEASES, lease.clone(), "")
        } else {
            request::create(&LEASES, &self.election.namespace, lease.clone())
        };
        self.call(env, client, tag, request, Some(lease));
    }

    fn call<T>(
        &mut self,
        env: &mut Env<'_>,
        client: &mut Client<T>,
        tag: T,
        request: Request,
        write: Option<Value>,
    ) {
        let call = client.send(env.cause, tag, request);
        self.step = Step::Calling {
            call,
            began: env.now,
            write,
        };
    }

    fn observe(&mut self, now: Instant, lease: Value) {
        let known = self.lease.as_ref().map(|lease| lease.get("spec"));
        if known != Some(lease.get("spec")) {
            self.observed = now;
        }
        self.lease = Some(lease);
    }

    fn on_error(&mut self, env: &mut Env<'_>, error: &Error) {
        let lock = self.lock();
        let text = format!("\"Error retrieving lease lock\" err=\"{error}\" lock=\"{lock}\"");
        env.log(Severity::Error, "leaderelection.go:448", &text);
        // Whatever was known may be outdated: look before the next write.
        if error.is_conflict() || error.is_not_found() {
            self.lease = None;
        }
        self.wait(env);
    }

    /// Candidates wait up to 2.2 times as long as the leader, so that they do not meet.
    fn wait(&mut self, env: &mut Env<'_>) {
        let mut pause = self.election.retry_period;
        if !self.leading {
            let most = u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX) / 10 * 12;
            pause += Duration::from_nanos(env.random.below(most));
        }
        self.step = Step::Waiting {
            until: env.now + pause,
        };
    }

    fn lose<T>(&mut self, env: &mut Env<'_>, client: &mut Client<T>) -> Leadership {
        if let Step::Calling { call, .. } = self.step {
            client.cancel(call);
        }
        self.leading = false;
        self.step = Step::Stopped;
        let lock = self.lock();
        let text =
            format!("\"Failed to renew lease\" lock=\"{lock}\" err=\"context deadline exceeded\"");
        env.log(Severity::Error, "leaderelection.go:308", &text);
        Leadership::Lost
    }

    fn holder(&self) -> &str {
        self.lease
            .as_ref()
            .map_or("", |lease| lease.str_at("spec.holderIdentity"))
    }

    fn call_timeout(&self) -> Duration {
        self.election.renew_deadline / 2
    }

    fn lock(&self) -> String {
        format!("{}/{}", self.election.namespace, self.election.name)
    }
}

#[cfg(test)]
mod tests;
