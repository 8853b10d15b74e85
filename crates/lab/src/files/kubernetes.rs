//! Files that `kubeadm init` and `kubeadm join` leave on a machine: manifests, certificates,
//! kubeconfig files, the kubelet's and containerd's configuration and units.
//!
//! Models cmd/kubeadm/app/phases.

use std::net::Ipv4Addr;

use client::certificate::{Certificate, pem};
use client::kubeconfig;
use commands::manifests::{self, Plan};
use machine::fs::{Node, Tree};
use sim::Duration;

use super::base::unit;
use super::{put, text};
use crate::spec::{NodeSpec, Role, WorldSpec, node_ip};

/// kubeadm's certificates are valid for a year.
const PKI_VALID: Duration = Duration::from_secs(365 * 24 * 3600);
/// Its authorities for ten.
const CA_VALID: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Adds the files of a member of the cluster.
pub(crate) fn kubernetes(t: &mut Tree, world: &WorldSpec, index: usize) {
    let node = &world.nodes[index];
    runtime(t);
    kubelet(t, world, node, index);
    put(t, "/etc/kubernetes/manifests", Node::dir(0o755));
    let (ca, _) = signed(world, "CN=kubernetes", "CN=kubernetes", "DNS:kubernetes");
    text(t, "/etc/kubernetes/pki/ca.crt", ca, 0o644);
    if node.role == Role::ControlPlane {
        control_plane(t, world, node, node_ip(index));
    }
}

fn runtime(t: &mut Tree) {
    put(t, "/usr/bin/containerd", Node::binary("containerd"));
    unit(
        t,
        "containerd",
        "containerd container runtime",
        "/usr/bin/containerd",
        "always",
    );
    text(t, "/etc/containerd/config.toml", CONTAINERD, 0o644);
    text(t, "/etc/crictl.yaml", CRICTL, 0o644);
}

fn kubelet(t: &mut Tree, world: &WorldSpec, node: &NodeSpec, index: usize) {
    put(
        t,
        "/usr/bin/kubelet",
        Node::release("kubelet", &world.version),
    );
    unit(
        t,
        "kubelet",
        "kubelet: The Kubernetes Node Agent",
        "/usr/bin/kubelet",
        "always",
    );
    text(
        t,
        "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
        DROP_IN,
        0o644,
    );
    text(t, "/var/lib/kubelet/config.yaml", KUBELET_CONFIG, 0o644);
    text(
        t,
        "/var/lib/kubelet/instance-config.yaml",
        INSTANCE_CONFIG,
        0o644,
    );
    let taints = match node.role {
        Role::ControlPlane => {
            " --register-with-taints=node-role.kubernetes.io/control-plane=:NoSchedule"
        }
        _ => "",
    };
    let labels = match node.role {
        Role::ControlPlane => {
            " --node-labels=node-role.kubernetes.io/control-plane=,\
             node.kubernetes.io/exclude-from-external-load-balancers="
        }
        _ => "",
    };
    let flags = format!(
        "KUBELET_KUBEADM_ARGS=\"--node-ip={}{taints}{labels}\"\n",
        node_ip(index)
    );
    text(t, "/var/lib/kubelet/kubeadm-flags.env", flags, 0o644);
    let subject = format!("O=system:nodes,CN=system:node:{}", node.name);
    let (certificate, key) = signed(world, &subject, "CN=kubernetes", "");
    text(
        t,
        "/var/lib/kubelet/pki/kubelet-client-current.pem",
        format!("{certificate}{key}"),
        0o600,
    );
    let user = format!("system:node:{}", node.name);
    config(t, "/etc/kubernetes/kubelet.conf", world, &user, &subject);
}

