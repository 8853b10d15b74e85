//! Mistakes in pods, refused updates and the words of STATUS, as a real cluster says them.

use std::time::Duration;

use sim::Instant;

use super::*;
use crate::field::FieldError;
use crate::schema::Schemas;
use crate::yaml;

fn parse(text: &str) -> Value {
    yaml::parse_all(text)
        .expect("YAML")
        .first()
        .expect("a document")
        .value
        .clone()
}

fn created(spec: &str) -> Value {
    let text = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: x, namespace: default}}, spec: {spec}}}"
    );
    let mut pod = Schemas::load().decode("v1", "Pod", &parse(&text)).value;
    KIND.default(&mut pod);
    KIND.prepare_for_create(&mut pod);
    pod
}

fn texts(errors: &[FieldError]) -> Vec<String> {
    errors.iter().map(FieldError::to_string).collect()
}

#[track_caller]
fn check(spec: &str, expect: &[&str]) {
    assert_eq!(
        texts(&KIND.validate_create(&created(spec))),
        expect,
        "{spec}"
    );
}

/// The same for a container of that name and image with `more`.
#[track_caller]
fn check_container(more: &str, expect: &[&str]) {
    check(
        &format!("{{containers: [{{name: c, image: nginx, {more}}}]}}"),
        expect,
    );
}

#[test]
fn mistakes_in_specs() {
    check("{}", &["spec.containers: Required value"]);
    check(
        "{containers: [{name: c}]}",
        &["spec.containers[0].image: Required value"],
    );
    check(
        "{containers: [{image: nginx}]}",
        &["spec.containers[0].name: Required value"],
    );
    check(
        "{restartPolicy: Sometimes, containers: [{name: c, image: nginx, imagePullPolicy: Maybe}]}",
        &[
            "spec.containers[0].imagePullPolicy: Unsupported value: \"Maybe\": supported values: \
         \"Always\", \"IfNotPresent\", \"Never\"",
            "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \
         \"OnFailure\", \"Never\"",
        ],
    );
    check(
        "{volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}], \
         containers: [{name: c, image: nginx}, {name: c, image: nginx}]}",
        &[
            "spec.volumes[1].name: Duplicate value: \"v\"",
            "spec.containers[1].name: Duplicate value: \"c\"",
        ],
    );
    check(
        "{tolerations: [{operator: Exists, value: x}], containers: [{name: c, image: nginx}]}",
        &[
            "spec.tolerations[0].operator: Invalid value: \"x\": value must \
         be empty when `operator` is 'Exists'",
        ],
    );
    check(
        "{initContainers: [{name: c, image: b, readinessProbe: {tcpSocket: {port: 1}}}], containers: [{name: c, image: nginx}]}",
        &[
            "spec.initContainers[0].name: Duplicate value: \"c\"",
            "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers \
         without restartPolicy=Always",
        ],
    );
}

