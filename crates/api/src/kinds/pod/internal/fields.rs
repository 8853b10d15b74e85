//! The fields of the internal pod types, in the order of their declaration.
//!
//! Models pkg/apis/core/types.go.

use super::Field;
use super::Shape::{Any, Bool, Inline, Number, Pointer, Slice, Struct, Text};

/// The fields of `PersistentVolumeClaimSpec`.
pub(super) const CLAIM_SPEC: &[Field] = &[
    ("AccessModes", "accessModes", Any),
    ("Selector", "selector", Any),
    (
        "Resources",
        "resources",
        Struct(&[("Limits", "limits", Any), ("Requests", "requests", Any)]),
    ),
    ("VolumeName", "volumeName", Text),
    ("StorageClassName", "storageClassName", Any),
    ("VolumeMode", "volumeMode", Any),
    ("DataSource", "dataSource", Any),
    ("DataSourceRef", "dataSourceRef", Any),
    (
        "VolumeAttributesClassName",
        "volumeAttributesClassName",
        Any,
    ),
];

/// The fields of `PodSpec`.
pub(super) const POD_SPEC: &[Field] = &[
    ("Volumes", "volumes", Slice(VOLUME)),
    ("InitContainers", "initContainers", Slice(CONTAINER)),
    ("Containers", "containers", Slice(CONTAINER)),
    (
        "EphemeralContainers",
        "ephemeralContainers",
        Slice(EPHEMERAL_CONTAINER),
    ),
    ("RestartPolicy", "restartPolicy", Text),
    (
        "TerminationGracePeriodSeconds",
        "terminationGracePeriodSeconds",
        Any,
    ),
    ("ActiveDeadlineSeconds", "activeDeadlineSeconds", Any),
    ("DNSPolicy", "dnsPolicy", Text),
    ("NodeSelector", "nodeSelector", Any),
    ("ServiceAccountName", "serviceAccountName", Text),
    (
        "AutomountServiceAccountToken",
        "automountServiceAccountToken",
        Any,
    ),
    ("NodeName", "nodeName", Text),
    ("SecurityContext", "securityContext", Pointer(POD_SECURITY)),
    (
        "ImagePullSecrets",
        "imagePullSecrets",
        Slice(&[("Name", "name", Text)]),
    ),
    ("Hostname", "hostname", Text),
    ("Subdomain", "subdomain", Text),
    ("SetHostnameAsFQDN", "setHostnameAsFQDN", Any),
    ("Affinity", "affinity", Pointer(AFFINITY)),
    ("SchedulerName", "schedulerName", Text),
    ("Tolerations", "tolerations", Slice(TOLERATION)),
    (
        "HostAliases",
        "hostAliases",
        Slice(&[("IP", "ip", Text), ("Hostnames", "hostnames", Any)]),
    ),
    ("PriorityClassName", "priorityClassName", Text),
    ("Priority", "priority", Any),
    ("PreemptionPolicy", "preemptionPolicy", Any),
    ("DNSConfig", "dnsConfig", Pointer(DNS_CONFIG)),
    (
        "ReadinessGates",
        "readinessGates",
        Slice(&[("ConditionType", "conditionType", Text)]),
    ),
    ("RuntimeClassName", "runtimeClassName", Any),
    ("Overhead", "overhead", Any),
    ("EnableServiceLinks", "enableServiceLinks", Any),
    (
        "TopologySpreadConstraints",
        "topologySpreadConstraints",
        Slice(SPREAD),
    ),
    ("OS", "os", Pointer(&[("Name", "name", Text)])),
    (
        "SchedulingGates",
        "schedulingGates",
        Slice(&[("Name", "name", Text)]),
    ),
    ("ResourceClaims", "resourceClaims", Slice(CLAIM)),
    ("Resources", "resources", Pointer(RESOURCES)),
    ("HostnameOverride", "hostnameOverride", Any),
    ("SchedulingGroup", "schedulingGroup", Any),
];

