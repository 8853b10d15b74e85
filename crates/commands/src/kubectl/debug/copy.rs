//! A changed copy of a pod.

use api::{Value, object};
use net::http::Method;

use super::profile::Style;
use super::{Wish, container_name, customize, equip};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::session::{Call, Session};

/// Makes the copy; gives it, and the name of its debugging container, if it has one.
pub(super) async fn debug(
    session: &Session,
    wish: &Wish<'_>,
    pod: &Value,
) -> Outcome<(Value, String)> {
    let line = wish.line;
    let mut copy = object!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": (line.text("copy-to")), "namespace": (pod.namespace()) },
        "spec": (pod.get("spec").clone()),
    });
    copy.remove("spec.ephemeralContainers");
    if line.has("share-processes") {
        let shares = line.on("share-processes");
        copy.set("spec.shareProcessNamespace", shares);
    }
    if !line.on("same-node") {
        copy.remove("spec.nodeName");
    }
    let mut containers = pod.get("spec").list_at("containers").to_vec();
    let images = line.list("set-image");
    let image_of = |name: &str| {
        let pairs = || images.iter().filter_map(|pair| pair.split_once('='));
        let own = pairs().find(|(key, _)| *key == name);
        own.or_else(|| pairs().find(|(key, _)| *key == "*"))
            .map(|(_, image)| image)
    };
    for container in &mut containers {
        if let Some(image) = image_of(container.str("name")) {
            container.set("image", image);
        }
    }
    let wanted = line.text("container").to_owned();
    let known = containers.iter().position(|c| c.str("name") == wanted);
    let at = match known {
        Some(at) => Some(at),
        None if line.text("image").is_empty() && !images.is_empty() => None,
        None if line.text("image").is_empty() => {
            return Err(Failure::message(
                "you must specify image when creating new container",
            ));
        }
        None => {
            let name = container_name(session, wish, &copy).await;
            containers.push(object!({
                "name": (name),
                "resources": {},
                "terminationMessagePolicy": "File",
            }));
            Some(containers.len() - 1)
        }
    };
    // Where nothing is debugged, other images are all that changes.
    let debugs = at.is_some();
    for field in ["labels", "annotations"] {
        let own = pod.metadata().get(field);
        let keeps = !debugs || line.on(&format!("keep-{field}"));
        if keeps && !own.is_null() {
            copy.set(&format!("metadata.{field}"), own);
        }
    }
    if debugs && !line.on_unless_off("keep-init-containers") {
        copy.remove("spec.initContainers");
    }
    let mut name = String::new();
    if let Some(at) = at {
        let mut container = containers[at].clone();
        name = container.str("name").to_owned();
        equip(&mut container, wish)?;
        copy.set("spec.containers", Value::from(containers.clone()));
        wish.profile
            .apply(&mut copy, &mut container, Style::Copy, line);
        customize(&mut container, wish)?;
        containers = copy.get("spec").list_at("containers").to_vec();
        for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if containers[at].get(field).is_null() {
                container.remove(field);
            }
        }
        containers[at] = container;
    }
    copy.set("spec.containers", Value::from(containers));
    let path = format!("/api/v1/namespaces/{}/pods", pod.namespace());
    let made = session
        .call(Call::send(Method::Post, path.clone(), copy))
        .await?;
    if line.on("replace") {
        let now = object!({ "gracePeriodSeconds": 0 });
        let old = format!("{path}/{}", pod.name());
        session.call(Call::send(Method::Delete, old, now)).await?;
    }
    Ok((made, name))
}
