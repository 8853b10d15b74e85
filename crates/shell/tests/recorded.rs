//! Scripts whose output was recorded from GNU bash 5.2.15: ours must say the same.
//!
//! The cases are in `tests/bash/*.txt`; see the head of a file for its form.

use std::rc::Rc;

use common::programs;
use machine::testing::TestBox;
use machine::{Errno, Exec, Outside, Spawn};
use sim::{Duration, EntryId};

mod common;

/// Cases that differ, with the reason.
const KNOWN: &[(&str, u32, &str)] = &[];

struct Case {
    number: u32,
    script: String,
    code: i32,
    output: String,
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut in_output = false;
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        if let Some(number) = line.strip_prefix("== ") {
            let number = number.parse().expect("a number");
            cases.push(Case {
                number,
                script: String::new(),
                code: 0,
                output: String::new(),
            });
            in_output = false;
            continue;
        }
        let case = cases.last_mut().expect("a case begins with its number");
        if let Some(code) = line.strip_prefix("-- ")
            && !in_output
        {
            case.code = code.parse().expect("an exit code");
            in_output = true;
        } else if in_output {
            case.output.push_str(line);
            case.output.push('\n');
        } else {
            case.script.push_str(line);
            case.script.push('\n');
        }
    }
    for case in &mut cases {
        case.script.truncate(case.script.len() - 1);
        if let Some(cut) = case.output.strip_suffix("\\\n") {
            case.output = cut.to_owned();
        }
        if case.output == "\n" {
            case.output.clear();
        }
    }
    cases
}

/// Runs a script with its input at its end; the output and the exit code, -1 if it does not end.
fn run(script: &str) -> (String, i32) {
    let mut test_box = TestBox::new(programs, &["bash", "cat", "sleep"]);
    let args: Vec<Rc<str>> = ["bash", "-c", script].map(Rc::from).to_vec();
    let mut spawn = Spawn::new(Exec::Path("/usr/bin/bash".into()), args);
    spawn.sink = Some(0);
    spawn.cwd = Some("/root".into());
    let env = [
        ("HOME", "/root"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TERM", "dumb"),
    ];
    spawn.env = Some(Rc::new(
        env.map(|(name, value)| (Rc::from(name), Rc::from(value)))
            .into(),
    ));
    let machine = test_box.machine;
    let spawned: Result<_, Errno> = test_box
        .world
        .enter(machine, EntryId::NONE, |sys| sys.spawn(spawn))
        .expect("it runs");
    spawned.expect("bash is there");
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

fn check(file: &str, text: &str) {
    let (mut failures, mut mended) = (Vec::new(), Vec::new());
    for case in parse(text) {
        let (output, code) = run(&case.script);
        let same = output == case.output && code == case.code;
        let known = KNOWN
            .iter()
            .any(|(f, n, _)| *f == file && *n == case.number);
        match (same, known) {
            (false, false) => failures.push(format!(
                "== {file} {}\n{}\n-- expected {}\n{}-- got {code}\n{output}",
                case.number, case.script, case.code, case.output
            )),
            (true, true) => mended.push(case.number),
            _ => {}
        }
    }
    assert!(
        failures.is_empty(),
        "{} differ\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(
        mended.is_empty(),
        "take these of {file} out of KNOWN: {mended:?}"
    );
}

#[test]
fn expansion() {
    check("expansion", include_str!("bash/expansion.txt"));
}

#[test]
fn control() {
    check("control", include_str!("bash/control.txt"));
}

#[test]
fn redirect() {
    check("redirect", include_str!("bash/redirect.txt"));
}

#[test]
fn builtins() {
    check("builtins", include_str!("bash/builtins.txt"));
}

#[test]
fn errors() {
    check("errors", include_str!("bash/errors.txt"));
}

#[test]
fn a_copy_of_the_world_goes_on_in_the_middle_of_a_loop() {
    let mut one = TestBox::new(programs, &["bash", "cat", "sleep"]);
    let script = "for i in 1 2 3; do x=$(sleep 1; echo $i); echo got $x; done | cat; echo end";
    let pid = one.start(&["bash", "-c", script]);
    one.pass(Duration::from_millis(150));
    let mut two = TestBox {
        world: one.world.clone(),
        machine: one.machine,
        tty: one.tty,
    };
    let first = one.finish(pid, Duration::from_secs(9));
    let second = two.finish(pid, Duration::from_secs(9));
    assert_eq!(first.0.replace("\r\n", "\n"), "got 1\ngot 2\ngot 3\nend\n");
    assert_eq!(first, second);
}
