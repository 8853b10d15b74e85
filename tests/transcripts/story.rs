//! The form of a story. A line begins with what it is:
//!
//! ```text
//! ! world large seed 3     the cluster, on the first line; "default" with seed 1 if left out
//! # a comment              tells the story
//! $ kubectl get pods       runs on the first machine
//! node01$ hostname         runs on another machine
//! > done                   goes on with the command
//!   NAME ...               what it printed, behind two blanks
//!   2> Error ...           what it printed to standard error
//!   [exit 1]               how it ended, if not with 0
//! ! power off node02       pulls a machine's plug; "power on" presses its button
//! ```
//!
//! Every command is a shell of its own: files stay, variables and folders do not.

use core::fmt;

/// A story.
#[derive(Debug)]
pub(crate) struct Story {
    /// A preset, and the seed.
    pub(crate) world: Option<(String, u64)>,
    pub(crate) parts: Vec<Part>,
}

/// A part of a story.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A comment's line.
    Says(String),
    /// An empty line.
    Pause,
    /// `power` with the machine and whether it goes on.
    Power { machine: String, on: bool },
    /// A command with the machine it runs on, if that is not the first, and what it printed.
    Command {
        machine: Option<String>,
        script: String,
        printed: Vec<String>,
    },
}

impl Story {
    pub(crate) fn parse(text: &str) -> Result<Story, String> {
        let mut story = Story {
            world: None,
            parts: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            story
                .line(line, index)
                .map_err(|why| format!("line {}: {why}", index + 1))?;
        }
        // What was printed is not read: only the pauses between parts count.
        story
            .parts
            .dedup_by(|a, b| *a == Part::Pause && *b == Part::Pause);
        Ok(story)
    }

    fn line(&mut self, line: &str, index: usize) -> Result<(), String> {
        if let Some(words) = line.strip_prefix("! ") {
            return self.directive(words, index);
        }
        let machine_of = |head: &str| {
            let is_name = head.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            is_name.then(|| (!head.is_empty()).then(|| head.to_owned()))
        };
        if line.is_empty() {
            self.parts.push(Part::Pause);
        } else if line.starts_with("  ") {
            let told = matches!(
                self.parts.iter().rfind(|part| **part != Part::Pause),
                Some(Part::Command { .. })
            );
            if !told {
                return Err("output without a command".to_owned());
            }
            // An empty line was part of what was printed.
            while self.parts.last() == Some(&Part::Pause) {
                self.parts.pop();
            }
        } else if line == "#" || line.starts_with("# ") {
            self.parts.push(Part::Says(line.to_owned()));
        } else if let Some(more) = line.strip_prefix('>') {
            let more = more.strip_prefix(' ').unwrap_or(more);
            let Some(Part::Command { script, .. }) = self.parts.last_mut() else {
                return Err("> goes on with no command".to_owned());
            };
            script.push('\n');
            script.push_str(more);
        } else if let Some((head, script)) = line.split_once("$ ")
            && let Some(machine) = machine_of(head)
        {
            let (script, printed) = (script.to_owned(), Vec::new());
            self.parts.push(Part::Command {
                machine,
                script,
                printed,
            });
        } else {
            return Err(format!(
                "{line:?} is neither command, comment, output nor directive"
            ));
        }
        Ok(())
    }

    fn directive(&mut self, words: &str, index: usize) -> Result<(), String> {
        match *words.split(' ').collect::<Vec<_>>() {
            ["world", preset, "seed", seed] if index == 0 => {
                let seed = seed.parse().map_err(|_| format!("{seed:?} is no seed"))?;
                self.world = Some((preset.to_owned(), seed));
            }
            ["power", way @ ("on" | "off"), machine] => {
                self.parts.push(Part::Power {
                    machine: machine.to_owned(),
                    on: way == "on",
                });
            }
            _ => return Err(format!("{words:?} is no directive")),
        }
        Ok(())
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Story { world, parts } = self;
        if let Some((preset, seed)) = world {
            writeln!(f, "! world {preset} seed {seed}")?;
        }
        for part in parts {
            match part {
                Part::Says(line) => writeln!(f, "{line}")?,
                Part::Pause => writeln!(f)?,
                Part::Power { machine, on } => {
                    writeln!(f, "! power {} {machine}", if *on { "on" } else { "off" })?;
                }
                Part::Command {
                    machine,
                    script,
                    printed,
                } => {
                    let machine = machine.as_deref().unwrap_or("");
                    let mut lines = script.split('\n');
                    writeln!(f, "{machine}$ {}", lines.next().unwrap_or(""))?;
                    for line in lines {
                        writeln!(f, "{}", format!("> {line}").trim_end())?;
                    }
                    for line in printed {
                        writeln!(f, "{}", format!("  {line}").trim_end())?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[test]
fn stories_are_read_and_written() {
    let text =
        "! world single seed 3\n# One.\n\n$ cat <<E\n> a\n>\n> E\nnode01$ true\n\n! power off x\n";
    let story = Story::parse(text).expect("sound");
    assert_eq!(story.to_string(), text);
    let printed = "$ a\n  b\n\n  c\n\n# d\n";
    assert_eq!(
        Story::parse(printed).expect("sound").to_string(),
        "$ a\n\n# d\n"
    );
    for wrong in [
        "  a",
        "> a",
        "a",
        "! a",
        "# a\n! world default seed 1",
        "! world default seed x",
    ] {
        assert!(Story::parse(wrong).is_err(), "{wrong:?}");
    }
}
