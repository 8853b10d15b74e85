//! Builtin functions of jq.

use std::rc::Rc;

use shell::regex::Regex;

use super::ast::Filter;
use super::eval::{Env, Flow, Item, Run, Sink, Stop, error};
use super::format;
use super::json::{Json, Reader};
use super::paths::{self, get, get_path, set_path};

/// Builtins that are said in jq itself.
pub(super) const LIBRARY: &str = r#"
def map(f): [.[] | f];
def select(f): if f then . else empty end;
def recurse(f): def r: ., (f | r); r;
def recurse(f; cond): def r: ., (f | select(cond) | r); r;
def values: select(. != null);
def nulls: select(. == null);
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type|. == "array" or . == "object");
def scalars: select(type|. != "array" and . != "object");
def map_values(f): .[] |= f;
def to_entries: [keys_unsorted[] as $k | {key: $k, value: .[$k]}];
def from_entries: reduce .[] as $x ({};
    . + { ($x | if type == "object" then
                (if .key != null then .key elif .k != null then .k elif .name != null then .name
                 elif .Name != null then .Name elif .Key != null then .Key elif .K != null then .K
                 elif has("key") then .key else null end)
             else . end
             | if type == "string" then . else tojson end):
          ($x | if type == "object" then
                (if has("value") then .value elif has("v") then .v elif has("Value") then .Value else null end)
             else null end) });
