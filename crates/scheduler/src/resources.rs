//! Amounts of resources as the scheduler adds and compares them: CPU in thousandths, the rest in
//! whole units. Models pkg/scheduler/framework/types.go (`Resource`) and
//! component-helpers/resource/helpers.go (what a pod asks for).

use api::{Map, Quantity, Str, Value};

/// What upstream assumes of a container that does not say what it needs, when it compares nodes.
const DEFAULT_MILLI_CPU: i64 = 100;
const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

/// Amounts of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Thousandths of a CPU.
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// Everything else by name, in order: `hugepages-2Mi`, `nvidia.com/gpu`.
    pub others: Vec<(Str, i64)>,
}

/// What a pod asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// As written: what must fit.
    pub asked: Resources,
    /// With defaults for containers that ask for no CPU or memory: what scores compare.
    pub assumed: Resources,
}

impl Resources {
    /// Reads a resource list such as `resources.requests` or `status.allocatable`, `pods` apart.
    #[must_use]
    pub fn of(list: &Map) -> Resources {
        let mut resources = Resources::default();
        for (name, quantity) in list.iter() {
            let Some(quantity) = Quantity::of(quantity) else {
                continue;
            };
            match name.as_str() {
                "cpu" => resources.milli_cpu = quantity.milli(),
                "memory" => resources.memory = quantity.value(),
                "ephemeral-storage" => resources.ephemeral_storage = quantity.value(),
                "pods" => {}
                _ => resources.others.push((name.clone(), quantity.value())),
            }
        }
        resources
    }

    /// The amount of a resource that is none of the three with a field of their own.
    #[must_use]
    pub fn other(&self, name: &str) -> i64 {
        let found = self
            .others
            .binary_search_by(|(known, _)| known.as_str().cmp(name));
        found.map_or(0, |at| self.others[at].1)
    }

    /// Adds amounts.
    pub fn add(&mut self, more: &Resources) {
        self.each(more, |mine, theirs| mine + theirs);
    }

    /// Subtracts amounts.
    pub fn subtract(&mut self, less: &Resources) {
        self.each(less, |mine, theirs| mine - theirs);
    }

    /// Raises each amount to at least the other.
    fn raise(&mut self, least: &Resources) {
        self.each(least, i64::max);
    }

    fn each(&mut self, other: &Resources, combine: impl Fn(i64, i64) -> i64) {
        self.milli_cpu = combine(self.milli_cpu, other.milli_cpu);
        self.memory = combine(self.memory, other.memory);
        self.ephemeral_storage = combine(self.ephemeral_storage, other.ephemeral_storage);
        for (name, amount) in &other.others {
            match self.others.binary_search_by(|(known, _)| known.cmp(name)) {
                Ok(at) => self.others[at].1 = combine(self.others[at].1, *amount),
                Err(at) => self.others.insert(at, (name.clone(), combine(0, *amount))),
            }
        }
    }

    /// The same with defaults for missing CPU and memory.
    fn or_defaults(&self, list: &Map) -> Resources {
        let mut resources = self.clone();
        if list.get("cpu").is_none() {
            resources.milli_cpu = DEFAULT_MILLI_CPU;
        }
        if list.get("memory").is_none() {
            resources.memory = DEFAULT_MEMORY;
        }
        resources
    }
}

impl Requests {
    /// What the pod of this spec asks for: its containers together, or the most any step of its
    /// initialisation needs, plus overhead; amounts set for the whole pod take precedence.
    #[must_use]
    pub fn of(spec: &Value) -> Requests {
        let mut total = Requests::default();
        for container in spec.get("containers").list() {
            total.add(&Requests::of_container(container));
        }
        let (mut sidecars, mut most) = (Requests::default(), Requests::default());
        for container in spec.get("initContainers").list() {
            let mut step = Requests::of_container(container);
            if container.str("restartPolicy") == "Always" {
                total.add(&step);
                sidecars.add(&step);
                step = sidecars.clone();
            } else {
                step.add(&sidecars);
            }
            most.raise(&step);
        }
        total.raise(&most);
        let pod_level = spec.get("resources").get("requests").entries();
        if !pod_level.is_empty() {
            total.override_with(pod_level);
        }
        let overhead = spec.get("overhead").entries();
        if !overhead.is_empty() {
            let overhead = Resources::of(overhead);
            total.asked.add(&overhead);
            total.assumed.add(&overhead);
        }
        total
    }

    fn of_container(container: &Value) -> Requests {
        let list = container.get("resources").get("requests").entries();
        let asked = Resources::of(list);
        let assumed = asked.or_defaults(list);
        Requests { asked, assumed }
    }

    fn add(&mut self, more: &Requests) {
        self.asked.add(&more.asked);
        self.assumed.add(&more.assumed);
    }

    fn raise(&mut self, least: &Requests) {
        self.asked.raise(&least.asked);
        self.assumed.raise(&least.assumed);
    }

    fn override_with(&mut self, list: &Map) {
        let pod_level = Resources::of(list);
        for resources in [&mut self.asked, &mut self.assumed] {
            if list.contains_key("cpu") {
                resources.milli_cpu = pod_level.milli_cpu;
            }
            if list.contains_key("memory") {
                resources.memory = pod_level.memory;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[track_caller]
    fn check(spec: &Value, asked: (i64, i64), assumed: (i64, i64)) {
        let requests = Requests::of(spec);
        let mi = |r: &Resources| (r.milli_cpu, r.memory / 1024 / 1024);
        assert_eq!(
            (mi(&requests.asked), mi(&requests.assumed)),
            (asked, assumed),
            "{spec}"
        );
    }

    fn container(cpu: &str, memory: &str, restart: &str) -> Value {
        let mut container = object! { "name": "c" };
        container.set_or_remove("resources.requests.cpu", cpu);
        container.set_or_remove("resources.requests.memory", memory);
        container.set_or_remove("restartPolicy", restart);
        container
    }

    #[test]
    fn what_pods_ask_for() {
        let c = container;
        check(
            &object! { "containers": [(c("", "", ""))] },
            (0, 0),
            (100, 200),
        );
        check(
            &object! { "containers": [(c("250m", "64Mi", "")), (c("1", "", ""))] },
            (1250, 64),
            (1250, 264),
        );
        check(
            &object! {
                "containers": [(c("1", "100Mi", ""))],
                "initContainers": [
                    (c("500m", "10Mi", "Always")), (c("2", "10Mi", "")), (c("1", "10Mi", "Always")),
                ],
            },
            (2500, 120),
            (2500, 120),
        );
        check(
            &object! {
                "containers": [(c("1", "100Mi", ""))],
                "resources": { "requests": { "cpu": "3" } },
                "overhead": { "memory": "10Mi" },
            },
            (3000, 110),
            (3000, 110),
        );
    }

    #[test]
    fn other_resources_are_kept_by_name() {
        let list = object! { "nvidia.com/gpu": "2", "a.b/c": 1, "pods": "110" };
        let mut resources = Resources::of(list.entries());
        resources.add(&Resources::of(
            object! { "nvidia.com/gpu": 3, "x": 1 }.entries(),
        ));
        assert_eq!(resources.other("nvidia.com/gpu"), 5);
        assert_eq!(resources.other("x"), 1);
        assert_eq!(resources.other("pods"), 0);
    }
}
