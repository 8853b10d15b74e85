//! What holds for every kind, checked against what a real API server said.

use super::*;
use crate::schema::Schemas;
use crate::yaml;

mod mistakes;
mod rows;

fn parse(text: &str) -> Value {
    let documents = yaml::parse_all(text).expect("YAML");
    documents.first().expect("a document").value.clone()
}

/// A file of `tests/data`.
macro_rules! data {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/", $path))
    };
}

/// The object as a typed server decodes it.
fn decoded(object: &Value) -> Value {
    let decoded = Schemas::load().decode(object.api_version(), object.kind(), object);
    assert_eq!(
        (decoded.strict, decoded.error),
        (Vec::new(), None),
        "{object}"
    );
    decoded.value
}

/// An object as the API server takes it in: decoded, defaulted and made fit for creation.
fn created(object: Value) -> (&'static Kind, Value) {
    let kind = by_kind(object.api_version(), object.kind()).expect("a known kind");
    let mut object = decoded(&object);
    if kind.namespaced && object.namespace().is_empty() {
        object.set("metadata.namespace", "default");
    }
    kind.default(&mut object);
    kind.prepare_for_create(&mut object);
    (kind, object)
}

/// The same for an object written down.
fn created_from(text: &str) -> (&'static Kind, Value) {
    created(parse(text))
}

#[test]
fn names_verbs_and_subresources_are_the_real_ones() {
    let rows: Vec<Vec<&str>> = data!("resources.tsv")
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let schemas = Schemas::load();
    for kind in all() {
        let id = schemas
            .by_kind(&kind.api_version(), kind.kind)
            .expect("a definition");
        assert_eq!(schemas.definition(id).full_name(), kind.schema);
        let row = rows
            .iter()
            .find(|row| row[..3] == [kind.group, kind.version, kind.kind]);
        let row = row.unwrap_or_else(|| panic!("{kind:?} is listed"));
        let subresource = |sub: &Subresource| {
            let path = match sub.group_version {
                "" => String::new(),
                group_version => format!("{group_version}/"),
            };
            format!("{}[{}]={path}{}", sub.name, sub.verbs.join(","), sub.kind)
        };
        let subresources: Vec<String> = kind.subresources.iter().map(subresource).collect();
        let ours = [
            kind.group,
            kind.version,
            kind.kind,
            kind.plural,
            kind.singular,
            &kind.short_names.join(","),
            &kind.categories.join(","),
            if kind.namespaced { "true" } else { "false" },
            &kind.verbs.join(","),
            &subresources.join(" "),
        ];
        assert_eq!(ours, row[..10], "{kind:?}");
    }
}

#[test]
fn columns_are_the_real_ones() {
    for kind in all().iter().filter(|kind| !kind.columns.is_empty()) {
        let real: Vec<Vec<&str>> = data!("columns.tsv")
            .lines()
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .filter(|row| row[..3] == [kind.group, kind.version, kind.plural])
            .map(|row| row[4..8].to_vec())
            .collect();
        let priority = |c: &Column| if c.priority == 0 { "0" } else { "1" };
        let ours = kind
            .columns
            .iter()
            .map(|c| vec![c.name, c.kind, c.format, priority(c)]);
        let ours: Vec<Vec<&str>> = ours.collect();
        assert_eq!(ours, real, "{kind:?}");
    }
}

#[test]
fn every_sample_is_valid_and_has_a_row() {
    for kind in all() {
        let (found, object) = created(parse(kind.sample));
        assert_eq!(found, *kind);
        let errors: Vec<String> = kind
            .validate_create(&object)
            .iter()
            .map(FieldError::to_string)
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{kind:?}");
        assert_eq!(
            (kind.row)(&object, Instant::ZERO).len(),
            kind.columns.len(),
            "{kind:?}"
        );
        let mut again = object.clone();
        kind.prepare_for_update(&mut again, &object, "");
        assert_eq!(again, object, "{kind:?}: writing the same changes nothing");
        assert!(
            kind.validate_update(&again, &object, "").is_empty(),
            "{kind:?}"
        );
        assert_eq!(
            kind.selectable(&object, "metadata.name"),
            Some(object.name().into())
        );
        assert_eq!(kind.selectable(&object, "nosuch"), None);
        for field in kind.fields {
            assert!(
                kind.selectable(&object, field).is_some(),
                "{kind:?} {field}"
            );
        }
    }
}

