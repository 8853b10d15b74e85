//! `kubarium-reference`: runs the recorded cases of a folder and prints how many Kubarium answers as
//! the real system did.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "usage: kubarium-reference [--iptables DIR] [--transcripts DIR [--only=PREFIX]]
without a folder: those of this project";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<(), String> {
    let own = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    let (mut iptables, mut transcripts, mut only) = (None, None, "");
    let mut left = args.iter();
    while let Some(arg) = left.next() {
        let mut folder = || left.next().cloned().ok_or_else(|| HELP.to_owned());
        match arg.as_str() {
            "--iptables" => iptables = Some(folder()?),
            "--transcripts" => transcripts = Some(folder()?),
            _ => only = arg.strip_prefix("--only=").ok_or_else(|| HELP.to_owned())?,
        }
    }
    if iptables.is_none() && transcripts.is_none() {
        transcripts = Some(own("transcripts"));
        // A prefix is one of transcripts.
        iptables = only.is_empty().then(|| own("iptables"));
    }
    if let Some(folder) = iptables {
        show(
            "iptables",
            &kubarium_reference::iptables::run(Path::new(&folder))?,
        );
    }
    if let Some(folder) = transcripts {
        let report = kubarium_reference::transcripts::run(Path::new(&folder), only)?;
        show("transcripts", &report);
    }
    Ok(())
}

fn show(what: &str, report: &dyn Display) {
    println!("== {what}\n{report}");
}
