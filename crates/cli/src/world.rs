//! The world a script runs in: a preset, or a file that describes one.

use anyhow::{Context, Result, bail};
use lab::{NodeSpec, PRESETS, Role, VERSIONS, WorldSpec};
use serde::Deserialize;

/// A world file: `version: v1.36.2` and `nodes:` by name, the first of them the control plane.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorldFile {
    version: Option<String>,
    nodes: Vec<NodeFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    name: String,
    /// `control-plane`, `worker` or `plain`; the first is the control plane unless it says otherwise.
    role: Option<RoleFile>,
    cpus: Option<u32>,
    #[serde(rename = "memoryMiB")]
    memory_mib: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RoleFile {
    ControlPlane,
    Worker,
    Plain,
}

/// The world that `--world` names.
pub(crate) fn spec(name: &str, seed: u64) -> Result<WorldSpec> {
    if let Some(spec) = WorldSpec::preset(name, seed) {
        return Ok(spec);
    }
    let text = std::fs::read_to_string(name).with_context(|| {
        format!(
            "--world {name}: neither a preset ({}) nor a readable file",
            PRESETS.join(", ")
        )
    })?;
    let file: WorldFile = serde_yaml::from_str(&text).with_context(|| format!("--world {name}"))?;
    let nodes = file
        .nodes
        .into_iter()
        .enumerate()
        .map(|(index, node)| {
            let role = match node.role {
                Some(RoleFile::ControlPlane) => Role::ControlPlane,
                Some(RoleFile::Worker) => Role::Worker,
                Some(RoleFile::Plain) => Role::Plain,
                None if index == 0 => Role::ControlPlane,
                None => Role::Worker,
            };
            let plain = NodeSpec::new(node.name, role);
            NodeSpec {
                cpus: node.cpus.unwrap_or(plain.cpus),
                memory_mib: node.memory_mib.unwrap_or(plain.memory_mib),
                ..plain
            }
        })
        .collect();
    let version = file.version.as_deref().unwrap_or(VERSIONS[0]).into();
    let spec = WorldSpec {
        version,
        nodes,
        ..WorldSpec::with_workers(0, seed)
    };
    if let Some(problem) = spec.problem() {
        bail!("--world {name}: {problem}");
    }
    Ok(spec)
}
