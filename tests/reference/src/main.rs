//! `kubarium-reference`: runs the recorded cases of a folder and prints how many Kubarium answers as
//! the real system did.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use kubarium_reference::transcripts::{self, Kubectl};

const HELP: &str = "usage: kubarium-reference [--iptables DIR] [--transcripts DIR [--only=PREFIX] [--kubectl FILE]]
without a folder: those of this project; with a kubectl: that one against a served cluster";

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
    let (mut iptables, mut transcripts, mut kubectl, mut only) = (None, None, None, "");
    let mut left = args.iter();
    while let Some(arg) = left.next() {
        let mut path = || left.next().cloned().ok_or_else(|| HELP.to_owned());
        match arg.as_str() {
            "--iptables" => iptables = Some(path()?),
            "--transcripts" => transcripts = Some(path()?),
            "--kubectl" => kubectl = Some(path()?),
            _ => only = arg.strip_prefix("--only=").ok_or_else(|| HELP.to_owned())?,
        }
    }
    if iptables.is_none() && transcripts.is_none() {
        transcripts = Some(own("transcripts"));
        // A prefix is one of transcripts.
        iptables = (only.is_empty() && kubectl.is_none()).then(|| own("iptables"));
    }
    if let Some(folder) = iptables {
        show(
            "iptables",
            &kubarium_reference::iptables::run(Path::new(&folder))?,
        );
    }
    if let Some(folder) = transcripts {
        let kubectl = kubectl.as_ref();
        let kubectl = kubectl.map_or(Kubectl::Ours, |path| Kubectl::At(Path::new(path)));
        let report = transcripts::run(Path::new(&folder), only, kubectl)?;
        show("transcripts", &report);
    }
    Ok(())
}

fn show(what: &str, report: &dyn Display) {
    println!("== {what}\n{report}");
}
