use super::*;
use crate::kv::{key, text_blob};
use crate::txn::{Put, Range};

/// A member with two connections, and everything it said so far.
struct Bench {
    server: Server,
    now: Instant,
    random: Stream,
    said: Vec<String>,
    data: Snapshot,
}

impl Bench {
    fn new(config: Config, data: Option<&Snapshot>) -> Bench {
        let random = Stream::new(1, "etcd");
        let server = Server::open(config, data, Instant::ZERO);
        let data = server.snapshot();
        Bench {
            server,
            now: Instant::ZERO,
            random,
            said: Vec::new(),
            data,
        }
    }

    fn ask(&mut self, conn: u64, stream: u32, request: Request) {
        let http = HttpRequest::new(Method::Post, request.path())
            .with_body(Body::shared(Rc::new(request)));
        self.ask_http(conn, stream, &http);
    }

    fn ask_http(&mut self, conn: u64, stream: u32, http: &HttpRequest) {
        let mut out = Vec::new();
        let from = StreamId { conn, stream };
        self.server.on_request(
            self.now,
            EntryId::NONE,
            &mut self.random,
            from,
            http,
            &mut out,
        );
        self.hear(out);
    }

    fn watch(&mut self, conn: u64, stream: u32, watch: Watch) {
        let body = Body::shared(Rc::new(WatchRequest::Create(watch)));
        let http = HttpRequest::new(Method::Post, "/etcdserverpb.Watch/Watch").with_body(body);
        self.ask_http(conn, stream, &http);
    }

    /// Lets the deadlines come until the instant.
    fn run(&mut self, millis: u64) {
        let until = Instant::ZERO + Duration::from_millis(millis);
        while let Some(deadline) = self.server.deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            let mut out = Vec::new();
            if self.server.on_timer(self.now, &mut out) {
                self.data = self.server.snapshot();
            }
            self.hear(out.into_iter().map(|(_, output)| output).collect());
        }
        self.now = until;
    }

    fn hear(&mut self, out: Vec<Output>) {
        for output in out {
            self.said.push(describe(self.now, &output));
        }
    }

    #[track_caller]
    fn expect(&mut self, expected: &[&str]) {
        assert_eq!(std::mem::take(&mut self.said), expected);
    }
}

fn describe(now: Instant, output: &Output) -> String {
    let micros = now.as_nanos() / 1000;
    match output {
        Output::Respond(to, response) => {
            let what = match crate::wire::read_reply(response) {
                Ok(reply) => match &reply.body {
                    ReplyBody::Put(_) => format!("put at {}", reply.header.revision),
                    ReplyBody::Range(range) => format!("{} keys", range.count),
                    ReplyBody::Lease { ttl_secs, .. } => format!("lease of {ttl_secs} s"),
                    other => format!("{other:?}"),
                },
                Err((2, _)) if response.more => "stream".to_owned(),
                Err((2, _)) => format!("{} {}", response.status, response.body.text()),
                Err((0, _)) => "stream".to_owned(),
                Err((code, message)) => format!("code {code}: {message}"),
            };
            format!("{micros} {}/{} {what}", to.conn, to.stream)
        }
        Output::Data(to, body) => {
            let said = body
                .downcast_rc::<WatchResponse>()
                .expect("a watch response");
            let state = match (said.created, said.canceled) {
                (true, _) => "created".to_owned(),
                (_, true) => format!("canceled {}", said.cancel_reason),
                _ => {
                    let event = |e: &Event| {
                        format!("{:?} {}@{}", e.kind, e.kv.key_text(), e.kv.mod_revision)
                    };
                    said.events.iter().map(event).collect::<Vec<_>>().join(", ")
                }
            };
            format!(
                "{micros} {}/{} watch {}: {state}",
                to.conn, to.stream, said.watch_id
            )
        }
        Output::End(to) => format!("{micros} {}/{} end", to.conn, to.stream),
        Output::Close(conn) => format!("{micros} close {conn}"),
    }
}

fn put(name: &str, lease: i64) -> Request {
    Request::Put(Put {
        key: key(name),
        value: text_blob("v"),
        lease,
        prev_kv: false,
    })
}

