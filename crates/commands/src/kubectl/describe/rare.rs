//! Volumes of kinds that are rarely used, most of them of a cloud or a storage system: a table of
//! what each shows.
//!
//! Models kubectl/pkg/describe/describe.go (printXVolumeSource).

use api::Value;

/// How a field is shown.
#[derive(Clone, Copy)]
enum As {
    /// As it is, or empty.
    Text,
    /// As it is, or `<none>`.
    OrNone,
    /// Only where it is set.
    IfSet,
    Bool,
    Number,
    /// `[a b]`
    List,
    /// `a, b`
    Commas,
    /// `map[a:b]`
    Map,
    /// A reference to a Secret.
    Secret,
}

use As::{Bool, Commas, IfSet, List, Map, Number, OrNone, Secret, Text};

type Shown = (&'static str, &'static str, As);

const FS_TYPE: Shown = ("FSType:", "fsType", Text);
const READ_ONLY: Shown = ("ReadOnly:", "readOnly", Bool);
const SECRET: Shown = ("SecretRef:", "secretRef", Secret);

/// The field of a volume, what it is, and the lines below.
const KINDS: &[(&str, &str, &[Shown])] = &[
    (
        "iscsi",
        "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then \
         exposed to the pod)",
        &[
            ("TargetPortal:", "targetPortal", Text),
            ("IQN:", "iqn", Text),
            ("Lun:", "lun", Number),
            ("ISCSIInterface", "iscsiInterface", Text),
            FS_TYPE,
            READ_ONLY,
            ("Portals:", "portals", List),
            ("DiscoveryCHAPAuth:", "chapAuthDiscovery", Bool),
            ("SessionCHAPAuth:", "chapAuthSession", Bool),
            SECRET,
            ("InitiatorName:", "initiatorName", OrNone),
        ],
    ),
    (
        "rbd",
        "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
        &[
            ("CephMonitors:", "monitors", List),
            ("RBDImage:", "image", Text),
            FS_TYPE,
            ("RBDPool:", "pool", Text),
            ("RadosUser:", "user", Text),
            ("Keyring:", "keyring", Text),
            SECRET,
            READ_ONLY,
        ],
    ),
    (
        "cephfs",
        "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
        &[
            ("Monitors:", "monitors", List),
            ("Path:", "path", Text),
            ("User:", "user", Text),
            ("SecretFile:", "secretFile", Text),
            SECRET,
            READ_ONLY,
        ],
    ),
    (
        "glusterfs",
        "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
        &[
            ("EndpointsName:", "endpoints", Text),
            ("EndpointsNamespace:", "endpointsNamespace", IfSet),
            ("Path:", "path", Text),
            READ_ONLY,
        ],
    ),
    (
        "gcePersistentDisk",
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        &[
            ("PDName:", "pdName", Text),
            FS_TYPE,
            ("Partition:", "partition", Number),
            READ_ONLY,
        ],
    ),
    (
        "awsElasticBlockStore",
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        &[
            ("VolumeID:", "volumeID", Text),
            FS_TYPE,
            ("Partition:", "partition", Number),
            READ_ONLY,
        ],
    ),
    (
        "azureDisk",
        "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        &[
            ("DiskName:", "diskName", Text),
            ("DiskURI:", "diskURI", Text),
            ("Kind:", "kind", Text),
            FS_TYPE,
            ("CachingMode:", "cachingMode", Text),
            READ_ONLY,
        ],
    ),
    (
        "azureFile",
        "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
        &[
            ("SecretName:", "secretName", Text),
            ("SecretNamespace:", "secretNamespace", IfSet),
            ("ShareName:", "shareName", Text),
            READ_ONLY,
        ],
    ),
    (
        "vsphereVolume",
        "vSphereVolume (a Persistent Disk resource in vSphere)",
        &[
            ("VolumePath:", "volumePath", Text),
            FS_TYPE,
            ("StoragePolicyName:", "storagePolicyName", Text),
        ],
    ),
    (
        "cinder",
        "Cinder (a Persistent Disk resource in OpenStack)",
        &[("VolumeID:", "volumeID", Text), FS_TYPE, READ_ONLY, SECRET],
    ),
    (
        "photonPersistentDisk",
        "PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
        &[("PdID:", "pdID", Text), FS_TYPE],
    ),
    (
        "portworxVolume",
        "PortworxVolume (a Portworx Volume resource)",
        &[("VolumeID:", "volumeID", Text)],
    ),
    (
        "scaleIO",
        "ScaleIO (a persistent volume backed by a block device in ScaleIO)",
        &[
            ("Gateway:", "gateway", Text),
            ("System:", "system", Text),
            ("Protection Domain:", "protectionDomain", Text),
            ("Storage Pool:", "storagePool", Text),
            ("Storage Mode:", "storageMode", Text),
            ("VolumeName:", "volumeName", Text),
            FS_TYPE,
            READ_ONLY,
        ],
    ),
    (
        "storageos",
        "StorageOS (a StorageOS Persistent Disk resource)",
        &[
            ("VolumeName:", "volumeName", Text),
            ("VolumeNamespace:", "volumeNamespace", Text),
            FS_TYPE,
            READ_ONLY,
        ],
    ),
    (
        "flexVolume",
        "FlexVolume (a generic volume resource that is provisioned/attached using an exec based \
         plugin)",
        &[
            ("Driver:", "driver", Text),
            FS_TYPE,
            SECRET,
            READ_ONLY,
            ("Options:", "options", Map),
        ],
    ),
    (
        "fc",
        "FC (a Fibre Channel disk)",
        &[
            ("TargetWWNs:", "targetWWNs", Commas),
            ("LUN:", "lun", OrNone),
            FS_TYPE,
            READ_ONLY,
        ],
    ),
    (
        "quobyte",
        "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
        &[
            ("Registry:", "registry", Text),
            ("Volume:", "volume", Text),
            READ_ONLY,
        ],
    ),
    (
        "flocker",
        "Flocker (a Flocker volume mounted by the Flocker agent)",
        &[
            ("DatasetName:", "datasetName", Text),
            ("DatasetUUID:", "datasetUUID", Text),
        ],
    ),
    (
        "gitRepo",
        "GitRepo (a volume that is pulled from git when the pod is created)",
        &[
            ("Repository:", "repository", Text),
            ("Revision:", "revision", Text),
        ],
    ),
];

