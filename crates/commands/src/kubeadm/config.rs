//! `kubeadm config images`.
//!
//! Models cmd/kubeadm/app/cmd/config.go.

use machine::Io;

use super::version::{normalized, stable};
use super::{Done, Options, images, own_version};

/// `kubeadm config images list`.
pub(crate) async fn images_list(io: &Io, options: &Options) -> Done {
    let version = wanted(io, options).await?;
    let lines: String = images::names(&version)
        .iter()
        .map(|image| format!("{image}\n"))
        .collect();
    io.print(&lines).await;
    Ok(())
}

/// `kubeadm config images pull`.
pub(crate) async fn images_pull(io: &Io, options: &Options) -> Done {
    let version = wanted(io, options).await?;
    images::pull(io, &version).await
}

/// The version on the command line, or the newest that this kubeadm knows how to set up.
async fn wanted(io: &Io, options: &Options) -> Done<String> {
    match &options.kubernetes_version {
        Some(word) => normalized(io, word).await,
        None => {
            let own = own_version(io).await;
            Ok(stable(io, &own).await.to_owned())
        }
    }
}