#[test]
fn writes_are_synced_in_batches_and_watchers_hear_first() {
    let mut bench = Bench::new(Config::default(), None);
    bench.watch(1, 1, Watch::of(0, Keys::prefix(b"a"), 0));
    bench.expect(&["0 1/1 stream", "0 1/1 watch 1: created"]);
    bench.ask(1, 3, put("a1", 0));
    bench.ask(1, 5, put("a2", 0));
    bench.ask(2, 1, put("b", 0));
    bench.ask(2, 3, Request::Range(Range::of(Keys::prefix(b""))));
    bench.run(10);
    bench.expect(&[
        "0 2/3 0 keys",
        "1500 1/1 watch 1: Put a1@2",
        "1500 1/3 put at 2",
        "3000 1/1 watch 1: Put a2@3",
        "3000 1/5 put at 3",
        "3000 2/1 put at 4",
    ]);
}

#[test]
fn a_watch_catches_up_or_learns_that_it_cannot() {
    let mut bench = Bench::new(Config::default(), None);
    for (stream, name) in [(1, "a"), (3, "b"), (5, "a")] {
        bench.ask(1, stream, put(name, 0));
    }
    bench.run(10);
    bench.said.clear();
    bench.watch(1, 7, Watch::of(4, Keys::One(key("a")), 2));
    bench.expect(&[
        "10000 1/7 stream",
        "10000 1/7 watch 4: created",
        "10000 1/7 watch 4: Put a@2, Put a@4",
    ]);
    bench.ask(1, 9, Request::Compact(4));
    bench.run(20);
    bench.said.clear();
    bench.watch(1, 11, Watch::of(0, Keys::One(key("a")), 3));
    bench.expect(&[
        "20000 1/11 stream",
        "20000 1/11 watch 1: created",
        "20000 1/11 watch 1: canceled etcdserver: mvcc: required revision has been compacted",
    ]);
    bench.server.on_closed(1);
    bench.ask(2, 1, put("a", 0));
    bench.run(30);
    bench.expect(&["21500 2/1 put at 5"]);
}

#[test]
fn leases_end_by_themselves_unless_renewed() {
    let mut bench = Bench::new(Config::default(), None);
    bench.ask(1, 1, Request::LeaseGrant { id: 9, ttl_secs: 5 });
    bench.run(2);
    bench.ask(1, 3, put("k", 9));
    bench.watch(2, 1, Watch::of(0, Keys::prefix(b""), 0));
    bench.run(4000);
    bench.ask(1, 5, Request::LeaseKeepAlive(9));
    bench.run(20_000);
    bench.expect(&[
        "1500 1/1 lease of 5 s",
        "2000 2/1 stream",
        "2000 2/1 watch 1: created",
        "3500 2/1 watch 1: Put k@2",
        "3500 1/3 put at 2",
        "4000000 1/5 lease of 5 s",
        "9001500 2/1 watch 1: Delete k@3",
    ]);
}

#[test]
fn what_was_answered_survives_a_kill_and_what_was_not_does_not() {
    let mut bench = Bench::new(Config::default(), None);
    bench.ask(1, 1, put("a", 0));
    bench.run(2);
    bench.ask(1, 3, put("b", 0));
    let data = bench.data.clone();
    let mut again = Bench::new(Config::default(), Some(&data));
    again.ask(1, 1, Request::Range(Range::of(Keys::prefix(b""))));
    again.expect(&["0 1/1 1 keys"]);
    assert_eq!(again.server.header().raft_term, 3);
    assert_eq!(
        again.server.header().cluster_id,
        bench.server.header().cluster_id
    );

    let mut restore = crate::Restore::default();
    restore.config.token = "another".into();
    let restored = data.restore(&restore);
    assert_eq!(restored.store.revision(), 2);
    assert_ne!(restored.cluster.id, data.cluster.id);
}

#[test]
fn who_shows_no_certificate_is_cut_off() {
    let config = Config {
        client_cert_auth: true,
        ..Config::default()
    };
    let mut bench = Bench::new(config, None);
    bench.ask(1, 1, Request::Status);
    bench.ask_http(2, 1, &HttpRequest::get("/health"));
    bench.expect(&[
        "0 close 1",
        "0 2/1 200 {\"health\":\"true\",\"reason\":\"\"}",
    ]);
}

#[test]
fn refusals_carry_etcds_words() {
    let mut bench = Bench::new(Config::default(), None);
    bench.ask(1, 1, Request::MemberRemove(7));
    bench.ask(1, 3, Request::MoveLeader(7));
    bench.ask(1, 5, Request::Compact(99));
    bench.ask(1, 7, put("x", 44));
    bench.run(5);
    bench.expect(&[
        "0 1/3 code 9: etcdserver: bad leader transferee",
        "1500 1/1 code 5: etcdserver: member not found",
        "3000 1/5 code 11: etcdserver: mvcc: required revision is a future revision",
        "3000 1/7 code 5: etcdserver: requested lease not found",
    ]);
}
