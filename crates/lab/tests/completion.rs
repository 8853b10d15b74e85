//! Tab in a fresh terminal of a cluster, as a person presses it.

use kubarium_lab::{Input, Lab, Output, TerminalId, WorldSpec};
use sim::Duration;

struct Person {
    lab: Lab,
    terminal: TerminalId,
}

impl Person {
    fn new() -> Person {
        let mut lab = Lab::new(WorldSpec::preset("default", 1).unwrap()).unwrap();
        lab.boot().unwrap();
        let open = Input::OpenTerminal {
            machine: "controlplane".into(),
            columns: 100,
            rows: 30,
        };
        let terminal = lab.apply(open).unwrap().unwrap();
        let mut person = Person { lab, terminal };
        person.looks();
        person
    }

    /// What the screen showed in two seconds.
    fn looks(&mut self) -> String {
        let later = self.lab.now() + Duration::from_secs(2);
        self.lab.advance(later, u64::MAX);
        let mut shown = Vec::new();
        for output in self.lab.take_outputs() {
            if let Output::Terminal { bytes, .. } = output {
                shown.extend(bytes);
            }
        }
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Types, and clears the line afterwards.
    fn types(&mut self, keys: &str) -> String {
        let mut shown = String::new();
        for keys in [keys, "\x15"] {
            let input = Input::Keys {
                terminal: self.terminal,
                bytes: keys.as_bytes().into(),
            };
            self.lab.apply(input).unwrap();
            let text = self.looks();
            if keys != "\x15" {
                shown = text;
            }
        }
        shown
    }

    #[track_caller]
    fn check(&mut self, keys: &str, shows: &[&str]) {
        let shown = self.types(keys);
        for part in shows {
            assert!(
                shown.contains(part),
                "{keys:?} shows {shown:?}, not {part:?}"
            );
        }
    }
}

#[test]
fn tab_asks_kubectl() {
    let mut person = Person::new();
    person.check("kubectl desc\t", &["kubectl describe "]);
    person.check("kubectl get n\t\t", &["namespaces", "nodes"]);
    person.check("k get no\t", &["k get nodes "]);
    person.check("k get nodes n\t1\t", &["node01 "]);
    person.check("k -n kube-sy\t", &["k -n kube-system "]);
    person.check("k --namespace=kube-sy\t", &["k --namespace=kube-system "]);
    person.check("k -n kube-system logs etc\t", &["logs etcd-controlplane "]);
    person.check("k rollout sta\t", &["k rollout status "]);
    person.check("k get pods --all-n\t", &["--all-namespaces "]);
    person.check(
        "k config use-context k\t",
        &["kubernetes-admin@kubernetes "],
    );
    person.types("mkdir here; cd here; touch a.yaml b.txt\r");
    person.check("k apply -f \t", &["k apply -f a.yaml "]);
}

#[test]
fn the_script_sets_up_an_alias() {
    let mut person = Person::new();
    person.types("alias kk=kubectl; source <(kubectl completion bash)\r");
    person.types("complete -o default -F __start_kubectl kk\r");
    person.check("kk get no\t", &["kk get nodes "]);
}
