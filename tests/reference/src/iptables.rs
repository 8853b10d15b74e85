//! Objects in, rules out: what kube-proxy v1.36 wrote for a set of objects, against ours.
//!
//! `<case>.yaml` holds objects on top of those of `base.yaml`, `<case>.txt` what iptables-save
//! printed on node01, `<case>.healthz` the answer on the health check node port where there is one.

mod save;

use std::fmt;
use std::path::Path;

use api::Value;
use node::proxy::{Health, Proxier, Settings};

pub use save::{Chains, parse, print};

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// `03-clusterip-2ep`
    pub name: String,
    /// Lines only the real system has (`<`) and lines only ours has (`>`), each below the name of
    /// its chain; empty if both are the same.
    pub difference: Vec<String>,
}

/// What came of all cases of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order of their names.
    pub cases: Vec<Case>,
}

impl Report {
    /// The cases in which both are the same.
    #[must_use]
    pub fn identical(&self) -> usize {
        let cases = self.cases.iter();
        cases.filter(|case| case.difference.is_empty()).count()
    }

    /// The names of the others.
    #[must_use]
    pub fn failures(&self) -> Vec<&str> {
        let failed = self.cases.iter().filter(|case| !case.difference.is_empty());
        failed.map(|case| &*case.name).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in &self.cases {
            if !case.difference.is_empty() {
                writeln!(f, "{}: differs", case.name)?;
            }
            for line in &case.difference {
                writeln!(f, "  {line}")?;
            }
        }
        let (identical, all) = (self.identical(), self.cases.len());
        write!(f, "{identical} of {all} cases identical")
    }
}

/// Runs every case of a folder.
///
/// # Errors
/// A file that cannot be read, or a case that is no YAML, in words for a person.
pub fn run(folder: &Path) -> Result<Report, String> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))
    };
    let base = match folder.join("base.yaml").exists() {
        true => objects("base.yaml", &read("base.yaml")?)?,
        false => Vec::new(),
    };
    let entries =
        std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| Some(file.strip_suffix(".yaml")?.to_owned()))
        .filter(|name| folder.join(format!("{name}.txt")).exists())
        .collect();
    names.sort();
    let mut report = Report::default();
    for name in names {
        let input = format!("{name}.yaml");
        let mut all = base.clone();
        all.extend(objects(&input, &read(&input)?)?);
        let proxier = fed(&all);
        let expected = parse(&read(&format!("{name}.txt"))?);
        let mut difference = expected.difference(&parse(&print(proxier.clone())));
        let health = format!("{name}.healthz");
        if folder.join(&health).exists() {
            difference.extend(health_difference(&read(&health)?, &proxier));
        }
        report.cases.push(Case { name, difference });
    }
    Ok(report)
}

fn objects(name: &str, text: &str) -> Result<Vec<Value>, String> {
    let documents = api::yaml::parse_all(text).map_err(|why| format!("{name}: {why}"))?;
    Ok(documents
        .into_iter()
        .map(|document| document.value)
        .collect())
}

/// The kube-proxy of node01 of the recorded cluster, told of some objects.
fn fed(objects: &[Value]) -> Proxier {
    let cidr = "10.244.0.0/16".parse().ok();
    let mut proxier = Proxier::new(Settings::new("node01", [172, 30, 2, 2].into(), cidr));
    for object in objects {
        match object.kind() {
            "Service" => proxier.set_service(object),
            "EndpointSlice" => proxier.set_slice(object),
            _ => false,
        };
    }
    // The health of Services is known once they have been looked at.
    proxier.sync();
    proxier.resync();
    proxier
}

/// The answer as curl -i prints it, without its date and its length.
fn health_difference(expected: &str, proxier: &Proxier) -> Vec<String> {
    let stable = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim_end().to_owned());
        lines
            .filter(|line| !line.starts_with("Date: ") && !line.starts_with("Content-Length: "))
            .collect()
    };
    let answer = |health: &Health| health.response().to_bytes();
    let ours = proxier.health().next().map(answer).unwrap_or_default();
    let ours = String::from_utf8_lossy(&ours);
    let (expected, ours) = (stable(expected), stable(&ours));
    crate::lines_difference("healthCheckNodePort", &expected, &ours)
}
