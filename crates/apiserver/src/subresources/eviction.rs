//! Deleting a pod politely: only if no disruption budget forbids it.
//!
//! Models pkg/registry/core/pod/storage/eviction.go.

use api::kinds::Kind;
use api::{Status, Value, body_value, object, status};

use crate::delete::DeleteOptions;
use crate::effect::Cx;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, Write};

impl ApiServer {
    /// A client asks for a pod's eviction.
    pub(crate) fn begin_evict(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let eviction = body_value(&ask.request.body)
            .map_err(|error| status::bad_request(error.message.to_string()))?;
        let name = eviction.name();
        if !name.is_empty() && name != ask.info.name {
            return Err(status::bad_request(
                "name in URL does not match name in Eviction object",
            ));
        }
        let options = DeleteOptions::of_object(eviction.get("deleteOptions"));
        let dry_run = options.dry_run;
        let mut write = Write::of(cx, ask, kind, resource, Deed::Evict(options));
        write.dry_run |= dry_run;
        self.attempt(cx, write);
        Ok(())
    }
}

/// Refuses an eviction that a disruption budget forbids. Pods that have ended or are on their way
/// out are nobody's business.
pub(crate) fn check(server: &ApiServer, pod: &Value) -> Result<(), Status> {
    let ended = matches!(
        pod.str_at("status.phase"),
        "Succeeded" | "Failed" | "Pending"
    );
    if ended || pod.is_terminating() {
        return Ok(());
    }
    let Some(budgets) = server.resources.named("policy", "poddisruptionbudgets") else {
        return Ok(());
    };
    for entry in crate::cache::in_namespace(budgets.cache.objects(), pod.namespace(), "") {
        let budget = &entry.value;
        let selector = api::selector::LabelSelector::from_object(budget.at("spec.selector"));
        let matches = selector.is_ok_and(|selector| selector.matches(pod.labels()));
        if matches && budget.i64_at("status.disruptionsAllowed").unwrap_or(0) <= 0 {
            let mut status = status::too_many_requests(
                "Cannot evict pod as it would violate the pod's disruption budget.",
                0,
            );
            let healthy = budget.i64_at("status.currentHealthy").unwrap_or(0);
            let desired = budget.i64_at("status.desiredHealthy").unwrap_or(0);
            let message = format!(
                "The disruption budget {} needs {desired} healthy pods and has {healthy} currently",
                budget.name()
            );
            status = status.causes(vec![
                object! { "reason": "DisruptionBudget", "message": message },
            ]);
            return Err(status);
        }
    }
    Ok(())
}

/// The answer to an eviction.
pub(crate) fn done() -> Value {
    object! {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": 201,
    }
}
