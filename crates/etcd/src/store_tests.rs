use super::*;
use crate::kv::{key, text_blob};
use crate::txn::Operator::{Equal, Greater, Less};

fn put(name: &str, value: &str) -> Put {
    Put {
        key: key(name),
        value: text_blob(value),
        lease: 0,
        prev_kv: false,
    }
}

fn delete(keys: Keys) -> DeleteRange {
    DeleteRange {
        keys,
        prev_kv: false,
    }
}

fn filled(pairs: &[(&str, &str)]) -> Store {
    let mut store = Store::new(1 << 30);
    for (name, value) in pairs {
        store.put(&put(name, value)).expect("there is room");
    }
    store
}

fn text(reply: &RangeReply) -> Vec<String> {
    let pair = |kv: &Rc<KeyValue>| {
        let value = String::from_utf8_lossy(&kv.value.bytes()).into_owned();
        format!("{}={value}", kv.key_text())
    };
    reply.kvs.iter().map(pair).collect()
}

#[track_caller]
fn check_range(store: &Store, range: Range, expected: &[&str], more: bool, count: u64) {
    let reply = store.range(&range).expect("a range");
    assert_eq!(
        (text(&reply), reply.more, reply.count),
        (strings(expected), more, count)
    );
}

fn strings(of: &[&str]) -> Vec<String> {
    of.iter().map(|s| (*s).to_owned()).collect()
}

#[test]
fn ranges_by_prefix_limit_and_order() {
    let store = filled(&[("b", "1"), ("a/2", "2"), ("a/1", "3"), ("a/2", "4")]);
    let a = || Range::of(Keys::prefix(b"a/"));
    check_range(&store, a(), &["a/1=3", "a/2=4"], false, 2);
    check_range(&store, Range { limit: 1, ..a() }, &["a/1=3"], true, 2);
    check_range(
        &store,
        Range {
            count_only: true,
            ..a()
        },
        &[],
        false,
        2,
    );
    check_range(
        &store,
        Range {
            keys_only: true,
            ..a()
        },
        &["a/1=", "a/2="],
        false,
        2,
    );
    let all = Range {
        sort: SortOrder::CreateRevision,
        ..Range::of(Keys::From(key("a")))
    };
    check_range(&store, all, &["b=1", "a/2=4", "a/1=3"], false, 3);
    check_range(&store, Range::of(Keys::One(key("zz"))), &[], false, 0);
}

#[test]
fn the_past_is_kept_until_it_is_compacted() {
    let mut store = filled(&[("a", "1"), ("b", "1"), ("a", "2")]);
    store.delete(&delete(Keys::One(key("b"))));
    store.put(&put("c", "1")).expect("there is room");
    assert_eq!(store.revision(), 6);
    let at = |revision| Range {
        revision,
        ..Range::of(Keys::prefix(b""))
    };
    check_range(&store, at(1), &[], false, 0);
    check_range(&store, at(3), &["a=1", "b=1"], false, 2);
    check_range(&store, at(4), &["a=2", "b=1"], false, 2);
    check_range(&store, at(5), &["a=2"], false, 1);
    assert_eq!(store.range(&at(7)).map(|_| ()), Err(Error::FUTURE));

    let before = store.clone();
    let used = store.db_size_in_use();
    store.compact(4).expect("history is there");
    check_range(&store, at(4), &["a=2", "b=1"], false, 2);
    assert_eq!(store.range(&at(3)).map(|_| ()), Err(Error::COMPACTED));
    assert_eq!(store.compact(4), Err(Error::COMPACTED));
    assert_eq!(store.compact(9), Err(Error::FUTURE));
    assert!(store.db_size_in_use() <= used);
    check_range(&before, at(3), &["a=1", "b=1"], false, 2);
}

#[test]
fn versions_count_from_creation() {
    let mut store = filled(&[("a", "1"), ("a", "2")]);
    let of = |store: &Store| {
        let kv = store.get(b"a").expect("a");
        (kv.create_revision, kv.mod_revision, kv.version)
    };
    assert_eq!(of(&store), (2, 3, 2));
    store.delete(&delete(Keys::One(key("a"))));
    store.put(&put("a", "3")).expect("there is room");
    assert_eq!(of(&store), (5, 5, 1));
}

