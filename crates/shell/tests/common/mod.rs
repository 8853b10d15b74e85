//! A machine with bash and the few programs these tests need.

use machine::{Constructor, Fd, Io, tool};
use sim::Duration;

async fn cat(io: Io) -> i32 {
    let args = io.args().to_vec();
    let mut status = 0;
    if args.len() == 1 {
        match io.read_all(Fd::STDIN).await {
            Ok(bytes) => io.write_all(Fd::STDOUT, &bytes).await,
            Err(errno) => {
                io.eprint(&format!("cat: -: {}\n", errno.message())).await;
                return 1;
            }
        }
    }
    for path in &args[1..] {
        match io.read_file(path).await {
            Ok(bytes) => io.write_all(Fd::STDOUT, &bytes).await,
            Err(errno) => {
                io.eprint(&format!("cat: {path}: {}\n", errno.message()))
                    .await;
                status = 1;
            }
        }
    }
    status
}

async fn sleep(io: Io) -> i32 {
    let seconds = io
        .args()
        .get(1)
        .and_then(|arg| arg.parse::<f64>().ok())
        .unwrap_or(0.0);
    io.sleep(Duration::from_millis((seconds * 1000.0) as u64))
        .await;
    0
}

/// Speaks the protocol of cobra.
async fn candidates(io: Io) -> i32 {
    let args: Vec<String> = io.args().iter().map(|arg| arg.to_string()).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[1..] {
        ["__complete", "get", _] => io.print("pods\nnodes\nnamespaces\n:4\n").await,
        ["__complete", _] => {
            io.print("get\tDisplay resources\ndelete\tDelete resources\n:4\n")
                .await;
        }
        _ => io.print(&format!("ran {}\n", args.join(" "))).await,
    }
    0
}

/// The table of executables.
pub(crate) fn programs(name: &str) -> Option<Constructor> {
    match name {
        "bash" => Some(kubarium_shell::bash),
        "cat" => Some(|| tool(|io| Box::pin(cat(io)))),
        "tool" => Some(|| tool(|io| Box::pin(candidates(io)))),
        "sleep" => Some(|| tool(|io| Box::pin(sleep(io)))),
        _ => None,
    }
}
