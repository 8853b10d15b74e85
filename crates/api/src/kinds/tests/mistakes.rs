//! What is refused, in the words of a real cluster.

use super::super::*;
use super::created_from;
use crate::object;

/// The errors of creating an object.
#[track_caller]
fn check_invalid(object: &str, expect: &[&str]) {
    let (kind, object) = created_from(object);
    let errors: Vec<String> = kind
        .validate_create(&object)
        .iter()
        .map(FieldError::to_string)
        .collect();
    assert_eq!(errors, expect);
}

/// The errors of changing the object into what `change` makes of it.
#[track_caller]
fn check_change(object: &str, change: impl FnOnce(&mut Value), expect: &[&str]) {
    let (kind, old) = created_from(object);
    let mut new = old.clone();
    change(&mut new);
    kind.default(&mut new);
    kind.prepare_for_update(&mut new, &old, "");
    let errors = kind.validate_update(&new, &old, "");
    let errors: Vec<String> = errors.iter().map(FieldError::to_string).collect();
    assert_eq!(errors, expect);
}

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters \
    or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', \
    regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

#[test]
fn mistakes_in_metadata() {
    let pod = |metadata: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {metadata}, \
             spec: {{containers: [{{name: c, image: nginx}}]}}}}"
        )
    };
    check_invalid(
        &pod("{name: My_Pod}"),
        &[
            r#"metadata.name: Invalid value: "My_Pod": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#,
        ],
    );
    check_invalid(
        &pod("{name: x, labels: {a: 'b c'}}"),
        &[
            r#"metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"#,
        ],
    );
    check_invalid(
        &pod("{}"),
        &["metadata.name: Required value: name or generateName is required"],
    );
    check_invalid(
        &pod("{name: x, finalizers: [hold]}"),
        &[
            "metadata.finalizers[0]: Invalid value: \"hold\": name is neither a standard finalizer \
         name nor is it fully qualified",
        ],
    );
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: Bad_NS}}";
    check_invalid(
        namespace,
        &[&format!(
            "metadata.name: Invalid value: \"Bad_NS\": {LABEL}"
        )],
    );
    let text = "metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"bogus\": \
                must be one of privileged, baseline, restricted";
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: psa, labels: \
                     {pod-security.kubernetes.io/enforce: bogus}}}";
    check_invalid(namespace, &[text]);
    let node = "{apiVersion: v1, kind: Node, metadata: {name: one, namespace: x}}";
    check_invalid(
        node,
        &["metadata.namespace: Forbidden: not allowed on this type"],
    );
}

#[test]
fn metadata_that_may_not_change() {
    let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, uid: u1}, data: {a: b}}";
    check_change(
        map,
        |m| m.set("metadata.uid", "u2"),
        &["metadata.uid: Invalid value: \"u2\": field is immutable"],
    );
    check_change(
        map,
        |m| m.set("metadata.creationTimestamp", "2030-01-01T00:00:00Z"),
        &[],
    );
    let dying = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}";
    let (kind, mut old) = created_from(dying);
    old.set("metadata.deletionTimestamp", "2026-01-05T09:00:00Z");
    let mut new = old.clone();
    new.set("metadata.finalizers", vec!["example.com/hold"]);
    new.remove("metadata.deletionTimestamp");
    kind.prepare_for_update(&mut new, &old, "");
    assert!(new.is_terminating(), "a deletion is not undone");
    let errors: Vec<String> = kind
        .validate_update(&new, &old, "")
        .iter()
        .map(FieldError::to_string)
        .collect();
    assert_eq!(
        errors,
        [
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being \
         deleted, found new finalizers []string{\"example.com/hold\"}"
        ]
    );
}

