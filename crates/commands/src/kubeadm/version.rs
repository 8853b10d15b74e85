//! What a version on the command line stands for, and whether this kubeadm can deal with it.
//!
//! Models cmd/kubeadm/app/util/version.go and util/config/common.go
//! (`NormalizeKubernetesVersion`).

use client::{Severity, klog_line};
use machine::Io;

use super::{Done, own_version, stop};
use crate::releases::{VERSIONS, minor, newest_of, numbers};

/// The release that a version or a label (`stable`, `stable-1.36`) names, with its `v`.
pub(crate) async fn normalized(io: &Io, word: &str) -> Done<String> {
    let own = own_version(io).await;
    let version = match (bare(word), word.strip_prefix("stable-1.")) {
        (Some(bare), _) => format!("v{bare}"),
        (None, Some(number)) => match number.parse().ok().and_then(newest_of) {
            Some(version) => version.to_owned(),
            None => {
                let note = sim::unmodelled!("versions without a release");
                return stop(format!("{note}: {word}"));
            }
        },
        (None, None) if matches!(word, "stable" | "stable-1") => stable(io, &own).await.to_owned(),
        _ => {
            return stop(format!(
                "version {word:?} doesn't match patterns for neither semantic version nor labels \
                 (stable, latest, ...)"
            ));
        }
    };
    supported(&version, &own)?;
    Ok(version)
}

/// `1.36.2` of `1.36.2` and `v1.36.2`.
fn bare(word: &str) -> Option<&str> {
    let bare = word.strip_prefix('v').unwrap_or(word);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (numbers, _) = bare.split_once('-').unwrap_or((bare, ""));
    let parts: Vec<&str> = numbers.split('.').collect();
    (parts.len() == 3 && parts.into_iter().all(digits)).then_some(bare)
}

/// Refuses a version that is older than the minor version before this kubeadm's.
pub(crate) fn supported(version: &str, own: &str) -> Done {
    let least = minor(own).saturating_sub(1);
    if numbers(version) >= (1, least, 0) {
        return Ok(());
    }
    stop(format!(
        "this version of kubeadm only supports deploying clusters with the control plane version \
         >= 1.{least}.0. Current version: {version}"
    ))
}

/// The newest release kubeadm may name: it does not look beyond its own minor version.
pub(crate) async fn stable(io: &Io, own: &str) -> &'static str {
    let newest = VERSIONS[0];
    if minor(newest) <= minor(own) {
        return newest;
    }
    let text = format!(
        "remote version is much newer: {newest}; falling back to: stable-1.{}",
        minor(own)
    );
    log(io, Severity::Info, "version.go:260", &text).await;
    newest_of(minor(own)).unwrap_or(newest)
}

/// Writes a line of a log.
pub(crate) async fn log(io: &Io, severity: Severity, place: &str, text: &str) {
    let pid = io.sys(|sys| sys.pid()).await;
    let line = klog_line(io.now().await, severity, pid.0, place, text);
    io.eprint(&format!("{line}\n")).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_three_numbers() {
        assert_eq!(bare("v1.36.2"), Some("1.36.2"));
        assert_eq!(bare("1.36.2-rc.0"), Some("1.36.2-rc.0"));
        assert_eq!([bare("1.36"), bare("vv1.36.2"), bare("latest")], [None; 3]);
    }

    #[test]
    fn one_minor_version_back_and_no_further() {
        let refused = |version: &str| supported(version, "v1.36.2").is_err();
        assert!(!refused("v1.35.0") && !refused("v1.37.0"));
        assert!(refused("v1.34.9"));
    }
}
