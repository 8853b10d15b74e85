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
