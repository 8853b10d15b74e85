//! Visual development only.

use std::rc::Rc;

use super::wire::Shell;
use crate::protocol::*;
use crate::services::clock::Clock;

#[derive(Default)]
pub struct Fixture {
    out: Vec<FromWorker>,
    shown: Picture,
    opened: bool,
    at: f64,
    last: f64,
    lines: String,
    step: u32,
    hints: usize,
    answer: Option<u32>,
    lesson: Option<String>,
    speed: Option<Speed>,
    terminals: u32,
}

fn pod(ns: &str, name: &str, node: Option<&str>, status: &str, state: PodState, owner: Option<(&str, &str)>) -> Pod {
    Pod {
        uid: format!("{ns}-{name}"), namespace: ns.into(), name: name.into(), node: node.map(Into::into),
        status: status.into(), state, ready: (state == PodState::Running) as u32, containers: 1,
        restarts: if state == PodState::Failing { 4 } else { 0 },
        ip: if matches!(state, PodState::Running | PodState::Failing) { "10.244.1.14".into() } else { String::new() },
        owner: owner.map(|(k, n)| Owner { kind: k.into(), name: n.into() }),
        images: vec!["docker.io/library/nginx:1.29".into()], is_static: false,
        why: match state {
            PodState::Unscheduled => "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.".into(),
            PodState::Failing => "back-off 40s restarting failed container=api pod=api-6c9d".into(),
            _ => String::new() },
    }
}

fn machine(n: u32) -> Machine {
    let cp = n == 0;
    Machine {
        name: if cp { "controlplane".into() } else { format!("node{n:02}") },
        role: if cp { "control-plane" } else { "worker" }.into(),
        ip: format!("172.30.{}.2", n + 1), ready: true, schedulable: n != 2, version: "v1.36.2".into(),
        cpu_requested: [950, 1300, 3700][n as usize % 3], cpu_total: 4000,
        memory_requested: [290 << 20, 1400 << 20, 7800 << 20][n as usize % 3], memory_total: 8 << 30, pods_total: 110,
        taints: if cp { vec!["node-role.kubernetes.io/control-plane:NoSchedule".into()] } else { vec![] },
    }
}

fn scene(t: f64) -> Picture {
    let mut p = Picture::default();
    for n in 0..3 { let m = machine(n); p.machines.insert(m.name.clone(), Rc::new(m)); }
    let mut pods = vec![];
    for (name, owner) in [("etcd-controlplane", ""), ("kube-apiserver-controlplane", ""), ("kube-controller-manager-controlplane", ""), ("kube-scheduler-controlplane", "")] {
        let _ = owner;
        let mut x = pod("kube-system", name, Some("controlplane"), "Running", PodState::Running, Some(("Node", "controlplane")));
        x.is_static = true;
        pods.push(x);
    }
    pods.push(pod("kube-system", "coredns-7db6d8ff4d-9xk2w", Some("node01"), "Running", PodState::Running, Some(("ReplicaSet", "coredns-7db6d8ff4d"))));
    let ws = ("ReplicaSet", "web-5d8f7c9b6");
    for (i, h) in ["4xk2p", "9zq7m", "bw5tt"].iter().enumerate() {
        pods.push(pod("default", &format!("web-5d8f7c9b6-{h}"), Some(if i == 1 { "node02" } else { "node01" }), "Running", PodState::Running, Some(ws)));
    }
    let later = |s: f64| t > s;
    let st = |s: f64| if !later(s) { (None, "Pending", PodState::Unscheduled) } else if !later(s + 2.5) { (Some("node02"), "ContainerCreating", PodState::Starting) } else { (Some("node02"), "Running", PodState::Running) };
    if t > 2.0 { let (n, w, s) = st(4.0); pods.push(pod("default", "web-5d8f7c9b6-x7k2p", n, w, s, Some(ws))); }
    if t > 2.0 { let (n, w, s) = st(4.1); pods.push(pod("default", "web-5d8f7c9b6-qq8ds", n.map(|_| "node01"), w, s, Some(ws))); }
    pods.push(pod("default", "toolbox", Some("node01"), "NotReady", PodState::NotReady, None));
    pods.push(pod("team-a", "api-6c9d84b7f-lm4vx", Some("node02"), "CrashLoopBackOff", PodState::Failing, Some(("ReplicaSet", "api-6c9d84b7f"))));
    pods.push(pod("team-a", "api-6c9d84b7f-2hh9c", Some("node02"), "Terminating", PodState::Terminating, Some(("ReplicaSet", "api-6c9d84b7f"))));
    pods.push(pod("team-a", "big-0", None, "Pending", PodState::Unscheduled, None));
    pods.push(pod("team-a", "migrate-8k2lm", Some("node01"), "Completed", PodState::Completed, None));
    for x in pods { p.pods.insert(x.uid.clone(), Rc::new(x)); }
    for (i, (r, m, w, name)) in [
        ("Scheduled", "Successfully assigned default/web-5d8f7c9b6-x7k2p to node02", false, "web-5d8f7c9b6-x7k2p"),
        ("Pulled", "Container image \"nginx:1.29\" already present on machine", false, "web-5d8f7c9b6-x7k2p"),
        ("FailedScheduling", "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.", true, "big-0"),
        ("BackOff", "Back-off restarting failed container api in pod api-6c9d84b7f-lm4vx_team-a", true, "api-6c9d84b7f-lm4vx"),
    ].into_iter().enumerate() {
        p.events.push_back(Rc::new(Event { uid: format!("e{i}"), at: i as u64, unix_secs: 1_767_603_607 + i as i64, warning: w, reason: r.into(), message: m.into(), kind: "Pod".into(), namespace: if name.starts_with("web") { "default" } else { "team-a" }.into(), name: name.into(), count: 1 + (w as u32) * 3 }));
    }
    p
}

