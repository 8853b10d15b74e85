//! `getent`: asks the name service. Models glibc's nss/getent.c for hosts, users and groups.

use machine::Io;

use crate::help::tool;
use crate::resolve;

tool!(
    "getent",
    "Get entries from the name service",
    "getent hosts|ahosts|ahostsv4|passwd|group [KEY...]",
    main,
    [
        (
            "mkdir -p /etc; echo '127.0.0.9 me' >/etc/hosts; getent hosts 127.0.0.9",
            "127.0.0.9       me\n"
        ),
        ("getent hosts nosuch; echo $?", "2\n"),
    ]
);

async fn main(io: Io) -> i32 {
    let words = io.args().to_vec();
    let Some(database) = words.get(1).map(|word| &**word) else {
        io.eprint("getent: wrong number of arguments\n").await;
        return 1;
    };
    let keys = &words[2..];
    match database {
        "passwd" | "group" => entries(&io, &format!("/etc/{database}"), keys).await,
        "hosts" if keys.is_empty() => entries(&io, "/etc/hosts", &[]).await,
        "hosts" | "ahosts" | "ahostsv4" => {
            let mut status = 0;
            for key in keys {
                status |= host(&io, key, database != "hosts").await;
            }
            status
        }
        other => {
            io.eprint(&format!("Unknown database: {other}\n")).await;
            1
        }
    }
}

/// Lines of a file, by name or number.
async fn entries(io: &Io, path: &str, keys: &[std::rc::Rc<str>]) -> i32 {
    let text = io.read_to_string(path).await.unwrap_or_default();
    let mut status = 0;
    if keys.is_empty() {
        io.print(&text).await;
    }
    for key in keys {
        let found = text.lines().find(|line| {
            let mut fields = line.split(':');
            fields.next() == Some(key) || fields.nth(1) == Some(key)
        });
        match found {
            Some(line) => io.print(&format!("{line}\n")).await,
            None => status = 2,
        }
    }
    status
}

async fn host(io: &Io, key: &str, every: bool) -> i32 {
    if let (Ok(addr), false) = (key.parse(), every) {
        let Some(name) = resolve::name_of(io, addr).await else {
            return 2;
        };
        io.print(&format!("{key:<15} {name}\n")).await;
        return 0;
    }
    let Ok(found) = resolve::names(io, key).await else {
        return 2;
    };
    for (at, addr) in found.iter().enumerate() {
        let addr = addr.to_string();
        let text = match every {
            false => format!("{addr:<15} {key}\n"),
            true => {
                let name = if at == 0 { key } else { "" };
                format!("{addr:<15} STREAM {name}\n{addr:<15} DGRAM  \n{addr:<15} RAW    \n")
            }
        };
        io.print(&text).await;
    }
    0
}