#[test]
fn mistakes_in_deployments() {
    let deployment = |spec: &str| {
        format!("{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d}}, spec: {spec}}}")
    };
    let template = |labels: &str, spec: &str| {
        format!(
            "template: {{metadata: {{labels: {labels}}}, spec: {{{spec} containers: [{{name: c, image: nginx}}]}}}}"
        )
    };
    let labels = "spec.template.metadata.labels: Invalid value: {\"app\":\"b\"}: `selector` does \
                  not match template `labels`";
    let web = "selector: {matchLabels: {app: a}}";
    check_invalid(
        &deployment(&format!("{{{web}, {}}}", template("{app: b}", ""))),
        &[labels],
    );
    check_invalid(
        &deployment(&format!("{{{}}}", template("{app: b}", ""))),
        &["spec.selector: Required value", labels],
    );
    let never = template("{app: a}", "restartPolicy: Never,");
    check_invalid(
        &deployment(&format!("{{replicas: -2, {web}, {never}}}")),
        &[
            "spec.replicas: Invalid value: -2: must be greater than or equal to 0",
            "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \
         \"Always\"",
        ],
    );
    let good = template("{app: a}", "");
    let strategy = "strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}";
    check_invalid(
        &deployment(&format!("{{{strategy}, {web}, {good}}}")),
        &[
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is \
         'Recreate'",
        ],
    );
    let strategy = "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}";
    check_invalid(
        &deployment(&format!("{{{strategy}, {web}, {good}}}")),
        &[
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when \
         `maxSurge` is 0",
        ],
    );
    check_invalid(
        &deployment(&format!(
            "{{progressDeadlineSeconds: 5, minReadySeconds: 5, {web}, {good}}}"
        )),
        &["spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"],
    );
    check_change(
        deployment::KIND.sample,
        |d| {
            let other = object! { "app": "zz" };
            d.set("spec.selector.matchLabels", other.clone());
            d.set("spec.template.metadata.labels", other);
        },
        &["spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"zz\"}}: field is immutable"],
    );
    check_change(
        deployment::KIND.sample,
        |d| d.list_mut("spec.template.spec.containers").clear(),
        &["spec.template.spec.containers: Required value"],
    );
}

#[test]
fn mistakes_in_services() {
    let service = |name: &str, spec: &str| {
        format!("{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {spec}}}")
    };
    check_invalid(
        &service("s", "{selector: {app: a}}"),
        &["spec.ports: Required value"],
    );
    check_invalid(
        &service("s", "{ports: [{port: 80}, {port: 81}]}"),
        &[
            "spec.ports[0].name: Required value",
            "spec.ports[1].name: Required value",
        ],
    );
    check_invalid(
        &service("s", "{type: Nodeport, ports: [{port: 80}]}"),
        &[
            "spec.type: Unsupported value: \"Nodeport\": supported values: \"ClusterIP\", \
         \"ExternalName\", \"LoadBalancer\", \"NodePort\"",
        ],
    );
    check_invalid(
        &service("S_1", "{ports: [{port: 80}]}"),
        &[&format!("metadata.name: Invalid value: \"S_1\": {LABEL}")],
    );
    check_invalid(&service("1s", "{ports: [{port: 80}]}"), &[]);
    check_invalid(
        &service("s", "{type: ExternalName, ports: [{port: 80}]}"),
        &["spec.externalName: Required value"],
    );
    check_invalid(
        &service("s", "{ipFamilies: [IPv6], ports: [{port: 80}]}"),
        &["spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster"],
    );
    let allocated = service("s", "{clusterIP: 10.96.1.1, ports: [{port: 80}]}");
    check_change(
        &allocated,
        |s| s.set("spec.clusterIP", "10.96.5.5"),
        &["spec.clusterIPs[0]: Invalid value: [\"10.96.5.5\"]: may not change once set"],
    );
}

