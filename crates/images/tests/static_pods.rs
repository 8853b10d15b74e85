//! A machine with a runtime and a kubelet but no cluster: pods come from manifests on its disk.

use std::rc::Rc;

use api::Value;
use machine::fs::Node;
use machine::testing::spec;
use machine::{Constructor, HostSpec, World, tool};
use net::Ipv4Net;
use net::http::{Body, Request};
use sim::{Duration, EntryId, MachineId};

fn programs(name: &str) -> Option<Constructor> {
    match name {
        "wait" => Some(|| {
            tool(|io| {
                Box::pin(async move {
                    io.sleep(Duration::from_secs(1)).await;
                    io.print("waited\n").await;
                    3
                })
            })
        }),
        _ => node::program(name).or_else(|| kubarium_images::program(name)),
    }
}

const KUBELET: &str = "/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml --node-ip=172.30.2.2";
const CONFIG: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n\
                      staticPodPath: /etc/kubernetes/manifests\n";

struct Lab {
    world: World,
    machine: MachineId,
}

fn unit(name: &str, exec: &str) -> Node {
    let text = format!("[Unit]\nDescription={name}\n[Service]\nExecStart={exec}\nRestart=always\n");
    Node::file(text, 0o644)
}

fn files(spec: &mut HostSpec, manifests: &[(&str, &str)]) {
    let mut put = |path: &str, node: Node| spec.files.put_all(path, node).expect("a fresh disk");
    for (name, exec) in [("containerd", "/usr/bin/containerd"), ("kubelet", KUBELET)] {
        let file = format!("/etc/systemd/system/{name}.service");
        put(&file, unit(name, exec));
        put(
            &format!("/etc/systemd/system/multi-user.target.wants/{name}.service"),
            unit(name, exec),
        );
    }
    put("/usr/bin/containerd", Node::binary("containerd"));
    put("/usr/bin/kubelet", Node::release("kubelet", "v1.36.2"));
    put("/usr/bin/wait", Node::binary("wait"));
    put("/var/lib/kubelet/config.yaml", Node::file(CONFIG, 0o644));
    put("/etc/kubernetes/manifests", Node::dir(0o755));
    for (name, text) in manifests {
        put(
            &format!("/etc/kubernetes/manifests/{name}.yaml"),
            Node::file(*text, 0o644),
        );
    }
    put(
        node::runtime::DATABASE,
        node::runtime::database(&[node::runtime::PAUSE_IMAGE], kubarium_images::registry),
    );
}

impl Lab {
    fn new(manifests: &[(&str, &str)]) -> Lab {
        let mut world = World::new(1, programs);
        let mut spec = spec("node01");
        files(&mut spec, manifests);
        let machine = world.add_machine(spec);
        let ns = world.host(machine).netns;
        let segment = world.net.add_segment();
        let nic = world
            .net
            .add_uplink(ns, "eth0", segment)
            .expect("a new link");
        world.net.set_up(nic).expect("it exists");
        world
            .net
            .addr_add(nic, Ipv4Net::new([172, 30, 2, 2].into(), 16))
            .expect("the first");
        world.boot(machine, EntryId::NONE);
        Lab { world, machine }
    }

    fn pass(&mut self, secs: u64) {
        let until = self.world.now() + Duration::from_secs(secs);
        self.world.run(until, u64::MAX);
    }

