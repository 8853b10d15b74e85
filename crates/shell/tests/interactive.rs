//! A person at a terminal: keys in, what the screen shows out.

use common::programs;
use machine::fs::Node;
use machine::testing::TestBox;
use sim::Duration;

mod common;

const BASHRC: &str = "PS1='\\u@\\h:\\w\\$ '\nalias t=tool\nHISTCONTROL=ignoreboth\n";

struct Session {
    test_box: TestBox,
    screen: String,
}

impl Session {
    fn new() -> Session {
        let mut test_box = TestBox::new(programs, &["bash", "cat", "sleep", "tool"]);
        let machine = test_box.machine;
        let disk = test_box.world.host_mut(machine).disk_mut();
        let mut put = |path: &str, text: &str| {
            disk.put_all(path, Node::file(text, 0o644))
                .expect("a new path");
        };
        put("/root/.bashrc", BASHRC);
        put("/root/.bash_history", "echo first\necho second\n");
        put("/root/notes.txt", "hello\n");
        put("/root/dir one/x", "");
        put(
            "/usr/share/bash-completion/completions/tool",
            "complete -F __start_tool tool\n",
        );
        test_box.start(&["bash"]);
        test_box.pass(Duration::from_millis(100));
        let mut session = Session {
            test_box,
            screen: String::new(),
        };
        session.look();
        session
    }

    fn look(&mut self) {
        let mut text = self.test_box.shown();
        for noise in [
            "\x1b[?2004h",
            "\x1b[?2004l",
            "\x1b[J",
            "\x1b[K",
            "\r\n",
            "\x07",
        ] {
            let with = match noise {
                "\r\n" => "\n",
                "\x07" => "<bell>",
                _ => "",
            };
            text = text.replace(noise, with);
        }
        self.screen.push_str(&text);
    }

    /// Types, lets a second pass, and gives what the screen showed meanwhile.
    fn types(&mut self, keys: &str) -> String {
        self.screen.clear();
        for key in keys.split_inclusive('\r') {
            self.test_box.type_keys(key);
            self.test_box.pass(Duration::from_secs(1));
        }
        self.look();
        self.screen.clone()
    }
}

#[track_caller]
fn check(keys: &str, shown: &str) {
    assert_eq!(Session::new().types(keys), shown);
}

const PROMPT: &str = "root@testbox:~# ";

#[test]
fn a_prompt_and_commands() {
    assert_eq!(Session::new().screen, PROMPT);
    check("echo hi\r", &format!("echo hi\nhi\n{PROMPT}"));
    check("cd /tmp\r", "cd /tmp\nroot@testbox:/tmp# ");
    check(
        "nosuch\r",
        &format!("nosuch\nbash: nosuch: command not found\n{PROMPT}"),
    );
    check(
        "echo )\r",
        &format!("echo )\nbash: syntax error near unexpected token `)'\n{PROMPT}"),
    );
    check(
        "done\r",
        &format!("done\nbash: syntax error near unexpected token `done'\n{PROMPT}"),
    );
    check(
        "for i in 1 2\rdo echo $i; done\r",
        &format!("for i in 1 2\n> do echo $i; done\n1\n2\n{PROMPT}"),
    );
    check(
        "cat <<E\ra\rE\r",
        &format!("cat <<E\n> a\n> E\na\n{PROMPT}"),
    );
    check("\r", &format!("\n{PROMPT}"));
    check("exit 3\r", "exit 3\nexit\n");
    check("\x04", "exit\n");
}

#[test]
fn the_history_works() {
    check(
        "\x1b[A\r",
        &format!("\r{PROMPT}echo second\nsecond\n{PROMPT}"),
    );
    let mut session = Session::new();
    session.types("echo new\r");
    assert!(
        session
            .types("history\r")
            .ends_with("    3  echo new\n    4  history\nroot@testbox:~# ")
    );
    assert!(
        session
            .types("echo !!\r")
            .contains("echo history\nhistory\n")
    );
    session.types("exit\r");
    let disk = session.test_box.world.host(session.test_box.machine).disk();
    let node = disk.get("/root/.bash_history").expect("it is there");
    assert_eq!(
        node.len(),
        "echo first\necho second\necho new\nhistory\necho history\nexit\n".len() as u64
    );
}

#[test]
fn keys_stop_what_runs() {
    check("sleep 100\r\x03", &format!("sleep 100\n^C\n{PROMPT}"));
    let mut session = Session::new();
    let loop_line = "while true; do sleep 9; done";
    assert_eq!(
        session.types(&format!("{loop_line}\r\x03")),
        format!("{loop_line}\n^C\n{PROMPT}")
    );
    assert_eq!(
        session.types("echo $?\r"),
        format!("echo $?\n130\n{PROMPT}")
    );
    check(
        "while :; do :; done\r\x03",
        &format!("while :; do :; done\n^C\n{PROMPT}"),
    );
    check("abc\x03", &format!("abc^C\n{PROMPT}"));
    let mut session = Session::new();
    assert_eq!(
        session.types("sleep 100\r\x1a"),
        format!("sleep 100\n^Z\n[1]+  Stopped                 sleep 100\n{PROMPT}")
    );
    assert_eq!(
        session.types("bg\r"),
        format!("bg\n[1]+ sleep 100 &\n{PROMPT}")
    );
    assert_eq!(
        session.types("jobs\r"),
        format!("jobs\n[1]+  Running                 sleep 100 &\n{PROMPT}")
    );
    assert_eq!(
        session.types("kill %1\r"),
        format!("kill %1\n[1]+  Terminated              sleep 100\n{PROMPT}")
    );
}

#[test]
fn background_jobs_are_told() {
    let mut session = Session::new();
    let shown = session.types("sleep 1.5 &\r");
    assert!(shown.starts_with("sleep 1.5 &\n[1] "), "{shown}");
    session.types("echo $?\r");
    assert_eq!(
        session.types("\r"),
        format!("\n[1]+  Done                    sleep 1.5\n{PROMPT}")
    );
}

#[test]
fn tab_completes() {
    let redrawn = |text: &str| format!("\r{PROMPT}{text}");
    check("cat no\t", &format!("cat no{}", redrawn("cat notes.txt ")));
    check(
        "cat dir\t",
        &format!("cat dir{}", redrawn("cat dir\\ one/")),
    );
    check("tool g\t", &format!("tool g{}", redrawn("tool get ")));
    check("t g\t", &format!("t g{}", redrawn("t get ")));
    let listed = format!("tool get n<bell>\nnamespaces  nodes\n{PROMPT}");
    check(
        "tool get n\t\t",
        &format!("{listed}{}", redrawn("tool get n")),
    );
    check(
        "echo $HOSTN\t",
        &format!("echo $HOSTN{}", redrawn("echo $HOSTNAME ")),
    );
    let listing = Session::new().types("tool \t\t");
    assert!(
        listing.contains("\ndelete  (Delete resources)\nget     (Display resources)\n"),
        "{listing}"
    );
}

#[test]
fn several_lines_are_pasted() {
    let line = format!("\r{PROMPT}echo a\necho b");
    check(
        "\x1b[200~echo a\necho b\x1b[201~\r",
        &format!("{line}\na\nb\n{PROMPT}"),
    );
}