#[test]
fn frozen_config_maps_and_secrets() {
    let map =
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, immutable: true, data: {a: b}}";
    let text = "field is immutable when `immutable` is set";
    check_change(
        map,
        |m| m.set("data.a", "c"),
        &[&format!("data: Forbidden: {text}")],
    );
    check_change(
        map,
        |m| drop(m.remove("immutable")),
        &[&format!("immutable: Forbidden: {text}")],
    );
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: x}}";
    check_change(
        secret,
        |s| s.set("type", "example.com/x"),
        &["type: Invalid value: \"example.com/x\": field is immutable"],
    );
    let tls = "{apiVersion: v1, kind: Secret, metadata: {name: x}, type: kubernetes.io/tls}";
    check_invalid(
        tls,
        &[
            "data[tls.crt]: Required value",
            "data[tls.key]: Required value",
        ],
    );
    let keyed = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {'a b': c}}";
    check_invalid(
        keyed,
        &[
            "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        ],
    );
}

#[test]
fn mistakes_in_budgets() {
    let budget = |spec: &str| {
        format!(
            "{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: p}}, \
             spec: {spec}}}"
        )
    };
    check_invalid(
        &budget("{minAvailable: 1, maxUnavailable: 1, selector: {matchLabels: {a: b}}}"),
        &[
            r#"spec: Invalid value: {"MinAvailable":1,"Selector":{"matchLabels":{"a":"b"}},"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set"#,
        ],
    );
    check_invalid(
        &budget("{minAvailable: 101%, unhealthyPodEvictionPolicy: Never}"),
        &[
            r#"spec.minAvailable: Invalid value: "101%": must not be greater than 100%"#,
            r#"spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget""#,
        ],
    );
    check_invalid(
        &budget("{maxUnavailable: -1}"),
        &["spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0"],
    );
}

#[test]
fn mistakes_in_quotas() {
    let quota = |spec: &str| {
        format!("{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: q}}, spec: {spec}}}")
    };
    check_invalid(
        &quota("{hard: {unicorns: 1, pods: -1, count/jobs.batch: 500m}}"),
        &[
            "spec.hard[count/jobs.batch]: Invalid value: \"500m\": must be an integer",
            "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0",
            "spec.hard[unicorns]: Invalid value: \"unicorns\": must be a standard resource type or \
             fully qualified",
            "spec.hard[unicorns]: Invalid value: \"unicorns\": must be a standard resource for quota",
        ],
    );
    check_invalid(
        &quota("{hard: {services: 1}, scopes: [BestEffort, NotBestEffort, Mine]}"),
        &[
            r#"spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Mine"]: unsupported scope applied to resource"#,
            r#"spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Mine"]: unsupported scope applied to resource"#,
            r#"spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Mine"]: unsupported scope"#,
            r#"spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Mine"]: conflicting scopes"#,
        ],
    );
    check_invalid(
        &quota(
            "{hard: {pods: 1}, scopeSelector: {matchExpressions: [
               {scopeName: PriorityClass, operator: In},
               {scopeName: Terminating, operator: In, values: [a]}]}}",
        ),
        &[
            "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value \
             when `operator` is 'In' or 'NotIn' for scope selector",
            "spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must be 'Exist' when \
             scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, \
             ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or \
             ResourceQuotaScopeCrossNamespacePodAffinity",
        ],
    );
}

#[test]
fn mistakes_in_limits() {
    let range = |limits: &str| {
        format!(
            "{{apiVersion: v1, kind: LimitRange, metadata: {{name: l}}, spec: {{limits: {limits}}}}}"
        )
    };
    check_invalid(
        &range("[{type: Pod, default: {cpu: 1}}, {type: Pod}, {type: Box}]"),
        &[
            "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
            "spec.limits[1].type: Duplicate value: \"Pod\"",
            "spec.limits[2].type: Invalid value: \"Box\": must be a standard limit type or fully \
             qualified",
        ],
    );
    check_invalid(
        &range("[{type: Container, min: {cpu: 1}, max: {cpu: 500m}}]"),
        &[
            "spec.limits[0].min[cpu]: Invalid value: \"1\": min value 1 is greater than max value 500m",
            "spec.limits[0].defaultRequest[cpu]: Invalid value: \"500m\": min value 1 is greater than \
             default request value 500m",
            "spec.limits[0].default[cpu]: Invalid value: \"1\": min value 1 is greater than default \
             value 500m",
        ],
    );
    check_invalid(
        &range(
            "[{type: Container, min: {cpu: 500m}, max: {cpu: 1}, maxLimitRequestRatio: {cpu: 4}}]",
        ),
        &[
            "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"4\": ratio 4 is greater than \
             max/min = 2.000000",
        ],
    );
    check_invalid(
        &range("[{type: PersistentVolumeClaim}]"),
        &[
            "spec.limits[0].limits: Required value: either minimum or maximum storage value is \
             required, but neither was provided",
        ],
    );
}