const TEXT: &str = "A **Deployment** keeps a number of identical pods running. You tell the API server how many; a controller sees the difference and makes pods until there is none.\n\nMake one with three replicas of the nginx web server:\n\n```sh\nkubectl create deployment web --image=nginx --replicas=3\n```\n\nWatch the picture while you press Enter. Each pod starts in the tray, *without a machine*; then the scheduler chooses one, and that machine's kubelet pulls the image and starts the container.\n\n```yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n```\n\nRead more in [the documentation](https://kubernetes.io/docs/) about `spec.replicas`.\n\n- the **name** you chose\n- the ReplicaSet's hash\n- five letters of its own\n";

impl Fixture {
    fn lesson(&self, t: f64) -> LessonView {
        let met = |s: f64| if t > s { CheckState::Met } else { CheckState::Waiting };
        let done = t > 12.0;
        LessonView {
            id: self.lesson.clone().unwrap_or_default(), title: "Your first workload".into(), track: "Foundations".into(),
            steps: ["Ask for three web servers", "Look at what was made", "Ask for more", "Break one"].iter().enumerate().map(|(i, t)| Step { title: (*t).into(), done: (i as u32) < self.step || (i as u32 == self.step && done), open: i as u32 <= self.step + done as u32 }).collect(),
            current: self.step, taken: self.step, text: TEXT.into(),
            checks: vec![
                Check { label: "A Deployment called web exists".into(), state: met(0.0), saw: String::new() },
                Check { label: "Three of its pods are ready".into(), state: met(6.0), saw: "1 of 3 pods is ready".into() },
                Check { label: "The image is nginx".into(), state: if t > 12.0 { CheckState::Met } else { CheckState::Failed }, saw: "the container's image is ngnix:latest, which no registry has".into() },
            ],
            hints: (0..self.hints).map(|_| Hint { text: "The number is `--replicas`. Try `kubectl create deployment --help`.".into() }).collect(), hints_total: 3,
            question: Some(Question { text: "How many machines will the pods be on?".into(), choices: vec![Choice { text: "One: the control plane".into(), correct: false, feedback: "It has a *taint* that keeps ordinary pods away.".into() }, Choice { text: "Two: the workers".into(), correct: true, feedback: "The control plane's taint leaves the workers.".into() }], chosen: self.answer }),
            mistakes: if t > 8.0 && !done { vec!["The image is spelled `ngnix`. The kubelet can pull only what a registry has.".into()] } else { vec![] },
            step_done: done, finished: done && self.step == 3, debrief: if self.step == 3 { "You asked for a state, and *controllers* made it so.".into() } else { String::new() },
        }
    }
    fn data(&mut self, terminal: u32, text: &str) {
        self.out.push(FromWorker::TerminalData { terminal, bytes: text.replace('\n', "\r\n").into_bytes() });
    }
}

const PROMPT: &str = "\x1b[1;32mroot@controlplane\x1b[0m:\x1b[1;34m~\x1b[0m# ";

