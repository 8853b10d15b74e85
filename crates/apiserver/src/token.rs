//! Service account tokens: JSON web tokens in form, signed with a keyed hash instead of RSA, because
//! nobody in a simulated world can forge what they cannot compute.
//!
//! Models pkg/serviceaccount/{jwt,claims}.go.

use std::rc::Rc;

use api::{Value, base64, go, object};
use sim::{Instant, Stream};

use crate::authn::User;
use crate::config::Config;
use crate::resources::Resources;

/// The claims of a token for a service account; bound to an object where one is given.
pub(crate) struct Claims<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) service_account: &'a str,
    pub(crate) uid: &'a str,
    pub(crate) audiences: Vec<Value>,
    pub(crate) bound: Option<&'a Bound>,
    pub(crate) expires_secs: i64,
    /// After so many seconds its use is worth a warning, though it is still valid.
    pub(crate) warn_after_secs: Option<i64>,
    pub(crate) id: String,
}

/// What a token is bound to: it is good as long as that exists.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    /// `pod`, `secret` or `node`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) uid: String,
    /// Of a pod, its node: name and uid.
    pub(crate) node: Option<(String, String)>,
}

/// Makes a token.
pub(crate) fn sign(config: &Config, now: Instant, claims: &Claims<'_>) -> String {
    let issued = now.unix_secs();
    let mut kubernetes = object! {
        "namespace": claims.namespace,
        "serviceaccount": { "name": claims.service_account, "uid": claims.uid },
    };
    if let Some(bound) = claims.bound {
        let about = |name: &String, uid: &String| {
            object! { "name": name.as_str(), "uid": uid.as_str() }
        };
        kubernetes.set(bound.kind, about(&bound.name, &bound.uid));
        if let Some((name, uid)) = &bound.node {
            kubernetes.set("node", about(name, uid));
        }
    }
    if let Some(secs) = claims.warn_after_secs {
        kubernetes.set("warnafter", issued + secs);
    }
    let body = object! {
        "aud": claims.audiences.clone(),
        "exp": issued + claims.expires_secs,
        "iat": issued,
        "iss": &*config.issuer,
        "jti": claims.id.as_str(),
        "kubernetes.io": kubernetes,
        "nbf": issued,
        "sub": format!("system:serviceaccount:{}:{}", claims.namespace, claims.service_account),
    };
    let head = object! { "alg": "RS256", "kid": "kubarium" };
    let signed = format!(
        "{}.{}",
        url_encode(&head.to_json()),
        url_encode(&body.to_json())
    );
    let signature = signature(config, &signed);
    format!("{signed}.{signature}")
}

/// Why a token is not good: words that a TokenReview tells.
pub(crate) type Refusal = String;

/// The user of a token, and those of the audiences that it is for; refused where it is malformed,
/// forged, expired, for none of the audiences, or its account is gone.
pub(crate) fn verify(
    config: &Config,
    resources: &Resources,
    now: Instant,
    token: &str,
    audiences: &[&str],
) -> Result<(User, Vec<String>), Refusal> {
    let bad = || "invalid bearer token".to_owned();
    let (user, own) = user_of(config, resources, now, token).ok_or_else(bad)?;
    let common: Vec<String> = audiences
        .iter()
        .filter(|one| own.iter().any(|own| own == *one))
        .map(|one| (*one).to_owned())
        .collect();
    if common.is_empty() {
        let list = |all: Vec<&str>| {
            let quoted: Vec<String> = all.into_iter().map(go::quote).collect();
            format!("[{}]", quoted.join(" "))
        };
        let own = list(own.iter().map(String::as_str).collect());
        let wanted = list(audiences.to_vec());
        return Err(format!(
            "[invalid bearer token, token audiences {own} is invalid for the target audiences \
             {wanted}]"
        ));
    }
    Ok((user, common))
}

/// The user of a token, and whom it is for.
fn user_of(
    config: &Config,
    resources: &Resources,
    now: Instant,
    token: &str,
) -> Option<(User, Vec<String>)> {
    let (signed, found) = token.rsplit_once('.')?;
    if found != signature(config, signed) {
        return None;
    }
    let (_, body) = signed.split_once('.')?;
    let claims = Value::from_json(&url_decode(body)?).ok()?;
    if claims.i64_at("exp")? < now.unix_secs() || claims.str("iss") != &*config.issuer {
        return None;
    }
    let about = claims.get("kubernetes.io");
    let namespace = about.str("namespace");
    let account = about.get("serviceaccount");
    let alive = |plural: &str, key: &str, uid: &str| {
        let stored = resources.lookup("", plural, key)?;
        (stored.value.uid() == uid).then_some(())
    };
    let own = |name: &str| format!("{namespace}/{name}");
    alive(
        "serviceaccounts",
        &own(account.str("name")),
        account.str("uid"),
    )?;
    let (pod, secret, node) = (about.get("pod"), about.get("secret"), about.get("node"));
    if pod.is_map() {
        alive("pods", &own(pod.str("name")), pod.str("uid"))?;
    } else if secret.is_map() {
        alive("secrets", &own(secret.str("name")), secret.str("uid"))?;
    } else if node.is_map() {
        alive("nodes", node.str("name"), node.str("uid"))?;
    }
    let audiences = claims.list_at("aud").iter();
    let audiences = audiences.map(|one| one.as_str().to_owned()).collect();
    let user = User {
        name: claims.str("sub").into(),
        groups: vec![
            "system:serviceaccounts".into(),
            Rc::from(format!("system:serviceaccounts:{namespace}")),
            "system:authenticated".into(),
        ],
        uid: account.str("uid").into(),
        extra: extra(&claims, about),
    };
    Some((user, audiences))
}

/// What a token says of itself and the pod it is for.
fn extra(claims: &Value, about: &Value) -> Vec<(Rc<str>, Rc<str>)> {
    let mut extra: Vec<(Rc<str>, Rc<str>)> = Vec::new();
    let mut add = |key: &str, value: &str| {
        if !value.is_empty() {
            let key = format!("authentication.kubernetes.io/{key}");
            extra.push((key.into(), value.into()));
        }
    };
    if !claims.str("jti").is_empty() {
        add("credential-id", &format!("JTI={}", claims.str("jti")));
    }
    add("node-name", about.str_at("node.name"));
    add("node-uid", about.str_at("node.uid"));
    add("pod-name", about.str_at("pod.name"));
    add("pod-uid", about.str_at("pod.uid"));
    extra
}

/// A keyed hash of the text, drawn out to the length of an RSA signature: FNV-1a over the text, then
/// a stream that begins with what it gave.
fn signature(config: &Config, text: &str) -> String {
    let begin = 0xcbf2_9ce4_8422_2325_u64 ^ config.signing_key;
    let hash = text.bytes().fold(begin, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut stream = Stream::new(hash, "signature");
    let mut bytes = Vec::with_capacity(256);
    for _ in 0..32 {
        bytes.extend_from_slice(&stream.next_u64().to_be_bytes());
    }
    url_encode_bytes(&bytes)
}

fn url_encode(text: &str) -> String {
    url_encode_bytes(text.as_bytes())
}

fn url_encode_bytes(bytes: &[u8]) -> String {
    base64::encode(bytes)
        .replace('+', "-")
        .replace('/', "_")
        .trim_end_matches('=')
        .to_owned()
}

fn url_decode(text: &str) -> Option<Vec<u8>> {
    let mut text = text.replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    base64::decode(&text).ok()
}
