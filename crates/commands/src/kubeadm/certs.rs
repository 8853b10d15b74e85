//! The certificates of a control plane: what there is, and making them valid for another year.
//!
//! Models cmd/kubeadm/app/phases/certs/renewal and cmd/certs.go.

use client::certificate::Certificate;
use machine::{Errno, Io};
use sim::{Duration, Instant};

use super::cluster::Cluster;
use super::plan::table;
use super::{Done, Stop};
use crate::calendar::strftime;

const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Name and authority of each certificate, and what it is for.
const LEAVES: [(&str, &str, &str); 11] = [
    (
        "admin.conf",
        "ca",
        "certificate embedded in the kubeconfig file for the admin to use and for kubeadm itself",
    ),
    (
        "apiserver",
        "ca",
        "certificate for serving the Kubernetes API",
    ),
    (
        "apiserver-etcd-client",
        "etcd-ca",
        "certificate the apiserver uses to access etcd",
    ),
    (
        "apiserver-kubelet-client",
        "ca",
        "certificate for the API server to connect to kubelet",
    ),
    (
        "controller-manager.conf",
        "ca",
        "certificate embedded in the kubeconfig file for the controller manager to use",
    ),
    (
        "etcd-healthcheck-client",
        "etcd-ca",
        "certificate for liveness probes to healthcheck etcd",
    ),
    (
        "etcd-peer",
        "etcd-ca",
        "certificate for etcd nodes to communicate with each other",
    ),
    ("etcd-server", "etcd-ca", "certificate for serving etcd"),
    (
        "front-proxy-client",
        "front-proxy-ca",
        "certificate for the front proxy client",
    ),
    (
        "scheduler.conf",
        "ca",
        "certificate embedded in the kubeconfig file for the scheduler manager to use",
    ),
    (
        "super-admin.conf",
        "ca",
        "certificate embedded in the kubeconfig file for the super-admin",
    ),
];
const AUTHORITIES: [&str; 3] = ["ca", "etcd-ca", "front-proxy-ca"];

/// The certificates that are renewed with a component.
pub(crate) fn of_component(component: &str) -> &'static [&'static str] {
    match component {
        "etcd" => &["etcd-server", "etcd-peer", "etcd-healthcheck-client"],
        "kube-apiserver" => &[
            "apiserver",
            "apiserver-kubelet-client",
            "front-proxy-client",
            "apiserver-etcd-client",
        ],
        "kube-controller-manager" => &["controller-manager.conf"],
        _ => &["scheduler.conf"],
    }
}

/// The file of a certificate.
fn path(name: &str) -> String {
    match name.strip_prefix("etcd-") {
        _ if name.ends_with(".conf") => format!("/etc/kubernetes/{name}"),
        Some(rest) => format!("/etc/kubernetes/pki/etcd/{rest}.crt"),
        None => format!("/etc/kubernetes/pki/{name}.crt"),
    }
}

/// A certificate as it lies in a file, and the text around it in a kubeconfig.
async fn read(io: &Io, name: &str) -> Result<(Certificate, Option<String>), Stop> {
    let path = path(name);
    let said = |errno: Errno| Stop(format!("open {path}: {}", errno.message().to_lowercase()));
    let text = io.read_to_string(&path).await.map_err(said)?;
    let wrong = || Stop(format!("failed to load certificate {name}"));
    if !name.ends_with(".conf") {
        let certificate = Certificate::from_pem(&text).ok_or_else(wrong)?;
        return Ok((certificate, None));
    }
    let data = embedded(&text).ok_or_else(wrong)?;
    let pem = api::base64::decode(data).map_err(|_| wrong())?;
    let pem = String::from_utf8_lossy(&pem).into_owned();
    let certificate = Certificate::from_pem(&pem).ok_or_else(wrong)?;
    Ok((certificate, Some(text)))
}

/// The client's certificate in a kubeconfig.
fn embedded(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    let found = lines.find_map(|line| line.trim().strip_prefix("client-certificate-data:"));
    found.map(str::trim)
}

/// Makes a certificate valid for a year from now.
pub(crate) async fn renew(io: &Io, name: &str) -> Done {
    let (mut certificate, around) = read(io, name).await?;
    let until = io.now().await + YEAR;
    certificate.not_after = strftime("%Y-%m-%dT%H:%M:%SZ", until).into();
    let text = match around {
        None => certificate.to_pem(),
        Some(text) => {
            let old = embedded(&text).unwrap_or_default().to_owned();
            text.replace(&old, &api::base64::encode(certificate.to_pem().as_bytes()))
        }
    };
    let path = path(name);
    let written = io.write_file(&path, text.as_bytes()).await;
    written.map_err(|errno| Stop(format!("open {path}: {}", errno.message().to_lowercase())))
}

