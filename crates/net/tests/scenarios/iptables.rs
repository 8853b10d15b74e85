//! Rules as text: read, printed, listed, and refused in iptables' words.

use std::rc::Rc;

use net::Net;
use net::netfilter::{Chain, Error, Invocation, Netfilter, Restore, TableName, split};
use sim::MachineId;

fn with_tables<R>(act: impl FnOnce(&mut Netfilter) -> R) -> R {
    let mut net = Net::new();
    let ns = net.add_netns(MachineId(1), "host");
    act(net.netfilter_mut(ns).expect("there"))
}

fn run(tables: &mut Netfilter, line: &str) -> Result<String, Error> {
    tables.execute(&Invocation::parse(&split(line), TableName::Filter)?)
}

/// A rule as typed, and as saved; "" if it is saved as typed.
#[track_caller]
fn check(typed: &str, saved: &str) {
    let saved = if saved.is_empty() { typed } else { saved };
    with_tables(|tables| {
        for table in ["filter", "nat"] {
            run(tables, &format!("-t {table} -N KUBE-X")).expect("new");
        }
        let table = if typed.contains("DNAT") || typed.contains("MASQ") || typed.contains("to-") {
            TableName::Nat
        } else {
            TableName::Filter
        };
        run(tables, &format!("-t {table} -A KUBE-X {typed}"))
            .unwrap_or_else(|e| panic!("{typed}: {e}"));
        let printed = run(tables, &format!("-t {table} -S KUBE-X")).expect("there");
        assert_eq!(
            printed,
            format!("-N KUBE-X\n-A KUBE-X {saved}\n"),
            "{typed}"
        );
        // What was saved is read back as the same rule.
        run(tables, &format!("-t {table} -D KUBE-X {saved}"))
            .unwrap_or_else(|e| panic!("{saved}: {e}"));
    });
}

