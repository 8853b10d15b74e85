//! Fills Secrets of the type `kubernetes.io/service-account-token` with a token of the account they
//! name, and deletes those whose account is gone. Models
//! pkg/controller/serviceaccount/tokens_controller.go. One difference: the token comes from the API
//! server, which has the key, where upstream's controller has it, too.

use std::rc::Rc;

use api::{Value, base64, object};
use client::{DeleteOptions, Delta, Index, Key, Resource, SECRETS, SERVICE_ACCOUNTS, request};

use crate::controller::{Agenda, Controller, Cx};

const TYPE: &str = "kubernetes.io/service-account-token";
const NAME: &str = "kubernetes.io/service-account.name";
const UID: &str = "kubernetes.io/service-account.uid";
/// Such tokens do not expire; these ones do after a hundred years.
const FOREVER_SECS: i64 = 100 * 365 * 24 * 60 * 60;

/// The controller. Keys are Secrets.
#[derive(Clone, Debug)]
pub struct TokensController {
    /// The cluster's certificate, PEM.
    pub certificate: Rc<str>,
}

impl Controller for TokensController {
    fn name(&self) -> &'static str {
        "serviceaccount-token-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(SECRETS, &[]), (SERVICE_ACCOUNTS, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == SECRETS {
            let of_account = |secret: &Value| secret.str("type") == TYPE;
            if delta.new.as_ref().is_some_and(of_account) {
                agenda.add(delta.key.clone());
            }
            return;
        }
        // An account came or went: its tokens are looked at.
        let tokens: Vec<Key> = agenda
            .cache(&SECRETS)
            .iter()
            .filter(|(key, secret)| {
                let here = key.namespace == delta.key.namespace;
                here && secret.str("type") == TYPE && secret.annotation(NAME) == &*delta.key.name
            })
            .map(|(key, _)| key.clone())
            .collect();
        tokens.into_iter().for_each(|key| agenda.add(key));
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(secret) = cx.cache(&SECRETS).get(key).cloned() else {
            return;
        };
        let accounts = cx.cache(&SERVICE_ACCOUNTS);
        let account = accounts
            .named(&key.namespace, secret.annotation(NAME))
            .cloned();
        let uid = secret.annotation(UID);
        let gone = |account: &Value| !uid.is_empty() && account.uid() != uid;
        let Some(account) = account.filter(|account| !gone(account)) else {
            cx.delete(&SECRETS, &secret, DeleteOptions::default());
            return;
        };
        let data = secret.map_at("data");
        if ["ca.crt", "namespace", "token"]
            .into_iter()
            .all(|key| data.contains_key(key))
        {
            return;
        }
        let answers = std::mem::take(&mut cx.outcome.answers);
        let Some(answer) = answers.into_iter().next() else {
            let ask = object! {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": { "expirationSeconds": FOREVER_SECS },
            };
            let request = request::create_sub(
                &SERVICE_ACCOUNTS,
                &key.namespace,
                account.name(),
                "token",
                ask,
            );
            cx.ask(&SERVICE_ACCOUNTS, request);
            return;
        };
        let Ok(answer) = answer else {
            return cx.retry();
        };
        let mut filled = secret.clone();
        filled.set_annotation(UID, account.uid());
        let text = |text: &str| base64::encode(text.as_bytes());
        for (name, content) in [
            ("ca.crt", text(&self.certificate)),
            ("namespace", text(&key.namespace)),
            ("token", text(answer.str_at("status.token"))),
        ] {
            filled.set_path(&["data", name], content);
        }
        cx.update(&SECRETS, filled);
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn tokens_without_an_account_go() {
        let controller = TokensController {
            certificate: "ca".into(),
        };
        let mut bench = Bench::new(vec![Box::new(controller)]);
        bench.put(
            &SECRETS,
            object! {
                "metadata": {
                    "name": "t", "namespace": "shop", "uid": "u",
                    "annotations": { (NAME): "robot" },
                },
                "type": TYPE,
            },
        );
        assert!(bench.find(&SECRETS, "shop", "t").is_none());
    }
}