/// Errors of a pod with this container, and with these other fields of its spec.
#[track_caller]
fn check_pod(container: &str, spec: &str, expect: &[&str]) {
    check_invalid(
        &format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: \
             [{{name: c, image: nginx, {container}}}], {spec}}}}}"
        ),
        expect,
    );
}

#[test]
fn mistakes_in_resources() {
    let limits = "spec.containers[0].resources.limits";
    check_pod(
        "resources: {requests: {nvidia.com/gpu: 1}}",
        "",
        &[&format!(
            "{limits}: Required value: Limit must be set for non overcommitable resources"
        )],
    );
    check_pod(
        "resources: {requests: {nvidia.com/gpu: 1}, limits: {nvidia.com/gpu: 2}}",
        "",
        &[
            "spec.containers[0].resources.requests: Invalid value: \"1\": must be equal to \
           nvidia.com/gpu limit of 2",
        ],
    );
    check_pod(
        "resources: {limits: {hugepages-2Mi: 3Mi, cpu: 1}}",
        "",
        &[
            &format!(
                "{limits}[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer \
                 multiple of hugepages-2Mi"
            ),
            "spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is \
             not positive integer multiple of hugepages-2Mi",
        ],
    );
    check_pod(
        "resources: {limits: {hugepages-2Mi: 4Mi}}",
        "",
        &["spec.containers[0].resources: Forbidden: HugePages require cpu or memory"],
    );
    check_pod(
        "resources: {requests: {cpu: 2}}",
        "resources: {requests: {cpu: 1}, limits: {cpu: 3}}",
        &[
            "spec.resources.requests[cpu]: Invalid value: \"1\": must be greater than or equal to \
           aggregate container requests of 2",
        ],
    );
    check_pod(
        "",
        "resources: {limits: {ephemeral-storage: 1Gi}}",
        &[
            "spec.resources.limits[ephemeral-storage]: Unsupported value: \"ephemeral-storage\": \
           supported values: \"cpu\", \"hugepages-\", \"memory\"",
        ],
    );
}

#[test]
fn mistakes_in_security_contexts() {
    let of_container = "spec.containers[0].securityContext";
    check_pod(
        "securityContext: {seccompProfile: {type: Localhost}}",
        "",
        &[&format!(
            "{of_container}.seccompProfile.localhostProfile: Required value: must be set when \
             seccomp type is Localhost"
        )],
    );
    check_pod(
        "securityContext: {seccompProfile: {}}",
        "securityContext: {appArmorProfile: {type: Foo}, supplementalGroups: [-1]}",
        &[
            &format!(
                "{of_container}.seccompProfile.type: Required value: type is required when \
                 seccompProfile is set"
            ),
            "spec.securityContext.supplementalGroups[0]: Invalid value: -1: must be between 0 and \
             2147483647, inclusive",
            "spec.securityContext.appArmorProfile.type: Unsupported value: \"Foo\": supported \
             values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\"",
        ],
    );
    check_pod(
        "securityContext: {procMount: Unmasked}",
        "hostUsers: false, hostPID: true",
        &["spec.HostPID: Forbidden: when `pod.Spec.HostUsers` is false"],
    );
    check_pod(
        "securityContext: {privileged: true}",
        "os: {name: windows}",
        &[&format!(
            "{of_container}.privileged: Forbidden: cannot be set for a windows pod"
        )],
    );
}

