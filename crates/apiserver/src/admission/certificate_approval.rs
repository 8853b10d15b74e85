//! Who approves or denies a request for a certificate must be allowed to for its signer.
//!
//! Models plugin/pkg/admission/certificates/approval and pkg/registry/../certificates (`util.go`).

use api::{Status, Value};

use super::Plugin;
use crate::authz::Attributes;
use crate::server::ApiServer;
use crate::write::Write;

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "CertificateApproval",
    validate,
    ..Plugin::PLAIN
};

fn validate(
    server: &ApiServer,
    write: &Write,
    request: &Value,
    _: Option<&Value>,
) -> Result<(), Status> {
    let kind = write.stored_kind();
    if kind.kind != "CertificateSigningRequest" || write.subresource != "approval" {
        return Ok(());
    }
    let signer = request.str_at("spec.signerName");
    let domain = signer.split('/').next().unwrap_or_default();
    let may = |name: &str| {
        let asked = Attributes {
            verb: "approve",
            group: kind.group,
            resource: "signers",
            name,
            ..Attributes::default()
        };
        server.authorizer.decide(&write.user, &asked).allowed
    };
    if may(signer) || may(&format!("{domain}/*")) {
        return Ok(());
    }
    let text = format!("user not permitted to approve requests with signerName {signer:?}");
    Err(write.forbidden(text))
}
