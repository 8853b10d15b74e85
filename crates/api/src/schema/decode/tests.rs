use super::*;
use crate::object;

fn pod(spec: Value) -> Value {
    object! { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "x" }, "spec": spec }
}

#[track_caller]
fn check(object: Value, strict: &[&str], error: Option<&str>) -> Value {
    let schemas = Schemas::load();
    let got = schemas.decode(object.api_version(), object.kind(), &object);
    assert_eq!(got.strict, strict);
    assert_eq!(got.error.as_deref(), error);
    got.value
}

#[test]
fn unknown_fields_are_reported_and_dropped() {
    let v = check(
        pod(object! { "containers": [{ "name": "c", "image": "nginx", "imagee": "y" }] }),
        &["unknown field \"spec.containers[0].imagee\""],
        None,
    );
    assert!(v.at("spec.containers.0.imagee").is_null());
    let mut v = pod(object! { "container": [] });
    v.set("metadata.labelz", object! { "a": "b" });
    check(
        v,
        &[
            "unknown field \"metadata.labelz\"",
            "unknown field \"spec.container\"",
        ],
        None,
    );
}

#[test]
fn wrong_types() {
    #[track_caller]
    fn error(spec: Value, want: &str) {
        check(pod(spec), &[], Some(want));
    }
    error(
        object! { "containers": { "name": "c" } },
        "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
    );
    error(
        object! { "containers": [{ "ports": [{ "containerPort": "80" }] }] },
        "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
    );
    error(
        object! { "containers": [{ "env": [{ "name": true, "value": 1 }] }] },
        "json: cannot unmarshal bool into Go struct field EnvVar.spec.containers.env.name of type string",
    );
    error(
        object! { "terminationGracePeriodSeconds": 1.5 },
        "json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64",
    );
    error(
        object! { "restartPolicy": 1 },
        "json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy",
    );
    error(
        object! { "containers": [{ "resources": { "limits": ["x"] } }] },
        "json: cannot unmarshal array into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList",
    );
    let text = object! { "apiVersion": "v1", "kind": "Pod", "spec": "x" };
    check(
        text,
        &[],
        Some("json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec"),
    );
    let map = object! { "apiVersion": "v1", "kind": "ConfigMap", "data": { "a": 1, "b": true } };
    check(
        map,
        &[],
        Some("json: cannot unmarshal number into Go struct field ConfigMap.data of type string"),
    );
    let secret = object! { "apiVersion": "v1", "kind": "Secret", "data": { "a": "notbase64!" } };
    check(secret, &[], Some("illegal base64 data at input byte 9"));
}

#[test]
fn types_that_decode_themselves() {
    #[track_caller]
    fn error(spec: Value, want: &str) {
        check(pod(spec), &[], Some(want));
    }
    let limits =
        |cpu: Value| object! { "containers": [{ "resources": { "limits": { "cpu": cpu } } }] };
    error(
        limits(Value::from("lots")),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
    let port = |port: Value| object! { "containers": [{ "livenessProbe": { "httpGet": { "port": port } } }] };
    error(
        port(Value::Bool(true)),
        "json: cannot unmarshal bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32",
    );
    let time =
        object! { "apiVersion": "v1", "kind": "Pod", "metadata": { "creationTimestamp": "x" } };
    check(
        time,
        &[],
        Some("parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\""),
    );
    for (cpu, want) in [("0.5", "500m"), ("1000m", "1"), ("0.0001", "1m")] {
        let v = check(pod(limits(Value::from(cpu))), &[], None);
        assert_eq!(v.str_at("spec.containers.0.resources.limits.cpu"), want);
    }
    let v = check(pod(limits(Value::from(2))), &[], None);
    assert_eq!(v.str_at("spec.containers.0.resources.limits.cpu"), "2");
}

#[test]
fn the_converters_words() {
    let schemas = Schemas::load();
    let id = schemas.by_kind("apps/v1", "Deployment").expect("a kind");
    #[track_caller]
    fn check(schemas: &Schemas, id: DefId, spec: Value, want: &str) {
        let got = schemas.convert(id, &object! { "spec": spec });
        assert_eq!(got.error.as_deref(), Some(want));
    }
    check(
        &schemas,
        id,
        object! { "replicas": "three" },
        "unrecognized type: int32",
    );
    check(
        &schemas,
        id,
        object! { "template": 1 },
        "cannot restore struct from: int64",
    );
    let spec = object! { "template": { "spec": { "containers": {} } } };
    check(&schemas, id, spec, "cannot restore slice from map");
    let spec = object! { "template": { "spec": { "nodeName": 1 } } };
    check(&schemas, id, spec, "cannot convert int64 to string");
}

#[test]
fn the_typed_form() {
    let v = check(
        pod(object! {
            "hostNetwork": false,
            "automountServiceAccountToken": false,
            "nodeName": "",
            "volumes": [],
            "nodeSelector": {},
            "priority": null,
            "containers": [{ "name": "c", "env": [{ "name": "A", "value": "" }] }],
        }),
        &[],
        None,
    );
    assert_eq!(
        v.get("spec").to_json(),
        r#"{"automountServiceAccountToken":false,"containers":[{"env":[{"name":"A"}],"name":"c","resources":{}}]}"#
    );
    assert_eq!(v.get("status").to_json(), "{}");
    let role = object! { "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role" };
    assert_eq!(
        check(role, &[], None).entries().get("rules"),
        Some(&Value::Null)
    );
}

#[test]
fn what_is_in_form_already_is_shared() {
    let schemas = Schemas::load();
    let map = object! {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "x" }, "data": { "a": "b" },
    };
    let got = schemas.decode("v1", "ConfigMap", &map);
    let (Value::Map(a), Value::Map(b)) = (&got.value, &map) else {
        panic!("maps")
    };
    assert!(a.ptr_eq(b));
}
