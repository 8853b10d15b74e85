//! A whole cluster: from nothing, and with a Deployment of many replicas.

use std::rc::Rc;

use lab::{Input, Lab, TerminalId, WorldSpec};
use sim::Duration;

/// Replicas of the cases.
pub const SIZES: [u32; 3] = [10, 100, 1000];

/// Requests of the case with a node port.
pub const REQUESTS: u32 = 1000;

/// Events between two looks.
const SLICE: u64 = 50_000;

/// A cluster with twelve workers.
#[derive(Clone)]
pub struct Cluster {
    lab: Lab,
}

impl Cluster {
    /// A world that is just being switched on.
    ///
    /// # Panics
    /// If there is no such preset.
    #[must_use]
    pub fn new(preset: &str) -> Cluster {
        let spec = WorldSpec::preset(preset, 1).expect("a preset");
        Cluster {
            lab: Lab::new(spec).expect("presets are sound"),
        }
    }

    /// Lets it come up; the virtual time that takes.
    ///
    /// # Panics
    /// If it does not.
    pub fn boot(&mut self) -> Duration {
        let begun = self.lab.now();
        self.lab.boot().expect("the cluster comes up");
        self.lab.now().since(begun)
    }

    /// Creates a Deployment and waits until `kubectl rollout status` says that all of it is there;
    /// events and virtual time.
    ///
    /// # Panics
    /// If that does not happen within an hour.
    pub fn deploy(&mut self, replicas: u32) -> (u64, Duration) {
        let script = format!(
            "kubectl create deployment web-{replicas} --image=nginx --replicas={replicas} && \
             kubectl rollout status deployment/web-{replicas} --timeout=1h > /dev/null"
        );
        let begun = self.lab.now();
        let run = self.run(&script);
        let events = self.finish(run, begun + Duration::from_secs(3600));
        (events, self.lab.now().since(begun))
    }

    /// Deploys three web servers behind node port 30080.
    ///
    /// # Panics
    /// If they do not come up within an hour.
    pub fn serve(&mut self) {
        let run = self.run(
            "kubectl create deployment served --image=nginx --replicas=3 && kubectl expose deployment \
             served --port=80 --type=NodePort --overrides='{\"spec\":{\"ports\":[{\"port\":80,\"nodePort\":30080}]}}' \
             && kubectl rollout status deployment/served > /dev/null && sleep 5",
        );
        self.finish(run, self.lab.now() + Duration::from_secs(3600));
    }

    /// Asks the node port of a machine this often, one request after another; virtual time.
    ///
    /// # Panics
    /// If a request is not answered.
    pub fn ask(&mut self, requests: u32) -> Duration {
        let script = format!(
            "for n in $(seq {requests}); do curl -sS -o /dev/null http://node01:30080 || exit 1; done"
        );
        let begun = self.lab.now();
        let run = self.run(&script);
        self.finish(run, begun + Duration::from_secs(3600));
        self.lab.now().since(begun)
    }

    /// Ready replicas of a Deployment made by [`Cluster::deploy`].
    #[must_use]
    pub fn ready(&self, replicas: u32) -> i64 {
        let web = self
            .lab
            .objects()
            .get("deployments", "default", &format!("web-{replicas}"));
        web.and_then(|web| web.i64_at("status.readyReplicas"))
            .unwrap_or(0)
    }

    /// Lets a minute pass in which nobody does anything; events.
    pub fn idle(&mut self) -> u64 {
        let end = self.lab.now() + Duration::from_secs(60);
        self.lab.advance(end, u64::MAX)
    }

    fn run(&mut self, script: &str) -> TerminalId {
        let machine: Rc<str> = self.lab.spec().nodes[0].name.clone();
        let input = Input::Run {
            machine,
            command: script.into(),
        };
        self.lab
            .apply(input)
            .expect("the machine is on")
            .expect("a run has a number")
    }

    fn finish(&mut self, run: TerminalId, end: sim::Instant) -> u64 {
        let mut events = 0;
        loop {
            events += self.lab.step_run(run, end, SLICE);
            let result = self.lab.run_result(run).expect("a run has a result");
            match result.exit_code {
                Some(0) => return events,
                None if self.lab.now() < end => {}
                code => {
                    let told = String::from_utf8_lossy(&result.stderr);
                    panic!("the Deployment does not come up ({code:?}): {told}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_port_answers() {
        let mut cluster = Cluster::new("default");
        cluster.boot();
        cluster.serve();
        assert!(cluster.ask(20) > Duration::from_millis(1));
    }

    #[test]
    fn a_deployment_comes_up() {
        let mut cluster = Cluster::new("default");
        assert!(cluster.boot() < Duration::from_secs(120));
        let copy = cluster.clone();
        let (events, span) = cluster.deploy(10);
        assert_eq!((cluster.ready(10), copy.ready(10)), (10, 0));
        assert!(
            events > 1000 && span > Duration::from_secs(1),
            "{events} events in {span:?}"
        );
    }
}
