//! Signs approved requests for certificates, approves those by which nodes join, and cleans up.
//! Certificates are of this project's readable form; what they say is what a real one would.
//! Models pkg/controller/certificates/{signer,approver,cleaner}.

use std::rc::Rc;

use api::{Value, base64, csr, object};
use client::certificate::Certificate;
use client::{CERTIFICATE_REQUESTS, DeleteOptions, Delta, Index, Key, Resource};
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx};

/// `--cluster-signing-duration`, and the shortest that is given.
const LONGEST: i64 = 365 * 24 * 3600;
const SHORTEST: i64 = 600;
/// How long requests are kept: approved, denied, pending.
const KEPT: [(&str, Duration); 3] = [
    ("Approved", Duration::from_secs(3600)),
    ("Denied", Duration::from_secs(3600)),
    ("", Duration::from_secs(24 * 3600)),
];
/// The cleaner looks so often.
const CLEANS: Duration = Duration::from_secs(3600);

/// Signers that are part of Kubernetes, what a certificate of theirs must be for, and what it may be
/// for besides.
const SIGNERS: [(&str, &[&str], &[&str]); 4] = [
    (
        "kubernetes.io/kube-apiserver-client",
        &["client auth"],
        &["digital signature", "key encipherment"],
    ),
    (
        "kubernetes.io/kube-apiserver-client-kubelet",
        &["client auth"],
        &["digital signature", "key encipherment"],
    ),
    (
        "kubernetes.io/kubelet-serving",
        &["server auth"],
        &["digital signature", "key encipherment"],
    ),
    ("kubernetes.io/legacy-unknown", &[], &[]),
];

/// The controller. Keys are requests.
#[derive(Clone, Debug)]
pub struct CertificatesController {
    /// `--cluster-signing-cert-file`: PEM.
    pub authority: Rc<str>,
}

