//! Admission webhooks: which of them a request is for, what they are asked, and what their answers
//! come to. Who carries the questions is [`crate::consult`].
//!
//! Models apiserver/pkg/admission/plugin/webhook.

use api::cel::Val;
use api::patch::apply_json_patch;
use api::status::Reason;
use api::{Status, Str, Value, base64, object, status};

use super::Plugin;
use super::mutating_policy::reread;
use super::policy::{Subject, conditions, matches};
use crate::consult::{Question, asking};
use crate::server::ApiServer;
use crate::write::{Deed, Origin, Write};

const GROUP: &str = "admissionregistration.k8s.io";
const MUTATING_KIND: &str = "mutatingwebhookconfigurations";
const VALIDATING_KIND: &str = "validatingwebhookconfigurations";
/// The versions of AdmissionReview that the server speaks.
const VERSIONS: [&str; 2] = ["v1", "v1beta1"];
/// Under what the audit log is told of mutating webhooks, of those among them that gave no answer,
/// and of validating ones that gave none.
const MUTATION: &str = "mutation.webhook.admission.k8s.io/";
const PATCH: &str = "patch.webhook.admission.k8s.io/";
const FAILED_OPEN: &str = "failed-open.validating.webhook.admission.k8s.io/";

/// The webhooks that may change objects; [`mutate`] is called with more than other plugins need.
pub(super) const MUTATING: Plugin = Plugin {
    name: "MutatingAdmissionWebhook",
    validate_delete: |server, write, old| validate(server, write, (None, Some(old)), MUTATING_KIND),
    ..Plugin::PLAIN
};

/// The webhooks that may refuse objects.
pub(super) const VALIDATING: Plugin = Plugin {
    name: "ValidatingAdmissionWebhook",
    validate: |server, write, object, old| {
        validate(server, write, (Some(object), old), VALIDATING_KIND)
    },
    validate_delete: |server, write, old| {
        validate(server, write, (None, Some(old)), VALIDATING_KIND)
    },
    ..Plugin::PLAIN
};

/// Whether there are webhooks at all, which saves every write the trouble.
pub(crate) fn exist(server: &ApiServer) -> bool {
    let mut kinds = [MUTATING_KIND, VALIDATING_KIND].into_iter();
    kinds.any(|plural| {
        let resource = server.resources.named(GROUP, plural);
        resource.is_some_and(|resource| !resource.cache.objects().is_empty())
    })
}

/// Every webhook with the name of its configuration.
fn all(server: &ApiServer, plural: &str) -> Vec<(Str, Value)> {
    let Some(resource) = server.resources.named(GROUP, plural) else {
        return Vec::new();
    };
    let configurations = resource.cache.objects().iter();
    let webhooks = configurations.flat_map(|(name, entry)| {
        let own = entry.value.list_at("webhooks").iter();
        own.map(|webhook| (name.clone(), webhook.clone()))
    });
    webhooks.collect()
}

/// What the server does by itself, webhooks do not hear of.
fn is_own(write: &Write) -> bool {
    matches!(
        write.deed,
        Deed::Evict(_) | Deed::Charge(_) | Deed::Disrupt(_)
    ) || matches!(write.origin, Origin::Server | Origin::Aside)
        || write.kind.group == GROUP
}

/// What became of a webhook.
enum Answer {
    /// It is for another request.
    Skipped,
    /// It is being asked.
    Asked(Box<Question>),
    /// It allows the request, with these changes.
    Allowed(Value),
    /// It gave no usable answer.
    Failed(String),
}

