//! What kubeadm asks of the API server: the cluster's configuration, its version, its nodes.
//!
//! Models cmd/kubeadm/app/util/config/cluster.go and phases/upgrade/versiongetter.go.

use std::net::Ipv4Addr;

use api::{Value, yaml};
use machine::Io;
use net::http::Method;

use super::version::supported;
use super::{Done, Stop, dry_run, own_version, stop};
use crate::kubectl::failure::Failure;
use crate::kubectl::flags::Line;
use crate::kubectl::session::{Call, Session};

const ENDPOINT: &str = "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint";
/// Where the configuration of the cluster lies.
const CONFIG: &str = "/api/v1/namespaces/kube-system/configmaps/kubeadm-config";
/// Where that of its kubelets lies.
pub(crate) const KUBELET_CONFIG: &str = "/api/v1/namespaces/kube-system/configmaps/kubelet-config";

/// A way to the API server.
pub(crate) struct Cluster {
    session: Session,
    /// Requests are shown, and those that would change something are not sent.
    dry_run: bool,
}

impl Cluster {
    /// With the identity of a kubeconfig file.
    pub(crate) async fn open(io: &Io, kubeconfig: &str, dry_run: bool) -> Done<Cluster> {
        if let Err(errno) = io.read_file(kubeconfig).await {
            let why = errno.message().to_lowercase();
            return stop(format!(
                "couldn't create a Kubernetes client from file {kubeconfig:?}: failed to load \
                 admin kubeconfig: open {kubeconfig}: {why}"
            ));
        }
        if dry_run {
            let text = format!("[dryrun] Creating a real client from {kubeconfig:?}\n");
            io.print(&text).await;
        }
        let flag = format!("--kubeconfig={kubeconfig}");
        let line = Line::parse(&[flag], &[], true).map_err(Stop)?;
        let session = Session::open(io, &line).await.map_err(said)?;
        Ok(Cluster { session, dry_run })
    }

    /// `GET` of objects, in a Go client's words where it fails.
    pub(crate) async fn get(&self, target: &str) -> Done<Value> {
        if self.dry_run {
            let text = dry_run::action(Method::Get, target);
            self.session.io.print(&text).await;
        }
        let object = self.fetch(target).await?;
        if self.dry_run {
            let text = dry_run::attached(&object);
            self.session.io.print(&text).await;
        }
        Ok(object)
    }

    async fn fetch(&self, target: &str) -> Done<Value> {
        let sign = if target.contains('?') { '&' } else { '?' };
        let target = format!("{target}{sign}timeout=10s");
        self.session.call(Call::get(target)).await.map_err(said)
    }

