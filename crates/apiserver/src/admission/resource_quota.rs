//! What an object uses is charged to the quotas of its namespace before it is written; what they do not
//! allow is refused. A quota is charged by a write of its own, so that two objects never use the same
//! room; the object follows when that is done.
//!
//! Models k8s.io/apiserver/pkg/admission/plugin/resourcequota.

use api::kinds::support::quota::{self, Amounts};
use api::kinds::{self, find};
use api::{Map, Quantity, Status, Str, Value};
use sim::Instant;
use std::rc::Rc;

use super::Plugin;
use crate::authn::User;
use crate::cache;
use crate::create::SERVER;
use crate::effect::Cx;
use crate::server::ApiServer;
use crate::write::{Deed, Origin, Write};

/// What is to be charged to one quota.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    quota: Str,
    amounts: Amounts,
}

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "ResourceQuota",
    charge,
    ..Plugin::PLAIN
};

fn charge(
    server: &ApiServer,
    now: Instant,
    write: &Write,
    object: &Value,
    old: Option<&Value>,
) -> Result<Option<Charge>, Status> {
    let kind = write.stored_kind();
    let charged = old.is_none() || quota::charges_updates(kind);
    if !charged || !write.subresource.is_empty() || !quota::is_countable(kind) {
        return Ok(None);
    }
    let known = server.resources.named("", "resourcequotas");
    let Some(quotas) = known.filter(|known| !known.cache.objects().is_empty()) else {
        return Ok(None);
    };
    let mut used: Option<Amounts> = None;
    let mut next = None;
    for entry in cache::in_namespace(quotas.cache.objects(), &write.namespace, "") {
        let quota = &entry.value;
        let hard = quota.map_at("status.hard");
        let done = write.charged.iter().any(|name| **name == *quota.name());
        if done || !quota::applies(kind, quota, hard, object) {
            continue;
        }
        quota::constraints(kind, hard, object)
            .map_err(|why| format!("failed quota: {}: {why}", quota.name()))
            .and_then(|()| is_counted(kind, quota))
            .map_err(|why| write.forbidden(why))?;
        let used = used.get_or_insert_with(|| difference(kind, object, old, now));
        let mut amounts = used.clone();
        amounts.retain(|name, _| hard.contains_key(name));
        if amounts.is_empty() {
            continue;
        }
        exceeded(quota, &amounts).map_err(|why| write.forbidden(why))?;
        if next.is_none() {
            let quota = Str::from(quota.name());
            next = Some(Charge { quota, amounts });
        }
    }
    Ok(next.filter(|_| !write.dry_run))
}

/// What an object uses more than the one it replaces.
fn difference(kind: &kinds::Kind, object: &Value, old: Option<&Value>, now: Instant) -> Amounts {
    let mut used = quota::usage(kind, object, now);
    if let Some(old) = old {
        for (name, amount) in quota::usage(kind, old, now) {
            *used.entry(name).or_default() -= amount;
        }
    }
    used.retain(|_, amount| amount.sign() > 0);
    used
}

/// Whether what is limited has been counted, which the quota controller does first.
fn is_counted(kind: &kinds::Kind, quota: &Value) -> Result<(), String> {
    let used = quota.map_at("status.used");
    let hard = quota.map_at("status.hard").keys();
    let unknown: Vec<&str> = hard
        .map(Str::as_str)
        .filter(|name| quota::charges(kind, name) && !used.contains_key(name))
        .collect();
    match unknown.as_slice() {
        [] => Ok(()),
        unknown => Err(format!(
            "status unknown for quota: {}, resources: {}",
            quota.name(),
            unknown.join(",")
        )),
    }
}

/// Whether a quota has no room for the amounts.
fn exceeded(quota: &Value, amounts: &Amounts) -> Result<(), String> {
    let of = |field: &Map, name: &str| field.get(name).and_then(Quantity::of).unwrap_or_default();
    let (used, hard) = (quota.map_at("status.used"), quota.map_at("status.hard"));
    let over: Vec<(&Str, &Quantity)> = amounts
        .iter()
        .filter(|(name, amount)| of(used, name) + **amount > of(hard, name))
        .collect();
    if over.is_empty() {
        return Ok(());
    }
    let list = |amount: &dyn Fn(&str, &Quantity) -> Quantity| {
        let all = over
            .iter()
            .map(|(name, asked)| format!("{name}={}", amount(name, asked)));
        all.collect::<Vec<String>>().join(",")
    };
    Err(format!(
        "exceeded quota: {}, requested: {}, used: {}, limited: {}",
        quota.name(),
        list(&|_, asked| *asked),
        list(&|name, _| of(used, name)),
        list(&|name, _| of(hard, name))
    ))
}

/// A quota with the amounts charged.
///
/// # Errors
/// There is no room any more.
pub(crate) fn charged(write: &Write, quota: &Value, amounts: &Amounts) -> Result<Value, Status> {
    exceeded(quota, amounts).map_err(|why| write.conflict(why))?;
    let mut used = quota::amounts(quota.map_at("status.used"));
    quota::add(&mut used, amounts);
    let mut quota = quota.clone();
    quota.set("status.used", quota::to_value(&used));
    Ok(quota)
}

impl ApiServer {
    /// Charges a quota; the write follows when that is done.
    pub(crate) fn charge_quota(&mut self, cx: &mut Cx<'_>, write: Box<Write>, charge: Charge) {
        let kind = find("", "v1", "resourcequotas").expect("a built-in kind");
        let resource = self.resources.of_kind(kind).expect("it has objects");
        let charge = Write {
            origin: Origin::Charge(write.clone()),
            user: Rc::new(User::server()),
            manager: SERVER.into(),
            kind,
            resource,
            name: charge.quota,
            subresource: "status",
            deed: Deed::Charge(charge.amounts),
            warnings: Vec::new(),
            notes: Vec::new(),
            charged: Vec::new(),
            begun: None,
            tries: 0,
            sent: None,
            ..*write
        };
        self.attempt(cx, Box::new(charge));
    }

    /// A quota was charged, or not: where others were quicker or it is gone, the write is planned anew.
    pub(crate) fn quota_charged(
        &mut self,
        cx: &mut Cx<'_>,
        quota: &Str,
        write: &Write,
        result: Result<(u16, Value), Status>,
    ) {
        let mut write = Box::new(write.clone());
        match result {
            Ok(_) => write.charged.push(quota.clone()),
            Err(status) if matches!(status.code, 404 | 409) && !write.is_tired() => {
                write.tries += 1
            }
            Err(status) => return self.finish(cx, &write, Err(status)),
        }
        self.attempt(cx, write);
    }
}
