//! `etcdctl endpoint` and `etcdctl member`: how the members are.
//!
//! Models etcdctl/ctlv3/command/{ep_command,member_command}.go.

use std::rc::Rc;

use api::{Value, object};
use etcd::{Header, Keys, Member, MemberStatus, Range, ReplyBody, Request};
use machine::Io;

use super::client::Conf;
use super::line::{Line, Spec};
use super::report::{self, fail};

pub(super) const FLAGS: &[Spec] = &[("cluster", ' ', false), ("rev", ' ', true)];

/// `etcdctl endpoint health|status|hashkv`.
pub(super) async fn endpoint(io: &Io, line: &Line, conf: &Conf, what: &str) -> i32 {
    let mut endpoints = conf.endpoints.clone();
    if line.on("cluster") {
        match conf.ask(io, Request::MemberList).await {
            Ok(reply) => {
                if let ReplyBody::Members(members) = &reply.body {
                    endpoints = members
                        .iter()
                        .flat_map(|member| member.client_urls.clone())
                        .collect();
                }
            }
            Err(failure) => {
                let why = format!(
                    "failed to fetch endpoints from etcd cluster member list: {}",
                    failure.message()
                );
                return fail(io, 1, &why).await;
            }
        }
    }
    match what {
        "health" => health(io, line, conf, &endpoints).await,
        "status" => status(io, line, conf, &endpoints).await,
        _ if line.get("rev").is_some() => {
            let why = sim::unmodelled!("the hash of an older revision");
            fail(io, 1, &format!("--rev: {why}")).await
        }
        _ => hash(io, conf, &endpoints).await,
    }
}

/// Members are healthy if they can read a key, whichever.
async fn health(io: &Io, line: &Line, conf: &Conf, endpoints: &[Rc<str>]) -> i32 {
    let mut found = Vec::new();
    for endpoint in endpoints {
        let begun = io.now().await;
        let request = Request::Range(Range::of(Keys::One(etcd::key("health"))));
        let error = match conf.ask_one(io, endpoint, request, "client").await {
            Ok(_) => String::new(),
            Err(failure) => failure.message().to_owned(),
        };
        let took = report::duration(io.now().await.since(begun));
        found.push((endpoint.clone(), took, error));
    }
    match &*line.format(io) {
        "table" => {
            let rows = found.iter().map(|(endpoint, took, error)| {
                let healthy = error.is_empty().to_string();
                vec![endpoint.to_string(), healthy, took.clone(), error.clone()]
            });
            let rows: Vec<_> = rows.collect();
            let head = ["endpoint", "health", "took", "error"];
            io.print(&report::table(&head, &rows)).await;
        }
        "json" => {
            let all = found.iter().map(|(endpoint, took, error)| {
                let tail = match error.is_empty() {
                    true => String::new(),
                    false => format!(",\"error\":{}", report::quoted(error)),
                };
                format!(
                    "{{\"endpoint\":{},\"health\":{},\"took\":\"{took}\"{tail}}}",
                    report::quoted(endpoint),
                    error.is_empty()
                )
            });
            let all = all.collect::<Vec<_>>().join(",");
            io.print(&format!("[{all}]\n")).await;
        }
        _ => {
            for (endpoint, took, error) in &found {
                if error.is_empty() {
                    io.print(&format!(
                        "{endpoint} is healthy: successfully committed proposal: took = {took}\n"
                    ))
                    .await;
                } else {
                    io.eprint(&format!(
                        "{endpoint} is unhealthy: failed to commit proposal: {error}\n"
                    ))
                    .await;
                }
            }
        }
    }
    if found.iter().any(|(_, _, error)| !error.is_empty()) {
        return fail(io, 1, "unhealthy cluster").await;
    }
    0
}

const STATUS: [&str; 16] = [
    "endpoint",
    "ID",
    "version",
    "storage version",
    "db size",
    "in use",
    "percentage not in use",
    "quota",
    "is leader",
    "is learner",
    "raft term",
    "raft index",
    "raft applied index",
    "errors",
    "downgrade target version",
    "downgrade enabled",
];

async fn status(io: &Io, line: &Line, conf: &Conf, endpoints: &[Rc<str>]) -> i32 {
    let (mut found, mut code) = (Vec::new(), 0);
    for endpoint in endpoints {
        match conf
            .ask_one(io, endpoint, Request::Status, "etcd-client")
            .await
        {
            Ok(reply) => {
                if let ReplyBody::Status(status) = &reply.body {
                    found.push((endpoint.clone(), reply.header, status.clone()));
                }
            }
            Err(failure) => {
                code = 1;
                io.eprint(&format!(
                    "Failed to get the status of endpoint {endpoint} ({})\n",
                    failure.message()
                ))
                .await;
            }
        }
    }
    let rows = || -> Vec<Vec<String>> {
        let row = |(endpoint, header, status): &(Rc<str>, Header, MemberStatus)| {
            status_row(endpoint, header, status)
        };
        found.iter().map(row).collect()
    };
    let text = match &*line.format(io) {
        "table" => report::table(&STATUS, &rows()),
        "json" => {
            let all = found.iter().map(|(endpoint, header, status)| {
                format!(
                    "{{\"Endpoint\":{},\"Status\":{}}}",
                    report::quoted(endpoint),
                    status_json(header, status)
                )
            });
            format!("[{}]\n", all.collect::<Vec<_>>().join(","))
        }
        _ => rows().iter().map(|row| row.join(", ") + "\n").collect(),
    };
    io.print(&text).await;
    code
}

