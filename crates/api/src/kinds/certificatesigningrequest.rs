//! CertificateSigningRequest: somebody asks for a certificate.
//!
//! Models pkg/registry/certificates/certificates, pkg/apis/certificates/validation and
//! `printCertificateSigningRequest`.

use sim::Instant;

use super::check::{self, Errors};
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::{Value, time, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "certificatesigningrequests",
    singular: "certificatesigningrequest",
    short_names: &["csr"],
    namespaced: false,
    subresources: &[
        Subresource::part_of_status("approval", "CertificateSigningRequest"),
        Subresource::status("CertificateSigningRequest"),
    ],
    schema: "io.k8s.api.certificates.v1.CertificateSigningRequest",
    storage: "certificatesigningrequests",
    fields: &["spec.signerName"],
    prepare_for_create: |request| request.set("status", value!({})),
    prepare_for_update,
    validate,
    columns: &[
        Column::NAME,
        Column::AGE,
        Column::text("SignerName"),
        Column::text("Requestor"),
        Column::text("RequestedDuration"),
        Column::text("Condition"),
    ],
    row,
    sample: "
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata:
  name: carol
spec:
  request: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KVTNWaWFtVmpkRG9nUTA0OVkyRnliMnc9Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
",
    ..Kind::plain("certificates.k8s.io", "v1", "CertificateSigningRequest")
};

/// `Approved,Issued`
pub fn condition(request: &Value) -> String {
    let conditions = request.list_at("status.conditions");
    let has = |kind: &str| {
        conditions
            .iter()
            .any(|condition| condition.str("type") == kind)
    };
    let mut text = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (_, true) => "Approved",
        _ => "Pending",
    }
    .to_owned();
    if has("Failed") {
        text.push_str(",Failed");
    }
    if !request.str_at("status.certificate").is_empty() {
        text.push_str(",Issued");
    }
    text
}

fn row(request: &Value, now: Instant) -> Vec<Cell> {
    let spec = request.get("spec");
    let duration = spec.i64_at("expirationSeconds");
    vec![
        table::name(request),
        table::age(request, now),
        table::or_none(spec.str("signerName")),
        spec.str("username").into(),
        table::or_none(&duration.map(time::human_duration).unwrap_or_default()),
        condition(request).into(),
    ]
}

/// The request never changes; an approval changes the conditions that approve or deny, a signer the
/// others.
fn prepare_for_update(new: &mut Value, old: &Value, subresource: &str) {
    new.set("spec", old.get("spec"));
    if subresource == "approval" {
        let conditions = new.at("status.conditions").clone();
        let mut status = old.get("status").clone();
        if !status.is_map() {
            status = value!({});
        }
        status.set("conditions", conditions);
        new.set("status", status);
    }
}

fn validate(request: &Value, out: &mut Errors) {
    let (spec, path) = (request.get("spec"), Path::new("spec"));
    if let Err(why) = crate::csr::subject(spec.str("request")) {
        let (field, given) = (path.child("request"), spec.get("request"));
        out.push(FieldError::invalid(field, given, why));
    }
    let field = path.child("usages");
    if spec.list_at("usages").is_empty() {
        out.push(FieldError::required(field, "usages must not be empty"));
    }
    let signer = spec.str("signerName");
    let field = path.child("signerName");
    match signer.split_once('/') {
        _ if signer.is_empty() => out.push(FieldError::required(field, "")),
        Some((domain, name)) if !name.is_empty() => {
            let messages = crate::names::dns1123_subdomain(domain);
            check::invalid(messages, field, signer, out);
        }
        _ => {
            let text = "must be a fully qualified domain and path of the form \
                        'example.com/signer-name'";
            out.push(FieldError::invalid(field, signer, text));
        }
    }
    if let Some(seconds) = spec.i64_at("expirationSeconds").filter(|n| *n < 600) {
        let text = "may not specify a duration less than 600 seconds (10 minutes)";
        let field = path.child("expirationSeconds");
        out.push(FieldError::invalid(field, seconds, text));
    }
}
