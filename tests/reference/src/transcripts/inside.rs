//! Our kubectl, in our shell, in a world of its own.

use std::rc::Rc;
use std::time::Duration;

use client::certificate::{Certificate, pem};
use client::kubeconfig;
use lab::{Input, Lab, WorldSpec};

use super::replay::{ALICE, Answer, PATIENCE, SURROUNDINGS, Surroundings};

/// Where the commands ran.
const DIRECTORY: &str = "/root/work";

pub(super) struct Inside {
    lab: Lab,
    machine: Rc<str>,
    inputs: u32,
}

impl Inside {
    /// # Errors
    /// The world does not come up.
    pub(super) fn new() -> Result<Inside, String> {
        let mut lab = Lab::new(WorldSpec::with_workers(2, 1))?;
        lab.boot()?;
        let machine = lab.spec().nodes[0].name.clone();
        let mut inside = Inside {
            lab,
            machine,
            inputs: 0,
        };
        let ((group, user), file) = ALICE;
        inside.put(file, &certified(user, group))?;
        Ok(inside)
    }
}

/// The kubeconfig of a user with a certificate.
fn certified(user: &str, group: &str) -> String {
    let subject = format!("O={group},CN={user}");
    let signed = |subject: &str| Certificate {
        subject: subject.into(),
        issuer: "CN=kubernetes".into(),
        not_after: "2036-01-01T00:00:00Z".into(),
        names: "".into(),
    };
    let (ca, own) = (signed("CN=kubernetes").to_pem(), signed(&subject).to_pem());
    let key = pem("RSA PRIVATE KEY", subject.as_bytes());
    kubeconfig::write("https://172.30.1.2:6443", user, &ca, &own, &key)
}

impl Surroundings for Inside {
    fn now(&self) -> Duration {
        self.lab.now().since(sim::Instant::ZERO)
    }

    fn pause(&mut self, span: Duration) {
        self.lab.advance(self.lab.now() + span, u64::MAX);
    }

    fn put(&mut self, path: &str, text: &str) -> Result<(), String> {
        let path = format!("{DIRECTORY}/{path}");
        self.lab.put_file(&self.machine, &path, text.as_bytes())
    }

    fn run(&mut self, command: &str, stdin: Option<&str>) -> Result<Answer, String> {
        let input = match stdin {
            None => "/dev/null".to_owned(),
            Some(text) => {
                self.inputs += 1;
                let path = format!("/run/input-{}", self.inputs);
                self.lab.put_file(&self.machine, &path, text.as_bytes())?;
                path
            }
        };
        let command = format!(
            "mkdir -p {DIRECTORY}; {SURROUNDINGS}; cd {DIRECTORY}\n{{ {command}\n}} < {input}"
        );
        let begun = self.lab.apply(Input::Run {
            machine: self.machine.clone(),
            command: command.into(),
        })?;
        let number = begun.ok_or("a run has a number")?;
        let end = self.lab.now() + PATIENCE;
        self.lab.step_run(number, end, u64::MAX);
        let run = self.lab.run_result(number).ok_or("a run has a result")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let answer = Answer {
            exit_code: run.exit_code,
            stdout: text(&run.stdout),
            stderr: text(&run.stderr),
        };
        if answer.exit_code.is_none() {
            self.lab.stop_run(number);
        }
        Ok(answer)
    }
}