fn control_plane(t: &mut Tree, world: &WorldSpec, node: &NodeSpec, ip: Ipv4Addr) {
    let plan = Plan::new(&world.version, &node.name, ip);
    for name in manifests::COMPONENTS {
        let file = format!("/etc/kubernetes/manifests/{name}.yaml");
        text(t, &file, plan.manifest(name), 0o600);
    }
    for tool in ["etcdctl", "etcdutl"] {
        put(t, &format!("/usr/local/bin/{tool}"), Node::binary(tool));
    }
    put(t, "/var/lib/etcd", Node::dir(0o700));
    let members = world.nodes.iter().filter(|node| node.role != Role::Plain);
    addons(t, &plan, members.count());
    pki(t, world, &node.name, ip);
    let admin = "O=kubeadm:cluster-admins,CN=kubernetes-admin";
    let configs = [
        ("/etc/kubernetes/admin.conf", "kubernetes-admin", admin),
        ("/root/.kube/config", "kubernetes-admin", admin),
        (
            "/etc/kubernetes/super-admin.conf",
            "kubernetes-super-admin",
            "O=system:masters,CN=kubernetes-super-admin",
        ),
        (
            "/etc/kubernetes/controller-manager.conf",
            "system:kube-controller-manager",
            "CN=system:kube-controller-manager",
        ),
        (
            "/etc/kubernetes/scheduler.conf",
            "system:kube-scheduler",
            "CN=system:kube-scheduler",
        ),
    ];
    for (path, user, subject) in configs {
        config(t, path, world, user, subject);
    }
}

/// The machine's first boot ends with the add-on phase of `kubeadm init`, as user data of a cloud
/// instance would have it.
///
/// The name server waits for every machine and its kube-proxy, as whoever sets up a cluster for
/// others waits: so its replicas spread over the workers, and a drain has them to move.
fn addons(t: &mut Tree, plan: &Plan, members: usize) {
    for name in manifests::ADDONS {
        let file = format!("/var/lib/cloud/instance/{name}.yaml");
        text(t, &file, plan.addon(name), 0o600);
    }
    put(t, "/var/lib/cloud/instance/sem", Node::dir(0o755));
    text(
        t,
        "/var/lib/cloud/instance/scripts/runcmd",
        runcmd(members),
        0o700,
    );
    unit(
        t,
        "cloud-final",
        "Cloud-init: Final Stage",
        "/bin/sh /var/lib/cloud/instance/scripts/runcmd",
        "no",
    );
}

fn pki(t: &mut Tree, world: &WorldSpec, name: &str, ip: Ipv4Addr) {
    let server = format!("CN={name}");
    let domain = "kubernetes.default.svc.cluster.local";
    let apiserver_names = format!(
        "DNS:{name}, DNS:kubernetes, DNS:kubernetes.default, DNS:kubernetes.default.svc, \
         DNS:{domain}, IP Address:10.96.0.1, IP Address:{ip}"
    );
    let etcd_names = format!(
        "DNS:localhost, DNS:{name}, IP Address:{ip}, IP Address:127.0.0.1, \
         IP Address:0:0:0:0:0:0:0:1"
    );
    let files = [
        ("apiserver", "CN=kube-apiserver", "CN=kubernetes"),
        (
            "apiserver-kubelet-client",
            "O=kubeadm:cluster-admins,CN=kube-apiserver-kubelet-client",
            "CN=kubernetes",
        ),
        (
            "apiserver-etcd-client",
            "CN=kube-apiserver-etcd-client",
            "CN=etcd-ca",
        ),
        (
            "front-proxy-client",
            "CN=front-proxy-client",
            "CN=front-proxy-ca",
        ),
        ("front-proxy-ca", "CN=front-proxy-ca", "CN=front-proxy-ca"),
        ("etcd/ca", "CN=etcd-ca", "CN=etcd-ca"),
        ("etcd/server", server.as_str(), "CN=etcd-ca"),
        ("etcd/peer", server.as_str(), "CN=etcd-ca"),
        (
            "etcd/healthcheck-client",
            "CN=kube-etcd-healthcheck-client",
            "CN=etcd-ca",
        ),
        ("ca", "CN=kubernetes", "CN=kubernetes"),
    ];
    for (file, subject, issuer) in files {
        let names = match file {
            "apiserver" => apiserver_names.as_str(),
            "etcd/server" | "etcd/peer" => etcd_names.as_str(),
            "ca" => "DNS:kubernetes",
            "etcd/ca" => "DNS:etcd-ca",
            "front-proxy-ca" => "DNS:front-proxy-ca",
            _ => "",
        };
        let (certificate, key) = signed(world, subject, issuer, names);
        text(
            t,
            &format!("/etc/kubernetes/pki/{file}.crt"),
            certificate,
            0o644,
        );
        text(t, &format!("/etc/kubernetes/pki/{file}.key"), key, 0o600);
    }
    text(
        t,
        "/etc/kubernetes/pki/sa.key",
        pem("RSA PRIVATE KEY", b"service accounts"),
        0o600,
    );
    text(
        t,
        "/etc/kubernetes/pki/sa.pub",
        pem("PUBLIC KEY", b"service accounts"),
        0o600,
    );
}

