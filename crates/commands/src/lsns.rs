//! `lsns`: namespaces of processes. Models util-linux sys-utils/lsns.c; of the kinds of namespaces,
//! those of networks, mounts and process ids are told apart here.

use machine::{Io, Process};

use crate::args::{self, flag, value};
use crate::files::user_name;
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "lsns",
    "List namespaces",
    "lsns [-n] [-t TYPE] [-p PID]",
    main,
    [
        ("lsns -t nosuch", "lsns: unknown namespace type: nosuch\n"),
        ("lsns -t net | awk '{print $2}' | sort -u", "TYPE\nnet\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('n', "noheadings"),
    flag('l', "list"),
    flag('r', "raw"),
    value('t', "type"),
    value('p', "task"),
    value('o', "output"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('o') {
        complain(&io, &sim::unmodelled!("columns of lsns").to_string()).await;
        return 1;
    }
    let wanted = args.value('t').cloned();
    if let Some(kind) = wanted.as_deref()
        && !Process::namespace_kinds().any(|own| own == kind)
    {
        complain(&io, &format!("unknown namespace type: {kind}")).await;
        return 1;
    }
    let task: Option<u32> = args.value('p').and_then(|text| text.parse().ok());
    let rows = io
        .sys(move |sys| {
            let mut rows: Vec<(u64, &str, usize, u32, String, String)> = Vec::new();
            for info in sys.processes() {
                let Some(process) = sys.host().process(info.pid) else {
                    continue;
                };
                let pid = sys.local_pid(info.pid);
                let kinds = Process::namespace_kinds();
                for kind in kinds.filter(|own| wanted.as_deref().is_none_or(|kind| kind == *own)) {
                    let Some(inode) = process.namespace(kind) else {
                        continue;
                    };
                    match rows.iter_mut().find(|row| row.0 == inode && row.1 == kind) {
                        Some(row) => row.2 += 1,
                        None => {
                            let user = user_name(sys, process.uid);
                            rows.push((inode, kind, 1, pid, user, process.args.join(" ")));
                        }
                    }
                }
            }
            if let Some(task) = task {
                rows.retain(|row| row.3 == task);
            }
            rows.sort_by_key(|row| row.0);
            rows
        })
        .await;
    let mut text = String::new();
    if !args.has('n') {
        text.push_str("        NS TYPE   NPROCS   PID USER             COMMAND\n");
    }
    for (inode, kind, count, pid, user, command) in rows {
        text.push_str(&format!(
            "{inode:>10} {kind:<6} {count:>6} {pid:>5} {user:<16} {command}\n"
        ));
    }
    io.print(&text).await;
    0
}
