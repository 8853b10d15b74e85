//! What programs written with kube-rs do: typed calls, watches, commands in pods, controllers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{
    Api, AttachParams, DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams,
    WatchEvent, WatchParams,
};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::watcher;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::{client, serve};

fn deployment(replicas: u32) -> Deployment {
    serde_json::from_value(json!({
        "metadata": { "name": "web" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "web", "image": "nginx" }] },
            },
        },
    }))
    .expect("a deployment")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_is_rolled_out_watched_entered_and_deleted() {
    let front = serve(1, false).await;
    let client = client(&front).await;
    let version = client.apiserver_version().await.expect("a version");
    assert_eq!(version.git_version, "v1.36.2");

    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let created = deployments
        .create(&PostParams::default(), &deployment(2))
        .await
        .expect("it is created");
    let from = created.metadata.resource_version.expect("a version");
    let params = WatchParams::default().fields("metadata.name=web");
    let mut watch = deployments
        .watch(&params, &from)
        .await
        .expect("a watch")
        .boxed();
    let ready = async {
        while let Some(event) = watch.next().await {
            if let WatchEvent::Modified(object) = event.expect("an event")
                && object.status.and_then(|status| status.available_replicas) == Some(2)
            {
                return true;
            }
        }
        false
    };
    assert!(ready.await, "it becomes available before the watch ends");

    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let list = pods
        .list(&ListParams::default().labels("app=web"))
        .await
        .expect("a list");
    assert_eq!(list.items.len(), 2);
    let pod = list.items[0].metadata.name.clone().expect("a name");
    let command = ["sh", "-c", "echo out; exit 3"];
    let mut process = pods
        .exec(&pod, command, &AttachParams::default().stderr(false))
        .await
        .expect("it runs");
    let mut text = String::new();
    let mut stdout = process.stdout().expect("attached");
    stdout.read_to_string(&mut text).await.expect("text");
    let status = process
        .take_status()
        .expect("once")
        .await
        .expect("it tells");
    assert_eq!(text, "out\n");
    assert_eq!(status.reason.as_deref(), Some("NonZeroExitCode"));
    pods.logs(&pod, &LogParams::default()).await.expect("a log");

    let scale = json!({ "spec": { "replicas": 1 } });
    let patched = deployments
        .patch_scale("web", &PatchParams::default(), &Patch::Merge(&scale))
        .await
        .expect("it is scaled");
    assert_eq!(patched.spec.and_then(|spec| spec.replicas), Some(1));
    let uid = created.metadata.uid.expect("a uid");
    let gone = conditions::is_deleted(&uid);
    deployments
        .delete("web", &DeleteParams::foreground())
        .await
        .expect("it is deleted");
    await_condition(deployments, "web", gone)
        .await
        .expect("it goes");
    let left = pods
        .list(&ListParams::default().labels("app=web"))
        .await
        .expect("a list");
    assert!(left.items.is_empty(), "its pods went first");
    front.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_controller_sees_to_what_it_watches() {
    let front = serve(0, true).await;
    let client = client(&front).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let reconcile = |map: Arc<ConfigMap>, maps: Arc<Api<ConfigMap>>| async move {
        let name = map.metadata.name.clone().unwrap_or_default();
        let seen = json!({ "metadata": { "annotations": { "example.com/seen": name } } });
        maps.patch(&name, &PatchParams::default(), &Patch::Merge(&seen))
            .await?;
        Ok::<Action, kube::Error>(Action::await_change())
    };
    let on_error = |_: Arc<ConfigMap>, _: &kube::Error, _: Arc<Api<ConfigMap>>| {
        Action::requeue(Duration::from_millis(100))
    };
    let running = Controller::new(maps.clone(), watcher::Config::default())
        .run(reconcile, on_error, Arc::new(maps.clone()))
        .for_each(|_| async {});
    let running = tokio::spawn(running);
    for n in 0..20 {
        let map =
            json!({ "metadata": { "name": format!("m{n}") }, "data": { "n": n.to_string() } });
        let map: ConfigMap = serde_json::from_value(map).expect("a map");
        maps.create(&PostParams::default(), &map)
            .await
            .expect("it is created");
    }
    for n in 0..20 {
        let name = format!("m{n}");
        let seen = |map: Option<&ConfigMap>| {
            let annotations = map.and_then(|map| map.metadata.annotations.as_ref());
            annotations.is_some_and(|all| all.contains_key("example.com/seen"))
        };
        await_condition(maps.clone(), &name, seen)
            .await
            .expect("it is seen");
    }
    running.abort();
    front.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_user_is_who_their_credentials_say() {
    let front = serve(0, false).await;
    let client = client(&front).await;
    let who = |request: http::Request<Vec<u8>>| {
        let client = client.clone();
        async move {
            let answer: Value = client.request(request).await.expect("an answer");
            let user = &answer["status"]["userInfo"];
            (user["username"].clone(), user["groups"].clone())
        }
    };
    let review = |headers: &[(&str, &str)]| {
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let mut request = http::Request::post(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        request
            .body(body.to_string().into_bytes())
            .expect("a request")
    };
    let groups = json!(["kubeadm:cluster-admins", "system:authenticated"]);
    let admin = who(review(&[])).await;
    assert_eq!(admin, (json!("kubernetes-admin"), groups));
    let alice = who(review(&[
        ("impersonate-user", "alice"),
        ("impersonate-group", "dev"),
    ]))
    .await;
    assert_eq!(
        alice,
        (json!("alice"), json!(["dev", "system:authenticated"]))
    );
    front.stop().await;
}