#[track_caller]
fn check_txn(target: Target, operator: Operator, name: &str, holds: bool) {
    let mut store = filled(&[("a", "1"), ("b", "1"), ("a", "2")]);
    let compare = Compare {
        keys: Keys::One(key(name)),
        target,
        operator,
    };
    let txn = Txn {
        compare: vec![compare],
        success: vec![
            Op::Put(put("out", "yes")),
            Op::Range(Range::of(Keys::One(key("out")))),
        ],
        failure: vec![Op::Range(Range::of(Keys::One(key("a"))))],
    };
    let reply = store.txn(&txn).expect("it can be done");
    assert_eq!(reply.succeeded, holds);
    assert_eq!(store.revision(), if holds { 5 } else { 4 });
    assert_eq!(store.get(b"out").is_some(), holds);
}

#[test]
fn transactions_compare_what_is_there() {
    check_txn(Target::ModRevision(4), Equal, "a", true);
    check_txn(Target::ModRevision(3), Equal, "a", false);
    check_txn(Target::ModRevision(0), Equal, "nothing", true);
    check_txn(Target::CreateRevision(2), Equal, "a", true);
    check_txn(Target::Version(1), Greater, "a", true);
    check_txn(Target::Version(1), Less, "b", false);
    check_txn(Target::Value(text_blob("2")), Equal, "a", true);
    check_txn(Target::Value(text_blob("2")), Equal, "nothing", false);
}

#[test]
fn a_transaction_is_refused_whole() {
    let mut store = filled(&[]);
    let twice = Txn {
        success: vec![Op::Put(put("a", "1")), Op::Put(put("a", "2"))],
        ..Txn::default()
    };
    assert_eq!(store.txn(&twice).map(|_| ()), Err(Error::DUPLICATE_KEY));
    let lease = Put {
        lease: 7,
        ..put("b", "1")
    };
    let leased = Txn {
        success: vec![Op::Put(put("a", "1")), Op::Put(lease)],
        ..Txn::default()
    };
    assert_eq!(store.txn(&leased).map(|_| ()), Err(Error::LEASE_NOT_FOUND));
    assert_eq!(store.put(&put("", "1")).map(|_| ()), Err(Error::EMPTY_KEY));
    assert_eq!((store.revision(), store.len()), (1, 0));
}

#[test]
fn a_lease_takes_its_keys_with_it() {
    let mut store = filled(&[("kept", "1"), ("moved", "1")]);
    store.grant(7, 10, Instant::ZERO).expect("a lease");
    assert_eq!(
        store.grant(7, 10, Instant::ZERO).map(|_| ()),
        Err(Error::LEASE_EXISTS)
    );
    for name in ["x", "y", "moved"] {
        store
            .put(&Put {
                lease: 7,
                ..put(name, "1")
            })
            .expect("there is room");
    }
    store.put(&put("moved", "2")).expect("there is room");
    let lease = store.next_expiry().expect("a lease");
    assert_eq!(lease.keys.len(), 2);
    assert_eq!(lease.left_secs(Instant::from_nanos(4_000_000_000)), 6);
    let revision = store.revision();
    store.revoke(7).expect("it is there");
    assert_eq!(store.revision(), revision + 1);
    check_range(
        &store,
        Range::of(Keys::prefix(b"")),
        &["kept=1", "moved=2"],
        false,
        2,
    );
    assert_eq!(store.revoke(7), Err(Error::LEASE_NOT_FOUND));
}

#[test]
fn a_full_database_takes_no_more_but_lets_go() {
    let mut store = Store::new(5 * PAGE);
    let big = "x".repeat(3000);
    assert!(store.put(&put("a", &big)).is_ok());
    assert_eq!(store.put(&put("b", &big)).map(|_| ()), Err(Error::NO_SPACE));
    assert!(store.out_of_space());
    assert_eq!(store.put(&put("c", "")).map(|_| ()), Err(Error::NO_SPACE));
    assert_eq!(store.delete(&delete(Keys::One(key("a")))).deleted, 1);
    store.compact(store.revision()).expect("history is there");
    store.disarm();
    assert!(store.put(&put("b", &big)).is_ok());
}

#[test]
fn ten_thousand_transactions_leave_clones_alone() {
    let mut store = filled(&[]);
    let empty = store.clone();
    for n in 0..10_000 {
        let name = format!("/registry/pods/default/p-{:04}", n % 1000);
        let revision = store.get(name.as_bytes()).map_or(0, |kv| kv.mod_revision);
        let txn = Txn {
            compare: vec![Compare::mod_revision(key(&name), revision)],
            success: vec![Op::Put(put(&name, "v"))],
            failure: Vec::new(),
        };
        assert!(store.txn(&txn).expect("it can be done").succeeded);
    }
    assert_eq!((store.revision(), store.len()), (10_001, 1000));
    assert_eq!(
        store.events_since(2).expect("nothing is compacted").count(),
        10_000
    );
    assert!(empty.is_empty());
}
