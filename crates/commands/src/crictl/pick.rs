//! Which containers, sandboxes and images are meant: by the beginning of their id, or by filters.

use std::rc::Rc;

use node::cri::{ContainerState, ContainerStatus, ImageStatus, Labels, SandboxStatus};
use shell::regex::Regex;

use super::{Done, Fatal, Session, fatal};
use crate::args::Args;

/// Labels the kubelet puts on what it makes.
pub(super) const POD_NAME: &str = "io.kubernetes.pod.name";
pub(super) const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";

/// A label's value, or what stands for one that is missing.
pub(super) fn label(labels: &Labels, key: &str) -> Rc<str> {
    labels.get(key).cloned().unwrap_or_else(|| "unknown".into())
}

/// The one whose id begins so. Containerd says the same of none and of several.
fn one<T: Clone>(all: Vec<T>, id: &str, of: impl Fn(&T) -> &str, what: &str) -> Done<T> {
    let mut found = all.iter().filter(|item| of(item).starts_with(id));
    match (found.next(), found.next()) {
        (Some(item), None) => Ok(item.clone()),
        _ => fatal(format!(
            "rpc error: code = NotFound desc = an error occurred when try to find {what} \
             \"{id}\": not found"
        )),
    }
}

impl Session {
    pub(super) async fn container(&mut self, id: &str) -> Done<ContainerStatus> {
        one(self.containers().await?, id, |c| &c.id, "container")
    }

    pub(super) async fn sandbox(&mut self, id: &str) -> Done<Rc<SandboxStatus>> {
        one(self.sandboxes().await?, id, |s| &s.id, "sandbox")
    }

    /// The image of a name, with or without tag and registry, or of the beginning of an id.
    pub(super) async fn image(&mut self, name: &str) -> Done<Option<ImageStatus>> {
        let parsed = node::reference::Reference::parse(name).ok();
        let full = parsed.map(|reference| reference.to_string());
        let images = self.images().await?;
        Ok(images.into_iter().find(|image| {
            let mut names = image.repo_tags.iter().chain(&image.repo_digests);
            let by_name = names.any(|own| &**own == name || Some(&**own) == full.as_deref());
            let id = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
            by_name || *image.id == *name || (name.len() >= 5 && id.starts_with(name))
        }))
    }
}

/// What the flags of `ps` and `pods` leave.
pub(super) struct Filter {
    state: Option<Rc<str>>,
    id: Option<Rc<str>>,
    pod: Option<Rc<str>>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<(Rc<str>, Rc<str>)>,
    most: usize,
}

impl Filter {
    pub(super) fn read(args: &Args) -> Done<Filter> {
        let regex = |letter: char| match args.value(letter) {
            Some(text) => Regex::extended(text, false).map(Some).map_err(Fatal),
            None => Ok(None),
        };
        let labels = args.values('\u{3}').map(|pair| match pair.split_once('=') {
            Some((key, value)) => (key.into(), value.into()),
            None => (pair.clone(), "".into()),
        });
        let most = match args.value('n') {
            Some(number) => number.parse().unwrap_or(usize::MAX),
            None if args.has('l') => 1,
            None => usize::MAX,
        };
        Ok(Filter {
            state: args.value('s').map(|state| state.to_lowercase().into()),
            id: args.value('\u{5}').cloned(),
            pod: args.value('p').cloned(),
            name: regex('\u{1}')?,
            namespace: regex('\u{2}')?,
            labels: labels.collect(),
            most,
        })
    }

    fn suits(&self, id: &str, name: &str, namespace: &str, labels: &Labels) -> bool {
        let matches = |regex: &Option<Regex>, text: &str| {
            regex.as_ref().is_none_or(|regex| regex.is_match(text))
        };
        let labelled = |(key, value): &(Rc<str>, Rc<str>)| labels.get(key) == Some(value);
        self.id
            .as_ref()
            .is_none_or(|wanted| id.starts_with(&**wanted))
            && matches(&self.name, name)
            && matches(&self.namespace, namespace)
            && self.labels.iter().all(labelled)
    }

    /// The containers left; those that do not run only if `all` are wanted, or some are asked for.
    pub(super) fn containers(
        &self,
        mut them: Vec<ContainerStatus>,
        all: bool,
    ) -> Vec<ContainerStatus> {
        let state = match &self.state {
            _ if self.most < usize::MAX => None,
            Some(state) => Some(state.clone()),
            None if all => None,
            None => Some("running".into()),
        };
        them.retain(|container| {
            let own = state_of(container).to_lowercase();
            let labels = &container.config.labels;
            state.as_ref().is_none_or(|wanted| *own == **wanted)
                && self
                    .pod
                    .as_ref()
                    .is_none_or(|pod| container.sandbox.starts_with(&**pod))
                && self.suits(
                    &container.id,
                    &container.config.name,
                    &label(labels, POD_NAMESPACE),
                    labels,
                )
        });
        them.truncate(self.most);
        them
    }

    pub(super) fn sandboxes(&self, mut them: Vec<Rc<SandboxStatus>>) -> Vec<Rc<SandboxStatus>> {
        them.retain(|sandbox| {
            let own = ready(sandbox).to_lowercase();
            let config = &sandbox.config;
            self.state.as_ref().is_none_or(|wanted| *own == **wanted)
                && self.suits(&sandbox.id, &config.name, &config.namespace, &config.labels)
        });
        them.truncate(self.most);
        them
    }
}

/// A container's state in a word.
pub(super) fn state_of(container: &ContainerStatus) -> &'static str {
    match container.state {
        ContainerState::Created => "Created",
        ContainerState::Running => "Running",
        ContainerState::Exited => "Exited",
    }
}

/// A sandbox's state in a word.
pub(super) fn ready(sandbox: &SandboxStatus) -> &'static str {
    match sandbox.ready {
        true => "Ready",
        false => "NotReady",
    }
}
