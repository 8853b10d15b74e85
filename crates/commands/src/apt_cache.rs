//! `apt-cache`: what repositories hold. Models apt 2.8's cmdline/apt-cache.cc.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::packages::database::{self, Installed};
use crate::packages::index::{self, Offer, compare};
use crate::packages::paragraph::Paragraph;
use crate::packages::{FAILED, STATUS, no_operation};

tool!(
    "apt-cache",
    "Query the package cache",
    "apt-cache [options] command [pkg...]",
    main,
    [("apt-cache frobnicate", "E: Invalid operation frobnicate\n")]
);

const FLAGS: &[args::Flag] = &[flag('q', "quiet"), flag('n', "names-only")];

async fn main(io: Io) -> i32 {
    match args::parse(FLAGS, io.args()) {
        Ok(args) => {
            let words: Vec<&str> = args.operands.iter().map(|word| &**word).collect();
            run(&io, &words).await
        }
        Err(message) => {
            io.eprint(&format!("E: {message}\n")).await;
            FAILED
        }
    }
}

/// Does what an operation says.
pub(crate) async fn run(io: &Io, words: &[&str]) -> i32 {
    let offers = index::offers(io).await;
    let installed = database::read(io).await;
    match words {
        ["madison", names @ ..] => madison(io, names, &offers).await,
        ["policy", names @ ..] => {
            for name in names {
                io.print(&policy(name, &offers, &installed)).await;
            }
            0
        }
        ["show", names @ ..] => show(io, names, &offers).await,
        [] => {
            io.print("apt 2.8.3 (amd64)\nUsage: apt-cache [options] command\n")
                .await;
            1
        }
        [name, ..] => no_operation(io, name).await,
    }
}

async fn madison(io: &Io, names: &[&str], offers: &[Offer]) -> i32 {
    for name in names {
        let found: Vec<&Offer> = offers
            .iter()
            .filter(|offer| offer.name() == *name)
            .collect();
        if found.is_empty() {
            io.eprint(&format!("N: Unable to locate package {name}\n"))
                .await;
        }
        for offer in found {
            let (version, uri) = (offer.version(), &offer.source.uri);
            let text = format!("{name:>10} | {version:>10} | {uri}  Packages\n");
            io.print(&text).await;
        }
    }
    0
}

fn policy(name: &str, offers: &[Offer], installed: &[Installed]) -> String {
    let old = installed.iter().find(|package| package.name() == name);
    let mut versions: Vec<(&str, Option<&Offer>)> = offers
        .iter()
        .filter(|offer| offer.name() == name)
        .map(|offer| (offer.version(), Some(offer)))
        .collect();
    let own = old.map(Installed::version);
    if let Some(own) = own.filter(|own| versions.iter().all(|(version, _)| version != own)) {
        versions.push((own, None));
        versions.sort_by(|a, b| compare(b.0, a.0));
    }
    let Some((candidate, _)) = versions.first() else {
        return String::new();
    };
    let mut text = format!(
        "{name}:\n  Installed: {}\n  Candidate: {candidate}\n  Version table:\n",
        own.unwrap_or("(none)")
    );
    for (version, offer) in &versions {
        let is_own = own == Some(*version);
        let mark = if is_own { "***" } else { "   " };
        let priority = if offer.is_some() { 500 } else { 100 };
        text.push_str(&format!(" {mark} {version} {priority}\n"));
        if let Some(offer) = offer {
            text.push_str(&format!("        500 {}  Packages\n", offer.source.uri));
        }
        if is_own {
            text.push_str(&format!("        100 {STATUS}\n"));
        }
    }
    text
}

async fn show(io: &Io, names: &[&str], offers: &[Offer]) -> i32 {
    for name in names {
        let found: Vec<Paragraph> = offers
            .iter()
            .filter(|offer| offer.name() == *name)
            .map(|offer| offer.package.clone())
            .collect();
        if found.is_empty() {
            io.eprint("E: No packages found\n").await;
            return FAILED;
        }
        io.print(&Paragraph::write_all(&found)).await;
    }
    0
}
