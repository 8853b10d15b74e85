//! `ip`: interfaces, addresses, routes, neighbours and network namespaces. Models iproute2 6.1
//! (ip/ip.c). IPv6, JSON and the objects that are not in [`OBJECTS`] are not modelled.

mod address;
mod link;
mod neigh;
mod netns;
mod route;
mod show;

use std::rc::Rc;

use machine::{Errno, Io, NetnsId, Sys};
use net::{Link, LinkId};

use crate::help::tool;
use crate::run;

tool!(
    "ip",
    "Show and change routing, network devices, interfaces and tunnels",
    "ip [ OPTIONS ] OBJECT { COMMAND | help }",
    main,
    [
        (
            "ip a",
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n"
        ),
        (
            "ip link add br0 type bridge; ip addr add 10.9.0.1/24 dev br0; ip link set br0 up; ip -br a; ip r",
            "lo               UNKNOWN        127.0.0.1/8 \nbr0              DOWN           10.9.0.1/24 \n10.9.0.0/24 dev br0 proto kernel scope link src 10.9.0.1 linkdown \n"
        ),
        (
            "ip netns add red; ip netns add blue; ip link add v0 type veth peer name v1; ip link set v1 netns red; ip netns; ip -o link show v0 | cut -d' ' -f2,3; ip netns exec red ip -br link",
            "blue\nred (id: 0)\nv0@if2: <BROADCAST,MULTICAST>\nlo               DOWN           00:00:00:00:00:00 <LOOPBACK> \nv1@if3           DOWN           ae:f1:bb:cd:cb:f8 <BROADCAST,MULTICAST> \n"
        ),
        (
            "ip route add default via 10.9.0.1",
            "Error: Nexthop has invalid gateway.\n"
        ),
        (
            "ip route get 127.0.0.1",
            "local 127.0.0.1 dev lo src 127.0.0.1 uid 0 \n    cache <local> \n"
        ),
        ("ip link set nope up", "Cannot find device \"nope\"\n"),
        (
            "ip netns exec nope true",
            "Cannot open network namespace \"nope\": No such file or directory\n"
        ),
    ]
);

/// What goes wrong: what is said, and the exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fail(String, i32);

/// What a command prints.
type Answer = Result<String, Fail>;

/// How things are shown.
#[derive(Clone, Copy, Debug, Default)]
struct View {
    /// `-br`: one line each, only the essentials.
    brief: bool,
    /// `-o`: one line each.
    oneline: bool,
    /// `-4` or `-6`; addresses and routes of one family only.
    family: Option<char>,
}

/// The command line's words that are still to be read.
struct Words<'a>(core::slice::Iter<'a, Rc<str>>);

/// A command of an object: what it makes of the world.
type Run = fn(&mut Sys<'_>, View, &mut Words<'_>) -> Answer;

/// Objects by name; the first that begins with what is given is meant.
const OBJECTS: &[(&str, Run)] = &[
    ("address", address::run),
    ("route", route::run),
    ("neighbor", neigh::run),
    ("neighbour", neigh::run),
    ("link", link::run),
    ("netns", netns::run),
];

const USAGE: &str = "Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | route | neighbor | link | netns }
       OPTIONS := { -V[ersion] | -4 | -6 | -br[ief] | -o[neline] | -n[etns] NAME }
";

async fn main(io: Io) -> i32 {
    let mut view = View::default();
    let mut inside: Option<Rc<str>> = None;
    let mut words = io.args().get(1..).unwrap_or_default();
    while let [option, rest @ ..] = words
        && option.starts_with('-')
    {
        words = rest;
        // Long options may have one dash or two, and be cut short.
        let name = option.trim_start_matches('-');
        let is = |long: &str| !name.is_empty() && long.starts_with(name);
        match name {
            "4" | "6" => view.family = name.chars().next(),
            _ if is("brief") && name.len() > 1 => view.brief = true,
            _ if is("oneline") => view.oneline = true,
            _ if is("netns") => {
                let Some((name, rest)) = words.split_first() else {
                    io.eprint("Error: argument is missing\n").await;
                    return 255;
                };
                inside = Some(name.clone());
                words = rest;
            }
            _ if is("Version") => {
                io.print("ip utility, iproute2-6.1.0, libbpf 1.3.0\n").await;
                return 0;
            }
            // Colours are for terminals that a learner reads anyway; numbers are what we print.
            _ if name.starts_with("color") || is("Numeric") || name == "c" || is("details") => {}
            _ if is("help") => {
                io.eprint(USAGE).await;
                return 255;
            }
            _ if is("json") || is("statistics") || is("pretty") || is("all") => {
                let what = sim::unmodelled!("this option of ip");
                io.eprint(&format!("ip: {what}: {option}\n")).await;
                return 1;
            }
            _ => {
                io.eprint(&format!(
                    "Option \"{option}\" is unknown, try \"ip -help\".\n"
                ))
                .await;
                return 255;
            }
        }
    }
    let Some((object, words)) = words.split_first() else {
        io.eprint(USAGE).await;
        return 255;
    };
    if let Some(name) = inside
        && let Err(Fail(text, code)) = enter(&io, &name).await
    {
        io.eprint(&text).await;
        return code;
    }
    command(&io, view, object, words).await
}

