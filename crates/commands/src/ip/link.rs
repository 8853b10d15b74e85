//! `ip link`. Models ip/iplink.c and the answers of net/core/rtnetlink.c.

use std::rc::Rc;

use machine::{Errno, NetnsId, Sys};
use net::LinkKind;

use super::address::Wanted;
use super::{
    Answer, Fail, View, Words, choose, device, explained, netns, permitted, refused, show, wrong,
};

const COMMANDS: &[&str] = &["add", "set", "delete", "show", "list", "lst", "help"];

pub(super) fn run(sys: &mut Sys<'_>, view: View, words: &mut Words<'_>) -> Answer {
    let command = choose(words, COMMANDS, "show", "link")?;
    words.next();
    match command {
        "add" => add(sys, words),
        "set" => set(sys, words),
        "delete" => delete(sys, words),
        "help" => Err(Fail(
            "Usage: ip link add NAME type { veth peer name NAME | bridge }\n       ip link set DEVICE { up | down | master NAME | nomaster | netns NAME | name NAME | mtu NUMBER }\n       ip link { delete | show } DEVICE\n".to_owned(),
            255,
        )),
        _ => {
            let wanted = Wanted::read(sys, words)?;
            let Some(space) = sys.net().netns(sys.netns()) else {
                return Ok(String::new());
            };
            let links = sys.net().links_of(space.id).filter(|link| wanted.fits(link));
            Ok(links.map(|link| show::link(sys, space, link, view)).collect())
        }
    }
}

/// One end of what is to be made.
#[derive(Clone, Debug)]
struct End {
    name: Option<Rc<str>>,
    ns: NetnsId,
    mtu: Option<u32>,
    up: bool,
}

