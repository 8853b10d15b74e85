//! Clients that misbehave: they must not disturb the others.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kubarium_front::Front;
use kube::api::{Api, ListParams, PostParams};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{client, serve};

/// Sends bytes and reads what comes, until the server ends the connection or nothing comes.
async fn exchange(front: &Front, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(front.addr()).await.expect("it listens");
    stream.write_all(sent).await.expect("it reads");
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut answer)).await;
    let read = read.expect("it answers").unwrap_or(0);
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_sent_stops_the_server() {
    let front = serve(0, true).await;
    for (sent, expected) in [
        (&b"hello\r\n\r\n"[..], "400 Bad Request"),
        (b"GET / HTTP/9.9\r\n\r\n", "400 Bad Request"),
        (b"GET /\x00 HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (
            b"BREW /api HTTP/1.1\r\nHost: x\r\n\r\n",
            "405 Method Not Allowed",
        ),
        (b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK"),
        (b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", "404 Not Found"),
        (
            b"GET /api/v1/pods HTTP/1.1\r\nHost: x\r\nAccept: image/png\r\n\r\n",
            "406 Not Acceptable",
        ),
        (
            b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n\
              Content-Length: 1\r\n\r\nx",
            "415 Unsupported Media Type",
        ),
        (
            b"GET /api/v1/namespaces/kube-system/pods/p/exec HTTP/1.1\r\nHost: x\r\n\
              Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
              Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            "404 Not Found",
        ),
    ] {
        let answer = exchange(&front, sent).await;
        let first = answer.lines().next().unwrap_or("").to_owned();
        assert!(
            first.contains(expected),
            "{}: {first}",
            String::from_utf8_lossy(sent)
        );
    }
    // Some that begin and never go on, and some that leave in the middle.
    let mut stuck = Vec::new();
    for n in 0..50 {
        let mut stream = TcpStream::connect(front.addr()).await.expect("it listens");
        let half = b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
        stream.write_all(half).await.expect("it reads");
        if n % 2 == 0 {
            stuck.push(stream);
        }
    }
    let client = client(&front).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    maps.list(&ListParams::default())
        .await
        .expect("others are served");
    front.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_may_be_of_three_mebibytes() {
    let front = serve(0, false).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&front).await);
    let map = |name: &str, size: usize| -> ConfigMap {
        let object = json!({ "metadata": { "name": name }, "data": { "a": "x".repeat(size) } });
        serde_json::from_value(object).expect("a map")
    };
    let refused = maps
        .create(&PostParams::default(), &map("huge", 4 << 20))
        .await
        .expect_err("too large");
    let kube::Error::Api(status) = refused else {
        panic!("the server refuses it: {refused}")
    };
    let told = (status.code, status.message.as_str());
    assert_eq!(told, (413, "Request entity too large: limit is 3145728"));
    let made = maps
        .create(&PostParams::default(), &map("large", 900_000))
        .await;
    assert!(made.is_ok(), "what fits is taken");
    front.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_holds_nobody_up() {
    let front = serve(0, true).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&front).await);
    let mut idle = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(front.addr()).await.expect("it listens");
        let watch = b"GET /api/v1/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(watch).await.expect("it reads");
        idle.push(stream);
    }
    for n in 0..60 {
        let name = format!("m{n}");
        let data = json!({ "a": "x".repeat(500_000) });
        let map = json!({ "metadata": { "name": name }, "data": data });
        let map: ConfigMap = serde_json::from_value(map).expect("a map");
        let made = maps.create(&PostParams::default(), &map).await;
        made.unwrap_or_else(|why| panic!("{name}: {why}"));
    }
    let list = maps
        .list_metadata(&ListParams::default())
        .await
        .expect("a list");
    let made = list.items.iter().filter(|map| {
        let name = map.metadata.name.as_deref();
        name.is_some_and(|name| name.starts_with('m'))
    });
    assert_eq!(made.count(), 60, "no write is lost");
    drop(idle);
    front.stop().await;
}
