//! What a Redis knows, and the commands on it. Knows no sockets and no files.
//!
//! Models src/{server,db,t_string}.c for strings.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::resp::Reply;

/// Keys and their values. Redis has no order; here `KEYS` tells them by name.
pub(super) type Map = BTreeMap<Rc<[u8]>, Rc<[u8]>>;

/// What is to be done beside answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Also {
    /// Nothing.
    Nothing,
    /// Write the file, and answer when it is written.
    Save,
    /// The same, answered at once.
    SaveLater,
    /// End the server.
    Shutdown,
    /// End the connection.
    Quit,
}

/// The commands: a name, and how many words they take with it; a minus for at least as many.
const COMMANDS: [(&str, i32); 25] = [
    ("append", 3),
    ("bgsave", -1),
    ("dbsize", 1),
    ("decr", 2),
    ("decrby", 3),
    ("del", -2),
    ("echo", 2),
    ("exists", -2),
    ("flushall", -1),
    ("flushdb", -1),
    ("get", 2),
    ("getset", 3),
    ("incr", 2),
    ("incrby", 3),
    ("keys", 2),
    ("lastsave", 1),
    ("mget", -2),
    ("mset", -3),
    ("ping", -1),
    ("quit", -1),
    ("save", 1),
    ("select", 2),
    ("set", -3),
    ("shutdown", -1),
    ("strlen", 2),
];

/// Commands that Redis has and this one has not.
const UNMODELLED: [&str; 16] = [
    "config",
    "expire",
    "ttl",
    "info",
    "lpush",
    "rpush",
    "lrange",
    "hset",
    "hget",
    "hgetall",
    "sadd",
    "smembers",
    "zadd",
    "subscribe",
    "publish",
    "type",
];

/// The keys and how much changed since they were last written to the disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    pub(super) map: Map,
    pub(super) dirty: u64,
    /// When they were last written, in seconds since 1970.
    pub(super) saved_at: i64,
}

impl Keys {
    /// Does what a request says.
    pub(super) fn run(&mut self, words: &[Vec<u8>]) -> (Reply, Also) {
        let name = String::from_utf8_lossy(&words[0]).to_lowercase();
        let Some((_, arity)) = COMMANDS.iter().find(|(known, _)| *known == name) else {
            return (unknown(words, &name), Also::Nothing);
        };
        let given = i32::try_from(words.len()).unwrap_or(i32::MAX);
        if (*arity >= 0 && given != *arity) || given < arity.abs() {
            let why = format!("ERR wrong number of arguments for '{name}' command");
            return (Reply::Error(why), Also::Nothing);
        }
        let also = match &*name {
            "save" => Also::Save,
            "bgsave" => Also::SaveLater,
            "shutdown" => Also::Shutdown,
            "quit" => Also::Quit,
            _ => Also::Nothing,
        };
        (self.answer(&name, &words[1..]), also)
    }

    fn answer(&mut self, name: &str, args: &[Vec<u8>]) -> Reply {
        let count = |number: usize| Reply::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        match name {
            "ping" => args.first().map_or(Reply::Status("PONG"), Reply::text),
            "echo" => Reply::text(&args[0]),
            "get" => Reply::Bulk(self.get(&args[0])),
            "mget" => Reply::List(args.iter().map(|key| Reply::Bulk(self.get(key))).collect()),
            "strlen" => count(self.get(&args[0]).map_or(0, |value| value.len())),
            "exists" => count(args.iter().filter(|key| self.get(key).is_some()).count()),
            "dbsize" => count(self.map.len()),
            "lastsave" => Reply::Integer(self.saved_at),
            "keys" => {
                let found = self.map.keys().filter(|key| matches(&args[0], key));
                Reply::List(found.map(|key| Reply::Bulk(Some(key.clone()))).collect())
            }
            "set" => self.set(args),
            "getset" => {
                let before = self.get(&args[0]);
                self.put(&args[0], args[1].clone());
                Reply::Bulk(before)
            }
            "mset" if args.len() % 2 == 1 => {
                Reply::Error("ERR wrong number of arguments for 'mset' command".to_owned())
            }
            "mset" => {
                for pair in args.chunks_exact(2) {
                    self.put(&pair[0], pair[1].clone());
                }
                Reply::Status("OK")
            }
            "append" => {
                let mut text = self.get(&args[0]).map_or(Vec::new(), |old| old.to_vec());
                text.extend_from_slice(&args[1]);
                let length = text.len();
                self.put(&args[0], text);
                count(length)
            }
            "incr" => self.add(&args[0], b"1", 1),
            "decr" => self.add(&args[0], b"1", -1),
            "incrby" => self.add(&args[0], &args[1], 1),
            "decrby" => self.add(&args[0], &args[1], -1),
            "del" => {
                let gone = args
                    .iter()
                    .filter(|key| self.map.remove(&key[..]).is_some());
                let gone = gone.count();
                self.dirty += gone as u64;
                count(gone)
            }
            "flushall" | "flushdb" => {
                self.dirty += self.map.len() as u64;
                self.map.clear();
                Reply::Status("OK")
            }
            "select" if args[0] != b"0" => {
                Reply::Error(format!("ERR {}", sim::unmodelled!("databases beside 0")))
            }
            "bgsave" => Reply::Status("Background saving started"),
            _ => Reply::Status("OK"),
        }
    }

