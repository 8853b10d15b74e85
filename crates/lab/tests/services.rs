//! Services are rules that kube-proxy wrote, and nothing else: who flushes them has no Services
//! until kube-proxy writes them again.

use kubarium_lab::{Input, Lab, WorldSpec};
use net::netfilter::{Invocation, TableName, split};
use sim::{Duration, EntryId};

/// Runs a command on the first machine; what it prints, and its exit code.
fn run(lab: &mut Lab, command: &str) -> (String, i32) {
    let input = Input::Run {
        machine: "controlplane".into(),
        command: command.into(),
    };
    let number = lab.apply(input).unwrap().unwrap();
    let end = lab.now() + Duration::from_secs(300);
    lab.step_run(number, end, u64::MAX);
    let result = lab.run_result(number).unwrap();
    let text = String::from_utf8_lossy(&result.stdout).into_owned();
    (text, result.exit_code.expect("it ends in time"))
}

fn iptables(lab: &mut Lab, command: &str) {
    let words = split(command);
    let invocation = Invocation::parse(&words, TableName::Filter).unwrap();
    let machine = lab.world.find("controlplane").unwrap();
    let done = lab.world.enter(machine, EntryId::NONE, |sys| {
        let ns = sys.netns();
        sys.with_net(|net, _| net.netfilter_mut(ns).unwrap().execute(&invocation))
    });
    assert_eq!(done.unwrap().map(|_| ()), Ok(()), "{command}");
}

#[test]
fn flushed_rules_are_missed_until_they_are_written_again() {
    let mut lab = Lab::new(WorldSpec::preset("default", 1).unwrap()).unwrap();
    lab.boot().unwrap();
    let setup = "kubectl create deployment web --image=nginx && kubectl expose deployment web \
                 --port=80 && kubectl rollout status deployment/web && sleep 2 && \
                 kubectl get service web -o jsonpath='{.spec.clusterIP}' > ip";
    assert_eq!(run(&mut lab, setup).1, 0);
    let curl = "curl -s -o /dev/null --connect-timeout 2 http://$(cat ip)";
    assert_eq!(run(&mut lab, curl).1, 0);

    iptables(&mut lab, "-t nat -F");
    assert_eq!(run(&mut lab, curl).1, 28, "nobody rewrites the address");
    // The canaries' chains are empty, but there.
    assert_eq!(run(&mut lab, "sleep 60").1, 0);
    assert_eq!(run(&mut lab, curl).1, 28);
    // A kube-proxy that starts writes everything.
    let restart = "kubectl delete pod -n kube-system -l k8s-app=kube-proxy && sleep 5";
    assert_eq!(run(&mut lab, restart).1, 0);
    assert_eq!(run(&mut lab, curl).1, 0);

    for table in ["mangle", "nat", "filter"] {
        iptables(&mut lab, &format!("-t {table} -F"));
        if table != "filter" {
            iptables(&mut lab, &format!("-t {table} -X"));
        }
    }
    iptables(&mut lab, "-X KUBE-PROXY-CANARY");
    assert_eq!(run(&mut lab, curl).1, 28);
    // They are looked at every 30 seconds.
    assert_eq!(run(&mut lab, "sleep 31").1, 0);
    assert_eq!(run(&mut lab, curl).1, 0);
}
