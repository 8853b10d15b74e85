//! Questions to the authorizer: `authorizer.group('').resource('pods').check('create').allowed()`.
//!
//! Models k8s.io/apiserver/pkg/cel/library/authz.go. Selectors are taken and do not count: no
//! authorizer here looks at them.

use std::rc::Rc;

use super::{Function, method, no_overload};
use crate::cel::eval::Meter;
use crate::cel::opaque::Stage;
use crate::cel::{Access, EvalError, Opaque, Val};
use crate::{Str, names};

pub(super) const FUNCTIONS: &[Function] = &[
    method("path", 1, 1, |m, args| step(m, args, "path")),
    method("group", 1, 1, |m, args| step(m, args, "group")),
    method("serviceAccount", 2, 2, service_account),
    method("resource", 1, 1, |m, args| step(m, args, "resource")),
    method("subresource", 1, 1, |m, args| step(m, args, "subresource")),
    method("namespace", 1, 1, |m, args| step(m, args, "namespace")),
    method("name", 1, 1, |m, args| step(m, args, "name")),
    method("fieldSelector", 1, 1, |m, args| {
        step(m, args, "fieldSelector")
    }),
    method("labelSelector", 1, 1, |m, args| {
        step(m, args, "labelSelector")
    }),
    method("check", 1, 1, |m, args| step(m, args, "check")),
    method("allowed", 0, 0, |_, args| Ok(Val::Bool(decision(args)?.0))),
    method("reason", 0, 0, |_, args| Ok(Val::from(decision(args)?.1))),
    method("errored", 0, 0, |_, args| {
        decision(args).map(|_| Val::Bool(false))
    }),
    method("error", 0, 0, |_, args| {
        decision(args).map(|_| Val::from(""))
    }),
];

type Done = Result<Val, EvalError>;

/// What one question to the authorizer costs.
const CHECK_STEPS: usize = 350_000;

fn access(args: &[Val]) -> Result<&Access, EvalError> {
    match &args[0] {
        Val::Opaque(of) => match &**of {
            Opaque::Access(access) => Ok(access),
            _ => no_overload(),
        },
        _ => no_overload(),
    }
}

fn decision(args: &[Val]) -> Result<(bool, String), EvalError> {
    match &access(args)?.stage {
        Stage::Decision(allowed, reason) => Ok((*allowed, reason.clone())),
        _ => no_overload(),
    }
}

fn text(args: &[Val], at: usize) -> Result<Str, EvalError> {
    match &args[at] {
        Val::Str(text) => Ok(text.clone()),
        _ => no_overload(),
    }
}

fn step(meter: &mut Meter, args: &[Val], name: &str) -> Done {
    let mut access = access(args)?.clone();
    let text = text(args, 1)?;
    let empty = text.trim().is_empty() && matches!(name, "path" | "resource" | "check");
    if empty {
        let name = if name == "check" { "verb" } else { name };
        return Err(EvalError::new(format!("{name} must not be empty")));
    }
    let ask = &mut access.ask;
    let stage = match (name, &access.stage) {
        ("path", Stage::Authorizer) => {
            ask.path = Some(text);
            Stage::Path
        }
        ("group", Stage::Authorizer) => {
            ask.group = text;
            Stage::Group
        }
        ("resource", Stage::Group) => {
            ask.resource = text;
            Stage::Resource
        }
        ("check", Stage::Resource | Stage::Path) => {
            meter.charge(CHECK_STEPS)?;
            ask.verb = text;
            let (allowed, reason) = access.authorizer.decide(ask);
            Stage::Decision(allowed, reason)
        }
        (_, Stage::Resource) => {
            match name {
                "subresource" => ask.subresource = text,
                "namespace" => ask.namespace = text,
                "name" => ask.name = text,
                _ => {}
            }
            Stage::Resource
        }
        _ => return no_overload(),
    };
    access.stage = stage;
    Ok(Val::Opaque(Rc::new(Opaque::Access(access))))
}

fn service_account(_: &mut Meter, args: &[Val]) -> Done {
    let mut access = access(args)?.clone();
    let (namespace, name) = (text(args, 1)?, text(args, 2)?);
    if access.stage != Stage::Authorizer {
        return no_overload();
    }
    if !names::dns1123_label(&namespace).is_empty() {
        let text = format!("Invalid service account namespace {:?}", &*namespace);
        return Err(EvalError::new(text));
    }
    if !names::dns1123_subdomain(&name).is_empty() {
        let text = format!("Invalid service account name {:?}", &*name);
        return Err(EvalError::new(text));
    }
    access.ask.account = Some((namespace, name));
    Ok(Val::Opaque(Rc::new(Opaque::Access(access))))
}
