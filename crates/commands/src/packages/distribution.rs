//! Packages of distributions that bring tools: which there are, and putting them
//! there. What else such a package holds is not modelled.

use machine::fs::Node;
use machine::{Io, Sys};

use super::index::{Offer, Source};
use super::paragraph::Paragraph;

/// A package: its names, a version, and the tools in it.
pub(crate) struct Package {
    /// What distributions call it.
    pub(crate) names: &'static [&'static str],
    /// A version of it.
    pub(crate) version: &'static str,
    /// What it brings; nothing that is to be seen here for some.
    pub(crate) tools: &'static [&'static str],
}

const fn of(
    names: &'static [&'static str],
    version: &'static str,
    tools: &'static [&'static str],
) -> Package {
    Package {
        names,
        version,
        tools,
    }
}

/// Those that people install to look around.
const PACKAGES: &[Package] = &[
    of(&["bash"], "5.3.3", &["bash"]),
    of(
        &["bind-tools", "dnsutils", "bind9-dnsutils", "bind9-host"],
        "9.20.15",
        &["dig", "host", "nslookup"],
    ),
    of(
        &[
            "ca-certificates",
            "tzdata",
            "less-doc",
            "apt-transport-https",
            "gnupg",
            "gpg",
            "gnupg2",
            "software-properties-common",
            "bash-completion",
            "man-db",
            "locales",
            "nfs-common",
            "apparmor",
            "apparmor-utils",
            "lvm2",
        ],
        "20250911",
        &[],
    ),
    of(&["bc"], "1.07.1", &["bc"]),
    of(&["binutils"], "2.42", &["strings"]),
    of(&["bsdextrautils"], "2.39.3", &["column", "hexdump"]),
    of(&["conntrack", "conntrack-tools"], "1.4.8", &["conntrack"]),
    of(
        &["coreutils", "findutils", "grep", "sed", "util-linux"],
        "9.8",
        &[],
    ),
    of(&["cron"], "3.0", &["crontab"]),
    of(&["curl"], "8.17.0", &["curl"]),
    of(&["etcd-client"], "3.4.30", &["etcdctl"]),
    of(&["file"], "5.45", &["file"]),
    of(&["gettext", "gettext-base"], "0.24.1", &["envsubst"]),
    of(&["iproute2"], "6.17.0", &["ip", "ss"]),
    of(
        &["iptables"],
        "1.8.11",
        &["iptables", "iptables-save", "iptables-restore"],
    ),
    of(&["iputils", "iputils-ping"], "20250605", &["ping"]),
    of(&["jq"], "1.8.1", &["jq"]),
    of(&["less"], "685", &["less"]),
    of(&["lsb-release"], "12.0", &["lsb_release"]),
    of(&["lsof"], "4.95.0", &["lsof"]),
    of(&["nano"], "8.7", &["nano"]),
    of(&["net-tools"], "2.10", &["netstat"]),
    of(
        &[
            "netcat",
            "netcat-openbsd",
            "netcat-traditional",
            "busybox-extras",
            "nmap-ncat",
        ],
        "1.229",
        &["nc"],
    ),
    of(&["openssh-client", "openssh"], "10.2", &["ssh", "scp"]),
    of(&["openssl"], "3.5.4", &["openssl"]),
    of(
        &["procps", "procps-ng"],
        "4.0.4",
        &["ps", "free", "pgrep", "pkill", "top", "uptime", "watch"],
    ),
    of(&["redis-tools", "redis"], "8.0.2", &["redis-cli"]),
    of(&["tcpdump"], "4.99.5", &["tcpdump"]),
    of(&["tree"], "2.1.1", &["tree"]),
    of(&["vim", "vim-tiny"], "9.1.1566", &["vim", "vi"]),
    of(&["strace"], "6.8", &["strace"]),
    of(&["wget"], "1.25.0", &["wget"]),
    of(&["xxd"], "9.1.0016", &["xxd"]),
    of(&["yq"], "4.44.3", &["yq"]),
];

/// The package of this name.
pub(crate) fn find(name: &str) -> Option<&'static Package> {
    PACKAGES
        .iter()
        .find(|package| package.names.contains(&name))
}

/// A package of a machine's distribution, as its repository offers it.
pub(crate) fn offer(name: &str, package: &Package) -> Offer {
    let mut paragraph = Paragraph::default();
    paragraph.set("Package", name);
    paragraph.set("Status", "install ok installed");
    paragraph.set("Version", package.version);
    paragraph.set("Architecture", "amd64");
    paragraph.set("Size", "269000");
    paragraph.set("Installed-Size", "812");
    Offer {
        package: paragraph,
        source: Source {
            uri: "http://archive.ubuntu.com/ubuntu".to_owned(),
            suite: "noble".to_owned(),
        },
    }
}

/// Whether all a package brings is there.
pub(crate) async fn is_there(io: &Io, package: &'static Package) -> bool {
    io.sys(move |sys: &mut Sys<'_>| {
        let mut tools = package.tools.iter();
        tools.all(|tool| place(sys, tool).is_some())
    })
    .await
}

fn place(sys: &mut Sys<'_>, tool: &str) -> Option<String> {
    let places = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"];
    let mut paths = places.iter().map(|dir| format!("{dir}/{tool}"));
    paths.find(|path| sys.exists(path))
}

/// Puts what a package brings.
///
/// # Errors
/// Why a file could not be written.
pub(crate) async fn unpack(io: &Io, package: &'static Package) -> Result<(), String> {
    io.sys(move |sys: &mut Sys<'_>| {
        for tool in package.tools {
            if place(sys, tool).is_some() {
                continue;
            }
            let path = format!("/usr/bin/{tool}");
            let made = sys.mkdir_all("/usr/bin");
            let put = made.and_then(|()| sys.put_node(&path, Node::binary(tool)));
            put.map_err(|errno| format!("{path}: {}", errno.message()))?;
        }
        Ok(())
    })
    .await
}
