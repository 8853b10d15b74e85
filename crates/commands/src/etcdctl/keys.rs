//! `etcdctl get`, `put`, `del`, `watch`, and what keeps the key space in order.
//!
//! Models etcdctl/ctlv3/command/{get,put,del,watch,compaction,defrag,alarm}_command.go.

use std::rc::Rc;

use api::base64;
use etcd::{
    DeleteRange, EventKind, KeyValue, Keys, Put, Range, RangeReply, Reply, ReplyBody, Request,
    SortOrder, Watch, WatchRequest, WatchResponse,
};
use machine::{Fd, Io};
use net::http::{Body, Frame, Message, Method, Request as HttpRequest};

use super::client::Conf;
use super::endpoint::header_json;
use super::line::{Line, Spec};
use super::report::{self, fail};

pub(super) const FLAGS: &[Spec] = &[
    ("consistency", ' ', true),
    ("count-only", ' ', false),
    ("from-key", ' ', false),
    ("ignore-lease", ' ', false),
    ("ignore-value", ' ', false),
    ("keys-only", ' ', false),
    ("lease", ' ', true),
    ("limit", ' ', true),
    ("order", ' ', true),
    ("physical", ' ', false),
    ("prefix", ' ', false),
    ("prev-kv", ' ', false),
    ("print-value-only", ' ', false),
    ("rev", ' ', true),
    ("sort-by", ' ', true),
];

/// The keys a command means.
fn keys(line: &Line, words: &[Rc<str>]) -> Result<Keys, String> {
    let first = words[0].as_bytes();
    if line.on("prefix") && line.on("from-key") {
        return Err(
            "`--prefix` and `--from-key` cannot be set at the same time, choose one".into(),
        );
    }
    let ranged = line.on("prefix") || line.on("from-key");
    Ok(match words.get(1) {
        Some(_) if ranged => {
            return Err(
                "too many arguments, only accept one argument when `--prefix` or \
                        `--from-key` is set"
                    .into(),
            );
        }
        Some(end) => Keys::from_wire(first.into(), Some(end.as_bytes().into())),
        None if line.on("prefix") => Keys::prefix(first),
        None if line.on("from-key") => Keys::From(first.into()),
        None => Keys::One(first.into()),
    })
}

/// `etcdctl get KEY [END]`.
pub(super) async fn get(io: &Io, line: &Line, conf: &Conf, words: &[Rc<str>]) -> i32 {
    if words.is_empty() || words.len() > 2 {
        let why = "get command needs one argument as key and an optional argument as range_end";
        return fail(io, 128, why).await;
    }
    let format = line.format(io);
    if line.on("count-only") && &*format != "fields" {
        return fail(io, 128, "--count-only is only for `--write-out=fields`").await;
    }
    let range = match range(line, words) {
        Ok(range) => range,
        Err(why) => return fail(io, 128, &why).await,
    };
    let reply = match conf.ask(io, Request::Range(range)).await {
        Ok(reply) => reply,
        Err(failure) => return fail(io, 1, failure.message()).await,
    };
    let ReplyBody::Range(found) = &reply.body else {
        return fail(io, 1, "not a range").await;
    };
    match &*format {
        "json" => io.print(&range_json(&reply, found)).await,
        "fields" => io.print(&range_fields(&reply, found)).await,
        "table" => return fail(io, 4, "table is not supported as output format").await,
        _ => {
            let mut out = Vec::new();
            for kv in &found.kvs {
                if !line.on("print-value-only") {
                    out.extend_from_slice(&kv.key);
                    out.push(b'\n');
                }
                out.extend(kv.value.bytes());
                out.push(b'\n');
            }
            io.write_all(Fd::STDOUT, &out).await;
        }
    }
    0
}

fn range(line: &Line, words: &[Rc<str>]) -> Result<Range, String> {
    let mut range = Range::of(keys(line, words)?);
    range.limit = usize::try_from(line.number("limit")?).unwrap_or(0);
    range.revision = line.number("rev")?.cast_signed();
    (range.keys_only, range.count_only) = (line.on("keys-only"), line.on("count-only"));
    let (order, by) = (line.get("order"), line.get("sort-by"));
    let descending = order.is_some_and(|order| order.eq_ignore_ascii_case("descend"));
    range.sort = match by.as_deref().map(str::to_uppercase).as_deref() {
        None | Some("KEY") if descending => SortOrder::KeyDescending,
        None | Some("KEY") => SortOrder::Key,
        Some("CREATE") if !descending => SortOrder::CreateRevision,
        Some("MODIFY") if !descending => SortOrder::ModRevision,
        Some(other) => {
            return Err(format!(
                "--sort-by={other}: {}",
                sim::unmodelled!("this order")
            ));
        }
    };
    Ok(range)
}

