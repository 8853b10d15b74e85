//! Which versions may be upgraded to. Decides from versions alone.
//!
//! Models cmd/kubeadm/app/phases/upgrade/policy.go.

use crate::releases::numbers;

/// A kubelet may be older than the API server by this many minor versions.
const KUBELET_SKEW: u32 = 3;

/// What is wrong with a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Objections {
    /// Nothing helps against these.
    pub(crate) mandatory: Vec<String>,
    /// `--force` helps.
    pub(crate) skippable: Vec<String>,
}

/// Looks at an upgrade of a cluster at version `cluster` to `new`, with kubeadm of version `own`.
pub(crate) fn objections(new: &str, cluster: &str, own: &str, kubelets: &[String]) -> Objections {
    let mut found = Objections::default();
    let minor = |version: &str| numbers(version).1;
    let (wanted, there, tool) = (minor(new), minor(cluster), minor(own));
    let chosen = format!("Specified version to upgrade to {new:?}");
    if wanted > there + 1 {
        found.mandatory.push(format!(
            "{chosen} is too high; kubeadm can upgrade only 1 minor version at a time"
        ));
    }
    if wanted + 1 < there {
        found.mandatory.push(format!(
            "Specified version to downgrade to {new:?} is too low; kubeadm can downgrade only 1 \
             minor version at a time"
        ));
    }
    if numbers(own) < numbers(new) {
        if wanted > tool {
            found.mandatory.push(format!(
                "{chosen} is at least one minor release higher than the kubeadm minor release \
                 ({wanted} > {tool}). Such an upgrade is not supported"
            ));
        } else {
            found.skippable.push(format!(
                "{chosen} is higher than the kubeadm version {own:?}. Upgrade kubeadm first using \
                 the tool you used to install kubeadm"
            ));
        }
    }
    if tool > wanted {
        found.skippable.push(format!(
            "Kubeadm version {own} can only be used to upgrade to Kubernetes version 1.{tool}"
        ));
    }
    let old = |version: &&String| wanted > minor(version) + KUBELET_SKEW;
    let too_old: Vec<&str> = kubelets.iter().filter(old).map(String::as_str).collect();
    if !too_old.is_empty() {
        found.skippable.push(format!(
            "There are kubelets in this cluster that are too old that have these versions [{}]",
            too_old.join(" ")
        ));
    }
    found
}

/// The sentences, a line each.
pub(crate) fn listed(objections: &[String]) -> String {
    objections
        .iter()
        .map(|text| format!("\t- {text}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(new: &str, cluster: &str, own: &str, mandatory: &str, skippable: &str) {
        let found = objections(new, cluster, own, &[]);
        let begins = |texts: &[String], expect: &str| match expect {
            "" => assert_eq!(texts, &[] as &[String]),
            expect => assert!(texts[0].contains(expect), "{texts:?}"),
        };
        begins(&found.mandatory, mandatory);
        begins(&found.skippable, skippable);
    }

    #[test]
    fn one_minor_version_at_a_time_and_not_beyond_kubeadm() {
        check("v1.36.2", "v1.35.6", "v1.36.2", "", "");
        check("v1.37.0", "v1.35.6", "v1.37.0", "is too high", "");
        check("v1.36.2", "v1.35.6", "v1.35.6", "(36 > 35)", "");
        check(
            "v1.36.2",
            "v1.35.6",
            "v1.36.0",
            "",
            "higher than the kubeadm version",
        );
        check(
            "v1.35.6",
            "v1.35.0",
            "v1.36.2",
            "",
            "can only be used to upgrade to",
        );
    }
}
