//! Models test/e2e/common/node/pods.go and test/e2e/node/pods.go, as far as no container has to run
//! a certain program.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-node] Pods should get a host IP [NodeConformance] [Conformance]" => host_ip,
    "[sig-node] Pods should be submitted and removed [NodeConformance] [Conformance]" => submitted,
    "[sig-node] Pods should be updated [NodeConformance] [Conformance]" => updated,
    "[sig-node] Pods should allow activeDeadlineSeconds to be updated [NodeConformance] [Conformance]" => deadline,
    "[sig-node] Pods should delete a collection of pods [Conformance]" => collection,
    "[sig-node] Pods should run through the lifecycle of Pods and PodStatus [Conformance]" => lifecycle,
    "[sig-node] Pods should patch a pod status [Conformance]" => patched_status,
    "[sig-node] Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu [Conformance]" => qos,
    "[sig-node] Pods Extended (pod generation) Pod Generation pod generation should start at 1 and increment per update [MinimumKubeletVersion:1.34] [Conformance]" => generation,
    "[sig-node] Pods Extended (pod generation) Pod Generation custom-set generation on new pods and graceful delete [Conformance]" => own_generation,
    "[sig-node] Pods Extended (pod generation) Pod Generation issue 500 podspec updates and verify generation and observedGeneration eventually converge [MinimumKubeletVersion:1.34] [Conformance]" => converge,
}

const PAUSE: &str = "registry.k8s.io/pause:3.10.1";

fn pod(name: &str, labels: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "creationTimestamp": null, "labels": labels },
        "spec": { "containers": [{ "name": "pause", "image": PAUSE, "resources": {} }] },
        "status": {},
    })
}

fn is_ready(pod: Option<&Value>) -> bool {
    pod.is_some_and(|pod| {
        let all = pod["status"]["conditions"].as_array();
        pod["status"]["phase"] == "Running"
            && all.is_some_and(|all| {
                all.iter()
                    .any(|one| one["type"] == "Ready" && one["status"] == "True")
            })
    })
}

/// Makes a pod and waits until it is ready.
async fn run(cluster: &Cluster, pod: &Value) -> Result<String> {
    let pods = cluster.core("pods");
    let made = cluster.create(&pods, pod).await?;
    let one = format!("{pods}/{}", text(&made, "/metadata/name")?);
    cluster.until(&one, is_ready).await?;
    Ok(one)
}

async fn host_ip(cluster: Cluster) -> Result<()> {
    let one = run(&cluster, &pod("pod-hostip", Value::Null)).await?;
    let found = cluster.get(&one).await?;
    let ip = text(&found, "/status/hostIP")?;
    ensure!(
        found["status"]["hostIPs"] == json!([{ "ip": ip }]),
        "{found}"
    );
    Ok(())
}

async fn submitted(cluster: Cluster) -> Result<()> {
    let pods = cluster.core("pods");
    let selected = format!("{pods}?labelSelector=time%3Dnow");
    let before = cluster.get(&selected).await?;
    ensure!(before["items"] == json!([]));
    let version = text(&before, "/metadata/resourceVersion")?;
    let from = format!("{selected}&resourceVersion={version}&allowWatchBookmarks=true");
    let mut watch = cluster.watch(&from).await?;
    let object = pod("pod-submit-remove", json!({ "name": "foo", "time": "now" }));
    let one = run(&cluster, &object).await?;
    let (kind, _) = watch.next().await?;
    ensure!(kind == "ADDED");
    ensure!(cluster.list(&selected).await?.len() == 1);
    let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 30 });
    let gone = cluster
        .call(Method::DELETE, &one, &[], Some(options.to_string()))
        .await?;
    ensure!(gone.status == 200, "{}", gone.text);
    let mut last = Value::Null;
    loop {
        let (kind, object) = watch.next().await?;
        match kind.as_str() {
            "DELETED" => break,
            "BOOKMARK" => {}
            _ => last = object,
        }
    }
    ensure!(last["metadata"]["deletionTimestamp"].is_string(), "{last}");
    // The pause container obeys SIGTERM, so the period is what was asked for until then.
    ensure!(
        last["metadata"]["deletionGracePeriodSeconds"] == 30
            || last["metadata"]["deletionGracePeriodSeconds"] == 0,
        "{last}"
    );
    ensure!(cluster.list(&selected).await?.is_empty());
    Ok(())
}

async fn updated(cluster: Cluster) -> Result<()> {
    let one = run(
        &cluster,
        &pod("pod-update", json!({ "name": "foo", "time": "now" })),
    )
    .await?;
    cluster
        .retry(&one, |pod| {
            pod["metadata"]["labels"]["time"] = json!("updated")
        })
        .await?;
    cluster.until(&one, is_ready).await?;
    let selected = cluster.core("pods?labelSelector=time%3Dupdated");
    ensure!(cluster.list(&selected).await?.len() == 1);
    Ok(())
}