    /// A request that changes something, in a Go client's words where it fails. Nothing is sent in
    /// a dry run.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Done {
        if self.dry_run {
            let text = dry_run::action(method, path);
            self.session.io.print(&text).await;
            return Ok(());
        }
        let call = Call::send(method, path, body);
        self.session.call(call).await.map(|_| ()).map_err(said)
    }

    /// Makes an object what it is to be, whether it is there or not.
    pub(crate) async fn ensure(&self, collection: &str, object: Value) -> Done {
        let create = Call::send(Method::Post, collection, object.clone());
        match self.session.call(create).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.reason() == "AlreadyExists" => {
                let name = object.get("metadata").str("name").to_owned();
                let update = Call::send(Method::Put, format!("{collection}/{name}"), object);
                self.session.call(update).await.map(|_| ()).map_err(said)
            }
            Err(failure) => Err(said(failure)),
        }
    }

    /// The version in the cluster's configuration; says that it is being read.
    pub(crate) async fn configured(&self, io: &Io, prefix: &str) -> Done<String> {
        io.print(&format!(
            "[{prefix}] Reading configuration from the \"kubeadm-config\" ConfigMap in namespace \
             \"kube-system\"...\n[{prefix}] Use 'kubeadm init phase upload-config kubeadm \
             --config your-config-file' to re-upload it.\n"
        ))
        .await;
        let config = self.get(CONFIG).await;
        let config =
            config.map_err(|Stop(why)| Stop(format!("failed to get config map: {why}")))?;
        let text = config.get("data").str("ClusterConfiguration").to_owned();
        let documents = yaml::parse_all(&text).map_err(|error| Stop(error.to_string()))?;
        let first = documents.into_iter().next().map(|document| document.value);
        let version = first.unwrap_or_default();
        let version = version.str("kubernetesVersion").to_owned();
        supported(&version, &own_version(io).await)?;
        Ok(version)
    }

    /// Writes another version into the cluster's configuration. Whatever else it says stays.
    pub(crate) async fn set_configured(&self, version: &str) -> Done {
        let config = self.get(CONFIG).await?;
        let line = |line: &str| match line.strip_prefix("kubernetesVersion:") {
            Some(_) => format!("kubernetesVersion: {version}\n"),
            None => format!("{line}\n"),
        };
        let text = config.get("data").str("ClusterConfiguration");
        let text: String = text.lines().map(line).collect();
        let patch = api::object! { "data": api::object! { "ClusterConfiguration": text } };
        let mut call = Call::send(Method::Patch, CONFIG, patch);
        if let Some((media_type, _)) = &mut call.body {
            *media_type = "application/merge-patch+json";
        }
        self.session.call(call).await.map(|_| ()).map_err(said)
    }

    /// The API server's version.
    pub(crate) async fn version(&self) -> Done<String> {
        let info = self.fetch("/version").await;
        let info = info.map_err(|Stop(why)| {
            Stop(format!(
                "Couldn't fetch cluster version from the API Server: {why}"
            ))
        })?;
        Ok(info.str("gitVersion").to_owned())
    }

    /// Name and kubelet's version of each node.
    pub(crate) async fn kubelets(&self) -> Done<Vec<(String, String)>> {
        let nodes = self.get("/api/v1/nodes").await?;
        let of = |node: &Value| {
            let info = node.get("status").get("nodeInfo");
            (
                node.get("metadata").str("name").to_owned(),
                info.str("kubeletVersion").to_owned(),
            )
        };
        Ok(nodes.get("items").list().iter().map(of).collect())
    }

    /// The image's tag of a static pod, and the node it runs on.
    pub(crate) async fn static_pod(&self, component: &str) -> Done<(String, String)> {
        let target =
            format!("/api/v1/namespaces/kube-system/pods?labelSelector=component%3D{component}");
        let pods = self.get(&target).await?;
        let Some(pod) = pods.get("items").list().first() else {
            return stop(format!("cannot find any pod of component {component}"));
        };
        let containers = pod.get("spec").get("containers");
        let image = containers.list().first().map(|c| c.str("image").to_owned());
        let image = image.unwrap_or_default();
        let tag = image.rsplit(':').next().unwrap_or_default().to_owned();
        Ok((tag, pod.get("spec").str("nodeName").to_owned()))
    }

    /// The address at which the API server of a node is reached.
    pub(crate) async fn endpoint(&self, node: &str) -> Done<Ipv4Addr> {
        let target = format!("/api/v1/namespaces/kube-system/pods/kube-apiserver-{node}");
        let pod = self.get(&target).await?;
        let notes = pod.get("metadata").get("annotations");
        let ip = notes
            .str(ENDPOINT)
            .split(':')
            .next()
            .and_then(|ip| ip.parse().ok());
        ip.ok_or_else(|| Stop(format!("could not get the local API endpoint of {node}")))
    }

    /// The hash of a static pod's manifest, as its mirror tells it.
    pub(crate) async fn hash(&self, component: &str, node: &str) -> Done<String> {
        let target = format!("/api/v1/namespaces/kube-system/pods/{component}-{node}");
        let pod = self.get(&target).await?;
        let notes = pod.get("metadata").get("annotations");
        Ok(notes.str("kubernetes.io/config.hash").to_owned())
    }
}

/// What a failed request is said to be.
fn said(failure: Failure) -> Stop {
    Stop(match failure {
        Failure::Status(status) => status.str("message").to_owned(),
        Failure::Connection { host, url, errno } => {
            let why = errno.message().to_lowercase();
            format!("Get {url:?}: dial tcp {host}: connect: {why}")
        }
        Failure::Message(text) | Failure::Plain(text) => text,
        Failure::Usage(text, _) | Failure::Exit(text, _) | Failure::Printed(text, _) => text,
    })
}