impl End {
    /// Reads a word that describes this end; false if it does not.
    fn read(&mut self, sys: &Sys<'_>, word: &Rc<str>, words: &mut Words<'_>) -> Result<bool, Fail> {
        match &**word {
            "dev" | "name" => self.name = Some(words.value()?.clone()),
            "mtu" => self.mtu = Some(words.parse("mtu")?),
            "netns" => self.ns = namespace(sys, words.value()?)?,
            "up" => self.up = true,
            "down" => self.up = false,
            "txqueuelen" | "qlen" | "address" => {
                words.value()?;
            }
            _ if self.name.is_none() => self.name = Some(word.clone()),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A namespace by name, or that of a process.
fn namespace(sys: &Sys<'_>, word: &str) -> Result<NetnsId, Fail> {
    let of_process = || {
        let pid = sim::Pid(word.parse().ok()?);
        Some(sys.host().process(pid)?.netns)
    };
    let found = netns::find(sys, word).or_else(of_process);
    found.ok_or_else(|| wrong(word, "Invalid \"netns\" value"))
}

fn add(sys: &mut Sys<'_>, words: &mut Words<'_>) -> Answer {
    let end = End {
        name: None,
        ns: sys.netns(),
        mtu: None,
        up: false,
    };
    let (mut own, mut other, mut kind) = (end.clone(), end, None);
    while let Some(word) = words.next() {
        if &**word == "type" && kind.is_none() {
            kind = Some(words.value()?.clone());
            // What follows belongs to the type.
            if kind.as_deref() == Some("veth") && !words.0.as_slice().is_empty() {
                read_peer(sys, words, &mut other)?;
            }
        } else if !own.read(sys, word, words)? {
            return Err(wrong(word, "unknown argument"));
        }
    }
    let Some(kind) = kind else {
        let text = "Not enough information: \"type\" argument is required\n";
        return Err(Fail(text.to_owned(), 255));
    };
    permitted(sys)?;
    match &*kind {
        "veth" => add_veth(sys, own, other),
        "bridge" => {
            let made = sys.with_net(|net, _| {
                let name = free_name(net, &own, "bridge");
                let id = net.add_bridge(own.ns, &name)?;
                finish(net, id, &own)
            });
            made.map(|()| String::new()).map_err(refused)
        }
        "dummy" | "vlan" | "vxlan" | "macvlan" | "ipvlan" | "tun" | "wireguard" | "bond"
        | "ifb" | "vrf" | "gre" | "ipip" | "geneve" => {
            let what = sim::unmodelled!("interfaces of this type");
            Err(Fail(format!("ip: {what}: {kind}\n"), 2))
        }
        _ => Err(explained("Unknown device type")),
    }
}

fn read_peer(sys: &Sys<'_>, words: &mut Words<'_>, other: &mut End) -> Result<(), Fail> {
    let word = words.value()?;
    if &**word != "peer" {
        let text = format!("veth: unknown option \"{word}\"?\n");
        return Err(Fail(text, 255));
    }
    while let Some(word) = words.next() {
        if !other.read(sys, word, words)? {
            return Err(wrong(word, "unknown argument"));
        }
    }
    Ok(())
}

fn add_veth(sys: &mut Sys<'_>, own: End, other: End) -> Answer {
    let made = sys.with_net(|net, _| {
        let own_name = free_name(net, &own, "veth");
        // The kernel makes the peer first; a name it has to find must not be the other's.
        let peer = other.name.clone().unwrap_or_else(|| {
            let mut names = (0..).map(|at| Rc::from(format!("veth{at}")));
            let free =
                |name: &Rc<str>| *name != own_name && net.link_by_name(other.ns, name).is_none();
            names.find(free).expect("there is always another")
        });
        let (second, first) = net.add_veth(other.ns, &peer, own.ns, &own_name)?;
        finish(net, first, &own)?;
        finish(net, second, &other)
    });
    made.map(|()| String::new()).map_err(refused)
}

/// The name given, or the first free one with a number.
fn free_name(net: &net::Net, end: &End, stem: &str) -> Rc<str> {
    end.name.clone().unwrap_or_else(|| {
        let mut names = (0..).map(|at| Rc::from(format!("{stem}{at}")));
        let free = |name: &Rc<str>| net.link_by_name(end.ns, name).is_none();
        names.find(free).expect("there is always another")
    })
}

fn finish(net: &mut net::Net, id: net::LinkId, end: &End) -> Result<(), Errno> {
    if let Some(mtu) = end.mtu {
        net.set_mtu(id, mtu)?;
    }
    if end.up {
        net.set_up(id)?;
    }
    Ok(())
}

fn set(sys: &mut Sys<'_>, words: &mut Words<'_>) -> Answer {
    let mut word = words.value()?;
    if &**word == "dev" {
        word = words.value()?;
    }
    let link = device(sys, word)?;
    let id = link.id;
    permitted(sys)?;
    let (mut up, mut mtu, mut name, mut master, mut ns) = (None, None, None, None, None);
    while let Some(word) = words.next() {
        match &**word {
            "up" => up = Some(true),
            "down" => up = Some(false),
            "mtu" => mtu = Some(words.parse::<u32>("mtu")?),
            "name" => name = Some(words.value()?.clone()),
            "master" => master = Some(Some(device(sys, words.value()?)?)),
            "nomaster" => master = Some(None),
            "netns" => ns = Some(namespace(sys, words.value()?)?),
            "promisc" | "arp" | "multicast" | "txqueuelen" | "qlen" | "alias" | "address"
            | "type" => {
                let what = sim::unmodelled!("this property of an interface");
                return Err(Fail(format!("ip: {what}: {word}\n"), 2));
            }
            _ => return Err(wrong(word, "unknown argument")),
        }
    }
    if let Some(Some(master)) = &master {
        let is_bridge = matches!(master.kind, LinkKind::Bridge(_));
        match link.kind {
            _ if !is_bridge => return Err(refused(Errno::EOPNOTSUPP)),
            LinkKind::Bridge(_) => return Err(explained("Can not enslave a bridge to a bridge")),
            _ => {}
        }
    }
    let done = sys.with_net(|net, _| -> Result<(), Errno> {
        if let Some(ns) = ns.filter(|ns| *ns != link.ns) {
            net.move_link(id, ns)?;
        }
        if let Some(mtu) = mtu {
            net.set_mtu(id, mtu)?;
        }
        if let Some(name) = name {
            net.rename_link(id, &name)?;
        }
        if let Some(master) = master {
            net.set_master(id, master.map(|master| master.id))?;
        }
        match up {
            Some(true) => net.set_up(id),
            Some(false) => net.set_down(id),
            None => Ok(()),
        }
    });
    done.map(|()| String::new()).map_err(refused)
}

fn delete(sys: &mut Sys<'_>, words: &mut Words<'_>) -> Answer {
    let mut word = words.value()?;
    if &**word == "dev" {
        word = words.value()?;
    }
    let link = device(sys, word)?;
    permitted(sys)?;
    match link.kind {
        LinkKind::Loopback | LinkKind::Uplink { .. } => Err(refused(Errno::EOPNOTSUPP)),
        _ => {
            sys.with_net(|net, _| net.delete_link(link.id));
            Ok(String::new())
        }
    }
}
