//! `kubeadm kubeconfig user`: a kubeconfig for somebody else, signed with the cluster's authority.
//!
//! Models cmd/kubeadm/app/cmd/kubeconfig.go and phases/kubeconfig.

use client::certificate::{Certificate, pem};
use client::kubeconfig;
use machine::Io;
use sim::Duration;

use super::{Done, Options, Stop, stop};
use crate::calendar::strftime;

const CA: &str = "/etc/kubernetes/pki/ca.crt";
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Prints the kubeconfig.
pub(crate) async fn user(io: &Io, options: &Options) -> Done {
    let Some(name) = options
        .client_name
        .as_deref()
        .filter(|name| !name.is_empty())
    else {
        return stop("required flag(s) \"client-name\" not set");
    };
    if options.token.is_some() {
        let what = sim::unmodelled!("kubeadm kubeconfig user with a token");
        return stop(what.to_string());
    }
    let ca = io.read_to_string(CA).await;
    let ca = ca.map_err(|errno| {
        let why = errno.message().to_lowercase();
        Stop(format!(
            "couldn't load CA certificate {CA}: open {CA}: {why}"
        ))
    })?;
    let issuer = Certificate::from_pem(&ca).map(|own| own.subject);
    let admin = io.read_to_string("/etc/kubernetes/admin.conf").await;
    let admin = admin.unwrap_or_default();
    let mut lines = admin.lines();
    let server = lines.find_map(|line| line.trim().strip_prefix("server: "));
    let organizations: String = options
        .organizations
        .iter()
        .map(|org| format!("O={org},"))
        .collect();
    let subject = format!("{organizations}CN={name}");
    let until = io.now().await + YEAR;
    let certificate = Certificate {
        subject: subject.as_str().into(),
        issuer: issuer.unwrap_or_else(|| "CN=kubernetes".into()),
        not_after: strftime("%Y-%m-%dT%H:%M:%SZ", until).into(),
        names: "".into(),
    };
    let key = pem("RSA PRIVATE KEY", subject.as_bytes());
    let server = server.unwrap_or("https://172.30.1.2:6443");
    let text = kubeconfig::write(server, name, &ca, &certificate.to_pem(), &key);
    io.print(&text).await;
    Ok(())
}
