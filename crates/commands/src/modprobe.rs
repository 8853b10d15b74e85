//! `modprobe`: loads modules of the kernel. Those that Kubernetes asks for are part of this one, so
//! there is nothing left to do. Models kmod's tools/modprobe.c.

use machine::Io;

use crate::help::tool;

tool!(
    "modprobe",
    "Load a module of the kernel",
    "modprobe [-r] MODULE...",
    main,
    [
        ("modprobe br_netfilter overlay", ""),
        (
            "modprobe nosuch; echo $?",
            "modprobe: FATAL: Module nosuch not found in directory /lib/modules/6.8.0-111-generic\n1\n"
        ),
    ]
);

/// Modules that are loaded: name, size, who uses them.
pub(crate) const MODULES: &[(&str, u32, &str)] = &[
    ("xt_statistic", 12_288, ""),
    ("xt_nat", 12_288, ""),
    ("xt_mark", 12_288, ""),
    ("xt_comment", 12_288, ""),
    ("xt_MASQUERADE", 16_384, ""),
    ("xt_conntrack", 12_288, ""),
    ("veth", 45_056, ""),
    ("br_netfilter", 32_768, ""),
    ("bridge", 421_888, "br_netfilter"),
    ("stp", 12_288, "bridge"),
    ("llc", 16_384, "bridge,stp"),
    ("overlay", 217_088, ""),
    ("nf_nat", 61_440, "xt_nat,xt_MASQUERADE"),
    (
        "nf_conntrack",
        200_704,
        "xt_conntrack,nf_nat,xt_nat,xt_MASQUERADE",
    ),
    ("nf_tables", 376_832, ""),
];

/// Modules that could be, as far as anybody asks for them.
const OTHERS: &[&str] = &[
    "ip_vs",
    "ip_vs_rr",
    "ip_vs_wrr",
    "ip_vs_sh",
    "ip_tables",
    "iptable_nat",
    "ip6_tables",
    "dummy",
    "vxlan",
    "wireguard",
    "nfs",
    "fuse",
    "tun",
    "nf_conntrack_ipv4",
];

async fn main(io: Io) -> i32 {
    let words = io.args()[1..].to_vec();
    let names: Vec<_> = words.iter().filter(|word| !word.starts_with('-')).collect();
    if names.is_empty() {
        io.eprint("modprobe: ERROR: missing parameters. See -h.\n")
            .await;
        return 1;
    }
    for name in names {
        let known = MODULES
            .iter()
            .any(|(own, ..)| *own == name.replace('-', "_"));
        if !known && !OTHERS.contains(&&**name) {
            io.eprint(&format!(
                "modprobe: FATAL: Module {name} not found in directory \
                 /lib/modules/6.8.0-111-generic\n"
            ))
            .await;
            return 1;
        }
    }
    0
}
