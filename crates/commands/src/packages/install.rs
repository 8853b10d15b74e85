//! `apt-get install` and `upgrade`: from names and versions to files that are replaced.

use std::cmp::Ordering;

use machine::Io;
use machine::fs::Node;
use sim::Duration;

use super::database::{self, Installed};
use super::distribution;
use super::index::{self, Offer, compare};
use super::update::mirror;
use super::{FAILED, READING, may_change};
use crate::io::answer;

/// What the options allow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    /// `-y`.
    pub(crate) yes: bool,
    /// `--allow-change-held-packages`.
    pub(crate) held: bool,
    /// `--allow-downgrades`.
    pub(crate) downgrades: bool,
    /// `-s`: say it, do not do it.
    pub(crate) simulate: bool,
}

/// What is going to be done.
#[derive(Default)]
struct Changes {
    /// What each package is replaced by, by name; the package that is there, if any.
    replaced: Vec<(Option<Installed>, Offer)>,
    /// Named, but there already: name and version.
    newest: Vec<(String, String)>,
    /// What would be upgraded if it were not held.
    kept: Vec<String>,
    /// Lines about versions that a pattern selected.
    selected: String,
}

impl Changes {
    fn names(&self, order: Option<Ordering>) -> Vec<&str> {
        let is = |(old, new): &&(Option<Installed>, Offer)| {
            old.as_ref()
                .map(|old| compare(new.version(), old.version()))
                == order
        };
        self.replaced
            .iter()
            .filter(is)
            .map(|(_, new)| new.name())
            .collect()
    }
}

/// Installs packages, each a name or `name=version`.
pub(crate) async fn install(io: &Io, wanted: &[&str], wishes: Wishes) -> i32 {
    if !wishes.simulate && !may_change(io).await {
        return FAILED;
    }
    io.print(READING).await;
    let offers = index::offers(io).await;
    let installed = database::read(io).await;
    let mut changes = Changes::default();
    for word in wanted {
        let known = |name: &&str| installed.iter().any(|package| package.name() == *name);
        let name = word.split('=').next().unwrap_or(word);
        let package = match Some(name).filter(|name| !known(name)) {
            Some(name) => distribution::find(name),
            None => None,
        };
        if let Some(package) = package {
            match distribution::is_there(io, package).await {
                true => changes
                    .newest
                    .push((name.to_owned(), package.version.to_owned())),
                false => changes
                    .replaced
                    .push((None, distribution::offer(name, package))),
            }
            continue;
        }
        if let Err(text) = select(word, &offers, &installed, &mut changes) {
            io.print(&changes.selected).await;
            io.eprint(&text).await;
            return FAILED;
        }
    }
    changes
        .replaced
        .sort_by(|(_, a), (_, b)| a.name().cmp(b.name()));
    carry_out(io, changes, &offers, installed, wishes).await
}

/// Upgrades everything that may be.
pub(crate) async fn upgrade(io: &Io, wishes: Wishes) -> i32 {
    if !wishes.simulate && !may_change(io).await {
        return FAILED;
    }
    let reading = READING.to_owned() + "Calculating upgrade... Done\n";
    io.print(&reading).await;
    let offers = index::offers(io).await;
    let installed = database::read(io).await;
    let mut changes = Changes::default();
    for (old, new) in upgradable(&installed, &offers) {
        if old.is_held() {
            changes.kept.push(old.name().to_owned());
        } else {
            changes.replaced.push((Some(old), new));
        }
    }
    carry_out(io, changes, &offers, installed, wishes).await
}

/// Packages that a list has a newer version of.
pub(crate) fn upgradable(installed: &[Installed], offers: &[Offer]) -> Vec<(Installed, Offer)> {
    let newest = |old: &Installed| {
        let newest = offers.iter().find(|offer| offer.name() == old.name())?;
        let newer = compare(newest.version(), old.version()) == Ordering::Greater;
        newer.then(|| (old.clone(), newest.clone()))
    };
    installed.iter().filter_map(newest).collect()
}

