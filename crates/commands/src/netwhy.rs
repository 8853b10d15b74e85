//! `netwhy`: runs a command and then explains the way of every packet that began something: each
//! connection, each datagram, each ping, and the answers. No real machine has it; what it tells is
//! what the kernels on the way did.

mod way;

use machine::{Exec, Io, Signal, Spawn};

pub use way::{Addresses, Fate, Met, Station, Way, Writer};

use crate::io::complain;
use crate::{Example, Tool, help, run};

/// The tool.
pub(crate) const TOOL: Tool = Tool {
    name: "netwhy",
    summary: "Run a command and explain the way its packets took",
    usage: "netwhy command [args]",
    examples: EXAMPLES,
    run: |io| Box::pin(main(io)),
    program: || machine::tool_catching(|io| Box::pin(main(io)), CATCHES),
};

/// `^C` ends the command, not the explanation.
const CATCHES: &[Signal] = &[Signal::Int];

const EXAMPLES: &[Example] = &[
    Example {
        command: "iptables -A INPUT -p icmp -j DROP; netwhy ping -qc1 -W1 127.0.0.1 | tail -n +6",
        output: "\nICMP echo request 127.0.0.1 > 127.0.0.1: dropped by netfilter\n  1. testbox: sent by lo\n  2. testbox: dropped by netfilter\n       filter INPUT 1: -A INPUT -p icmp -j DROP\n",
    },
    Example {
        command: "iptables -t nat -A OUTPUT -d 10.9.0.1 -p tcp -m comment --comment 'default/web:http cluster IP' -j DNAT --to 127.0.0.1:9; ip link add br0 type bridge; ip addr add 10.9.0.1/24 dev br0; netwhy curl -s 10.9.0.1 | sed 's/:[3-6][0-9][0-9]*/:N/g'",
        output: "\nTCP SYN 10.9.0.1:N > 10.9.0.1:80: refused, nobody listens on 127.0.0.1:9\n  1. testbox: sent by lo\n       nat OUTPUT 1: -A OUTPUT -d 10.9.0.1/32 -p tcp -m comment --comment \"default/web:http cluster IP\" -j DNAT --to-destination 127.0.0.1:9 makes it 10.9.0.1:N > 127.0.0.1:9\n         written for Service default/web, endpoint 127.0.0.1:9\n       10.9.0.1:N > 10.9.0.1:80 becomes 10.9.0.1:N > 127.0.0.1:9\n  2. testbox: delivered from lo\n",
    },
    Example {
        command: "netwhy true",
        output: "\nNo packet left a socket of this command.\n",
    },
];

async fn main(io: Io) -> i32 {
    if help::wanted(&io) {
        return help::show(&io, TOOL.usage, TOOL.summary, EXAMPLES).await;
    }
    let words = io.args().get(1..).unwrap_or_default().to_vec();
    let Some(name) = words.first().cloned() else {
        io.eprint("Usage: netwhy command [args]\n").await;
        return 2;
    };
    let Some(path) = run::find(&io, &name).await else {
        complain(&io, &format!("{name}: command not found")).await;
        return 127;
    };
    io.sys(|sys| sys.begin_recording()).await;
    let spawned = io
        .spawn(Spawn::new(Exec::Path(path), words).with_stdio())
        .await;
    let status = match spawned {
        Ok(pid) => io.wait(pid).await.shell_code(),
        Err(errno) => {
            complain(&io, &format!("{name}: {}", errno.message())).await;
            126
        }
    };
    let text = io.sys(|sys| {
        let records = sys.end_recording();
        if records.is_empty() {
            return "\nNo packet left a socket of this command.\n".to_owned();
        }
        let ways = records
            .iter()
            .map(|record| Way::of(record, &|machine| sys.machine_name(machine)));
        ways.map(|way| format!("\n{way}")).collect()
    });
    io.print(&text.await).await;
    status
}