fn config(t: &mut Tree, path: &str, world: &WorldSpec, user: &str, subject: &str) {
    let control_plane = world
        .nodes
        .iter()
        .position(|node| node.role == Role::ControlPlane);
    let server = format!("https://{}:6443", node_ip(control_plane.unwrap_or(0)));
    let (ca, _) = signed(world, "CN=kubernetes", "CN=kubernetes", "DNS:kubernetes");
    let (certificate, key) = signed(world, subject, "CN=kubernetes", "");
    text(
        t,
        path,
        kubeconfig::write(&server, user, &ca, &certificate, &key),
        0o600,
    );
}

/// A certificate, with its alternative names, and its key. An authority signs its own.
fn signed(world: &WorldSpec, subject: &str, issuer: &str, names: &str) -> (String, String) {
    let valid = match subject == issuer {
        true => CA_VALID,
        false => PKI_VALID,
    };
    let certificate = Certificate {
        subject: subject.into(),
        issuer: issuer.into(),
        not_after: (world.begins + valid).rfc3339().into(),
        names: names.into(),
    };
    (
        certificate.to_pem(),
        pem("RSA PRIVATE KEY", subject.as_bytes()),
    )
}

/// Runs to its end once in the life of the machine.
fn runcmd(members: usize) -> String {
    format!(
        "#!/bin/sh
cd /var/lib/cloud/instance
if [ -e sem/config_scripts_user ]; then
  exit 0
fi
export KUBECONFIG=/etc/kubernetes/super-admin.conf
until kubectl get namespace kube-system >/dev/null 2>&1; do
  sleep 1
done
kubectl create -f rbac.yaml -f config.yaml -f kube-proxy.yaml
until [ \"$(kubectl get nodes 2>/dev/null | grep -c ' Ready ')\" -ge {members} ]; do
  sleep 1
done
kubectl --namespace kube-system rollout status daemonset kube-proxy
kubectl create -f coredns.yaml && touch sem/config_scripts_user
"
    )
}

const CONTAINERD: &str = "version = 3

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = 'registry.k8s.io/pause:3.10.1'

[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dir = '/opt/cni/bin'
  conf_dir = '/etc/cni/net.d'
  conf_template = '/etc/containerd/cni.template'
";

const CRICTL: &str = "runtime-endpoint: unix:///run/containerd/containerd.sock
image-endpoint: unix:///run/containerd/containerd.sock
timeout: 10
";

const DROP_IN: &str = "[Service]
Environment=\"KUBELET_KUBECONFIG_ARGS=--kubeconfig=/etc/kubernetes/kubelet.conf\"
Environment=\"KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml\"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
";

const KUBELET_CONFIG: &str = "apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
healthzBindAddress: 127.0.0.1
healthzPort: 10248
kind: KubeletConfiguration
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
";

/// What kubeadm writes over the cluster's configuration on this machine.
const INSTANCE_CONFIG: &str = "apiVersion: kubelet.config.k8s.io/v1beta1
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
kind: KubeletConfiguration
";
