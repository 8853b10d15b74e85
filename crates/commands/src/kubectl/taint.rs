//! `kubectl taint`.
//!
//! Models kubectl/pkg/cmd/taint/taint.go and utils.go.

use api::{Value, object};

use super::Verb;
use super::act::{self, DryRun, Found, MERGE, STRATEGIC, done, dry_run, find_in_order};
use super::failure::{Failure, Outcome, report};
use super::flags::{Flag, Line, switch};
use super::session::Session;

const FLAGS: &[Flag] = &[
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    act::ALL,
    act::MANAGER,
    switch("overwrite"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "taint",
    summary: "Update the taints on one or more nodes",
    usage: "kubectl taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N \
            [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(taint(session, line)),
};

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// What a command line asks for. An effect to remove may be empty: all of the key's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    add: Vec<Taint>,
    remove: Vec<Taint>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

async fn taint(session: &Session, line: &Line) -> Outcome {
    let is_taint = |arg: &String| arg.contains(['=', ':']) || arg.ends_with('-');
    let first = line.args.iter().position(is_taint);
    let (objects, changes) = line.args.split_at(first.unwrap_or(line.args.len()));
    if objects.is_empty() {
        return Err(Failure::message(
            "one or more resources must be specified as <resource> <name>",
        ));
    }
    if let Some(late) = changes.iter().find(|arg| !is_taint(arg)) {
        return Err(Failure::message(format!(
            "all resources must be specified before taint changes: {late}"
        )));
    }
    if changes.is_empty() {
        return Err(Failure::message("at least one taint update is required"));
    }
    let wanted = read(changes).map_err(|why| Failure::hint(line, &why))?;
    refuse(session, line, objects, &wanted).await?;
    let mut failures = Vec::new();
    for node in find_in_order(session, line, objects).await? {
        let done = match node {
            Ok(node) => one(session, line, &node, &wanted).await,
            Err(failure) => Err(failure),
        };
        failures.extend(done.err());
    }
    report(session, failures).await
}

/// What cannot be meant.
async fn refuse(session: &Session, line: &Line, objects: &[String], wanted: &Wanted) -> Outcome {
    let kind = objects[0].to_lowercase();
    let discovery = session.discovery().await?;
    let Some(resource) = discovery.find(&kind) else {
        return Err(Failure::Plain(format!(
            "the server doesn't have a resource type {kind:?}"
        )));
    };
    if resource.kind != "Node" {
        return Err(Failure::message(format!(
            "invalid resource type {kind}, only node types are supported"
        )));
    }
    let comes = |gone: &&Taint| {
        let is = |new: &Taint| new.key == gone.key && ["", &new.effect].contains(&&*gone.effect);
        wanted.add.iter().any(is)
    };
    let both = wanted.remove.iter().filter(comes);
    let both: Vec<String> = both
        .map(|gone| format!("{}={}", gone.key, gone.effect))
        .collect();
    let selected = !line.text("selector").is_empty();
    let why = if !both.is_empty() {
        format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            both.join(", ")
        )
    } else if line.on("all") && selected {
        "setting 'all' parameter with a non empty selector is prohibited".to_owned()
    } else if !line.on("all") && !selected && objects.len() < 2 {
        "at least one resource name must be specified since 'all' parameter is not set".to_owned()
    } else {
        return Ok(());
    };
    Err(Failure::message(why))
}

async fn one(session: &Session, line: &Line, node: &Found, wanted: &Wanted) -> Outcome {
    let old = read_node(&node.value);
    let (taints, what) = wanted
        .apply(node.value.name(), &old, line.on("overwrite"))
        .map_err(Failure::Message)?;
    let list: Vec<Value> = taints.iter().map(Taint::value).collect();
    let list = match list.is_empty() {
        true => Value::Null,
        false => Value::from(list),
    };
    let body = object!({ "spec": { "taints": (list) } });
    let patched = match dry_run(line)? {
        DryRun::Client => act::patched_here(&node.value, MERGE, &body)?,
        _ => act::patch(session, line, node, STRATEGIC, body, "kubectl-taint").await?,
    };
    // What is done for a trial is told of as if it were done.
    done(session, line, DryRun::None, &patched, what).await
}

/// Reads `KEY=VALUE:EFFECT`, `KEY:EFFECT`, `KEY:EFFECT-` and `KEY-`.
fn read(changes: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    for change in changes {
        let (text, removes) = match change.strip_suffix('-') {
            Some(text) => (text, true),
            None => (change.as_str(), false),
        };
        if text.matches(':').count() > 1 {
            return Err(invalid(change, &[]));
        }
        let (pair, effect) = match text.split_once(':') {
            Some((pair, effect)) => (pair, effect),
            None if removes => (text, ""),
            None => return Err(invalid(change, &api::names::qualified_name(text))),
        };
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if value.contains('=') || effect.contains(':') {
            return Err(invalid(change, &[]));
        }
        let wrong = api::names::label_value(value);
        if !wrong.is_empty() {
            return Err(invalid(text, &wrong));
        }
        let wrong = api::names::qualified_name(key);
        if !removes && !wrong.is_empty() {
            return Err(invalid(change, &wrong));
        }
        if !(effect.is_empty() && removes || EFFECTS.contains(&effect)) {
            return Err(format!(
                "invalid taint effect: {effect}, unsupported taint effect"
            ));
        }
        let taint = Taint {
            key: key.to_owned(),
            value: value.to_owned(),
            effect: effect.to_owned(),
        };
        if removes {
            wanted.remove.push(taint);
        } else if wanted.add.iter().any(|other| other.is_like(&taint)) {
            return Err(format!(
                "duplicated taints with the same key and effect: {{{key} {value} {effect} <nil>}}"
            ));
        } else {
            wanted.add.push(taint);
        }
    }
    Ok(wanted)
}