/// Asks a webhook, or looks at what it said. The error is its refusal.
fn ask(
    server: &ApiServer,
    subject: &Subject<'_>,
    (configuration, webhook): &(Str, Value),
    round: u8,
    said: &mut Said,
) -> Result<Answer, Status> {
    let mut constraints = webhook.clone();
    constraints.set("resourceRules", webhook.get("rules"));
    let rules = !webhook.list_at("rules").is_empty();
    if !rules || !matches(subject, &constraints) || !wanted(server, subject, webhook)? {
        return Ok(Answer::Skipped);
    }
    let (name, write) = (webhook.str("name"), subject.write);
    if write.dry_run && !matches!(webhook.str("sideEffects"), "None" | "NoneOnDryRun") {
        let why = format!("admission webhook {name:?} does not support dry run");
        return Err(status::bad_request(why));
    }
    let accepted = webhook.list_at("admissionReviewVersions").iter();
    let mut accepted = accepted.map(Value::as_str);
    let Some(version) = accepted.find(|version| VERSIONS.contains(version)) else {
        let why = "webhook does not accept known AdmissionReview versions (v1, v1beta1)";
        return Ok(Answer::Failed(why.to_owned()));
    };
    let question = Question {
        hook: format!("{configuration}/{name}/{round}").into(),
        config: webhook.get("clientConfig").clone(),
        timeout_secs: webhook.i64_at("timeoutSeconds").unwrap_or(10),
        review: review(subject, version),
    };
    let Some((uid, outcome)) = write.said(&question) else {
        return Ok(Answer::Asked(Box::new(question)));
    };
    let answer = match outcome {
        Err(why) => return Ok(Answer::Failed(format!("failed to call webhook: {why}"))),
        Ok(answer) => answer,
    };
    if let Err(why) = verify(answer, version, uid, said.mutates) {
        let why = format!("received invalid webhook response: {why}");
        return Ok(Answer::Failed(why));
    }
    let response = answer.get("response");
    for (key, text) in response.get("auditAnnotations").entries().iter() {
        said.notes
            .push((format!("{name}/{key}"), text.as_str().to_owned()));
    }
    let warnings = response.list_at("warnings").iter();
    said.warnings
        .extend(warnings.map(|warning| warning.as_str().to_owned()));
    match response.get("allowed").as_bool() {
        Some(true) => Ok(Answer::Allowed(response.clone())),
        _ => Err(refusal(name, response.get("status"))),
    }
}

/// What webhooks say beside yes and no.
#[derive(Default)]
struct Said {
    mutates: bool,
    warnings: Vec<String>,
    notes: Vec<(String, String)>,
}

impl Said {
    fn tell(self, write: &mut Write) {
        for (key, text) in self.notes {
            write.note(&key, text);
        }
        for warning in self.warnings {
            write.warn(warning);
        }
    }
}

/// Whether all conditions of a webhook hold. One that does not decides, whatever is wrong with
/// others.
fn wanted(server: &ApiServer, subject: &Subject<'_>, webhook: &Value) -> Result<bool, Status> {
    if webhook.list_at("matchConditions").is_empty() {
        return Ok(true);
    }
    let mut wrong = Vec::new();
    for value in conditions(server, subject, webhook) {
        match value {
            Ok(Val::Bool(false)) => return Ok(false),
            Ok(_) => {}
            Err(why) => wrong.push(why),
        }
    }
    match wrong.as_slice() {
        [] => Ok(true),
        _ if webhook.str("failurePolicy") == "Ignore" => Ok(false),
        [one] => Err(subject.write.forbidden(one)),
        several => Err(subject.write.forbidden(format!("[{}]", several.join(", ")))),
    }
}

/// The AdmissionReview of a request, but for its uid.
fn review(subject: &Subject<'_>, version: &str) -> Value {
    let mut request = subject.request();
    for (key, object) in [("object", &subject.object), ("oldObject", &subject.old)] {
        request.set(key, object.clone());
    }
    if !request.has("options") {
        request.set("options", Value::Null);
    }
    object! {
        "kind": "AdmissionReview",
        "apiVersion": format!("admission.k8s.io/{version}"),
        "request": request,
    }
}