/// Where a volume is, if its kind is one of these.
pub(super) fn source(volume: &Value) -> String {
    let known = KINDS.iter().find(|(field, ..)| volume.has(field));
    let Some((field, what, lines)) = known else {
        return "    Type:\t<unknown>\n".to_owned();
    };
    let source = volume.get(field);
    let lines: Vec<String> = lines
        .iter()
        .filter(|(_, field, how)| !matches!(how, IfSet) || source.has(field))
        .map(|(title, field, how)| format!("    {title}\t{}\n", shown(source.get(field), *how)))
        .collect();
    format!("    Type:\t{what}\n{}", lines.concat())
}

fn shown(value: &Value, how: As) -> String {
    let texts = || -> Vec<&str> { value.list().iter().map(Value::as_str).collect() };
    match how {
        Text | IfSet => value.as_str().to_owned(),
        OrNone if value.is_null() => "<none>".to_owned(),
        OrNone if value.is_str() => value.as_str().to_owned(),
        OrNone => value.to_json(),
        Bool => (*value == Value::Bool(true)).to_string(),
        Number if value.is_null() => "0".to_owned(),
        Number => value.to_json(),
        List => format!("[{}]", texts().join(" ")),
        Commas => texts().join(", "),
        Map => match value.is_null() {
            true => "map[]".to_owned(),
            false => api::go::plain(value),
        },
        Secret => secret(value),
    }
}

/// As Go prints a pointer to the message: of a pod's namespace, or of any.
fn secret(value: &Value) -> String {
    if value.is_null() {
        return "nil".to_owned();
    }
    let name = value.str("name");
    match value.str("namespace") {
        "" => format!("&LocalObjectReference{{Name:{name},}}"),
        namespace => format!("&SecretReference{{Name:{name},Namespace:{namespace},}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[track_caller]
    fn check(volume: &Value, expect: &str) {
        assert_eq!(source(volume).replace('\t', "|"), expect);
    }

    #[test]
    fn each_kind_shows_what_it_has() {
        check(
            &object!({ "name": "v", "glusterfs": { "endpoints": "e", "path": "/p" } }),
            "    Type:|Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)\n    \
             EndpointsName:|e\n    Path:|/p\n    ReadOnly:|false\n",
        );
        check(
            &object!({ "fc": { "targetWWNs": ["a", "b"], "readOnly": true } }),
            "    Type:|FC (a Fibre Channel disk)\n    TargetWWNs:|a, b\n    LUN:|<none>\n    \
             FSType:|\n    ReadOnly:|true\n",
        );
        let secret = object!({ "name": "x" });
        check(
            &object!({ "cinder": { "volumeID": "v", "secretRef": (secret) } }),
            "    Type:|Cinder (a Persistent Disk resource in OpenStack)\n    VolumeID:|v\n    \
             FSType:|\n    ReadOnly:|false\n    SecretRef:|&LocalObjectReference{Name:x,}\n",
        );
        check(
            &object!({ "name": "v", "new": {} }),
            "    Type:|<unknown>\n",
        );
    }
}
