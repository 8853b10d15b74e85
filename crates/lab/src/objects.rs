//! The objects of the cluster, read where they are kept: in the database of the etcd that runs, or of
//! the one that ran last where kubeadm puts it. For views and checks; no component reads them this
//! way.

use api::Value;
use etcd::Snapshot;
use machine::fs::{Content, Node};
use machine::{Host, World};

/// Where etcd keeps its database, below its data directory.
const DATABASE: &str = "member/snap/db";
const DATA_DIR: &str = "/var/lib/etcd";

/// The stored objects at one revision. Cheap to make and to clone.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    snapshot: Option<Snapshot>,
}

impl Objects {
    /// The objects of the first machine that has a database.
    #[must_use]
    pub fn of(world: &World) -> Objects {
        let in_use = world.hosts().find_map(in_use);
        let at_rest = |host: &Host| database(host.disk().get(&format!("{DATA_DIR}/{DATABASE}"))?);
        Objects {
            snapshot: in_use.or_else(|| world.hosts().find_map(at_rest)),
        }
    }

    /// The revision of the last change; 0 without a database.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.snapshot
            .as_ref()
            .map_or(0, |snapshot| snapshot.store.revision())
    }

    /// Objects of a resource (`pods`, `deployments`), in the order of their keys: namespace, name.
    #[must_use]
    pub fn list(&self, resource: &str) -> Vec<Value> {
        self.range(&format!("/registry/{}/", storage_prefix(resource)))
    }

    /// One object; the namespace is empty for cluster-scoped resources.
    #[must_use]
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let prefix = storage_prefix(resource);
        let key = if namespace.is_empty() {
            format!("/registry/{prefix}/{name}")
        } else {
            format!("/registry/{prefix}/{namespace}/{name}")
        };
        self.range(&key)
            .into_iter()
            .find(|object| object.name() == name)
    }

    fn range(&self, prefix: &str) -> Vec<Value> {
        let Some(snapshot) = &self.snapshot else {
            return Vec::new();
        };
        snapshot
            .store
            .prefix(prefix.as_bytes())
            .filter_map(|pair| api::shared_value(&*pair.value).cloned())
            .collect()
    }
}

/// The database of the etcd that runs on a machine.
fn in_use(host: &Host) -> Option<Snapshot> {
    let etcd = host.processes().find(|process| process.name() == "etcd")?;
    let flag = |arg: &std::rc::Rc<str>| Some(arg.strip_prefix("--data-dir=")?.to_owned());
    let dir = etcd.args.iter().find_map(flag)?;
    database(host.seen_by(etcd, &format!("{dir}/{DATABASE}"))?)
}

fn database(node: &Node) -> Option<Snapshot> {
    match &node.content {
        Content::Object(object) => object.as_any().downcast_ref::<Snapshot>().cloned(),
        _ => None,
    }
}

/// Most resources are kept under their own name; a few under the names they had long ago.
/// Source: pkg/registry/core/rest/storage_core.go.
fn storage_prefix(resource: &str) -> &str {
    match resource {
        "nodes" => "minions",
        "services" => "services/specs",
        "endpoints" => "services/endpoints",
        other => other,
    }
}
