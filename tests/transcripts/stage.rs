//! Plays the parts of a story in a lab of its own.

use std::rc::Rc;

use lab::{Input, Lab, WorldSpec};
use sim::Duration;

use crate::normal::normalise;
use crate::story::{Part, Story};

/// A command that runs longer (in virtual time) is stopped.
const PATIENCE: Duration = Duration::from_secs(900);

/// A lab that is up.
pub(crate) struct Stage {
    lab: Lab,
}

impl Stage {
    pub(crate) fn new(story: &Story) -> Result<Stage, String> {
        let (preset, seed) = story
            .world
            .clone()
            .unwrap_or_else(|| ("default".to_owned(), 1));
        let spec = WorldSpec::preset(&preset, seed).ok_or(format!("there is no world {preset}"))?;
        let mut lab = Lab::new(spec)?;
        lab.boot()?;
        Ok(Stage { lab })
    }

    pub(crate) fn play(&mut self, part: &mut Part) -> Result<(), String> {
        match part {
            Part::Says(_) | Part::Pause => {}
            Part::Power { machine, on } => {
                self.lab.apply(Input::Power {
                    machine: (&**machine).into(),
                    on: *on,
                })?;
            }
            Part::Command {
                machine,
                script,
                printed,
            } => {
                let machine: Rc<str> = match machine {
                    Some(machine) => (&**machine).into(),
                    None => self.lab.spec().nodes[0].name.clone(),
                };
                *printed = self.run(machine, script)?;
            }
        }
        Ok(())
    }

    fn run(&mut self, machine: Rc<str>, script: &str) -> Result<Vec<String>, String> {
        let number = self.lab.apply(Input::Run {
            machine,
            command: script.into(),
        })?;
        let number = number.ok_or("a run has a number")?;
        let end = self.lab.now() + PATIENCE;
        self.lab.step_run(number, end, u64::MAX);
        self.lab.stop_run(number);
        let run = self.lab.run_result(number).ok_or("a run has a result")?;
        let mut printed = lines("", &run.stdout);
        printed.extend(lines("2> ", &run.stderr));
        match run.exit_code {
            Some(0) => {}
            Some(code) => printed.push(format!("[exit {code}]")),
            None => printed.push(format!("[stopped after {} s]", PATIENCE.as_secs())),
        }
        Ok(printed)
    }
}

/// The lines of what was printed; a backslash marks a last line that does not end.
fn lines(prefix: &str, bytes: &[u8]) -> Vec<String> {
    let text = normalise(&String::from_utf8_lossy(bytes));
    let open = !text.is_empty() && !text.ends_with('\n');
    let mut lines: Vec<String> = text.lines().map(|line| format!("{prefix}{line}")).collect();
    if open && let Some(last) = lines.last_mut() {
        last.push('\\');
    }
    lines
}
