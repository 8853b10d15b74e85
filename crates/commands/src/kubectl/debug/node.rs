//! A pod on a node, with the node's own files in it.

use api::{Value, object};
use net::http::Method;

use super::profile::Style;
use super::{Wish, customize, equip, suffix};
use crate::kubectl::failure::Outcome;
use crate::kubectl::session::{Call, Session};

/// Makes the pod; gives it and the name of its container.
pub(super) async fn debug(
    session: &Session,
    wish: &Wish<'_>,
    node: &Value,
) -> Outcome<(Value, String)> {
    let line = wish.line;
    let name = match line.text("container") {
        "" => "debugger",
        name => name,
    };
    let own = node.name();
    let pod_name = format!("node-debugger-{own}-{}", suffix(session).await);
    if !line.on("quiet") {
        let note =
            format!("Creating debugging pod {pod_name} with container {name} on node {own}.\n");
        session.io.print(&note).await;
    }
    let mut container = object!({
        "name": (name),
        "resources": {},
        "terminationMessagePolicy": "File",
    });
    equip(&mut container, wish)?;
    let mut pod = object!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "labels": { "app.kubernetes.io/managed-by": "kubectl-debug" },
            "name": (pod_name),
        },
        "spec": {
            "nodeName": (own),
            "restartPolicy": "Never",
            "tolerations": [{ "operator": "Exists" }],
        },
    });
    wish.profile
        .apply(&mut pod, &mut container, Style::Node, line);
    customize(&mut container, wish)?;
    pod.set("spec.containers", Value::from(vec![container]));
    let path = format!("/api/v1/namespaces/{}/pods", session.namespace);
    let made = session.call(Call::send(Method::Post, path, pod)).await?;
    Ok((made, name.to_owned()))
}
