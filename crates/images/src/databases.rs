//! Databases: what their entry points ask for before a server starts, where it listens, and the
//! tools by which probes find it. What a database keeps, and the language it is asked in, is not
//! modelled.

use std::net::{Ipv4Addr, SocketAddrV4};

use machine::fs::{Node, Tree};
use machine::{Io, Sys, tool};
use net::http::Request;
use sim::Duration;

use crate::definition::{Definition, Tags, Versions};
use crate::site::{self, Answer, Site, say};
use crate::userland::{Userland, put};

/// `docker.io/library/mysql`
pub(crate) static MYSQL: Definition = Definition {
    repository: "docker.io/library/mysql",
    tags: Tags {
        words: &["latest", "lts", "innovation", "8", "9"],
        versions: &[
            Versions::of(5, 5..=7),
            Versions::of(8, 0..=4),
            Versions::of(9, 0..=5),
        ],
        suffixes: &["oracle", "debian", "oraclelinux9"],
    },
    userland: Userland::Debian,
    layers: &[("mysql {tag}", 246_000_000)],
    entrypoint: &["docker-entrypoint.sh"],
    cmd: &["mysqld"],
    env: &[("MYSQL_VERSION", "{tag}"), ("MYSQL_MAJOR", "{tag}")],
    ports: &[3306],
    files: |tree, _| {
        clients(
            tree,
            "/usr/local/bin/docker-entrypoint.sh",
            "mysql (entry point)",
        );
        clients(tree, "/usr/bin/mysql", "mysql (client)");
        clients(tree, "/usr/bin/mysqladmin", "mysqladmin");
        put(tree, "/var/lib/mysql", Node::dir(0o755));
    },
    programs: &[
        ("mysql (entry point)", || site::program(&Database::Mysql)),
        ("mysql (client)", || tool(|io| Box::pin(client(io)))),
        ("mysqladmin", || tool(|io| Box::pin(mysqladmin(io)))),
    ],
    ..Definition::PLAIN
};

/// `docker.io/library/mariadb`
pub(crate) static MARIADB: Definition = Definition {
    repository: "docker.io/library/mariadb",
    tags: Tags {
        words: &["latest", "lts", "10", "11", "12"],
        versions: &[
            Versions::of(10, 2..=11),
            Versions::of(11, 0..=8),
            Versions::of(12, 0..=1),
        ],
        suffixes: &["jammy", "noble", "focal", "ubi"],
    },
    userland: Userland::Debian,
    layers: &[("mariadb {tag}", 122_000_000)],
    entrypoint: &["docker-entrypoint.sh"],
    cmd: &["mariadbd"],
    env: &[("MARIADB_VERSION", "{tag}")],
    ports: &[3306],
    files: |tree, _| {
        clients(
            tree,
            "/usr/local/bin/docker-entrypoint.sh",
            "mariadb (entry point)",
        );
        for name in ["mysql", "mariadb"] {
            clients(tree, &format!("/usr/bin/{name}"), "mysql (client)");
        }
        for name in ["mysqladmin", "mariadb-admin"] {
            clients(tree, &format!("/usr/bin/{name}"), "mysqladmin");
        }
        put(tree, "/var/lib/mysql", Node::dir(0o755));
    },
    programs: &[("mariadb (entry point)", || {
        site::program(&Database::Mariadb)
    })],
    ..Definition::PLAIN
};