fn pair_json(kv: &KeyValue) -> String {
    let mut text = format!(
        "{{\"key\":\"{}\",\"create_revision\":{},\"mod_revision\":{},\"version\":{}",
        base64::encode(&kv.key),
        kv.create_revision,
        kv.mod_revision,
        kv.version
    );
    let value = kv.value.bytes();
    if !value.is_empty() {
        text.push_str(&format!(",\"value\":\"{}\"", base64::encode(&value)));
    }
    if kv.lease != 0 {
        text.push_str(&format!(",\"lease\":{}", kv.lease));
    }
    text + "}"
}

fn range_json(reply: &Reply, found: &RangeReply) -> String {
    let mut text = format!("{{\"header\":{}", header_json(&reply.header));
    if !found.kvs.is_empty() {
        let pairs: Vec<String> = found.kvs.iter().map(|kv| pair_json(kv)).collect();
        text.push_str(&format!(",\"kvs\":[{}]", pairs.join(",")));
    }
    if found.more {
        text.push_str(",\"more\":true");
    }
    if found.count > 0 {
        text.push_str(&format!(",\"count\":{}", found.count));
    }
    text + "}\n"
}

fn range_fields(reply: &Reply, found: &RangeReply) -> String {
    let header = &reply.header;
    let mut text = format!(
        "\"ClusterID\" : {}\n\"MemberID\" : {}\n\"Revision\" : {}\n\"RaftTerm\" : {}\n",
        header.cluster_id, header.member_id, header.revision, header.raft_term
    );
    for kv in &found.kvs {
        text.push_str(&format!(
            "\"Key\" : {}\n\"CreateRevision\" : {}\n\"ModRevision\" : {}\n\"Version\" : {}\n\
             \"Value\" : {}\n\"Lease\" : {}\n",
            report::quoted(kv.key_text()),
            kv.create_revision,
            kv.mod_revision,
            kv.version,
            report::quoted(&String::from_utf8_lossy(&kv.value.bytes())),
            kv.lease
        ));
    }
    text + &format!("\"More\" : {}\n\"Count\" : {}\n", found.more, found.count)
}

/// `etcdctl put KEY [VALUE]`.
pub(super) async fn put(io: &Io, line: &Line, conf: &Conf, words: &[Rc<str>]) -> i32 {
    let value = match words {
        [_, value] => value.as_bytes().to_vec(),
        [_] => io.read_all(Fd::STDIN).await.unwrap_or_default(),
        _ => {
            let why = "put command needs 1 argument and input from stdin or 2 arguments";
            return fail(io, 128, why).await;
        }
    };
    if line.on("prev-kv") {
        let why = sim::unmodelled!("the pair before a put");
        return fail(io, 1, &format!("--prev-kv: {why}")).await;
    }
    let lease = line.get("lease");
    let lease = lease.map_or(Ok(0), |text| i64::from_str_radix(&text, 16));
    let Ok(lease) = lease else {
        return fail(io, 128, "bad lease ID").await;
    };
    let put = Put {
        key: words[0].as_bytes().into(),
        value: etcd::blob(&value),
        lease,
        prev_kv: false,
    };
    match conf.ask(io, Request::Put(put)).await {
        Ok(reply) if &*line.format(io) == "json" => {
            let header = header_json(&reply.header);
            io.print(&format!("{{\"header\":{header}}}\n")).await;
            0
        }
        Ok(_) => {
            io.print("OK\n").await;
            0
        }
        Err(failure) => fail(io, 1, failure.message()).await,
    }
}

/// `etcdctl del KEY [END]`.
pub(super) async fn del(io: &Io, line: &Line, conf: &Conf, words: &[Rc<str>]) -> i32 {
    if words.is_empty() || words.len() > 2 {
        let why = "del command needs one argument as key and an optional argument as range_end";
        return fail(io, 128, why).await;
    }
    let keys = match keys(line, words) {
        Ok(keys) => keys,
        Err(why) => return fail(io, 128, &why).await,
    };
    let delete = DeleteRange {
        keys,
        prev_kv: line.on("prev-kv"),
    };
    match conf.ask(io, Request::DeleteRange(delete)).await {
        Ok(reply) => {
            if let ReplyBody::DeleteRange(gone) = &reply.body {
                io.print(&format!("{}\n", gone.deleted)).await;
                for kv in &gone.prev_kvs {
                    let value = String::from_utf8_lossy(&kv.value.bytes()).into_owned();
                    io.print(&format!("{}\n{value}\n", kv.key_text())).await;
                }
            }
            0
        }
        Err(failure) => fail(io, 1, failure.message()).await,
    }
}