    fn get(&self, key: &[u8]) -> Option<Rc<[u8]>> {
        self.map.get(key).cloned()
    }

    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.map.insert(key.into(), value.into());
        self.dirty += 1;
    }

    fn set(&mut self, args: &[Vec<u8>]) -> Reply {
        let options: Vec<String> = args[2..]
            .iter()
            .map(|word| String::from_utf8_lossy(word).to_lowercase())
            .collect();
        let is_there = self.get(&args[0]).is_some();
        for option in &options {
            match &**option {
                "nx" if is_there => return Reply::Bulk(None),
                "xx" if !is_there => return Reply::Bulk(None),
                "nx" | "xx" => {}
                "ex" | "px" | "keepttl" | "get" | "exat" | "pxat" => {
                    return Reply::Error(format!("ERR {}", sim::unmodelled!("this option of SET")));
                }
                _ => return Reply::Error("ERR syntax error".to_owned()),
            }
        }
        self.put(&args[0], args[1].clone());
        Reply::Status("OK")
    }

    fn add(&mut self, key: &[u8], by: &[u8], sign: i64) -> Reply {
        let number = |text: &[u8]| -> Option<i64> { std::str::from_utf8(text).ok()?.parse().ok() };
        let old = self.get(key);
        let old = old.map_or(Some(0), |text| number(&text));
        let (Some(old), Some(by)) = (old, number(by)) else {
            return Reply::Error("ERR value is not an integer or out of range".to_owned());
        };
        let Some(new) = by.checked_mul(sign).and_then(|by| old.checked_add(by)) else {
            return Reply::Error("ERR increment or decrement would overflow".to_owned());
        };
        self.put(key, new.to_string().into_bytes());
        Reply::Integer(new)
    }
}

fn unknown(words: &[Vec<u8>], name: &str) -> Reply {
    if UNMODELLED.contains(&name) {
        return Reply::Error(format!("ERR {}", sim::unmodelled!("this command of redis")));
    }
    let rest = words[1..].iter().map(|word| {
        let text = String::from_utf8_lossy(word).into_owned();
        format!("'{text}' ")
    });
    Reply::Error(format!(
        "ERR unknown command '{}', with args beginning with: {}",
        String::from_utf8_lossy(&words[0]),
        rest.collect::<String>()
    ))
}

/// Whether a key fits a pattern with `*` and `?`.
fn matches(pattern: &[u8], key: &[u8]) -> bool {
    match (pattern.split_first(), key.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            matches(rest, key) || key.split_first().is_some_and(|(_, k)| matches(pattern, k))
        }
        (Some((b'?', rest)), Some((_, key))) => matches(rest, key),
        (Some((one, rest)), Some((other, key))) => one == other && matches(rest, key),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(keys: &mut Keys, line: &str, expected: Reply) {
        let words: Vec<Vec<u8>> = line
            .split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect();
        assert_eq!(keys.run(&words).0, expected, "{line}");
    }

    #[test]
    fn commands_do_what_redis_does() {
        let keys = &mut Keys::default();
        let error = |why: &str| Reply::Error(why.to_owned());
        check(keys, "PING", Reply::Status("PONG"));
        check(keys, "set a 1", Reply::Status("OK"));
        check(keys, "set a 2 nx", Reply::Bulk(None));
        check(keys, "INCR a", Reply::Integer(2));
        check(keys, "decrby a 5", Reply::Integer(-3));
        check(keys, "get a", Reply::text("-3"));
        check(keys, "get b", Reply::Bulk(None));
        check(keys, "append b xy", Reply::Integer(2));
        check(
            keys,
            "incr b",
            error("ERR value is not an integer or out of range"),
        );
        check(
            keys,
            "keys ?",
            Reply::List(vec![Reply::text("a"), Reply::text("b")]),
        );
        check(keys, "keys x*", Reply::List(Vec::new()));
        check(keys, "del a c", Reply::Integer(1));
        check(keys, "dbsize", Reply::Integer(1));
        check(
            keys,
            "get",
            error("ERR wrong number of arguments for 'get' command"),
        );
        check(
            keys,
            "foo bar",
            error("ERR unknown command 'foo', with args beginning with: 'bar' "),
        );
        assert_eq!(keys.dirty, 5);
    }
}
