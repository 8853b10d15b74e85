//! What is wrong with the resources that a container or a pod asks for.
//!
//! Models `ValidateContainerResourceRequirements` and `validatePodResources` of
//! pkg/apis/core/validation/validation.go.

use crate::Value;
use crate::field::{FieldError, Path};
use crate::kinds::check::Errors;
use crate::kinds::resource_name;
use crate::kinds::support::resources;
use crate::quantity::Quantity;

/// What is wrong with the resources at `path` of a container whose pod has these claims.
pub(super) fn of_container(of: &Value, claims: &[Value], path: &Path<'_>, out: &mut Errors) {
    amounts(
        of,
        |name, path, out| resource_name::of_container(name, path, out),
        path,
        out,
    );
    let list_path = path.child("claims");
    let names = of.list_at("claims");
    for (i, claim) in names.iter().enumerate() {
        let (name, path) = (claim.str("name"), list_path.index(i));
        let same = |other: &Value| {
            other.str("name") == name && other.str("request") == claim.str("request")
        };
        if name.is_empty() {
            out.push(FieldError::required(path, ""));
        } else if names[..i].iter().any(same) {
            out.push(FieldError::duplicate(path, name));
        } else if !claims.iter().any(|known| known.str("name") == name) {
            out.push(FieldError::not_found(path, name));
        }
    }
}

/// What is wrong with the resources of the whole pod whose spec is at `path`.
pub(super) fn of_pod(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let (of, path) = (spec.get("resources"), path.child("resources"));
    if of.is_null() {
        return;
    }
    if of.has("claims") {
        let text = "claims cannot be set for Resources at pod-level";
        out.push(FieldError::forbidden(path.child("claims"), text));
    }
    amounts(
        of,
        |name, path, out| resource_name::of_pod(name, path, out),
        &path,
        out,
    );
    let requests_path = path.child("requests");
    for (name, sum) in resources::of_containers(spec, "requests") {
        let own = Quantity::of(of.get("requests").get(&name)).unwrap_or_default();
        if sum > own {
            let text =
                format!("must be greater than or equal to aggregate container requests of {sum}");
            out.push(FieldError::invalid(
                requests_path.key(&name),
                own.to_string(),
                text,
            ));
        }
    }
    let list_path = path.child("containers");
    for (i, container) in spec.list_at("containers").iter().enumerate() {
        for (name, amount) in container.map_at("resources.limits") {
            let both = Quantity::of(amount).zip(Quantity::of(of.get("limits").get(name)));
            if let Some((limit, of_pod)) = both.filter(|(limit, of_pod)| limit > of_pod) {
                let text = format!("must be less than or equal to pod limits of {of_pod}");
                let path = list_path.index(i);
                let path = path.key(name);
                out.push(FieldError::invalid(
                    path.child("limits"),
                    limit.to_string(),
                    text,
                ));
            }
        }
    }
}

/// A rule about the name of a resource.
type Rule = fn(&str, &Path<'_>, &mut Errors);

fn amounts(of: &Value, rule: Rule, path: &Path<'_>, out: &mut Errors) {
    let (limits, limits_path) = (of.map_at("limits"), path.child("limits"));
    for (name, amount) in limits {
        resource(name, amount, rule, &limits_path.key(name), out);
    }
    let (requests, requests_path) = (of.map_at("requests"), path.child("requests"));
    for (name, amount) in requests {
        resource(name, amount, rule, &requests_path.key(name), out);
        let (request, shared) = (Quantity::of(amount), resource_name::can_be_shared(name));
        let limit = limits.get(name).and_then(Quantity::of);
        let text = match (&request, &limit) {
            (Some(request), Some(limit)) if request != limit && !shared => {
                format!("must be equal to {name} limit of {limit}")
            }
            (Some(request), Some(limit)) if request > limit => {
                format!("must be less than or equal to {name} limit of {limit}")
            }
            (_, None) if !shared => {
                let text = "Limit must be set for non overcommitable resources";
                out.push(FieldError::required(limits_path, text));
                continue;
            }
            _ => continue,
        };
        let request = request.map(|request| request.to_string());
        out.push(FieldError::invalid(
            requests_path,
            request.unwrap_or_default(),
            text,
        ));
    }
    let named = |wanted: fn(&str) -> bool| {
        let mut names = limits.into_iter().chain(requests).map(|(name, _)| name);
        names.any(|name| wanted(name))
    };
    if named(|name| name.starts_with("hugepages-"))
        && !named(|name| matches!(name, "cpu" | "memory"))
    {
        out.push(FieldError::forbidden(
            path,
            "HugePages require cpu or memory",
        ));
    }
}

fn resource(name: &str, amount: &Value, rule: Rule, path: &Path<'_>, out: &mut Errors) {
    rule(name, path, out);
    resource_name::amount(name, amount, *path, out);
    if let Some((page, amount)) = resource_name::page_size(name).zip(Quantity::of(amount))
        && (amount.sign() <= 0 || amount.milli() % page.milli() != 0)
    {
        let amount = amount.to_string();
        let text = format!("{amount} is not positive integer multiple of {name}");
        out.push(FieldError::invalid(path, amount, text));
    }
}