const CONTAINER: &[Field] = &[
    ("Name", "name", Text),
    ("Image", "image", Text),
    ("Command", "command", Any),
    ("Args", "args", Any),
    ("WorkingDir", "workingDir", Text),
    ("Ports", "ports", Slice(PORT)),
    ("EnvFrom", "envFrom", Slice(ENV_FROM)),
    ("Env", "env", Slice(ENV)),
    ("Resources", "resources", Struct(RESOURCES)),
    ("ResizePolicy", "resizePolicy", Slice(RESIZE)),
    ("RestartPolicy", "restartPolicy", Any),
    ("RestartPolicyRules", "restartPolicyRules", Any),
    ("VolumeMounts", "volumeMounts", Slice(MOUNT)),
    ("VolumeDevices", "volumeDevices", Slice(DEVICE)),
    ("LivenessProbe", "livenessProbe", Pointer(PROBE)),
    ("ReadinessProbe", "readinessProbe", Pointer(PROBE)),
    ("StartupProbe", "startupProbe", Pointer(PROBE)),
    ("Lifecycle", "lifecycle", Pointer(LIFECYCLE)),
    ("TerminationMessagePath", "terminationMessagePath", Text),
    ("TerminationMessagePolicy", "terminationMessagePolicy", Text),
    ("ImagePullPolicy", "imagePullPolicy", Text),
    ("SecurityContext", "securityContext", Pointer(SECURITY)),
    ("Stdin", "stdin", Bool),
    ("StdinOnce", "stdinOnce", Bool),
    ("TTY", "tty", Bool),
];

const EPHEMERAL_CONTAINER: &[Field] = &[
    ("", "", Inline(CONTAINER)),
    ("TargetContainerName", "targetContainerName", Text),
];

const PORT: &[Field] = &[
    ("Name", "name", Text),
    ("HostPort", "hostPort", Number),
    ("ContainerPort", "containerPort", Number),
    ("Protocol", "protocol", Text),
    ("HostIP", "hostIP", Text),
];

const ENV: &[Field] = &[
    ("Name", "name", Text),
    ("Value", "value", Text),
    ("ValueFrom", "valueFrom", Pointer(ENV_SOURCE)),
];

const ENV_SOURCE: &[Field] = &[
    ("FieldRef", "fieldRef", Pointer(FIELD_REF)),
    (
        "ResourceFieldRef",
        "resourceFieldRef",
        Pointer(RESOURCE_REF),
    ),
    ("ConfigMapKeyRef", "configMapKeyRef", Pointer(KEY_REF)),
    ("SecretKeyRef", "secretKeyRef", Pointer(KEY_REF)),
    ("FileKeyRef", "fileKeyRef", Any),
];

const ENV_FROM: &[Field] = &[
    ("Prefix", "prefix", Text),
    ("ConfigMapRef", "configMapRef", Pointer(OPTIONAL_REF)),
    ("SecretRef", "secretRef", Pointer(OPTIONAL_REF)),
];

const OPTIONAL_REF: &[Field] = &[("Name", "name", Text), ("Optional", "optional", Any)];
const FIELD_REF: &[Field] = &[
    ("APIVersion", "apiVersion", Text),
    ("FieldPath", "fieldPath", Text),
];
const RESOURCE_REF: &[Field] = &[
    ("ContainerName", "containerName", Text),
    ("Resource", "resource", Text),
    ("Divisor", "divisor", Text),
];
const KEY_REF: &[Field] = &[
    ("Name", "name", Text),
    ("Key", "key", Text),
    ("Optional", "optional", Any),
];
const RESOURCES: &[Field] = &[
    ("Limits", "limits", Any),
    ("Requests", "requests", Any),
    ("Claims", "claims", Any),
];
const RESIZE: &[Field] = &[
    ("ResourceName", "resourceName", Text),
    ("RestartPolicy", "restartPolicy", Text),
];
const DEVICE: &[Field] = &[("Name", "name", Text), ("DevicePath", "devicePath", Text)];
const CLAIM: &[Field] = &[
    ("Name", "name", Text),
    ("ResourceClaimName", "resourceClaimName", Any),
    (
        "ResourceClaimTemplateName",
        "resourceClaimTemplateName",
        Any,
    ),
];

