//! Models test/e2e/apps/{job,cronjob}.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::operations::Operations;
use super::specs;
use crate::cluster::{Cluster, Patch, text};

specs! {
    "[sig-apps] CronJob should support CronJob API operations [Conformance]" => cron_operations,
    "[sig-apps] CronJob should schedule multiple jobs concurrently [Conformance]" => concurrent,
    "[sig-apps] CronJob should replace jobs when ReplaceConcurrent [Conformance]" => replaces,
    "[sig-apps] CronJob should not schedule jobs when suspended [Slow] [Conformance]" => suspended,
    "[sig-apps] CronJob should not schedule new jobs when ForbidConcurrent [Slow] [Conformance]" => forbids,
    "[sig-apps] Job should manage the lifecycle of a job [Conformance]" => lifecycle,
    "[sig-apps] Job should apply changes to a job status [Conformance]" => status,
    "[sig-apps] Job should delete a job [Conformance]" => deleted,
    "[sig-apps] Job should adopt matching orphans and release non-matching pods [Conformance]" => adopts,
    "[sig-apps] Job should create pods for an Indexed job with completion indexes and specified hostname [Conformance]" => indexed,
    "[sig-apps] Job should terminate job execution when the number of failed indexes exceeds maxFailedIndexes [Conformance]" => failed_indexes,
    "[sig-apps] Job with successPolicy should succeeded when all indexes succeeded [Conformance]" => success_policy,
    "[sig-apps] Job should run a job to completion when tasks sometimes fail and are locally restarted [Conformance]" => restarted,
}

const GROUP: &str = "batch/v1";
const BUSYBOX: &str = "registry.k8s.io/e2e-test-images/busybox:1.37.0-1";

fn job(name: &str, command: &str, restart: &str, spec: Value) -> Value {
    let mut spec = spec;
    spec["template"] = json!({
        "metadata": { "creationTimestamp": null, "labels": { "job": name } },
        "spec": {
            "restartPolicy": restart,
            "terminationGracePeriodSeconds": 1,
            "volumes": [{ "name": "data", "emptyDir": {} }],
            "containers": [{
                "name": "c", "image": BUSYBOX, "command": ["sh", "-c", command], "resources": {},
                "volumeMounts": [{ "mountPath": "/data", "name": "data" }],
                "securityContext": {},
            }],
        },
    });
    spec["backoffLimit"] = spec.get("backoffLimit").cloned().unwrap_or(json!(6));
    json!({
        "apiVersion": GROUP, "kind": "Job",
        "metadata": { "name": name, "creationTimestamp": null }, "spec": spec, "status": {},
    })
}

async fn create(cluster: &Cluster, job: &Value) -> Result<String> {
    let all = cluster.group(GROUP, "jobs");
    let made = cluster.create(&all, job).await?;
    Ok(format!("{all}/{}", text(&made, "/metadata/name")?))
}

fn is(object: Option<&Value>, condition: &str, reason: Option<&str>) -> bool {
    let all = object.and_then(|object| object["status"]["conditions"].as_array());
    all.is_some_and(|all| {
        all.iter().any(|one| {
            one["type"] == condition
                && one["status"] == "True"
                && reason.is_none_or(|reason| one["reason"] == reason)
        })
    })
}

fn pods_of(cluster: &Cluster, job: &str) -> String {
    cluster.core(&format!("pods?labelSelector=job%3D{job}"))
}

async fn active(cluster: &Cluster, one: &str, name: &str, count: usize) -> Result<()> {
    cluster
        .until(&pods_of(cluster, name), |list| {
            let pods = list.and_then(|list| list["items"].as_array());
            pods.is_some_and(|pods| {
                pods.len() == count && pods.iter().all(|pod| pod["status"]["phase"] == "Running")
            })
        })
        .await?;
    cluster
        .until(one, |job| {
            job.is_some_and(|job| job["status"]["active"] == count as u64)
        })
        .await?;
    Ok(())
}

