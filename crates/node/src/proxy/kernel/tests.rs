use api::{Value, object};
use net::Net;
use sim::MachineId;

use super::super::{Proxier, Settings};
use super::*;
use crate::iptables::{canaries, run};

struct Machine {
    net: Net,
    ns: net::NetnsId,
    kernel: Kernel,
    proxier: Proxier,
}

impl Machine {
    fn new() -> Machine {
        let mut net = Net::new();
        let ns = net.add_netns(MachineId(1), "");
        let cidr = "10.244.0.0/16".parse().ok();
        let settings = Settings::new("node01", [172, 30, 2, 2].into(), cidr);
        Machine {
            net,
            ns,
            kernel: Kernel::default(),
            proxier: Proxier::new(settings),
        }
    }

    fn netfilter(&mut self) -> &mut Netfilter {
        self.net.netfilter_mut(self.ns).expect("it is there")
    }

    #[track_caller]
    fn sync(&mut self) {
        let batch = self.proxier.sync();
        let netfilter = self.net.netfilter_mut(self.ns).expect("it is there");
        let written = self.kernel.write(netfilter, &batch, Instant::ZERO);
        written.expect("it can be written");
    }

    fn run(&mut self, table: Table, command: &str) {
        run(self.netfilter(), name_of(table), command).expect("it can be done");
    }

    fn save(&mut self) -> String {
        let tables = [TableName::Mangle, TableName::Filter, TableName::Nat];
        let saved = tables.map(|table| self.netfilter().save(table, false));
        let mut lines: Vec<&str> = Vec::new();
        lines.extend(saved.iter().flat_map(|text| text.lines()));
        lines.retain(|line| !line.starts_with('#'));
        lines.join("\n")
    }

    fn has(&mut self, rule: &str) -> bool {
        self.save().lines().any(|line| line == rule)
    }
}

fn service(name: &str, ip: &str) -> Value {
    object! {
        "metadata": { "namespace": "demo", "name": (name) },
        "spec": { "type": "ClusterIP", "clusterIP": (ip), "ports": [{ "port": 80 }] },
    }
}

fn slice(name: &str, ips: &[&str]) -> Value {
    let endpoints: Vec<Value> = ips
        .iter()
        .map(|ip| object! { "addresses": [*ip] })
        .collect();
    object! {
        "addressType": "IPv4",
        "metadata": {
            "namespace": "demo", "name": (name), "labels": { "kubernetes.io/service-name": (name) },
        },
        "ports": [{ "port": 8080 }],
        "endpoints": endpoints,
    }
}

const JUMP: &str =
    "-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES";

#[test]
fn the_kernel_prints_what_was_written() {
    let mut machine = Machine::new();
    machine.proxier.set_service(&service("web", "10.96.100.1"));
    machine.proxier.set_slice(&slice(
        "web",
        &["10.244.1.10", "10.244.2.10", "10.244.2.11"],
    ));
    machine.sync();
    let saved = machine.save();
    let chains = machine.proxier.service_chains();
    let missing: Vec<&str> = chains
        .flat_map(|chain| chain.rules.iter())
        .map(|rule| &**rule)
        .filter(|rule| !saved.lines().any(|line| line == *rule))
        .collect();
    assert_eq!(missing, [""; 0], "{saved}");
    assert!(machine.has(JUMP));
}

#[test]
fn a_sync_leaves_alone_what_others_wrote() {
    let mut machine = Machine::new();
    let own = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT";
    machine.run(Table::Filter, own);
    machine.sync();
    machine.proxier.resync();
    machine.sync();
    assert!(machine.has(own));
    let jumps = machine.save().matches(JUMP).count();
    assert_eq!(jumps, 1, "a second full sync finds the first one's");
}

#[test]
fn chains_of_services_that_are_gone_go() {
    let mut machine = Machine::new();
    machine.run(Table::Nat, "-N KUBE-SVC-LEFTBYANOTHERONE");
    for (name, ip) in [("web", "10.96.100.1"), ("api", "10.96.100.2")] {
        machine.proxier.set_service(&service(name, ip));
        machine.proxier.set_slice(&slice(name, &["10.244.1.10"]));
    }
    machine.sync();
    let count = |machine: &mut Machine, of: &str| {
        let saved = machine.save();
        saved.lines().filter(|line| line.starts_with(of)).count()
    };
    assert_eq!(count(&mut machine, ":KUBE-SVC-"), 2);
    machine.proxier.remove_service("demo", "web");
    machine.sync();
    assert_eq!(count(&mut machine, ":KUBE-SVC-"), 1);
    assert_eq!(count(&mut machine, ":KUBE-SEP-"), 1);
}

#[test]
fn what_was_flushed_comes_back_as_far_as_a_sync_writes_it() {
    let mut machine = Machine::new();
    machine.proxier.set_service(&service("web", "10.96.100.1"));
    machine.proxier.set_slice(&slice("web", &["10.244.1.10"]));
    machine.sync();
    let before = machine.save();
    machine.run(Table::Nat, "-F");
    machine.proxier.set_service(&service("api", "10.96.100.2"));
    machine.sync();
    // The chains all Services share are part of every sync; what leads to them is not.
    assert!(
        machine
            .save()
            .contains("-A KUBE-SERVICES -d 10.96.100.1/32")
    );
    assert!(!machine.has(JUMP));
    machine.proxier.remove_service("demo", "api");
    machine.proxier.resync();
    machine.sync();
    assert_eq!(machine.save(), before);
}

#[test]
fn canaries_are_missed() {
    let mut machine = Machine::new();
    assert_eq!(canaries(None, CANARY), (false, false));
    machine.sync();
    assert_eq!(canaries(Some(machine.netfilter()), CANARY), (true, true));
    machine.run(Table::Mangle, "-X KUBE-PROXY-CANARY");
    assert_eq!(canaries(Some(machine.netfilter()), CANARY), (false, true));
}