/// What was sent, completed by us, is what the real API server made of it, save what its registry
/// and admission add.
#[track_caller]
fn check_defaults(text: &str) {
    let documents = yaml::parse_all(text).expect("YAML");
    let [sent, observed] = documents.as_slice() else {
        panic!("two documents")
    };
    let (_, ours) = created(sent.value.clone());
    let mut theirs = observed.value.clone();
    let ours = stripped(ours);
    theirs = stripped(theirs);
    assert_eq!(yaml::to_string(&ours), yaml::to_string(&theirs));
}

/// The object without what is the registry's or admission's.
fn stripped(mut object: Value) -> Value {
    for key in ["creationTimestamp", "uid"] {
        object.remove_path(&["metadata", key]);
    }
    let is_token = |of: &Value| of.str("name").starts_with("kube-api-access-");
    if object.kind() == "Pod" {
        for key in [
            "priority",
            "preemptionPolicy",
            "serviceAccount",
            "serviceAccountName",
        ] {
            object.remove_path(&["spec", key]);
        }
        let added = |t: &Value| t.has("tolerationSeconds");
        retain(&mut object, "spec.tolerations", |t| !added(t));
        retain(&mut object, "spec.volumes", |v| !is_token(v));
        for list in ["containers", "initContainers"] {
            for i in 0..object.get("spec").list_at(list).len() {
                let path = format!("spec.{list}.{i}.volumeMounts");
                retain(&mut object, &path, |m| !is_token(m));
            }
        }
    }
    if object.kind() == "Service" {
        for key in ["clusterIP", "clusterIPs", "healthCheckNodePort"] {
            if object.at_path(&["spec", key]).as_str() != "None" {
                object.remove_path(&["spec", key]);
            }
        }
        if object.str_at("spec.type") == "LoadBalancer" {
            object.remove("spec.ports.0.nodePort");
        }
    }
    if object.kind() == "Job" {
        // They hold the uid.
        for path in ["metadata.labels", "spec.selector", "spec.template.metadata"] {
            object.remove(path);
        }
    }
    object.remove("status.lastPhaseTransitionTime");
    object.remove("metadata.finalizers");
    if object.kind() == "Node" {
        object.remove("spec.taints");
    }
    object
}

/// Keeps what fits of a list, and nothing of a list where nothing does.
fn retain(object: &mut Value, path: &str, keep: impl Fn(&Value) -> bool) {
    if object.list_at(path).is_empty() {
        return;
    }
    object.list_mut(path).retain(keep);
    if object.list_at(path).is_empty() {
        object.remove(path);
    }
}

#[test]
fn defaults_are_the_real_ones() {
    check_defaults(data!("defaults/apiservice.yaml"));
    check_defaults(data!("defaults/clusterrole.yaml"));
    check_defaults(data!("defaults/clusterrolebinding.yaml"));
    check_defaults(data!("defaults/configmap.yaml"));
    check_defaults(data!("defaults/controllerrevision.yaml"));
    check_defaults(data!("defaults/cronjob.yaml"));
    check_defaults(data!("defaults/csidriver.yaml"));
    check_defaults(data!("defaults/customresourcedefinition.yaml"));
    check_defaults(data!("defaults/daemonset.yaml"));
    check_defaults(data!("defaults/deployment.yaml"));
    check_defaults(data!("defaults/endpoints.yaml"));
    check_defaults(data!("defaults/endpointslice.yaml"));
    check_defaults(data!("defaults/event.yaml"));
    check_defaults(data!("defaults/horizontalpodautoscaler.yaml"));
    check_defaults(data!("defaults/horizontalpodautoscaler-behavior.yaml"));
    check_defaults(data!("defaults/horizontalpodautoscaler-v1.yaml"));
    check_defaults(data!("defaults/job.yaml"));
    check_defaults(data!("defaults/job-indexed.yaml"));
    check_defaults(data!("defaults/flowschema.yaml"));
    check_defaults(data!("defaults/ingress.yaml"));
    check_defaults(data!("defaults/ingressclass.yaml"));
    check_defaults(data!("defaults/lease.yaml"));
    check_defaults(data!("defaults/limitrange.yaml"));
    check_defaults(data!("defaults/mutatingwebhookconfiguration.yaml"));
    check_defaults(data!("defaults/namespace.yaml"));
    check_defaults(data!("defaults/networkpolicy.yaml"));
    check_defaults(data!("defaults/networkpolicy-egress.yaml"));
    check_defaults(data!("defaults/node.yaml"));
    check_defaults(data!("defaults/persistentvolume.yaml"));
    check_defaults(data!("defaults/persistentvolumeclaim.yaml"));
    check_defaults(data!("defaults/pod.yaml"));
    check_defaults(data!("defaults/pod-full.yaml"));
    check_defaults(data!("defaults/poddisruptionbudget.yaml"));
    check_defaults(data!("defaults/podtemplate.yaml"));
    check_defaults(data!("defaults/priorityclass.yaml"));
    check_defaults(data!("defaults/prioritylevelconfiguration.yaml"));
    check_defaults(data!("defaults/replicaset.yaml"));
    check_defaults(data!("defaults/replicationcontroller.yaml"));
    check_defaults(data!("defaults/resourcequota.yaml"));
    check_defaults(data!("defaults/role.yaml"));
    check_defaults(data!("defaults/rolebinding.yaml"));
    check_defaults(data!("defaults/runtimeclass.yaml"));
    check_defaults(data!("defaults/secret.yaml"));
    check_defaults(data!("defaults/service.yaml"));
    check_defaults(data!("defaults/service-externalname.yaml"));
    check_defaults(data!("defaults/service-headless.yaml"));
    check_defaults(data!("defaults/service-loadbalancer.yaml"));
    check_defaults(data!("defaults/service-nodeport.yaml"));
    check_defaults(data!("defaults/serviceaccount.yaml"));
    check_defaults(data!("defaults/statefulset.yaml"));
    check_defaults(data!("defaults/validatingwebhookconfiguration.yaml"));
    check_defaults(data!("defaults/volumeattachment.yaml"));
}

