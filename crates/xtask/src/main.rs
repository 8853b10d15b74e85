//! The project's automation: `cargo xtask serve | test | bench | build | reference |
//! conformance | protobuf | tools`.
//!
//! Everything a developer or CI does is here, so that a fresh machine with rustup, Node and git
//! needs nothing else.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this shell has files and a clock"
)]

mod bench;
mod conformance;
mod files;
mod page;
mod protobuf;
mod reference;
mod run;
mod serve;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  serve [--port N]   build the page if anything changed and serve it on 127.0.0.1 (port 8080)
  build              build the page into web/dist
  test [PART...]     run every test, or the named parts: lint native lessons wasm page
  bench [PART...]    print the figures, or the named parts: native page sizes
  reference [--transcripts DIR [--only=PREFIX] [--kubectl FILE]] [--iptables DIR]
                     compare with what a real cluster answered
  conformance [PART] run the specs of the upstream conformance suite whose names hold PART
  protobuf K8S_PB SCHEMAS
                     make the table of protobuf messages that `kubarium serve` reads
  tools              install the tools that are missing
  help               print this text";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", args.as_slice()),
    };
    let result = match command {
        "serve" => serve::serve(rest),
        "build" => page::build().map(|_| ()),
        "test" => test::test(rest),
        "bench" => bench::bench(rest),
        "reference" => reference::reference(rest),
        "conformance" => conformance::conformance(rest),
        "protobuf" => protobuf::protobuf(rest),
        "tools" => tools::all(),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(anyhow::anyhow!("there is no command {other:?}\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