/// `docker.io/library/postgres`
pub(crate) static POSTGRES: Definition = Definition {
    repository: "docker.io/library/postgres",
    tags: Tags {
        words: &[
            "latest",
            "alpine",
            "9",
            "10",
            "11",
            "12",
            "13",
            "14",
            "15",
            "16",
            "17",
            "18",
            "10-alpine",
            "11-alpine",
            "12-alpine",
            "13-alpine",
            "14-alpine",
            "15-alpine",
            "16-alpine",
            "17-alpine",
            "18-alpine",
        ],
        versions: &[
            Versions::of(9, 4..=6),
            Versions::of(10, 0..=23),
            Versions::of(11, 0..=22),
            Versions::of(12, 0..=22),
            Versions::of(13, 0..=23),
            Versions::of(14, 0..=20),
            Versions::of(15, 0..=15),
            Versions::of(16, 0..=11),
            Versions::of(17, 0..=7),
            Versions::of(18, 0..=1),
        ],
        suffixes: &["alpine", "bookworm", "trixie", "bullseye"],
    },
    userland: Userland::Debian,
    layers: &[("postgres {tag}", 131_000_000)],
    entrypoint: &["docker-entrypoint.sh"],
    cmd: &["postgres"],
    env: &[
        ("PGDATA", "/var/lib/postgresql/data"),
        ("PG_VERSION", "{tag}"),
    ],
    ports: &[5432],
    files: |tree, _| {
        clients(
            tree,
            "/usr/local/bin/docker-entrypoint.sh",
            "postgres (entry point)",
        );
        clients(tree, "/usr/bin/psql", "psql");
        clients(tree, "/usr/bin/pg_isready", "pg_isready");
        put(tree, "/var/lib/postgresql/data", Node::dir(0o700));
    },
    programs: &[
        ("postgres (entry point)", || {
            site::program(&Database::Postgres)
        }),
        ("psql", || tool(|io| Box::pin(client(io)))),
        ("pg_isready", || tool(|io| Box::pin(pg_isready(io)))),
    ],
    ..Definition::PLAIN
};

fn clients(tree: &mut Tree, path: &str, program: &'static str) {
    put(tree, path, Node::binary(program));
}

/// Which server it is.
#[derive(Clone, Copy, Debug)]
enum Database {
    Mysql,
    Mariadb,
    Postgres,
}

impl Database {
    fn port(self) -> u16 {
        match self {
            Database::Mysql | Database::Mariadb => 3306,
            Database::Postgres => 5432,
        }
    }

    /// What is missing before it can start.
    fn refusal(self, sys: &Sys<'_>) -> Option<String> {
        let env = sys.env();
        let any = |prefixes: &[&str], names: &[&str]| {
            let mut all = prefixes
                .iter()
                .flat_map(|prefix| names.iter().map(move |name| format!("{prefix}_{name}")));
            all.any(|name| env.get(&*name).is_some_and(|value| !value.is_empty()))
        };
        let root = [
            "ROOT_PASSWORD",
            "ALLOW_EMPTY_PASSWORD",
            "RANDOM_ROOT_PASSWORD",
        ];
        let stamp = stamp(sys);
        match self {
            Database::Mysql if !any(&["MYSQL"], &root) => Some(format!(
                "{stamp} [ERROR] [Entrypoint]: Database is uninitialized and password option is \
                 not specified\n    You need to specify one of the following as an environment \
                 variable:\n    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - \
                 MYSQL_RANDOM_ROOT_PASSWORD\n"
            )),
            Database::Mariadb
                if !any(&["MARIADB", "MYSQL"], &root)
                    && !any(
                        &["MARIADB"],
                        &["ALLOW_EMPTY_ROOT_PASSWORD", "ROOT_PASSWORD_HASH"],
                    ) =>
            {
                Some(format!(
                    "{stamp} [ERROR] [Entrypoint]: Database is uninitialized and password option \
                     is not specified\n\tYou need to specify one of MARIADB_ROOT_PASSWORD, \
                     MARIADB_ROOT_PASSWORD_HASH, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and \
                     MARIADB_RANDOM_ROOT_PASSWORD\n"
                ))
            }
            Database::Postgres
                if !any(&["POSTGRES"], &["PASSWORD", "PASSWORD_FILE"])
                    && env
                        .get("POSTGRES_HOST_AUTH_METHOD")
                        .is_none_or(|way| &**way != "trust") =>
            {
                Some(UNPROTECTED.to_owned())
            }
            _ => None,
        }
    }
}

