//! `ip netns`: namespaces that have a name. Models ip/ipnetns.c.

use machine::{Errno, NetnsId, Sys};

use super::{Answer, Fail, View, Words, choose};

const COMMANDS: &[&str] = &[
    "list", "show", "lst", "add", "delete", "identify", "pids", "exec", "help",
];

/// The namespace with this name.
pub(super) fn find(sys: &Sys<'_>, name: &str) -> Option<NetnsId> {
    let named = sys.named_netns();
    let found = named.into_iter().find(|(own, _)| &**own == name);
    found.map(|(_, id)| id)
}

pub(super) fn run(sys: &mut Sys<'_>, _: View, words: &mut Words<'_>) -> Answer {
    let command = choose(words, COMMANDS, "list", "netns")?;
    words.next();
    match command {
        "add" => add(sys, name(words)?),
        "delete" => delete(sys, name(words)?),
        "identify" => {
            let pid = match words.next().map(|word| &**word) {
                None | Some("self") => sys.pid(),
                Some(word) => match word.parse() {
                    Ok(pid) => sim::Pid(pid),
                    Err(_) => return Err(Fail(format!("Specified string '{word}' is not a pid\n"), 255)),
                },
            };
            let space = sys.host().process(pid).map(|process| process.netns);
            let named = sys.named_netns();
            let meant = named.iter().filter(|(_, id)| Some(*id) == space);
            Ok(meant.map(|(name, _)| format!("{name}\n")).collect())
        }
        "pids" => {
            let name = name(words)?;
            let id = find(sys, name).ok_or_else(|| {
                let why = Errno::ENOENT.message();
                Fail(format!("Cannot open network namespace: {why}\n"), 255)
            })?;
            let inside = sys.host().processes().filter(|process| process.netns == id);
            Ok(inside.map(|process| format!("{}\n", process.pid.0)).collect())
        }
        "exec" => Err(Fail("No netns name specified\n".to_owned(), 255)),
        "help" => Err(Fail(
            "Usage:\tip netns list\n\tip netns add NAME\n\tip netns delete NAME\n\tip netns identify [PID]\n\tip netns pids NAME\n\tip netns exec NAME cmd ...\n".to_owned(),
            255,
        )),
        _ => {
            let own = sys.net().netns(sys.netns());
            let named = sys.named_netns();
            let line = |(name, id): (std::rc::Rc<str>, NetnsId)| match own.and_then(|own| own.nsid(id)) {
                Some(number) => format!("{name} (id: {number})\n"),
                None => format!("{name}\n"),
            };
            Ok(named.into_iter().map(line).collect())
        }
    }
}

fn name<'a>(words: &mut Words<'a>) -> Result<&'a str, Fail> {
    let none = || Fail("No netns name specified\n".to_owned(), 255);
    let name = words.next().ok_or_else(none)?;
    if name.contains('/') || matches!(&**name, "" | "." | "..") {
        let text = format!("Invalid netns name \"{name}\"\n");
        return Err(Fail(text, 255));
    }
    Ok(name)
}

fn add(sys: &mut Sys<'_>, name: &str) -> Answer {
    let cannot = |errno: Errno| {
        let why = errno.message();
        let text = format!("Cannot create namespace file \"/var/run/netns/{name}\": {why}\n");
        Fail(text, 1)
    };
    if sys.uid() != 0 {
        return Err(cannot(Errno::EACCES));
    }
    if find(sys, name).is_some() {
        return Err(cannot(Errno::EEXIST));
    }
    let id = sys.new_netns(name);
    sys.with_net(|net, _| {
        let lo = net
            .link_by_name(id, "lo")
            .map(|lo| (lo.id, lo.addrs.clone()));
        let (lo, addrs) = lo.ok_or(Errno::ENODEV)?;
        for addr in addrs {
            net.addr_del(lo, addr)?;
        }
        net.set_down(lo)
    })
    .map_err(cannot)?;
    Ok(String::new())
}

/// Takes the name away, and with it the namespace unless somebody lives there.
fn delete(sys: &mut Sys<'_>, name: &str) -> Answer {
    let cannot = |errno: Errno| {
        let why = errno.message();
        let text = format!("Cannot remove namespace file \"/var/run/netns/{name}\": {why}\n");
        Fail(text, 1)
    };
    if sys.uid() != 0 {
        return Err(cannot(Errno::EACCES));
    }
    let id = find(sys, name).ok_or_else(|| cannot(Errno::ENOENT))?;
    let inhabited = sys.host().processes().any(|process| process.netns == id);
    match inhabited {
        true => sys.with_net(|net, _| net.rename_netns(id, "")),
        false => sys.remove_netns(id),
    }
    Ok(String::new())
}