const MOUNT: &[Field] = &[
    ("Name", "name", Text),
    ("ReadOnly", "readOnly", Bool),
    ("RecursiveReadOnly", "recursiveReadOnly", Any),
    ("MountPath", "mountPath", Text),
    ("SubPath", "subPath", Text),
    ("MountPropagation", "mountPropagation", Any),
    ("SubPathExpr", "subPathExpr", Text),
];

const ACTIONS: &[Field] = &[
    ("Exec", "exec", Pointer(&[("Command", "command", Any)])),
    ("HTTPGet", "httpGet", Pointer(HTTP_GET)),
    (
        "TCPSocket",
        "tcpSocket",
        Pointer(&[("Port", "port", Any), ("Host", "host", Text)]),
    ),
];
const GRPC: &[Field] = &[("Port", "port", Number), ("Service", "service", Any)];

const PROBE: &[Field] = &[
    ("", "", Inline(ACTIONS)),
    ("GRPC", "grpc", Pointer(GRPC)),
    ("InitialDelaySeconds", "initialDelaySeconds", Number),
    ("TimeoutSeconds", "timeoutSeconds", Number),
    ("PeriodSeconds", "periodSeconds", Number),
    ("SuccessThreshold", "successThreshold", Number),
    ("FailureThreshold", "failureThreshold", Number),
    (
        "TerminationGracePeriodSeconds",
        "terminationGracePeriodSeconds",
        Any,
    ),
];

const LIFECYCLE: &[Field] = &[
    ("PostStart", "postStart", Pointer(HOOK)),
    ("PreStop", "preStop", Pointer(HOOK)),
    ("StopSignal", "stopSignal", Any),
];
const HOOK: &[Field] = &[
    ("", "", Inline(ACTIONS)),
    ("Sleep", "sleep", Pointer(&[("Seconds", "seconds", Number)])),
];

const HTTP_GET: &[Field] = &[
    ("Path", "path", Text),
    ("Port", "port", Any),
    ("Host", "host", Text),
    ("Scheme", "scheme", Text),
    (
        "HTTPHeaders",
        "httpHeaders",
        Slice(&[("Name", "name", Text), ("Value", "value", Text)]),
    ),
];

const SECURITY: &[Field] = &[
    (
        "Capabilities",
        "capabilities",
        Pointer(&[("Add", "add", Any), ("Drop", "drop", Any)]),
    ),
    ("Privileged", "privileged", Any),
    ("SELinuxOptions", "seLinuxOptions", Any),
    ("WindowsOptions", "windowsOptions", Any),
    ("RunAsUser", "runAsUser", Any),
    ("RunAsGroup", "runAsGroup", Any),
    ("RunAsNonRoot", "runAsNonRoot", Any),
    ("ReadOnlyRootFilesystem", "readOnlyRootFilesystem", Any),
    ("AllowPrivilegeEscalation", "allowPrivilegeEscalation", Any),
    ("ProcMount", "procMount", Any),
    ("SeccompProfile", "seccompProfile", Pointer(PROFILE)),
    ("AppArmorProfile", "appArmorProfile", Pointer(PROFILE)),
];
const PROFILE: &[Field] = &[
    ("Type", "type", Text),
    ("LocalhostProfile", "localhostProfile", Any),
];

const POD_SECURITY: &[Field] = &[
    ("HostNetwork", "hostNetwork", Bool),
    ("HostPID", "hostPID", Bool),
    ("HostIPC", "hostIPC", Bool),
    ("ShareProcessNamespace", "shareProcessNamespace", Any),
    ("HostUsers", "hostUsers", Any),
    ("SELinuxOptions", "seLinuxOptions", Any),
    ("WindowsOptions", "windowsOptions", Any),
    ("RunAsUser", "runAsUser", Any),
    ("RunAsGroup", "runAsGroup", Any),
    ("RunAsNonRoot", "runAsNonRoot", Any),
    ("SupplementalGroups", "supplementalGroups", Any),
    ("SupplementalGroupsPolicy", "supplementalGroupsPolicy", Any),
    ("FSGroup", "fsGroup", Any),
    ("FSGroupChangePolicy", "fsGroupChangePolicy", Any),
    (
        "Sysctls",
        "sysctls",
        Slice(&[("Name", "name", Text), ("Value", "value", Text)]),
    ),
    ("SeccompProfile", "seccompProfile", Pointer(PROFILE)),
    ("AppArmorProfile", "appArmorProfile", Pointer(PROFILE)),
    ("SELinuxChangePolicy", "seLinuxChangePolicy", Any),
];