/// `kubeadm certs renew all`, or one by its name.
pub(crate) async fn renew_all(io: &Io, words: &[&str]) -> Done {
    let wanted = |name: &str| match words {
        ["all"] => true,
        [word] => *word == name,
        _ => false,
    };
    let wanted: Vec<_> = LEAVES.iter().filter(|(name, ..)| wanted(name)).collect();
    if wanted.is_empty() {
        let word = words.first().copied().unwrap_or_default();
        return super::invalid("certs renew", word);
    }
    read_configuration(io, "renew").await;
    io.print("\n").await;
    for (name, _, about) in wanted {
        renew(io, name).await?;
        io.print(&format!("{about} renewed\n")).await;
    }
    if words == ["all"] {
        io.print(
            "\nDone renewing certificates. You must restart the kube-apiserver, \
             kube-controller-manager, kube-scheduler and etcd, so that they can use the new \
             certificates.\n",
        )
        .await;
    }
    Ok(())
}

/// Reads the cluster's configuration, without which certificates can be dealt with, too.
async fn read_configuration(io: &Io, prefix: &str) {
    let configured = match Cluster::open(io, "/etc/kubernetes/admin.conf", false).await {
        Ok(cluster) => cluster.configured(io, prefix).await,
        Err(why) => Err(why),
    };
    if configured.is_err() {
        io.print(&format!(
            "[{prefix}] Error reading configuration from the Cluster. Falling back to default \
             configuration\n"
        ))
        .await;
    }
}

/// `kubeadm certs check-expiration`.
pub(crate) async fn check_expiration(io: &Io) -> Done {
    read_configuration(io, "check-expiration").await;
    let now = io.now().await;
    let ends = |certificate: &Certificate| -> [String; 2] {
        let until = Instant::parse_rfc3339(&certificate.not_after).unwrap_or(now);
        let left = if until > now {
            until.since(now)
        } else {
            Duration::ZERO
        };
        [strftime("%b %d, %Y %H:%M UTC", until), residual(left)]
    };
    let mut leaves = vec![
        [
            "CERTIFICATE",
            "EXPIRES",
            "RESIDUAL TIME",
            "CERTIFICATE AUTHORITY",
            "EXTERNALLY MANAGED",
        ]
        .map(str::to_owned),
    ];
    for (name, authority, _) in LEAVES {
        let row = match read(io, name).await {
            Ok((certificate, _)) => {
                let [until, left] = ends(&certificate);
                [
                    name.to_owned(),
                    until,
                    left,
                    authority.to_owned(),
                    "no      ".to_owned(),
                ]
            }
            Err(_) => {
                let missing = format!("!MISSING! {name}");
                [
                    missing,
                    String::new(),
                    String::new(),
                    String::new(),
                    "        ".to_owned(),
                ]
            }
        };
        leaves.push(row);
    }
    let mut authorities = vec![
        [
            "CERTIFICATE AUTHORITY",
            "EXPIRES",
            "RESIDUAL TIME",
            "EXTERNALLY MANAGED",
        ]
        .map(str::to_owned),
    ];
    for name in AUTHORITIES {
        if let Ok((certificate, _)) = read(io, name).await {
            let [until, left] = ends(&certificate);
            authorities.push([name.to_owned(), until, left, "no      ".to_owned()]);
        }
    }
    io.print(&format!("\n{}\n{}", table(&leaves), table(&authorities)))
        .await;
    Ok(())
}

/// `364d`, `9y`, `23h`.
fn residual(left: Duration) -> String {
    let hours = left.as_secs() / 3600;
    match hours {
        0..24 => format!("{hours}h"),
        24..17_520 => format!("{}d", hours / 24),
        _ => format!("{}y", hours / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_lie_where_kubeadm_puts_them() {
        assert_eq!(path("apiserver"), "/etc/kubernetes/pki/apiserver.crt");
        assert_eq!(path("etcd-ca"), "/etc/kubernetes/pki/etcd/ca.crt");
        assert_eq!(path("admin.conf"), "/etc/kubernetes/admin.conf");
        assert_eq!(residual(YEAR), "365d");
        assert_eq!(residual(YEAR * 10), "10y");
    }
}
