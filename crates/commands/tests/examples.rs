//! Every example in a tool's file is run and must print what it says.

use std::rc::Rc;

use kubarium_commands::{all, program};
use machine::testing::TestBox;
use machine::{Constructor, Exec, Outside, Spawn};
use sim::{Duration, EntryId};

fn programs(name: &str) -> Option<Constructor> {
    match name {
        "bash" => Some(shell::bash),
        "sh" => Some(shell::dash),
        _ => program(name),
    }
}

/// What a command prints, in `/root` of a fresh machine, errors included.
fn run(command: &str) -> (String, i32) {
    let mut names: Vec<&'static str> = all().iter().map(|tool| tool.name).collect();
    names.extend(["bash", "sh"]);
    let mut test_box = TestBox::new(programs, &names);
    let args: Vec<Rc<str>> = ["bash", "-c", command].map(Rc::from).to_vec();
    let mut spawn = Spawn::new(Exec::Path("/usr/bin/bash".into()), args);
    spawn.sink = Some(0);
    spawn.cwd = Some("/root".into());
    let env = [("HOME", "/root"), ("PATH", "/usr/bin:/bin")];
    spawn.env = Some(Rc::new(
        env.map(|(name, value)| (Rc::from(name), Rc::from(value)))
            .into(),
    ));
    let machine = test_box.machine;
    let spawned = test_box
        .world
        .enter(machine, EntryId::NONE, |sys| sys.spawn(spawn));
    spawned.expect("the machine runs").expect("bash is there");
    test_box.pass(Duration::from_secs(60));
    let (mut output, mut code) = (Vec::new(), -1);
    for said in std::mem::take(&mut test_box.world.outside) {
        match said {
            Outside::Printed { bytes, .. } => output.extend(bytes),
            Outside::Ended { status, .. } => code = status.shell_code(),
            _ => {}
        }
    }
    (String::from_utf8_lossy(&output).into_owned(), code)
}

#[test]
fn examples_print_what_they_say() {
    let mut wrong = Vec::new();
    for tool in all() {
        for example in tool.examples {
            let (output, code) = run(example.command);
            if output != example.output || code == -1 {
                wrong.push(format!(
                    "{}: {}\n--- said\n{}--- printed ({code})\n{output}",
                    tool.name, example.command, example.output
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} examples differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn tools_are_listed_by_name_and_explain_themselves() {
    let names: Vec<&str> = all().iter().map(|tool| tool.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    let others = [
        "kubectl", "etcdctl", "etcdutl", "echo", "printf", "[", "test",
    ];
    for tool in all().iter().filter(|tool| !others.contains(&tool.name)) {
        let (output, code) = run(&format!("/usr/bin/{} --help", tool.name));
        assert_eq!(code, 0, "{}", tool.name);
        assert!(
            output.starts_with("Usage: ") && output.contains(tool.summary),
            "{output}"
        );
    }
}