async fn lifecycle(cluster: Cluster) -> Result<()> {
    let labels = json!({ "e2e-job-label": "e2e" });
    let mut object = job(
        "e2e",
        "exit 0",
        "Never",
        json!({ "parallelism": 2, "completions": 4, "suspend": true }),
    );
    object["metadata"]["labels"] = labels;
    let one = create(&cluster, &object).await?;
    let all = cluster.group(GROUP, "jobs");
    let selected = format!("{all}?labelSelector=e2e-job-label%3De2e");
    let version = text(&cluster.get(&selected).await?, "/metadata/resourceVersion")?;
    let mut watch = cluster
        .watch(&format!("{selected}&resourceVersion={version}"))
        .await?;
    let patch = json!({ "metadata": { "labels": { "e2e": "patched" } } });
    cluster.patch(&one, Patch::Strategic, &patch).await?;
    watch
        .until(|kind, job| kind == "MODIFIED" && job["metadata"]["labels"]["e2e"] == "patched")
        .await?;
    let updated = cluster
        .retry(&one, |job| {
            job["spec"]["suspend"] = json!(false);
            job["metadata"]["annotations"]["updated"] = json!("true");
        })
        .await?;
    ensure!(updated["metadata"]["annotations"]["updated"] == "true");
    let finished = |_: &str, job: &Value| is(Some(job), "Complete", None);
    let (_, last) = watch.until(finished).await?;
    ensure!(last["status"]["succeeded"] == 4, "{last}");
    let everywhere = "/apis/batch/v1/jobs?labelSelector=e2e-job-label%3De2e";
    ensure!(cluster.list(everywhere).await?.len() == 1);
    let options = json!({
        "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground",
    });
    let gone = cluster
        .call(Method::DELETE, &selected, &[], Some(options.to_string()))
        .await?;
    ensure!(gone.status == 200, "{}", gone.text);
    watch.until(|kind, _| kind == "DELETED").await?;
    ensure!(cluster.list(everywhere).await?.is_empty());
    Ok(())
}

async fn status(cluster: Cluster) -> Result<()> {
    let spec = json!({ "parallelism": 2, "completions": 4 });
    let one = create(
        &cluster,
        &job("suspend-false-to-true", "sleep 1000000", "Never", spec),
    )
    .await?;
    active(&cluster, &one, "suspend-false-to-true", 2).await?;
    let state = format!("{one}/status");
    let now = "2026-01-05T09:00:00Z";
    let custom = json!({
        "type": "CustomConditionType", "status": "True", "lastTransitionTime": now,
        "lastProbeTime": now,
    });
    let patch = json!({
        "metadata": { "annotations": { "patchedstatus": "true" } },
        "status": { "conditions": [custom] },
    });
    let patched = cluster.patch(&state, Patch::Merge, &patch).await?;
    ensure!(is(Some(&patched), "CustomConditionType", None), "{patched}");
    ensure!(patched["metadata"]["annotations"]["patchedstatus"] == "true");
    let updated = cluster
        .retry(&state, |job| {
            if let Some(all) = job["status"]["conditions"].as_array_mut() {
                all.push(json!({
                    "type": "Other", "status": "True", "lastTransitionTime": now,
                    "lastProbeTime": now,
                }));
            }
        })
        .await?;
    ensure!(is(Some(&updated), "Other", None), "{updated}");
    let found = cluster.get(&state).await?;
    ensure!(found["kind"] == "Job" && found["metadata"]["uid"] == updated["metadata"]["uid"]);
    Ok(())
}

async fn deleted(cluster: Cluster) -> Result<()> {
    let spec = json!({ "parallelism": 2, "completions": 4 });
    let one = create(&cluster, &job("foo", "sleep 1000000", "Never", spec)).await?;
    active(&cluster, &one, "foo", 2).await?;
    let options = json!({
        "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background",
    });
    let gone = cluster
        .call(Method::DELETE, &one, &[], Some(options.to_string()))
        .await?;
    ensure!(gone.status == 200, "{}", gone.text);
    cluster.until_gone(&one).await?;
    cluster
        .until(&pods_of(&cluster, "foo"), |list| {
            list.is_some_and(|list| list["items"] == json!([]))
        })
        .await?;
    Ok(())
}

async fn adopts(cluster: Cluster) -> Result<()> {
    let spec = json!({ "parallelism": 2, "completions": 4 });
    let one = create(
        &cluster,
        &job("adopt-release", "sleep 1000000", "Never", spec),
    )
    .await?;
    active(&cluster, &one, "adopt-release", 2).await?;
    let found = cluster.list(&pods_of(&cluster, "adopt-release")).await?;
    let pod = cluster.core(&format!("pods/{}", text(&found[0], "/metadata/name")?));
    cluster
        .retry(&pod, |pod| pod["metadata"]["ownerReferences"] = Value::Null)
        .await?;
    let owned = |pod: Option<&Value>| {
        pod.is_some_and(|pod| pod["metadata"]["ownerReferences"][0]["controller"] == true)
    };
    cluster.until(&pod, owned).await?;
    cluster
        .retry(&pod, |pod| pod["metadata"]["labels"] = Value::Null)
        .await?;
    cluster
        .until(&pod, |pod| pod.is_some() && !owned(pod))
        .await?;
    Ok(())
}

