use serde_json::json;

use super::*;

/// A field of bytes.
fn bytes(number: u8, contents: &[u8]) -> Vec<u8> {
    let len = u8::try_from(contents.len()).expect("short");
    [&[number << 3 | 2, len], contents].concat()
}

fn envelope(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let meta = [bytes(1, api_version.as_bytes()), bytes(2, kind.as_bytes())].concat();
    [MAGIC, &bytes(1, &meta), &bytes(2, raw)].concat()
}

#[track_caller]
fn check(api_version: &str, kind: &str, fields: &[Vec<u8>], mut expected: Value) {
    expected["apiVersion"] = api_version.into();
    expected["kind"] = kind.into();
    let body = envelope(api_version, kind, &fields.concat());
    let read = to_json(&body).expect("it can be read");
    let read: Value = serde_json::from_slice(&read).expect("JSON");
    assert_eq!(read, expected);
    let again = to_json(&from_json(&expected).expect("it can be written"));
    let again: Value = serde_json::from_slice(&again.expect("read again")).expect("JSON");
    assert_eq!(again, expected);
    for len in 0..body.len() {
        // Whatever is cut off must not be fatal.
        let _ = to_json(&body[..len]);
    }
}

#[test]
fn objects_read_as_the_json_that_go_writes() {
    let meta = bytes(
        1,
        &[bytes(1, b"web"), bytes(3, b""), bytes(8, b"")].concat(),
    );
    check(
        "v1",
        "ConfigMap",
        &[
            meta.clone(),
            bytes(2, &[bytes(1, b"a"), bytes(2, b"1")].concat()),
            vec![4 << 3, 1],
        ],
        json!({ "metadata": { "name": "web" }, "data": { "a": "1" }, "immutable": true }),
    );
    // Two containers' worth of inlined sources, numbers that are ports, and quantities.
    let port = bytes(6, &[3 << 3, 80, 2 << 3, 0]);
    let limit = [bytes(1, b"cpu"), bytes(2, &bytes(1, b"100m"))].concat();
    let probe = bytes(1, &bytes(2, &bytes(2, &[1 << 3, 0, 2 << 3, 80])));
    let container = [
        bytes(1, b"c"),
        port,
        bytes(8, &bytes(1, &limit)),
        bytes(10, &probe),
    ];
    let volume = [bytes(1, b"v"), bytes(2, &bytes(2, b""))];
    let spec = [
        bytes(1, &volume.concat()),
        bytes(2, &container.concat()),
        vec![4 << 3, 0],
        vec![11 << 3, 0],
    ];
    check(
        "v1",
        "Pod",
        &[meta, bytes(2, &spec.concat()), bytes(3, b"")],
        json!({
            "metadata": { "name": "web" },
            "spec": {
                "volumes": [{ "name": "v", "emptyDir": {} }],
                "containers": [{
                    "name": "c",
                    "ports": [{ "containerPort": 80 }],
                    "resources": { "limits": { "cpu": "100m" } },
                    "livenessProbe": { "httpGet": { "port": 80 } },
                }],
                "terminationGracePeriodSeconds": 0,
            },
            "status": {},
        }),
    );
}

#[test]
fn options_are_known_in_every_group() {
    let options = [vec![1 << 3, 0], bytes(4, b"Foreground")];
    let expected = json!({ "gracePeriodSeconds": 0, "propagationPolicy": "Foreground" });
    check("apps/v1", "DeleteOptions", &options, expected);
}

#[test]
fn what_is_not_protobuf_is_left_alone() {
    for body in [&b""[..], b"{}", b"k8s\0\xff", b"k8s\0"] {
        assert_eq!(to_json(body), None);
    }
    assert_eq!(to_json(&envelope("example.com/v1", "Widget", b"")), None);
}

#[track_caller]
fn check_round_trip(object: Value) {
    let body = from_json(&object).expect("it can be written");
    let read = to_json(&body).expect("it can be read");
    let read: Value = serde_json::from_slice(&read).expect("JSON");
    assert_eq!(read, object);
}

#[test]
fn what_is_no_object_in_json_comes_back_as_it_was() {
    check_round_trip(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "foos.example.com" },
        "spec": { "versions": [{
            "name": "v1",
            "schema": { "openAPIV3Schema": {
                "$ref": "#/x", "type": "object", "default": { "a": [1, "b", null] },
                "minLength": 0, "minimum": 0.5, "enum": ["a", 1],
                "items": { "type": "string" }, "additionalItems": true,
                "additionalProperties": { "type": "string" },
                "properties": { "a": { "x-kubernetes-preserve-unknown-fields": false } },
                "dependencies": { "a": ["b"], "c": { "type": "string" } },
            } },
        }] },
    }));
    check_round_trip(json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {},
        "spec": {
            "acquireTime": "0001-01-01T00:00:02.000000Z", "renewTime": "2026-01-05T09:00:00.123456Z",
            "leaseTransitions": 0,
        },
    }));
    check_round_trip(json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": { "managedFields": [{ "fieldsV1": { "f:spec": { ".": {} } } }] },
        "spec": {
            "scaleTargetRef": {},
            "behavior": { "scaleDown": { "stabilizationWindowSeconds": 0, "tolerance": "100m" } },
        },
    }));
    check_round_trip(json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
        "metadata": {},
        "spec": {
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "mutations": [{ "patchType": "JSONPatch", "jsonPatch": { "expression": "[]" } }],
        },
    }));
    check_round_trip(json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {},
        "spec": {
            "devices": [{
                "attributes": { "a": { "int": 0 }, "b": { "bool": false }, "c": { "string": "" } },
                "capacity": { "memory": { "value": "1Gi" } },
            }],
        },
    }));
    check_round_trip(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": { "": "AAEC/w==" },
    }));
}