/// Finds what a word of the command line stands for.
fn select(
    word: &str,
    offers: &[Offer],
    installed: &[Installed],
    changes: &mut Changes,
) -> Result<(), String> {
    let (name, version) = match word.split_once('=') {
        Some((name, version)) => (name, Some(version)),
        None => (word, None),
    };
    let old = installed.iter().find(|package| package.name() == name);
    let mut known = offers
        .iter()
        .filter(|offer| offer.name() == name)
        .peekable();
    if known.peek().is_none() && old.is_none() {
        let note = sim::unmodelled!("packages of the distribution's repositories");
        return Err(format!("{note}\nE: Unable to locate package {name}\n"));
    }
    let is_there = |version: &str| old.is_some_and(|old| old.version() == version);
    let offer = match version {
        None => known.next(),
        Some(pattern) => {
            let found = known.find(|offer| matches(pattern, offer.version()));
            if found.is_none() && !is_there(pattern) {
                return Err(format!(
                    "E: Version '{pattern}' for '{name}' was not found\n"
                ));
            }
            if let Some(offer) = found.filter(|offer| offer.version() != pattern) {
                let minor = offer.source.minor().unwrap_or_default();
                changes.selected.push_str(&format!(
                    "Selected version '{}' (isv:kubernetes:core:stable:{minor}:pkgs.k8s.io \
                     [amd64]) for '{name}'\n",
                    offer.version()
                ));
            }
            found
        }
    };
    let Some(offer) = offer.filter(|offer| !is_there(offer.version())) else {
        let version = old.map(|old| old.version().to_owned()).unwrap_or_default();
        changes.newest.push((name.to_owned(), version));
        return Ok(());
    };
    // Without a version nothing is made older.
    let older = |old: &Installed| compare(offer.version(), old.version()) == Ordering::Less;
    match old {
        Some(old) if version.is_none() && older(old) => {
            let newest = (name.to_owned(), old.version().to_owned());
            changes.newest.push(newest);
        }
        old => changes.replaced.push((old.cloned(), offer.clone())),
    }
    Ok(())
}

/// Whether a version is meant by a pattern with `*`s.
fn matches(pattern: &str, version: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == version,
        Some((head, tail)) => version.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && matches(tail, &rest[at..]))
        }),
    }
}

async fn carry_out(
    io: &Io,
    changes: Changes,
    offers: &[Offer],
    installed: Vec<Installed>,
    wishes: Wishes,
) -> i32 {
    io.print(&announcement(&changes, offers, &installed)).await;
    let held = changes
        .replaced
        .iter()
        .any(|(old, _)| old.as_ref().is_some_and(Installed::is_held));
    let downgraded = !changes.names(Some(Ordering::Less)).is_empty();
    if wishes.yes && downgraded && !wishes.downgrades {
        io.eprint("E: Packages were downgraded and -y was used without --allow-downgrades.\n")
            .await;
        return FAILED;
    }
    if wishes.yes && held && !wishes.held {
        io.eprint(
            "E: Held packages were changed and -y was used without --allow-change-held-packages.\n",
        )
        .await;
        return FAILED;
    }
    if changes.replaced.is_empty() || wishes.simulate {
        return 0;
    }
    let size = |offer: &Offer| offer.package.get("Size").parse::<u64>().unwrap_or(0);
    let total: u64 = changes.replaced.iter().map(|(_, new)| size(new)).sum();
    let room: i64 = changes
        .replaced
        .iter()
        .map(|(old, new)| growth(old.as_ref(), new))
        .sum();
    let (room, word) = match room {
        room if room < 0 => (-room, "freed"),
        room => (room, "used"),
    };
    let text = format!(
        "Need to get {} of archives.\nAfter this operation, {} {word}.\n",
        amount(total),
        match word {
            "freed" => format!("{} disk space will be", amount(room.unsigned_abs() * 1024)),
            _ => format!(
                "{} of additional disk space will be",
                amount(room.unsigned_abs() * 1024)
            ),
        }
    );
    io.print(&text).await;
    if (held || downgraded) && !wishes.yes && !confirmed(io).await {
        io.print("Abort.\n").await;
        return 1;
    }
    fetch(io, &changes, total).await;
    unpack(io, &changes, installed).await;
    0
}

/// KiB more than before.
fn growth(old: Option<&Installed>, new: &Offer) -> i64 {
    let size = |text: &str| text.parse::<i64>().unwrap_or(0);
    let before = old.map_or(0, |old| size(old.0.get("Installed-Size")));
    size(new.package.get("Installed-Size")) - before
}

