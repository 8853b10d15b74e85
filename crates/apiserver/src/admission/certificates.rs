//! Who may approve and sign requests for certificates, and which subject nobody gets.
//!
//! Models plugin/pkg/admission/certificates/{approval,signing,subjectrestriction}.

use api::Value;

use super::Plugin;
use crate::authz::Attributes;
use crate::server::ApiServer;
use crate::write::Write;

const GROUP: &str = "certificates.k8s.io";

/// Who approves or denies must be allowed to do so for the signer.
pub(super) const APPROVAL: Plugin = Plugin {
    name: "CertificateApproval",
    validate: |server, write, _, old| {
        let Some(old) = concerned(write, "approval", old) else {
            return Ok(());
        };
        let signer = old.str_at("spec.signerName");
        match may(server, write, "approve", signer) {
            true => Ok(()),
            false => Err(write.forbidden(format!(
                "user not permitted to approve requests with signerName {signer:?}"
            ))),
        }
    },
    ..Plugin::PLAIN
};

/// Who puts a certificate into a request must be allowed to sign for the signer.
pub(super) const SIGNING: Plugin = Plugin {
    name: "CertificateSigning",
    validate: |server, write, new, old| {
        let Some(old) = concerned(write, "status", old) else {
            return Ok(());
        };
        let failed = |request: &Value| {
            let mut conditions = request.list_at("status.conditions").iter();
            conditions.any(|condition| condition.str("type") == "Failed")
        };
        let certificate = "status.certificate";
        if new.at(certificate) == old.at(certificate) && failed(new) == failed(old) {
            return Ok(());
        }
        let signer = old.str_at("spec.signerName");
        match may(server, write, "sign", signer) {
            true => Ok(()),
            false => Err(write.forbidden(format!(
                "user not permitted to sign requests with signerName {signer:?}"
            ))),
        }
    },
    ..Plugin::PLAIN
};

/// Nobody becomes a member of system:masters by asking.
pub(super) const SUBJECT: Plugin = Plugin {
    name: "CertificateSubjectRestriction",
    validate: |_, write, request, old| {
        let signer = "kubernetes.io/kube-apiserver-client";
        let asks = old.is_none() && is_request(write) && write.subresource.is_empty();
        if !asks || request.str_at("spec.signerName") != signer {
            return Ok(());
        }
        match subject(request.str_at("spec.request")).contains("O=system:masters") {
            true => Err(write.forbidden(format!(
                "use of {signer} signer with system:masters group is not allowed"
            ))),
            false => Ok(()),
        }
    },
    ..Plugin::PLAIN
};

fn is_request(write: &Write) -> bool {
    let kind = write.stored_kind();
    kind.group == GROUP && kind.plural == "certificatesigningrequests"
}

fn concerned<'o>(write: &Write, subresource: &str, old: Option<&'o Value>) -> Option<&'o Value> {
    old.filter(|_| is_request(write) && write.subresource == subresource)
}

/// The lines that name the subject of a request: below two layers of base64 it is readable text here.
fn subject(request: &str) -> String {
    let read = |text: &str| {
        let bytes = api::base64::decode(text).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pem = read(request);
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let text = read(&body);
    let lines = text
        .lines()
        .filter(|line| line.to_ascii_lowercase().contains("subject"));
    lines.collect::<Vec<_>>().join("\n").replace(" = ", "=")
}

/// Whether the user may do something for a signer: for it, or for all of its domain.
fn may(server: &ApiServer, write: &Write, verb: &str, signer: &str) -> bool {
    let domain = signer.split('/').next().unwrap_or("");
    let all = format!("{domain}/*");
    [signer, all.as_str()].into_iter().any(|name| {
        let asked = Attributes {
            verb,
            group: GROUP,
            resource: "signers",
            name,
            ..Attributes::default()
        };
        server.authorizer.decide(&write.user, &asked).allowed
    })
}