    fn enter<R>(&mut self, act: impl FnOnce(&mut machine::Sys<'_>) -> R) -> R {
        self.world
            .enter(self.machine, EntryId::NONE, act)
            .expect("it is on")
    }

    fn processes(&self) -> Vec<String> {
        self.world
            .host(self.machine)
            .processes()
            .map(|p| p.args.join(" "))
            .collect()
    }

    /// Asks the kubelet's server, as an administrator.
    fn ask(&mut self, target: &str) -> (u16, Body) {
        let mut request = Request::get(target);
        request.peer = Some("O=system:masters,CN=admin".into());
        let addr = "172.30.2.2:10250".parse().expect("an address");
        self.http(addr, request)
    }

    fn http(&mut self, addr: std::net::SocketAddrV4, request: Request) -> (u16, Body) {
        use net::http::{Frame, Message};
        let fd = self.enter(|sys| sys.connect(addr)).expect("a route");
        for _ in 0..100 {
            self.world
                .run(self.world.now() + Duration::from_millis(10), u64::MAX);
            if self.enter(|sys| sys.connected(fd)).is_ok() {
                break;
            }
        }
        self.enter(|sys| {
            sys.connected(fd).expect("connected");
            sys.send(fd, Message::payload(1, Frame::Request(Rc::new(request))))
        })
        .expect("sent");
        self.world
            .run(self.world.now() + Duration::from_millis(50), u64::MAX);
        let payload = self
            .enter(|sys| sys.recv(fd))
            .expect("an answer")
            .expect("not closed");
        self.enter(|sys| sys.close(fd));
        let message = payload.downcast_rc::<Message>().expect("a message");
        match &message.frame {
            Frame::Response(response) => (response.status, response.body.clone()),
            other => panic!("{other:?}"),
        }
    }

    fn pod(&mut self, name: &str) -> Value {
        let (_, body) = self.ask("/pods");
        let list = api::body_value(&body).expect("an object");
        let found = list.list_at("items").iter().find(|pod| pod.name() == name);
        found.cloned().unwrap_or_default()
    }
}

const WEB: &str = "apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: kube-system
spec:
  hostNetwork: true
  containers:
  - name: web
    image: nginx:1.27
    livenessProbe:
      httpGet: {path: /, port: 80}
      periodSeconds: 5
";

const CRASH: &str = "apiVersion: v1
kind: Pod
metadata: {name: crash}
spec:
  hostNetwork: true
  volumes: [{name: bin, hostPath: {path: /usr/bin}}]
  containers:
  - name: c
    image: busybox:1.36
    command: [/tools/wait]
    volumeMounts: [{name: bin, mountPath: /tools}]
";

#[test]
fn a_manifest_becomes_a_pod_that_serves() {
    let mut lab = Lab::new(&[("web", WEB)]);
    lab.pass(20);
    let pod = lab.pod("web-node01");
    assert_eq!(pod.str_at("status.phase"), "Running", "{}", pod.to_json());
    assert_eq!(pod.str_at("status.podIP"), "172.30.2.2");
    assert!(pod.bool_at("status.containerStatuses.0.ready"));
    let (status, body) = lab.http(
        "172.30.2.2:80".parse().expect("it is one"),
        Request::get("/"),
    );
    assert_eq!(status, 200);
    assert!(body.text().contains("<title>Welcome to nginx!</title>"));
    let (_, log) = lab.ask("/containerLogs/kube-system/web-node01/web");
    assert!(
        log.text().contains("\"GET / HTTP/1.1\" 200"),
        "{}",
        log.text()
    );
    assert!(log.text().contains("kube-probe/1.36"), "{}", log.text());
    let processes = lab.processes();
    for expect in ["/pause", "nginx -g daemon off;", "nginx: worker process"] {
        assert!(
            processes.iter().any(|args| args == expect),
            "{expect}: {processes:?}"
        );
    }
}

#[test]
fn taking_the_manifest_away_ends_the_pod() {
    let mut lab = Lab::new(&[("web", WEB)]);
    lab.pass(20);
    lab.enter(|sys| sys.remove("/etc/kubernetes/manifests/web.yaml"))
        .expect("it was there");
    lab.pass(40);
    assert!(lab.pod("web-node01").is_null());
    assert!(
        !lab.processes()
            .iter()
            .any(|args| args.contains("nginx") || args == "/pause")
    );
}

#[test]
fn containers_outlive_their_runtime_and_the_kubelet() {
    let mut lab = Lab::new(&[("web", WEB)]);
    lab.pass(20);
    let before = lab.pod("web-node01");
    for unit in ["containerd.service", "kubelet.service"] {
        lab.enter(|sys| sys.unit_restart(unit)).expect("it exists");
        lab.pass(10);
        let after = lab.pod("web-node01");
        let id = "status.containerStatuses.0.containerID";
        assert_eq!(
            after.str_at(id),
            before.str_at(id),
            "{unit}: {}",
            after.to_json()
        );
        assert_eq!(
            after.i64_at("status.containerStatuses.0.restartCount"),
            Some(0)
        );
        assert_eq!(after.str_at("status.phase"), "Running");
    }
}

#[test]
fn what_ends_is_started_again_and_its_output_kept() {
    let mut lab = Lab::new(&[("crash", CRASH)]);
    lab.pass(8);
    let pod = lab.pod("crash-node01");
    let state = "status.containerStatuses.0";
    assert_eq!(
        pod.at(state).i64_at("restartCount"),
        Some(1),
        "{}",
        pod.to_json()
    );
    assert_eq!(
        pod.at(state).str_at("state.waiting.reason"),
        "CrashLoopBackOff"
    );
    assert_eq!(
        pod.at(state).i64_at("lastState.terminated.exitCode"),
        Some(3)
    );
    let (status, log) = lab.ask("/containerLogs/default/crash-node01/c");
    assert_eq!((status, log.text().as_str()), (200, "waited\n"));
    let (status, log) =
        lab.ask("/containerLogs/default/crash-node01/c?previous=true&timestamps=true");
    assert_eq!(status, 200);
    assert!(log.text().ends_with(" waited\n"), "{}", log.text());
}

#[test]
fn a_machine_that_was_off_runs_its_pods_again() {
    let mut lab = Lab::new(&[("web", WEB)]);
    lab.pass(20);
    lab.world.power_off(lab.machine, EntryId::NONE);
    lab.world.boot(lab.machine, EntryId::NONE);
    lab.pass(20);
    let pod = lab.pod("web-node01");
    assert_eq!(pod.str_at("status.phase"), "Running", "{}", pod.to_json());
    assert!(
        pod.bool_at("status.containerStatuses.0.ready"),
        "{}",
        pod.to_json()
    );
    assert_eq!(
        pod.i64_at("status.containerStatuses.0.restartCount"),
        Some(1)
    );
}