/// What the entry point of postgres says without a password.
const UNPROTECTED: &str =
    "Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, \"-e POSTGRES_PASSWORD=password\" on \"docker run\".

       You may also use \"POSTGRES_HOST_AUTH_METHOD=trust\" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about \"trust\":
       https://www.postgresql.org/docs/current/auth-trust.html
";

/// Now, as `date --rfc-3339=seconds` has it.
fn stamp(sys: &Sys<'_>) -> String {
    sys.now().rfc3339().replace('T', " ").replace('Z', "+00:00")
}

impl Site for Database {
    fn ports(&self, sys: &mut Sys<'_>) -> Result<Vec<u16>, String> {
        let stamp = stamp(sys);
        let named = match self {
            Database::Mysql => "MySQL",
            _ => "MariaDB",
        };
        if !matches!(self, Database::Postgres) {
            let text = format!(
                "{stamp} [Note] [Entrypoint]: Entrypoint script for {named} Server started.\n"
            );
            say(sys, &text);
        }
        match self.refusal(sys) {
            Some(why) => Err(why),
            None => Ok(vec![self.port()]),
        }
    }

    fn greeting(&self, port: u16) -> Option<String> {
        Some(match self {
            Database::Postgres => format!(
                "LOG:  listening on IPv4 address \"0.0.0.0\", port {port}\n\
                 LOG:  database system is ready to accept connections\n"
            ),
            _ => format!(
                "[Note] mysqld: ready for connections. socket: \
                 '/var/run/mysqld/mysqld.sock'  port: {port}\n"
            ),
        })
    }

    fn answer(&self, _sys: &mut Sys<'_>, _client: SocketAddrV4, _request: &Request) -> Answer {
        let what = sim::unmodelled!("the languages of databases");
        Answer::status(501, format!("{what}\n"))
    }
}

/// `mysql`, `psql`: nobody here understands them.
async fn client(io: Io) -> i32 {
    let name = io.args().first().cloned().unwrap_or_default();
    let what = sim::unmodelled!("the languages of databases");
    io.eprint(&format!("{name}: {what}\n")).await;
    1
}

/// Whether a server listens on the host and port that the options name.
async fn listens(io: &Io, port: u16) -> (bool, u16) {
    let words = io.args().to_vec();
    let option = |short: &str, long: &str| {
        let at = words
            .iter()
            .position(|word| &**word == short || &**word == long);
        at.and_then(|at| words.get(at + 1)).cloned()
    };
    let port = option("-p", "--port")
        .and_then(|text| text.parse().ok())
        .unwrap_or(port);
    let host = option("-h", "--host").unwrap_or_else(|| "127.0.0.1".into());
    let addr = commands::address(io, &host)
        .await
        .unwrap_or(Ipv4Addr::LOCALHOST);
    let limit = Some(Duration::from_secs(3));
    match io.connect(SocketAddrV4::new(addr, port), limit).await {
        Ok(fd) => {
            io.close(fd).await;
            (true, port)
        }
        Err(_) => (false, port),
    }
}

/// `pg_isready`. Models src/bin/scripts/pg_isready.c.
async fn pg_isready(io: Io) -> i32 {
    let (up, port) = listens(&io, 5432).await;
    let (said, code) = match up {
        true => ("accepting connections", 0),
        false => ("no response", 2),
    };
    io.print(&format!("/var/run/postgresql:{port} - {said}\n"))
        .await;
    code
}

/// `mysqladmin ping`.
async fn mysqladmin(io: Io) -> i32 {
    if !io.args().iter().any(|word| &**word == "ping") {
        return client(io).await;
    }
    // Its `-p` is the password.
    let addr = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 3306);
    match io.connect(addr, Some(Duration::from_secs(3))).await {
        Ok(fd) => {
            io.close(fd).await;
            io.print("mysqld is alive\n").await;
            0
        }
        Err(_) => {
            io.eprint(
                "mysqladmin: connect to server at 'localhost' failed\nerror: 'Can't connect to \
                 local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)'\nCheck that \
                 mysqld is running and that the socket: '/var/run/mysqld/mysqld.sock' exists!\n",
            )
            .await;
            1
        }
    }
}
