//! Definitions of custom resources that specs make, and how they wait for them.
//!
//! Models apiextensions-apiserver/test/integration/fixtures/resources.go.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::cluster::{Cluster, text};

/// Where definitions are.
pub(crate) const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A schema that allows everything.
pub(crate) fn allow_all() -> Value {
    json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } })
}

/// A name that no other definition of this run has.
pub(crate) fn unique(base: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{base}{:05}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A definition named at random, with one version, `v1beta1`, that allows everything.
pub(crate) fn random(scope: &str) -> Value {
    named(
        &(unique("foo") + "a"),
        scope,
        &json!([{
            "name": "v1beta1", "served": true, "storage": true, "schema": allow_all(),
        }]),
    )
}

/// A definition named at random with two versions of this schema; the second is stored.
pub(crate) fn random_with_versions(scope: &str, schema: &Value) -> Value {
    let version = |name: &str, storage: bool| {
        json!({
            "name": name, "served": true, "storage": storage,
            "subresources": { "status": {} }, "schema": schema,
        })
    };
    let versions = json!([version("v1beta1", false), version("v1", true)]);
    named(&(unique("foo") + "a"), scope, &versions)
}

fn named(name: &str, scope: &str, versions: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{name}s.mygroup.example.com") },
        "spec": {
            "group": "mygroup.example.com",
            "versions": versions,
            "names": {
                "plural": format!("{name}s"), "singular": name,
                "kind": name, "listKind": format!("{name}List"),
            },
            "scope": scope,
        },
    })
}

/// `/apis/GROUP/VERSION/PLURAL`, in a namespace if the definition's objects are in one.
pub(crate) fn objects(definition: &Value, version: &str, namespace: &str) -> Result<String> {
    let (group, plural) = (
        text(definition, "/spec/group")?,
        text(definition, "/spec/names/plural")?,
    );
    Ok(match definition["spec"]["scope"] == "Namespaced" {
        true => format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}"),
        false => format!("/apis/{group}/{version}/{plural}"),
    })
}

/// The names of the versions that are served.
pub(crate) fn served(definition: &Value) -> Vec<String> {
    let versions = definition["spec"]["versions"].as_array().into_iter();
    let served = versions.flatten().filter(|v| v["served"] == true);
    let names = served.filter_map(|version| version["name"].as_str());
    names.map(str::to_owned).collect()
}

/// An object of the definition with nothing in it.
pub(crate) fn instance(definition: &Value, version: &str, name: &str) -> Result<Value> {
    let group = text(definition, "/spec/group")?;
    Ok(json!({
        "apiVersion": format!("{group}/{version}"),
        "kind": text(definition, "/spec/names/kind")?,
        "metadata": { "name": name },
    }))
}

impl Cluster {
    /// Makes a definition and waits until discovery tells of all its versions.
    pub(crate) async fn define(&self, definition: &Value) -> Result<Value> {
        let made = self.create(PATH, definition).await?;
        for version in served(&made) {
            self.until_told(&made, &version, true).await?;
        }
        Ok(made)
    }

    /// As [`Self::define`]; waits until watches of its objects work as well.
    pub(crate) async fn define_and_watch(&self, definition: &Value) -> Result<Value> {
        let made = self.define(definition).await?;
        let versions = served(&made);
        let mut object = instance(&made, &versions[0], "setup-instance")?;
        let fields = json!({
            "alpha": "foo_123", "beta": 10, "gamma": "bar", "delta": "hello", "epsilon": "foobar",
            "spec": {},
        });
        for (name, value) in fields.as_object().into_iter().flatten() {
            object[name] = value.clone();
        }
        let path = objects(&made, &versions[0], "default")?;
        object["metadata"]["namespace"] = json!(match made["spec"]["scope"] == "Namespaced" {
            true => "default",
            false => "",
        });
        let object = self.create(&path, &object).await?;
        let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1" }).to_string();
        let one = format!("{path}/setup-instance");
        let gone = self.call(Method::DELETE, &one, &[], Some(options)).await?;
        ensure!(gone.status.is_success(), "{}", gone.text);
        let since = text(&object, "/metadata/resourceVersion")?;
        for version in &versions {
            let path = objects(&made, version, "default")?;
            let path = format!("{path}?resourceVersion={since}");
            let (kind, object) = self.watch(&path).await?.next().await?;
            ensure!(
                kind == "DELETED",
                "expected DELETE, but got {kind} {object}"
            );
        }
        Ok(made)
    }

    /// Deletes a definition and waits until discovery tells of it no more.
    pub(crate) async fn undefine(&self, definition: &Value) -> Result<()> {
        let name = text(definition, "/metadata/name")?;
        self.delete(&format!("{PATH}/{name}")).await?;
        for version in served(definition) {
            self.until_told(definition, &version, false).await?;
        }
        Ok(())
    }

    /// Waits until discovery tells of a definition's version, or tells of it no more.
    pub(crate) async fn until_told(
        &self,
        definition: &Value,
        version: &str,
        told: bool,
    ) -> Result<()> {
        let group = text(definition, "/spec/group")?;
        let plural = text(definition, "/spec/names/plural")?;
        let path = format!("/apis/{group}/{version}");
        self.until(&path, |found| {
            let resources = found.and_then(|list| list["resources"].as_array());
            let mut resources = resources.into_iter().flatten();
            resources.any(|resource| resource["name"] == plural) == told
        })
        .await?;
        Ok(())
    }
}
