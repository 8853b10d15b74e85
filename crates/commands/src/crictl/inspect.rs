//! `crictl inspect`, `inspectp`, `inspecti` and `info`: what the runtime knows, as trees.

use std::rc::Rc;

use api::jsonpath::JsonPath;
use api::{Map, Value, object};
use machine::Sys;
use node::cri::{
    ContainerState, ContainerStatus, ImageStatus, Labels, Reply, Request, SandboxStatus,
};
use sim::Instant;

use super::list::image_id;
use super::pick::ready;
use super::{Done, Fatal, Session, fatal};
use crate::args::Args;

/// The time that stands for none.
const NEVER: &str = "0001-01-01T00:00:00Z";

fn labels(of: &Labels) -> Value {
    let entries = of
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()));
    Value::Map(Map::from_iter(entries))
}

fn nanos(at: Instant) -> String {
    format!("{}{:09}", at.unix_secs(), at.subsec_nanos())
}

/// A container as it is listed.
pub(super) fn container_tree(container: &ContainerStatus, images: &[ImageStatus]) -> Value {
    let config = &container.config;
    let id = image_id(&container.image, images);
    object! {
        "id": container.id.to_string(),
        "podSandboxId": container.sandbox.to_string(),
        "metadata": { "name": config.name.to_string(), "attempt": i64::from(config.attempt) },
        "image": {
            "annotations": {},
            "image": id.clone(),
            "runtimeHandler": "",
            "userSpecifiedImage": config.image.to_string()
        },
        "imageRef": id,
        "state": state(container.state),
        "createdAt": nanos(container.created_at),
        "labels": (labels(&config.labels)),
        "annotations": (labels(&config.annotations))
    }
}

fn state(state: ContainerState) -> &'static str {
    match state {
        ContainerState::Created => "CONTAINER_CREATED",
        ContainerState::Running => "CONTAINER_RUNNING",
        ContainerState::Exited => "CONTAINER_EXITED",
    }
}

/// A sandbox as it is listed.
pub(super) fn sandbox_tree(sandbox: &SandboxStatus) -> Value {
    let config = &sandbox.config;
    object! {
        "id": sandbox.id.to_string(),
        "metadata": {
            "name": config.name.to_string(),
            "uid": config.uid.to_string(),
            "namespace": config.namespace.to_string(),
            "attempt": i64::from(config.attempt)
        },
        "state": format!("SANDBOX_{}", ready(sandbox).to_uppercase()),
        "createdAt": nanos(sandbox.created_at),
        "labels": (labels(&config.labels)),
        "annotations": (labels(&config.annotations)),
        "runtimeHandler": ""
    }
}

/// An image as it is listed.
pub(super) fn image_tree(image: &ImageStatus) -> Value {
    let all = |names: &[Rc<str>]| {
        Value::list_of(
            names
                .iter()
                .map(|name| Value::from(name.to_string()))
                .collect(),
        )
    };
    object! {
        "id": image.id.to_string(),
        "repoTags": (all(&image.repo_tags)),
        "repoDigests": (all(&image.repo_digests)),
        "size": image.size.to_string(),
        "uid": (image.user.map_or(Value::Null, |uid| object! { "value": uid.to_string() })),
        "username": "",
        "pinned": (image.repo_tags.iter().any(|tag| tag.contains("/pause:")))
    }
}

impl Session {
    pub(super) async fn inspect(&mut self, args: &Args) -> Done {
        let images = self.images().await?;
        for id in operands(args)? {
            let container = match self.container(&id).await {
                Ok(container) => container,
                Err(Fatal(why)) => return fatal(format!("get container status: {why}")),
            };
            let directory = self
                .sandbox(&container.sandbox)
                .await?
                .config
                .log_directory
                .clone();
            let mut tree = object! {
                "status": (container_status(&container, &images, &directory)),
                "info": {
                    "sandboxID": container.sandbox.to_string(),
                    "removing": false,
                    "snapshotter": "overlayfs",
                    "runtimeType": "io.containerd.runc.v2"
                }
            };
            if let Some(pid) = self.main_process(&container.id).await {
                let info = tree.map_mut().get_mut("info").expect("just put");
                info.map_mut().insert("pid", i64::from(pid));
            }
            self.print_inspected(args, &tree).await?;
        }
        Ok(())
    }

