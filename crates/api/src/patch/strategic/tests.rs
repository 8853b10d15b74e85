use super::*;
use crate::object;

fn deployment(containers: Value) -> Value {
    object! {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "labels": { "app": "web" } },
        "spec": { "replicas": 1, "template": { "spec": { "containers": containers } } },
    }
}

fn id(schemas: &Schemas, api_version: &str, kind: &str) -> DefId {
    schemas.by_kind(api_version, kind).expect("a known kind")
}

fn applied(object: &Value, patch: &Value) -> Result<Value, PatchError> {
    let schemas = Schemas::load();
    let id = id(&schemas, object.api_version(), object.kind());
    apply_strategic_patch(&schemas, id, object, patch)
}

/// A patch of the containers of a deployment, and the containers after it.
#[track_caller]
fn check(containers: Value, patch: Value, want: &str) {
    let patch = object! { "spec": { "template": { "spec": patch } } };
    let got = applied(&deployment(containers), &patch).expect("applies");
    assert_eq!(got.at("spec.template.spec.containers").to_json(), want);
}

#[test]
fn containers_merge_by_name() {
    check(
        crate::value!([{ "name": "nginx", "image": "nginx:1.27" }]),
        object! { "containers": [
            { "name": "nginx", "image": "nginx:1.26" },
            { "name": "side", "image": "busybox" },
        ] },
        r#"[{"image":"nginx:1.26","name":"nginx"},{"image":"busybox","name":"side"}]"#,
    );
    check(
        crate::value!([{ "name": "a" }, { "name": "b" }]),
        object! { "containers": [{ "$patch": "delete", "name": "a" }] },
        r#"[{"name":"b"}]"#,
    );
    check(
        crate::value!([{ "name": "a" }]),
        object! { "containers": [{ "$patch": "replace" }, { "name": "z" }] },
        r#"[{"name":"z"}]"#,
    );
    check(
        crate::value!([{ "name": "a" }, { "name": "b" }]),
        object! {
            "$setElementOrder/containers": [{ "name": "c" }, { "name": "b" }, { "name": "a" }],
            "containers": [{ "name": "c" }],
        },
        r#"[{"name":"c"},{"name":"b"},{"name":"a"}]"#,
    );
    check(
        crate::value!([{ "name": "only" }]),
        object! {
            "$setElementOrder/containers": [{ "name": "only" }],
            "containers": [{ "$patch": "delete", "name": "only" }],
        },
        "[]",
    );
}