#[test]
fn mistakes_in_containers() {
    check_container(
        "ports: [{containerPort: 99999}]",
        &[
            "spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and \
         65535, inclusive",
        ],
    );
    check_container(
        "resources: {requests: {cpu: 2}, limits: {cpu: 1}}",
        &[
            "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal \
         to cpu limit of 1",
        ],
    );
    check_container(
        "resources: {requests: {cpu: -1}}",
        &[
            "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than \
         or equal to 0",
        ],
    );
    check_container(
        "resources: {requests: {memory: 400Mi}, limits: {memory: 256Mi}}",
        &[
            "spec.containers[0].resources.requests: Invalid value: \"400Mi\": must be less than or \
         equal to memory limit of 256Mi",
        ],
    );
    check_container(
        "volumeMounts: [{name: v, mountPath: /x}]",
        &["spec.containers[0].volumeMounts[0].name: Not found: \"v\""],
    );
    check_container(
        "livenessProbe: {httpGet: {path: /}}",
        &[
            "spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and \
         65535, inclusive",
        ],
    );
    check_container(
        "livenessProbe: {}",
        &["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
    );
    check_container(
        "ports: [{containerPort: 80, name: a, hostPort: 80}, {containerPort: 81, name: a, hostPort: 80}]",
        &[
            "spec.containers[0].ports[1].name: Duplicate value: \"a\"",
            "spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//80\"",
        ],
    );
    check_container(
        "env: [{name: A, valueFrom: {}}]",
        &[
            "spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: \
         `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        ],
    );
}

/// Applies `change` to a running pod as `kubectl patch` would.
#[track_caller]
fn check_update(change: impl FnOnce(&mut Value), expect: &[&str]) {
    let mut old = created(
        "{containers: [{name: ok, image: nginx, volumeMounts: [{name: kube-api-access-abcde, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}]}]}",
    );
    // What admission adds to every pod stands above the containers.
    old.set("spec.volumes", vec![parse(TOKEN_VOLUME)]);
    let mut new = old.clone();
    change(&mut new);
    KIND.default(&mut new);
    KIND.prepare_for_update(&mut new, &old, "");
    assert_eq!(texts(&KIND.validate_update(&new, &old, "")), expect);
}

const TOKEN_VOLUME: &str = "
name: kube-api-access-abcde
projected:
  defaultMode: 420
  sources:
  - serviceAccountToken: {expirationSeconds: 3607, path: token}
  - configMap: {items: [{key: ca.crt, path: ca.crt}], name: kube-root-ca.crt}
  - downwardAPI: {items: [{fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}, path: namespace}]}
";

const FORBIDDEN: &str = "spec: Forbidden: pod updates may not change fields other than \
    `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
    `spec.tolerations` (only additions to existing tolerations),\
    `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n";

#[test]
fn refused_updates_show_the_difference() {
    check_update(|p| p.set("spec.containers.0.image", "nginx:1.27"), &[]);
    check_update(
        |p| {
            p.list_mut("spec.tolerations")
                .push(parse("{operator: Exists}"))
        },
        &[],
    );
    check_update(
        |p| {
            p.set(
                "spec.containers.0.ports",
                vec![parse("{containerPort: 80}")],
            )
        },
        &[&format!(
            "{FORBIDDEN}{}",
            "@@ -96,7 +96,15 @@\n    \"Command\": null,\n    \"Args\": null,\n    \"WorkingDir\": \"\",\n-   \"Ports\": null,\n+   \"Ports\": [\n+    {\n+     \"Name\": \"\",\n+     \"HostPort\": 0,\n+     \"ContainerPort\": 80,\n+     \"Protocol\": \"TCP\",\n+     \"HostIP\": \"\"\n+    }\n+   ],\n    \"EnvFrom\": null,\n    \"Env\": null,\n    \"Resources\": {\n",
        )],
    );
    check_update(
        |p| p.set("spec.containers.0.command", vec!["sleep"]),
        &[&format!(
            "{FORBIDDEN}{}",
            "@@ -93,7 +93,9 @@\n   {\n    \"Name\": \"ok\",\n    \"Image\": \"nginx\",\n-   \"Command\": null,\n+   \"Command\": [\n+    \"sleep\"\n+   ],\n    \"Args\": null,\n    \"WorkingDir\": \"\",\n    \"Ports\": null,\n",
        )],
    );
    check_update(
        |p| {
            p.list_mut("spec.containers")
                .push(parse("{name: b, image: b}"))
        },
        &["spec.containers: Forbidden: pod updates may not add or remove containers"],
    );
}

#[test]
fn the_generation_counts_changes_of_the_spec() {
    let old = created("{containers: [{name: c, image: nginx}]}");
    assert_eq!(
        (old.generation(), old.str_at("status.qosClass")),
        (1, "BestEffort")
    );
    let mut new = old.clone();
    new.set_label("a", "b");
    KIND.prepare_for_update(&mut new, &old, "");
    assert_eq!(new.generation(), 1);
    new.set("spec.containers.0.image", "nginx:2");
    KIND.prepare_for_update(&mut new, &old, "");
    assert_eq!(new.generation(), 2);
}

#[test]
fn a_status_does_not_bring_the_dead_back() {
    let mut old = created("{restartPolicy: Never, containers: [{name: c, image: nginx}]}");
    let ended = parse("{name: c, state: {terminated: {exitCode: 1}}}");
    old.set("status.containerStatuses", vec![ended]);
    old.set("status.observedGeneration", 1);
    let mut new = old.clone();
    new.set(
        "status.containerStatuses",
        vec![parse("{name: c, state: {running: {}}}")],
    );
    new.remove("status.qosClass");
    new.remove("status.observedGeneration");
    KIND.prepare_for_update(&mut new, &old, "status");
    assert_eq!(new.str_at("status.qosClass"), "BestEffort");
    assert_eq!(new.i64_at("status.observedGeneration"), Some(1));
    assert_eq!(
        texts(&KIND.validate_update(&new, &old, "status")),
        [
            "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated \
         state"
        ]
    );
}

#[test]
fn containers_are_added_to_a_running_pod_by_their_own_door() {
    let old = created("{containers: [{name: c, image: nginx}]}");
    let mut new = old.clone();
    let debugger = "{name: d, image: busybox, imagePullPolicy: Always, \
                    terminationMessagePolicy: File, targetContainerName: x}";
    new.set("spec.ephemeralContainers", vec![parse(debugger)]);
    new.set("spec.containers.0.image", "other");
    new.set_label("a", "b");
    KIND.prepare_for_update(&mut new, &old, "ephemeralcontainers");
    assert_eq!(
        (new.str_at("spec.containers.0.image"), new.label("a")),
        ("nginx", "")
    );
    assert_eq!(
        texts(&KIND.validate_update(&new, &old, "ephemeralcontainers")),
        ["spec.ephemeralContainers[0].targetContainerName: Not found: \"x\""]
    );
    let mut later = new.clone();
    later.remove("spec.ephemeralContainers");
    KIND.prepare_for_update(&mut later, &new, "ephemeralcontainers");
    assert_eq!(later.list_at("spec.ephemeralContainers").len(), 0);
    assert_eq!(
        texts(&KIND.validate_update(&later, &new, "ephemeralcontainers")),
        [
            "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"d\" may not be \
         removed\n"
        ]
    );
}

#[test]
fn resizing_changes_cpu_and_memory_only() {
    let old =
        created("{containers: [{name: c, image: nginx, resources: {requests: {cpu: 100m}}}]}");
    let resized = |amounts: &str| {
        let mut new = old.clone();
        new.set("spec.containers.0.resources.requests", parse(amounts));
        new.set("spec.containers.0.image", "other");
        KIND.prepare_for_update(&mut new, &old, "resize");
        assert_eq!(new.str_at("spec.containers.0.image"), "nginx");
        (
            new.generation(),
            texts(&KIND.validate_update(&new, &old, "resize")),
        )
    };
    assert_eq!(resized("{cpu: 200m}"), (2, Vec::new()));
    assert_eq!(
        resized("{memory: 1Gi}").1,
        ["spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"]
    );
    assert_eq!(
        resized("{cpu: 100m, ephemeral-storage: 1Gi}").1,
        ["spec: Forbidden: only cpu and memory resources are mutable"]
    );
}

#[test]
fn gates_hold_a_pod_back_and_let_it_be_aimed() {
    let old = created("{schedulingGates: [{name: a.b/c}], containers: [{name: c, image: nginx}]}");
    assert_eq!(summary(&old).status, "SchedulingGated");
    let mut new = old.clone();
    new.remove("spec.schedulingGates");
    new.set_path(&["spec", "nodeSelector", "disk"], "ssd");
    assert_eq!(
        texts(&KIND.validate_update(&new, &old, "")),
        Vec::<String>::new()
    );
    let mut back = new.clone();
    back.set("spec.schedulingGates", vec![parse("{name: a.b/c}")]);
    assert_eq!(
        texts(&KIND.validate_update(&back, &new, "")),
        [
            "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new \
         scheduling gate 'a.b/c'"
        ]
    );
}

#[test]
fn warnings_name_what_is_hardly_meant() {
    let pod = created("{containers: [{name: c, image: nginx, env: [{name: A}, {name: A}]}]}");
    assert_eq!(
        (KIND.warnings)(&pod),
        [
            "spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when \
         using apply"
        ]
    );
}

#[test]
fn binding() {
    let mut pod = created("{containers: [{name: c, image: nginx}]}");
    let to = parse("{target: {name: node01}}");
    assert_eq!(bind(&mut pod, &to, "2026-01-05T09:00:00Z"), Ok(()));
    assert!(conditions::is_true(&pod, "PodScheduled"));
    assert_eq!(pods::node_name(&pod), "node01");
    let again = bind(&mut pod, &to, "2026-01-05T09:00:00Z");
    assert_eq!(
        again,
        Err("pod x is already assigned to node \"node01\"".to_owned())
    );
}

#[test]
fn grace_periods() {
    let grace = KIND.grace_period.expect("pods end gracefully");
    let mut pod = created("{containers: [{name: c, image: nginx}]}");
    assert_eq!(grace(&pod, None), 0, "no node runs it yet");
    pod.set("spec.nodeName", "node01");
    assert_eq!(
        (
            grace(&pod, None),
            grace(&pod, Some(0)),
            grace(&pod, Some(-1))
        ),
        (30, 0, 1)
    );
    pod.set("status.phase", "Failed");
    assert_eq!(grace(&pod, None), 0);
}

/// The first cells of the row of a pod whose status is `status`, 28 s old.
#[track_caller]
fn check_row(spec: &str, status: &str, expect: &str) {
    let mut pod = created(spec);
    pod.set("metadata.creationTimestamp", "2026-01-05T09:00:00Z");
    pod.set("status", parse(status));
    let cells = (KIND.row)(&pod, Instant::ZERO + Duration::from_secs(28));
    let texts: Vec<&str> = cells[1..4].iter().map(Value::as_str).collect();
    assert_eq!(texts.join(" | "), expect, "{status}");
}

const ONE: &str = "{containers: [{name: c, image: b}]}";
const TWO: &str = "{containers: [{name: a, image: b}, {name: b, image: b}]}";
const INIT: &str = "{initContainers: [{name: i, image: b}, {name: j, image: b}], containers: [{name: c, image: b}]}";
const SIDECAR: &str = "{initContainers: [{name: s, image: b, restartPolicy: Always}], containers: [{name: c, image: b}]}";

#[test]
fn the_word_for_a_status() {
    check_row(ONE, "{phase: Pending}", "0/1 | Pending | 0");
    check_row(
        ONE,
        "{phase: Pending, containerStatuses: [{name: c, state: {waiting: {reason: ContainerCreating}}}]}",
        "0/1 | ContainerCreating | 0",
    );
    check_row(
        ONE,
        "{phase: Running, containerStatuses: [{name: c, ready: true, state: {running: {}}}]}",
        "1/1 | Running | 0",
    );
    check_row(
        ONE,
        "{phase: Running, containerStatuses: [{name: c, ready: false, state: {running: {}}}]}",
        "0/1 | Running | 0",
    );
    check_row(
        ONE,
        "{phase: Running, containerStatuses: [{name: c, restartCount: 1, state: {waiting: \
         {reason: CrashLoopBackOff}}, lastState: {terminated: {finishedAt: '2026-01-05T09:00:27Z'}}}]}",
        "0/1 | CrashLoopBackOff | 1 (1s ago)",
    );
    check_row(
        ONE,
        "{phase: Failed, containerStatuses: [{name: c, state: {terminated: {exitCode: 3}}}]}",
        "0/1 | ExitCode:3 | 0",
    );
    check_row(
        ONE,
        "{phase: Succeeded, containerStatuses: [{name: c, state: {terminated: {exitCode: 0, reason: Completed}}}]}",
        "0/1 | Completed | 0",
    );
    check_row(
        TWO,
        "{phase: Running, containerStatuses: [{name: a, ready: true, state: {running: {}}}, \
         {name: b, restartCount: 2, state: {terminated: {exitCode: 1, reason: Error}}, \
         lastState: {terminated: {finishedAt: '2026-01-05T09:00:08Z'}}}]}",
        "1/2 | Error | 2 (20s ago)",
    );
    check_row(
        TWO,
        "{phase: Running, conditions: [{type: Ready, status: 'False'}], containerStatuses: [{name: a, \
         state: {terminated: {exitCode: 0, reason: Completed}}}, {name: b, ready: true, state: {running: {}}}]}",
        "1/2 | NotReady | 0",
    );
    check_row(ONE, "{phase: Failed, reason: Evicted}", "0/1 | Evicted | 0");
    check_row(
        ONE,
        "{phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: SchedulingGated}]}",
        "0/1 | SchedulingGated | 0",
    );
}

#[test]
fn the_word_while_initializing() {
    check_row(
        INIT,
        "{phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}, {name: j, state: \
         {waiting: {reason: PodInitializing}}}]}",
        "0/1 | Init:0/2 | 0",
    );
    check_row(
        INIT,
        "{phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}, \
         {name: j, restartCount: 1, state: {terminated: {exitCode: 1, reason: Error}}, \
         lastState: {terminated: {finishedAt: '2026-01-05T09:00:25Z'}}}]}",
        "0/1 | Init:Error | 1 (3s ago)",
    );
    check_row(
        INIT,
        "{phase: Pending, initContainerStatuses: [{name: i, restartCount: 3, state: {waiting: {reason: \
         CrashLoopBackOff}}}]}",
        "0/1 | Init:CrashLoopBackOff | 3",
    );
    check_row(
        SIDECAR,
        "{phase: Running, initContainerStatuses: [{name: s, started: true, ready: true, state: {running: {}}}], \
         containerStatuses: [{name: c, ready: true, state: {running: {}}}]}",
        "2/2 | Running | 0",
    );
    check_row(
        SIDECAR,
        "{phase: Pending, initContainerStatuses: [{name: s, started: false, state: {waiting: \
         {reason: PodInitializing}}}]}",
        "0/2 | Init:0/1 | 0",
    );
}

#[test]
fn the_word_while_ending() {
    let mut pod = created(ONE);
    pod.set("status.phase", "Running");
    pod.set("metadata.deletionTimestamp", "2026-01-05T09:00:20Z");
    assert_eq!(summary(&pod).status, "Terminating");
    pod.set("status.reason", "NodeLost");
    assert_eq!(summary(&pod).status, "Unknown");
    pod.set("status.reason", "");
    pod.set("status.phase", "Failed");
    assert_eq!(summary(&pod).status, "Failed");
}
