//! `kubarium-reference --iptables DIR`: runs the recorded cases of a folder and prints how many
//! Kubarium answers as the real system did.

use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "usage: kubarium-reference --iptables DIR";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let ["--iptables", folder] = args.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    match kubarium_reference::iptables::run(Path::new(folder)) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}