/// Whether an answer is one to the question.
fn verify(answer: &Value, version: &str, uid: &str, mutates: bool) -> Result<(), String> {
    let response = answer.get("response");
    if !response.is_map() {
        return Err("webhook response was absent".to_owned());
    }
    if version != "v1" {
        return Ok(());
    }
    if response.str("uid") != uid {
        let given = response.str("uid");
        return Err(format!("expected response.uid={uid:?}, got {given:?}"));
    }
    let (given, kind) = (answer.str("apiVersion"), answer.str("kind"));
    if (given, kind) != ("admission.k8s.io/v1", "AdmissionReview") {
        let given = if given.is_empty() { "/" } else { given };
        return Err(format!(
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got {given}, \
             Kind={kind}"
        ));
    }
    let (patch, of) = (response.str("patch"), response.get("patchType"));
    match (mutates, patch.is_empty(), of.is_null()) {
        (true, false, true) => {
            Err("webhook returned response.patch but not response.patchType".to_owned())
        }
        (true, true, false) => {
            Err("webhook returned response.patchType but not response.patch".to_owned())
        }
        (false, false, _) => Err("validating webhook may not return response.patch".to_owned()),
        (false, _, false) => Err("validating webhook may not return response.patchType".to_owned()),
        _ => Ok(()),
    }
}

/// A webhook's refusal as a client reads it.
fn refusal(name: &str, given: &Value) -> Status {
    let denied = format!("admission webhook {name:?} denied the request");
    let message = match (given.str("message"), given.str("reason")) {
        ("", "") => format!("{denied} without explanation"),
        ("", reason) => format!("{denied}: {reason}"),
        (message, _) => format!("{denied}: {message}"),
    };
    let code = given
        .i64_at("code")
        .and_then(|code| u16::try_from(code).ok());
    let code = code.filter(|code| *code >= 400).unwrap_or(400);
    let mut status = Status::new(code, Reason::parse(given.str("reason")), message);
    status.details = given.get("details").clone();
    status
}

/// The refusal of a request because a webhook gave no answer.
fn failed(name: &str, why: &str) -> Status {
    status::internal(format!("failed calling webhook {name:?}: {why}"))
}

/// Lets the webhooks of a kind judge a request. All that have not been asked yet are asked at once.
fn validate(
    server: &ApiServer,
    write: &mut Write,
    (object, old): (Option<&Value>, Option<&Value>),
    plural: &str,
) -> Result<(), Status> {
    let webhooks = all(server, plural);
    if webhooks.is_empty() || is_own(write) {
        return Ok(());
    }
    let mut said = Said::default();
    let (mut asks, mut verdict, mut index) = (Vec::new(), Ok(()), 0);
    let subject = Subject::new(server, write, object, old);
    for one in &webhooks {
        let name = one.1.str("name");
        match ask(server, &subject, one, 0, &mut said) {
            Ok(Answer::Skipped) => continue,
            Ok(Answer::Asked(question)) => asks.push(*question),
            Ok(Answer::Allowed(_)) => {}
            Ok(Answer::Failed(_)) if one.1.str("failurePolicy") == "Ignore" => {
                let key = format!("{FAILED_OPEN}round_0_index_{index}");
                said.notes.push((key, name.to_owned()));
            }
            Ok(Answer::Failed(why)) => verdict = verdict.and(Err(failed(name, &why))),
            Err(refused) => verdict = verdict.and(Err(refused)),
        }
        index += 1;
    }
    if !asks.is_empty() {
        write.asks = asks;
        return Err(asking());
    }
    said.tell(write);
    verdict
}

/// How often an object's webhooks have been called, and what was found.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// The webhooks that want to be called again if others change the object after them, and
    /// whether one did.
    again: Vec<(Str, bool)>,
    /// The object as the webhooks left it.
    left: Option<Value>,
}