async fn indexed(cluster: Cluster) -> Result<()> {
    let spec = json!({ "parallelism": 2, "completions": 4, "completionMode": "Indexed" });
    let one = create(&cluster, &job("indexed-job", "exit 0", "Never", spec)).await?;
    cluster
        .until(&one, |job| {
            is(job, "Complete", None) && job.is_some_and(|job| job["status"]["succeeded"] == 4)
        })
        .await?;
    let mut indexes = Vec::new();
    for pod in cluster.list(&pods_of(&cluster, "indexed-job")).await? {
        let label = "batch.kubernetes.io~1job-completion-index";
        let index = text(&pod, &format!("/metadata/annotations/{label}"))?;
        ensure!(text(&pod, &format!("/metadata/labels/{label}"))? == index);
        ensure!(
            pod["spec"]["hostname"] == format!("indexed-job-{index}"),
            "{pod}"
        );
        indexes.push(index);
    }
    indexes.sort_unstable();
    ensure!(indexes == ["0", "1", "2", "3"], "{indexes:?}");
    Ok(())
}

async fn failed_indexes(cluster: Cluster) -> Result<()> {
    // One pod at a time, so that it is known how many there will be.
    let spec = json!({
        "parallelism": 1, "completions": 4, "completionMode": "Indexed",
        "backoffLimitPerIndex": 0, "maxFailedIndexes": 0,
    });
    let mut object = job("with-max-failed-indexes", "exit 1", "Never", spec);
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.remove("backoffLimit");
    }
    let one = create(&cluster, &object).await?;
    cluster
        .until(&one, |job| {
            is(job, "Failed", Some("MaxFailedIndexesExceeded"))
        })
        .await?;
    let found = cluster.get(&one).await?;
    let status = &found["status"];
    ensure!(status["failedIndexes"] == "0", "{found}");
    ensure!(status["completedIndexes"].as_str().unwrap_or("").is_empty());
    ensure!(
        status["failed"] == 1 && status["succeeded"].is_null(),
        "{found}"
    );
    Ok(())
}

async fn success_policy(cluster: Cluster) -> Result<()> {
    let spec = json!({
        "parallelism": 2, "completions": 5, "completionMode": "Indexed",
        "successPolicy": { "rules": [{ "succeededIndexes": "0-4", "succeededCount": 5 }] },
    });
    let one = create(
        &cluster,
        &job("with-success-policy", "exit 0", "Never", spec),
    )
    .await?;
    cluster
        .until(&one, |job| {
            is(job, "SuccessCriteriaMet", Some("SuccessPolicy"))
                || is(job, "SuccessCriteriaMet", Some("CompletionsReached"))
        })
        .await?;
    cluster.until(&one, |job| is(job, "Complete", None)).await?;
    let found = cluster.get(&one).await?;
    ensure!(found["status"]["completedIndexes"] == "0-4", "{found}");
    ensure!(found["status"]["succeeded"] == 5, "{found}");
    Ok(())
}

async fn restarted(cluster: Cluster) -> Result<()> {
    let command = "if [ -r /data/foo ]; then exit 0; else touch /data/foo; exit 1; fi";
    let spec = json!({ "parallelism": 2, "completions": 4 });
    let one = create(
        &cluster,
        &job("fail-once-local", command, "OnFailure", spec),
    )
    .await?;
    cluster
        .until(&one, |job| is(job, "Complete", Some("CompletionsReached")))
        .await?;
    for pod in cluster.list(&pods_of(&cluster, "fail-once-local")).await? {
        ensure!(pod["status"]["phase"] == "Succeeded", "{pod}");
        ensure!(
            pod["status"]["containerStatuses"][0]["restartCount"] == 1,
            "{pod}"
        );
    }
    Ok(())
}

fn cron_job(name: &str, schedule: &str, policy: &str, command: &str) -> Value {
    json!({
        "apiVersion": GROUP, "kind": "CronJob",
        "metadata": { "name": name, "creationTimestamp": null },
        "spec": {
            "schedule": schedule, "concurrencyPolicy": policy, "suspend": false,
            "jobTemplate": {
                "metadata": { "creationTimestamp": null },
                "spec": {
                    "parallelism": 1, "completions": 1,
                    "template": {
                        "metadata": { "creationTimestamp": null },
                        "spec": {
                            "restartPolicy": "OnFailure",
                            "terminationGracePeriodSeconds": 1,
                            "containers": [{
                                "name": "c", "image": BUSYBOX, "command": ["sh", "-c", command],
                                "resources": {},
                            }],
                        },
                    },
                },
            },
        },
        "status": {},
    })
}