async fn deadline(cluster: Cluster) -> Result<()> {
    let one = run(&cluster, &pod("pod-deadline", json!({ "name": "foo" }))).await?;
    cluster
        .retry(&one, |pod| pod["spec"]["activeDeadlineSeconds"] = json!(5))
        .await?;
    let ended = |pod: Option<&Value>| {
        pod.is_some_and(|pod| {
            pod["status"]["phase"] == "Failed" && pod["status"]["reason"] == "DeadlineExceeded"
        })
    };
    cluster.until(&one, ended).await?;
    Ok(())
}

async fn collection(cluster: Cluster) -> Result<()> {
    let pods = cluster.core("pods");
    for n in 1..=3 {
        let mut object = pod(&format!("test-pod-{n}"), json!({ "type": "Testing" }));
        object["spec"]["terminationGracePeriodSeconds"] = json!(1);
        object["spec"]["restartPolicy"] = json!("Never");
        cluster.create(&pods, &object).await?;
    }
    let selected = format!("{pods}?labelSelector=type%3DTesting");
    ensure!(cluster.list(&selected).await?.len() == 3);
    let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 1 });
    let gone = cluster
        .call(Method::DELETE, &selected, &[], Some(options.to_string()))
        .await?;
    ensure!(gone.status == 200, "{}", gone.text);
    cluster
        .until(&selected, |list| {
            list.is_some_and(|list| list["items"] == json!([]))
        })
        .await?;
    Ok(())
}

async fn lifecycle(cluster: Cluster) -> Result<()> {
    let pods = cluster.core("pods");
    let selected = format!("{pods}?labelSelector=test-pod-static%3Dtrue");
    let version = text(&cluster.get(&selected).await?, "/metadata/resourceVersion")?;
    let from = format!("{selected}&resourceVersion={version}");
    let mut watch = cluster.watch(&from).await?;
    let mut object = pod("pod-test", json!({ "test-pod-static": "true" }));
    object["spec"]["terminationGracePeriodSeconds"] = json!(1);
    cluster.create(&pods, &object).await?;
    watch.until(|kind, _| kind == "ADDED").await?;
    watch.until(|_, pod| is_ready(Some(pod))).await?;
    let patch = json!({
        "metadata": { "labels": { "test-pod": "patched" } },
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [{ "name": "pause", "image": "registry.k8s.io/e2e-test-images/agnhost:2.56" }],
        },
    });
    let one = format!("{pods}/pod-test");
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    let changed = |pod: &Value| {
        pod["metadata"]["labels"]["test-pod"] == "patched"
            && pod["spec"]["containers"][0]["image"] != PAUSE
    };
    watch
        .until(|kind, pod| kind == "MODIFIED" && changed(pod))
        .await?;
    let found = cluster.get(&one).await?;
    ensure!(changed(&found), "{found}");

    // A status that the kubelet will mend.
    let state = format!("{one}/status");
    let found = cluster.get(&state).await?;
    let mut status = found["status"].clone();
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        if condition["type"] == "Ready" {
            condition["status"] = json!("False");
        }
    }
    let patch = json!({
        "metadata": { "labels": { "test-pod-static": "true" } }, "status": status,
    });
    let patched = cluster.patch(&state, Patch::Strategic, &patch).await?;
    let unready = |pod: &Value| {
        let all = pod["status"]["conditions"].as_array();
        all.is_some_and(|all| {
            all.iter()
                .any(|one| one["type"] == "Ready" && one["status"] == "False")
        })
    };
    ensure!(unready(&patched), "{patched}");
    watch.until(|_, pod| unready(pod)).await?;
    let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 1 });
    let gone = cluster
        .call(Method::DELETE, &selected, &[], Some(options.to_string()))
        .await?;
    ensure!(gone.status == 200, "{}", gone.text);
    watch.until(|kind, _| kind == "DELETED").await?;
    Ok(())
}

async fn patched_status(cluster: Cluster) -> Result<()> {
    let one = run(&cluster, &pod("pod-e2e", json!({ "e2e": "testing" }))).await?;
    let state = format!("{one}/status");
    let patch = json!({ "status": { "message": "Patched by e2e test", "reason": "E2E" } });
    let patched = cluster.patch(&state, Patch::Strategic, &patch).await?;
    let status = &patched["status"];
    ensure!(
        status["message"] == "Patched by e2e test" && status["reason"] == "E2E",
        "{patched}"
    );
    Ok(())
}