#[test]
fn rules_are_printed_as_iptables_save_prints_them() {
    check("-s 10.0.0.1 -j ACCEPT", "-s 10.0.0.1/32 -j ACCEPT");
    check("-s 10.1.2.3/255.255.0.0", "-s 10.1.0.0/16");
    check("-d 0.0.0.0/0 -j DROP", "-j DROP");
    check("! -s 10.0.0.0/8 ! -i eth+ -j DROP", "");
    check(
        "-p TCP --dport https -j ACCEPT",
        "-p tcp -m tcp --dport 443 -j ACCEPT",
    );
    check(
        "-p 6 --syn -j DROP",
        "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
    );
    check(
        "-p udp ! --sport :53 -j DROP",
        "-p udp -m udp ! --sport 0:53 -j DROP",
    );
    check(
        "-p icmp --icmp-type echo-request -j DROP",
        "-p icmp -m icmp --icmp-type 8 -j DROP",
    );
    check("-m comment --comment plain", "");
    check(r#"-m comment --comment "a \"b\" c" -j DROP"#, "");
    check(
        "-p tcp -m multiport --dports 80,443,8000:8080 -j ACCEPT",
        "",
    );
    check(
        "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    );
    check(
        "-m conntrack --ctorigdst 10.0.0.1 --ctorigdstport 80 --ctdir ORIGINAL -j DROP",
        "",
    );
    check("-m state --state NEW -j DROP", "");
    check(
        "-m statistic --mode random --probability 0.3333333333",
        "-m statistic --mode random --probability 0.33333333349",
    );
    check(
        "-m statistic --mode nth --every 3 -j DROP",
        "-m statistic --mode nth --every 3 --packet 0 -j DROP",
    );
    check(
        "-m recent --name X --set",
        "-m recent --set --name X --mask 255.255.255.255 --rsource",
    );
    check(
        "-m limit --limit 180/minute -j ACCEPT",
        "-m limit --limit 3/sec -j ACCEPT",
    );
    check("-m limit --limit 3/hour --limit-burst 9 -j ACCEPT", "");
    check("-m mark --mark 1 -j DROP", "-m mark --mark 0x1 -j DROP");
    check(
        "-j MARK --or-mark 0x4000",
        "-j MARK --set-xmark 0x4000/0x4000",
    );
    check(
        "-j MARK --xor-mark 0x4000",
        "-j MARK --set-xmark 0x4000/0x0",
    );
    check(
        "-j MARK --and-mark 0xff",
        "-j MARK --set-xmark 0x0/0xffffff00",
    );
    check("-j MARK --set-mark 7", "-j MARK --set-xmark 0x7/0xffffffff");
    check(
        "-j CONNMARK --restore-mark",
        "-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
    );
    check("-j REJECT", "-j REJECT --reject-with icmp-port-unreachable");
    check("-p tcp -j REJECT --reject-with tcp-reset", "");
    check(
        "-j LOG --log-prefix dropped: --log-level debug",
        "-j LOG --log-prefix \"dropped:\" --log-level 7",
    );
    check("-p tcp -j DNAT --to-destination 10.0.0.1:80", "");
    check("-j SNAT --to-source 10.0.0.1-10.0.0.3 --random-fully", "");
    check("-j MASQUERADE --random-fully", "");
    check("-p tcp -j REDIRECT --to-ports 8080", "");
}

/// Commands, of which the last fails, and what it says.
#[track_caller]
fn check_error(lines: &[&str], message: &str) {
    with_tables(|tables| {
        let (last, before) = lines.split_last().expect("a command");
        for line in before {
            run(tables, line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        let before = tables.save(TableName::Filter, true);
        assert_eq!(
            run(tables, last).expect_err(last).to_string(),
            message,
            "{last}"
        );
        assert_eq!(
            tables.save(TableName::Filter, true),
            before,
            "nothing changes"
        );
    });
}

#[test]
fn what_is_wrong_is_said_as_iptables_says_it() {
    check_error(&[""], "no command specified");
    check_error(&["-N A", "-N A"], "Chain already exists");
    check_error(&["-A NOPE -j DROP"], "Chain 'NOPE' does not exist");
    check_error(&["-A INPUT -j NOPE"], "Chain 'NOPE' does not exist");
    check_error(&["-F NOPE"], "No chain/target/match by that name");
    check_error(
        &["-D INPUT -j DROP"],
        "Bad rule (does a matching rule exist in that chain?)",
    );
    check_error(&["-D INPUT 3"], "Index of deletion too big");
    check_error(&["-I INPUT 3 -j DROP"], "Index of insertion too big");
    check_error(
        &["-N A", "-A INPUT -j A", "-X A"],
        "CHAIN_DEL failed (Device or resource busy): chain A",
    );
    check_error(
        &["-N A", "-A A -j A"],
        "RULE_APPEND failed (Too many links): rule in chain A",
    );
    check_error(
        &["-A INPUT -p tcp -j DNAT --to-destination 10.0.0.1"],
        "RULE_APPEND failed (Invalid argument): rule in chain INPUT",
    );
    check_error(
        &["-A INPUT -m nope"],
        "Couldn't load match `nope':No such file or directory",
    );
    check_error(&["-A INPUT --dport 80"], "unknown option \"--dport\"");
    check_error(&["-A INPUT -p nope"], "unknown protocol \"nope\" specified");
    check_error(&["-A INPUT -o eth0 -j DROP"], "Can't use -o with INPUT");
    check_error(
        &["-P INPUT REJECT"],
        "Bad policy name. Run `dmesg' for more information",
    );
    check_error(&["-A INPUT -s nobody"], "host/network `nobody' not found");
    check_error(
        &["-j DNAT -A INPUT --to-destination 10.0.0.1:80"],
        "Need TCP, UDP, SCTP or DCCP with port specification",
    );
}

#[test]
fn a_listing_has_iptables_columns() {
    let listed = with_tables(|tables| {
        for line in [
            "-N WEB",
            "-A INPUT -p tcp --dport 80 -j WEB",
            "-A WEB -s 10.0.0.0/8 -m comment --comment inside -j ACCEPT",
            "-P FORWARD DROP",
        ] {
            run(tables, line).expect(line);
        }
        let all = run(tables, "-L").expect("there");
        let one = run(tables, "-nvL WEB --line-numbers").expect("there");
        format!("{all}--\n{one}")
    });
    let expected = "\
Chain INPUT (policy ACCEPT)
target     prot opt source               destination         
WEB        tcp  --  anywhere             anywhere             tcp dpt:http

Chain FORWARD (policy DROP)
target     prot opt source               destination         

Chain OUTPUT (policy ACCEPT)
target     prot opt source               destination         

Chain WEB (1 references)
target     prot opt source               destination         
ACCEPT     all  --  10.0.0.0/8           anywhere             /* inside */
--
Chain WEB (1 references)
num   pkts bytes target     prot opt in     out     source               destination         
1        0     0 ACCEPT     0    --  *      *       10.0.0.0/8           0.0.0.0/0            /* inside */
";
    assert_eq!(listed, expected);
}

const SAVED: &str = "*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-A - [0:0]
:KUBE-B - [0:0]
-A INPUT -j KUBE-A
-A KUBE-A -p sctp -m comment --comment \"demo/sip\" -m sctp --dport 5060 -j KUBE-B
-A KUBE-A -m conntrack --ctstate INVALID -m nfacct --nfacct-name  ct_state_invalid_dropped_pkts -j DROP
-A KUBE-B -j RETURN
COMMIT
";

#[test]
fn a_text_is_restored_and_saved_unchanged() {
    with_tables(|tables| {
        tables.restore(SAVED, Restore::default()).expect("fine");
        assert_eq!(tables.save(TableName::Filter, false), SAVED);
        assert_eq!(tables.save(TableName::Nat, false), "", "nobody used it");
    });
}

#[test]
fn without_flush_only_the_chains_named_change() {
    let noflush = Restore {
        noflush: true,
        ..Restore::default()
    };
    with_tables(|tables| {
        tables.restore(SAVED, Restore::default()).expect("fine");
        let text = "*filter\n:KUBE-B - [0:0]\n:KUBE-C - [0:0]\n-A KUBE-B -j KUBE-C\nCOMMIT\n";
        tables.restore(text, noflush).expect("fine");
        let expected = SAVED
            .replace("-A KUBE-B -j RETURN", "-A KUBE-B -j KUBE-C")
            .replace(":KUBE-B - [0:0]\n", ":KUBE-B - [0:0]\n:KUBE-C - [0:0]\n");
        assert_eq!(tables.save(TableName::Filter, false), expected);
        let text = "*filter\n:KUBE-B - [0:0]\n-X KUBE-C\nCOMMIT\n";
        tables
            .restore(text, noflush)
            .expect("nothing leads there any more");
        let wrong = "*filter\n:KUBE-B - [0:0]\n\n-A KUBE-B -j NOPE\nCOMMIT\n";
        let error = tables.restore(wrong, noflush).expect_err("no such chain");
        assert_eq!(error.to_string(), "line 4: Chain 'NOPE' does not exist");
        assert!(
            tables.save(TableName::Filter, false).contains(":KUBE-B"),
            "nothing changed"
        );
        tables.restore(SAVED, Restore::default()).expect("fine");
        assert_eq!(
            tables.save(TableName::Filter, false),
            SAVED,
            "the rest is flushed"
        );
    });
}

#[test]
fn counters_are_restored_and_zeroed() {
    with_tables(|tables| {
        let text = "*filter\n:INPUT DROP [7:700]\n[3:180] -A INPUT -j ACCEPT\nCOMMIT\n";
        let counters = Restore {
            counters: true,
            ..Restore::default()
        };
        tables.restore(text, counters).expect("fine");
        let saved = tables.save(TableName::Filter, true);
        assert!(saved.contains(":INPUT DROP [7:700]\n"), "{saved}");
        assert!(saved.contains("[3:180] -A INPUT -j ACCEPT\n"), "{saved}");
        run(tables, "-I INPUT -j DROP").expect("fine");
        assert_eq!(
            tables
                .table(TableName::Filter)
                .expect("there")
                .tally("INPUT", 1)
                .packets,
            3
        );
        run(tables, "-Z").expect("fine");
        assert!(
            tables
                .save(TableName::Filter, true)
                .contains(":INPUT DROP [0:0]\n")
        );
        assert!(
            tables
                .save(TableName::Filter, true)
                .contains("[0:0] -A INPUT -j ACCEPT\n")
        );
    });
}

#[test]
fn prebuilt_chains_are_shared_and_cost_nothing_twice() {
    with_tables(|tables| {
        let leaf = Rc::new(
            Chain::parse(["-p tcp -m tcp -j DNAT --to-destination 10.0.0.1:80"]).expect("a rule"),
        );
        let root = Rc::new(Chain::parse(["-A KUBE-SVC -j KUBE-SEP"]).expect("a rule"));
        let (svc, sep): (Rc<str>, Rc<str>) = ("KUBE-SVC".into(), "KUBE-SEP".into());
        let chains = [(svc.clone(), root.clone()), (sep.clone(), leaf.clone())];
        for _ in 0..2 {
            tables
                .put_chains(TableName::Nat, &chains)
                .expect("each leads to another");
        }
        let table = tables.table(TableName::Nat).expect("there");
        assert!(Rc::ptr_eq(table.chain("KUBE-SEP").expect("there"), &leaf));
        assert_eq!(
            tables
                .remove_chains(TableName::Nat, std::slice::from_ref(&sep))
                .map_err(|e| e.to_string()),
            Err("CHAIN_DEL failed (Device or resource busy): chain KUBE-SEP".into())
        );
        tables
            .remove_chains(TableName::Nat, &[svc, sep])
            .expect("nothing leads there");
        let table = tables.table(TableName::Nat).expect("there");
        assert_eq!(table.chain_names().count(), 4, "the built-in ones");
    });
}