fn announcement(changes: &Changes, offers: &[Offer], installed: &[Installed]) -> String {
    let mut text = changes.selected.clone();
    for (name, version) in &changes.newest {
        text.push_str(&format!(
            "{name} is already the newest version ({version}).\n"
        ));
    }
    let mut list = |title: &str, names: &[&str]| {
        if !names.is_empty() {
            text.push_str(&format!("{title}\n  {}\n", names.join(" ")));
        }
    };
    let kept: Vec<&str> = changes.kept.iter().map(String::as_str).collect();
    let held: Vec<&str> = changes
        .replaced
        .iter()
        .filter(|(old, _)| old.as_ref().is_some_and(Installed::is_held))
        .map(|(_, new)| new.name())
        .collect();
    let new = changes.names(None);
    let up = changes.names(Some(Ordering::Greater));
    let down = changes.names(Some(Ordering::Less));
    list("The following NEW packages will be installed:", &new);
    list("The following packages have been kept back:", &kept);
    list("The following held packages will be changed:", &held);
    list("The following packages will be upgraded:", &up);
    list("The following packages will be DOWNGRADED:", &down);
    let rest = upgradable(installed, offers);
    let rest = rest.iter().filter(|(old, _)| {
        let done = |(was, _): &(Option<Installed>, Offer)| was.as_ref() == Some(old);
        !changes.replaced.iter().any(done)
    });
    let downgraded = match down.len() {
        0 => String::new(),
        n => format!("{n} downgraded, "),
    };
    text.push_str(&format!(
        "{} upgraded, {} newly installed, {downgraded}0 to remove and {} not upgraded.\n",
        up.len(),
        new.len(),
        rest.count()
    ));
    text
}

async fn confirmed(io: &Io) -> bool {
    let answer = answer(io, "Do you want to continue? [Y/n] ").await;
    answer.is_some_and(|answer| matches!(answer.as_str(), "" | "y" | "yes"))
}

async fn fetch(io: &Io, changes: &Changes, total: u64) {
    for (number, (_, new)) in (1..).zip(&changes.replaced) {
        io.sleep(Duration::from_millis(500)).await;
        let size = new.package.get("Size").parse().unwrap_or(0);
        let text = format!(
            "Get:{number} {}  {} {} [{}]\n",
            mirror(&new.source),
            new.name(),
            new.version(),
            amount(size)
        );
        io.print(&text).await;
    }
    let text = format!(
        "Fetched {} in 1s ({}/s)\n(Reading database ... 71382 files and directories currently \
         installed.)\n",
        amount(total),
        amount(total)
    );
    io.print(&text).await;
}

/// Replaces the files. What runs already goes on as it was until it is started again.
async fn unpack(io: &Io, changes: &Changes, mut installed: Vec<Installed>) {
    for (old, new) in &changes.replaced {
        let (name, version) = (new.name(), new.version());
        let over = match old {
            Some(old) => format!(
                "Unpacking {name} ({version}) over ({}) ...\n",
                old.version()
            ),
            None => format!(
                "Selecting previously unselected package {name}.\nUnpacking {name} ({version}) ...\n"
            ),
        };
        let text = format!("Preparing to unpack .../{name}_{version}_amd64.deb ...\n{over}");
        io.print(&text).await;
        io.sleep(Duration::from_millis(700)).await;
        if let Err(why) = put(io, name, version).await {
            io.eprint(&format!("dpkg: error processing package {name}: {why}\n"))
                .await;
            continue;
        }
        let is_held = old.as_ref().is_some_and(Installed::is_held);
        let mut now = Installed(new.package.clone());
        now.hold(is_held);
        installed.retain(|package| package.name() != name);
        installed.push(now);
    }
    database::write(io, &installed).await;
    for (_, new) in &changes.replaced {
        io.sleep(Duration::from_millis(200)).await;
        io.print(&format!(
            "Setting up {} ({}) ...\n",
            new.name(),
            new.version()
        ))
        .await;
    }
}

/// Puts the files of a package.
async fn put(io: &Io, name: &str, version: &str) -> Result<(), String> {
    if let Some(package) = distribution::find(name) {
        return distribution::unpack(io, package).await;
    }
    let program = match name {
        "kubeadm" => "kubeadm",
        "kubelet" => "kubelet",
        _ => "kubectl",
    };
    let release = format!("v{}", version.split('-').next().unwrap_or(version));
    let path = format!("/usr/bin/{program}");
    let put = io.sys(move |sys| sys.put_node(&path, Node::release(program, &release)));
    put.await.map_err(|errno| errno.message().to_owned())
}

/// `12.4 MB`, `57.3 kB`, `0 B`, as in the C locale.
fn amount(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..=9_999 => return format!("{bytes} B"),
        10_000..=9_999_999 => (1000, "kB"),
        _ => (1_000_000, "MB"),
    };
    let tenths = bytes * 10 / unit;
    match tenths {
        0..=999 => format!("{}.{} {name}", tenths / 10, tenths % 10),
        _ => format!("{} {name}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_amounts() {
        assert!(matches("1.36.2-*", "1.36.2-1.1"));
        assert!(matches("1.36.*-1.1", "1.36.2-1.1"));
        assert!(!matches("1.36.2", "1.36.2-1.1"));
        assert_eq!(
            [0, 57_300, 1_234_000, 12_400_000].map(amount),
            ["0 B", "57.3 kB", "1234 kB", "12.4 MB"]
        );
    }
}
