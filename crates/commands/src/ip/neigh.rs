//! `ip neighbour`: who answers for an address on a link. Models ip/ipneigh.c.

use machine::Sys;
use net::{NeighEntry, NeighState};

use super::{Answer, Fail, View, Words, choose, shown_device, wrong};

const COMMANDS: &[&str] = &[
    "show", "list", "add", "change", "replace", "delete", "flush", "get",
];

pub(super) fn run(sys: &mut Sys<'_>, view: View, words: &mut Words<'_>) -> Answer {
    let command = choose(words, COMMANDS, "show", "neighbour")?;
    words.next();
    if !matches!(command, "show" | "list") {
        let what = sim::unmodelled!("changes of the neighbour table");
        return Err(Fail(format!("ip: {what}\n"), 2));
    }
    let (mut device, mut addr) = (None, None);
    while let Some(word) = words.next() {
        match &**word {
            "dev" => device = Some(shown_device(sys, words.value()?)?),
            "to" => addr = Some(words.parse::<net::Ipv4Net>("to")?),
            _ => {
                addr = Some(
                    word.parse()
                        .map_err(|_| wrong(word, "any valid prefix is expected"))?,
                )
            }
        }
    }
    if view.family == Some('6') {
        return Ok(String::new());
    }
    let entries = sys.net().neighbours(sys.netns(), sys.now());
    let meant = |entry: &&NeighEntry| {
        device.is_none_or(|device| device == entry.dev)
            && addr.is_none_or(|addr| addr.contains(entry.addr))
    };
    let line = |entry: &NeighEntry| {
        let state = match entry.state {
            NeighState::Incomplete => "INCOMPLETE",
            NeighState::Reachable => "REACHABLE",
            NeighState::Stale => "STALE",
            NeighState::Failed => "FAILED",
        };
        let mac = entry
            .mac
            .map_or(String::new(), |mac| format!("lladdr {mac} "));
        // One that was asked for by its interface goes without saying.
        let dev = match sys.net().link(entry.dev) {
            Some(link) if device.is_none() => format!("dev {} ", link.name),
            _ => String::new(),
        };
        if view.brief {
            let name = sys.net().link(entry.dev).map(|link| link.name.clone());
            let mac = entry.mac.map_or(String::new(), |mac| mac.to_string());
            return format!(
                "{:<39} {:<16} {mac} \n",
                entry.addr,
                name.unwrap_or_default()
            );
        }
        format!("{} {dev}{mac}{state} \n", entry.addr)
    };
    Ok(entries.iter().filter(meant).map(line).collect())
}