fn invalid(change: &str, wrong: &[String]) -> String {
    let why = match wrong {
        [] => String::new(),
        wrong => format!(", {}", wrong.join("; ")),
    };
    format!("invalid taint spec: {change}{why}")
}

fn read_node(node: &Value) -> Vec<Taint> {
    let text = |taint: &Value, key: &str| taint.str_at(key).to_owned();
    node.list_at("spec.taints")
        .iter()
        .map(|taint| Taint {
            key: text(taint, "key"),
            value: text(taint, "value"),
            effect: text(taint, "effect"),
        })
        .collect()
}

impl Taint {
    fn is_like(&self, other: &Taint) -> bool {
        self.key == other.key && self.effect == other.effect
    }

    fn value(&self) -> Value {
        let mut value = object!({ "effect": (self.effect.as_str()), "key": (self.key.as_str()) });
        if !self.value.is_empty() {
            value.set("value", self.value.as_str());
        }
        value
    }
}

impl Wanted {
    /// The taints of a node afterwards, and the word for what was done.
    fn apply(
        &self,
        node: &str,
        old: &[Taint],
        overwrite: bool,
    ) -> Result<(Vec<Taint>, &'static str), String> {
        let clashes = |taint: &&Taint| old.iter().any(|other| other.is_like(taint));
        let clash: Vec<&str> = self
            .add
            .iter()
            .filter(clashes)
            .map(|t| t.key.as_str())
            .collect();
        if !overwrite && !clash.is_empty() {
            return Err(format!(
                "node {node} already has {} taint(s) with same effect(s) and --overwrite is false",
                clash.join(",")
            ));
        }
        let mut taints = self.add.clone();
        let kept = old
            .iter()
            .filter(|taint| !self.add.iter().any(|new| new.is_like(taint)));
        taints.extend(kept.cloned());
        let added = taints.len() != old.len();
        let mut missing = Vec::new();
        for gone in &self.remove {
            let before = taints.len();
            taints.retain(|taint| {
                taint.key != gone.key || !gone.effect.is_empty() && taint.effect != gone.effect
            });
            if taints.len() == before {
                let effect = match gone.effect.as_str() {
                    "" => String::new(),
                    effect => format!(":{effect}"),
                };
                missing.push(format!("taint \"{}{effect}\" not found", gone.key));
            }
        }
        match missing.as_slice() {
            [] => {}
            [one] => return Err(one.clone()),
            many => return Err(format!("[{}]", many.join(", "))),
        }
        let what = match (added, !self.remove.is_empty()) {
            _ if overwrite => "modified",
            (true, true) => "modified",
            (true, false) => "tainted",
            (false, _) => "untainted",
        };
        Ok((taints, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: [(&str, &str, &str); 2] = [("a", "1", "NoSchedule"), ("b", "", "NoExecute")];

    #[track_caller]
    fn check(changes: &str, overwrite: bool, expect: Result<(&str, &str), &str>) {
        let words: Vec<String> = changes.split(' ').map(str::to_owned).collect();
        let old = OLD.map(|(key, value, effect)| Taint {
            key: key.into(),
            value: value.into(),
            effect: effect.into(),
        });
        let found = read(&words).and_then(|wanted| wanted.apply("n", &old, overwrite));
        let shown = found.map(|(taints, what)| {
            let text = |t: &Taint| format!("{}={}:{}", t.key, t.value, t.effect);
            let all: Vec<String> = taints.iter().map(text).collect();
            (all.join(" "), what.to_owned())
        });
        let expect = expect.map(|(taints, what)| (taints.to_owned(), what.to_owned()));
        assert_eq!(shown, expect.map_err(str::to_owned));
    }

    #[test]
    fn taints_come_and_go() {
        let both = "a=1:NoSchedule b=:NoExecute";
        check(
            "c=2:NoSchedule",
            false,
            Ok((&format!("c=2:NoSchedule {both}"), "tainted")),
        );
        check("a-", false, Ok(("b=:NoExecute", "untainted")));
        check("a:NoSchedule- b-", false, Ok(("", "untainted")));
        check(
            "c:NoExecute a-",
            false,
            Ok(("c=:NoExecute b=:NoExecute", "modified")),
        );
        check(
            "a=2:NoSchedule",
            true,
            Ok(("a=2:NoSchedule b=:NoExecute", "modified")),
        );
        check(
            "a=2:NoSchedule",
            false,
            Err("node n already has a taint(s) with same effect(s) and --overwrite is false"),
        );
        check("x-", false, Err("taint \"x\" not found"));
        check(
            "x- a:NoExecute-",
            false,
            Err("[taint \"x\" not found, taint \"a:NoExecute\" not found]"),
        );
        check(
            "a=b:Bogus",
            false,
            Err("invalid taint effect: Bogus, unsupported taint effect"),
        );
        check(
            "a=b",
            false,
            Err(
                "invalid taint spec: a=b, name part must consist of alphanumeric characters, '-', '_' \
                 or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or \
                 'my.name',  or '123-abc', regex used for validation is \
                 '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            ),
        );
        check(
            "a=b:NoSchedule:x",
            false,
            Err("invalid taint spec: a=b:NoSchedule:x"),
        );
    }
}
