//! The native binary `kubarium`: proves lessons, runs scripts headless and serves clusters. Files,
//! arguments and exit codes are handled here; what is simulated is decided below.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this shell has files and a clock"
)]

mod check;
mod journal;
mod run;
mod serve;
mod world;

use std::process::ExitCode;

const HELP: &str = "\
kubarium: a Kubernetes cluster in one process

Usage: kubarium <command> [options]

Commands:
  check PATH...      prove lessons: untouched they fail, with their solution they pass
  run SCRIPT         run a shell script in a fresh cluster (- reads standard input)
  serve              serve a cluster to kubectl and other clients; serve --help has its options
  schema             print the JSON Schema of lesson files
  journal FILE       run the reference scenario and write its journal
  help               print this text

Options of check:
  --seeds N              prove in N worlds, each with a seed of its own (20)

Options of run:
  --on MACHINE           the machine to run on (the first one)
  --files DIR            put the files of a folder into the home directory
  --world WORLD          a preset (default, single, large), a version (v1.35.6) or a YAML file with
                         version and nodes
  --seed N               the seed of everything random (1)
  --json                 print an object per top-level command, one a line
  --max-virtual-time T   give up after this much virtual time: 90s, 30m, 2h (1h)";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_else(|| "help".to_owned());
    let rest: Vec<String> = args.collect();
    let result = match command.as_str() {
        "check" => check::check(&rest),
        "run" => run::run(&rest),
        "serve" => serve::serve(&rest),
        "schema" => {
            println!("{}", lesson::schema());
            Ok(ExitCode::SUCCESS)
        }
        "journal" => journal::journal(&rest),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(anyhow::anyhow!(
            "there is no command {other:?}; `kubarium help` lists them"
        )),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kubarium: {error:#}");
            ExitCode::from(2)
        }
    }
}
