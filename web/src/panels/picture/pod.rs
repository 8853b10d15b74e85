//! A pod's tile.

use std::rc::Rc;

use yew::prelude::*;

use super::mark::{mark, name};
use super::scene::{Part, Tile};
use crate::protocol::{Pod, PodState};

/// How much room a tile has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Mark, name and words.
    Roomy,
    /// The mark; the words are in its tooltip.
    Dense,
    /// Mark and name, quietly: the cluster's own.
    Quiet,
}

/// A pod's tile.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct PodProps {
    /// The pod.
    pub pod: Rc<Pod>,
    /// The short name on the tile.
    pub label: AttrValue,
    /// The part of the cluster it is.
    pub part: Option<Part>,
    /// The API server believes that it runs, and its process is not there.
    pub down: bool,
    /// How much room it has.
    pub size: Size,
    /// Its details are open.
    pub open: bool,
    /// Open its details.
    pub inspect: Callback<String>,
}

/// Draws a pod's tile.
#[component]
pub fn PodTile(props: &PodProps) -> Html {
    let PodProps {
        pod,
        label,
        part,
        down,
        size,
        open,
        inspect,
    } = props;
    let state = if *down { PodState::Failing } else { pod.state };
    let words = if *down {
        "not running".to_owned()
    } else {
        words(pod)
    };
    let uid = pod.uid.clone();
    let onclick = inspect.reform(move |_: MouseEvent| uid.clone());
    let class = match size {
        Size::Roomy => classes!("pod"),
        Size::Dense => classes!("pod", "dense"),
        Size::Quiet => classes!("pod", "quiet", part.map(|_| "part")),
    };
    let wordless = *size == Size::Quiet && state == PodState::Running;
    let version = part.filter(|_| wordless).and_then(|_| version(pod));
    html! {
        <button {class} id={element_id(&pod.uid)} data-state={name(state)}
            aria-expanded={open.to_string()} aria-haspopup="dialog"
            title={format!("{}: {words}", pod.name)} {onclick}>
            { mark(state, *part) }
            <span class="who">{ label }</span>
            if wordless {
                <span class="unseen">{ words }</span>
            } else {
                <span class="what">{ words }</span>
            }
            if let Some(version) = version {
                <span class="version">{ version }</span>
            }
        </button>
    }
}

/// Draws tiles in a row.
pub fn tiles(tiles: &[Tile], size: Size, open: Option<&str>, inspect: &Callback<String>) -> Html {
    let tile = |tile: &Tile| {
        html! {
            <PodTile key={tile.pod.uid.clone()} pod={tile.pod.clone()} label={tile.label.clone()}
                part={tile.part} down={tile.down} {size} open={open == Some(tile.pod.uid.as_str())}
                inspect={inspect.clone()} />
        }
    };
    html! { <div class="tiles">{ for tiles.iter().map(tile) }</div> }
}

/// The id of a pod's tile in the document.
pub fn element_id(uid: &str) -> String {
    format!("pod-{uid}")
}

/// The words on a tile: the status, and what a look at the READY and RESTARTS columns would add.
fn words(pod: &Pod) -> String {
    let mut words = pod.status.clone();
    if pod.state == PodState::NotReady {
        words.push_str(&format!(" {}/{}", pod.ready, pod.containers));
    }
    if pod.restarts > 0 {
        words.push_str(&format!(" ×{}", pod.restarts));
    }
    words
}

/// The version that a part's image has: its tag, `v1.36.2`, without what only tells builds apart.
fn version(pod: &Pod) -> Option<String> {
    let (_, tag) = pod.images.first()?.rsplit_once(':')?;
    let tag = tag.split(['@', '-']).next()?;
    let word = tag.trim_start_matches('v');
    word.starts_with(|c: char| c.is_ascii_digit())
        .then(|| format!("v{word}"))
}

#[cfg(test)]
mod tests {
    use super::super::scene::tests::pod;
    use super::*;

    #[track_caller]
    fn check(image: &str, expected: Option<&str>) {
        let mut part = pod("kube-system", "x", None);
        part.images = vec![image.to_owned()];
        assert_eq!(version(&part).as_deref(), expected, "{image}");
    }

    #[test]
    fn versions_are_tags() {
        check("registry.k8s.io/kube-apiserver:v1.36.2", Some("v1.36.2"));
        check("registry.k8s.io/etcd:3.6.8-0", Some("v3.6.8"));
        check("registry.k8s.io/etcd", None);
        check("localhost:5000/etcd:latest", None);
    }
}
