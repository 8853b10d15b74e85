//! Prefers nodes that have the pod's images already, if they are large.
//! Models plugins/imagelocality/image_locality.go.

use api::Str;

use crate::framework::{MAX_SCORE, Plugin, PreScore, State};
use crate::{Cluster, NodeInfo, PodInfo};

const MB: i64 = 1024 * 1024;
const LEAST: i64 = 23 * MB;
const MOST_PER_CONTAINER: i64 = 1000 * MB;

/// The plugin.
pub(super) struct ImageLocality;

/// For each image some node has: its name, and its size times the share of nodes that have it.
struct Worth(Vec<(Str, i64)>);

impl Plugin for ImageLocality {
    fn name(&self) -> &'static str {
        "ImageLocality"
    }

    fn pre_score(&self, pod: &PodInfo, nodes: &[&NodeInfo], cluster: &Cluster) -> PreScore {
        let total = i64::try_from(cluster.node_count())
            .unwrap_or(i64::MAX)
            .max(1);
        let mut worth = Vec::new();
        for image in &pod.images {
            let name = with_tag(image);
            let sizes = cluster.nodes().filter_map(|node| size(node, &name));
            let (having, bytes) = sizes.fold((0, 0), |(n, _), size| (n + 1, size));
            if having > 0 {
                worth.push((name, bytes * having / total));
            }
        }
        // Below the least even a node with all images scores nothing.
        let most: i64 = worth.iter().map(|(_, worth)| worth).sum();
        if nodes.is_empty() || most < LEAST {
            return PreScore::Skip;
        }
        PreScore::Proceed(State::of(Worth(worth)))
    }

    fn score(&self, state: &State, pod: &PodInfo, node: &NodeInfo) -> i64 {
        let Some(Worth(worth)) = state.get() else {
            return 0;
        };
        let here = worth.iter().filter(|(name, _)| size(node, name).is_some());
        let sum: i64 = here.map(|(_, worth)| worth).sum();
        let most = MOST_PER_CONTAINER * i64::try_from(pod.containers.max(1)).unwrap_or(1);
        MAX_SCORE * (sum.clamp(LEAST, most) - LEAST) / (most - LEAST)
    }
}

fn size(node: &NodeInfo, name: &str) -> Option<i64> {
    node.images
        .iter()
        .find(|(known, _)| &**known == name)
        .map(|(_, size)| *size)
}

/// The image with `:latest` if it has no tag.
fn with_tag(image: &Str) -> Str {
    let colon = image.rfind(':');
    let slash = image.rfind('/');
    if colon.is_none() || colon < slash {
        Str::from(format!("{image}:latest"))
    } else {
        image.clone()
    }
}
