//! What a directory comes to: its resources and those of the directories it names, generated ones,
//! and all that is done to them, in the order in which kustomize does it.
//!
//! Models kustomize/api/internal/target/kusttarget.go.

use std::future::Future;
use std::pin::Pin;

use api::{Value, yaml};
use machine::Io;

use super::res::{Id, Res};
use super::{file, generate, labels, patches, replace, transform};

/// What has come together so far.
#[derive(Default)]
pub(super) struct Accumulated {
    pub(super) objects: Vec<Res>,
    pub(super) vars: Vec<Value>,
}

/// A directory with its kustomization.
pub(super) struct Target {
    pub(super) dir: String,
    pub(super) kustomization: Value,
}

type Done<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

impl Target {
    pub(super) async fn load(io: &Io, dir: String) -> Result<Target, String> {
        let kustomization = file::kustomization(io, &dir).await?;
        Ok(Target { dir, kustomization })
    }

    /// The strings of a list.
    pub(super) fn strings(&self, field: &str) -> impl Iterator<Item = &str> {
        self.kustomization
            .get(field)
            .list()
            .iter()
            .map(Value::as_str)
    }

    /// Adds what the directory describes.
    pub(super) fn accumulate<'a>(
        &'a self,
        io: &'a Io,
        into: &'a mut Accumulated,
        visited: &'a mut Vec<String>,
    ) -> Done<'a> {
        Box::pin(async move {
            for path in self.strings("resources").chain(self.strings("bases")) {
                let added = self.resource(io, path, into, visited).await;
                added.map_err(|why| format!("accumulating resources: {why}"))?;
            }
            generate::run(io, self, into).await?;
            for path in self.strings("components") {
                let added = self.component(io, path, into, visited).await;
                added.map_err(|why| {
                    format!("accumulating components: accumulateDirectory: {why:?}")
                })?;
            }
            self.transform(io, into).await?;
            into.vars
                .extend(self.kustomization.get("vars").list().iter().cloned());
            Ok(())
        })
    }

    async fn transform(&self, io: &Io, into: &mut Accumulated) -> Result<(), String> {
        let objects = &mut into.objects;
        let k = &self.kustomization;
        patches::strategic(io, self, objects).await?;
        patches::patches(io, self, objects).await?;
        transform::namespace(objects, k.str("namespace"))?;
        transform::affixes(objects, k.str("namePrefix"), k.str("nameSuffix"));
        labels::labels(objects, k);
        labels::annotations(objects, k.get("commonAnnotations"));
        patches::json6902(io, self, objects).await?;
        transform::replicas(objects, k.get("replicas"))?;
        for field in ["imageTags", "images"] {
            transform::images(objects, k.get(field));
        }
        replace::run(io, self, objects).await
    }

    /// Adds a file or directory.
    async fn resource(
        &self,
        io: &Io,
        path: &str,
        into: &mut Accumulated,
        visited: &mut Vec<String>,
    ) -> Result<(), String> {
        let from = format!("accumulating resources from '{path}'");
        let why = match file::text(io, &self.dir, path).await {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let objects = objects_of(&text, path).map_err(|why| format!("{from}: {why}"))?;
                let objects = match objects {
                    Ok(objects) => objects,
                    Err(why) => {
                        return self.no_directory(io, path, &format!("{from}: {why}")).await;
                    }
                };
                match add(into, objects) {
                    Ok(()) => return Ok(()),
                    Err(why) => {
                        let why = format!("merging resources from '{path}': {why}");
                        return self.no_directory(io, path, &why).await;
                    }
                }
            }
            Err(why) => format!("{from}: {why}"),
        };
        let dir = match file::directory(io, &self.dir, path).await {
            Ok(dir) => dir,
            Err(_) => return self.no_directory(io, path, &why).await,
        };
        let wrap = |inner: String| format!("accumulation err='{why}': {inner}");
        if let Some(inner) = cycle(&dir, visited) {
            return Err(wrap(inner));
        }
        let target = Target::load(io, dir.clone()).await;
        let target =
            target.map_err(|why| wrap(format!("couldn't make target for path '{dir}': {why}")))?;
        if target.kustomization.kind() == "Component" {
            return Err(wrap(format!(
                "expected kind != 'Component' for path '{dir}'"
            )));
        }
        visited.push(dir.clone());
        let mut inner = Accumulated::default();
        let done = target.accumulate(io, &mut inner, visited).await;
        visited.pop();
        done.map_err(|why| wrap(format!("recursed accumulation of path '{dir}': {why}")))?;
        into.vars.append(&mut inner.vars);
        add(into, inner.objects)
            .map_err(|why| wrap(format!("recursed merging from path '{dir}': {why}")))
    }

    /// What is said of something that is neither a good file nor a directory.
    async fn no_directory(&self, io: &Io, path: &str, why: &str) -> Result<(), String> {
        let inner = match file::directory(io, &self.dir, path).await {
            Err(inner) if inner.starts_with("evalsymlink") => {
                format!("must build at directory: not a valid directory: {inner}")
            }
            Err(inner) => inner,
            Ok(_) => String::new(),
        };
        Err(format!("accumulation err='{why}': {inner}"))
    }

    async fn component(
        &self,
        io: &Io,
        path: &str,
        into: &mut Accumulated,
        visited: &mut Vec<String>,
    ) -> Result<(), String> {
        let dir = file::directory(io, &self.dir, path).await?;
        if let Some(why) = cycle(&dir, visited) {
            return Err(why);
        }
        let target = Target::load(io, dir.clone())
            .await
            .map_err(|why| format!("couldn't make target for path '{dir}': {why}"))?;
        if target.kustomization.kind() != "Component" {
            return Err(format!(
                "expected kind 'Component' for path '{dir}' but got 'Kustomization'"
            ));
        }
        visited.push(dir);
        let done = target.accumulate(io, into, visited).await;
        visited.pop();
        done
    }
}

