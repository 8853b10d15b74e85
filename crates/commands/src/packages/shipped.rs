//! What a machine is delivered with: dpkg's database, the lists of repositories, and what the
//! repository of Kubernetes holds.

use super::paragraph::Paragraph;
use super::{STATUS, index};
use crate::releases;

/// Name, version, kind and what it is, of packages of the distribution.
const DISTRIBUTION: [(&str, &str, &str, &str); 9] = [
    ("apt", "2.8.3", "admin", "commandline package manager"),
    (
        "bash",
        "5.2.21-2ubuntu4",
        "shells",
        "GNU Bourne Again SHell",
    ),
    (
        "containerd",
        "2.2.1-0ubuntu1~24.04.1",
        "admin",
        "daemon to control runC",
    ),
    ("coreutils", "9.4-3ubuntu6.1", "utils", "GNU core utilities"),
    (
        "curl",
        "8.5.0-2ubuntu10.6",
        "web",
        "command line tool for transferring data with URL syntax",
    ),
    (
        "dpkg",
        "1.22.6ubuntu6.5",
        "admin",
        "Debian package management system",
    ),
    (
        "iptables",
        "1.8.10-3ubuntu2",
        "net",
        "administration tools for packet filtering and NAT",
    ),
    (
        "openssh-server",
        "1:9.6p1-3ubuntu13.14",
        "net",
        "secure shell (SSH) server, for secure access from remote machines",
    ),
    (
        "systemd",
        "255.4-1ubuntu8.12",
        "admin",
        "system and service manager",
    ),
];

/// Name, size of the archive in bytes, installed size of v1.36.0 in KiB, and what it is.
const KUBERNETES: [(&str, u64, u64, &str); 3] = [
    (
        "kubeadm",
        12_400_000,
        71_900,
        "Command-line utility for administering a Kubernetes cluster",
    ),
    (
        "kubectl",
        11_500_000,
        60_300,
        "Command-line utility for interacting with a Kubernetes cluster",
    ),
    (
        "kubelet",
        12_900_000,
        59_400,
        "Node agent for Kubernetes clusters",
    ),
];

/// The files of a machine with the packages of a release: path and text.
#[must_use]
pub fn files(release: &str) -> Vec<(String, String)> {
    let minor = format!("v1.{}", releases::minor(release));
    let source = index::Source {
        uri: format!("https://pkgs.k8s.io/core:/stable:/{minor}/deb"),
        suite: "/".to_owned(),
    };
    let line = format!(
        "deb [signed-by=/etc/apt/keyrings/kubernetes-apt-keyring.gpg] {}/ /\n",
        source.uri
    );
    vec![
        (STATUS.to_owned(), Paragraph::write_all(&installed(release))),
        (source.list(), repository(&minor).unwrap_or_default()),
        ("/etc/apt/sources.list.d/kubernetes.list".to_owned(), line),
        (
            "/etc/apt/sources.list.d/ubuntu.sources".to_owned(),
            UBUNTU.to_owned(),
        ),
    ]
}

/// The list of packages of a repository of Kubernetes, if there is one for that minor version.
pub(crate) fn repository(minor: &str) -> Option<String> {
    let number: u32 = minor.strip_prefix("v1.")?.parse().ok()?;
    releases::newest_of(number)?;
    let versions = releases::VERSIONS.iter();
    let versions: Vec<&&str> = versions.filter(|v| releases::minor(v) == number).collect();
    let mut all = Vec::new();
    for (name, size, installed, description) in KUBERNETES {
        for version in &versions {
            let mut package = head(name, &format!("{}-1.1", &version[1..]), "admin");
            package.set("Installed-Size", grown(installed, version));
            package.set("Size", size.to_string());
            package.set("Description", description);
            all.push(package);
        }
    }
    Some(Paragraph::write_all(&all))
}

/// The installed size of a release, if v1.36.0 has `size`: programs grow.
fn grown(size: u64, version: &str) -> String {
    let (_, minor, patch) = releases::numbers(version);
    let before = u64::from(36u32.saturating_sub(minor)) * 800;
    (size - before + u64::from(patch) * 4).to_string()
}

fn head(name: &str, version: &str, section: &str) -> Paragraph {
    let fields = [
        ("Package", name),
        ("Version", version),
        ("Architecture", "amd64"),
        ("Section", section),
    ];
    Paragraph(fields.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec())
}

/// What is installed; Kubernetes' packages are held, as its instructions tell one to.
fn installed(release: &str) -> Vec<Paragraph> {
    let mut all = Vec::new();
    for (name, version, section, description) in DISTRIBUTION {
        let mut package = head(name, version, section);
        package.set("Status", "install ok installed");
        package.set("Description", description);
        all.push(package);
    }
    for (name, _, size, description) in KUBERNETES {
        let mut package = head(name, &format!("{}-1.1", &release[1..]), "admin");
        package.set("Status", "hold ok installed");
        package.set("Installed-Size", grown(size, release));
        package.set("Description", description);
        all.push(package);
    }
    all
}

const UBUNTU: &str = "Types: deb
URIs: http://archive.ubuntu.com/ubuntu/
Suites: noble noble-updates noble-backports
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://security.ubuntu.com/ubuntu/
Suites: noble-security
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
";
