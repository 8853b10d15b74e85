//! `ip address`. Models ip/ipaddress.c and the answers of net/ipv4/devinet.c.

use machine::{Errno, Sys};
use net::{Ipv4Net, Link};

use super::{Answer, Fail, View, Words, choose, device, explained, permitted, refused, show};
use super::{shown_device, wrong};

const COMMANDS: &[&str] = &[
    "add", "change", "replace", "delete", "show", "list", "lst", "flush", "help",
];

pub(super) fn run(sys: &mut Sys<'_>, view: View, words: &mut Words<'_>) -> Answer {
    let command = choose(words, COMMANDS, "show", "address")?;
    words.next();
    match command {
        "show" | "list" | "lst" => list(sys, view, words),
        "help" => Err(Fail(
            "Usage: ip address {add|del} IFADDR dev IFNAME\n       ip address {show|flush} [ dev IFNAME ] [ up ]\n".to_owned(),
            255,
        )),
        _ => {
            let change = read(sys, words, command == "flush")?;
            permitted(sys)?;
            apply(sys, command, change)
        }
    }
}

/// Which interfaces to show.
pub(super) fn list(sys: &mut Sys<'_>, view: View, words: &mut Words<'_>) -> Answer {
    let wanted = Wanted::read(sys, words)?;
    let Some(space) = sys.net().netns(sys.netns()) else {
        return Ok(String::new());
    };
    let links = sys
        .net()
        .links_of(space.id)
        .filter(|link| wanted.fits(link));
    Ok(links
        .map(|link| show::address(sys, space, link, view))
        .collect())
}

/// Which interfaces are meant.
#[derive(Default)]
pub(super) struct Wanted {
    device: Option<net::LinkId>,
    master: Option<net::LinkId>,
    kind: Option<&'static str>,
    up: bool,
}

impl Wanted {
    pub(super) fn read(sys: &Sys<'_>, words: &mut Words<'_>) -> Result<Wanted, Fail> {
        let mut wanted = Wanted::default();
        while let Some(word) = words.next() {
            match &**word {
                "up" => wanted.up = true,
                "master" => wanted.master = Some(device(sys, words.value()?)?.id),
                "type" => {
                    let name = words.value()?;
                    let kinds = ["bridge", "veth"];
                    let kind = kinds.into_iter().find(|kind| *kind == &**name);
                    wanted.kind = Some(kind.unwrap_or("another"));
                }
                "dev" => wanted.device = Some(shown_device(sys, words.value()?)?),
                name => wanted.device = Some(shown_device(sys, name)?),
            }
        }
        Ok(wanted)
    }

    pub(super) fn fits(&self, link: &Link) -> bool {
        let kind = match link.kind {
            net::LinkKind::Veth { .. } => "veth",
            net::LinkKind::Bridge(_) => "bridge",
            _ => "",
        };
        self.device.is_none_or(|id| id == link.id)
            && self.master.is_none_or(|id| link.master == Some(id))
            && self.kind.is_none_or(|wanted| wanted == kind)
            && (!self.up || link.up)
    }
}

/// An address to be added or taken away.
struct Change {
    addr: Option<Ipv4Net>,
    link: Link,
    broadcast: bool,
}

fn read(sys: &Sys<'_>, words: &mut Words<'_>, may_lack: bool) -> Result<Change, Fail> {
    let (mut addr, mut link, mut broadcast) = (None, None, false);
    while let Some(word) = words.next() {
        match &**word {
            "dev" => link = Some(device(sys, words.value()?)?),
            "broadcast" | "brd" => {
                words.value()?;
                broadcast = true;
            }
            "scope" | "label" | "metric" => {
                words.value()?;
            }
            "local" | "to" => addr = Some(prefix(words.value()?)?),
            _ if addr.is_none() => addr = Some(prefix(word)?),
            _ => return Err(wrong(word, "unknown argument")),
        }
    }
    let missing = || {
        let text = "Not enough information: \"dev\" argument is required.\n";
        Fail(text.to_owned(), 255)
    };
    let link = link.ok_or_else(missing)?;
    if addr.is_none() && !may_lack {
        return Err(refused(Errno::EINVAL));
    }
    Ok(Change {
        addr,
        link,
        broadcast,
    })
}

/// Reads `10.0.0.1/24`.
pub(super) fn prefix(word: &str) -> Result<Ipv4Net, Fail> {
    let text = format!("Error: any valid prefix is expected rather than \"{word}\".\n");
    word.parse().map_err(|_| Fail(text, 1))
}

fn apply(sys: &mut Sys<'_>, command: &str, change: Change) -> Answer {
    let id = change.link.id;
    let done = sys.with_net(|net, _| match (command, change.addr) {
        ("delete", Some(addr)) => {
            // Without a prefix length, whatever address it is.
            let meant =
                |own: &&Ipv4Net| **own == addr || addr.prefix == 32 && own.addr == addr.addr;
            let own = change.link.addrs.iter().find(meant).copied();
            net.addr_del(id, own.ok_or(Errno::EADDRNOTAVAIL)?)
        }
        ("flush", meant) => {
            for addr in change
                .link
                .addrs
                .iter()
                .filter(|own| meant.is_none_or(|meant| meant.contains(own.addr)))
            {
                net.addr_del(id, *addr)?;
            }
            Ok(())
        }
        (_, Some(addr)) if command != "add" && change.link.addrs.contains(&addr) => Ok(()),
        (_, Some(addr)) if change.broadcast => net.addr_add(id, addr),
        (_, Some(addr)) => net.addr_add_bare(id, addr),
        (_, None) => Err(Errno::EINVAL),
    });
    match done {
        Ok(()) => Ok(String::new()),
        Err(Errno::EEXIST) => Err(explained("ipv4: Address already assigned")),
        Err(Errno::EADDRNOTAVAIL) => Err(explained("ipv4: Address not found")),
        Err(errno) => Err(refused(errno)),
    }
}