#[test]
fn mistakes_in_mounts_and_volumes() {
    let mounts = "spec.containers[0].volumeMounts";
    check_pod(
        "volumeMounts: [{name: v, mountPath: /x, mountPropagation: Bidirectional, \
         recursiveReadOnly: Enabled}]",
        "volumes: [{name: v, emptyDir: {sizeLimit: 1Gi}}]",
        &[
            &format!(
                "{mounts}.mountPropagation: Forbidden: Bidirectional mount propagation is \
                 available only to privileged containers"
            ),
            &format!(
                "{mounts}.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"
            ),
            &format!(
                "{mounts}.recursiveReadOnly: Forbidden: may only be specified when \
                 mountPropagation is None or not specified"
            ),
        ],
    );
    check_pod(
        "volumeDevices: [{name: v, devicePath: /dev/x}]",
        "volumes: [{name: v, emptyDir: {}}]",
        &[
            "spec.containers[0].volumeDevices[0].name: Invalid value: \"v\": can only use volume \
           source type of PersistentVolumeClaim or Ephemeral for block mode",
        ],
    );
    check_pod(
        "",
        "volumes: [{name: v, ephemeral: {volumeClaimTemplate: {metadata: {name: x}, spec: \
         {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}]",
        &["spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set"],
    );
    check_pod(
        "",
        "volumes: [{name: v, projected: {sources: [{secret: {name: a, items: [{key: k, path: f}]}, \
         configMap: {name: b, items: [{key: k, path: f}]}}]}}]",
        &[
            "spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume \
             type per source",
            "spec.volumes[0].projected: Invalid value: \"b\": conflicting duplicate paths",
        ],
    );
}

#[test]
fn mistakes_in_metrics_and_behaviour() {
    #[track_caller]
    fn check(spec: &str, expect: &[&str]) {
        check_invalid(
            &format!(
                "{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {{name: \
                 h}}, spec: {{maxReplicas: 3, scaleTargetRef: {{apiVersion: apps/v1, kind: \
                 Deployment, name: d}}, {spec}}}}}"
            ),
            expect,
        );
    }
    check(
        "metrics: [{type: Pods, resource: {name: cpu, target: {type: Utilization, \
         averageUtilization: 50, averageValue: 1}}}]",
        &[
            "spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target \
             raw value and a target utilization",
            "spec.metrics[0].pods: Required value: must populate information for the given metric \
             source",
        ],
    );
    check(
        "metrics: [{type: Object, object: {metric: {name: a/b}, describedObject: {kind: Service}, \
         target: {type: Foo, value: 0}}}]",
        &[
            "spec.metrics[0].object.describedObject.name: Required value",
            "spec.metrics[0].object.metric.name: Invalid value: \"a/b\": may not contain '/'",
            "spec.metrics[0].object.target.type: Invalid value: \"Foo\": must be either \
             Utilization, Value, or AverageValue",
            "spec.metrics[0].object.target.value: Invalid value: \"0\": must be positive",
        ],
    );
    check(
        "behavior: {scaleDown: {stabilizationWindowSeconds: 4000, selectPolicy: X, policies: \
         [{type: Pods, value: 0, periodSeconds: 1801}]}}",
        &[
            "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 4000: must be less \
             than or equal to 3600",
            "spec.behavior.scaleDown.selectPolicy: Unsupported value: \"X\": supported values: \
             \"Disabled\", \"Max\", \"Min\"",
            "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero",
            "spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less \
             than or equal to 1800",
        ],
    );
}