const TOLERATION: &[Field] = &[
    ("Key", "key", Text),
    ("Operator", "operator", Text),
    ("Value", "value", Text),
    ("Effect", "effect", Text),
    ("TolerationSeconds", "tolerationSeconds", Any),
];

const DNS_CONFIG: &[Field] = &[
    ("Nameservers", "nameservers", Any),
    ("Searches", "searches", Any),
    (
        "Options",
        "options",
        Slice(&[("Name", "name", Text), ("Value", "value", Any)]),
    ),
];

const SPREAD: &[Field] = &[
    ("MaxSkew", "maxSkew", Number),
    ("TopologyKey", "topologyKey", Text),
    ("WhenUnsatisfiable", "whenUnsatisfiable", Text),
    ("LabelSelector", "labelSelector", Any),
    ("MinDomains", "minDomains", Any),
    ("NodeAffinityPolicy", "nodeAffinityPolicy", Any),
    ("NodeTaintsPolicy", "nodeTaintsPolicy", Any),
    ("MatchLabelKeys", "matchLabelKeys", Any),
];

const AFFINITY: &[Field] = &[
    ("NodeAffinity", "nodeAffinity", Pointer(NODE_AFFINITY)),
    ("PodAffinity", "podAffinity", Pointer(POD_AFFINITY)),
    ("PodAntiAffinity", "podAntiAffinity", Pointer(POD_AFFINITY)),
];
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const NODE_AFFINITY: &[Field] = &[
    (
        "RequiredDuringSchedulingIgnoredDuringExecution",
        REQUIRED,
        Pointer(&[("NodeSelectorTerms", "nodeSelectorTerms", Slice(NODE_TERM))]),
    ),
    (
        "PreferredDuringSchedulingIgnoredDuringExecution",
        PREFERRED,
        Slice(&[
            ("Weight", "weight", Number),
            ("Preference", "preference", Struct(NODE_TERM)),
        ]),
    ),
];
const NODE_TERM: &[Field] = &[
    (
        "MatchExpressions",
        "matchExpressions",
        Slice(NODE_EXPRESSION),
    ),
    ("MatchFields", "matchFields", Slice(NODE_EXPRESSION)),
];
const NODE_EXPRESSION: &[Field] = &[
    ("Key", "key", Text),
    ("Operator", "operator", Text),
    ("Values", "values", Any),
];
const POD_AFFINITY: &[Field] = &[
    (
        "RequiredDuringSchedulingIgnoredDuringExecution",
        REQUIRED,
        Slice(POD_TERM),
    ),
    (
        "PreferredDuringSchedulingIgnoredDuringExecution",
        PREFERRED,
        Slice(&[
            ("Weight", "weight", Number),
            ("PodAffinityTerm", "podAffinityTerm", Struct(POD_TERM)),
        ]),
    ),
];
const POD_TERM: &[Field] = &[
    ("LabelSelector", "labelSelector", Any),
    ("Namespaces", "namespaces", Any),
    ("TopologyKey", "topologyKey", Text),
    ("NamespaceSelector", "namespaceSelector", Any),
    ("MatchLabelKeys", "matchLabelKeys", Any),
    ("MismatchLabelKeys", "mismatchLabelKeys", Any),
];