impl Controller for CertificatesController {
    fn name(&self) -> &'static str {
        "certificate-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(CERTIFICATE_REQUESTS, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, _: &Resource, delta: &Delta) {
        if delta.new.is_some() {
            agenda.add(delta.key.clone());
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(request) = cx.cache(&CERTIFICATE_REQUESTS).get(key) else {
            return;
        };
        if is_stale(cx.now, request) {
            cx.delete(&CERTIFICATE_REQUESTS, request, DeleteOptions::default());
            return;
        }
        cx.requeue_after(CLEANS);
        if has(request, "Denied") || has(request, "Failed") {
            return;
        }
        if !has(request, "Approved") {
            if let Some(why) = is_of_a_node(request) {
                approve(cx, request, why);
            }
        } else if request.str_at("status.certificate").is_empty() {
            self.sign(cx, request);
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl CertificatesController {
    fn sign(&self, cx: &mut Cx<'_>, request: &Value) {
        let spec = request.get("spec");
        let name = spec.str("signerName");
        let Some((_, must, may)) = SIGNERS.iter().find(|(signer, ..)| *signer == name) else {
            return;
        };
        let usages: Vec<&str> = spec.list_at("usages").iter().map(Value::as_str).collect();
        let allowed = |usage: &&str| may.is_empty() || must.contains(usage) || may.contains(usage);
        let fits = must.iter().all(|usage| usages.contains(usage)) && usages.iter().all(allowed);
        let subject = csr::subject(spec.str("request"));
        let (Ok(subject), true) = (subject, fits) else {
            let mut known: Vec<&&str> = must.iter().chain(*may).collect();
            known.sort();
            let known: Vec<String> = known.iter().map(|usage| format!("{usage}:{{}}")).collect();
            let text = format!("usages did not match map[{}]", known.join(" "));
            let failed = condition("Failed", "SignerValidationFailure", &text, cx.now);
            let mut changed = request.clone();
            changed.list_mut("status.conditions").push(failed);
            cx.update_status(&CERTIFICATE_REQUESTS, changed);
            return;
        };
        let issuer = Certificate::from_pem(&self.authority).map(|ca| ca.subject);
        let asked = spec.i64_at("expirationSeconds").unwrap_or(LONGEST);
        let seconds = u64::try_from(asked.clamp(SHORTEST, LONGEST)).unwrap_or(0);
        let certificate = Certificate {
            subject: subject.name().into(),
            issuer: issuer.unwrap_or_else(|| "CN=kubernetes".into()),
            not_after: (cx.now + Duration::from_secs(seconds)).rfc3339().into(),
            names: "".into(),
        };
        let mut changed = request.clone();
        let encoded = base64::encode(certificate.to_pem().as_bytes());
        changed.set("status.certificate", encoded);
        cx.update_status(&CERTIFICATE_REQUESTS, changed);
    }
}

/// Why a request is approved without asking: a node asks for its own client certificate, or somebody
/// who may have nodes join asks for one.
fn is_of_a_node(request: &Value) -> Option<&'static str> {
    let spec = request.get("spec");
    if spec.str("signerName") != "kubernetes.io/kube-apiserver-client-kubelet" {
        return None;
    }
    let subject = csr::subject(spec.str("request")).ok()?;
    let node = subject.organizations == ["system:nodes"]
        && subject.common_name.starts_with("system:node:");
    let mut groups = spec.list_at("groups").iter().map(Value::as_str);
    let joins = groups.any(|group| group.starts_with("system:bootstrappers"));
    match (node, spec.str("username") == subject.common_name, joins) {
        (false, ..) => None,
        (_, true, _) => {
            Some("Auto approving self kubelet client certificate after SubjectAccessReview.")
        }
        (_, _, true) => {
            Some("Auto approving kubelet client certificate after SubjectAccessReview.")
        }
        _ => None,
    }
}

fn approve(cx: &mut Cx<'_>, request: &Value, why: &str) {
    let mut changed = request.clone();
    let approved = condition("Approved", "AutoApproved", why, cx.now);
    changed.list_mut("status.conditions").push(approved);
    cx.update_through(&CERTIFICATE_REQUESTS, changed, "approval");
}

fn condition(kind: &str, reason: &str, message: &str, now: Instant) -> Value {
    object! {
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastUpdateTime": (now.rfc3339()),
        "lastTransitionTime": (now.rfc3339()),
    }
}

fn has(request: &Value, kind: &str) -> bool {
    let conditions = request.list_at("status.conditions");
    conditions.iter().any(|one| one.str("type") == kind)
}

/// Whether a request was decided long ago, or will not be decided any more.
fn is_stale(now: Instant, request: &Value) -> bool {
    let decided = KEPT
        .iter()
        .find(|(kind, _)| kind.is_empty() || has(request, kind));
    let Some((kind, kept)) = decided else {
        return false;
    };
    let conditions = request.list_at("status.conditions").iter();
    let mut times = conditions
        .filter(|one| one.str("type") == *kind)
        .map(|one| one.str("lastUpdateTime"));
    let since = times.next().unwrap_or(request.creation_timestamp());
    Instant::parse_rfc3339(since).is_some_and(|since| since + *kept <= now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    fn request(subject: &str, signer: &str, usage: &str) -> Value {
        let body = base64::encode(format!("Subject: {subject}\n").as_bytes());
        let pem = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n"
        );
        object! {
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": { "name": "r" },
            "spec": {
                "request": (base64::encode(pem.as_bytes())),
                "signerName": signer,
                "usages": [usage],
                "expirationSeconds": 3600,
                "username": "system:node:node01",
            },
        }
    }

    #[track_caller]
    fn check(request: Value, approve: bool, expect: &str) {
        let authority = Rc::from("");
        let mut bench = Bench::new(vec![Box::new(CertificatesController { authority })]);
        bench.put(&CERTIFICATE_REQUESTS, request);
        if approve {
            bench.change(&CERTIFICATE_REQUESTS, ("", "r"), |request| {
                let approved = condition("Approved", "Test", "", Instant::ZERO);
                request.list_mut("status.conditions").push(approved);
            });
        }
        let request = bench.get(&CERTIFICATE_REQUESTS, "", "r");
        let pem = base64::decode(request.str_at("status.certificate")).unwrap_or_default();
        let certificate = Certificate::from_pem(&String::from_utf8_lossy(&pem));
        let got = match certificate {
            Some(certificate) => format!("{} {}", certificate.subject, certificate.issuer),
            None => api::kinds::certificatesigningrequest::condition(&request),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn what_is_approved_is_signed() {
        let client = "kubernetes.io/kube-apiserver-client";
        let carol = |usage: &str| request("O=devs,CN=carol", client, usage);
        check(carol("client auth"), false, "Pending");
        check(carol("client auth"), true, "O=devs,CN=carol CN=kubernetes");
        check(carol("server auth"), true, "Approved,Failed");
        check(request("CN=x", "example.com/own", "any"), true, "Approved");
    }

    #[test]
    fn a_node_gets_its_own_certificate_without_asking() {
        let signer = "kubernetes.io/kube-apiserver-client-kubelet";
        let subject = "O=system:nodes,CN=system:node:node01";
        let expect = "O=system:nodes,CN=system:node:node01 CN=kubernetes";
        check(request(subject, signer, "client auth"), false, expect);
        let other = "O=system:nodes,CN=system:node:node02";
        check(request(other, signer, "client auth"), false, "Pending");
    }
}