#[test]
fn maps_nulls_and_scalars() {
    let before = deployment(crate::value!([{ "name": "a", "args": ["x", "y"] }]));
    let patch = object! {
        "metadata": { "labels": { "app": null, "b": "c", "none": null } },
        "spec": { "replicas": null, "paused": true, "selector": { "matchLabels": { "x": null } } },
    };
    let after = applied(&before, &patch).expect("applies");
    assert_eq!(after.at("metadata.labels").to_json(), r#"{"b":"c"}"#);
    assert!(!after.has("spec.replicas") && after.bool_at("spec.paused"));
    assert_eq!(after.at("spec.selector").to_json(), r#"{"matchLabels":{}}"#);
    let node =
        object! { "apiVersion": "v1", "kind": "Node", "metadata": { "finalizers": ["a", "b"] } };
    let patch = object! { "metadata": { "$deleteFromPrimitiveList/finalizers": ["a"] } };
    let after = applied(&node, &patch).expect("applies");
    assert_eq!(after.at("metadata.finalizers").to_json(), r#"["b"]"#);
    let patch = object! { "metadata": { "finalizers": ["c", "a"] } };
    let after = applied(&node, &patch).expect("applies");
    assert_eq!(
        after.at("metadata.finalizers").to_json(),
        r#"["c","a","b"]"#
    );
}

#[test]
fn retain_keys() {
    let mut before = deployment(crate::value!([]));
    before.set(
        "spec.strategy",
        object! { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1 } },
    );
    let patch = object! { "spec": { "strategy": { "$retainKeys": ["type"], "type": "Recreate" } } };
    let after = applied(&before, &patch).expect("applies");
    assert_eq!(
        after.at("spec.strategy").to_json(),
        r#"{"type":"Recreate"}"#
    );
    let stray = object! { "spec": { "strategy": { "$retainKeys": ["type"], "other": 1 } } };
    assert_eq!(
        applied(&before, &stray),
        Err(PatchError::BadRequest(
            "invalid patch format of retainKeys".into()
        ))
    );
}

#[test]
fn errors() {
    let before = deployment(crate::value!([{ "name": "a" }]));
    let patch =
        object! { "spec": { "template": { "spec": { "containers": [{ "image": "x" }] } } } };
    assert_eq!(
        applied(&before, &patch),
        Err(PatchError::Server(
            "map: map[image:x] does not contain declared merge key: name".into()
        ))
    );
    let patch = object! { "spec": { "$patch": "frob" } };
    assert_eq!(
        applied(&before, &patch),
        Err(PatchError::Server(
            "unknown patch type: frob in map: map[$patch:frob]".into()
        ))
    );
}

/// The patch between two objects, and that it leads from one to the other.
#[track_caller]
fn check_diff(before: &Value, after: &Value, want: &str) {
    let schemas = Schemas::load();
    let id = id(&schemas, before.api_version(), before.kind());
    let patch = create_strategic_patch(&schemas, id, before, after).expect("a patch");
    assert_eq!(patch.to_json(), want);
    assert_eq!(
        apply_strategic_patch(&schemas, id, before, &patch).as_ref(),
        Ok(after)
    );
}

#[test]
fn two_way_patches() {
    let before =
        deployment(crate::value!([{ "name": "a", "image": "1" }, { "name": "b", "image": "1" }]));
    check_diff(&before, &before.clone(), "{}");
    let mut after = before.clone();
    after.set("spec.template.spec.containers.0.image", "2");
    check_diff(
        &before,
        &after,
        r#"{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"a"},{"name":"b"}],"containers":[{"image":"2","name":"a"}]}}}}"#,
    );
    let mut after = before.clone();
    after.remove("spec.template.spec.containers.0");
    after.remove("spec.replicas");
    check_diff(
        &before,
        &after,
        r#"{"spec":{"replicas":null,"template":{"spec":{"$setElementOrder/containers":[{"name":"b"}],"containers":[{"$patch":"delete","name":"a"}]}}}}"#,
    );
    let mut before = before;
    before.set(
        "spec.strategy",
        object! { "type": "RollingUpdate", "rollingUpdate": {} },
    );
    let mut after = before.clone();
    after.set("spec.strategy", object! { "type": "Recreate" });
    check_diff(
        &before,
        &after,
        r#"{"spec":{"strategy":{"$retainKeys":["type"],"rollingUpdate":null,"type":"Recreate"}}}"#,
    );
    let with = |finalizers: &[&str]| {
        object! { "apiVersion": "v1", "kind": "Node", "metadata": { "finalizers": finalizers } }
    };
    check_diff(
        &with(&["a", "b"]),
        &with(&["b", "c"]),
        r#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"$setElementOrder/finalizers":["b","c"],"finalizers":["c"]}}"#,
    );
}

#[test]
fn three_way_patches() {
    let schemas = Schemas::load();
    let id = id(&schemas, "apps/v1", "Deployment");
    let file = deployment(
        crate::value!([{ "name": "a", "image": "1", "env": [{ "name": "X", "value": "1" }] }]),
    );
    // The cluster's has defaults, and somebody scaled it.
    let mut current = file.clone();
    current.set("spec.replicas", 3);
    current.set("spec.revisionHistoryLimit", 10);
    current.set("spec.template.spec.containers.0.imagePullPolicy", "Always");
    let three = |original: &Value, modified: &Value, current: &Value| {
        three_way_strategic_patch(&schemas, id, original, modified, current).expect("a patch")
    };
    assert_eq!(
        three(&file, &file, &current).to_json(),
        r#"{"spec":{"replicas":1}}"#
    );
    let mut same = current.clone();
    same.set("spec.replicas", 1);
    assert_eq!(three(&file, &file, &same).to_json(), "{}");
    assert_eq!(three(&Value::Null, &file, &same).to_json(), "{}");
    // What the file no longer says goes, what it never said stays.
    let mut next = file.clone();
    next.remove("spec.replicas");
    next.remove("spec.template.spec.containers.0.env");
    let patch = three(&file, &next, &same);
    assert_eq!(
        patch.to_json(),
        r#"{"spec":{"replicas":null,"template":{"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"env":null,"name":"a"}]}}}}"#
    );
    let after = apply_strategic_patch(&schemas, id, &same, &patch).expect("applies");
    assert!(!after.has("spec.replicas") && !after.has("spec.template.spec.containers.0.env"));
    assert_eq!(
        after.str_at("spec.template.spec.containers.0.imagePullPolicy"),
        "Always"
    );
    // A container is exchanged for another.
    let mut next = file.clone();
    next.set("spec.template.spec.containers.0.name", "b");
    let patch = three(&file, &next, &same);
    let after = apply_strategic_patch(&schemas, id, &same, &patch).expect("applies");
    let names: Vec<&str> = after
        .list_at("spec.template.spec.containers")
        .iter()
        .map(|c| c.str("name"))
        .collect();
    assert_eq!(names, ["b"]);
}

#[test]
fn what_is_left_of_a_patch_in_complaints() {
    let patch = object! {
        "metadata": { "annotations": { "a": "b" } },
        "spec": {
            "$setElementOrder/containers": [{ "name": "c" }],
            "containers": [{ "name": "c", "ports": [{ "containerPort": "80" }] }],
        },
    };
    let shown = crate::go::plain(&spent_strategic_patch(&patch));
    assert_eq!(shown, "map[metadata:map[annotations:map[a:b]] spec:map[]]");
    let status = crate::patch::undecodable(&shown, "unrecognized type: int32");
    assert_eq!(
        status.message,
        " \"\" is invalid: patch: Invalid value: \"map[metadata:map[annotations:map[a:b]] spec:map[]]\": unrecognized type: int32"
    );
}