async fn qos(cluster: Cluster) -> Result<()> {
    let mut object = pod("pod-qos-class", json!({ "name": "foo" }));
    let amounts = json!({ "cpu": "100m", "memory": "100Mi" });
    object["spec"]["containers"][0]["resources"] =
        json!({ "limits": amounts, "requests": amounts });
    let pods = cluster.core("pods");
    cluster.create(&pods, &object).await?;
    let found = cluster.get(&format!("{pods}/pod-qos-class")).await?;
    ensure!(found["status"]["qosClass"] == "Guaranteed", "{found}");
    Ok(())
}

async fn generation(cluster: Cluster) -> Result<()> {
    let mut object = pod("pod-generation", json!({ "name": "foo" }));
    object["spec"]["activeDeadlineSeconds"] = json!(1000);
    object["spec"]["containers"][0]["resources"] =
        json!({ "requests": { "cpu": "10m", "memory": "10Mi" } });
    object["spec"]["tolerations"] = json!([]);
    let one = run(&cluster, &object).await?;
    let observed = |generation: u64| {
        move |pod: Option<&Value>| {
            pod.is_some_and(|pod| {
                pod["metadata"]["generation"] == generation
                    && pod["status"]["observedGeneration"] == generation
            })
        }
    };
    cluster.until(&one, observed(1)).await?;
    // Not all that changes an object changes what is wished for.
    cluster
        .retry(&one, |pod| {
            pod["metadata"]["labels"]["time"] = json!("updated")
        })
        .await?;
    cluster.until(&one, observed(1)).await?;
    cluster
        .retry(&one, |pod| {
            pod["spec"]["activeDeadlineSeconds"] = json!(900)
        })
        .await?;
    cluster.until(&one, observed(2)).await?;
    cluster
        .retry(&one, |pod| {
            let image = json!("registry.k8s.io/e2e-test-images/agnhost:2.56");
            pod["spec"]["containers"][0]["image"] = image;
        })
        .await?;
    cluster.until(&one, observed(3)).await?;
    let toleration = json!({ "key": "foo", "operator": "Exists", "effect": "NoSchedule" });
    cluster
        .retry(&one, |pod| {
            if let Some(all) = pod["spec"]["tolerations"].as_array_mut() {
                all.push(toleration.clone());
            }
        })
        .await?;
    cluster.until(&one, observed(4)).await?;
    let resize = json!({ "spec": { "containers": [{
        "name": "pause", "resources": { "requests": { "cpu": "11m" } },
    }] } });
    let patch = format!("{one}/resize");
    cluster.patch(&patch, Patch::Strategic, &resize).await?;
    cluster.until(&one, observed(5)).await?;
    let ephemeral = json!({ "spec": { "ephemeralContainers": [{
        "name": "debugger", "image": "registry.k8s.io/e2e-test-images/busybox:1.37.0-1",
        "command": ["sleep", "1000"],
    }] } });
    let patch = format!("{one}/ephemeralcontainers");
    cluster.patch(&patch, Patch::Strategic, &ephemeral).await?;
    cluster.until(&one, observed(6)).await?;
    Ok(())
}

async fn own_generation(cluster: Cluster) -> Result<()> {
    let mut object = pod("pod-custom-generation", json!({ "name": "foo" }));
    object["metadata"]["generation"] = json!(100);
    let pods = cluster.core("pods");
    let made = cluster.create(&pods, &object).await?;
    ensure!(made["metadata"]["generation"] == 1, "{made}");
    let one = format!("{pods}/pod-custom-generation");
    cluster.until(&one, is_ready).await?;
    let patch = json!({ "metadata": { "finalizers": ["example.com/stay"] } });
    cluster.patch(&one, Patch::Merge, &patch).await?;
    let gone = cluster.delete(&one).await?;
    ensure!(gone["metadata"]["generation"] == 2, "{gone}");
    cluster
        .until(&one, |pod| {
            pod.is_some_and(|pod| {
                pod["metadata"]["generation"] == 2 && pod["status"]["observedGeneration"] == 2
            })
        })
        .await?;
    let patch = json!({ "metadata": { "finalizers": null } });
    cluster.patch(&one, Patch::Merge, &patch).await?;
    cluster.until_gone(&one).await
}

async fn converge(cluster: Cluster) -> Result<()> {
    let mut object = pod("pod-500", json!({ "name": "foo" }));
    object["spec"]["activeDeadlineSeconds"] = json!(5000);
    let one = run(&cluster, &object).await?;
    for n in 1..500 {
        cluster
            .retry(&one, |pod| {
                pod["spec"]["activeDeadlineSeconds"] = json!(5000 - n)
            })
            .await?;
    }
    cluster
        .until(&one, |pod| {
            pod.is_some_and(|pod| {
                pod["metadata"]["generation"] == 500 && pod["status"]["observedGeneration"] == 500
            })
        })
        .await?;
    Ok(())
}
