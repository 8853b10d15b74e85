//! The front's own authority, and the certificates it signs: the server's and the administrator's.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::issued;

/// Certificates that are kept, at most.
const ISSUED: usize = 1000;
/// Who may do everything: the user of the cluster's `admin.conf`.
pub(crate) const ADMIN: (&str, &str) = ("kubeadm:cluster-admins", "kubernetes-admin");

/// The names of a cluster's API server, besides where it listens.
const NAMES: [&str; 8] = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "controlplane",
    "10.96.0.1",
    "172.30.1.2",
];

/// The authority and what the server shows.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) authority: CertifiedIssuer<'static, KeyPair>,
    pub(crate) tls: Arc<ServerConfig>,
    /// What was signed for a request and the certificate that the cluster issued for it: who reads
    /// it again gets the same.
    issued: Mutex<BTreeMap<(String, String), Option<String>>>,
}

/// What a client shows, in PEM.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Identity {
    /// Makes everything anew.
    pub(crate) fn new(listen: SocketAddr) -> Result<Identity> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "kubernetes");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyCertSign,
        ];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let mut names: Vec<String> = NAMES.map(str::to_owned).to_vec();
        names.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
        names.push(listen.ip().to_string());
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server_key = KeyPair::generate()?;
        let server = params.signed_by(&server_key, &authority)?;

        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone())?;
        let provider = Arc::new(ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .allow_unauthenticated()
                .build()
                .context("the authority of clients")?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![server.der().clone()], key)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Identity {
            authority,
            tls: Arc::new(tls),
            issued: Mutex::default(),
        })
    }

    /// A real certificate in place of one that the cluster issued; both arguments are base64 as the
    /// API has them. `None` if it was asked for without a real key.
    pub(crate) fn issued(&self, request: &str, certificate: &str) -> Option<String> {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if issued.len() > ISSUED {
            issued.clear();
        }
        let asked = (request.to_owned(), certificate.to_owned());
        let sign = || issued::sign(request, certificate, self);
        issued.entry(asked).or_insert_with(sign).clone()
    }

    /// A certificate for a user in a group.
    pub(crate) fn sign(&self, (group, user): (&str, &str)) -> Result<Signed> {
        let mut params = CertificateParams::default();
        let name = &mut params.distinguished_name;
        name.push(DnType::OrganizationName, group);
        name.push(DnType::CommonName, user);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        Ok(Signed {
            certificate: params.signed_by(&key, &self.authority)?.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// The administrator as the subject of a certificate.
pub(crate) fn admin_subject() -> String {
    let (group, user) = ADMIN;
    format!("O={group},CN={user}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::subject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};

    #[test]
    fn the_administrators_certificate_says_who_it_is() {
        let listen = "127.0.0.1:6443".parse().expect("an address");
        let identity = Identity::new(listen).expect("keys can be made");
        let pem = identity.sign(ADMIN).expect("keys can be made").certificate;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
        assert_eq!(subject(&der), Some(admin_subject()));
        for len in 0..der.len().min(200) {
            assert_eq!(subject(&der[..len]), None, "cut off after {len} bytes");
        }
    }
}