    pub(super) async fn inspect_pods(&mut self, args: &Args) -> Done {
        for id in operands(args)? {
            let sandbox = match self.sandbox(&id).await {
                Ok(sandbox) => sandbox,
                Err(Fatal(why)) => return fatal(format!("get pod sandbox status: {why}")),
            };
            let mut status = sandbox_tree(&sandbox);
            let map = status.map_mut();
            map.insert("createdAt", sandbox.created_at.rfc3339_nano());
            map.insert(
                "network",
                object! { "additionalIps": [], "ip": sandbox.ip.to_string() },
            );
            let tree = object! { "status": (status), "info": {} };
            self.print_inspected(args, &tree).await?;
        }
        Ok(())
    }

    pub(super) async fn inspect_images(&mut self, args: &Args) -> Done {
        for name in operands(args)? {
            let Some(image) = self.image(&name).await? else {
                return fatal(format!("no such image {name:?} present"));
            };
            let tree = object! { "status": (image_tree(&image)), "info": {} };
            self.print_inspected(args, &tree).await?;
        }
        Ok(())
    }

    async fn print_inspected(&self, args: &Args, tree: &Value) -> Done {
        let format = args.value('o').map_or("json", |format| &**format);
        if format != "go-template" {
            return self.print_tree(tree, format).await;
        }
        // A path in braces is what both kinds of template have in common.
        let template = args.value('\u{1}').map_or("", |text| text.trim());
        let path = template.trim_matches(['{', '}']).trim();
        let found = JsonPath::parse(&format!("{{{path}}}")).and_then(|path| path.print(tree));
        let text = found.map_err(Fatal)?;
        self.io.print(&format!("{text}\n")).await;
        Ok(())
    }

    /// The first process of a container.
    async fn main_process(&self, id: &str) -> Option<u32> {
        let id: Rc<str> = id.into();
        self.io
            .sys(move |sys: &mut Sys<'_>| node::runtime::main_process(sys, &id))
            .await
    }

    pub(super) async fn info(&mut self, args: &Args) -> Done {
        let Reply::Status(status) = self
            .call(Request::Status, "getting status of runtime")
            .await?
        else {
            return Ok(());
        };
        let network = match &status.network_error {
            None => object! {
                "type": "NetworkReady", "status": true, "reason": "", "message": ""
            },
            Some(why) => object! {
                "type": "NetworkReady", "status": false, "reason": "NetworkPluginNotReady",
                "message": format!("Network plugin returns error: {why}")
            },
        };
        let ready = object! {
            "type": "RuntimeReady", "status": status.runtime_ready, "reason": "", "message": ""
        };
        let tree = object! { "status": { "conditions": [(ready), (network)] } };
        let format = args.value('o').map_or("json", |format| &**format);
        self.print_tree(&tree, format).await
    }
}

fn operands(args: &Args) -> Done<Vec<Rc<str>>> {
    match &args.operands[..] {
        [] => fatal("ID cannot be empty"),
        ids => Ok(ids.to_vec()),
    }
}

fn container_status(container: &ContainerStatus, images: &[ImageStatus], directory: &str) -> Value {
    let config = &container.config;
    let time = |at: Option<Instant>| at.map_or(NEVER.to_owned(), Instant::rfc3339_nano);
    let mounts = config.mounts.iter().map(|mount| {
        object! {
            "containerPath": mount.container_path.to_string(),
            "hostPath": mount.host_path.to_string(),
            "readonly": mount.read_only,
            "propagation": "PROPAGATION_PRIVATE",
            "selinuxRelabel": false
        }
    });
    object! {
        "id": container.id.to_string(),
        "metadata": { "name": config.name.to_string(), "attempt": i64::from(config.attempt) },
        "state": state(container.state),
        "createdAt": container.created_at.rfc3339_nano(),
        "startedAt": time(container.started_at),
        "finishedAt": time(container.finished_at),
        "exitCode": i64::from(container.exit_code),
        "image": {
            "annotations": {},
            "image": container.image.to_string(),
            "runtimeHandler": "",
            "userSpecifiedImage": ""
        },
        "imageId": image_id(&container.image, images),
        "imageRef": container.image_ref.to_string(),
        "reason": container.reason.to_string(),
        "message": container.message.to_string(),
        "labels": (labels(&config.labels)),
        "annotations": (labels(&config.annotations)),
        "mounts": (Value::list_of(mounts.collect())),
        "logPath": format!("{directory}/{}", config.log_path)
    }
}