fn cycle(dir: &str, visited: &[String]) -> Option<String> {
    let inside = |known: &&String| known.as_str() == dir || known.starts_with(&format!("{dir}/"));
    let known = visited.iter().find(inside)?;
    Some(format!(
        "cycle detected: candidate root '{dir}' contains visited root '{known}'"
    ))
}

/// Adds objects, each of which must be new.
fn add(into: &mut Accumulated, objects: Vec<Res>) -> Result<(), String> {
    for object in objects {
        let id = object.id();
        if into.objects.iter().any(|one| one.id().same(&id)) {
            return Err(format!(
                "may not add resource with an already registered id: {id}"
            ));
        }
        into.objects.push(object);
    }
    Ok(())
}

/// The objects of a file. A file that is no YAML is an error of its own; what is no object could
/// still be a directory.
fn objects_of(text: &str, path: &str) -> Result<Result<Vec<Res>, String>, String> {
    let documents = yaml::parse_all_v3(text)
        .map_err(|why| format!("MalformedYAMLError: {why} in File: {path}"))?;
    let mut found = Vec::new();
    for document in documents {
        if let Err(why) = flatten(document.value, &mut found) {
            return Ok(Err(why));
        }
    }
    Ok(Ok(found))
}

fn flatten(value: Value, found: &mut Vec<Res>) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    if value.kind().ends_with("List") && value.get("items").is_list() {
        for item in value.get("items").list() {
            flatten(item.clone(), found)?;
        }
        return Ok(());
    }
    let Id { kind, name, .. } = Id::of(&value);
    let missing = match () {
        () if kind.is_empty() => "kind",
        () if name.is_empty() && !kind.ends_with("List") => "metadata.name",
        () => {
            found.push(Res::new(value));
            return Ok(());
        }
    };
    let version = value.api_version();
    Err(format!(
        "missing {missing} in object {{{{{version} {kind}}} {{{{{name} {}}} map[] map[]}}}}",
        value.namespace()
    ))
}