#[test]
fn status_and_spec_have_their_own_writers() {
    let (kind, old) = created(parse(deployment::KIND.sample));
    let mut new = old.clone();
    new.set("spec.replicas", 5);
    new.set("status.replicas", 5);
    new.set("metadata.labels.app", "other");
    let mut main = new.clone();
    kind.prepare_for_update(&mut main, &old, "");
    assert_eq!(main.i64_at("spec.replicas"), Some(5));
    assert_eq!(main.get("status"), old.get("status"));
    assert_eq!(main.generation(), 2);
    let mut status = new;
    kind.prepare_for_update(&mut status, &old, "status");
    assert_eq!(status.i64_at("spec.replicas"), Some(3));
    assert_eq!(status.i64_at("status.replicas"), Some(5));
    assert_eq!((status.generation(), status.label("app")), (1, "web"));
}

#[test]
fn a_service_that_changes_its_type_drops_what_it_had() {
    let (kind, mut old) = created(parse(service::KIND.sample));
    old.set("spec.clusterIP", "10.96.0.9");
    old.set("spec.clusterIPs", vec!["10.96.0.9"]);
    let step = |old: &Value, to: &str| {
        let mut new = old.clone();
        new.set("spec.type", to);
        kind.default(&mut new);
        kind.prepare_for_update(&mut new, old, "");
        assert_eq!(kind.validate_update(&new, old, ""), []);
        new
    };
    let mut node_port = step(&old, "NodePort");
    assert_eq!(node_port.str_at("spec.externalTrafficPolicy"), "Cluster");
    assert!(service::needs_node_port(&node_port));
    node_port.set("spec.ports.0.nodePort", 30_080);
    let balanced = step(&node_port, "LoadBalancer");
    assert_eq!(balanced.i64_at("spec.ports.0.nodePort"), Some(30_080));
    assert_eq!(step(&balanced, "ClusterIP"), old);
    // A manifest applied again leaves out what was allocated.
    let mut applied = decoded(&parse(service::KIND.sample));
    applied.set("metadata.namespace", "default");
    kind.default(&mut applied);
    kind.prepare_for_update(&mut applied, &old, "");
    assert_eq!(applied, old);
}

#[test]
fn kinds_are_found_by_any_of_their_names() {
    #[track_caller]
    fn check(name: &str, expect: Option<&str>) {
        let found = resolve(name).map(|kind| format!("{kind:?}"));
        assert_eq!(found.as_deref(), expect, "{name}");
    }
    check("po", Some("v1/Pod"));
    check("Deployment", Some("apps/v1/Deployment"));
    check("deployments.apps", Some("apps/v1/Deployment"));
    check("deploy.v1.apps", Some("apps/v1/Deployment"));
    check("deployments.v2.apps", None);
    check("pods.apps", None);
    check("events", Some("v1/Event"));
    check("ev.events.k8s.io", Some("events.k8s.io/v1/Event"));
    check("podz", None);
    assert_eq!(find("apps", "v1", "replicasets"), Some(&replicaset::KIND));
    assert_eq!(
        by_kind("discovery.k8s.io/v1", "EndpointSlice"),
        Some(&endpointslice::KIND)
    );
    assert_eq!(event_v1::KIND.stored(), &event::KIND);
}