/// `etcdctl compaction|defrag|alarm …`.
pub(super) async fn housekeeping(io: &Io, conf: &Conf, words: &[Rc<str>]) -> i32 {
    let revision = words.get(1).and_then(|text| text.parse().ok());
    let request = match (&*words[0], words.get(1).map(|word| &**word)) {
        ("compaction" | "compact", Some(text)) => match revision {
            Some(revision) => Request::Compact(revision),
            None => {
                let why = format!("strconv.ParseInt: parsing \"{text}\": invalid syntax");
                return fail(io, 128, &why).await;
            }
        },
        ("compaction" | "compact", None) => {
            return fail(io, 128, "compaction command needs 1 argument").await;
        }
        ("alarm", Some("disarm")) => Request::AlarmDisarm,
        ("alarm", _) => Request::AlarmList,
        _ => Request::Defragment,
    };
    let begun = io.now().await;
    let reply = match conf.ask(io, request.clone()).await {
        Ok(reply) => reply,
        Err(failure) => return fail(io, 1, failure.message()).await,
    };
    let text = match (&request, &reply.body) {
        (Request::Compact(revision), _) => format!("compacted revision {revision}\n"),
        (Request::Defragment, _) => format!(
            "Finished defragmenting etcd member[{}]. took {}\n",
            conf.endpoints[0],
            report::duration(io.now().await.since(begun))
        ),
        (_, ReplyBody::Alarms(names)) => {
            let member = reply.header.member_id;
            let lines = names
                .iter()
                .map(|name| format!("memberID:{member} alarm:{name} \n"));
            lines.collect()
        }
        _ => String::new(),
    };
    io.print(&text).await;
    0
}

/// `etcdctl watch KEY [END]`: goes on until it is stopped.
pub(super) async fn watch(io: &Io, line: &Line, conf: &Conf, words: &[Rc<str>]) -> i32 {
    if words.is_empty() || words.len() > 2 {
        return fail(io, 128, "bad number of arguments").await;
    }
    let (keys, from) = match (keys(line, words), line.number("rev")) {
        (Ok(keys), Ok(from)) => (keys, from.cast_signed()),
        (Err(why), _) | (_, Err(why)) => return fail(io, 128, &why).await,
    };
    let mut watch = Watch::of(1, keys, from);
    watch.prev_kv = line.on("prev-kv");
    let body = Body::shared(Rc::new(WatchRequest::Create(watch)));
    let mut request = HttpRequest::new(Method::Post, "/etcdserverpb.Watch/Watch").with_body(body);
    request.more = true;
    let endpoint = conf.endpoints[0].clone();
    let fd = match conf.begin(io, &endpoint, request, None).await {
        Ok((fd, _)) => fd,
        Err(failure) => return fail(io, 1, failure.message()).await,
    };
    loop {
        let Ok(Some(payload)) = io.recv(fd).await else {
            return fail(io, 5, "watch is canceled by the server").await;
        };
        let Some(message) = payload.downcast_rc::<Message>() else {
            continue;
        };
        let Frame::Data(body) = &message.frame else {
            continue;
        };
        let Some(news) = body.downcast_rc::<WatchResponse>() else {
            continue;
        };
        if news.canceled {
            let why = news.cancel_reason;
            io.eprint(&format!("watch was canceled ({why})\n")).await;
            return fail(io, 5, "watch is canceled by the server").await;
        }
        io.write_all(Fd::STDOUT, &told(&news)).await;
    }
}

fn told(news: &WatchResponse) -> Vec<u8> {
    let mut out = Vec::new();
    let pair = |kv: &KeyValue, out: &mut Vec<u8>| {
        out.extend_from_slice(&kv.key);
        out.push(b'\n');
        out.extend(kv.value.bytes());
        out.push(b'\n');
    };
    for event in news.events.iter() {
        out.extend_from_slice(match event.kind {
            EventKind::Put => b"PUT\n",
            EventKind::Delete => b"DELETE\n",
        });
        if let Some(before) = &event.prev {
            pair(before, &mut out);
        }
        pair(&event.kv, &mut out);
    }
    out
}
