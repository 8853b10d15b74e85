//! Nobody gets a client certificate of the group that may do everything.
//!
//! Models plugin/pkg/admission/certificates/subjectrestriction.

use api::{Status, Value, csr};

use super::Plugin;
use crate::server::ApiServer;
use crate::write::Write;

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "CertificateSubjectRestriction",
    validate,
    ..Plugin::PLAIN
};

fn validate(
    _: &ApiServer,
    write: &mut Write,
    request: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let signer = "kubernetes.io/kube-apiserver-client";
    if old.is_some()
        || write.stored_kind().kind != "CertificateSigningRequest"
        || request.str_at("spec.signerName") != signer
    {
        return Ok(());
    }
    let Ok(subject) = csr::subject(request.str_at("spec.request")) else {
        return Ok(());
    };
    let group = "system:masters";
    if subject.organizations.iter().any(|one| one == group) {
        let text = format!("use of {signer} signer with {group} group is not allowed");
        return Err(write.forbidden(text));
    }
    Ok(())
}
