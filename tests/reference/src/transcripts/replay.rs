//! Does in a fresh world what was done in the recorded one, at its pace.

use std::rc::Rc;

use client::certificate::{Certificate, pem};
use client::kubeconfig;
use lab::{Input, Lab, Run, WorldSpec};
use regex_lite::Regex;
use sim::{Duration, Instant};

use super::normal::normal;
use super::{Outcome, Scenario, Step};

/// Where the commands ran.
const DIRECTORY: &str = "/root/work";
/// The shell's surroundings in the recording.
const SURROUNDINGS: &str = "export KUBE_EDITOR=true TZ=UTC LANG=C.UTF-8; cd /root/work";
/// How long a command may take, and how long to wait for something at most.
const PATIENCE: Duration = Duration::from_secs(180);
/// Time between two looks while waiting for something.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Replays a scenario.
///
/// # Errors
/// The world does not come up, or a step has no sense.
pub(super) fn replay(scenario: &Scenario) -> Result<Vec<Outcome>, String> {
    let mut player = Player::new()?;
    let mut outcomes = Vec::new();
    // The end of the last command as recorded: what follows begins this long after ours.
    let mut ended: Option<Instant> = None;
    for (number, step) in scenario.steps.iter().enumerate() {
        match step {
            Step::Command {
                command,
                stdin,
                exit_code,
                stdout,
                stderr,
                started,
                seconds,
            } => {
                let started = Instant::parse_rfc3339(&started.replace("+00:00", "Z"))
                    .ok_or_else(|| format!("step {number}: no time: {started}"))?;
                if let Some(ended) = ended {
                    player.pause(started.since(ended.min(started)));
                }
                let begun = player.lab.now();
                let run = player.run(command, stdin.as_deref())?;
                let took = span(*seconds);
                let rest = took.saturating_sub(player.lab.now().since(begun));
                player.pause(rest);
                ended = Some(started + took);
                outcomes.push(Outcome {
                    step: number,
                    command: command.clone(),
                    difference: difference((*exit_code, stdout, stderr), &run),
                });
            }
            Step::File { file, text } => {
                let path = format!("{DIRECTORY}/{file}");
                player
                    .lab
                    .put_file(&player.machine, &path, text.as_bytes())?;
            }
            Step::Sleep { sleep } => {
                player.pause(span(*sleep));
                ended = None;
            }
            Step::Until {
                until,
                r#match,
                timeout,
            } => {
                let wanted = Regex::new(r#match).map_err(|why| format!("step {number}: {why}"))?;
                let end = player.lab.now() + timeout.map_or(PATIENCE, span);
                loop {
                    let run = player.run(until, None)?;
                    let told = [run.stdout, run.stderr].concat();
                    if wanted.is_match(String::from_utf8_lossy(&told).trim_end())
                        || player.lab.now() >= end
                    {
                        break;
                    }
                    player.pause(LOOK_EVERY);
                }
                ended = None;
            }
        }
    }
    Ok(outcomes)
}

fn span(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, 3600.0))
}

struct Player {
    lab: Lab,
    machine: Rc<str>,
    inputs: u32,
}

impl Player {
    fn new() -> Result<Player, String> {
        let mut lab = Lab::new(WorldSpec::with_workers(2, 1))?;
        lab.boot()?;
        let machine = lab.spec().nodes[0].name.clone();
        let mut player = Player {
            lab,
            machine,
            inputs: 0,
        };
        // Every scenario begins in an empty namespace: what is told of the nodes' start is not in it.
        player.run("kubectl delete events --all", None)?;
        player.introduce("alice", "developers")?;
        Ok(player)
    }

    /// An ordinary user with a certificate, whose kubeconfig lies where the commands run.
    fn introduce(&mut self, user: &str, group: &str) -> Result<(), String> {
        let subject = format!("O={group},CN={user}");
        let signed = |subject: &str| Certificate {
            subject: subject.into(),
            issuer: "CN=kubernetes".into(),
            not_after: "2036-01-01T00:00:00Z".into(),
            names: "".into(),
        };
        let (ca, own) = (signed("CN=kubernetes").to_pem(), signed(&subject).to_pem());
        let key = pem("RSA PRIVATE KEY", subject.as_bytes());
        let text = kubeconfig::write("https://172.30.1.2:6443", user, &ca, &own, &key);
        let path = format!("{DIRECTORY}/.kube/{user}.conf");
        self.lab.put_file(&self.machine, &path, text.as_bytes())
    }

    fn run(&mut self, command: &str, stdin: Option<&str>) -> Result<Run, String> {
        let input = match stdin {
            None => "/dev/null".to_owned(),
            Some(text) => {
                self.inputs += 1;
                let path = format!("/run/input-{}", self.inputs);
                self.lab.put_file(&self.machine, &path, text.as_bytes())?;
                path
            }
        };
        let command = format!("mkdir -p {DIRECTORY}; {SURROUNDINGS}\n{{ {command}\n}} < {input}");
        let begun = self.lab.apply(Input::Run {
            machine: self.machine.clone(),
            command: command.into(),
        })?;
        let number = begun.ok_or("a run has a number")?;
        let end = self.lab.now() + PATIENCE;
        self.lab.step_run(number, end, u64::MAX);
        let run = self
            .lab
            .run_result(number)
            .ok_or("a run has a result")?
            .clone();
        if run.exit_code.is_none() {
            self.lab.stop_run(number);
        }
        Ok(run)
    }

    fn pause(&mut self, span: Duration) {
        self.lab.advance(self.lab.now() + span, u64::MAX);
    }
}

fn difference(expected: (i32, &str, &str), run: &Run) -> Vec<String> {
    let (code, stdout, stderr) = expected;
    let mut found = Vec::new();
    match run.exit_code {
        Some(ours) if ours == code => {}
        Some(ours) => found.extend([format!("< [exit {code}]"), format!("> [exit {ours}]")]),
        None => found.push("> [does not end]".to_owned()),
    }
    let ours = [&run.stdout, &run.stderr].map(|bytes| normal(&String::from_utf8_lossy(bytes)));
    let [out, err] = ours;
    // The end of the last line is an empty one here, so that its lack shows.
    let split = |text: &str| -> Vec<String> { text.split('\n').map(str::to_owned).collect() };
    for (name, theirs, own) in [("stdout", stdout, out), ("stderr", stderr, err)] {
        let (theirs, own) = (split(&normal(theirs)), split(&own));
        found.extend(crate::lines_difference(name, &theirs, &own));
    }
    found
}