def with_entries(f): to_entries | map(f) | from_entries;
def add(f): reduce f as $x (null; . + $x);
def range($x): range(0; $x);
def while(cond; update): def _while: if cond then ., (update | _while) else empty end; _while;
def until(cond; update): def _until: if cond then . else (update | _until) end; _until;
def repeat(f): def _repeat: ., (f | _repeat); _repeat;
def in(xs): . as $x | xs | has($x);
def inside(xs): . as $x | xs | contains($x);
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end;
def combinations(n): . as $dot | [range(n)] | map($dot) | combinations;
def walk(f): def w: if type == "object" then map_values(w) elif type == "array" then map(w) else . end | f; w;
def first: .[0];
def last: .[-1];
def isempty(g): label $go | (g | false, break $go), true;
def all: all(.[]; .);
def any: any(.[]; .);
def all(f): all(.[]; f);
def any(f): any(.[]; f);
def all(g; cond): isempty(first(g | cond and empty));
def any(g; cond): isempty(first(g | cond or empty)) | not;
def flatten: flatten(1e9);
def env: $ENV;
def todate: todateiso8601;
def fromdate: fromdateiso8601;
def dateadd(u; n): . + n;
def date: todate;
def ascii: [.] | implode;
def paths: path(..) | select(length > 0);
def paths(node_filter): . as $dot | paths | select(. as $p | $dot | getpath($p) | node_filter);
def leaf_paths: paths(scalars);
def del(f): delpaths([path(f)]);
def pick(pathexps): . as $top | reduce path(pathexps) as $p (null; setpath($p; $top | getpath($p)));
def debug(msg): (msg | debug | empty), .;
def scan($re): _scan($re; null)[];
def scan($re; $flags): _scan($re; $flags)[];
def test($re): test($re; null);
def match($re): _match($re; null)[];
def match($re; $flags): _match($re; $flags)[];
def capture($re): capture($re; null);
def capture($re; $flags): match($re; $flags) | [.captures[] | select(.name != null) | {key: .name, value: .string}] | from_entries;
def sub($re; str): sub($re; str; "");
def gsub($re; str): sub($re; str; "g");
def gsub($re; str; $flags): sub($re; str; $flags + "g");
def splits($re): splits($re; null);
def splits($re; flags): split($re; flags) | .[];
def limit($n; f): if $n > 0 then label $out | foreach f as $item (0; . + 1; $item, if . >= $n then break $out else empty end) elif $n == 0 then empty else f end;
def first(f): label $out | (f | ., break $out);
def nth($n): .[$n];
def nth($n; f): last(limit($n + 1; f));
def min_by(f): _min_by(map([f]));
def max_by(f): _max_by(map([f]));
def sort_by(f): _sort_by(map([f]));
def group_by(f): _group_by(map([f]));
def unique_by(f): [group_by(f)[] | .[0]];
def unique: unique_by(.);
def finites: select(isinfinite or isnan | not);
def normals: select(isnormal);
def tostream: path(def r: (.[]?|r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def halt_error: halt_error(5);
def abs: if type == "number" and . < 0 then -. else . end;
def toarray: if type == "array" then . else [.] end;
def have_literal_numbers: true;
def index($i): indices($i) | .[0];
def rindex($i): indices($i) | .[-1:][0];
def join($x): reduce .[] as $i (null; (if . == null then "" else . + $x end) + ($i | if . == null then "" elif type == "string" then . else tojson end)) // "";
"#;

/// A value short enough for a message.
pub(super) fn shown(value: &Json) -> String {
    let text = value.compact();
    if text.len() <= 11 {
        return text;
    }
    let cut: String = text.chars().take(10).collect();
    format!("{cut}...")
}

/// The binary operators.
pub(super) fn arithmetic(op: char, a: &Json, b: &Json) -> Result<Json, String> {
    let order = || a.order(b);
    let fail = |what: &str| {
        Err(format!(
            "{} ({}) and {} ({}) cannot be {what}",
            a.kind(),
            shown(a),
            b.kind(),
            shown(b)
        ))
    };
    Ok(match (op, a, b) {
        ('=', ..) => Json::Bool(order().is_eq()),
        ('!', ..) => Json::Bool(order().is_ne()),
        ('<', ..) => Json::Bool(order().is_lt()),
        ('l', ..) => Json::Bool(order().is_le()),
        ('>', ..) => Json::Bool(order().is_gt()),
        ('g', ..) => Json::Bool(order().is_ge()),
        ('+', Json::Null, other) | ('+', other, Json::Null) => other.clone(),
        ('+', Json::Number(a), Json::Number(b)) => Json::Number(a + b),
        ('+', Json::Text(a), Json::Text(b)) => Json::text(format!("{a}{b}")),
        ('+', Json::Array(a), Json::Array(b)) => {
            Json::array(a.iter().chain(b.iter()).cloned().collect())
        }
        ('+', Json::Object(_), Json::Object(fields)) => {
            fields.iter().fold(a.clone(), |all, (key, value)| {
                all.with(key.clone(), value.clone())
            })
        }
        ('+', ..) => return fail("added"),
        ('-', Json::Number(a), Json::Number(b)) => Json::Number(a - b),
        ('-', Json::Array(a), Json::Array(b)) => {
            Json::array(a.iter().filter(|item| !b.contains(item)).cloned().collect())
        }
        ('-', ..) => return fail("subtracted"),
        ('*', Json::Number(a), Json::Number(b)) => Json::Number(a * b),
        ('*', Json::Text(text), Json::Number(count))
        | ('*', Json::Number(count), Json::Text(text)) => {
            if *count <= 0.0 {
                Json::Null
            } else {
                Json::text(text.repeat((count.ceil() as usize).min(100_000)))
            }
        }
        ('*', Json::Object(_), Json::Object(_)) => merge(a, b),
        ('*', ..) => return fail("multiplied"),
        ('/', Json::Number(_), Json::Number(0.0)) => {
            return fail("divided because the divisor is zero");
        }
        ('/', Json::Number(a), Json::Number(b)) => Json::Number(a / b),
        ('/', Json::Text(a), Json::Text(b)) => split(a, b),
        ('/', ..) => return fail("divided"),
        (_, Json::Number(a), Json::Number(b)) => {
            let (a, b) = (a.trunc(), b.trunc().abs());
            if b == 0.0 {
                return fail("divided (remainder) because the divisor is zero");
            }
            Json::Number(a % b)
        }
        _ => return fail("divided (remainder)"),
    })
}

fn merge(a: &Json, b: &Json) -> Json {
    let Json::Object(fields) = b else {
        return b.clone();
    };
    fields.iter().fold(a.clone(), |all, (key, value)| {
        let new = match (all.get(key), value) {
            (Some(old @ Json::Object(_)), Json::Object(_)) => merge(old, value),
            _ => value.clone(),
        };
        all.with(key.clone(), new)
    })
}

fn split(text: &str, separator: &str) -> Json {
    if text.is_empty() {
        return Json::array(Vec::new());
    }
    let parts: Vec<Json> = match separator.is_empty() {
        true => text.chars().map(|c| Json::text(c.to_string())).collect(),
        false => text.split(separator).map(Json::text).collect(),
    };
    Json::array(parts)
}

/// Calls a builtin.
pub(super) fn call(
    run: &mut Run,
    name: &str,
    args: &[Filter],
    input: Item,
    env: &Env,
    sink: Sink<'_>,
) -> Flow {
    match (name, args) {
        ("empty", []) => Ok(()),
        ("not", []) => sink(run, input.made(Json::Bool(!input.value.is_true()))?),
        ("error", []) => Err(Stop::Error(input.value)),
        ("error", [message]) => run.values(message, &input, env, &mut |_, value| {
            Err(Stop::Error(value))
        }),
        ("path", [filter]) => {
            let from = Item {
                value: input.value.clone(),
                path: Some(Default::default()),
            };
            run.eval(filter, from, env, &mut |run, item| {
                let keys = item.path.map(|path| path.keys()).unwrap_or_default();
                sink(run, input.made(Json::array(keys))?)
            })
        }
        ("getpath", [path]) => run.values(path, &input, env, &mut |run, path| {
            let Json::Array(keys) = &path else {
                return Err(error("Path must be specified as an array"));
            };
            let value = get_path(&input.value, keys).map_err(error)?;
            let at = keys
                .iter()
                .fold(input.clone(), |at, key| at.step(key.clone(), Json::Null));
            sink(
                run,
                Item {
                    value,
                    path: at.path,
                },
            )
        }),
        ("recurse", []) => run.recurse(input, sink),
        ("last", [filter]) => {
            let mut last = None;
            run.eval(filter, input, env, &mut |_, item| {
                last = Some(item);
                Ok(())
            })?;
            last.map_or(Ok(()), |item| sink(run, item))
        }
        ("range", [from, to]) => range(
            run,
            from,
            to,
            &Filter::Literal(Json::Number(1.0)),
            &input,
            env,
            sink,
        ),
        ("range", [from, to, by]) => range(run, from, to, by, &input, env, sink),
        ("input", []) => match run.inputs.pop() {
            Some(value) => sink(run, input.made(value)?),
            None => Err(error("No more inputs")),
        },
        ("inputs", []) => {
            while let Some(value) = run.inputs.pop() {
                sink(run, input.made(value)?)?;
            }
            Ok(())
        }
        ("debug", []) => {
            run.said
                .push_str(&format!("[\"DEBUG:\",{}]\n", input.value.compact()));
            sink(run, input)
        }
        ("stderr", []) => {
            run.said.push_str(&format::text(&input.value));
            sink(run, input)
        }
        ("sub", [pattern, with, flags]) => {
            substitute(run, (pattern, with, flags), &input, env, sink)
        }
        ("halt", []) => Err(halted(0, Json::Null)),
        ("halt_error", [code]) => run.values(code, &input, env, &mut |_, code| {
            let code = if let Json::Number(code) = code {
                code as i32
            } else {
                5
            };
            Err(halted(code, input.value.clone()))
        }),
        _ => {
            let Some(function) = function(name, args.len()) else {
                return Err(error(format!("{name}/{} is not defined", args.len())));
            };
            product(
                run,
                args,
                &mut Vec::new(),
                &input,
                env,
                &mut |run, values| {
                    let value = function(run, &input.value, values).map_err(error)?;
                    sink(run, input.made(value)?)
                },
            )
        }
    }
}

/// The end of the program, as an error nothing catches.
fn halted(code: i32, value: Json) -> Stop {
    let fields = vec![
        ("__jq".into(), Json::Number(f64::from(code))),
        ("value".into(), value),
    ];
    Stop::Error(Json::Object(Rc::new(fields)))
}

/// Every combination of the arguments' results, the last argument varying slowest.
fn product(
    run: &mut Run,
    args: &[Filter],
    values: &mut Vec<Json>,
    input: &Item,
    env: &Env,
    then: &mut dyn FnMut(&mut Run, &[Json]) -> Flow,
) -> Flow {
    let Some((last, rest)) = args.split_last() else {
        let ordered: Vec<Json> = values.iter().rev().cloned().collect();
        return then(run, &ordered);
    };
    run.values(last, input, env, &mut |run, value| {
        values.push(value);
        let flow = product(run, rest, values, input, env, then);
        values.pop();
        flow
    })
}

fn range(
    run: &mut Run,
    from: &Filter,
    to: &Filter,
    by: &Filter,
    input: &Item,
    env: &Env,
    sink: Sink<'_>,
) -> Flow {
    run.values(from, input, env, &mut |run, from| {
        run.values(to, input, env, &mut |run, to| {
            run.values(by, input, env, &mut |run, by| {
                let (Json::Number(mut at), Json::Number(to), Json::Number(by)) =
                    (from.clone(), to.clone(), by)
                else {
                    return Err(error("Range bounds must be numeric"));
                };
                while (by > 0.0 && at < to) || (by < 0.0 && at > to) {
                    sink(run, input.made(Json::Number(at))?)?;
                    at += by;
                }
                Ok(())
            })
        })
    })
}

type Builtin = fn(&mut Run, &Json, &[Json]) -> Result<Json, String>;

/// Builtins whose arguments are plain values.
fn function(name: &str, count: usize) -> Option<Builtin> {
    Some(match (name, count) {
        ("length", 0) => |_, value, _| length(value),
        ("utf8bytelength", 0) => |_, value, _| match value {
            Json::Text(text) => Ok(Json::Number(text.len() as f64)),
            other => Err(format!(
                "{} ({}) only strings have UTF-8 byte length",
                other.kind(),
                shown(other)
            )),
        },
        ("keys", 0) => |_, value, _| keys(value, true),
        ("keys_unsorted", 0) => |_, value, _| keys(value, false),
        ("has", 1) => |_, value, args| match (value, &args[0]) {
            (Json::Object(_), Json::Text(key)) => Ok(Json::Bool(value.get(key).is_some())),
            (Json::Array(items), Json::Number(at)) => {
                Ok(Json::Bool(*at >= 0.0 && (*at as usize) < items.len()))
            }
            (value, key) => Err(format!(
                "Cannot check whether {} has a {} key",
                value.kind(),
                key.kind()
            )),
        },
        ("contains", 1) => |_, value, args| contains(value, &args[0]).map(Json::Bool),
        ("type", 0) => |_, value, _| Ok(Json::text(value.kind())),
        ("add", 0) => |_, value, _| {
            let mut all = children(value)?.into_iter();
            let first = all.next().unwrap_or(Json::Null);
            all.try_fold(first, |sum, item| arithmetic('+', &sum, &item))
        },
        ("tostring", 0) => |_, value, _| Ok(Json::text(format::text(value))),
        ("tojson", 0) => |_, value, _| Ok(Json::text(value.compact())),
        ("fromjson", 0) => |_, value, _| match value {
            Json::Text(text) => match Reader::new(text).next() {
                Ok(value) => Ok(value.unwrap_or(Json::Null)),
                Err(message) => Err(format!("{message} (while parsing '{text}')")),
            },
            other => Err(format!(
                "{} ({}) cannot be parsed as JSON",
                other.kind(),
                shown(other)
            )),
        },
        ("tonumber", 0) => |_, value, _| match value {
            Json::Number(_) => Ok(value.clone()),
            Json::Text(text) => match text.trim().parse() {
                Ok(number) => Ok(Json::Number(number)),
                Err(_) => Err(format!("Cannot parse '{text}' as JSON")),
            },
            other => Err(format!(
                "{} ({}) cannot be parsed as a number",
                other.kind(),
                shown(other)
            )),
        },
        ("ascii_downcase", 0) => {
            |_, value, _| on_text(value, "ascii_downcase", str::to_ascii_lowercase)
        }
        ("ascii_upcase", 0) => {
            |_, value, _| on_text(value, "ascii_upcase", str::to_ascii_uppercase)
        }
        ("trim", 0) => |_, value, _| on_text(value, "trim", |text| text.trim().to_owned()),
        ("ltrim", 0) => |_, value, _| on_text(value, "ltrim", |text| text.trim_start().to_owned()),
        ("rtrim", 0) => |_, value, _| on_text(value, "rtrim", |text| text.trim_end().to_owned()),
        ("ltrimstr", 1) => |_, value, args| {
            Ok(match (value, &args[0]) {
                (Json::Text(text), Json::Text(start)) => {
                    Json::text(text.strip_prefix(&**start).unwrap_or(text))
                }
                _ => value.clone(),
            })
        },
        ("rtrimstr", 1) => |_, value, args| {
            Ok(match (value, &args[0]) {
                (Json::Text(text), Json::Text(end)) => {
                    Json::text(text.strip_suffix(&**end).unwrap_or(text))
                }
                _ => value.clone(),
            })
        },
        ("startswith", 1) => |_, value, args| match (value, &args[0]) {
            (Json::Text(text), Json::Text(start)) => Ok(Json::Bool(text.starts_with(&**start))),
            _ => Err("startswith() requires string inputs".to_owned()),
        },
        ("endswith", 1) => |_, value, args| match (value, &args[0]) {
            (Json::Text(text), Json::Text(end)) => Ok(Json::Bool(text.ends_with(&**end))),
            _ => Err("endswith() requires string inputs".to_owned()),
        },
        ("split", 1) => |_, value, args| match (value, &args[0]) {
            (Json::Text(text), Json::Text(separator)) => Ok(split(text, separator)),
            _ => Err("split input and separator must be strings".to_owned()),
        },
        ("split", 2) => |_, value, args| {
            let text = string(value, "split input must be a string")?;
            let regex = regex(&args[0], &args[1])?.0;
            let mut parts = Vec::new();
            let mut at = 0;
            for found in matches(&regex, &text, true) {
                let Some((from, to)) = found[0] else { continue };
                parts.push(Json::text(&text[at..from]));
                at = to;
            }
            parts.push(Json::text(&text[at..]));
            Ok(Json::array(parts))
        },
        ("explode", 0) => |_, value, _| {
            let text = string(value, "explode input must be a string")?;
            Ok(Json::array(
                text.chars()
                    .map(|c| Json::Number(f64::from(u32::from(c))))
                    .collect(),
            ))
        },
        ("implode", 0) => |_, value, _| {
            let Json::Array(items) = value else {
                return Err("implode input must be an array".to_owned());
            };
            let chars = items.iter().map(|item| match item {
                Json::Number(code) => char::from_u32(*code as u32).unwrap_or('\u{fffd}'),
                _ => '\u{fffd}',
            });
            Ok(Json::text(chars.collect::<String>()))
        },
        ("reverse", 0) => |_, value, _| match value {
            Json::Text(text) => Ok(Json::text(text.chars().rev().collect::<String>())),
            Json::Null => Ok(Json::array(Vec::new())),
            other => Ok(Json::array(
                list(other, "reversed")?.iter().rev().cloned().collect(),
            )),
        },
        ("sort", 0) => |_, value, _| {
            let mut items = list(value, "sorted")?;
            items.sort_by(Json::order);
            Ok(Json::array(items))
        },
        ("_sort_by", 1) => |_, value, args| {
            Ok(Json::array(
                by_keys(value, &args[0], "sorted")?
                    .into_iter()
                    .map(|(_, v)| v)
                    .collect(),
            ))
        },
        ("_group_by", 1) => |_, value, args| {
            let mut groups: Vec<(Json, Vec<Json>)> = Vec::new();
            for (key, item) in by_keys(value, &args[0], "grouped")? {
                match groups.last_mut() {
                    Some((last, group)) if *last == key => group.push(item),
                    _ => groups.push((key, vec![item])),
                }
            }
            Ok(Json::array(
                groups
                    .into_iter()
                    .map(|(_, group)| Json::array(group))
                    .collect(),
            ))
        },
        ("_min_by", 1) => |_, value, args| {
            Ok(by_keys(value, &args[0], "compared")?
                .into_iter()
                .next()
                .map_or(Json::Null, |(_, v)| v))
        },
        ("_max_by", 1) => |_, value, args| {
            Ok(by_keys(value, &args[0], "compared")?
                .pop()
                .map_or(Json::Null, |(_, v)| v))
        },
        ("min", 0) => |_, value, _| {
            let items = list(value, "compared")?;
            Ok(items
                .into_iter()
                .reduce(|a, b| if b.order(&a).is_lt() { b } else { a })
                .unwrap_or(Json::Null))
        },
        ("max", 0) => |_, value, _| {
            let items = list(value, "compared")?;
            Ok(items
                .into_iter()
                .reduce(|a, b| if b.order(&a).is_ge() { b } else { a })
                .unwrap_or(Json::Null))
        },
        ("flatten", 1) => |_, value, args| {
            let Json::Number(depth) = args[0] else {
                return Err("flatten depth must not be negative".to_owned());
            };
            if depth < 0.0 {
                return Err("flatten depth must not be negative".to_owned());
            }
            let mut out = Vec::new();
            flatten(&list(value, "flattened")?, depth, &mut out);
            Ok(Json::array(out))
        },
        ("transpose", 0) => |_, value, _| {
            let rows = list(value, "transposed")?;
            let width = rows
                .iter()
                .map(|row| children(row).map_or(0, |c| c.len()))
                .max()
                .unwrap_or(0);
            let column = |at: usize| {
                let cells: Result<Vec<Json>, String> = rows
                    .iter()
                    .map(|row| get(row, &Json::Number(at as f64)))
                    .collect();
                cells.map(Json::array)
            };
            Ok(Json::array(
                (0..width).map(column).collect::<Result<_, _>>()?,
            ))
        },
        ("indices", 1) => |_, value, args| match (value, &args[0]) {
            (Json::Null, _) => Ok(Json::Null),
            (Json::Text(text), Json::Text(part)) => {
                let chars: Vec<char> = text.chars().collect();
                let wanted: Vec<char> = part.chars().collect();
                let hits = (0..chars.len())
                    .filter(|at| !wanted.is_empty() && chars[*at..].starts_with(&wanted));
                Ok(Json::array(
                    hits.map(|at| Json::Number(at as f64)).collect(),
                ))
            }
            (Json::Array(_), part @ Json::Array(_)) => get(value, part),
            (Json::Array(items), part) => {
                let hits = items.iter().enumerate().filter(|(_, item)| *item == part);
                Ok(Json::array(
                    hits.map(|(at, _)| Json::Number(at as f64)).collect(),
                ))
            }
            (value, part) => Err(format!(
                "Cannot determine indices of {} in {}",
                part.kind(),
                value.kind()
            )),
        },
        ("setpath", 2) => |_, value, args| match &args[0] {
            Json::Array(keys) => set_path(value, keys, args[1].clone()),
            _ => Err("Path must be specified as an array".to_owned()),
        },
        ("delpaths", 1) => |_, value, args| {
            let all: Result<Vec<Vec<Json>>, String> = list(&args[0], "deleted")?
                .iter()
                .map(|path| match path {
                    Json::Array(keys) => Ok((**keys).clone()),
                    _ => Err("Path must be specified as an array".to_owned()),
                })
                .collect();
            paths::delete_paths(value, &all?)
        },
        ("floor", 0) => |_, value, _| on_number(value, f64::floor),
        ("ceil", 0) => |_, value, _| on_number(value, f64::ceil),
        ("round", 0) => |_, value, _| on_number(value, f64::round),
        ("trunc", 0) => |_, value, _| on_number(value, f64::trunc),
        ("fabs", 0) => |_, value, _| on_number(value, f64::abs),
        ("sqrt", 0) => |_, value, _| on_number(value, f64::sqrt),
        ("pow", 2) => |_, _, args| match (&args[0], &args[1]) {
            (Json::Number(base), Json::Number(exponent))
                if *exponent == exponent.trunc() && exponent.abs() <= 1024.0 =>
            {
                let product = (0..exponent.abs() as u32).fold(1.0, |product, _| product * base);
                Ok(Json::Number(if *exponent < 0.0 {
                    1.0 / product
                } else {
                    product
                }))
            }
            (Json::Number(_), Json::Number(_)) => {
                Err("not modelled: powers that are no whole number".to_owned())
            }
            _ => Err("number required".to_owned()),
        },
        ("infinite", 0) => |_, _, _| Ok(Json::Number(f64::INFINITY)),
        ("nan", 0) => |_, _, _| Ok(Json::Number(f64::NAN)),
        ("isinfinite", 0) => |_, value, _| {
            Ok(Json::Bool(
                matches!(value, Json::Number(n) if n.is_infinite()),
            ))
        },
        ("isnan", 0) => {
            |_, value, _| Ok(Json::Bool(matches!(value, Json::Number(n) if n.is_nan())))
        }
        ("isnormal", 0) => |_, value, _| {
            Ok(Json::Bool(
                matches!(value, Json::Number(n) if n.is_normal()),
            ))
        },
        ("test", 2) => |_, value, args| {
            let text = subject(value)?;
            Ok(Json::Bool(regex(&args[0], &args[1])?.0.is_match(&text)))
        },
        ("_match", 2) => |_, value, args| {
            let text = subject(value)?;
            let (regex, names, global) = regex(&args[0], &args[1])?;
            let all = matches(&regex, &text, global);
            Ok(Json::array(
                all.iter()
                    .map(|found| describe(&text, found, &names))
                    .collect(),
            ))
        },
        ("_scan", 2) => |_, value, args| {
            let text = subject(value)?;
            let regex = regex(&args[0], &args[1])?.0;
            let all = matches(&regex, &text, true);
            Ok(Json::array(
                all.iter().map(|found| scanned(&text, found)).collect(),
            ))
        },
        ("now", 0) => |run, _, _| Ok(Json::Number(run.now)),
        ("todateiso8601", 0) => |_, value, _| match value {
            Json::Number(secs) => Ok(Json::text(shell::date::format("%FT%TZ", *secs as i64, 0))),
            _ => Err("strftime/1 requires parsed datetime inputs".to_owned()),
        },
        ("fromdateiso8601", 0) => |_, value, _| {
            let text = string(value, "strptime/1 requires string inputs and arguments")?;
            match sim::Instant::parse_rfc3339(&text) {
                Some(at) => Ok(Json::Number(at.unix_secs() as f64)),
                None => Err(format!(
                    "date \"{text}\" does not match format \"%Y-%m-%dT%H:%M:%SZ\""
                )),
            }
        },
        ("strftime", 1) => |_, value, args| match (value, &args[0]) {
            (Json::Number(secs), Json::Text(format)) => {
                Ok(Json::text(shell::date::format(format, *secs as i64, 0)))
            }
            _ => Err("strftime/1 requires parsed datetime inputs".to_owned()),
        },
        ("input_line_number", 0) => |_, _, _| Ok(Json::Number(0.0)),
        ("builtins", 0) => |_, _, _| Ok(Json::array(Vec::new())),
        ("input_filename", 0) => |_, _, _| Ok(Json::Null),
        _ => return None,
    })
}

fn length(value: &Json) -> Result<Json, String> {
    Ok(Json::Number(match value {
        Json::Null => 0.0,
        Json::Bool(_) => return Err(format!("boolean ({}) has no length", value.compact())),
        Json::Number(number) => number.abs(),
        Json::Text(text) => text.chars().count() as f64,
        Json::Array(items) => items.len() as f64,
        Json::Object(fields) => fields.len() as f64,
    }))
}

fn keys(value: &Json, sorted: bool) -> Result<Json, String> {
    match value {
        Json::Object(fields) => {
            let mut keys: Vec<Rc<str>> = fields.iter().map(|(key, _)| key.clone()).collect();
            if sorted {
                keys.sort();
            }
            Ok(Json::array(keys.into_iter().map(Json::Text).collect()))
        }
        Json::Array(items) => Ok(Json::array(
            (0..items.len()).map(|at| Json::Number(at as f64)).collect(),
        )),
        other => Err(format!("{} ({}) has no keys", other.kind(), shown(other))),
    }
}

fn children(value: &Json) -> Result<Vec<Json>, String> {
    match value {
        Json::Null => Ok(Vec::new()),
        Json::Array(items) => Ok((**items).clone()),
        Json::Object(fields) => Ok(fields.iter().map(|(_, value)| value.clone()).collect()),
        other => Err(format!(
            "Cannot iterate over {} ({})",
            other.kind(),
            shown(other)
        )),
    }
}

fn list(value: &Json, what: &str) -> Result<Vec<Json>, String> {
    match value {
        Json::Array(items) => Ok((**items).clone()),
        other => Err(format!(
            "{} ({}) cannot be {what}, as it is not an array",
            other.kind(),
            shown(other)
        )),
    }
}

/// Items with their keys, in the order of the keys.
fn by_keys(value: &Json, keys: &Json, what: &str) -> Result<Vec<(Json, Json)>, String> {
    let items = list(value, what)?;
    let mut pairs: Vec<(Json, Json)> = list(keys, what)?.into_iter().zip(items).collect();
    pairs.sort_by(|(a, _), (b, _)| a.order(b));
    Ok(pairs)
}

fn contains(a: &Json, b: &Json) -> Result<bool, String> {
    Ok(match (a, b) {
        (Json::Object(_), Json::Object(fields)) => {
            for (key, value) in fields.iter() {
                match a.get(key) {
                    Some(own) if contains(own, value)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Json::Array(own), Json::Array(wanted)) => wanted.iter().all(|value| {
            own.iter()
                .any(|item| contains(item, value).unwrap_or(false))
        }),
        (Json::Text(text), Json::Text(part)) => text.contains(&**part),
        (a, b) if a.kind() == b.kind() => a == b,
        (a, b) => {
            return Err(format!(
                "{} ({}) and {} ({}) cannot have their containment checked",
                a.kind(),
                shown(a),
                b.kind(),
                shown(b)
            ));
        }
    })
}

fn flatten(items: &[Json], depth: f64, out: &mut Vec<Json>) {
    for item in items {
        match item {
            Json::Array(inner) if depth > 0.0 => flatten(inner, depth - 1.0, out),
            other => out.push(other.clone()),
        }
    }
}

fn on_text(value: &Json, name: &str, change: impl Fn(&str) -> String) -> Result<Json, String> {
    match value {
        Json::Text(text) => Ok(Json::text(change(text))),
        other => Err(match name {
            "trim" | "ltrim" | "rtrim" => {
                format!("{} ({}) cannot be trimmed", other.kind(), shown(other))
            }
            _ => format!("{name} input must be a string"),
        }),
    }
}

fn on_number(value: &Json, change: impl Fn(f64) -> f64) -> Result<Json, String> {
    match value {
        Json::Number(number) => Ok(Json::Number(change(*number))),
        other => Err(format!(
            "{} ({}) number required",
            other.kind(),
            shown(other)
        )),
    }
}

fn string(value: &Json, otherwise: &str) -> Result<Rc<str>, String> {
    match value {
        Json::Text(text) => Ok(text.clone()),
        _ => Err(otherwise.to_owned()),
    }
}

fn subject(value: &Json) -> Result<Rc<str>, String> {
    match value {
        Json::Text(text) => Ok(text.clone()),
        other => Err(format!(
            "{} ({}) cannot be matched, as it is not a string",
            other.kind(),
            shown(other)
        )),
    }
}

/// A regular expression with the names of its groups, and whether all matches are wanted. The
/// pattern may bring its flags along: `["a", "gi"]`.
fn regex(pattern: &Json, flags: &Json) -> Result<(Regex, Vec<Option<String>>, bool), String> {
    let (pattern, flags) = match (pattern, flags) {
        (Json::Array(pair), Json::Null) => (
            pair.first().cloned().unwrap_or(Json::Null),
            pair.get(1).cloned().unwrap_or(Json::Null),
        ),
        (pattern, flags) => (pattern.clone(), flags.clone()),
    };
    let Json::Text(text) = &pattern else {
        return Err(format!(
            "{} ({}) cannot be matched, as it is not a string",
            pattern.kind(),
            shown(&pattern)
        ));
    };
    let flags = if let Json::Text(flags) = &flags {
        flags.to_string()
    } else {
        String::new()
    };
    let mut prefix = String::new();
    for flag in flags.chars() {
        match flag {
            'g' | 'n' | 'l' => {}
            'i' => prefix.push('i'),
            'x' => prefix.push('x'),
            's' | 'p' => prefix.push('s'),
            other => return Err(format!("{other} is not a valid modifier string")),
        }
    }
    let full = if prefix.is_empty() {
        text.to_string()
    } else {
        format!("(?{prefix}){text}")
    };
    let regex = Regex::perl(&full, false)
        .map_err(|_| format!("{text} (at offset 0) is not a valid regex"))?;
    Ok((regex, group_names(text), flags.contains('g')))
}

/// The names of the groups of an expression, in order.
fn group_names(text: &str) -> Vec<Option<String>> {
    let mut names = Vec::new();
    let mut escaped = false;
    let mut bracket = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => bracket = true,
            ']' => bracket = false,
            '(' if !bracket => {
                let rest = &text[at + 1..];
                match rest.strip_prefix('?') {
                    None => names.push(None),
                    Some(rest) => {
                        let rest = rest.strip_prefix('P').unwrap_or(rest);
                        if let Some((name, _)) =
                            rest.strip_prefix('<').and_then(|rest| rest.split_once('>'))
                        {
                            names.push(Some(name.to_owned()));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    names
}

fn matches(regex: &Regex, text: &str, all: bool) -> Vec<Vec<shell::regex::Span>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at <= text.len() {
        let Some(groups) = regex.captures(text, at) else {
            break;
        };
        let Some((from, to)) = groups[0] else { break };
        found.push(groups);
        if !all {
            break;
        }
        at = if to > from {
            to
        } else {
            to + text[to..].chars().next().map_or(1, char::len_utf8)
        };
    }
    found
}

fn describe(text: &str, groups: &[shell::regex::Span], names: &[Option<String>]) -> Json {
    let part = |span: &shell::regex::Span| match span {
        Some((from, to)) => vec![
            (
                "offset".into(),
                Json::Number(text[..*from].chars().count() as f64),
            ),
            (
                "length".into(),
                Json::Number(text[*from..*to].chars().count() as f64),
            ),
            ("string".into(), Json::text(&text[*from..*to])),
        ],
        None => vec![
            ("offset".into(), Json::Number(-1.0)),
            ("length".into(), Json::Number(0.0)),
            ("string".into(), Json::Null),
        ],
    };
    let captures = groups[1..].iter().enumerate().map(|(at, span)| {
        let mut fields: Vec<(Rc<str>, Json)> = part(span);
        let name = names.get(at).cloned().flatten();
        fields.push(("name".into(), name.map_or(Json::Null, Json::text)));
        Json::Object(Rc::new(fields))
    });
    let captures: Vec<Json> = captures.collect();
    let mut fields: Vec<(Rc<str>, Json)> = part(&groups[0]);
    fields.push(("captures".into(), Json::array(captures)));
    Json::Object(Rc::new(fields))
}

fn scanned(text: &str, groups: &[shell::regex::Span]) -> Json {
    let part = |span: &shell::regex::Span| {
        span.map_or(Json::Null, |(from, to)| Json::text(&text[from..to]))
    };
    if groups.len() == 1 {
        part(&groups[0])
    } else {
        Json::array(groups[1..].iter().map(part).collect())
    }
}

/// `sub(pattern; with; flags)`: the replacement sees the named groups.
fn substitute(
    run: &mut Run,
    (pattern, with, flags): (&Filter, &Filter, &Filter),
    input: &Item,
    env: &Env,
    sink: Sink<'_>,
) -> Flow {
    run.values(flags, input, env, &mut |run, flags| {
        run.values(pattern, input, env, &mut |run, pattern| {
            let text = subject(&input.value).map_err(error)?;
            let (regex, names, all) = regex(&pattern, &flags).map_err(error)?;
            let mut out = String::new();
            let mut at = 0;
            for groups in matches(&regex, &text, all) {
                let Some((from, to)) = groups[0] else {
                    continue;
                };
                let named = groups[1..].iter().zip(&names).filter_map(|(span, name)| {
                    let value = span.map_or(Json::Null, |(from, to)| Json::text(&text[from..to]));
                    name.as_ref().map(|name| (Rc::from(name.as_str()), value))
                });
                let captures = Json::Object(Rc::new(named.collect()));
                let mut new = None;
                run.values(with, &Item::plain(captures), env, &mut |_, value| {
                    new.get_or_insert(value);
                    Ok(())
                })?;
                out.push_str(&text[at..from]);
                match new {
                    Some(Json::Text(new)) => out.push_str(&new),
                    Some(other) => {
                        return Err(error(format!(
                            "{} ({}) cannot be added to a string",
                            other.kind(),
                            shown(&other)
                        )));
                    }
                    None => {}
                }
                at = to;
            }
            out.push_str(&text[at..]);
            sink(run, input.made(Json::text(out))?)
        })
    })
}
