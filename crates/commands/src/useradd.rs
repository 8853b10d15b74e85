//! `useradd`: makes a user. Models shadow-utils src/useradd.c.

use machine::{Errno, Io, Sys};

use crate::accounts::{self, Account};
use crate::args::{self, Args, flag, value};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "useradd",
    "Create a new user",
    "useradd [options] LOGIN",
    main,
    [
        (
            "useradd -m -s /bin/bash jane; tail -1 /etc/passwd; ls -d /home/jane",
            "jane:x:1000:1000::/home/jane:/bin/bash\n/home/jane\n"
        ),
        (
            "useradd jane; useradd jane; echo $?",
            "useradd: user 'jane' already exists\n9\n"
        ),
        (
            "useradd -G nope jane",
            "useradd: group 'nope' does not exist\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('c', "comment"),
    value('d', "home-dir"),
    value('e', "expiredate"),
    value('g', "gid"),
    value('G', "groups"),
    flag('m', "create-home"),
    flag('M', "no-create-home"),
    flag('N', "no-user-group"),
    flag('r', "system"),
    value('p', "password"),
    value('s', "shell"),
    value('u', "uid"),
    flag('U', "user-group"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let [name] = &args.operands[..] else {
        io.eprint("Usage: useradd [options] LOGIN\n").await;
        return 2;
    };
    let name = name.to_string();
    match io.sys(move |sys| add(sys, &name, &args)).await {
        Ok(()) => 0,
        Err((why, code)) => {
            complain(&io, &why).await;
            code
        }
    }
}

fn locked(errno: Errno) -> (String, i32) {
    let why = errno.message();
    (
        format!("{why}.\nuseradd: cannot lock /etc/passwd; try again later."),
        1,
    )
}

fn add(sys: &mut Sys<'_>, name: &str, args: &Args) -> Result<(), (String, i32)> {
    if sys.uid() != 0 {
        return Err(locked(Errno::EACCES));
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return Err((
            format!("invalid user name '{name}': use --badname to ignore"),
            3,
        ));
    }
    if accounts::find(sys, name).is_some() {
        return Err((format!("user '{name}' already exists"), 9));
    }
    let id = accounts::free(sys, args.has('r'));
    let uid = match args.value('u') {
        None => id,
        Some(text) => text
            .parse()
            .map_err(|_| (format!("invalid user ID '{text}'"), 3))?,
    };
    let own_group = args.value('g').is_none() && !args.has('N');
    let gid = match args.value('g') {
        Some(group) => accounts::group(sys, group)
            .ok_or_else(|| (format!("group '{group}' does not exist"), 6))?,
        None if args.has('N') => 100,
        None if accounts::group(sys, name).is_some() => {
            let why = format!(
                "group {name} exists - if you want to add this user to that group, use -g."
            );
            return Err((why, 9));
        }
        None => uid,
    };
    let text = |letter| args.value(letter).map(|text| text.to_string());
    let account = Account {
        name: name.to_owned(),
        uid,
        gid,
        comment: text('c').unwrap_or_default(),
        home: text('d').unwrap_or_else(|| format!("/home/{name}")),
        shell: text('s').unwrap_or_else(|| "/bin/sh".to_owned()),
    };
    if let Some(groups) = args.value('G') {
        let joined = accounts::join(sys, name, groups, true);
        joined
            .map_err(|group| (format!("group '{group}' does not exist"), 6))?
            .map_err(locked)?;
    }
    if own_group {
        accounts::add_group(sys, name, gid).map_err(locked)?;
    }
    accounts::set(sys, &account, name).map_err(locked)?;
    if let Some(secret) = args.value('p') {
        accounts::set_password(sys, name, secret).map_err(locked)?;
    }
    if args.has('m') && !args.has('M') {
        make_home(sys, &account).map_err(locked)?;
    }
    Ok(())
}

/// The home directory of a user, his own.
pub(crate) fn make_home(sys: &mut Sys<'_>, account: &Account) -> Result<(), Errno> {
    let Account { home, uid, gid, .. } = account;
    if sys.exists(home) {
        return Ok(());
    }
    sys.mkdir_all(home)?;
    sys.chmod(home, 0o750)?;
    sys.chown(home, *uid, *gid)
}