impl Shell for Fixture {
    fn receive(&mut self, message: ToWorker) {
        match message {
            ToWorker::Open { place, .. } => {
                self.lesson = if let Place::Lesson(id) = &place { Some(id.clone()) } else { None };
                self.opened = true;
                self.at = 0.0;
                self.shown = Picture::default();
                self.step = 0;
                self.out.push(FromWorker::Opened { place, machines: vec!["controlplane".into(), "node01".into(), "node02".into()] });
                self.out.push(FromWorker::Picture(Box::new(PictureChange { reset: true, ..Default::default() })));
            }
            ToWorker::Input { input, .. } => match input {
                Input::OpenTerminal { machine, .. } => {
                    self.terminals += 1;
                    let terminal = self.terminals;
                    self.out.push(FromWorker::TerminalOpened { terminal, machine });
                    self.data(terminal, PROMPT);
                    if terminal == 1 {
                        self.data(terminal, "kubectl get pods -o wide\nNAME                  READY   STATUS              RESTARTS     AGE   IP            NODE\nweb-5d8f7c9b6-4xk2p   1/1     \x1b[32mRunning\x1b[0m             0            41s   10.244.1.14   node01\nweb-5d8f7c9b6-9zq7m   1/1     Running             0            41s   10.244.2.9    node02\nweb-5d8f7c9b6-x7k2p   0/1     ContainerCreating   0            3s    <none>        node02\nerror: the server doesn't have a resource type \"pdos\"\n");
                        self.data(terminal, PROMPT);
                    }
                }
                Input::Keys { terminal, bytes } => {
                    if bytes == b"\r" { 
                        let line = std::mem::take(&mut self.lines);
                        if line == "panic" { panic!("you asked for it"); }
                        if line.starts_with("vi") { self.out.push(FromWorker::OpenEditor { request: 1, path: "/root/web.yaml".into(), text: "# A Deployment\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n      - name: nginx\n        image: \"nginx:1.29\"\n        ports: [{containerPort: 80}]\n".into() }); }
                        self.data(terminal, &format!("\n{PROMPT}"));
                    } else if bytes == b"\x7f" { self.lines.pop(); self.data(terminal, "\x08 \x08"); }
                    else { let s = String::from_utf8_lossy(&bytes).to_string(); self.lines.push_str(&s); self.data(terminal, &s); }
                }
                Input::CloseTerminal(t) => self.out.push(FromWorker::TerminalClosed(t)),
                Input::GoToStep(n) => { self.step = n; self.at = 0.0; }
                Input::Answer(n) => self.answer = Some(n),
                Input::RevealHint => self.hints += 1,
                Input::RestartStep => { self.at = 0.0; }
                _ => {}
            },
            ToWorker::SetSpeed(s) => self.speed = Some(s),
            _ => {}
        }
    }
    fn work(&mut self, clock: &dyn Clock) -> Option<u32> {
        let now = clock.now_ms();
        if self.last == 0.0 {
            let card = |id: &str, title: &str, summary: &str| LessonCard { id: id.into(), title: title.into(), summary: summary.into(), minutes: 12, steps: 4 };
            self.out.push(FromWorker::Hello { tracks: vec![Track { id: "foundations".into(), title: "Foundations".into(), lessons: vec![
                card("foundations/01-first", "Your first workload", "Deploy a web server, look at what was made, scale it, break a pod and watch the cluster heal it."),
                card("foundations/02-namespaces", "Namespaces", "Make one, use the same name twice, find things with -n and -A, delete one and see what goes with it."),
            ] }] });
            self.last = now;
        }
        let paused = self.speed == Some(Speed::Paused);
        if !paused { self.at += (now - self.last) / 1000.0; }
        self.last = now;
        if self.opened {
            let mut new = scene(self.at);
            if self.lesson.is_none() {
                for i in 0..90u32 {
                    let st = match i % 9 { 0 => ("ContainerCreating", PodState::Starting), 5 => ("CrashLoopBackOff", PodState::Failing), 7 => ("Terminating", PodState::Terminating), 8 => ("Running", PodState::NotReady), _ => ("Running", PodState::Running) };
                    let node = if i % 4 == 3 { None } else if i % 2 == 0 { Some("node01") } else { Some("node02") };
                    let st = if node.is_none() { ("Pending", PodState::Unscheduled) } else { st };
                    let x = pod("shop", &format!("cart-6b8f9d7c5-{i:05}"), node, st.0, st.1, Some(("ReplicaSet", "cart-6b8f9d7c5")));
                    new.pods.insert(x.uid.clone(), Rc::new(x));
                }
            }
            let change = self.shown.change_to(&new);
            if !change.is_empty() { self.out.push(FromWorker::Picture(Box::new(change))); }
            self.shown = new;
            if self.lesson.is_some() { let l = self.lesson(self.at); self.out.push(FromWorker::Lesson(Box::new(l))); }
            self.out.push(FromWorker::Clock { at: (self.at * 1e9) as u64, unix_secs: 1_767_603_600 + self.at as i64, speed: self.speed.unwrap_or(Speed::Times(1)) });
        }
        Some(100)
    }
    fn say(&mut self) -> Vec<FromWorker> { std::mem::take(&mut self.out) }
}