async fn cron_operations(cluster: Cluster) -> Result<()> {
    let operations = Operations {
        cluster: &cluster,
        group_version: GROUP,
        resource: "cronjobs",
        namespaced: true,
        label: "special-label",
    };
    // The controller is to leave them alone meanwhile, however time hurries.
    let made = |name: &str| {
        let mut object = cron_job(name, "* */1 * * ?", "Allow", "exit 0");
        object["spec"]["suspend"] = json!(true);
        object
    };
    operations.run(&made).await?;
    let status = json!({ "lastScheduleTime": "2026-01-05T09:00:00Z" });
    operations.status(&made("with-status"), &status).await
}

async fn schedule(cluster: &Cluster, name: &str, policy: &str) -> Result<String> {
    let all = cluster.group(GROUP, "cronjobs");
    let object = cron_job(name, "*/1 * * * ?", policy, "sleep 300");
    cluster.create(&all, &object).await?;
    Ok(format!("{all}/{name}"))
}

fn active_jobs(found: Option<&Value>) -> Vec<Value> {
    let active = found.and_then(|found| found["status"]["active"].as_array());
    active.cloned().unwrap_or_default()
}

async fn concurrent(cluster: Cluster) -> Result<()> {
    let one = schedule(&cluster, "concurrent", "Allow").await?;
    cluster
        .until(&one, |found| active_jobs(found).len() >= 2)
        .await?;
    let jobs = cluster.list(&cluster.group(GROUP, "jobs")).await?;
    let running = jobs.iter().filter(|job| job["status"]["active"] == 1);
    ensure!(running.count() >= 2, "{jobs:?}");
    cluster.delete(&one).await?;
    Ok(())
}

async fn replaces(cluster: Cluster) -> Result<()> {
    let one = schedule(&cluster, "replace", "Replace").await?;
    let found = cluster
        .until(&one, |found| active_jobs(found).len() == 1)
        .await?;
    let first = active_jobs(found.as_ref())[0]["name"].clone();
    let jobs = cluster.group(GROUP, "jobs");
    cluster
        .until(&jobs, |list| {
            let jobs = list.and_then(|list| list["items"].as_array());
            jobs.is_some_and(|jobs| {
                !jobs.is_empty() && jobs.iter().all(|job| job["metadata"]["name"] != first)
            })
        })
        .await?;
    cluster.delete(&one).await?;
    Ok(())
}

/// Until so much virtual time has passed, told by the clock that dates objects.
async fn pass(cluster: &Cluster, minutes: usize) -> Result<()> {
    // Another one, that nothing holds back, counts the minutes.
    let all = cluster.group(GROUP, "cronjobs");
    let mut clock = cron_job("clock", "*/1 * * * ?", "Allow", "exit 0");
    clock["spec"]["successfulJobsHistoryLimit"] = json!(10);
    cluster.create(&all, &clock).await?;
    cluster
        .until(&cluster.group(GROUP, "jobs"), |list| {
            let jobs = list.and_then(|list| list["items"].as_array());
            jobs.is_some_and(|jobs| {
                let ours = jobs
                    .iter()
                    .filter(|job| job["metadata"]["ownerReferences"][0]["name"] == "clock");
                ours.count() >= minutes
            })
        })
        .await?;
    cluster.delete(&format!("{all}/clock")).await?;
    Ok(())
}

async fn suspended(cluster: Cluster) -> Result<()> {
    let all = cluster.group(GROUP, "cronjobs");
    let mut object = cron_job("suspended", "*/1 * * * ?", "Allow", "sleep 300");
    object["spec"]["suspend"] = json!(true);
    cluster.create(&all, &object).await?;
    pass(&cluster, 5).await?;
    let found = cluster.get(&format!("{all}/suspended")).await?;
    ensure!(active_jobs(Some(&found)).is_empty(), "{found}");
    cluster.delete(&format!("{all}/suspended")).await?;
    Ok(())
}

async fn forbids(cluster: Cluster) -> Result<()> {
    let one = schedule(&cluster, "forbid", "Forbid").await?;
    cluster
        .until(&one, |found| active_jobs(found).len() == 1)
        .await?;
    pass(&cluster, 2).await?;
    let found = cluster.get(&one).await?;
    ensure!(active_jobs(Some(&found)).len() == 1, "{found}");
    cluster.delete(&one).await?;
    Ok(())
}
