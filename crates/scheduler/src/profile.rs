//! Which plugins take part and how much their scores count. The explicit list is in `plugins`.
//! Models pkg/scheduler/apis/config/v1/default_plugins.go.

use std::fmt;

use api::Str;

use crate::framework::Plugin;
use crate::plugins;

/// A set of plugins under a scheduler's name. Pods choose it by `spec.schedulerName`.
#[derive(Clone)]
pub struct Profile {
    /// `default-scheduler`.
    pub scheduler: Str,
    /// The plugins in the order they are asked.
    pub plugins: Vec<Enabled>,
}

/// A plugin and the weight of its score.
#[derive(Clone, Copy)]
pub struct Enabled {
    /// The plugin.
    pub plugin: &'static dyn Plugin,
    /// How much its score counts.
    pub weight: i64,
}

impl Default for Profile {
    fn default() -> Self {
        Profile {
            scheduler: "default-scheduler".into(),
            plugins: plugins::default_plugins(),
        }
    }
}

impl Profile {
    /// The same without a plugin.
    #[must_use]
    pub fn without(mut self, name: &str) -> Profile {
        self.plugins.retain(|enabled| enabled.plugin.name() != name);
        self
    }

    /// A plugin by name.
    #[must_use]
    pub fn plugin(&self, name: &str) -> Option<&'static dyn Plugin> {
        self.plugins
            .iter()
            .map(|enabled| enabled.plugin)
            .find(|plugin| plugin.name() == name)
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .plugins
            .iter()
            .map(|enabled| (enabled.plugin.name(), enabled.weight));
        write!(f, "{}: ", self.scheduler)?;
        f.debug_map().entries(names).finish()
    }
}
