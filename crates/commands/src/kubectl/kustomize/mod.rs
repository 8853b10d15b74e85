//! `kubectl kustomize`: the objects that a directory with a `kustomization.yaml` describes.
//!
//! Models sigs.k8s.io/kustomize/api as far as kubectl carries it. Plugins, Helm charts and remote
//! directories are not modelled.

mod fields;
mod file;
mod generate;
mod labels;
mod order;
mod patches;
mod references;
mod replace;
mod res;
mod target;
mod transform;
mod vars;

pub(super) use generate::hash;

use api::{Value, yaml};
use machine::Io;

use super::Verb;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::session::Session;

/// The label of `buildMetadata: [managedByLabel]`, and who it says it was.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const VERSION: &str = "kustomize-v5.8.1";

const FLAGS: &[Flag] = &[
    value("output").short('o'),
    value("load-restrictor"),
    value("helm-command"),
    value("mount"),
    value("network-name"),
    value("reorder"),
    value("env").short('e'),
    switch("enable-alpha-plugins"),
    switch("enable-helm"),
    switch("as-current-user"),
    switch("network"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "kustomize",
    summary: "Build a kustomization target from a directory or URL",
    usage: "kubectl kustomize DIR [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(kustomize(session, line)),
};

async fn kustomize(session: &Session, line: &Line) -> Outcome {
    let root = match line.args.as_slice() {
        [] => ".",
        [root] => root.as_str(),
        _ => return Err(Failure::message("specify one path to kustomization.yaml")),
    };
    let objects = build(&session.io, root).await?;
    let text = yaml::to_string_all(&objects);
    match line.get("output") {
        Some(path) if !path.is_empty() => {
            let written = session.io.write_file(path, text.as_bytes()).await;
            written.map_err(|errno| Failure::message(errno.message().to_lowercase()))
        }
        _ => {
            session.io.print(&text).await;
            Ok(())
        }
    }
}

/// The objects of a directory, in the order in which they are to be created.
pub(super) async fn build(io: &Io, root: &str) -> Outcome<Vec<Value>> {
    let whole = async {
        let dir = file::directory(io, "", root).await.map_err(|why| {
            if why.ends_with("is not directory") {
                why
            } else {
                format!("must build at directory: not a valid directory: {why}")
            }
        })?;
        let mut visited = vec![dir.clone()];
        let target = target::Target::load(io, dir).await?;
        let fifo = target.kustomization.at("sortOptions.order").as_str() == "fifo";
        let mut found = target::Accumulated::default();
        target.accumulate(io, &mut found, &mut visited).await?;
        generate::add_hashes(&mut found.objects);
        references::fix(&mut found.objects)?;
        vars::resolve(&mut found)?;
        if !fifo {
            order::sort(&mut found.objects);
        }
        for option in target.strings("buildMetadata") {
            if ["originAnnotations", "transformerAnnotations"].contains(&option) {
                let note = sim::unmodelled!("annotations of kustomize's buildMetadata");
                return Err(format!("{note}: {option}"));
            }
            // What else is asked for is passed over.
            if option != "managedByLabel" {
                continue;
            }
            let labels = |one: &mut res::Res| one.value.set_label(MANAGED_BY, VERSION);
            found.objects.iter_mut().for_each(labels);
        }
        Ok::<_, String>(found)
    };
    let found = whole.await.map_err(Failure::Message)?;
    Ok(found.objects.into_iter().map(|one| one.value).collect())
}