/// Runs a command of an object.
async fn command(io: &Io, view: View, object: &str, words: &[Rc<str>]) -> i32 {
    let Some((name, act)) = OBJECTS.iter().find(|(name, _)| name.starts_with(object)) else {
        let text = match object {
            "help" => USAGE.to_owned(),
            _ => format!("Object \"{object}\" is unknown, try \"ip help\".\n"),
        };
        io.eprint(&text).await;
        return if object == "help" { 255 } else { 1 };
    };
    if *name == "netns"
        && let [exec, space, program @ ..] = words
        && "exec".starts_with(&**exec)
    {
        return execute(io, space, program.to_vec()).await;
    }
    let (act, words) = (*act, words.to_vec());
    let done = io.sys(move |sys| act(sys, view, &mut Words(words.iter())));
    match done.await {
        Ok(text) => {
            io.print(&text).await;
            0
        }
        Err(Fail(text, code)) => {
            io.eprint(&text).await;
            code
        }
    }
}

/// Enters a namespace, for this process and what it becomes.
async fn enter(io: &Io, name: &str) -> Result<(), Fail> {
    let wanted = name.to_owned();
    io.sys(move |sys| {
        let failed = |errno: Errno| {
            Fail(
                format!(
                    "Cannot open network namespace \"{wanted}\": {}\n",
                    errno.message()
                ),
                1,
            )
        };
        let id = netns::find(sys, &wanted).ok_or(failed(Errno::ENOENT))?;
        sys.set_netns(id).map_err(|errno| {
            Fail(
                format!(
                    "setting the network namespace \"{wanted}\" failed: {}\n",
                    errno.message()
                ),
                255,
            )
        })
    })
    .await
}

/// `ip netns exec NAME program …`.
async fn execute(io: &Io, space: &str, program: Vec<Rc<str>>) -> i32 {
    let Some(name) = program.first().cloned() else {
        io.eprint("No command specified\n").await;
        return 255;
    };
    if let Err(Fail(text, code)) = enter(io, space).await {
        io.eprint(&text).await;
        return code;
    }
    if run::find(io, &name).await.is_none() {
        let why = Errno::ENOENT.message();
        io.eprint(&format!("exec of \"{name}\" failed: {why}\n"))
            .await;
        return 1;
    }
    run::become_program(io, program).await
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a Rc<str>> {
        self.0.next()
    }

    /// The word after `argument`, which has to be there.
    fn value(&mut self) -> Result<&'a Rc<str>, Fail> {
        let missing = || {
            Fail(
                "Command line is not complete. Try option \"help\"\n".to_owned(),
                255,
            )
        };
        self.next().ok_or_else(missing)
    }

    /// Reads the value of `argument`.
    fn parse<T: core::str::FromStr>(&mut self, argument: &str) -> Result<T, Fail> {
        let word = self.value()?;
        let wrong = || wrong(word, &format!("Invalid \"{argument}\" value"));
        word.parse().map_err(|_| wrong())
    }
}

/// A word that cannot be right, in iproute2's words.
fn wrong(word: &str, why: &str) -> Fail {
    Fail(
        format!("Error: argument \"{word}\" is wrong: {why}\n\n"),
        255,
    )
}

/// What the kernel answers.
fn refused(errno: Errno) -> Fail {
    Fail(format!("RTNETLINK answers: {}\n", errno.message()), 2)
}

/// What the kernel answers where it has a sentence for it.
fn explained(sentence: &str) -> Fail {
    Fail(format!("Error: {sentence}.\n"), 2)
}

/// The command's word, or `default`; one of `names`, which may be cut short.
fn choose<'a>(
    words: &Words<'_>,
    names: &[&'a str],
    default: &'a str,
    object: &str,
) -> Result<&'a str, Fail> {
    let Some(word) = words.0.as_slice().first() else {
        return Ok(default);
    };
    let found = names.iter().find(|name| name.starts_with(&**word));
    let unknown = || {
        let text = format!("Command \"{word}\" is unknown, try \"ip {object} help\".\n");
        Fail(text, 255)
    };
    found.copied().ok_or_else(unknown)
}

/// The interface of the caller's namespace with this name.
fn device(sys: &Sys<'_>, name: &str) -> Result<Link, Fail> {
    let found = sys.net().link_by_name(sys.netns(), name).cloned();
    found.ok_or_else(|| Fail(format!("Cannot find device \"{name}\"\n"), 1))
}

/// The same where things are only shown.
fn shown_device(sys: &Sys<'_>, name: &str) -> Result<LinkId, Fail> {
    let found = sys.net().link_by_name(sys.netns(), name);
    let none = || Fail(format!("Device \"{name}\" does not exist.\n"), 1);
    found.map(|link| link.id).ok_or_else(none)
}

/// Whether the caller may change anything.
fn permitted(sys: &Sys<'_>) -> Result<NetnsId, Fail> {
    match sys.uid() {
        0 => Ok(sys.netns()),
        _ => Err(refused(Errno::EPERM)),
    }
}