#[test]
fn mistakes_in_persistent_volumes() {
    #[track_caller]
    fn check(spec: &str, expect: &[&str]) {
        check_invalid(
            &format!(
                "{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: v}}, spec: \
                 {{accessModes: [ReadWriteOnce], capacity: {{storage: 1Gi}}, {spec}}}}}"
            ),
            expect,
        );
    }
    check(
        "hostPath: {path: /x}, nfs: {server: a, path: b}",
        &["spec.nfs: Forbidden: may not specify more than 1 volume type"],
    );
    check(
        "local: {path: /x}",
        &["spec.nodeAffinity: Required value: Local volume requires node affinity"],
    );
    check(
        "hostPath: {path: /}, persistentVolumeReclaimPolicy: Recycle, nodeAffinity: {}",
        &[
            "spec.nodeAffinity.required: Required value: must specify required node constraints",
            "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath \
             mount of '/'",
        ],
    );
    check(
        "csi: {driver: a.b, nodePublishSecretRef: {name: x}}",
        &[
            "spec.csi.volumeHandle: Required value",
            "spec.csi.nodePublishSecretRef.namespace: Required value",
        ],
    );
}

#[test]
fn a_volume_stays_where_it_is() {
    let volume = "{apiVersion: v1, kind: PersistentVolume, metadata: {name: v}, spec: \
                  {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, local: {path: /x}, \
                  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: a, \
                  operator: Exists}]}]}}}}";
    let key = "spec.nodeAffinity.required.nodeSelectorTerms.0.matchExpressions.0.key";
    check_change(
        volume,
        |volume| volume.set(key, "b"),
        &[
            "nodeAffinity: Invalid value: {\"Required\":{\"NodeSelectorTerms\":[{\"MatchExpressions\":\
           [{\"Key\":\"b\",\"Operator\":\"Exists\",\"Values\":null}],\"MatchFields\":null}]}}: field is \
           immutable",
        ],
    );
}

#[test]
fn what_is_allowed_but_hardly_meant() {
    #[track_caller]
    fn check(object: &str, expect: &[&str]) {
        let (kind, object) = created_from(object);
        assert_eq!((kind.warnings)(&object), expect);
    }
    check(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeSelector: \
         {beta.kubernetes.io/os: linux}, topologySpreadConstraints: [{maxSkew: 1, topologyKey: \
         zone, whenUnsatisfiable: DoNotSchedule}], terminationGracePeriodSeconds: -1, containers: \
         [{name: a, image: nginx, ports: [{containerPort: 80}], env: [{name: X, value: a}, {name: \
         X, value: $(X)b}], resources: {requests: {memory: 100m}}}, {name: b, image: nginx, ports: \
         [{containerPort: 80}, {containerPort: 80, hostPort: 8080}]}]}}",
        &[
            "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \
             \"kubernetes.io/os\" instead",
            "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in \
             matching no pod",
            "spec.containers[0].resources.requests[memory]: fractional byte value \"100m\" is \
             invalid, must be an integer",
            "spec.containers[1].ports[0]: duplicate port definition with \
             spec.containers[0].ports[0]",
            "spec.containers[1].ports[1]: overlapping port definition with \
             spec.containers[0].ports[0]",
            "spec.containers[1].ports[1]: overlapping port definition with \
             spec.containers[1].ports[0]",
            "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and \
             will be treated as 1",
        ],
    );
    check(
        "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, annotations: \
         {kubernetes.io/ingress.class: nginx}}, spec: {}}",
        &[
            "annotation \"kubernetes.io/ingress.class\" is deprecated, please use \
             'spec.ingressClassName' instead",
        ],
    );
    check(
        "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {clusterIP: None, \
         externalName: a.b, sessionAffinity: ClientIP}}",
        &[
            "spec.SessionAffinity is ignored for headless services",
            "spec.externalName is ignored when spec.type is not \"ExternalName\"",
        ],
    );
    check(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a.b}, spec: {selector: {}, \
         template: {spec: {imagePullSecrets: [{}]}}}}",
        &[
            "metadata.name: this is used in Pod names and hostnames, which can result in \
             surprising behavior; a DNS label is recommended: [must not contain dots]",
            "spec.template.spec.imagePullSecrets[0].name: invalid empty name \"\"",
        ],
    );
}