/// Lets the webhooks change an object, one after the other; true if one did.
pub(super) fn mutate(
    server: &ApiServer,
    write: &mut Write,
    object: &mut Value,
    old: Option<&Value>,
    (round, rounds): (u8, &mut Rounds),
) -> Result<bool, Status> {
    let webhooks = all(server, MUTATING_KIND);
    if webhooks.is_empty() || is_own(write) {
        return Ok(false);
    }
    let others_changed = rounds.left.as_ref().is_some_and(|left| !left.same(object));
    if round > 0 && others_changed {
        rounds.again.iter_mut().for_each(|(_, due)| *due = true);
    }
    let mut any = false;
    for (index, one) in webhooks.iter().enumerate() {
        let name = one.1.str("name");
        let id: Str = format!("{}/{name}", one.0).into();
        if round > 0 && !rounds.again.contains(&(id.clone(), true)) {
            continue;
        }
        let mut said = Said {
            mutates: true,
            ..Said::default()
        };
        let subject = Subject::new(server, write, Some(object), old);
        let answer = ask(server, &subject, one, round, &mut said);
        let changed = match answer {
            Ok(Answer::Skipped) => continue,
            Ok(Answer::Asked(question)) => {
                write.asks = vec![*question];
                return Err(asking());
            }
            Ok(Answer::Failed(why)) => Err(why),
            Ok(Answer::Allowed(response)) => patched(server, &subject, name, &response)?,
            Err(refused) => {
                said.tell(write);
                return Err(refused);
            }
        };
        let place = format!("round_{round}_index_{index}");
        let mut mutated = false;
        match changed {
            Ok(None) => {}
            Ok(Some((new, patch))) => {
                mutated = !new.same(&subject.object);
                said.notes.push((
                    format!("{PATCH}{place}"),
                    format!(
                        "{{\"configuration\":{:?},\"webhook\":{name:?},\"patch\":{},\
                         \"patchType\":\"JSONPatch\"}}",
                        one.0.as_str(),
                        patch.to_json()
                    ),
                ));
                if !matches!(write.deed, Deed::Scale(_)) {
                    *object = match write.kind.view {
                        Some(view) => (view.store)(&new),
                        None => new,
                    };
                }
            }
            Err(_) if one.1.str("failurePolicy") == "Ignore" => said
                .notes
                .push((format!("failed-open.{MUTATION}{place}"), name.to_owned())),
            Err(why) => return Err(failed(name, &why)),
        }
        said.notes.push((
            format!("{MUTATION}{place}"),
            format!(
                "{{\"configuration\":{:?},\"webhook\":{name:?},\"mutated\":{mutated}}}",
                one.0.as_str()
            ),
        ));
        said.tell(write);
        if mutated {
            any = true;
            rounds.again.iter_mut().for_each(|(_, due)| *due = true);
        }
        if one.1.str("reinvocationPolicy") == "IfNeeded" {
            rounds.again.retain(|(known, _)| *known != id);
            rounds.again.push((id, false));
        }
    }
    rounds.left = Some(object.clone());
    Ok(any)
}

/// An object that a webhook has changed, and its patch; nothing where it has no wish. What it asks
/// for and cannot be is the inner error.
#[allow(
    clippy::type_complexity,
    reason = "a refusal is another thing than a failure"
)]
fn patched(
    server: &ApiServer,
    subject: &Subject<'_>,
    name: &str,
    response: &Value,
) -> Result<Result<Option<(Value, Value)>, String>, Status> {
    let encoded = response.str("patch");
    if encoded.is_empty() {
        return Ok(Ok(None));
    }
    let text = base64::decode(encoded).unwrap_or_default();
    let patch = match Value::from_json(&text) {
        Ok(patch) => patch,
        Err(error) => {
            let why = error.message;
            return Ok(Err(format!(
                "received undecodable patch in webhook response: {why}"
            )));
        }
    };
    if patch.list().is_empty() {
        return Ok(Ok(None));
    }
    if subject.object.is_null() {
        return Err(status::internal(format!(
            "admission webhook {name:?} attempted to modify the object, which is not supported \
             for this operation"
        )));
    }
    let of = response.str("patchType");
    if !matches!(of, "JSONPatch" | "") {
        return Ok(Err(format!("unsupported patch type {of:?}")));
    }
    let merged = apply_json_patch(&subject.object, &patch)
        .map_err(|error| status::internal(error.status().message))?;
    let new = reread(server, subject.write.kind, &merged).map_err(status::internal)?;
    Ok(Ok(Some((new, patch))))
}