fn status_row(endpoint: &str, header: &Header, status: &MemberStatus) -> Vec<String> {
    let unused = status.db_size.saturating_sub(status.db_size_in_use);
    vec![
        endpoint.to_owned(),
        format!("{:x}", header.member_id),
        status.version.to_string(),
        storage_version(),
        report::size(status.db_size),
        report::size(status.db_size_in_use),
        format!("{}%", unused * 100 / status.db_size.max(1)),
        report::size(status.quota),
        (status.leader == header.member_id).to_string(),
        status.is_learner.to_string(),
        status.raft_term.to_string(),
        status.raft_index.to_string(),
        status.raft_applied_index.to_string(),
        status.errors.join(", "),
        String::new(),
        "false".to_owned(),
    ]
}

/// The version that wrote the database's layout: the minor version's first.
pub(crate) fn storage_version() -> String {
    format!("{}.0", super::pages::minor())
}

/// The header as Go writes it.
pub(super) fn header_json(header: &Header) -> String {
    format!(
        "{{\"cluster_id\":{},\"member_id\":{},\"revision\":{},\"raft_term\":{}}}",
        header.cluster_id, header.member_id, header.revision, header.raft_term
    )
}

fn status_json(header: &Header, status: &MemberStatus) -> String {
    format!(
        "{{\"header\":{},\"version\":\"{}\",\"dbSize\":{},\"leader\":{},\"raftIndex\":{},\
         \"raftTerm\":{},\"raftAppliedIndex\":{},\"dbSizeInUse\":{},\"storageVersion\":\"{}\",\
         \"dbSizeQuota\":{},\"downgradeInfo\":{{}}}}",
        header_json(header),
        status.version,
        status.db_size,
        status.leader,
        status.raft_index,
        status.raft_term,
        status.raft_applied_index,
        status.db_size_in_use,
        storage_version(),
        status.quota
    )
}

async fn hash(io: &Io, conf: &Conf, endpoints: &[Rc<str>]) -> i32 {
    for endpoint in endpoints {
        match conf
            .ask_one(io, endpoint, Request::HashKv(0), "etcd-client")
            .await
        {
            Ok(reply) => {
                if let ReplyBody::Hash { hash, .. } = &reply.body {
                    let revision = reply.header.revision;
                    io.print(&format!("{endpoint}, {hash}, {revision}\n")).await;
                }
            }
            Err(failure) => {
                let why = failure.message();
                io.eprint(&format!(
                    "Failed to get the hash of endpoint {endpoint} ({why})\n"
                ))
                .await;
                return fail(io, 1, why).await;
            }
        }
    }
    0
}

/// `etcdctl member list`.
pub(super) async fn members(io: &Io, line: &Line, conf: &Conf) -> i32 {
    let reply = match conf.ask(io, Request::MemberList).await {
        Ok(reply) => reply,
        Err(failure) => return fail(io, 1, failure.message()).await,
    };
    let ReplyBody::Members(members) = &reply.body else {
        return fail(io, 1, "not a list of members").await;
    };
    let head = [
        "ID",
        "status",
        "name",
        "peer addrs",
        "client addrs",
        "is learner",
    ];
    let rows: Vec<Vec<String>> = members.iter().map(member_row).collect();
    let text = match &*line.format(io) {
        "table" => report::table(&head, &rows),
        "json" => {
            let all = members
                .iter()
                .map(member_json)
                .collect::<Vec<_>>()
                .join(",");
            let header = header_json(&reply.header);
            format!("{{\"header\":{header},\"members\":[{all}]}}\n")
        }
        _ => rows.iter().map(|row| row.join(", ") + "\n").collect(),
    };
    io.print(&text).await;
    0
}

fn member_row(member: &Member) -> Vec<String> {
    let status = match member.name.is_empty() {
        true => "unstarted",
        false => "started",
    };
    vec![
        format!("{:x}", member.id),
        status.to_owned(),
        member.name.to_string(),
        member.peer_urls.join(","),
        member.client_urls.join(","),
        member.is_learner.to_string(),
    ]
}

fn member_json(member: &Member) -> String {
    let list =
        |urls: &[Rc<str>]| -> Vec<Value> { urls.iter().map(|url| Value::from(&**url)).collect() };
    let rest = object!({
        "clientURLs": (list(&member.client_urls)),
        "name": (&*member.name),
        "peerURLs": (list(&member.peer_urls)),
    });
    // The number is too large for a signed one, and stands first.
    format!("{{\"ID\":{},{}", member.id, &rest.to_json()[1..])
}
