//! The latest requests: what a terminal asked is there with the way it took, the same as `netwhy`
//! prints.

use kubarium_lab::views::{Asker, Fate, RequestReader, RequestView, ask};
use kubarium_lab::{Input, Lab, TerminalId, WorldSpec};
use sim::Duration;

const SETUP: &str = "kubectl create deployment web --image=nginx --replicas=2 && \
    kubectl expose deployment web --port=80 && kubectl create service clusterip empty --tcp=80 && \
    kubectl rollout status deployment/web && sleep 2\r";

struct Desk {
    lab: Lab,
    terminal: TerminalId,
    reader: RequestReader,
}

impl Desk {
    fn new() -> Desk {
        let mut lab = Lab::new(WorldSpec::preset("default", 1).unwrap()).unwrap();
        lab.boot().unwrap();
        let (machine, columns, rows) = ("controlplane".into(), 200, 50);
        let open = Input::OpenTerminal {
            machine,
            columns,
            rows,
        };
        let terminal = lab.apply(open).unwrap().unwrap();
        lab.keep_requests();
        let reader = RequestReader::from_now(&lab);
        let mut desk = Desk {
            lab,
            terminal,
            reader,
        };
        desk.types(SETUP, 60);
        desk
    }

    fn types(&mut self, text: &str, secs: u64) -> Vec<RequestView> {
        let input = Input::Keys {
            terminal: self.terminal,
            bytes: text.as_bytes().into(),
        };
        self.lab.apply(input).unwrap();
        let until = self.lab.now() + Duration::from_secs(secs);
        self.lab.advance(until, u64::MAX);
        let read = self.reader.read(&self.lab).unwrap_or_default();
        read.iter().map(|request| (**request).clone()).collect()
    }

    fn service(&self, name: &str) -> String {
        let service = self.lab.objects().get("services", "default", name);
        service.unwrap().str_at("spec.clusterIP").to_owned()
    }
}

#[test]
fn a_request_is_told_with_its_way_and_its_answer() {
    let mut desk = Desk::new();
    let ip = desk.service("web");
    let command = format!("curl -s {ip}\r");
    desk.types(&command, 5);
    let requests = desk.types(&command, 5);
    let request = requests.last().unwrap();
    assert_eq!((&*request.command, request.times), (command.trim(), 2));
    let service = request.service.as_ref().unwrap();
    assert_eq!((&*service.0, &*service.1), ("default", "web"));
    let [there, back] = request.ways.as_slice() else {
        panic!("{request:#?}");
    };
    assert_eq!((there.way.what, back.way.what), ("TCP SYN", "TCP SYN-ACK"));
    assert_eq!(
        (there.way.fate, back.way.fate),
        (Fate::Arrived, Fate::Arrived)
    );
    let pod = there.pods.last().unwrap().as_ref().unwrap();
    assert!(pod.1.starts_with("web-"), "{pod:?}");
    assert_eq!(there.pods.first(), Some(&None), "it begins at the machine");

    let text = there.way.to_string();
    let output = {
        desk.lab.take_outputs();
        desk.types(&format!("netwhy {command}"), 5);
        let said = desk.lab.take_outputs();
        let bytes = said.into_iter().filter_map(|output| match output {
            kubarium_lab::Output::Terminal { bytes, .. } => Some(bytes),
            _ => None,
        });
        String::from_utf8(bytes.flatten().collect()).unwrap()
    };
    let chain = text.lines().find(|line| line.contains("-A KUBE-SVC-"));
    assert!(
        output.contains(chain.unwrap().trim_end()),
        "{output}\n{text}"
    );
}

#[test]
fn a_request_that_nobody_takes_is_told_as_refused() {
    let mut desk = Desk::new();
    let ip = desk.service("empty");
    let requests = desk.types(&format!("nc -zw1 {ip} 80\r"), 5);
    let request = requests.last().unwrap();
    assert_eq!(request.ways[0].way.fate, Fate::Refused);
    assert_eq!(request.service.as_ref().unwrap().1.as_ref(), "empty");
    assert_eq!(request.ways[1].way.what, "ICMP error");
}

#[test]
fn what_is_asked_in_a_copy_does_not_happen() {
    let mut desk = Desk::new();
    let to = format!("{}:80", desk.service("web")).parse().unwrap();
    let before = desk.lab.now();
    let pods = desk.lab.objects().list("pods");
    let web = pods
        .iter()
        .find(|pod| pod.name().starts_with("web-"))
        .unwrap();
    let from = Asker::Pod("default", web.name());
    let request = ask(&desk.lab, from, to, false).unwrap();
    assert_eq!(request.ways[0].way.fate, Fate::Arrived);
    let first = request.ways[0].pods[0].as_ref().unwrap();
    assert_eq!(first.1, web.name());
    for pod in pods.iter().filter(|pod| pod.name().starts_with("web-")) {
        let closed = "172.30.2.2:1".parse().unwrap();
        let request = ask(&desk.lab, Asker::Pod("default", pod.name()), closed, false).unwrap();
        assert_eq!(request.ways[0].way.fate, Fate::Refused, "{request:#?}");
    }
    let request = ask(&desk.lab, Asker::Machine("node01"), to, false).unwrap();
    assert_eq!(&*request.ways[0].way.stations[0].machine_name, "node01");
    assert_eq!(desk.lab.now(), before);
    let known = desk.reader.read(&desk.lab).map(<[_]>::len);
    assert_eq!(known, None, "no news");
    let nobody = ask(&desk.lab, Asker::Pod("default", "nobody"), to, false);
    assert_eq!(nobody, Err("there is no pod default/nobody".to_owned()));
}
