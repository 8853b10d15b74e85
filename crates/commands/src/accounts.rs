//! Users and groups of a machine: the files that hold them, and changes to them.
//! Models shadow-utils' lib/{pwio,groupio,shadowio}.c.

use machine::{Errno, Sys};

/// A line of `/etc/passwd`.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Login name.
    pub(crate) name: String,
    /// Its number.
    pub(crate) uid: u32,
    /// The number of its group.
    pub(crate) gid: u32,
    /// What `-c` says.
    pub(crate) comment: String,
    /// Home directory.
    pub(crate) home: String,
    /// Login shell.
    pub(crate) shell: String,
}

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
const SHADOW: &str = "/etc/shadow";
/// The first number of ordinary users and groups.
const FIRST: u32 = 1000;
/// The first number of those of the system.
const FIRST_OF_SYSTEM: u32 = 100;

fn lines(sys: &mut Sys<'_>, path: &str) -> Vec<Vec<String>> {
    let text = sys.read_to_string(path).unwrap_or_default();
    let fields = |line: &str| line.split(':').map(str::to_owned).collect();
    text.lines()
        .filter(|line| !line.is_empty())
        .map(fields)
        .collect()
}

fn put(sys: &mut Sys<'_>, path: &str, lines: &[Vec<String>]) -> Result<(), Errno> {
    let text: String = lines.iter().map(|line| line.join(":") + "\n").collect();
    sys.write_file(path, text.as_bytes())
}

/// The account of a name.
pub(crate) fn find(sys: &mut Sys<'_>, name: &str) -> Option<Account> {
    let fields = lines(sys, PASSWD)
        .into_iter()
        .find(|line| line[0] == name)?;
    let field = |at: usize| fields.get(at).cloned().unwrap_or_default();
    Some(Account {
        name: field(0),
        uid: field(2).parse().ok()?,
        gid: field(3).parse().ok()?,
        comment: field(4),
        home: field(5),
        shell: field(6),
    })
}

/// The number of a group, by its name or number.
pub(crate) fn group(sys: &mut Sys<'_>, name: &str) -> Option<u32> {
    let found = lines(sys, GROUP);
    let mut found = found.iter();
    let line = found.find(|line| line[0] == name || line.get(2).is_some_and(|id| id == name))?;
    line.get(2)?.parse().ok()
}

/// The lowest number that is free for a user or a group.
pub(crate) fn free(sys: &mut Sys<'_>, system: bool) -> u32 {
    let mut taken: Vec<u32> = Vec::new();
    for path in [PASSWD, GROUP] {
        let found = lines(sys, path);
        taken.extend(
            found
                .iter()
                .filter_map(|line| line.get(2)?.parse::<u32>().ok()),
        );
    }
    let first = if system { FIRST_OF_SYSTEM } else { FIRST };
    (first..).find(|id| !taken.contains(id)).unwrap_or(first)
}

/// Puts an account, in the place of one of that name.
pub(crate) fn set(sys: &mut Sys<'_>, account: &Account, old: &str) -> Result<(), Errno> {
    let Account {
        name,
        uid,
        gid,
        comment,
        home,
        shell,
    } = account;
    let line: Vec<String> = [
        name,
        "x",
        &uid.to_string(),
        &gid.to_string(),
        comment,
        home,
        shell,
    ]
    .map(str::to_owned)
    .to_vec();
    let mut all = lines(sys, PASSWD);
    match all.iter_mut().find(|own| own[0] == old) {
        Some(own) => *own = line,
        None => all.push(line),
    }
    put(sys, PASSWD, &all)?;
    let mut shadow = lines(sys, SHADOW);
    match shadow.iter_mut().find(|own| own[0] == old) {
        Some(own) => own[0].clone_from(name),
        None => {
            let fields = [name, "!", "20458", "0", "99999", "7", "", "", ""];
            shadow.push(fields.map(str::to_owned).to_vec());
        }
    }
    put(sys, SHADOW, &shadow)
}

/// Sets the field of `/etc/shadow` that stands for a password.
pub(crate) fn set_password(sys: &mut Sys<'_>, name: &str, secret: &str) -> Result<(), Errno> {
    let mut shadow = lines(sys, SHADOW);
    if let Some(own) = shadow.iter_mut().find(|own| own[0] == name)
        && let Some(field) = own.get_mut(1)
    {
        secret.clone_into(field);
    }
    put(sys, SHADOW, &shadow)
}

/// Takes an account away, and the group that has its name.
pub(crate) fn remove(sys: &mut Sys<'_>, name: &str) -> Result<(), Errno> {
    for path in [PASSWD, SHADOW, GROUP] {
        let mut all = lines(sys, path);
        all.retain(|line| line[0] != name);
        for line in all.iter_mut().filter(|_| path == GROUP) {
            if let Some(members) = line.get_mut(3) {
                let kept: Vec<&str> = members.split(',').filter(|own| *own != name).collect();
                *members = kept.join(",");
            }
        }
        put(sys, path, &all)?;
    }
    Ok(())
}

/// Adds a group.
pub(crate) fn add_group(sys: &mut Sys<'_>, name: &str, gid: u32) -> Result<(), Errno> {
    let mut all = lines(sys, GROUP);
    all.push(
        [name, "x", &gid.to_string(), ""]
            .map(str::to_owned)
            .to_vec(),
    );
    put(sys, GROUP, &all)
}

/// Makes a user a member of groups; of no others but those, unless he keeps what he has. The error is
/// a group that is none.
pub(crate) fn join(
    sys: &mut Sys<'_>,
    name: &str,
    groups: &str,
    keeps: bool,
) -> Result<Result<(), Errno>, String> {
    let wanted: Vec<&str> = groups.split(',').filter(|name| !name.is_empty()).collect();
    let mut all = lines(sys, GROUP);
    for group in &wanted {
        if !all.iter().any(|line| line[0] == *group) {
            return Err((*group).to_owned());
        }
    }
    for line in &mut all {
        let is_wanted = wanted.contains(&&*line[0]);
        line.resize(4, String::new());
        let mut members: Vec<&str> = line[3].split(',').filter(|own| !own.is_empty()).collect();
        match (is_wanted, members.contains(&name)) {
            (true, false) => members.push(name),
            (false, true) if !keeps => members.retain(|own| *own != name),
            _ => {}
        }
        line[3] = members.join(",");
    }
    Ok(put(sys, GROUP, &all))
}

/// The groups a user is in beside his own: names and numbers.
pub(crate) fn groups_of(sys: &mut Sys<'_>, name: &str) -> Vec<(String, u32)> {
    let found = lines(sys, GROUP);
    let is_member = |line: &&Vec<String>| {
        let members = line.get(3).map_or("", String::as_str);
        members.split(',').any(|own| own == name)
    };
    let pair = |line: &Vec<String>| Some((line[0].clone(), line.get(2)?.parse().ok()?));
    found.iter().filter(is_member).filter_map(pair).collect()
}