const VOLUME: &[Field] = &[
    ("Name", "name", Text),
    (
        "HostPath",
        "hostPath",
        Pointer(&[("Path", "path", Text), ("Type", "type", Any)]),
    ),
    (
        "EmptyDir",
        "emptyDir",
        Pointer(&[("Medium", "medium", Text), ("SizeLimit", "sizeLimit", Any)]),
    ),
    ("GCEPersistentDisk", "gcePersistentDisk", Any),
    ("AWSElasticBlockStore", "awsElasticBlockStore", Any),
    ("GitRepo", "gitRepo", Any),
    ("Secret", "secret", Pointer(SECRET_VOLUME)),
    ("NFS", "nfs", Any),
    ("ISCSI", "iscsi", Any),
    ("Glusterfs", "glusterfs", Any),
    (
        "PersistentVolumeClaim",
        "persistentVolumeClaim",
        Pointer(&[
            ("ClaimName", "claimName", Text),
            ("ReadOnly", "readOnly", Bool),
        ]),
    ),
    ("RBD", "rbd", Any),
    ("Quobyte", "quobyte", Any),
    ("FlexVolume", "flexVolume", Any),
    ("Cinder", "cinder", Any),
    ("CephFS", "cephfs", Any),
    ("Flocker", "flocker", Any),
    (
        "DownwardAPI",
        "downwardAPI",
        Pointer(&[
            ("Items", "items", Slice(DOWNWARD_FILE)),
            ("DefaultMode", "defaultMode", Any),
        ]),
    ),
    ("FC", "fc", Any),
    ("AzureFile", "azureFile", Any),
    ("ConfigMap", "configMap", Pointer(CONFIG_VOLUME)),
    ("VsphereVolume", "vsphereVolume", Any),
    ("AzureDisk", "azureDisk", Any),
    ("PhotonPersistentDisk", "photonPersistentDisk", Any),
    (
        "Projected",
        "projected",
        Pointer(&[
            ("Sources", "sources", Slice(PROJECTION)),
            ("DefaultMode", "defaultMode", Any),
        ]),
    ),
    ("PortworxVolume", "portworxVolume", Any),
    ("ScaleIO", "scaleIO", Any),
    ("StorageOS", "storageos", Any),
    ("CSI", "csi", Any),
    ("Ephemeral", "ephemeral", Any),
    ("Image", "image", Any),
];

const SECRET_VOLUME: &[Field] = &[
    ("SecretName", "secretName", Text),
    ("Items", "items", Slice(KEY_FILE)),
    ("DefaultMode", "defaultMode", Any),
    ("Optional", "optional", Any),
];
const CONFIG_VOLUME: &[Field] = &[
    ("Name", "name", Text),
    ("Items", "items", Slice(KEY_FILE)),
    ("DefaultMode", "defaultMode", Any),
    ("Optional", "optional", Any),
];
const KEY_FILE: &[Field] = &[
    ("Key", "key", Text),
    ("Path", "path", Text),
    ("Mode", "mode", Any),
];
const DOWNWARD_FILE: &[Field] = &[
    ("Path", "path", Text),
    ("FieldRef", "fieldRef", Pointer(FIELD_REF)),
    (
        "ResourceFieldRef",
        "resourceFieldRef",
        Pointer(RESOURCE_REF),
    ),
    ("Mode", "mode", Any),
];
const PROJECTED_KEYS: &[Field] = &[
    ("Name", "name", Text),
    ("Items", "items", Slice(KEY_FILE)),
    ("Optional", "optional", Any),
];
const PROJECTION: &[Field] = &[
    ("Secret", "secret", Pointer(PROJECTED_KEYS)),
    (
        "DownwardAPI",
        "downwardAPI",
        Pointer(&[("Items", "items", Slice(DOWNWARD_FILE))]),
    ),
    ("ConfigMap", "configMap", Pointer(PROJECTED_KEYS)),
    (
        "ServiceAccountToken",
        "serviceAccountToken",
        Pointer(&[
            ("Audience", "audience", Text),
            ("ExpirationSeconds", "expirationSeconds", Number),
            ("Path", "path", Text),
        ]),
    ),
    ("ClusterTrustBundle", "clusterTrustBundle", Any),
    ("PodCertificate", "podCertificate", Any),
];
